"""Starting, stopping, dying: the front, the engine and the decoders as processes."""

import json
import os
import signal
import time

import httpx
import psutil
import pytest

from medserver import cpu
from medserver.weights import DEMO
from tests.serving import Running, long_question


def demo(checkpoint, *more: str) -> Running:
    return Running("-m", "demo", "--model-path", str(checkpoint), "--rate-limit", "1000/minute", *more)


def gone_within(seconds: float, processes: list[psutil.Process]) -> bool:
    _, alive = psutil.wait_procs(processes, timeout=seconds)
    return not alive


def wait_for(condition, seconds: float) -> float:
    """Seconds until `condition()`; fails the test when it does not come true."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < seconds, f"not within {seconds} s"
        time.sleep(0.01)
    return time.monotonic() - started


def test_health_and_page_answer_long_before_the_model_is_there(multimodal_checkpoint):
    with demo(multimodal_checkpoint) as running:
        stages = []

        def seen(health) -> bool:
            if health["loading"]:
                stages.append(health["loading"]["stage"])
            return health["status"] == "ready"

        first = running.until(lambda health: True)
        assert first["status"] == "loading" and first["engine"]["state"] in ("starting", "loading")
        assert running.client.get("/").status_code == 200
        refused = running.chat()
        assert (refused.status_code, refused.json()["code"]) == (503, "loading")
        assert int(refused.headers["retry-after"]) > 0
        running.until(seen)
        assert "libraries" in stages, "loading is told stage by stage"


def test_the_demo_inside_the_package_is_served_and_says_what_it_is():
    with Running("-m", "demo") as running:
        health = running.until_ready().health()
        assert health["demo"] is True and health["model_name"] == "MedServer demo"
        trained = json.loads((DEMO / "demo.json").read_text())["trained"]
        assert ("random and untrained" in health["model_note"]) is not trained
        answer = running.chat(max_tokens=5, stream=False).json()
        assert answer["usage"]["completion_tokens"] <= 5


def test_the_key_of_the_engine_is_in_no_process_list(server: Running):
    worker = server.worker()
    assert len(worker.cmdline()) == 3
    assert not any("SECRET" in name or "KEY" in name for name in worker.environ())
    [connection] = [one for one in worker.net_connections("inet") if one.status == psutil.CONN_LISTEN]
    assert connection.laddr.ip == "127.0.0.1"
    engine = f"http://127.0.0.1:{connection.laddr.port}"
    for path in ("/ready", "/v1/models", "/stats"):
        assert httpx.get(engine + path, trust_env=False).status_code == 401
    assert httpx.post(engine + "/v1/chat/completions", json={}, trust_env=False).status_code == 401


def test_closing_the_connection_frees_the_slot(server: Running):
    with server.streaming(**long_question()) as frames:
        frames.until_token()
        assert server.stats()["active"] == 1
    assert wait_for(lambda: server.stats()["active"] == 0, 5) < 0.25


def test_a_whole_answer_nobody_waits_for_is_stopped(server: Running):
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(
            server.url + "/api/chat",
            json={"messages": [{"role": "user", "content": "x"}], "stream": False, **long_question()},
            timeout=0.5,
            trust_env=False,
        )
    wait_for(lambda: server.stats()["active"] == 0, 1)  # the whole answer would take some seconds


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_everything_and_says_so_to_open_streams(multimodal_checkpoint, number):
    with demo(multimodal_checkpoint) as running:
        running.until_ready()
        children = running.children()
        assert len(children) >= 3, "an engine and two decoders"
        with running.streaming(**long_question()) as frames:
            frames.until_token()
            started = time.monotonic()
            running.process.send_signal(number)
            *_, error, done = list(frames)
        assert error["code"] == "shutting_down" and done == "[DONE]"
        running.process.wait(10)
        assert time.monotonic() - started < 8
        assert running.process.returncode == 0
        assert gone_within(3, children)


def test_nothing_outlives_a_killed_front(multimodal_checkpoint):
    with demo(multimodal_checkpoint) as running:
        running.until_ready()
        children = running.children()
        running.process.kill()
        running.process.wait(5)
        assert gone_within(5, children)


def test_a_worker_that_dies_ends_its_streams_with_an_error_and_comes_back(multimodal_checkpoint):
    with demo(multimodal_checkpoint) as running:
        running.until_ready()
        with running.streaming(**long_question()) as frames:
            frames.until_token()
            first = running.worker()
            first.kill()
            started = time.monotonic()
            *_, error, done = list(frames)
        assert error["code"] == "engine_lost" and done == "[DONE]"
        assert time.monotonic() - started < 2
        # The page is there while the engine is not.
        running.until(lambda health: health["status"] in ("degraded", "loading"), 5)
        running.until(lambda health: health["status"] == "ready")
        assert running.health()["engine"]["restarts"] == 1
        assert running.worker().pid != first.pid
        assert running.chat(max_tokens=2).content.endswith(b"[DONE]\n\n")


def test_a_checkpoint_that_cannot_be_loaded_is_said_and_the_page_stays(text_checkpoint, tmp_path):
    for file in os.listdir(text_checkpoint):
        (tmp_path / file).write_bytes((text_checkpoint / file).read_bytes())
    (tmp_path / "model.safetensors").write_bytes(b"\0" * 64)
    with demo(tmp_path) as running:
        health = running.until(lambda health: health["status"] == "error")
        assert health["engine"]["why"] and str(tmp_path) not in str(health["engine"]), "a reason, and no path"
        assert running.client.get("/").status_code == 200
        refused = running.chat()
        assert (refused.status_code, refused.json()["code"]) == (503, "engine_down")


def test_a_text_only_checkpoint_serves_text_and_refuses_images(text_checkpoint):
    from tests.serving import picture, question

    with Running("-m", "27t", "--model-path", str(text_checkpoint)) as running:
        running.until_ready()
        health = running.health()
        assert health["modality"] == "text" and not health["supports_images"] and not health["demo"]
        assert running.chat(max_tokens=3, stream=False).status_code == 200
        refused = running.client.post("/api/chat", json=question("x", (picture(),)))
        assert refused.json()["code"] == "images_not_supported"


def test_a_variant_is_taken_from_the_hubs_cache_by_its_id(multimodal_checkpoint, tmp_path):
    snapshot = "0" * 40
    repository = tmp_path / "hub" / "models--google--medgemma-1.5-4b-it"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(snapshot)
    (repository / "snapshots").mkdir()
    os.symlink(multimodal_checkpoint, repository / "snapshots" / snapshot)
    env = {"HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1"}
    with Running("-m", "4", env=env) as running:
        health = running.until_ready().health()
        assert health["model_id"] == "google/medgemma-1.5-4b-it" and not health["demo"]
        assert running.chat(max_tokens=3, stream=False).status_code == 200


def test_a_model_that_does_not_fit_is_refused_before_anything_loads(tmp_path):
    weights, most = ("54.9 GB", 60e9) if cpu.multiplies_bfloat16() else ("109.8 GB", 115e9)
    if psutil.virtual_memory().available > most:
        pytest.skip("this machine holds the 27B")
    with Running("-m", "27", env={"HF_HOME": str(tmp_path)}) as running:
        assert running.process.wait(30) == 2
        said = running.process.stdout.read()
    assert f"weights {weights}" in said and ("would make it fit" in said or "smaller" in said)
    assert "Traceback" not in said


def test_a_variant_that_cannot_be_had_says_what_to_do(tmp_path):
    # Asked for, so that it is tried however little memory this machine has.
    with Running(
        "-m", "27", "--engine", "transformers", env={"HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1"}
    ) as running:
        health = running.until(lambda health: health["status"] == "error")
        assert "--model-path" in health["engine"]["why"]


def test_a_port_that_is_taken_is_a_sentence_and_not_a_trace(server: Running):
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-m", "medserver", "-m", "demo", "-p", str(server.port), "--host", "127.0.0.1"],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 2
    assert "cannot be used" in done.stderr and "Traceback" not in done.stderr
