"""No request body grows past the limit or dawdles: the bytes that arrive are counted, whatever the headers say."""

import asyncio

from medserver.errors import PayloadTooLarge, RequestTimeout
from medserver.sse import refusal

IDLE_SECONDS = 20.0  # uvicorn itself waits for ever for the rest of a half-sent body

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
            await refusal(PayloadTooLarge(_SENTENCE), scope)(scope, receive, send)
            return
        arrived, more = 0, True

        async def counted():
            nonlocal arrived, more
            message = await (_in_time(receive) if more else receive())
            more = message.get("more_body", False)
            arrived += len(message.get("body", b""))
            if arrived > self._limit:
                raise PayloadTooLarge(_SENTENCE)  # the app's own handler answers it
            return message

        await self._app(scope, counted, send)


async def _in_time(receive):
    try:
        return await asyncio.wait_for(receive(), IDLE_SECONDS)
    except asyncio.TimeoutError:
        raise RequestTimeout("The request did not arrive completely.") from None
