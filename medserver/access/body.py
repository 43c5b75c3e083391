"""No request body grows past the limit or dawdles: the bytes that arrive are counted, whatever the headers say."""

import asyncio

from medserver.errors import Encoded, PayloadTooLarge, RequestTimeout
from medserver.sse import refusal

IDLE_SECONDS = 20.0  # uvicorn itself waits for ever for the rest of a half-sent body
SLOWEST = 1000  # bytes a second from then on: who sends one at a time holds a place for hours
UNWANTED = 64 * 1024  # bytes of a body that are read after its refusal: small ones need no new connection
UNDECLARED = 256 * 1024  # bytes of a body that does not say how long it will be; most questions have fewer

_SENTENCE = "The request is larger than this server takes. Fewer or smaller images would help."
_UNDECLARED = "A request of this size must say how long it is, in Content-Length."
_ENCODED = "The body is compressed. Send it as it is, without Content-Encoding."


def may_stay_unread(headers: dict[bytes, bytes]) -> bool:
    """Whether more of this request's body may be left after a refusal than is worth reading."""
    declared = headers.get(b"content-length", b"")
    return b"transfer-encoding" in headers or (declared.isdigit() and int(declared) > UNWANTED)


class BodyLimit:
    """ASGI layer. `limit` in bytes; an honest Content-Length is refused before a byte of the body is read."""

    def __init__(self, app, limit: int):
        self._app = app
        self._limit = limit

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        declared = headers.get(b"content-length", b"")
        if declared.isdigit() and int(declared) > self._limit:
            await refusal(PayloadTooLarge(_SENTENCE), scope)(scope, receive, send)
            return
        if headers.get(b"content-encoding", b"identity").strip().lower() != b"identity":
            await refusal(Encoded(_ENCODED), scope)(scope, receive, send)
            return
        limit, sentence = self._limit, _SENTENCE
        if b"transfer-encoding" in headers and limit > UNDECLARED:
            limit, sentence = UNDECLARED, _UNDECLARED
        await self._app(scope, _Counted(receive, limit, sentence), send)


class _Counted:
    """`receive` of one request, whose body is `limit` bytes at most."""

    def __init__(self, receive, limit: int, sentence: str):
        self._receive = receive
        self._limit = limit
        self._sentence = sentence
        self._arrived = 0
        self._more = True
        self._clock = asyncio.get_running_loop().time
        self._started = self._clock()

    async def __call__(self):
        message = await (self._in_time() if self._more else self._receive())
        self._more = message.get("more_body", False)
        self._arrived += len(message.get("body", b""))
        if self._arrived > self._limit:
            raise PayloadTooLarge(self._sentence)  # the app's own handler answers it
        return message

    async def _in_time(self):
        left = self._started + IDLE_SECONDS + self._arrived / SLOWEST - self._clock()
        try:
            return await asyncio.wait_for(self._receive(), min(left, IDLE_SECONDS))
        except asyncio.TimeoutError:
            raise RequestTimeout("The request did not arrive completely.") from None
