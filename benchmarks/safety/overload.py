"""Too many at once: who is let in, who is sent away and how fast, what those feel who are already served."""

import asyncio

import psutil

from benchmarks.figures import quantile
from benchmarks.safety.house import House
from benchmarks.safety.rows import Row, at_most, exactly
from benchmarks.safety.rush import Asked
from benchmarks.safety.wire import Exchange, address, ask, question, request
from benchmarks.tree import cpu_seconds_of

SLOTS, QUEUE = 8, 32


async def crowd(house: House, asks: int = 400, seconds: float = 1.0) -> list[Row]:
    """`asks` clients within a second, where 8 answers run and 32 wait; the running ones go on until all have come."""
    held = [await Asked.begin(house.port, _once("hold 0.05"), address(number)) for number in range(SLOTS)]
    await house.until(lambda: all(one.gaps for one in held))
    await asyncio.sleep(3 * seconds)
    already = [one.gaps for one in held]

    async def late(number: int) -> Asked:
        await asyncio.sleep(number / (asks - SLOTS) * seconds)
        begun = await Asked.begin(house.port, data, address(SLOTS + number))
        await begun.begun.wait()
        return begun

    data, cpu = _once("say 3 every 0.01"), cpu_seconds_of(house.front)
    begun = await asyncio.gather(*(late(number) for number in range(asks - SLOTS)))
    cpu = cpu_seconds_of(house.front) - cpu
    calm = [gap for gaps in already for gap in gaps]
    busy = [gap for one, gaps in zip(held, already, strict=True) for gap in one.gaps[len(gaps) :]]
    await asyncio.to_thread(house.release)
    answers = [*held, *begun]
    await asyncio.gather(*(one.ended.wait() for one in answers))
    refused = [one for one in answers if one.status in (429, 503)]
    added = (quantile(busy, 0.99) - quantile(calm, 0.99)) * 1000
    name = f"{asks} requests in {seconds:g} s before {SLOTS} slots and {QUEUE} places"
    return [
        exactly(f"{name}: answers that came to their end", SLOTS + QUEUE, sum(one.whole for one in answers)),
        exactly(
            f"{name}: refused with an integer Retry-After",
            asks - SLOTS - QUEUE,
            sum(one.retry_after.isdigit() for one in refused),
        ),
        at_most(f"{name}: refusals decided, p99", 100, quantile([one.began for one in refused], 0.99) * 1000, "ms"),
        at_most(f"{name}: added to the running streams' p99", 25, added, "ms"),
        at_most(f"{name}: CPU of the front for each", 2.5, cpu / (asks - SLOTS) * 1000, "ms"),
    ]


def _once(text: str) -> bytes:
    return request(question(text), "Connection: close")


async def streams(house: House, count: int = 100, rate: float = 20.0, seconds: float = 30.0) -> list[Row]:
    """Nothing lost, nothing twice, nothing out of order."""
    words = int(rate * seconds)
    data = request(question(f"say {words} every {1 / rate}", max_tokens=8000))
    answers = await asyncio.gather(*(ask(house.port, data, address(number)) for number in range(count)))
    expected = "".join(f"{number} " for number in range(words))
    name = f"{count} streams of {rate:g} words a second for {seconds:g} s"
    return [
        exactly(f"{name}: word for word as the engine said them", count, sum(one.text == expected for one in answers)),
        at_most(
            f"{name}: p99 between two words", 1000, quantile([g for a in answers for g in a.gaps], 0.99) * 1e3, "ms"
        ),
    ]


async def idle(house: House, count: int = 1000, bound: float = 150.0) -> list[Row]:
    """Streams on which hardly anything comes; the process began with the usual limit of open files."""
    first = [await _held(house, number) for number in range(10)]  # what the first ones cost is there only once
    before = house.front.memory_info().rss
    held = []
    for begin in range(10, count, 50):
        held += await asyncio.gather(*(_held(house, number) for number in range(begin, min(begin + 50, count))))
    grown = (house.front.memory_info().rss - before) / 1e6
    active = house.health()["queue"]["active"]
    for one in (*first, *held):
        one.leave()
    await house.until(house.idle)
    name = f"{count} streams held open"
    return [exactly(f"{name}: that run", count, active), at_most(f"{name}: memory of the front", bound, grown, "MB")]


async def _held(house: House, number: int) -> Exchange:
    begun = await Exchange.begin(house.port, request(question("hold 10")), address(number))
    assert await begun.head() == 200
    await begun.until_token()
    return begun


async def slow_readers(house: House, count: int = 16, seconds: float = 30.0) -> list[Row]:
    """Answers of 16 MB for clients that read nothing, beside one that reads: memory, and how long they are kept."""
    await ask(house.port, _gush(300))  # what the first one costs is there only once
    before = house.front.memory_info().rss
    beside = await Exchange.begin(house.port, request(question("hold 0.05")), address(0))
    await beside.head()
    reading = asyncio.create_task(beside.rest())
    held = [await Exchange.begin(house.port, _gush(16_000), address(1 + n), window=4096) for n in range(count)]
    for one in held:
        one.writer.transport.pause_reading()
    await house.until(lambda: house.counts()["open"] == count + 1)
    most, started = 0, asyncio.get_running_loop().time()
    while house.health()["queue"]["active"] > 1:
        most = max(most, house.front.memory_info().rss - before)
        assert asyncio.get_running_loop().time() - started < 3 * seconds, "slow readers are never dropped"
        await asyncio.sleep(0.1)
    dropped = asyncio.get_running_loop().time() - started
    await asyncio.to_thread(house.release)
    await reading
    for one in held:
        one.leave(reset=True)
    await house.until(house.idle)
    name = f"{count} slow readers"
    return [
        at_most(f"{name}: buffered for each", 256, most / count / 1024, "KiB"),
        at_most(f"{name}: all dropped after", seconds + 10, dropped, "s"),
        at_most(f"{name}: longest pause of the stream beside them", 500, max(beside.gaps) * 1000, "ms"),
    ]


def _gush(words: int) -> bytes:
    return request(question(f"gush {words}", max_tokens=8000, loop_guard=0))


def open_files(process: psutil.Process) -> int:
    return process.num_fds()
