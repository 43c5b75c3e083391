"""Input that was made to hurt, at its full size: how soon it is refused, and what it costs."""

import asyncio
import base64
import contextlib
import json
import time

from benchmarks.safety.house import House
from benchmarks.safety.rows import Row, at_most, exactly
from benchmarks.safety.wire import Exchange, address, ask, question, request
from benchmarks.tree import cpu_seconds_of

HEAD = b"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
PIECE = b"10000\r\n" + b" " * 65536 + b"\r\n"

# What is sent first, what again and again, and how often.
FLOODS = {
    "a declared gigabyte": (HEAD + b"Content-Length: 1000000000\r\n\r\n", b" " * 65536, 16_000, 413),
    "a chunked gigabyte": (CHUNKED, PIECE, 16_000, 413),
    "a gigabyte for no route": (CHUNKED.replace(b"/api/chat", b"/nothing"), PIECE, 16_000, 404),
    "a million chunks of one byte": (CHUNKED, b"1\r\n \r\n" * 1000, 1000, 400),
    "a compressed gigabyte": (
        HEAD + b"Content-Encoding: gzip\r\nContent-Length: 9000000\r\n\r\n",
        b"\x1f" * 65536,
        130,
        415,
    ),
    "both lengths": (HEAD + b"Content-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n", PIECE, 9, 400),
    "a head without end": (HEAD, b"X: " + b"x" * 60_000 + b"\r\n", 16_000, 400),
}


async def floods(house: House, times: int = 5) -> list[Row]:
    """Several of each, one after the other; CPU of the front is what it had to read and parse."""
    rows = []
    memory = house.front.memory_info().rss
    for name, (first, piece, count, status) in FLOODS.items():
        took, right, cpu = [], 0, cpu_seconds_of(house.front)
        for number in range(times):
            exchange = await Exchange.begin(house.port, first, address(number))
            pushing = asyncio.create_task(_push(exchange, piece, count))
            right += await exchange.head() == status
            took.append(exchange.began)
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait_for(pushing, 60)
            exchange.leave(reset=True)
        await house.until(house.idle)
        cpu = cpu_seconds_of(house.front) - cpu
        rows += [
            exactly(f"{name}: refused with {status}", times, right),
            at_most(f"{name}: until then, the slowest of {times}", 100, max(took) * 1000, "ms"),
            at_most(f"{name}: CPU of the front for each", 100, cpu / times * 1000, "ms"),
        ]
    grown = (house.front.memory_info().rss - memory) / 1e6
    return [*rows, at_most("all of these: memory of the front", 50, grown, "MB")]


async def _push(exchange: Exchange, piece: bytes, count: int) -> None:
    with contextlib.suppress(ConnectionError):
        for _ in range(count):
            exchange.writer.write(piece)
            await exchange.writer.drain()


async def half_sent(house: House, bound: float = 45.0) -> list[Row]:
    """Connections that ask nothing, half a head, half a body; nobody else notices."""
    halves = [b"", HEAD[:30], HEAD, HEAD + b"Content-Length: 99\r\n\r\n{", CHUNKED + b"5\r\nab"]
    started = time.perf_counter()
    held = [await Exchange.begin(house.port, halves[n % 5], address(n)) for n in range(350)]
    ends = [asyncio.create_task(_end(one)) for one in held]
    beside = await ask(house.port, request(question("x")), address(999))
    longest = max(await asyncio.gather(*ends)) - started
    return [
        exactly("350 half-sent requests: an answer beside them", 1, int(beside.done)),
        at_most("350 half-sent requests: the last of them ended after", bound, longest, "s"),
    ]


async def _end(one: Exchange) -> float:
    with contextlib.suppress(ConnectionError):
        while await asyncio.wait_for(one.reader.read(65536), 120):
            pass
    ended = time.perf_counter()
    one.leave()
    return ended


async def nonsense(house: House, times: int = 3) -> list[Row]:
    """JSON and text that took servers down elsewhere; the tests hold hundreds more of them."""
    said = {"role": "user", "content": "x"}
    image = {**said, "image_data": ["aGk="] * 1000}
    bodies = {
        "100,000 arrays deep": b"[" * 100_000,
        "NaN": b'{"messages": NaN}',
        "a lone surrogate": b'{"messages": [{"role": "user", "content": "\\ud800"}]}',
        "10,000 messages": json.dumps({"messages": [said] * 10_000}).encode(),
        "1,000 images": json.dumps({"messages": [image]}).encode(),
        "a million characters": json.dumps({"messages": [{**said, "content": "x" * 1_000_000}]}).encode(),
    }
    answers = [await ask(house.port, request(body)) for body in bodies.values() for _ in range(times)]
    return [
        exactly("hostile JSON: answers of 400 or 422", len(answers), sum(one.status in (400, 422) for one in answers)),
        at_most(
            f"hostile JSON: the slowest answer ({_slowest(bodies, answers, times)})",
            200,
            max(one.began for one in answers) * 1000,
            "ms",
        ),
    ]


def _slowest(bodies: dict[str, bytes], answers: list[Exchange], times: int) -> str:
    at = max(range(len(answers)), key=lambda number: answers[number].began)
    return list(bodies)[at // times]


async def pictures(house: House) -> list[Row]:
    """Bombs, loops and forgeries: the front decodes none of them itself."""
    from tests.safety import pictures as made

    before = house.front.memory_info().rss
    good = await ask(house.port, _with(made.harmless()))
    failed, slowest, worst = 0, 0.0, ""
    for name, data in [*made.refused(), *made.borne()]:
        answer = await ask(house.port, _with(data))
        failed += answer.status not in (200, 400)
        if answer.began > slowest:
            slowest, worst = answer.began, name
    grown = (house.front.memory_info().rss - before) / 1e6
    again = await ask(house.port, _with(made.harmless()))
    return [
        exactly("hostile images: neither 200 nor 400", 0, failed),
        at_most(f"hostile images: the slowest answer ({worst})", 1000, slowest * 1000, "ms"),
        at_most("hostile images: memory of the front", 50, grown, "MB"),
        exactly("hostile images: a good one before and after", 2, [good.status, again.status].count(200)),
    ]


def _with(data: bytes) -> bytes:
    given = base64.b64encode(data).decode()
    return request(json.dumps({"messages": [{"role": "user", "content": "x", "image_data": [given]}]}).encode())
