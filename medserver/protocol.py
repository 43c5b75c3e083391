"""HTTP/1.1 as uvicorn speaks it, without patience for peers that cost more than they send or leave their answer lying.

both length headers       400: servers that disagree on them can be told two different requests
a body in crumbs          400: each chunk costs a thousand times the byte that is in it
a body nobody wants       hung up on soon after the refusal; uvicorn would read gigabytes and drop them
an answer nobody reads    hung up on after a while; its slot would be held for as long as the reader likes
"""

import asyncio
import uuid
from collections.abc import Callable

import h11
import orjson
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from medserver.access.body import UNWANTED
from medserver.access.envelope import HEADERS
from medserver.api_wire import ApiWire
from medserver.errors import BadRequest
from medserver.flag import Flag

LONGEST_HEAD = 64 * 1024
WRITTEN_AHEAD = 16 * 1024  # bytes of an answer that wait here for their reader
FREE_CHUNKS = 2000
CHUNK = 512  # bytes that the chunks beyond these hold at least, on average
TINY_CHUNKS = 500
TINY = 4  # bytes; that the chunks beyond these hold more shows sooner, at a third of the cost
UNREAD_SECONDS = 30.0  # in which a reader takes what waits for it
LINGER_SECONDS = 1.0  # for who is still sending to read a refusal: a connection that is closed at once takes it away

_REFUSAL = BadRequest("The request is not valid HTTP.", code="invalid_http")


class Protocol(H11Protocol):
    """One connection. What is refused here has no request yet, so neither the log nor the audit log tells of it."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.conn = _Wary(h11.SERVER, LONGEST_HEAD)
        self._unwanted = 0
        self._unread: asyncio.TimerHandle | None = None
        self._lingering = _Lingering(self)
        self._line: _Direct | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self.flow = _Flow(transport)
        transport.set_write_buffer_limits(WRITTEN_AHEAD)

    def handle_events(self) -> None:
        super().handle_events()
        if self.cycle is not None and self.cycle.transport is not self._lingering:  # new, and not yet at work
            self.cycle.transport = self._lingering
            self.cycle.send = self._line = _Direct(self.cycle)
            self.cycle.scope["extensions"] = {"medserver": self._line}
            self.cycle.message_event = Flag(self.cycle.message_event.is_set())

    def data_received(self, data: bytes) -> None:
        refused = self.cycle is not None and self.cycle.response_complete and self.conn.their_state is h11.SEND_BODY
        self._unwanted = self._unwanted + len(data) if refused else 0
        if self._unwanted > UNWANTED:
            self.hang_up()
        else:
            super().data_received(data)

    def send_400_response(self, msg: str) -> None:
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):  # otherwise it has had its answer
            self._refuse()
        if self.cycle is not None:
            self.cycle.disconnected = True  # the app, where it has begun, has nobody to answer any more
            self.cycle.message_event.set()
            self._tell_gone()
        self.hang_up()

    def hang_up(self) -> None:
        self.transport.pause_reading()
        self.loop.call_later(LINGER_SECONDS, self.transport.close)

    def _refuse(self) -> None:
        body = orjson.dumps(ApiWire.refusal(_REFUSAL))
        headers = HEADERS | {
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            "Connection": "close",
            "X-Request-ID": uuid.uuid4().hex,
        }
        head = h11.Response(status_code=_REFUSAL.status, headers=list(headers.items()), reason=b"Bad Request")
        for event in (head, h11.Data(data=body), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event))

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread = self.loop.call_later(UNREAD_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._reads_again()

    def connection_lost(self, exc: Exception | None) -> None:
        self._reads_again()
        super().connection_lost(exc)
        self._tell_gone()

    def _tell_gone(self) -> None:
        if self._line is not None:
            self._line.gone()

    def _reads_again(self) -> None:
        if self._unread is not None:
            self._unread.cancel()


class _Flow(FlowControl):
    def __init__(self, transport: asyncio.Transport):
        super().__init__(transport)
        self._is_writable_event = Flag(True)


class _Lingering:
    """The transport as an exchange sees it: not closed at once under a peer who is still sending."""

    def __init__(self, protocol: Protocol):
        self._protocol = protocol

    def __getattr__(self, name: str):
        found = getattr(self._protocol.transport, name)
        setattr(self, name, found)  # a connection has one transport: `write` is looked up once, not for each token
        return found

    def close(self) -> None:
        if self._protocol.conn.their_state is h11.SEND_BODY:
            self._protocol.hang_up()
        else:
            self._protocol.transport.close()


class _Direct:
    """`send` of one exchange, and its `Line`.

    Its chunks go straight out, since h11 makes the same of them in ten times the time.
    """

    def __init__(self, cycle: RequestResponseCycle):
        self._cycle = cycle
        self._send = cycle.send
        self._chunked = False
        self._leave: Callable[[], None] | None = None

    def put(self, data: bytes) -> bool:
        cycle = self._cycle
        if not self._chunked or cycle.flow.write_paused:
            return False
        if not cycle.disconnected:
            cycle.transport.write(b"%x\r\n%b\r\n" % (len(data), data))
        return True

    def on_gone(self, leave: Callable[[], None] | None) -> None:
        self._leave = leave
        if self._cycle.disconnected:
            asyncio.get_running_loop().call_soon(self.gone)

    def gone(self) -> None:
        if self._leave is not None:
            self._leave()

    async def __call__(self, message) -> None:
        body = message.get("body")
        if body and message.get("more_body") and self.put(body):
            return
        await self._send(message)
        if message["type"] == "http.response.start":
            self._chunked = _in_chunks(self._cycle.scope, message)


def _in_chunks(scope, start) -> bool:
    """Whether this answer's length is told by its chunks, as h11 decides it."""
    told = {name.lower() for name, _ in start.get("headers", ())}
    bodiless = scope["method"] == "HEAD" or start["status"] in (204, 304)
    return scope["http_version"] == "1.1" and not bodiless and not told & {b"content-length", b"transfer-encoding"}


class _Wary(h11.Connection):
    """Refuses some of what h11 would put up with."""

    _chunks = _bytes = 0

    def next_event(self):
        event = super().next_event()
        if type(event) is h11.Data:
            self._chunks += event.chunk_start
            self._bytes += len(event.data)
            if self._chunks > min(FREE_CHUNKS + self._bytes // CHUNK, TINY_CHUNKS + self._bytes // TINY):
                raise h11.RemoteProtocolError("a body in crumbs")
        elif type(event) is h11.Request:
            self._chunks = self._bytes = 0
            if {b"content-length", b"transfer-encoding"} <= {name for name, _ in event.headers}:
                raise h11.RemoteProtocolError("two lengths")
        return event
