"""Which engine runs where: the table of machines, and the arithmetic of what fits."""

from dataclasses import replace

import pytest

from medserver.config import Settings
from medserver.engine.fit import need
from medserver.engine.select import Selection, select
from medserver.hardware import Gpu, Hardware, Interpreter
from medserver.models import VARIANTS
from medserver.weights import serving_for

GIB = 2**30
OURS = Interpreter("/ours/python", (3, 11), frozenset({"torch", "transformers", "bitsandbytes"}))
SGLANG = Interpreter("/sglang/python", (3, 11), frozenset({"torch", "sglang"}))
VLLM = Interpreter("/vllm/python", (3, 11), frozenset({"torch", "vllm"}))
CPU = Hardware(glibc=(2, 35), cuda_driver=None, ram_total=64 * GIB, ram_available=60 * GIB, interpreters=(OURS,))


def card(name: str, capability: tuple[int, int], gib: float) -> Gpu:
    return Gpu(name, capability, int(gib * GIB), 0)


def machine(*gpus: Gpu, **changes) -> Hardware:
    """A Linux server of today with SGLang in an environment of its own."""
    return replace(CPU, **{"gpus": gpus, "cuda_driver": (13, 0), "interpreters": (OURS, SGLANG, VLLM)} | changes)


H100 = card("H100", (9, 0), 80)
A100, A6000, L4, B200, RTX5090 = (
    card("A100", (8, 0), 80),
    card("A6000", (8, 6), 48),
    card("L4", (8, 9), 24),
    card("B200", (10, 0), 180),
    card("RTX 5090", (12, 0), 32),
)
T4, V100 = card("T4", (7, 5), 16), card("V100", (7, 0), 32)


def chosen(hardware: Hardware, **settings) -> Selection:
    settings = Settings(**{"model": "4"} | settings)
    return select(settings, serving_for(settings), hardware)


def names(selection: Selection) -> list[str]:
    return [one.name for one in selection.candidates]


def why_not(selection: Selection, name: str) -> str:
    [reason] = [one.why for one in selection.passed_over if one.name == name]
    return reason


@pytest.mark.parametrize("gpu", [A100, A6000, L4, H100, B200, RTX5090], ids=lambda gpu: gpu.name)
def test_a_modern_card_runs_sglang_with_transformers_behind_it(gpu):
    selection = chosen(machine(gpu))
    assert names(selection) == ["sglang", "transformers"] and not selection.passed_over
    assert "/sglang/python" in selection.candidates[0].why
    without = chosen(machine(gpu, interpreters=(OURS, VLLM)))
    assert names(without) == ["transformers"]
    assert "not installed" in why_not(without, "sglang") and "--engine-python" in why_not(without, "sglang")


@pytest.mark.parametrize(
    ("hardware", "settings", "reason"),
    [
        (machine(V100), {}, "7.0"),
        (machine(T4), {"quantize": True}, "4-bit"),
        (machine(V100, platform="win32", glibc=None), {}, "Linux"),
        (replace(CPU, platform="darwin", machine="arm64", glibc=None), {}, "Linux"),
        (CPU, {}, "no"),
        (machine(H100), {"force_transformers": True}, "--force-transformers"),
        (machine(H100), {"force_transformers": True, "engine": "sglang"}, "--force-transformers"),
        (machine(H100), {"quantize": True}, "-q"),
        (machine(card("Orin", (8, 7), 64)), {}, "8.7"),
        (machine(H100, cuda_driver=(12, 8)), {}, "CUDA 13.0"),
        (machine(H100, glibc=(2, 31)), {}, "glibc 2.34"),
        (machine(H100, glibc=None), {}, "another C library"),
        (machine(H100, interpreters=(OURS, replace(SGLANG, version=(3, 10)))), {}, "Python 3.11"),
        (machine(H100, T4), {}, "7.5"),
    ],
)
def test_transformers_runs_where_sglang_cannot_and_the_reason_is_said(hardware, settings, reason):
    selection = chosen(hardware, **settings)
    assert names(selection) == ["transformers"]
    assert reason in why_not(selection, "sglang")


def test_several_gpus_take_what_one_does_not():
    one = chosen(machine(H100), model="27", max_model_len=65536)
    assert "sglang" not in names(one)
    two = chosen(machine(H100, H100), model="27", max_model_len=65536)
    assert "--tensor-parallel 2 would make it fit" in why_not(two, "sglang")
    assert names(two) == ["transformers"], "it spreads its layers by itself"
    assert names(chosen(machine(H100, H100), model="27", max_model_len=65536, tensor_parallel=2))[0] == "sglang"
    assert "4 GPUs" in why_not(chosen(machine(H100, H100), tensor_parallel=4), "sglang")


@pytest.mark.parametrize(
    ("hardware", "settings", "flag"),
    [
        (machine(L4), {"model": "27"}, "-q"),
        (machine(T4), {}, "-q"),  # float32 below compute capability 8.0 is 17 GB
        (replace(CPU, ram_available=12 * GIB), {}, "-q"),
        (machine(card("8 GB", (8, 6), 8)), {"quantize": True, "max_model_len": 32768}, "--max-model-len 4096"),
        (machine(card("8 GB", (8, 6), 8)), {"model": "27", "quantize": True}, "-m 4"),
        (machine(card("2 GB", (8, 6), 2)), {"quantize": True}, "-m demo"),
    ],
)
def test_too_little_memory_is_refused_with_the_flag_that_would_help(hardware, settings, flag):
    selection = chosen(hardware, **settings)
    assert names(selection) == []
    assert flag in why_not(selection, "transformers") and flag in selection.refusal()


def test_a_cpu_that_multiplies_bfloat16_needs_half_the_memory():
    small = replace(CPU, ram_available=13 * 10**9)
    assert names(chosen(small)) == [] and "weights 17." in why_not(chosen(small), "transformers")
    assert names(chosen(replace(small, cpu_bfloat16=True))) == ["transformers"]


def test_an_engine_that_was_asked_for_is_tried_although_it_may_not_fit():
    assert names(chosen(machine(T4), engine="transformers")) == ["transformers"]
    assert names(chosen(replace(CPU, interpreters=(OURS, SGLANG)), engine="sglang")) == ["sglang", "transformers"]
    assert names(chosen(machine(H100), engine="vllm")) == ["vllm", "transformers"]
    assert names(chosen(CPU, engine="vllm")) == ["transformers"], "what is not installed cannot be tried"


def test_the_demo_runs_anywhere():
    assert names(chosen(replace(CPU, ram_available=GIB // 8), model="demo")) == ["transformers"]


def test_four_bits_need_their_package():
    bare = replace(OURS, packages=OURS.packages - {"bitsandbytes"})
    assert "bitsandbytes" in why_not(chosen(machine(T4, interpreters=(bare,)), quantize=True), "transformers")


def test_the_arithmetic_is_that_of_the_releases():
    four, twenty_seven = VARIANTS["4"].sizes, VARIANTS["27"].sizes
    assert (four.kv_per_token(), twenty_seven.kv_per_token()) == (136 * 1024, 496 * 1024)
    wants = need(four, context=8192, images=True, bytes_per_weight=2)
    assert (wants.weights, wants.kv_cache) == (8_600_000_000, 8192 * 136 * 1024)
    assert wants.total == wants.weights + wants.kv_cache + wants.working
    single = need(four, context=8192, images=True, bytes_per_weight=4)
    assert (single.weights, single.kv_cache) == (2 * wants.weights, 2 * wants.kv_cache)
    assert need(four, context=1, images=True, bytes_per_weight=0.5).weights == 3_900_000_000
