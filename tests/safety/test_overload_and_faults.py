"""The scenarios of `python -m benchmarks safety`, small: what is counted must be exact, times have room.

The figures themselves, on a machine that does nothing else, are that command's matter.
"""

import asyncio
import sys

import pytest

from benchmarks.safety import faults, overload
from benchmarks.safety.house import UNLIMITED, House
from benchmarks.safety.rows import Row, table

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and local addresses as POSIX has them")


def counted(scene) -> None:
    """Play it; every row that counts must hold."""
    rows: list[Row] = asyncio.run(asyncio.wait_for(scene, 300))
    missed = [one for one in rows if not one.held and not one.demanded.startswith(("≤", "≥"))]
    assert not missed, "\n" + table(rows)


@pytest.fixture(scope="module")
def house():
    with House(*UNLIMITED, slots=overload.SLOTS) as found:
        yield found


def test_a_crowd_is_served_as_far_as_there_is_room_and_the_rest_told_when_to_come_back(house):
    counted(overload.crowd(house, asks=60, seconds=0.3))


def test_every_stream_is_word_for_word_what_the_engine_said(house):
    counted(overload.streams(house, count=8, rate=50, seconds=1))


def test_clients_that_leave_at_any_moment_leave_nothing_behind(house):
    counted(faults.aborts(house, count=48, batch=2))


def test_nonsense_on_the_engines_wire_fails_that_answer_alone(house):
    counted(faults.garbage(house))


def test_a_killed_engine_is_told_to_every_stream_and_comes_back(house):
    counted(faults.kills(house, times=2, count=5))


def test_a_server_that_is_ended_lets_its_streams_go_and_leaves_nothing():
    with House(*UNLIMITED, slots=32) as house:
        counted(faults.drain(house, count=6))
