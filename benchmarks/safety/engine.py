"""An engine process behind the worker's own wire that computes nothing and plays what the last message asks for.

    say 600 every 0.05       numbered words at a pace; without a word of this, three of them at once
    hold 0.05                words at a pace until it is told to go on (`GET /release`)
    silent                   no first word until then
    gush 8000                words of a thousand characters, as fast as they are taken
    fail 507 out_of_memory   an error instead of an answer
    garbage 3                one of GARBAGE instead of an answer's next chunk

`python -m benchmarks.safety.engine FILE`: the port goes to FILE too, so that `GET /counts` can be asked for what is
open here. Its orders are one line on standard input, and it ends when that closes, as the worker does.
"""

import asyncio
import contextlib
import json
import os
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
SECRET = "Kanarie4242"  # in every error, and fit for nobody
GARBAGE = (
    b"data: {\n\n",
    b"data: []\n\n",
    b"data: nothing\n\n",
    b'data: {"choices": 7}\n\n',
    b'data: {"choices": [{"delta": "x"}]}\n\n',
    b'data: {"choices": [{"delta": {"content": 5}}]}\n\n',
    b'data: {"usage": {"prompt_tokens": "x"}, "choices": []}\n\n',
    b'data: {"error": {"message": "%s /root", "code": 1}}\n\n' % SECRET.encode(),
    b"data: \xff\xfe\x00\n\n",
    b"\x00" * 4096,
    b"data: " + b"[" * 200_000 + b"\n\n",
    b"data: [DONE]\n\n",  # no reason why it ended
)
NOT_HTTP = b"\xff\x00 this is no chunk\r\n"  # follows each of them, and is the 13th


def sse(**fields: object) -> bytes:
    return b"data: " + json.dumps(fields).encode() + b"\n\n"


def said(text: str, reason: str | None = None) -> bytes:
    return sse(choices=[{"index": 0, "delta": {"content": text}, "finish_reason": reason}])


class Stage:
    """What all connections share."""

    def __init__(self) -> None:
        self.begun = self.ended = self.open = 0
        self._go_on = asyncio.Event()

    def release(self) -> None:
        """Whoever holds goes on, now; who begins later waits for the next time."""
        self._go_on.set()
        self._go_on = asyncio.Event()

    @property
    def go_on(self) -> asyncio.Event:
        return self._go_on

    async def words(self, wish: str) -> AsyncIterator[str]:
        go_on = self._go_on
        if found := re.search(r"say (\d+) every ([\d.]+)", wish):
            clock = asyncio.get_running_loop().time
            started, step = clock(), float(found[2])
            for number in range(int(found[1])):
                await asyncio.sleep(started + number * step - clock())
                yield f"{number} "
        elif found := re.search(r"hold ([\d.]+)", wish):
            number = 0
            while not go_on.is_set():
                yield f"{number} "
                number += 1
                await _either(go_on.wait(), float(found[1]))
        elif found := re.search(r"gush (\d+)", wish):
            for number in range(int(found[1])):
                yield f"{number} ".ljust(1000, "x")
                await asyncio.sleep(0)  # a kernel that takes everything would keep the others waiting
        else:
            if "silent" in wish:
                await go_on.wait()
            for number in range(3):
                yield f"{number} "


async def _either(waiting, seconds: float) -> None:
    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.wait_for(waiting, seconds)


async def serve(stage: Stage, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
            body = await reader.readexactly(int(length[1])) if length else b""
            path = head.split(b" ", 2)[1]
            if path.endswith(b"/chat/completions"):
                await _watched(_answer(stage, json.loads(body), writer), reader)
            else:
                _whole(writer, *_listing(stage, path))
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def _watched(answer, reader: asyncio.StreamReader) -> None:
    """Play an answer for as long as its client is there; it sends nothing meanwhile."""
    playing, left = asyncio.ensure_future(answer), asyncio.ensure_future(reader.read(1))
    await asyncio.wait({playing, left}, return_when=asyncio.FIRST_COMPLETED)
    gone = left.done()
    for task in (playing, left):
        task.cancel()
    await asyncio.gather(playing, left, return_exceptions=True)
    if gone:
        raise ConnectionResetError


async def _answer(stage: Stage, asked: dict, writer: asyncio.StreamWriter) -> None:
    wish = json.dumps(asked["messages"][-1]["content"])
    if found := re.search(r"fail (\d+) (\w+)", wish):
        _whole(writer, found[1].encode(), {"error": {"message": SECRET, "code": found[2]}})
        return
    stage.begun += 1
    stage.open += 1
    try:
        writer.write(HEAD)
        count = 0
        found = re.search(r"garbage (\d+)", wish)
        async for word in stage.words(wish):
            _chunk(writer, said(word))
            await writer.drain()
            count += 1
            if found and count == 2:
                _spoil(writer, int(found[1]))
                return
        usage = {"prompt_tokens": 7, "completion_tokens": count}
        _chunk(writer, said("", "stop") + sse(choices=[], usage=usage) + b"data: [DONE]\n\n")
        writer.write(b"0\r\n\r\n")
        stage.ended += 1
    finally:
        stage.open -= 1


def _spoil(writer: asyncio.StreamWriter, which: int) -> None:
    if which < len(GARBAGE):
        _chunk(writer, GARBAGE[which])
    writer.write(NOT_HTTP)
    writer.close()


def _chunk(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(b"%x\r\n%s\r\n" % (len(data), data))


def _listing(stage: Stage, path: bytes) -> tuple[bytes, dict]:
    if path == b"/counts":
        return b"200", {"begun": stage.begun, "ended": stage.ended, "open": stage.open}
    if path == b"/release":
        stage.release()
        return b"200", {}
    if path.endswith((b"/models", b"/ready")):
        return b"200", {"data": [{"id": "scripted", "max_model_len": 8192}]}
    return b"404", {}


def _whole(writer: asyncio.StreamWriter, status: bytes, said: dict) -> None:
    body = json.dumps(said).encode()
    writer.write(b"HTTP/1.1 %s X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (status, len(body)))
    writer.write(body)


async def main(where: Path) -> None:
    stage = Stage()
    server = await asyncio.start_server(
        lambda *both: serve(stage, *both), "127.0.0.1", 0, limit=64 * 1024 * 1024, backlog=2048
    )
    port = server.sockets[0].getsockname()[1]
    new = where.with_suffix(".new")
    new.write_text(json.dumps({"port": port, "pid": os.getpid()}))
    new.replace(where)
    print(json.dumps({"port": port}), flush=True)
    await asyncio.to_thread(sys.stdin.buffer.read)
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
