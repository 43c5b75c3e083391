"""Pages of other origins: none may change anything here, and none may read, unless it was named at the start.

What tells them from ours: browsers send Origin with every unsafe request, and Sec-Fetch-Site where the connection
counts as secure, which plain http on a ward's network does not. Programs send neither.
"""

from collections.abc import Sequence

from medserver.access.addresses import header_values

_SAFE = {"GET", "HEAD", "OPTIONS"}
_USUAL_PORTS = {"http": "80", "https": "443"}


class Origins:
    """`allowed`: the origins of `--cors-origin`, as browsers write them."""

    def __init__(self, allowed: Sequence[str] = ()):
        self._allowed = frozenset(allowed)

    def guest(self, scope) -> str | None:
        """The foreign origin that asks and may."""
        said = header_values(scope, b"origin")
        return said[0] if len(said) == 1 and said[0] in self._allowed else None

    def forged(self, scope, secure: bool) -> bool:
        """Whether this is an unsafe request that a page from elsewhere made."""
        if scope["method"] in _SAFE or self.guest(scope):
            return False
        site, origin = header_values(scope, b"sec-fetch-site"), header_values(scope, b"origin")
        if site and site != ["same-origin"] and site != ["none"]:
            return True
        return bool(origin) and (len(origin) > 1 or not _is_own(origin[0], scope, secure))

    @staticmethod
    def asks_ahead(scope) -> bool:
        """Whether a browser asks for permission (CORS preflight) before it sends the request itself."""
        return scope["method"] == "OPTIONS" and bool(header_values(scope, b"access-control-request-method"))


def permission(origin: str) -> dict[str, str]:
    """What lets the page of `origin` read an answer. No credentials: such a page brings a key of its own."""
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Expose-Headers": "X-Request-ID, Retry-After",
        "Vary": "Origin",
    }


def permission_ahead(origin: str) -> dict[str, str]:
    return permission(origin) | {
        "Access-Control-Allow-Methods": "GET, POST",
        "Access-Control-Allow-Headers": "Authorization, Content-Type",
        "Access-Control-Max-Age": "600",
    }


def _is_own(origin: str, scope, secure: bool) -> bool:
    scheme, _, place = origin.lower().partition("://")
    if scheme not in _USUAL_PORTS or (secure and scheme != "https"):
        return False
    host = header_values(scope, b"host")[0].strip().lower()
    return place.removesuffix(f":{_USUAL_PORTS[scheme]}") == host.removesuffix(f":{_USUAL_PORTS[scheme]}")
