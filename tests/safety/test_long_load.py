"""Ten minutes of mixed load, at a rate that leaves the machine to the tests beside it: nothing fails, nothing is kept.

`python -m benchmarks safety --only mixed --minutes 120` is the same for two hours and at more of a rate.
"""

import asyncio
import os
import sys

import pytest

from benchmarks.safety import mixed
from benchmarks.safety.house import House
from benchmarks.safety.rows import table

MINUTES = float(os.environ.get("MEDSERVER_TEST_LOAD_MINUTES") or 10)
RATE = 20.0  # a tenth of a processor's time

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="local addresses as POSIX has them")


def test_a_long_mixed_load_meets_no_failure_and_leaves_memory_as_it_was():
    load = mixed.MixedLoad(MINUTES, RATE)
    with House(*mixed.USUAL, slots=mixed.SLOTS) as house:
        rows = asyncio.run(asyncio.wait_for(load.play(house), MINUTES * 60 + 600))
    assert all(row.held for row in rows), "\n" + table(rows)
