"""An engine that computes nothing: an OpenAI-compatible server that says words at a given pace, and then ends.

`python -m benchmarks.scripted PORT STEP_MS [FILE]`: every stream gets a word at each step, as an engine that batches
gives them; with 0 as fast as its client takes them. The words are those of the file, a JSON list, or its own.
"""

import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path

MODEL = "scripted"
WORDS = ("The ", "left ", "lung ", "shows ", "a ", "bright ", "opacity, ", "and ", "no ", "effusion. ")
HEADERS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
BURST = 64  # words written at once where nobody sets a pace; a client that is slower holds the rest back


def chunk(delta: dict, reason: str | None = None, **more) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
    head = {"id": "chatcmpl-0123456789abcdef", "object": "chat.completion.chunk", "created": 0, "model": MODEL}
    return sse({**head, "choices": [choice], **more})


def sse(body: dict) -> bytes:
    frame = b"data: " + json.dumps(body).encode() + b"\n\n"
    return b"%x\r\n%s\r\n" % (len(frame), frame)


class Script(asyncio.Protocol):
    """One connection; `steps` wakes all streams together."""

    def __init__(self, steps: "Steps"):
        self._steps = steps
        self._held = b""
        self._left = 0
        self._said = 0
        self._last = False
        self._writable = True

    def connection_made(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        self._steps.streams.discard(self)

    def pause_writing(self) -> None:
        self._writable = False

    def resume_writing(self) -> None:
        self._writable = True
        if self._left and not self._steps.seconds:
            self._gush()

    def data_received(self, data: bytes) -> None:
        self._held += data
        head, found, body = self._held.partition(b"\r\n\r\n")
        lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        length = int(lengths[0].split(b":")[1]) if lengths else 0
        if not found or len(body) < length:
            return
        self._held = b""
        self._last = b"connection: close" in head.lower()
        path = head.split(b" ", 2)[1]
        if path.endswith(b"/chat/completions"):
            self._begin(json.loads(body))
        else:
            self._listing(path)

    def _listing(self, path: bytes) -> None:
        entry = {"id": MODEL, "object": "model", "owned_by": "vllm", "max_model_len": 8192}
        known = path.endswith((b"/models", b"/health"))
        body = json.dumps({"object": "list", "data": [entry]}).encode() if known else b"{}"
        status = b"200 OK" if known else b"404 Not Found"
        head = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (status, len(body))
        self._transport.write(head + body)
        self._ended()

    def _begin(self, body: dict) -> None:
        self._left, self._said = body["max_tokens"], 0
        self._transport.write(HEADERS + chunk({"role": "assistant", "content": ""}))
        if self._steps.seconds:
            self._steps.streams.add(self)
            self.step()
        else:
            self._gush()

    def step(self) -> None:
        self._transport.write(self._steps.spoken(self._said))
        self._said += 1
        self._left -= 1
        if not self._left:
            self._end()

    def _gush(self) -> None:
        while self._left and self._writable:
            count = min(BURST, self._left)
            self._transport.write(b"".join(self._steps.spoken(self._said + n) for n in range(count)))
            self._said += count
            self._left -= count
        if not self._left:
            self._end()

    def _end(self) -> None:
        self._steps.streams.discard(self)
        usage = {"prompt_tokens": 7, "completion_tokens": self._said, "total_tokens": 7 + self._said}
        last = sse({"object": "chat.completion.chunk", "choices": [], "usage": usage})
        done = b"data: [DONE]\n\n"
        self._transport.write(chunk({}, "length") + last + b"%x\r\n%s\r\n0\r\n\r\n" % (len(done), done))
        self._ended()

    def _ended(self) -> None:
        if self._last:
            self._transport.close()


class Steps:
    def __init__(self, seconds: float, words: Sequence[str]):
        self.seconds = seconds
        self.streams: set[Script] = set()
        self._spoken = [chunk({"content": word}) for word in words]

    def spoken(self, place: int) -> bytes:
        return self._spoken[place % len(self._spoken)]

    async def run(self) -> None:
        clock = asyncio.get_running_loop().time
        due = clock()
        while True:
            due = max(due + self.seconds, clock())
            await asyncio.sleep(due - clock() if self.seconds else 3600)
            for stream in list(self.streams):
                stream.step()


async def serve(port: int, seconds: float, words: Sequence[str] = WORDS) -> None:
    steps = Steps(seconds, words)
    loop = asyncio.get_running_loop()
    async with await loop.create_server(lambda: Script(steps), "127.0.0.1", port):
        await steps.run()


if __name__ == "__main__":
    port, step_ms, *file = sys.argv[1:]
    said = json.loads(Path(file[0]).read_text(encoding="utf-8")) if file else WORDS
    asyncio.run(serve(int(port), float(step_ms) / 1000, said))
