"""The keeper, and servers that misbehave: real processes, which must all be gone in the end."""

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="SGLang and vLLM run on Linux")

# A server that leaves a child behind in a session of its own, where ending a process group does not reach it.
WITH_CHILD = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
print("child", child.pid, flush=True)
open(sys.argv[1], "w").write(str(child.pid))
time.sleep(float(sys.argv[2]))
"""


@contextmanager
def keeper(*argv: str, file: str | None = None, **orders):
    process = subprocess.Popen(
        [sys.executable, "-m", "medserver.engine.keeper"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    orders = {"argv": [sys.executable, *argv], "env": {}, "file": file} | orders
    process.stdin.write(json.dumps(orders) + "\n")
    process.stdin.flush()
    try:
        yield process
    finally:
        with suppress(BrokenPipeError):
            process.stdin.close()
        process.wait(10)


def said(process: subprocess.Popen, name: str) -> object:
    """The next thing of that name that the keeper says."""
    for line in process.stdout:
        if name in (words := json.loads(line)):
            return words[name]
    raise AssertionError(f"it never said {name}")


def gone(pid: int, seconds: float = 5.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.02)
    return False


def written(path: Path) -> str:
    while not (path.exists() and path.read_text()):
        time.sleep(0.02)
    return path.read_text()


def test_the_server_is_told_its_port_and_its_private_file(tmp_path):
    script = (
        "import sys, json, pathlib; out, file = map(pathlib.Path, sys.argv[1:3])\n"
        "out.write_text(json.dumps([sys.argv[3], file.read_text(), file.stat().st_mode & 0o777, str(file)]))"
    )
    with keeper("-c", script, str(tmp_path / "out"), "{file}", "{port}", file="key: hidden") as process:
        port = said(process, "port")
        told_port, contents, mode, path = json.loads(written(tmp_path / "out"))
        assert (int(told_port), contents, mode) == (port, "key: hidden", 0o600)
        assert "hidden" not in " ".join(psutil.Process(process.pid).cmdline())
    assert not Path(path).exists()


@pytest.mark.parametrize("ending", ["closed", "killed server"])
def test_nothing_outlives_it(tmp_path, ending):
    with keeper("-c", WITH_CHILD, str(tmp_path / "pid"), "600") as process:
        said(process, "port")
        child = int(written(tmp_path / "pid"))
        if ending == "closed":
            process.stdin.close()
        else:
            [server] = psutil.Process(process.pid).children()
            server.kill()
            assert said(process, "failed") == "It ended while it was starting (signal 9)."
        assert gone(child) and process.wait(10) == 0


@pytest.mark.parametrize(
    ("last_words", "why"),
    [
        ("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 20 GiB", "It ran out of memory."),
        ("ModuleNotFoundError: No module named 'sgl_kernel.ops'", "the module sgl_kernel.ops is missing"),
        ("launch_server.py: error: unrecognized arguments: --dp 2", "It does not know --dp"),
        ("something nobody expected in /home/x/y", "It ended while it was starting (exit code 3)."),
    ],
)  # fmt: skip
def test_a_start_that_fails_says_why_without_quoting(last_words, why):
    with keeper("-c", f"import sys; print({last_words!r}); sys.exit(3)") as process:
        sentence = said(process, "failed")
    assert why in sentence and "/home" not in sentence


def test_a_port_that_was_taken_is_no_reason_to_give_up():
    with keeper("-c", "raise OSError('[Errno 98] address already in use')") as process:
        assert "failed" not in process.stdout.read()


def test_the_private_file_is_gone_once_the_server_is_ready(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with keeper("-c", "import time; time.sleep(600)", file="key: hidden") as process:
        said(process, "port")
        [secret] = tmp_path.iterdir()
        process.stdin.write("ready\n")
        process.stdin.flush()
        deadline = time.monotonic() + 30
        while secret.exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_a_command_that_is_not_there_is_said_and_leaves_no_key_behind(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with keeper(argv=["/nowhere/python"], file="key: hidden") as process:
        assert said(process, "failed") == "It could not be started (FileNotFoundError)."
    assert list(tmp_path.iterdir()) == []


def test_progress_over_the_weights_is_passed_on():
    bar = "Loading safetensors checkpoint shards:  50% Completed | 1/2 [00:01<00:01,  1.2s/it]"
    with keeper("-c", f"print({bar!r}, flush=True); import time; time.sleep(600)") as process:
        assert said(process, "stage") == "weights"


def test_once_ready_its_output_is_forgotten(tmp_path):
    script = (
        "import sys, time, pathlib; print('early', flush=True)\n"
        "while not pathlib.Path(sys.argv[1]).exists(): time.sleep(0.02)\n"
        "print('Mrs Smith asked about CUDA out of memory', flush=True); sys.exit(1)"
    )
    with keeper("-c", script, str(tmp_path / "go"), verbose=True) as process:
        said(process, "port")
        process.stdin.write("ready\n")
        process.stdin.flush()
        time.sleep(0.3)
        (tmp_path / "go").touch()
        assert said(process, "failed") == "It ran out of memory."
