"""Only what must break does: clients leave, engines die, stop or talk nonsense, a server is ended."""

import asyncio
import itertools
import signal
import time

import psutil

from benchmarks.safety.engine import GARBAGE, SECRET
from benchmarks.safety.house import House
from benchmarks.safety.overload import SLOTS, open_files
from benchmarks.safety.rows import Row, at_most, exactly
from benchmarks.safety.wire import Exchange, address, ask, question, request

DRAIN_SECONDS = 5.0
WATCHED_SECONDS = 20.0  # three probes without an answer, two seconds apart and of three seconds each, and some

# Where a client leaves: what it has sent, and how much it has read.
MOMENTS = ("in its head", "in its body", "in the queue", "before the first word", "in the middle", "at the end")
RUNNING = ("before the first word", "in the middle")  # each of them has a slot


async def aborts(house: House, count: int = 500, batch: int = 20) -> list[Row]:
    """`house` has 8 slots; some are taken where a queue is wanted, so that leaving frees what others wait for."""
    slowest, at = 0.0, ""
    kinds = list(itertools.product(MOMENTS, (True, False), (True, False)))
    for number, (moment, stream, reset) in enumerate(kinds):
        left = count // len(kinds) + (number < count % len(kinds))
        while left:
            leaving = min(SLOTS if moment in RUNNING else batch, left)
            left -= leaving
            seconds = await _batch(house, moment, leaving, stream=stream, reset=reset)
            if seconds > slowest:
                slowest, at = seconds, f"{moment}, {'RST' if reset else 'FIN'}, stream {stream}"
    counts = house.counts()
    name = f"{count} clients that leave"
    return [
        at_most(f"{name}: slots and the engine's work given back, the slowest ({at})", 250, slowest * 1000, "ms"),
        exactly(f"{name}: answers left open in the engine", 0, counts["open"]),
        exactly(f"{name}: answers after them", 1, sum([(await ask(house.port, request(question("x")))).done])),
    ]


async def _batch(house: House, moment: str, count: int, *, stream: bool, reset: bool) -> float:
    """Seconds from their leaving until nothing of theirs is left."""
    holders = [await _holding(house, n) for n in range(SLOTS)] if moment == "in the queue" else []
    wish = "silent" if moment == "before the first word" else "hold 0.02"
    if moment == "at the end":
        wish = "x"
    data = request(question(wish, stream=stream))
    if moment == "in its head":
        data = data[:40]
    elif moment == "in its body":
        data = data[:-5]
    leaving = [await Exchange.begin(house.port, data, address(100 + n)) for n in range(count)]
    for one in leaving:
        if moment == "in the queue" or moment == "in the middle":
            if stream:
                await one.head()
                await one.frame()
        elif moment == "at the end" and await one.head() == 200 and stream:
            while "finish_reason" not in (await one.frame() or {"finish_reason": None}):
                pass
    if moment == "in the queue":
        await house.until(lambda: house.health()["queue"]["waiting"] == count)
    elif moment in RUNNING:
        await house.until(lambda: house.counts()["open"] == count)
    for one in leaving:
        one.leave(reset=reset)
    if moment == "in the queue":
        gone = await house.until(lambda: house.health()["queue"]["waiting"] == 0)
        await asyncio.to_thread(house.release)
        await asyncio.gather(*(one.rest() for one in holders))
        await house.until(house.idle)
        return gone
    return await house.until(house.idle)


async def _holding(house: House, number: int) -> Exchange:
    begun = await Exchange.begin(house.port, request(question("hold 0.05")), address(number))
    assert await begun.head() == 200
    await begun.until_token()
    return begun


async def kills(house: House, times: int = 20, count: int = 20) -> list[Row]:
    slowest, told, orphans, files = 0.0, 0, 0, []
    for _ in range(times):
        held = [await _holding(house, n) for n in range(count)]
        engine = house.engine
        reading = [asyncio.create_task(_ended(one)) for one in held]
        started = time.perf_counter()
        engine.kill()
        ended = await asyncio.gather(*reading)
        slowest = max(slowest, max(ended) - started)
        told += sum(one.done and one.code == "engine_lost" for one in held)
        await house.until(lambda dead=engine.pid: house.ready() and house.engine.pid != dead)
        orphans += engine.is_running() and engine.status() != psutil.STATUS_ZOMBIE
        answered = await ask(house.port, request(question("x")))
        assert answered.done and answered.code is None, "it did not recover"
        await house.until(house.idle)
        files.append(open_files(house.front))
    name = f"{times} times kill -9 with {count} streams"
    return [
        exactly(f"{name}: streams that were told engine_lost", times * count, told),
        at_most(f"{name}: the slowest of them", 2, slowest, "s"),
        exactly(f"{name}: engines left behind", 0, orphans),
        at_most(f"{name}: open files more than after the first", 5, files[-1] - files[0], "files"),
        exactly(f"{name}: times it recovered", times, house.health()["engine"]["restarts"]),
    ]


async def _ended(one: Exchange) -> float:
    await one.rest()
    return time.perf_counter()


async def stopped(house: House, count: int = 5) -> list[Row]:
    """SIGSTOP: the engine is there and says nothing any more."""
    held = [await _holding(house, n) for n in range(count)]
    engine = house.engine
    reading = [asyncio.create_task(_ended(one)) for one in held]
    started = time.perf_counter()
    engine.send_signal(signal.SIGSTOP)
    slowest_page = 0.0
    while not all(task.done() for task in reading):
        page = await ask(house.port, request(b"", path="/api/health", method="GET"))
        assert page.status == 200
        slowest_page = max(slowest_page, page.began)
        assert time.perf_counter() - started < 3 * WATCHED_SECONDS, "its streams never end"
        await asyncio.sleep(0.1)
    ended = time.perf_counter() - started
    await house.until(lambda: house.ready() and house.engine.pid != engine.pid)
    return [
        exactly("engine stopped: streams told engine_lost", count, sum(one.code == "engine_lost" for one in held)),
        at_most("engine stopped: until they are told", WATCHED_SECONDS, ended, "s"),
        at_most("engine stopped: the page's slowest answer meanwhile", 250, slowest_page * 1000, "ms"),
        exactly("engine stopped: left behind", 0, int(engine.is_running() and engine.status() != "zombie")),
    ]


async def garbage(house: House) -> list[Row]:
    """One answer is spoiled, another beside it is not."""
    beside = await _holding(house, 0)
    reading = asyncio.create_task(beside.rest())
    kinds = len(GARBAGE) + 1
    answers = [await ask(house.port, request(question(f"garbage {n}")), address(1 + n)) for n in range(kinds)]
    whole = [
        await ask(house.port, request(question(f"garbage {n}", stream=False)), address(1 + n)) for n in range(kinds)
    ]
    memory = await ask(house.port, request(question("fail 507 out_of_memory")), address(99))
    await asyncio.to_thread(house.release)
    await reading
    # One kind is an error in the engine's own words: that is told, unless the broken wire behind it is met first.
    lost = {"engine_lost", "internal"}
    told = sum((one.done or one.status in (500, 503)) and one.code in lost for one in answers)
    said = str([one.frames for one in answers]) + str([one.body for one in whole]) + house.log
    return [
        exactly(f"{kinds} kinds of garbage on the engine's wire: answers that end and say so", kinds, told),
        exactly("garbage: whole answers that are refused", kinds, sum(one.status in (500, 503) for one in whole)),
        exactly("garbage: what it said shows in answers or log", 0, said.count(SECRET)),
        exactly("garbage: the stream beside it is whole", 1, int(beside.done and beside.code is None)),
        exactly("garbage: engines started again", 0, house.health()["engine"]["restarts"]),
        exactly("out of memory: the status", 507, memory.status),
    ]


async def drain(house: House, count: int = 20) -> list[Row]:
    """SIGTERM with live streams, some of them with a reader who has gone to sleep."""
    held = [await _holding(house, n) for n in range(count)]
    asleep = await Exchange.begin(house.port, request(question("gush 16000", loop_guard=0)), address(99), window=4096)
    asleep.writer.transport.pause_reading()
    await house.until(lambda: house.counts()["open"] == count + 1)
    reading = [asyncio.create_task(one.rest()) for one in held]
    children = house.front.children(recursive=True)
    started = time.perf_counter()
    house.front.send_signal(signal.SIGTERM)
    off = await _not_ready(house)
    await asyncio.gather(*reading)
    code = await asyncio.to_thread(house.front.wait, 30)
    gone = time.perf_counter() - started
    _, alive = psutil.wait_procs(children, timeout=3)
    asleep.leave(reset=True)
    return [
        exactly(f"SIGTERM with {count} streams: ended with [DONE]", count, sum(one.done for one in held)),
        at_most("SIGTERM: not ready any more after", 250, off * 1000, "ms"),
        at_most("SIGTERM: gone after", DRAIN_SECONDS + 1, gone, "s"),
        exactly("SIGTERM: exit code", 0, code),
        exactly("SIGTERM: processes left behind", 0, len(alive)),
    ]


async def _not_ready(house: House) -> float:
    started = time.perf_counter()
    while time.perf_counter() - started < 10:
        try:
            if (await ask(house.port, request(b"", path="/readyz", method="GET"))).status != 200:
                break
        except OSError:  # nobody is let in any more
            break
        await asyncio.sleep(0.005)
    return time.perf_counter() - started
