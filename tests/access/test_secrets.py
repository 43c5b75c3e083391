"""Nothing secret in the process list, the environment of others, the pages or the log; looked at from outside."""

import os
import pty
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.access.asking import MACHINE, ask, cookie_of, entrance_of, front, pair
from tests.conftest import ROOT
from tests.serving import Running, free_port

TOKEN = "hf_SecretSecretSecret"


def test_a_page_holds_no_secret(tmp_path):
    app = front(tmp_path, hf_token=TOKEN, upstream_key="SecretKey", docs=True)
    code = entrance_of(app).pairing.new_code()
    for path in ("/", "/pair", "/docs", "/openapi.json", "/api/health", "/api/pairing", "/api/model-info", "/metrics"):
        body = ask(app, "GET", path, MACHINE).body.decode()
        for secret in (TOKEN, "SecretKey", code.secret, code.pin, str(tmp_path)):
            assert secret not in body, path


def test_no_log_line_holds_a_code_a_cookie_or_a_key(tmp_path, caplog):
    app = front(tmp_path)
    code = entrance_of(app).pairing.new_code()
    with caplog.at_level("DEBUG"):
        cookie = cookie_of(pair(app, secret=code.secret))
        key = entrance_of(app).keys.add("program")
        ask(app, "GET", "/api/health", cookie=cookie)
        ask(app, "GET", "/api/health", authorization=f"Bearer {key}")
        pair(app, pin=code.pin)
    assert "/api/pairing 200" in caplog.text
    for secret in (code.secret, code.pin, cookie.split("=")[1], key):
        assert secret not in caplog.text


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="there is no /proc here")
def test_no_process_shows_a_secret_in_its_arguments_and_only_the_front_knows_it(multimodal_checkpoint):
    env = {"HF_TOKEN": TOKEN}
    with Running("-m", "demo", "--model-path", str(multimodal_checkpoint), env=env) as running:
        running.until_ready()
        for process in [running.process.pid, *(child.pid for child in running.children())]:
            assert TOKEN not in Path(f"/proc/{process}/cmdline").read_text()
        running.process.terminate()
        assert TOKEN not in running.process.stdout.read()


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX terminals")
def test_a_terminal_shows_the_code_and_a_pipe_does_not(tmp_path, multimodal_checkpoint):
    """The real command, at a real terminal, then into a pipe as under a service."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MEDSERVER_")}
    env = clean | {"MEDSERVER_STATE_DIR": str(tmp_path), "TERM": "xterm"}
    command = [sys.executable, "-m", "medserver", "-m", "demo", "--model-path", str(multimodal_checkpoint)]
    shown = _first_words([*command, "-p", str(free_port())], env)
    assert re.search(r"PIN \d{3} \d{3}, for one device, until \d\d:\d\d", shown) and "▄" in shown
    env["MEDSERVER_STATE_DIR"] = str(tmp_path / "piped")
    with Running("-m", "demo", "--model-path", str(multimodal_checkpoint), host="0.0.0.0") as running:
        running.until(lambda health: True)
        running.process.terminate()
        said = running.process.stdout.read()
    assert "medserver pair" in said and "PIN" not in said


def _first_words(command: list[str], env: dict[str, str]) -> str:
    """What a command writes to its terminal until it shows the PIN, for two minutes at most."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(command, env=env, stdin=theirs, stdout=theirs, stderr=theirs, cwd=ROOT)
    os.close(theirs)
    said, deadline = b"", time.monotonic() + 120
    try:
        while b"until" not in said and time.monotonic() < deadline:
            said += os.read(ours, 4096)
    finally:
        process.terminate()
        process.wait(30)
        os.close(ours)
    return said.decode()
