"""What every answer carries: a request id, the security headers, what lets a page from elsewhere read it where the door
has said so; and the one line that is logged of it.

An error that nobody foresaw ends here too: it is answered with the request id and nothing else.
"""

import logging
import time
import uuid

from medserver.access.body import may_stay_unread
from medserver.audit.account import method_of
from medserver.sse import problem_of, refusal

log = logging.getLogger("medserver.access")

CSP = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(), microphone=()",
}


def _raw(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]


_RAW = _raw(HEADERS)


class Envelope:
    """Outermost ASGI layer. The request id is ours: one from outside could carry a name into the log."""

    def __init__(self, app):
        self._app = app

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        identifier = uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = identifier
        started, status, unread = time.perf_counter(), 0, may_stay_unread(dict(scope["headers"]))

        async def receive_whole():
            nonlocal unread
            message = await receive()
            unread = unread and message.get("more_body", False)
            return message

        async def send_in_envelope(message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                permission = _raw(scope["state"].get("permission", {}))
                said = {name for name, _ in permission}
                kept = [pair for pair in message["headers"] if pair[0].lower() not in said]
                message["headers"] = [*kept, *permission, (b"x-request-id", identifier.encode()), *_RAW]
                if unread:  # we shall not wait for the rest, so nobody may send another request after it
                    message["headers"].append((b"connection", b"close"))
            await send(message)

        try:
            await self._app(scope, receive_whole, send_in_envelope)
        except Exception as error:
            problem = problem_of(error, scope)
            if not status:
                await refusal(problem, scope)(scope, receive, send_in_envelope)
        finally:
            # The route as we wrote it, never the path as it came: a path may hold anything.
            route = scope["state"]["account"].route if "account" in scope["state"] else "-"
            elapsed = (time.perf_counter() - started) * 1000
            log.debug("%s %s %s %d %.0f ms", identifier, method_of(scope), route, status, elapsed)
