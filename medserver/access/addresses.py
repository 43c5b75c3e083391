"""Addresses: whose a request is when proxies stand between, and how many devices count as one.

Nothing else reads X-Forwarded-For. It is read from the right, because every proxy appends what it saw: the first
address from there that is no trusted proxy is the client, and what stands left of it is only what the client says.
"""

import ipaddress
from collections.abc import Sequence

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# What proxies and tunnels leave behind. A request that carries one of these came from somewhere else.
_FORWARDING = (
    b"forwarded", b"via", b"x-real-ip", b"x-forwarded-", b"x-client-ip", b"x-original-", b"x-envoy-", b"x-proxy",
    b"cf-connecting-ip", b"true-client-ip", b"tailscale-",
)  # fmt: skip


def parsed(text: str | None) -> Address | None:
    """The address in `text`, which may carry a port or a zone; an IPv4 address written as IPv6 is that address."""
    bare = (text or "").strip().partition("%")[0]
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        found = ipaddress.ip_address(bare)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def is_loopback(host: str) -> bool:
    """Whether a server bound to `host` is reached from this machine alone."""
    address = parsed(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def counted(address: Address | None) -> str:
    """The name under which an address is counted: one IPv6 device owns a whole /64."""
    if address is None:
        return "unknown"
    if address.version == 4:
        return str(address)
    return str(ipaddress.ip_network((address, 64), strict=False))


def header_values(scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]


def peer_of(scope) -> Address | None:
    """Who connected."""
    return parsed(scope["client"][0]) if scope.get("client") else None


def own_address(scope) -> Address | None:
    """The address of ours that was connected to."""
    return parsed(scope["server"][0]) if scope.get("server") else None


def passed_on(scope) -> bool:
    """Whether somebody between says that this request is not its own.

    No browser speaks HTTP/1.0; an nginx that was told nothing but `proxy_pass` does, and adds no header at all.
    """
    return scope["http_version"] == "1.0" or any(key.startswith(_FORWARDING) for key, _ in scope["headers"])


class Proxies:
    """The proxies that are believed."""

    def __init__(self, trusted: Sequence[Network] = ()):
        self._trusted = tuple(trusted)

    def trusts(self, address: Address | None) -> bool:
        return address is not None and any(address in network for network in self._trusted)

    def client_of(self, scope) -> Address | None:
        """Who asks: the peer, or whom the trusted proxies say they ask for."""
        address = peer_of(scope)
        hops = ",".join(header_values(scope, b"x-forwarded-for")).split(",")
        while self.trusts(address) and hops:
            before = parsed(hops.pop())
            if before is None:  # nothing, or nothing that can be believed: the proxy answers for it
                return address
            address = before
        return address

    def secure(self, scope) -> bool:
        """Whether the client's own connection is https, as far as we see or a trusted proxy says."""
        if not self.trusts(peer_of(scope)):
            return scope["scheme"] == "https"
        said = header_values(scope, b"x-forwarded-proto")
        return bool(said) and said[-1].rpartition(",")[2].strip().lower() == "https"
