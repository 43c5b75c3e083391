"""One request as it will be remembered: who by pseudonym, which route, how it ended, how much; no word of it.

An account is told to its hearers when the request has ended, however it ended.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from medserver.errors import Internal
from medserver.events import Done, Event

_METHODS = {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"}


def method_of(scope) -> str:
    """The method by its name; one that nobody knows could say anything."""
    return scope["method"] if scope["method"] in _METHODS else "other"


@dataclass(slots=True)
class Account:
    """`visitor`: machine, open, stranger, or the pseudonym of a session or key. `images` None: no answer was begun.

    `event`: what became of who may come in, where something did.
    """

    request_id: str
    method: str
    route: str = "-"
    visitor: str = "-"
    status: int = 0
    code: str | None = None
    event: str | None = None
    milliseconds: float = 0.0
    images: int | None = None
    done: Done | None = None
    started: float = field(default_factory=time.perf_counter)

    @property
    def finish_reason(self) -> str | None:
        """How an answer ended; `cancelled` too where its client left, `failed` where it broke off."""
        if self.images is None:
            return None
        if self.done is not None:
            return self.done.reason
        return "failed" if self.code else "cancelled"

    def begin(self, images: int) -> None:
        self.images = images

    def hear(self, event: Event) -> None:
        if isinstance(event, Done):
            self.done = event


Hearer = Callable[[Account], None]


class Accounting:
    """ASGI layer inside the envelope. `paths`, `folders`: of our routes, so that a path from outside is never taken."""

    def __init__(self, app, paths: set[str], folders: set[str], hearers: Sequence[Hearer]):
        self._app = app
        self._paths = paths
        self._folders = folders
        self._hearers = hearers

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope["state"]
        account = state["account"] = Account(state["request_id"], method_of(scope))

        async def watched(message) -> None:
            if message["type"] == "http.response.start":
                account.status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception:  # the envelope will answer it, when this account has been told
            account.status = account.status or Internal.status
            state["refused"] = Internal.code
            raise
        finally:
            self._close(account, scope)

    def _close(self, account: Account, scope) -> None:
        state = scope["state"]
        account.milliseconds = (time.perf_counter() - account.started) * 1000
        account.route = self._route(scope)
        account.code = state.get("refused")
        if visitor := state.get("visitor"):
            account.visitor = visitor.name or visitor.kind
        for hear in self._hearers:
            hear(account)

    def _route(self, scope) -> str:
        found = getattr(scope.get("route"), "path", None) or scope["path"]
        if found in self._paths:
            return found
        return next((folder for folder in self._folders if scope["path"].startswith(f"{folder}/")), "-")
