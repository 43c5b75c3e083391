"""No foreign name reaches the server (DNS rebinding), and no page from elsewhere asks or reads."""

import socket

import pytest

from medserver.access import visitor
from medserver.access.hosts import own_names
from tests.access.asking import MACHINE, STRANGER, ask, code_of, entrance_of, exchange, front
from tests.scripted import Exchange, run

NOTES = "https://notes.example.org"


@pytest.mark.parametrize(
    "host",
    [
        "localhost", "LOCALHOST:8000", "localhost.", "127.0.0.1:8000", "127.8.9.1", "[::1]:8000", "192.0.2.1",
        "192.0.2.1:9999", "med.example.org", "med.example.org:443", "MED.example.org", "198.51.100.4:8000",
    ],
)  # fmt: skip
def test_own_names_and_allowed_ones_are_answered_to(tmp_path, host):
    app = front(tmp_path, open=True, allowed_host=("med.example.org", "198.51.100.4"))
    assert ask(app, "GET", "/api/health", host=host).status == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "evil.example:8000", "localhost.evil.example", "192.0.2.1.evil.example", "192.0.2.2", "", " ",
        "localhost@evil.example", "localhost/", "[::2]:8000", "10.0.0.1", "0.0.0.0:8000", "a b", "localhost:80:80",
        "2130706434",
    ],
)  # fmt: skip
@pytest.mark.parametrize("client", [MACHINE, STRANGER])
def test_a_foreign_name_gets_nothing_from_nobody(tmp_path, host, client):
    app = front(tmp_path, open=True)
    for method, path in (("GET", "/"), ("GET", "/static/app.js"), ("POST", "/api/chat"), ("GET", "/livez")):
        asked = ask(app, method, path, client, host=host)
        assert (asked.status, code_of(asked)) == (403, "host_not_allowed")
        assert not host.strip() or host.encode() not in asked.body


def test_a_request_without_a_host_or_with_two_is_refused(tmp_path):
    for headers in ([], [(b"host", b"localhost"), (b"host", b"evil.example")]):
        asked = Exchange(path="/api/health", method="GET", client=MACHINE)
        asked.scope["headers"] = headers

        async def scene(asked=asked):
            await asked.of(front(tmp_path))

        run(scene())
        assert asked.status == 403


def test_a_connection_that_is_no_request_reaches_nothing(tmp_path):
    asked = Exchange(path="/api/health", client=MACHINE, headers={"host": "localhost"})
    asked.scope["type"] = "websocket"

    async def scene():
        await asked.of(front(tmp_path, open=True))

    run(scene())
    assert asked.messages == []


def test_the_machine_has_its_name_with_and_without_local():
    name = socket.gethostname().lower()
    assert {name, "localhost", f"{name.partition('.')[0]}.local"} <= own_names()


def test_the_machine_by_another_name_is_asked_like_everybody(tmp_path):
    """A proxy on this machine may pass the name on that its visitors called."""
    app = front(tmp_path, allowed_host=("med.example.org",))
    assert ask(app, "GET", "/api/health", MACHINE, host="med.example.org").status == 401


@pytest.mark.parametrize(("contained", "status"), [(False, 200), (True, 401)])
def test_the_machine_may_ask_its_own_address_but_not_through_the_published_port_of_a_container(
    tmp_path, monkeypatch, contained, status
):
    """Rootless engines let everybody who asks a published port come from the container's own address."""
    monkeypatch.setattr(visitor, "contained", lambda: contained)
    app = front(tmp_path)
    for host in ("192.0.2.1", "localhost"):
        assert ask(app, "GET", "/api/health", "192.0.2.1", host=host).status == status
    assert ask(app, "GET", "/api/health", MACHINE).status == 200, "from inside, as a health check does"


def test_a_proxy_that_says_nothing_but_speaks_http_1_0_is_asked(tmp_path):
    asked = exchange("GET", "/api/health", MACHINE)
    asked.scope["http_version"] = "1.0"

    async def scene():
        await asked.of(front(tmp_path))

    run(scene())
    assert asked.status == 401


OWN = "http://192.0.2.1:8000"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 422),  # a program sends none of them; its empty body is the next thing wrong
        ({"origin": OWN}, 422),
        ({"origin": OWN, "sec_fetch_site": "same-origin"}, 422),
        ({"sec_fetch_site": "none"}, 422),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://192.0.2.1:8001"}, 403),
        ({"origin": "http://192.0.2.1"}, 403),
        ({"origin": "http://192.0.2.1:8000.evil.example"}, 403),
        ({"origin": OWN, "sec_fetch_site": "cross-site"}, 403),
        ({"origin": OWN, "sec_fetch_site": "same-site"}, 403),
        ({"sec_fetch_site": "cross-site"}, 403),
        ({"origin": NOTES}, 403),
    ],
)
@pytest.mark.parametrize("path", ["/api/chat", "/v1/chat/completions", "/api/pairing"])
def test_an_unsafe_request_must_come_from_our_own_page_or_from_none(tmp_path, headers, status, path):
    asked = ask(front(tmp_path, open=True), "POST", path, body=b"{}", **headers)
    assert asked.status == (400 if path.startswith("/v1") and status == 422 else status)
    if status == 403:
        assert b"origin_not_allowed" in asked.body


def test_a_key_is_proof_enough_whatever_the_page(tmp_path):
    app = front(tmp_path)
    key = entrance_of(app).keys.add("program")
    asked = ask(app, "POST", "/api/chat", body=b"{}", authorization=f"Bearer {key}", origin="http://evil.example")
    assert asked.status == 422
    wrong = ask(app, "POST", "/api/chat", MACHINE, b"{}", authorization="Bearer x", origin="http://evil.example")
    assert wrong.status == 403, "what is no key proves nothing"


def permissions(asked) -> dict:
    return {name: value for name, value in asked.headers.items() if name.startswith("access-control")}


@pytest.mark.parametrize("origin", ["http://evil.example", NOTES, "null", OWN])
def test_no_page_may_read_by_default(tmp_path, origin):
    app = front(tmp_path, open=True)
    for method, path in (("GET", "/api/health"), ("GET", "/static/app.js"), ("GET", "/nothing"), ("POST", "/api/chat")):
        assert permissions(ask(app, method, path, origin=origin)) == {}
    ahead = ask(app, "OPTIONS", "/api/chat", origin=origin, access_control_request_method="POST")
    assert ahead.status >= 400 and permissions(ahead) == {}


def test_a_named_origin_may_ask_ahead_ask_and_read_and_nobody_else(tmp_path):
    app = front(tmp_path, cors_origin=(NOTES,))
    key = entrance_of(app).keys.add("program")
    ahead = ask(app, "OPTIONS", "/api/chat", origin=NOTES, access_control_request_method="POST")
    assert (ahead.status, ahead.headers["access-control-allow-origin"]) == (204, NOTES)
    assert "Authorization" in ahead.headers["access-control-allow-headers"]
    asked = ask(app, "POST", "/api/chat", body=b"{}", origin=NOTES, authorization=f"Bearer {key}")
    assert (asked.status, asked.headers["access-control-allow-origin"]) == (422, NOTES)
    assert "access-control-allow-credentials" not in asked.headers, "it brings a key, never our cookie"
    unknown = ask(app, "POST", "/api/chat", body=b"{}", origin=NOTES)
    assert (unknown.status, unknown.headers["access-control-allow-origin"]) == (401, NOTES), "and may read why"
    other = ask(app, "OPTIONS", "/api/chat", origin=f"{NOTES}.evil.example", access_control_request_method="POST")
    assert permissions(other) == {}


def test_with_https_an_origin_without_it_is_foreign(tmp_path):
    from ipaddress import ip_network

    app = front(tmp_path, open=True, trusted_proxy=(ip_network(STRANGER),))
    behind = {"x_forwarded_for": "203.0.113.5", "x_forwarded_proto": "https"}
    for scheme, status in (("https", 422), ("http", 403)):
        assert ask(app, "POST", "/api/chat", body=b"{}", origin=f"{scheme}://192.0.2.1:8000", **behind).status == status
