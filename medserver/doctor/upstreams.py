"""The servers elsewhere that `--upstream` names: whether they answer, and to this key. Their models are not asked."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.parse import urljoin, urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from medserver.doctor.finding import Circumstances, Finding, State
from medserver.engine.listing import entries

SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class _Answer:
    """`trouble` None: it would answer questions."""

    says: str
    trouble: str | None = None


class _NoRedirect(HTTPRedirectHandler):
    """A conversation goes to the address that was given, so the question does too."""

    def redirect_request(self, *_) -> None:
        return None


def upstreams(at: Circumstances) -> Finding:
    named = at.settings.upstream
    if not named:
        return Finding("upstreams", "skip", "none is named (--upstream)")
    with ThreadPoolExecutor(len(named)) as pool:
        answers = list(pool.map(lambda url: _asked(url, at.settings.upstream_key), named))
    said = "; ".join(f"{urlsplit(url).netloc} {one.says}" for url, one in zip(named, answers, strict=True))
    troubles = dict.fromkeys(one.trouble for one in answers if one.trouble)
    return Finding("upstreams", _state(answers), said, " ".join(troubles))


def _state(answers: Sequence[_Answer]) -> State:
    wrong = sum(one.trouble is not None for one in answers)
    return "fail" if wrong == len(answers) else "warn" if wrong else "ok"


def _asked(url: str, key: str | None) -> _Answer:
    request = Request(urljoin(url, "v1/models"), headers={"Authorization": f"Bearer {key}"} if key else {})
    try:
        with build_opener(ProxyHandler({}), _NoRedirect).open(request, timeout=SECONDS) as answer:
            listed = [one["id"] for one in entries(answer.read(1_000_000))]
    except HTTPError as refusal:
        if refusal.code in (401, 403):
            return _Answer("refuses the key", "Set the key it was started with as MEDSERVER_UPSTREAM_KEY in .env.")
        return _Answer(f"answers {refusal.code}", "That is no server of models: look at the address.")
    except (OSError, HTTPException, ValueError):
        return _Answer("does not answer", "Is it started, is its port open to this machine, is the address right?")
    if not listed:
        return _Answer("lists no model", "That is no server of models: look at the address.")
    return _Answer(f"has {', '.join(listed)}")
