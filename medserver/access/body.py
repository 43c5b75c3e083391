"""No request body grows past the limit, whatever its headers say: the bytes that arrive are counted."""

from medserver.errors import PayloadTooLarge
from medserver.sse import refusal

_SENTENCE = "The request is larger than this server takes. Fewer or smaller images would help."


class BodyLimit:
    """ASGI layer. `limit` in bytes; an honest Content-Length is refused before a byte of the body is read."""

    def __init__(self, app, limit: int):
        self._app = app
        self._limit = limit

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = dict(scope["headers"]).get(b"content-length", b"")
        if declared.isdigit() and int(declared) > self._limit:
            await refusal(PayloadTooLarge(_SENTENCE))(scope, receive, send)
            return
        arrived = 0

        async def counted():
            nonlocal arrived
            message = await receive()
            arrived += len(message.get("body", b""))
            if arrived > self._limit:
                raise PayloadTooLarge(_SENTENCE)  # the app's own handler answers it
            return message

        await self._app(scope, counted, send)
