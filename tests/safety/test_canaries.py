"""What was sent leaves no trace: a canary in every input, then a look at everything that is written or shown."""

import base64
import json
import os
import socket
import sys
from pathlib import Path

import PIL.Image
import pytest
from PIL.PngImagePlugin import PngInfo

from benchmarks.safety.engine import SECRET
from benchmarks.safety.house import UNLIMITED, House
from tests.conftest import ROOT
from tests.safety import pictures

CANARY = "Canary7731"
ADDRESS = "127.77.31.7"  # whose requests they are
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="scripted engines are started as POSIX children")


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    folder = tmp_path_factory.mktemp("canaries")
    env = {"TMPDIR": str(folder), "TMP": str(folder), "TEMP": str(folder)}
    flags = (*UNLIMITED, "--log-level", "debug", "--docs", "--audit-log", str(folder / "audit.jsonl"))
    with House(*flags, env=env) as found:
        yield found, folder


def film() -> bytes:
    text = PngInfo()
    text.add_text("Comment", CANARY)
    return pictures.encoded(PIL.Image.new("RGB", (40, 30), "gray"), pnginfo=text)


def requests() -> list[bytes]:
    """A canary in each place that a client fills: good requests, refused ones, broken ones, some that never end."""
    image = base64.b64encode(film()).decode()
    user = {"role": "user", "content": CANARY}
    pictured = {**user, "image_data": [image]}
    bodies = [
        {"messages": [pictured], "system_prompt": CANARY, "stop": [CANARY]},
        {"messages": [pictured], "stream": False},
        {"messages": [user, {"role": "assistant", "content": CANARY}]},
        {"messages": [{**user, "content": f"{CANARY} fail 500 internal"}]},
        {"messages": [{**user, "content": f"{CANARY} fail 400 {CANARY}"}], "stream": False},
        {"messages": [{**user, "content": f"{CANARY} garbage 7"}]},
        {"messages": [{**user, "content": f"{CANARY} garbage 12"}]},
        {"messages": [user], "model": CANARY},
        {"messages": [user], "temperature": CANARY},
        {"messages": [{**user, "role": CANARY}]},
        {"messages": [{**user, "image_data": [CANARY, f"data:{CANARY}", f"/{CANARY}.png"]}]},
        {"messages": [{**user, "content": [{"type": CANARY, "text": CANARY}]}]},
        {"messages": [{**user, "content": CANARY * 6000}]},
    ]
    found = [asked(json.dumps(body).encode()) for body in bodies]
    found += [asked(json.dumps(body).encode(), path="/v1/chat/completions") for body in bodies]
    found += [asked(f'{{"messages": {CANARY}'.encode()), asked(CANARY.encode(), "Content-Encoding: " + CANARY)]
    for name, value in (("image", film()), ("prompt", CANARY.encode()), (CANARY, CANARY.encode())):
        head = f'--e\r\nContent-Disposition: form-data; name="{name}"; filename="{CANARY}.png"\r\n\r\n'
        form = head.encode() + value + b"\r\n--e--\r\n"
        found.append(asked(form, kind="multipart/form-data; boundary=e", path="/api/analyze"))
    found += [
        asked(b"", method="GET", path=f"/{CANARY}?{CANARY}={CANARY}"),
        asked(b"", method="GET", path=f"/static/{CANARY}"),
        asked(b"", method="GET", path=f"/v1/models/{CANARY}"),
        asked(b"", method=CANARY.upper()),
        asked(b"", f"Host: {CANARY}.example", host=False),
        asked(b"", f"Origin: http://{CANARY}"),
        asked(json.dumps({"secret": CANARY, "pin": CANARY}).encode(), path="/api/pairing"),
        asked(
            b"", *(f"{name}: {CANARY}" for name in ("User-Agent", "Cookie", "Referer", "Authorization", "X-Request-ID"))
        ),
        f"{CANARY}\r\n\r\n".encode(),
        f"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999\r\n\r\n{CANARY}".encode(),
        f"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nX-{CANARY}".encode(),
    ]
    return found


def asked(body: bytes, *more: str, path="/api/chat", method="POST", kind="application/json", host=True) -> bytes:
    head = [f"{method} {path} HTTP/1.1", *(["Host: localhost"] if host else []), f"Content-Type: {kind}", *more]
    return "\r\n".join([*head, f"Content-Length: {len(body)}", "Connection: close", "", ""]).encode() + body


def sent(port: int, data: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), 60, source_address=(ADDRESS, 0)) as connection:
        connection.sendall(data)
        if b"Connection: close" not in data:  # half a request: nothing more will come
            connection.shutdown(socket.SHUT_WR)
        said = b""
        while piece := connection.recv(65536):
            said += piece
        return said


def test_what_was_sent_is_nowhere(house):
    found, folder = house
    answers = [sent(found.port, data) for data in requests()]
    statuses = {int(answer.split(b" ")[1]) for answer in answers if answer}
    assert {200, 400, 403, 404, 405, 415, 422} <= statuses, "good and bad ones were both understood"
    for place in seen(found, folder):
        assert CANARY.lower() not in place.lower(), place[:200]
        assert SECRET not in place and ADDRESS not in place
    assert "Traceback" not in found.log
    for answer in answers:
        assert SECRET.encode() not in answer, "what an engine says of its faults is told to nobody"
        for own in (ADDRESS, "Traceback", str(ROOT), str(found.folder), str(folder)):
            assert own.encode() not in answer, own
    kept = [file for file in (found.folder, folder) for file in file.rglob("*") if file.is_file()]
    assert any(file.name == "audit.jsonl" and file.stat().st_size for file in kept)
    for file in kept:
        assert CANARY.lower().encode() not in file.read_bytes().lower(), file
        assert ADDRESS.encode() not in file.read_bytes(), file
        assert CANARY.lower() not in file.name.lower()


def seen(found: House, folder: Path):
    """Everything that can be looked at from outside: the log, the status pages, the lists of processes and files."""
    assert "/api/chat" in found.log, "the log does say something"
    yield found.log
    for path in ("/metrics", "/api/health", "/api/models", "/api/model-info", "/openapi.json", "/"):
        yield sent(found.port, asked(b"", method="GET", path=path)).decode()
    for process in found.tree.processes():
        yield " ".join(process.cmdline()) + process.name()
        if Path("/proc/self/environ").exists():
            yield Path(f"/proc/{process.pid}/environ").read_text(errors="replace")
            yield " ".join(os.readlink(one) for one in Path(f"/proc/{process.pid}/fd").iterdir() if one.is_symlink())


def test_a_refusal_repeats_nothing_but_the_name_of_a_field(house):
    found, _ = house
    for data in requests():
        head, _, body = sent(found.port, data).partition(b"\r\n\r\n")
        if b" 200 " not in head.split(b"\r\n")[0] and CANARY.encode() in body:
            assert json.loads(body).get("code") == "invalid_request" or b"error" in body
            assert body.count(CANARY.encode()) <= 2, body
