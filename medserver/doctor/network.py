"""The network as this machine sees it: port, addresses, proxy, CA certificates, clock. Nothing but the Hub is asked."""

import ctypes
import socket
import sys
from collections.abc import Mapping
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from pathlib import Path
from time import time

from medserver.doctor.finding import Circumstances, Finding
from medserver.hub.proxy import without_password

SECONDS = 3.0
CLOCK_SECONDS = 120.0  # beyond that, signed addresses and certificates begin to fail
_TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised
_PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")


def port(at: Circumstances) -> Finding:
    host, number = at.settings.host, at.settings.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as trying:
        if sys.platform != "win32":
            trying.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trying.bind((host, number))
        except OSError as error:
            advice = "Perhaps MedServer runs already; else choose another port with -p."
            return Finding("port", "fail", f"{host} port {number} cannot be used: {error.strerror}", advice)
    return Finding("port", "ok", f"{host} port {number} is free")


def addresses(at: Circumstances) -> Finding:
    if at.settings.host not in ("0.0.0.0", "::"):  # nosec B104 # only looked at, nothing is bound
        return Finding("addresses", "ok", f"Only {at.settings.host} is listened on (--host)")
    found = sorted(_own_addresses())
    if not found:
        return Finding("addresses", "warn", "This machine has no address but its own", "Other devices cannot reach it.")
    shown = ", ".join(f"http://{one}:{at.settings.port}" for one in found)
    return Finding("addresses", "ok", f"Other devices reach it at {shown}, if no firewall is between")


def _own_addresses() -> set[str]:
    import psutil

    everywhere = (one for addresses in psutil.net_if_addrs().values() for one in addresses)
    found = {one.address for one in everywhere if one.family == socket.AF_INET}
    return {one for one in found if not one.startswith(("127.", "169.254."))}


def proxy(at: Circumstances) -> Finding:
    found = {name: _either(at.environ, name) for name in _PROXIES}
    shown = [f"{name}={without_password(value)}" for name, value in found.items() if value]
    if not shown:
        return Finding("proxy", "ok", "None is set")
    if any(value and "://" not in value for value in found.values()):
        advice = "An address needs its scheme, such as http://proxy:3128; the Hub cannot be asked like this."
        return Finding("proxy", "fail", ", ".join(shown), advice)
    exempt = _either(at.environ, "NO_PROXY")
    return Finding("proxy", "ok", f"{', '.join(shown)}; not for: {exempt or 'nothing'}")


def _either(environ: Mapping[str, str], name: str) -> str:
    return environ.get(name) or environ.get(name.lower()) or ""


def certificates(at: Circumstances) -> Finding:
    file, folder = at.environ.get("SSL_CERT_FILE"), at.environ.get("SSL_CERT_DIR")
    if file and not Path(file).is_file():
        advice = "Every TLS connection fails until SSL_CERT_FILE names a file that is there."
        return Finding("certificates", "fail", f"SSL_CERT_FILE names {Path(file).name}, which is not there", advice)
    if file or folder:
        named = f"SSL_CERT_FILE ({Path(file).name})" if file else "SSL_CERT_DIR"
        return Finding("certificates", "ok", f"Those of {named}, instead of the system's")
    if at.environ.get("REQUESTS_CA_BUNDLE"):
        advice = "The Hub's client does not read it: name the same file with SSL_CERT_FILE."
        return Finding("certificates", "warn", "REQUESTS_CA_BUNDLE is set, and the system's are used", advice)
    return Finding("certificates", "ok", "Those of the system")


def clock(at: Circumstances) -> Finding:
    """Against the Hub's, where it can be asked, else by the kernel's own word."""
    if at.without_hub or at.offline:
        return _kept()
    import httpx2
    from huggingface_hub import constants, get_session

    try:
        answer = get_session().head(constants.ENDPOINT, timeout=SECONDS)
        ahead = time() - parsedate_to_datetime(answer.headers["Date"]).timestamp()
    except (httpx2.HTTPError, OSError, KeyError, ValueError, TypeError):
        return _kept()
    if abs(ahead) > CLOCK_SECONDS:
        which = "ahead of" if ahead > 0 else "behind"
        advice = "Certificates and signed addresses may be refused: set the clock (timedatectl set-ntp true)."
        return Finding("clock", "warn", f"{abs(ahead) / 60:.0f} minutes {which} the Hub's", advice)
    return Finding("clock", "ok", "Agrees with the Hub's")


def _kept() -> Finding:
    """What can be said where there is nothing to compare it with."""
    now = datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    synchronised = _synchronised()
    if synchronised is None:
        return Finding("clock", "skip", f"It says {now}; there is nothing here to compare it with")
    if synchronised:
        return Finding("clock", "ok", f"It says {now}, and a time service keeps it right")
    advice = "Certificates, pairing and the audit log go by it. Is it right? timedatectl set-ntp true starts one."
    return Finding("clock", "warn", f"It says {now}, and no time service keeps it right", advice)


def _synchronised() -> bool | None:
    """Whether Linux knows its clock to be kept; None where there is nobody to tell."""
    try:
        state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512))  # of nothing but zeros, it only asks
    except (OSError, AttributeError, TypeError):
        return None
    return None if state < 0 else state != _TIME_ERROR
