"""From a bundle to a chat where there is nothing but loopback, watched for every connection that is tried.

By default MedServer is the one that runs these tests. MEDSERVER_TEST_JOURNEY=1 makes the whole way instead, with every
real package: clone, install, doctor, download, verify, bundle, install from it, serve, chat; it takes minutes.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.hub.standin import GOOD, StandIn, servable
from tests.serving import free_port

# Serve with nothing but loopback, and ask until an answer has come: what is run as the only program of the namespace.
ASK = r"""
import json, subprocess, sys, time
from urllib.request import Request, urlopen
port, *argv = sys.argv[1:]
server = subprocess.Popen([*argv, "-m", "4", "--engine", "transformers", "-p", port, "--host", "127.0.0.1"])
url, deadline = f"http://127.0.0.1:{port}", time.monotonic() + 300
try:
    while True:
        assert server.poll() is None and time.monotonic() < deadline
        try:
            health = json.load(urlopen(f"{url}/api/health"))
        except OSError:
            health = {"status": "not yet"}
        assert health["status"] != "error", health
        if health["status"] == "ready":
            break
        time.sleep(0.2)
    body = {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 8, "stream": False, "thinking": "off"}
    print(json.dumps(json.load(urlopen(Request(f"{url}/api/chat", json.dumps(body).encode())))))
finally:
    server.terminate()
    server.wait(30)
"""


checkpoint = pytest.fixture(scope="module")(servable)


@pytest.fixture
def nobody(alone) -> tuple[str, ...]:
    """What runs a program in a namespace where only loopback is up."""
    if shutil.which("ip") is None:
        pytest.skip("bringing loopback up needs ip, of iproute2")
    return (*alone, "sh", "-euc", 'ip link set lo up && exec "$@"', "alone")


@pytest.fixture
def clean(tmp_path) -> dict[str, str]:
    """The environment of somebody whose home is empty, with pip as this machine has it set up."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "MEDSERVER_"))}
    (tmp_path / "home").mkdir()
    return kept | {"HOME": str(tmp_path / "home"), "NO_PROXY": "127.0.0.1"}


class Steps:
    """Runs one command after the other and keeps how long each took."""

    def __init__(self, env: dict[str, str]):
        self.env = env

    def __call__(self, *argv: str | Path, cwd: Path, **changed: str) -> str:
        started = time.monotonic()
        done = subprocess.run(
            list(map(str, argv)),
            cwd=cwd,
            env=self.env | changed,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
        print(f"{time.monotonic() - started:7.1f} s  {' '.join(map(str, argv))[:150]}")
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout


def chat(step: Steps, nobody: tuple[str, ...], medserver: list[str | Path], cwd: Path) -> None:
    """Serve and ask; every connection that anything in it tries is to this machine."""
    watched, trace = (), cwd / "connections"
    if strace := shutil.which("strace"):
        watched = (strace, "-f", "--seccomp-bpf", "-qq", "-e", "trace=connect", "-e", "signal=none", "-o", trace)
    said = step(*nobody, *watched, sys.executable, "-c", ASK, str(free_port()), *medserver, cwd=cwd)
    assert json.loads(said.splitlines()[-1])["finish_reason"] in ("stop", "length")
    if watched:
        tried = re.findall(r'inet_addr\("([\d.]+)"\)|inet_pton\(AF_INET6, "([\da-f:.]+)"', trace.read_text())
        addresses = {one or other for one, other in tried}
        # 192.0.2.1 is how our own address is asked of the kernel: a datagram socket that sends nothing.
        assert addresses - {"192.0.2.1"} <= {"127.0.0.1", "::1"} and "127.0.0.1" in addresses


def test_a_bundle_becomes_a_chat_where_there_is_no_network(checkpoint, nobody, clean, tmp_path):
    step = Steps(clean | {"PYTHONPATH": str(ROOT)})
    here = [sys.executable, "-m", "medserver"]
    with StandIn(checkpoint) as hub:
        hub.habits.gated = True
        step(*here, "download", "-m", "4", "--to", "fetched", cwd=tmp_path, HF_ENDPOINT=hub.url, HF_TOKEN=GOOD)
    step(*here, "bundle", "-m", "4", "--from", "fetched", "--no-wheels", "--to", "carried.tar", cwd=tmp_path)
    shutil.rmtree(tmp_path / "fetched")
    for argv in (["verify", "carried.tar"], ["unpack", "carried.tar"]):
        step(*nobody, *here, *argv, cwd=tmp_path)
    chat(step, nobody, here, tmp_path)


@pytest.mark.skipif("MEDSERVER_TEST_JOURNEY" not in os.environ, reason="the whole way needs MEDSERVER_TEST_JOURNEY=1")
def test_the_whole_way_with_every_real_package(checkpoint, nobody, clean, tmp_path):
    step = Steps(clean)
    clone, opt = tmp_path / "clone", tmp_path / "opt"
    step("git", "clone", "--quiet", os.environ.get("MEDSERVER_TEST_CLONE", ROOT), clone, cwd=tmp_path)
    step("./install.sh", "--yes", cwd=clone)
    medserver = clone / ".venv/bin/medserver"
    print(step(medserver, "doctor", "-m", "demo", "-p", str(free_port()), "--host", "127.0.0.1", cwd=clone))
    with StandIn(checkpoint) as hub:
        hub.habits.gated = True
        (clone / ".env").write_text(f"HF_TOKEN={GOOD}\nHF_ENDPOINT={hub.url}\n")
        (clone / ".env").chmod(0o600)
        print(step(medserver, "download", "-m", "4", cwd=clone))
        step(medserver, "verify", "-m", "4", cwd=clone)
        torch = re.search(r"^torch +(\S+)", step("./install.sh", "--plan", cwd=clone), re.MULTILINE)[1]
        print(
            step(medserver, "bundle", "-m", "4", "--with", f"torch=={torch}", "--to", tmp_path / "carried", cwd=clone)
        )
    shutil.rmtree(clean["HOME"])
    Path(clean["HOME"]).mkdir()
    step(*nobody, "bash", tmp_path / "carried/install.sh", "--into", opt, cwd=tmp_path)
    shutil.rmtree(clone)
    chat(step, nobody, [opt / ".venv/bin/medserver"], opt)
    step("bash", tmp_path / "carried/install.sh", "--uninstall", "--yes", "--into", opt, cwd=tmp_path)
    assert sorted(one.name for one in opt.iterdir()) == ["connections", "weights"]
