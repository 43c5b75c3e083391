"""Whose a request is, with proxies between and without; and how many devices count as one."""

from ipaddress import ip_address, ip_network

import pytest

from medserver.access.addresses import Proxies, counted, is_loopback, parsed, passed_on
from tests.scripted import Exchange

PROXY = "10.0.0.9"


def scope_of(peer: str, *forwarded: str, scheme: str = "http", **headers: str):
    scope = Exchange(client=peer).scope
    scope["scheme"] = scheme
    scope["headers"] += [(b"x-forwarded-for", value.encode()) for value in forwarded]
    scope["headers"] += [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return scope


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        (" 192.0.2.1:443 ", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("[::ffff:127.0.0.1]:9", "127.0.0.1"),
    ],
)
def test_addresses_are_read_as_they_are_written(text, address):
    assert parsed(text) == ip_address(address)


@pytest.mark.parametrize("text", [None, "", "unknown", "_hidden", "localhost", "192.0.2.999", "1.2.3.4.5"])
def test_what_is_no_address_is_none(text):
    assert parsed(text) is None


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff:ffff:ffff:ffff", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("192.0.2.1", "192.0.2.2", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
    ],
)
def test_a_device_counts_once_whatever_addresses_it_takes(one, other, same):
    assert (counted(parsed(one)) == counted(parsed(other))) is same


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("192.0.2.7", ("203.0.113.5",), "192.0.2.7"),  # who is no proxy is not believed
        (PROXY, (), PROXY),
        (PROXY, ("203.0.113.5",), "203.0.113.5"),
        (PROXY, ("1.1.1.1, 203.0.113.5",), "203.0.113.5"),  # left of it stands what the client wrote
        (PROXY, ("1.1.1.1", "203.0.113.5"), "203.0.113.5"),  # two headers are one list
        (PROXY, ("203.0.113.5, 10.0.0.8",), "203.0.113.5"),  # a proxy behind the proxy
        (PROXY, ("10.0.0.7, 10.0.0.8",), "10.0.0.7"),  # nobody else: the first of them asks for itself
        (PROXY, ("203.0.113.5, unknown",), PROXY),
        (PROXY, ("203.0.113.5:41000",), "203.0.113.5"),
        (PROXY, ("[2001:db8::5]:41000",), "2001:db8::5"),
        (f"::ffff:{PROXY}", ("203.0.113.5",), "203.0.113.5"),
    ],
)
def test_the_forwarded_address_is_read_from_the_right_and_from_trusted_proxies_only(peer, forwarded, client):
    assert Proxies([ip_network("10.0.0.0/24")]).client_of(scope_of(peer, *forwarded)) == ip_address(client)


def test_nobody_is_believed_unless_named():
    assert Proxies().client_of(scope_of("127.0.0.1", "203.0.113.5")) == ip_address("127.0.0.1")


@pytest.mark.parametrize(
    ("peer", "scheme", "said", "secure"),
    [
        ("192.0.2.7", "https", None, True),
        ("192.0.2.7", "http", "https", False),
        (PROXY, "http", "https", True),
        (PROXY, "http", "http, https", True),
        (PROXY, "http", "https, http", False),
        (PROXY, "http", None, False),
    ],
)
def test_https_is_what_we_see_or_what_a_trusted_proxy_says(peer, scheme, said, secure):
    headers = {"x_forwarded_proto": said} if said else {}
    assert Proxies([ip_network("10.0.0.0/24")]).secure(scope_of(peer, scheme=scheme, **headers)) is secure


@pytest.mark.parametrize(
    "name",
    ["x-forwarded-for", "x-forwarded-host", "x-real-ip", "forwarded", "via", "true-client-ip", "x-proxycontextpath",
     "tailscale-user-login", "x-envoy-external-address"],
)  # fmt: skip
def test_a_trace_of_forwarding_is_seen(name):
    scope = Exchange(headers={name: "x"}).scope
    assert passed_on(scope) and not passed_on(Exchange().scope)


def test_http_1_0_is_a_proxy_s():
    """All that an nginx with `proxy_pass` and nothing else shows of itself."""
    assert passed_on(Exchange().scope | {"http_version": "1.0"})


@pytest.mark.parametrize(("host", "here"), [
    ("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False), ("192.0.2.1", False),
    ("med.example.org", False),
])  # fmt: skip
def test_a_server_on_loopback_is_reached_from_here_alone(host, here):
    assert is_loopback(host) is here
