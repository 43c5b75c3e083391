"""Only what must break does: clients leave, engines die, stop or talk nonsense, a server is ended, a load goes on."""

import asyncio
import json
import signal
import time
from statistics import median

import psutil

from benchmarks.safety.engine import GARBAGE, SECRET
from benchmarks.safety.house import House
from benchmarks.safety.overload import SLOTS, open_files
from benchmarks.safety.rows import Row, at_least, at_most, exactly
from benchmarks.safety.wire import Exchange, address, ask, question, request
from benchmarks.workload import image_url

DRAIN_SECONDS = 5.0
WATCHED_SECONDS = 20.0  # three probes without an answer, two seconds apart and of three seconds each, and some

# Where a client leaves: what it has sent, and how much it has read.
MOMENTS = ("in its head", "in its body", "in the queue", "before the first word", "in the middle", "at the end")


async def aborts(house: House, count: int = 500, batch: int = 20) -> list[Row]:
    """`house` has 8 slots; some are taken where a queue is wanted, so that leaving frees what others wait for."""
    slowest, at = 0.0, ""
    per_kind = max(1, count // (len(MOMENTS) * 4))
    made = 0
    for moment in MOMENTS:
        for stream in (True, False):
            for reset in (True, False):
                for begin in range(0, per_kind, batch):
                    number = min(batch, per_kind - begin)
                    seconds = await _batch(house, moment, number, stream=stream, reset=reset)
                    made += number
                    if seconds > slowest:
                        slowest, at = seconds, f"{moment}, {'RST' if reset else 'FIN'}, stream {stream}"
    counts = house.counts()
    name = f"{made} clients that leave"
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
    count = count if moment in ("in its head", "in its body", "in the queue", "at the end") else min(count, SLOTS)
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
    elif moment in ("before the first word", "in the middle"):
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


async def mixed(house: House, minutes: float = 10.0) -> list[Row]:
    """Answers, images, refusals and clients that leave, for a while: memory, and what nobody expected."""
    ends = time.monotonic() + minutes * 60
    statuses: dict[int, int] = {}
    memory: list[tuple[float, int]] = []

    async def client(number: int) -> None:
        kinds = [
            request(question("say 40 every 0.01")),
            request(question("x", stream=False)),
            request(_with_image(image_url(number))),
            request(_with_image("data:image/png;base64,aGVsbG8=")),
            request(b"{"),
            request(question("x", temperature=9)),
            request(b"", path="/api/health", method="GET"),
            request(b"", path="/", method="GET"),
            None,
        ]
        turn = number
        while time.monotonic() < ends:
            data = kinds[turn % len(kinds)]
            turn += 1
            if data is None:
                leaving = await Exchange.begin(house.port, request(question("hold 0.02")), address(number))
                await leaving.head()
                await leaving.frame()
                leaving.leave(reset=bool(turn % 2))
                continue
            answer = await ask(house.port, data, address(number))
            statuses[answer.status] = statuses.get(answer.status, 0) + 1

    async def watch() -> None:
        while time.monotonic() < ends:
            memory.append((time.monotonic(), _memory(house)))
            await asyncio.sleep(0.5)

    await asyncio.gather(watch(), *(client(number) for number in range(16)))
    await house.until(house.idle)
    fifth = len(memory) // 5
    early, late = (median(size for _, size in part) for part in (memory[fifth : 2 * fifth], memory[-fifth:]))
    unexpected = sum(count for status, count in statuses.items() if status == 0 or status >= 500)
    name = f"mixed load for {minutes:g} minutes"
    return [
        at_least(f"{name}: requests", 1, sum(statuses.values()), "requests"),
        exactly(f"{name}: 5xx and broken connections", 0, unexpected),
        at_most(f"{name}: memory of front and decoders grown after warm-up", 20, (late - early) / 1e6, "MB"),
    ]


def _with_image(url: str) -> bytes:
    return json.dumps({"messages": [{"role": "user", "content": "x", "image_data": [url]}], "max_tokens": 9}).encode()


def _memory(house: House) -> int:
    """Of the front and what it started, but for the scripted engine, which is not ours to ship."""
    engine = house.engine.pid
    return sum(one.memory_info().rss for one in house.tree.processes() if one.pid != engine)
