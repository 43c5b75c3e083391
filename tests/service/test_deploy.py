"""What lies in `deploy/`: linted and read by the programs it is for, and reverse proxies tried on loopback.

Neither the image nor the compose file was ever run by these tests.
"""

import json
import os
import re
import shutil
import ssl
import subprocess
import threading
import time
from pathlib import Path

import httpx
import pytest
import uvicorn

from medserver.access.door import FOR_EVERYBODY
from tests.conftest import ROOT
from tests.front import app_with
from tests.scripted import ended
from tests.serving import free_port, question

DEPLOY = ROOT / "deploy"
NAME = "medserver.example.org"
PAUSE = 1.0


class Front(uvicorn.Server):
    """The whole front on a scripted engine, on a port of loopback. A context manager."""

    def __init__(self, *scripts):
        trusting = {"host": "127.0.0.1", "allowed_host": (NAME,), "trusted_proxy": (), "open": True}
        app, _, self.engine = app_with(*scripts, **trusting)
        self.port = free_port()
        super().__init__(uvicorn.Config(app, port=self.port, log_config=None))
        self._thread = threading.Thread(target=self.run, daemon=True)

    def __enter__(self) -> "Front":
        self._thread.start()
        deadline = time.monotonic() + 60
        while not self.started and time.monotonic() < deadline:
            time.sleep(0.02)
        return self

    def __exit__(self, *_) -> None:
        self.should_exit = True
        self._thread.join(20)


@pytest.fixture
def front():
    with Front(["One ", PAUSE, "two", ended()], ["One ", 60.0, "two", ended()]) as running:
        yield running


@pytest.fixture
def certificate(tmp_path) -> tuple[Path, Path]:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not on this machine")
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={NAME}"]
    made += ["-addext", f"subjectAltName=DNS:{NAME}", "-keyout", tmp_path / "key.pem", "-out", tmp_path / "ca.pem"]
    subprocess.run(made, check=True, capture_output=True)
    return tmp_path / "ca.pem", tmp_path / "key.pem"


def nginx(front: Front, port: int, certificate: tuple[Path, Path], folder: Path) -> list[str]:
    """The file as it stands, but for its ports and paths, which belong to a whole machine."""
    server = (DEPLOY / "nginx.conf").read_text()
    for ours, theirs in {
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        "127.0.0.1:8000;": f"127.0.0.1:{front.port};",
        "/etc/nginx/tls/medserver.pem": str(certificate[0]),
        "/etc/nginx/tls/medserver.key": str(certificate[1]),
    }.items():
        assert ours in server
        server = server.replace(ours, theirs)
    places = "".join(f"{kind}_temp_path {folder};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    head = f"daemon off; pid {folder}/pid;" + (" user root;" if os.geteuid() == 0 else "")
    (folder / "nginx.conf").write_text(f"{head}\nevents {{}}\nhttp {{ access_log off; {places}\n{server}\n}}\n")
    return ["nginx", "-p", str(folder), "-e", f"{folder}/error.log", "-c", str(folder / "nginx.conf")]


def caddy(front: Front, port: int, certificate: tuple[Path, Path], folder: Path) -> list[str]:
    text = (DEPLOY / "Caddyfile").read_text()
    text = text.replace("127.0.0.1:8000", f"127.0.0.1:{front.port}")
    text = text.replace(f"{NAME} {{", f"https://{NAME}:{port} {{\n\ttls {certificate[0]} {certificate[1]}", 1)
    (folder / "Caddyfile").write_text("{\n\tadmin off\n\tauto_https disable_redirects\n}\n" + text)
    return ["caddy", "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]


@pytest.fixture(params=[nginx, caddy], ids=["nginx", "caddy"])
def proxied(request, front, certificate, tmp_path, monkeypatch):
    """A client that reaches the front through the proxy, over TLS, by its name."""
    if shutil.which(request.param.__name__) is None:
        pytest.skip(f"{request.param.__name__} is not on this machine")
    for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    port = free_port()
    process = subprocess.Popen(
        request.param(front, port, certificate, tmp_path), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    trusting = ssl.create_default_context(cafile=str(certificate[0]))
    options = {"headers": {"Host": f"{NAME}:{port}"}, "timeout": 30, "trust_env": False}
    with httpx.Client(base_url=f"https://127.0.0.1:{port}", verify=trusting, **options) as client:
        try:
            until_open(client, process)
            yield client
        finally:
            process.terminate()
            process.wait(20)


BY_NAME = {"sni_hostname": NAME}


def until_open(client: httpx.Client, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + 30
    while True:
        assert process.poll() is None, process.stderr.read()
        try:
            assert client.get("/api/health", extensions=BY_NAME).status_code == 200
            return
        except httpx.TransportError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_an_answer_arrives_as_it_is_written_and_one_that_is_left_is_ended(proxied, front):
    came = {}
    with proxied.stream("POST", "/api/chat", json=question("Hello"), extensions=BY_NAME) as response:
        assert response.status_code == 200 and response.headers["content-type"].startswith("text/event-stream")
        for line in response.iter_lines():
            if line.startswith("data: {"):
                came.update({name: time.monotonic() for name in json.loads(line.removeprefix("data: "))})
    assert came["finish_reason"] - came["token"] < PAUSE, "the last token came with the end"
    with proxied.stream("POST", "/api/chat", json=question("Hello"), extensions=BY_NAME) as response:
        started = time.monotonic()
        lines = response.iter_lines()  # kept: one that is let go closes the connection
        assert any('"token"' in line for line in lines)
        assert time.monotonic() - started < 10, "the first token did not wait for the second"
        assert front.engine.open == 1
    deadline = time.monotonic() + 10
    while front.engine.open and time.monotonic() < deadline:
        time.sleep(0.05)
    assert front.engine.open == 0, "leaving reaches the engine through the proxy"


def test_a_large_question_reaches_the_server_which_decides(proxied):
    body = question("x", images=("A" * 30_000_000,))
    answer = proxied.post("/api/chat", json=body, extensions=BY_NAME)
    assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large"), answer.text


@pytest.mark.skipif(shutil.which("hadolint") is None, reason="hadolint is not on this machine")
def test_the_dockerfile_is_linted():
    done = subprocess.run(["hadolint", DEPLOY / "Dockerfile"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_the_container_is_closed_as_far_as_it_is_said():
    yaml = pytest.importorskip("yaml")
    service = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]["medserver"]
    assert service["read_only"] is True and service["cap_drop"] == ["ALL"]
    [device] = service["deploy"]["resources"]["reservations"]["devices"]
    assert device["driver"] == "nvidia" and device["capabilities"] == ["gpu"]
    text = (DEPLOY / "Dockerfile").read_text()
    assert re.search(r"^USER 10001$", text, re.MULTILINE)
    [asked] = re.findall(r"HEALTHCHECK .*?127\.0\.0\.1:8000(/\w+)'", text, re.DOTALL)
    assert asked in FOR_EVERYBODY, "the health check shows no key"
    [carried] = re.findall(r"/usr/share/doc/medserver (.*) \\$", text, re.MULTILINE)
    assert carried.split() == ["LICENSE", "NOTICE"]
    torch = re.search(r"^TORCH=(.*)$", (ROOT / "installer/machine.sh").read_text(), re.MULTILINE)[1]
    assert f"ARG TORCH={torch}\n" in text
