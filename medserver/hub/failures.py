"""Every way that weights cannot be had, with its stable code, exit status and sentence; it never retries anything.

A sentence says what is wrong and the next step, with the page to visit; it never holds a token.
"""

import errno
import os
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from time import time

from medserver.hub.progress import duration
from medserver.hub.proxy import proxy_for, without_password

# The exit status of each code, for scripts; 1 is a check that found something, 2 a wrong call.
EXIT_STATUS = {
    "no_token": 10,
    "bad_token": 11,
    "token_permission": 12,
    "gated": 13,
    "not_found": 14,
    "revision_not_found": 15,
    "rate_limited": 16,
    "proxy": 17,
    "certificate": 18,
    "offline": 19,
    "hub_down": 20,
    "disk_full": 21,
    "not_writable": 22,
    "wrong_checksum": 23,
    "no_record": 24,
    "busy": 25,
    "wheels": 26,
    "interrupted": 130,
}


class HubFailure(Exception):
    """Why it did not work: a stable `code` and a sentence for the person who typed the command."""

    def __init__(self, code: str, sentence: str):
        super().__init__(sentence)
        self.code = code

    @property
    def exit_status(self) -> int:
        return EXIT_STATUS[self.code]


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked of which Hub, as far as a sentence needs it; whether a token was sent, not which."""

    repo: str
    revision: str | None
    endpoint: str
    with_token: bool

    @property
    def page(self) -> str:
        return f"{self.endpoint}/{self.repo}"

    @property
    def tokens(self) -> str:
        return f"{self.endpoint}/settings/tokens"

    @property
    def state(self) -> str:
        """Where a person sees whether the Hub is well."""
        return "https://status.huggingface.co" if self.endpoint == "https://huggingface.co" else self.endpoint


def explain(error: BaseException, asked: Asked) -> HubFailure:
    """The failure that `error` stands for; an error that is not the world's fault is raised as it is."""
    import httpx2  # what huggingface_hub speaks HTTP with
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    if isinstance(error, HubFailure):
        return error
    if isinstance(error, HfHubHTTPError):
        return _answered(error, asked)
    if isinstance(error, OfflineModeIsEnabled):
        return HubFailure(
            "offline",
            "HF_HUB_OFFLINE is set in the environment or in .env, so nothing is fetched. Take it out, or serve a copy "
            "with --model-path.",
        )
    if isinstance(error, (UnicodeEncodeError, httpx2.LocalProtocolError)):  # no header can hold it
        return _bad_token(asked)
    if isinstance(error, httpx2.ProxyError):
        return _proxy(asked, f"refused the connection ({error})")
    if isinstance(error, httpx2.TransportError):
        return _unreached(error, asked)
    if isinstance(error, (ssl.SSLError, FileNotFoundError)) and not error.filename:  # what reading CA files raises
        return HubFailure(
            "certificate",
            "SSL_CERT_FILE or SSL_CERT_DIR names no readable CA certificates. Name a PEM file with those of the "
            "building, or unset it.",
        )
    if isinstance(error, OSError):
        return of_disk(error)
    raise error


def _answered(error, asked: Asked) -> HubFailure:
    """The Hub answered, and its answer is no. The order matters: gated is also a kind of not found."""
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

    status = error.response.status_code
    if isinstance(error, GatedRepoError):
        return _gated(error, asked)
    if isinstance(error, RevisionNotFoundError):
        return HubFailure(
            "revision_not_found",
            f"{asked.repo} has no revision {asked.revision}. Its commits are listed at {asked.page}/commits/main",
        )
    if status == 401:
        return _bad_token(asked) if asked.with_token else _no_token(asked)
    if status == 403:
        return _permission(asked) if asked.with_token else _no_token(asked)
    if status == 404 or isinstance(error, RepositoryNotFoundError):
        return HubFailure(
            "not_found", f"{asked.page} does not exist, or this token's account may not see it. Open it in a browser."
        )
    if status == 407:
        return _proxy(asked, "asks for a name and a password")
    if status == 429:
        return _rate_limited(error, asked)
    return HubFailure(
        "hub_down",
        f"The Hub answered {status}, so the trouble is on its side. Run the same command again later: what has arrived "
        f"stays. How it stands: {asked.state}",
    )


def _gated(error, asked: Asked) -> HubFailure:
    if not asked.with_token:
        return _no_token(asked)
    # A fine-grained token has to be allowed gated repositories one by one; the Hub says so in words only.
    if "fine-grained" in str(error):
        return _permission(asked)
    return HubFailure(
        "gated", f"This token's account has not accepted the terms of {asked.repo}. Accept them at {asked.page}"
    )


def _no_token(asked: Asked) -> HubFailure:
    return HubFailure(
        "no_token",
        f"{asked.repo} is gated and no token was found. Accept its terms at {asked.page}, make a token that may read "
        f"at {asked.tokens} and put it into .env as HF_TOKEN=...",
    )


def _bad_token(asked: Asked) -> HubFailure:
    return HubFailure(
        "bad_token",
        f"The Hub does not know this token: it is mistyped, expired or revoked. Make a new one at {asked.tokens} and "
        "put it into .env as HF_TOKEN=...",
    )


def _permission(asked: Asked) -> HubFailure:
    return HubFailure(
        "token_permission",
        "This token may not read gated repositories. Edit it and allow 'Read access to contents of all public gated "
        f"repos you can access' at {asked.tokens}",
    )


def _rate_limited(error, asked: Asked) -> HubFailure:
    seconds = retry_after(error.response.headers)
    when = f"in {duration(seconds)}" if seconds is not None else "in a few minutes"
    more = f" A token gives more room: {asked.tokens}"
    if asked.with_token:
        more = " What the limits are: https://huggingface.co/docs/hub/rate-limits"
    return HubFailure("rate_limited", f"The Hub says that too much was asked of it. Try again {when}.{more}")


def retry_after(headers) -> int | None:
    """The seconds that a server asks to be left alone."""
    from huggingface_hub.utils import parse_ratelimit_headers

    limit = parse_ratelimit_headers(headers)
    if limit is not None and limit.remaining == 0:
        return limit.reset_in_seconds
    said = headers.get("Retry-After", "").strip()
    if said.isdigit():
        return int(said)
    try:
        return max(0, round(parsedate_to_datetime(said).timestamp() - time()))
    except (ValueError, TypeError):
        return None


def _unreached(error, asked: Asked) -> HubFailure:
    if certificate := untrusted(error):
        return HubFailure(
            "certificate",
            f"The certificate of {asked.endpoint} is not trusted here ({certificate.verify_message}). Where a "
            "firewall opens TLS, name its CA file with SSL_CERT_FILE=/path/to/ca.pem; else look at the clock.",
        )
    if proxy_for(asked.endpoint):
        return _proxy(asked, "does not answer")
    if "://" not in asked.endpoint:
        why = "HF_ENDPOINT is no address such as https://huggingface.co"
    elif any(isinstance(one, socket.gaierror) for one in _causes(error)):
        why = "its name is not known here (DNS)"
    else:
        why = "it does not answer"
    return HubFailure(
        "offline",
        f"The Hub ({asked.endpoint}) cannot be reached: {why}. Check the network; behind a proxy set HTTPS_PROXY. "
        "On a machine without a network serve a carried copy with --model-path (medserver bundle makes one).",
    )


def untrusted(error: BaseException) -> ssl.SSLCertVerificationError | None:
    """The certificate error behind `error`, if that is what it was."""
    return next((one for one in _causes(error) if isinstance(one, ssl.SSLCertVerificationError)), None)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _proxy(asked: Asked, what: str) -> HubFailure:
    named = proxy_for(asked.endpoint)
    shown = f" ({without_password(named)})" if named else ""
    return HubFailure(
        "proxy",
        f"The proxy{shown} {what}. Look at HTTPS_PROXY (http://name:password@proxy:port) and NO_PROXY, or ask who runs "
        f"the proxy to let {asked.endpoint} through.",
    )


def of_disk(error: OSError) -> HubFailure:
    """What a disk or a folder refused; an error that is about neither is raised as it is."""
    named = f" ({error.filename})" if error.filename else ""
    if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):  # Windows knows no quota
        return HubFailure("disk_full", f"The disk is full{named}. Free some, or name another place with --to DIR.")
    if error.errno == errno.EFBIG:
        return HubFailure(
            "not_writable", f"This disk takes no file so large{named}: FAT32 ends at 4 GB. Take exFAT, or another disk."
        )
    if error.errno and (error.filename or error.errno == errno.EIO):
        why = os.strerror(error.errno)
        return HubFailure("not_writable", f"{error.filename or 'The disk'}: {why}. Mend that, or name another place.")
    raise error


def changed_on_the_way(path: str, how: str) -> HubFailure:
    return HubFailure(
        "wrong_checksum",
        f"{path} {how} and was thrown away. Run the same command again; where it happens again, something on the way "
        "changes files (a proxy, a virus scanner).",
    )
