"""The names this server answers to; any other is refused, so that no foreign name can be pointed at it.

A page of evil.example may let its name resolve to this machine (DNS rebinding); its requests then reach us and
count as its own origin. They still say `Host: evil.example`. An address cannot be pointed elsewhere, so of
addresses the one that was connected to is enough.
"""

import re
import socket
from collections.abc import Sequence

from medserver.access.addresses import header_values, own_address, parsed

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+)(?::\d{1,5})?")


def host_of(scope) -> str | None:
    """The name in the Host header, without its port; None when there is none, or several, or it is no name."""
    said = header_values(scope, b"host")
    found = _HOST.fullmatch(said[0].strip()) if len(said) == 1 else None
    return found[1].lower().rstrip(".") if found else None


def own_names() -> set[str]:
    """The machine's own names, also as `.local` announces them."""
    name = socket.gethostname().lower().rstrip(".")
    short = name.partition(".")[0]
    return {"localhost", name, short, f"{short}.local"} - {"", ".local"}


class Hosts:
    def __init__(self, bound: str, allowed: Sequence[str] = ()):
        address = parsed(bound)
        everywhere = address is not None and address.is_unspecified
        self._names = own_names() | set(allowed) | (set() if everywhere else {bound.lower()})

    def allows(self, scope) -> bool:
        host = host_of(scope)
        if host is None:
            return False
        address = parsed(host)
        if address is None:
            return host in self._names
        return address.is_loopback or address == own_address(scope) or str(address) in self._names


def is_local(scope) -> bool:
    """Whether the request calls this machine by a name that only this machine has for itself."""
    host = host_of(scope)
    if host == "localhost":
        return True
    address = parsed(host)
    return address is not None and (address.is_loopback or address == own_address(scope))
