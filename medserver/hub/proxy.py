"""Which proxy the environment names for an address, and how it may be shown; nothing is asked of it."""

from urllib.parse import urlsplit, urlunsplit
from urllib.request import getproxies, proxy_bypass


def proxy_for(address: str) -> str | None:
    """The proxy that a request for this address goes through, as the environment has it."""
    parts = urlsplit(address)
    proxies = getproxies()
    named = proxies.get(parts.scheme) or proxies.get("all")
    return None if proxy_bypass(parts.hostname or "") else named


def without_password(address: str) -> str:
    """A proxy's address as it may be shown."""
    try:
        parts = urlsplit(address if "://" in address else f"//{address}")
        port = f":{parts.port}" if parts.port else ""
        return urlunsplit((parts.scheme, f"{parts.hostname or ''}{port}", "", "", "")).removeprefix("//")
    except ValueError:
        return "(not an address)"
