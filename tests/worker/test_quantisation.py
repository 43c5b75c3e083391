"""What -q means on each kind of machine."""

import pytest

from medserver.worker.quantisation import BITSANDBYTES, MODES, ROOM, TORCHAO, choose

GB = 10**9
BOTH = (BITSANDBYTES, TORCHAO)


@pytest.mark.parametrize(
    ("capability", "bfloat16", "weights", "free", "packages", "mode"),
    [
        ((8, 0), True, 55 * GB, 79 * GB, BOTH, "int4"),
        ((8, 9), True, 55 * GB, 23 * GB, BOTH, "nf4"),  # nothing fits: the smallest is tried, and says so itself
        ((8, 9), True, 9 * GB, 23 * GB, BOTH, "int4"),
        ((8, 0), True, 55 * GB, 39 * GB, (BITSANDBYTES,), "nf4"),  # bfloat16 does not fit
        ((8, 0), True, 55 * GB, 79 * GB, (BITSANDBYTES,), None),  # bfloat16 fits and NF4 is slower
        ((9, 0), True, 9 * GB, 79 * GB, (), None),
        ((7, 5), False, 9 * GB, 15 * GB, BOTH, "nf4"),  # no bfloat16 and no int4 kernels
        (None, False, 9 * GB, 15 * GB, BOTH, "nf4"),
        (None, True, 9 * GB, 15 * GB, BOTH, None),  # a CPU that multiplies it
        (None, True, 9 * GB, 10 * GB, BOTH, "nf4"),
        (None, False, 9 * GB, 2 * GB, (), "nf4"),
    ],
)
def test_the_mode_follows_the_card_the_memory_and_what_is_installed(
    capability, bfloat16, weights, free, packages, mode
):
    choice = choose(capability=capability, bfloat16=bfloat16, weights=weights, free=free, packages=packages)
    assert choice.mode == mode and choice.why


def test_a_slower_mode_is_never_taken_where_bfloat16_fits():
    slower = {mode.name for mode in MODES if mode.speed <= 1}
    for free in range(1, 200):
        for packages in ((), (TORCHAO,), (BITSANDBYTES,), BOTH):
            choice = choose(capability=(8, 0), bfloat16=True, weights=55 * GB, free=free * GB, packages=packages)
            if free * ROOM >= 55:
                assert choice.mode not in slower
