"""Every scenario at its full size, one after the other, each before a house of its own: rows for one table."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from benchmarks.safety import faults, hostile, mixed, openapi, overload
from benchmarks.safety.house import STRICT, UNLIMITED, House
from benchmarks.safety.rows import Row, table

CASES = 3000


@dataclass(frozen=True, slots=True)
class Scenario:
    """`play` is a coroutine function, or a function for what is a program of its own.

    `seen`: rows of what one that was broken off has seen until then.
    """

    name: str
    play: Callable
    flags: tuple[str, ...] = UNLIMITED
    slots: int = overload.SLOTS
    seen: Callable[[], list[Row]] = list

    def rows(self) -> list[Row]:
        with House(*self.flags, slots=self.slots) as house:
            if asyncio.iscoroutinefunction(getattr(self.play, "func", self.play)):
                return asyncio.run(self.play(house))
            return self.play(house)


def scenarios(minutes: float, say: Callable[[str], None]) -> list[Scenario]:
    load = mixed.MixedLoad(minutes, say=say)
    return [
        Scenario("crowd", overload.crowd, STRICT),
        Scenario("streams", overload.streams, slots=128),
        Scenario("idle", overload.idle, slots=1024),
        Scenario("slow", overload.slow_readers, slots=64),
        Scenario("aborts", faults.aborts),
        Scenario("kills", faults.kills, slots=32),
        Scenario("stopped", faults.stopped),
        Scenario("garbage", faults.garbage),
        Scenario("drain", faults.drain, slots=32),
        Scenario("floods", hostile.floods),
        Scenario("half", hostile.half_sent),
        Scenario("json", hostile.nonsense),
        Scenario("images", hostile.pictures),
        Scenario("openapi", partial(openapi.cases, examples=CASES * 3 // 5, atleast=CASES), (*UNLIMITED, "--docs")),
        Scenario("mixed", load.play, mixed.USUAL, mixed.SLOTS, load.rows),
    ]


def run(minutes: float, only: list[str], say: Callable[[str], None]) -> bool:
    """Say the table as it grows and once more as a whole, also when it is interrupted; whether everything held."""
    wanted = [one for one in scenarios(minutes, say) if not only or one.name in only]
    rows = list(_rows(wanted, say))
    say(table(rows))
    return all(row.held for row in rows)


def _rows(wanted: list[Scenario], say: Callable[[str], None]) -> Iterator[Row]:
    for scenario in wanted:
        interrupted = False
        try:
            found = scenario.rows()
        except Exception as problem:  # the others are still worth knowing
            found = [*scenario.seen(), _broken_off(scenario, f"{type(problem).__name__}: {problem}")]
        except (KeyboardInterrupt, SystemExit):
            interrupted = True
            found = [*scenario.seen(), _broken_off(scenario, "interrupted")]
        for row in found:
            say(f"{'held  ' if row.held else 'MISSED'} {row.what}: {row.seen} ({row.demanded})")
        yield from found
        if interrupted:
            return


def _broken_off(scenario: Scenario, why: str) -> Row:
    return Row(scenario.name, "to be played", why, False)
