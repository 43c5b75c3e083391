"""How SGLang and vLLM are started: pure tables of settings and machines against command lines."""

import json

import pytest

from medserver.config import Settings
from medserver.engine.base import Serving
from medserver.engine.sglang import arguments as sglang_arguments
from medserver.engine.sglang import sglang_row
from medserver.engine.vllm import arguments as vllm_arguments
from medserver.engine.vllm import vllm_row
from medserver.hardware import Gpu, Hardware, Interpreter
from medserver.models import VARIANTS

H100 = Gpu("NVIDIA H100", (9, 0), 80_000_000_000, 0)
THERE = Interpreter("/opt/engine/bin/python", (3, 11), frozenset({"sglang", "vllm"}))
WITH_GPUS = Hardware(gpus=(H100, H100), interpreters=(THERE,))
WITHOUT = Hardware(ram_available=20 * 2**30, interpreters=(THERE,))
ARGUMENTS = {"sglang": sglang_arguments, "vllm": vllm_arguments}
ROWS = {"sglang": sglang_row, "vllm": vllm_row}


def serving(model: str = "4") -> Serving:
    variant = VARIANTS[model]
    return Serving(variant, variant.hub_id, variant.supports_images, 896, 256)


def line(name: str, hardware: Hardware = WITH_GPUS, model: str = "4", **settings) -> str:
    return " ".join(ARGUMENTS[name](Settings(model=model, **settings), serving(model), hardware)) + " "


@pytest.mark.parametrize("name", ARGUMENTS)
def test_both_are_bound_to_loopback_with_their_own_interpreter_and_our_limits(name):
    words = line(name, max_model_len=4096, gpu_memory_utilization=0.8)
    assert words.startswith("/opt/engine/bin/python -m ") and "--host 127.0.0.1 --port {port} " in words
    assert "google/medgemma-1.5-4b-it" in words and " 4096 " in words and " 0.8 " in words


@pytest.mark.parametrize(("name", "expected"), [("sglang", "--tp 2"), ("vllm", "--tensor-parallel-size 2")])
def test_gpus_that_share_a_model_are_passed_on(name, expected):
    assert expected in line(name, tensor_parallel=2) and expected not in line(name)


@pytest.mark.parametrize(("name", "expected"), [("sglang", "--dp 2"), ("vllm", "--data-parallel-size 2")])
def test_copies_are_passed_on(name, expected):
    assert expected in line(name, data_parallel=2) and expected not in line(name)


def test_image_models_get_what_lets_image_tokens_see_each_other():
    words = line("sglang")
    assert "--enable-multimodal " in words and "--attention-backend triton --chunked-prefill-size -1 " in words
    text = line("sglang", model="27t")
    assert "--enable-multimodal" not in text and "--attention-backend" not in text and "--chunked" not in text


def test_vllm_allows_as_many_images_as_the_context_holds():
    argv = vllm_arguments(Settings(model="4", max_model_len=8192), serving(), WITH_GPUS)
    assert json.loads(argv[argv.index("--limit-mm-per-prompt") + 1]) == {"image": 32}
    assert "--limit-mm-per-prompt" not in line("vllm", model="27t")
    assert "--async-scheduling " in line("vllm")


def test_no_word_of_a_request_is_logged_and_an_answer_can_be_ended_by_its_id():
    assert "--no-enable-log-requests --disable-uvicorn-access-log " in line("vllm")
    assert "--enable-scale-out " in line("vllm"), "else its way to end an answer by id is shut"
    assert "--log-level warning " in line("sglang") and "--log-requests" not in line("sglang")


@pytest.mark.parametrize("name", ROWS)
def test_an_answer_that_does_not_begin_is_waited_for_longest_where_there_is_no_gpu(name):
    first = {gpus: ROWS[name](Settings(model="4"), serving(), gpus).patience.first for gpus in (WITH_GPUS, WITHOUT)}
    assert 60 < first[WITH_GPUS] < first[WITHOUT]


def test_without_a_gpu_they_run_on_the_cpu():
    assert "--device cpu --attention-backend torch_native" in line("sglang", WITHOUT)
    assert "--mem-fraction-static" not in line("sglang", WITHOUT)
    assert "--enforce-eager " in line("vllm", WITHOUT) and "--async-scheduling" not in line("vllm", WITHOUT)


@pytest.mark.parametrize("name", ROWS)
def test_the_key_is_new_each_time_and_on_no_command_line(name):
    launch = ROWS[name](Settings(model="4"), serving(), WITH_GPUS).launch
    first, second = launch(), launch()
    assert first.secret != second.secret and first.secret not in " ".join(first.argv)
    orders = json.loads(first.first_line)
    assert first.secret not in " ".join(orders["argv"])
    assert first.secret in json.dumps([orders["env"], orders["file"]])
    assert first.secret not in repr(first)


@pytest.mark.parametrize("name", ROWS)
def test_no_telemetry_and_nothing_is_asked_of_the_hub(name):
    launch = ROWS[name](Settings(model="4", hf_token="hf_x"), serving(), WITH_GPUS).launch()
    told = json.loads(launch.first_line)["env"]
    assert told["HF_HUB_OFFLINE"] == "1" and told["DO_NOT_TRACK"] == "1"
    assert b"hf_x" not in launch.first_line


def test_they_are_taken_to_answer_more_at_a_time_than_our_own():
    described = sglang_row(Settings(model="4"), serving(), WITH_GPUS).describe({"id": "x", "max_model_len": 4096})
    assert described.slots > 8 and described.max_model_len == 4096 and described.supports_images
