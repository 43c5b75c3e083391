"""A Hub to test against: a real HTTP server on loopback with one small repository and every bad habit of the real one.

As there, large files are redirected to another origin under a signed address; as there, a refusal is a status with
`X-Error-Code` and `X-Error-Message`. It does not know who asks.
"""

import contextlib
import hashlib
import json
import ssl
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from pathlib import Path
from random import Random
from urllib.parse import unquote, urlsplit

REPO = "google/medgemma-1.5-4b-it"
COMMIT = "5eb0dbbd4a1bb7fbb4e5ee3ce3a2a35f0e5d3d2f"
GOOD, OTHER_ACCOUNT, NO_PERMISSION = "hf_good", "hf_other_account", "hf_no_permission"
LARGE = 100_000  # from here on a file is kept by LFS

FILES = {
    "config.json": b'{"model_type": "gemma3"}\n',
    "tokenizer.json": b'{"version": "1.0"}\n' * 900,
    "chat_template.jinja": b"{{ bos_token }}\n",
    "model-00001-of-00002.safetensors": Random(1).randbytes(3_000_000),
    "model-00002-of-00002.safetensors": Random(2).randbytes(2_000_000),
    "README.md": b"nobody needs this here\n",
    "training_args.bin": b"a pickle",
}
WANTED = sorted(set(FILES) - {"README.md", "training_args.bin"})


def servable() -> dict[str, bytes]:
    """The files of a checkpoint that can really be served: the demo's, under the name of the 4B."""
    described = ("config", "generation_config", "processor_config", "tokenizer", "tokenizer_config")
    names = ["model.safetensors", "chat_template.jinja", *(f"{name}.json" for name in described)]
    return {name: (resources.files("medserver") / "demo" / name).read_bytes() for name in names}


@dataclass
class Habits:
    """What goes wrong, by file or for all; each test sets its own."""

    gated: bool = False
    missing: bool = False
    busy: int = 0  # so many requests are answered 429
    retry_after: str = "1"
    failing: int = 0  # so many requests for files are answered `failing_status`
    failing_status: int = 503
    cuts: dict[str, list[int]] = field(default_factory=dict)  # file -> bytes after which a connection is cut, in turn
    changed: set[str] = field(default_factory=set)  # files that arrive with a byte changed
    longer: set[str] = field(default_factory=set)
    claimed_sizes: dict[str, int] = field(default_factory=dict)
    no_ranges: bool = False
    bytes_per_second: int | None = None
    login_page: bool = False


class StandIn:
    """The Hub at `url`, while it is entered. `asked` counts (method, path); `ranges` lists what was asked in part."""

    def __init__(self, files: dict[str, bytes] = FILES, certificate: tuple[Path, Path] | None = None):
        self.files, self.habits, self._certificate = files, Habits(), certificate
        self.asked: Counter[tuple[str, str]] = Counter()
        self.ranges: list[tuple[str, str]] = []
        self.served: Counter[str] = Counter()
        self.tokens_at_cdn: set[str] = set()
        self.lock = threading.Lock()
        self._servers: list[ThreadingHTTPServer] = []

    def __enter__(self) -> "StandIn":
        self.url = self._start(_Hub)
        self.cdn_url = self._start(_Cdn)
        return self

    def __exit__(self, *_) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def _start(self, kind: type[BaseHTTPRequestHandler]) -> str:
        server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
        server.daemon_threads = True
        server.stand_in = self
        if self._certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self._certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        self._servers.append(server)
        return f"http{'s' if self._certificate else ''}://127.0.0.1:{server.server_address[1]}"


class _Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_) -> None:
        pass

    def handle(self) -> None:
        with contextlib.suppress(OSError):  # a client that was killed, or that trusts no certificate
            super().handle()

    @property
    def hub(self) -> StandIn:
        return self.server.stand_in

    def say(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def send_file(self, name: str, **headers: str) -> None:
        """The file or the part that was asked for, with the habits this file has."""
        habits, body = self.hub.habits, self.hub.files[name]
        if name in habits.changed:
            body = body[:-1] + bytes([body[-1] ^ 1])
        if name in habits.longer:
            body += b"and more"
        start, asked = 0, self.headers.get("Range")
        if asked and not habits.no_ranges:
            self.hub.ranges.append((name, asked))
            start = int(asked.removeprefix("bytes=").split("-")[0])
            headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
        self.send_response(206 if start else 200)
        for key, value in {"Content-Length": str(len(body) - start), **headers}.items():
            self.send_header(key.replace("_", "-"), value)
        self.end_headers()
        if self.command == "HEAD":
            return
        with self.hub.lock:
            cuts = habits.cuts.get(name)
            end = start + cuts.pop(0) if cuts else len(body)
        self._pour(name, body[start:end])
        if end < len(body):
            self.close_connection = True

    def _pour(self, name: str, body: bytes) -> None:
        step = 65536
        for at in range(0, len(body), step):
            piece = body[at : at + step]
            self.wfile.write(piece)
            self.hub.served[name] += len(piece)
            if self.hub.habits.bytes_per_second:
                time.sleep(len(piece) / self.hub.habits.bytes_per_second)


class _Hub(_Answering):
    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        with self.hub.lock:
            self.hub.asked[self.command, path] += 1
            busy, self.hub.habits.busy = self.hub.habits.busy, max(0, self.hub.habits.busy - 1)
        if self.hub.habits.login_page:
            self.say(200, b"<html>Please log in</html>", Content_Type="text/html")
        elif busy:
            self.say(429, b"{}", Retry_After=self.hub.habits.retry_after)
        elif path.startswith("/api/models/"):
            self._model(path.removeprefix("/api/models/"))
        elif path.startswith(f"/{REPO}/resolve/"):
            self._resolve(*path.removeprefix(f"/{REPO}/resolve/").split("/", 1))
        else:
            self.say(404, X_Error_Code="RepoNotFound", X_Error_Message="Repository not found")

    do_HEAD = do_GET

    @property
    def token(self) -> str:
        return self.headers.get("Authorization", "").removeprefix("Bearer ")

    def _known(self) -> bool:
        """Whether the token is one of the Hub's; a wrong one is refused even where none is needed."""
        if self.token in ("", GOOD, OTHER_ACCOUNT, NO_PERMISSION):
            return True
        self.say(401, b"{}", X_Error_Message="Invalid credentials in Authorization header")
        return False

    def _model(self, rest: str) -> None:
        if not self._known():
            return
        repo, _, revision = rest.partition("/revision/")
        if repo != REPO or self.hub.habits.missing:
            self.say(404, b"{}", X_Error_Code="RepoNotFound", X_Error_Message="Repository not found")
        elif revision not in ("", "main", COMMIT):
            self.say(404, b"{}", X_Error_Code="RevisionNotFound", X_Error_Message=f"Invalid rev id: {revision}")
        else:
            body = {"id": REPO, "sha": COMMIT, "siblings": [self._sibling(name) for name in self.hub.files]}
            self.say(200, json.dumps(body).encode(), Content_Type="application/json")

    def _sibling(self, name: str) -> dict:
        body = self.hub.files[name]
        size = self.hub.habits.claimed_sizes.get(name, len(body))
        said = {"rfilename": name, "size": size, "blobId": git_sha1(body)}
        if len(body) >= LARGE:
            said["lfs"] = {"sha256": hashlib.sha256(body).hexdigest(), "size": size, "pointerSize": 134}
        return said

    def _resolve(self, revision: str, name: str) -> None:
        if not self._known() or (self.hub.habits.gated and not self._admitted()):
            return
        if self.hub.habits.failing:
            self.hub.habits.failing -= 1
            self.say(self.hub.habits.failing_status, Retry_After=self.hub.habits.retry_after)
        elif revision not in ("main", COMMIT) or name not in self.hub.files:
            self.say(404, X_Error_Code="EntryNotFound")
        elif len(self.hub.files[name]) >= LARGE:
            self.say(302, Location=f"{self.hub.cdn_url}/{name}?signed=yes", X_Repo_Commit=COMMIT)
        else:
            self.send_file(name, X_Repo_Commit=COMMIT, ETag=f'"{git_sha1(self.hub.files[name])}"')

    def _admitted(self) -> bool:
        refused = {
            "": (401, "GatedRepo", f"Access to model {REPO} is restricted. You must be authenticated to access it."),
            OTHER_ACCOUNT: (403, "GatedRepo", f"Access to model {REPO} is restricted. You are not in the list."),
            NO_PERMISSION: (403, "", "Please enable access to public gated repositories in your fine-grained token"),
        }
        if self.token not in refused:
            return True
        status, code, sentence = refused[self.token]
        self.say(status, b"{}", X_Error_Message=sentence, **({"X_Error_Code": code} if code else {}))
        return False


class _Cdn(_Answering):
    def do_GET(self) -> None:
        if "Authorization" in self.headers:
            self.hub.tokens_at_cdn.add(self.headers["Authorization"])
        self.send_file(unquote(urlsplit(self.path).path).lstrip("/"))

    do_HEAD = do_GET


def git_sha1(body: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(body) + body, usedforsecurity=False).hexdigest()
