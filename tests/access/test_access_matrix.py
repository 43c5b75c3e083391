"""Every route, and who may ask it: a route without a row here fails, and so does a row without a route."""

import pytest
from starlette.routing import Mount

from tests.access.asking import MACHINE, STRANGER, ask, cookie_of, entrance_of, front, pair

# Beyond this line nobody comes without being known. What stands here tells nothing of models, settings or people.
EVERYBODY = {
    ("GET", "/pair"),
    ("GET", "/api/pairing"),
    ("POST", "/api/pairing"),
    ("DELETE", "/api/pairing"),
    ("GET", "/static"),
    ("GET", "/livez"),
    ("GET", "/readyz"),
}
KNOWN_ONLY = {
    ("GET", "/"),
    ("GET", "/api/health"),
    ("GET", "/api/models"),
    ("GET", "/metrics"),
    ("GET", "/api/model-info"),
    ("GET", "/api/samples"),
    ("POST", "/api/chat"),
    ("POST", "/api/analyze"),
    ("GET", "/v1/models"),
    ("GET", "/v1/models/{name:path}"),
    ("POST", "/v1/chat/completions"),
}
MATRIX = sorted(EVERYBODY | KNOWN_ONLY)


def routes_of(app) -> set[tuple[str, str]]:
    found = set()
    for route in app.framework.routes:
        methods = {"GET"} if isinstance(route, Mount) else route.methods - {"HEAD"}
        found |= {(method, route.path) for method in methods}
    return found


def test_every_route_has_its_row_and_every_row_its_route(tmp_path):
    assert routes_of(front(tmp_path)) == set(MATRIX)


def test_what_a_setting_adds_is_closed_too_except_the_certificate(tmp_path):
    more = front(tmp_path, docs=True, tls="auto")
    assert routes_of(more) - set(MATRIX) == {
        ("GET", "/docs"), ("GET", "/openapi.json"),
        ("GET", "/trust"), ("GET", "/trust/medserver-ca.crt"), ("GET", "/api/trust"),
    }  # fmt: skip
    for path, status in (("/docs", 401), ("/openapi.json", 401), ("/trust", 200), ("/api/trust", 200)):
        assert ask(more, "GET", path).status == status
    for path in ("/docs", "/openapi.json"):
        assert ask(more, "GET", path, MACHINE).status == 200
        assert ask(front(tmp_path), "GET", path, MACHINE).status == 404


class Everybody:
    """One of each kind of visitor, as the address they come from and the headers they send."""

    def __init__(self, app):
        entrance = entrance_of(app)
        session = cookie_of(pair(app, secret=entrance.pairing.new_code().secret))
        revoked = entrance.keys.add("revoked")
        entrance.keys.revoke("revoked")
        bearer = {"authorization": f"Bearer {entrance.keys.add('program')}"}
        self.known = {
            "machine": (MACHINE, {}),
            "session": (STRANGER, {"cookie": session}),
            "key": (STRANGER, bearer),
            "key before a proxy": (MACHINE, {**bearer, "x_forwarded_for": STRANGER}),
        }
        self.unknown = {
            "stranger": (STRANGER, {}),
            "wrong session": (STRANGER, {"cookie": f"{session}x"}),
            "wrong key": (STRANGER, {"authorization": "Bearer ms_nothing"}),
            "revoked key": (STRANGER, {"authorization": f"Bearer {revoked}"}),
            "behind a proxy here": (MACHINE, {"x_forwarded_for": STRANGER}),
            "says it is the machine": (STRANGER, {"x_forwarded_for": MACHINE, "host": "localhost:8000"}),
        }


@pytest.mark.parametrize(("method", "route"), MATRIX)
def test_who_may_ask_what(tmp_path, method, route):
    app = front(tmp_path)
    path = "/static/app.js" if route == "/static" else route
    visitors = Everybody(app)
    for who, (client, headers) in visitors.known.items():
        assert ask(app, method, path, client, **headers).status not in (303, 401, 403), who
    for who, (client, headers) in visitors.unknown.items():
        answer = ask(app, method, path, client, **headers)
        if (method, route) in EVERYBODY:
            assert answer.status not in (303, 401, 403, 404), who
        elif route == "/":
            assert (answer.status, answer.headers["location"]) == (303, "/pair"), who
        else:
            assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer"), who
            assert b"token_required" in answer.body


@pytest.mark.parametrize("path", ["/docs", "/nothing", "/static", "/static/../api/health", "//api/health", "/pair/"])
def test_what_no_row_opens_is_closed(tmp_path, path):
    assert ask(front(tmp_path), "GET", path).status in (401, 404)


@pytest.mark.parametrize(("method", "route"), MATRIX)
def test_open_asks_nobody(tmp_path, method, route):
    path = "/static/app.js" if route == "/static" else route
    assert ask(front(tmp_path, open=True), method, path).status not in (303, 401, 403)


@pytest.mark.parametrize("open_to_all", [True, False])
def test_nothing_is_written_before_there_is_something_to_keep(tmp_path, open_to_all):
    app = front(tmp_path, open=open_to_all)
    for client in (MACHINE, STRANGER):
        ask(app, "GET", "/api/health", client, cookie="medserver-8000=x", authorization="Bearer none")
    assert not (tmp_path / "state").exists()


def test_openai_clients_may_send_any_key_from_the_machine_itself(tmp_path):
    assert ask(front(tmp_path), "GET", "/v1/models", MACHINE, authorization="Bearer none").status == 200
