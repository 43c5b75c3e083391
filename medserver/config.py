"""Every setting, its default, its range and its words, once; it does not know who reads them.

The fields of `Settings` are the command line, the `MEDSERVER_*` environment and `.env` at the same time:
`cli.py` builds its parser from them, and the README's table is compared with them by a test.
"""

import ipaddress
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from medserver.models import VARIANTS
from medserver.parse import (
    BadSetting,
    addresses,
    choice,
    directory,
    each,
    executable,
    file,
    host_name,
    integer,
    network,
    number,
    origin,
    place,
    rate,
    store,
    switch,
    text,
)

# Bounds of what a client may ask for; the page learns them from /api/health.
TEMPERATURE_RANGE = (0.0, 2.0)
TOP_P_RANGE = (0.01, 1.0)
REPETITION_PENALTY_RANGE = (0.1, 10.0)
DEFAULT_MAX_TOKENS = 2048
MAX_STOP_STRINGS = 16

# What `--engine` may name beside auto: three that are started here, and servers that `--upstream` names.
ENGINES = ("sglang", "vllm", "transformers", "remote")

# Answers that an engine works on at a time, and how many requests may wait for that.
ENGINE_SLOTS = 64
QUEUE_LENGTH = 32

SHUTDOWN_SECONDS = 5.0
KEEP_ALIVE_SECONDS = 15.0


def setting(default: Any, *flags: str, parse: Callable[[str], Any], help: str, secret: bool = False) -> Any:
    """A field of `Settings`: its default, its flags, how its text is read and the line in `--help`."""
    metadata = {"flags": flags, "parse": parse, "help": help}
    return field(default=default, repr=not secret, metadata=metadata)


@dataclass(frozen=True)
class Settings:
    """What the person who started the server decided. Sizes in tokens, characters or MB as named.

    Raises:
        BadSetting: two of them contradict each other.
    """

    model: str = setting(
        None, "-m", "--model", parse=choice(*VARIANTS), help="which model to serve: " + ", ".join(VARIANTS)
    )
    model_path: Path | None = setting(
        None, "--model-path", parse=directory, help="serve this local checkpoint as the variant named by -m"
    )
    port: int = setting(8000, "-p", "--port", parse=integer(1, 65535), help="port to listen on")
    host: str = setting("0.0.0.0", "-ip", "--host", parse=text, help="address to listen on")  # nosec B104 # devices are asked at the door
    quantize: bool = setting(False, "-q", "--quantize", parse=switch, help="load the weights in 4 bits")
    force_transformers: bool = setting(False, "--force-transformers", parse=switch, help="never use SGLang")
    engine: str = setting(
        "auto", "--engine", parse=choice("auto", *ENGINES), help="which engine: auto, " + ", ".join(ENGINES)
    )
    engine_python: Path | None = setting(
        None, "--engine-python", parse=executable, help="the Python whose environment holds SGLang or vLLM"
    )
    tensor_parallel: int = setting(
        1, "--tensor-parallel", "--tp", parse=integer(1, 64), help="GPUs that share one copy of the model"
    )
    data_parallel: int = setting(1, "--data-parallel", "--dp", parse=integer(1, 64), help="copies of the model")
    upstream: tuple[str, ...] = setting(
        (), "--upstream", parse=addresses, help="an OpenAI-compatible server elsewhere; may be given more than once"
    )
    upstream_key: str | None = setting(
        None, "--upstream-key", parse=text, help="key of the upstreams (better: in the environment)", secret=True
    )
    loop_guard: int = setting(
        5, "--loop-guard", parse=integer(0, 10), help="how soon repetition ends an answer, 0 never, 10 at once"
    )
    workers: int = setting(1, "--workers", parse=integer(1, 64), help="web workers; the model is loaded once")
    max_user_streams: int = setting(
        1, "--max-user-streams", parse=integer(1), help="answers one client address may receive at a time"
    )
    rate_limit: str = setting("20/minute", "--rate-limit", parse=rate, help="requests per client address")
    rate_limit_store: str | None = setting(
        None, "--rate-limit-store", parse=store, help="a Redis that counts them for several hosts", secret=True
    )
    max_history_messages: int = setting(100, "--max-history-messages", parse=integer(1), help="messages in one request")
    max_text_length: int = setting(50000, "--max-text-length", parse=integer(1), help="characters in one message")
    max_conversation_length: int = setting(
        100000, "--max-conversation-length", parse=integer(1), help="characters in one request"
    )
    max_image_count: int = setting(10, "--max-image-count", parse=integer(0), help="images in one message")
    max_payload_mb: int = setting(20, "--max-payload-mb", parse=integer(1, 512), help="size of one image in MB")
    default_temperature: float = setting(
        0.3, "--default-temperature", parse=number(*TEMPERATURE_RANGE), help="temperature when a client names none"
    )
    default_top_p: float = setting(
        0.95, "--default-top-p", parse=number(*TOP_P_RANGE), help="top-p when a client names none"
    )
    allow_client_sampling_config: bool = setting(
        True,
        "--allow-client-sampling-config",
        "--no-allow-client-sampling-config",
        parse=switch,
        help="whether clients may choose their own sampling",
    )
    show_hardware_stats: bool = setting(
        False, "--show-hardware-stats", parse=switch, help="let the page see GPU and VRAM figures"
    )
    hf_token: str | None = setting(
        None, "--hf-token", parse=text, help="Hub token (better: HF_TOKEN in the environment or .env)", secret=True
    )
    max_model_len: int = setting(8192, "--max-model-len", parse=integer(256, 131072), help="context in tokens")
    gpu_memory_utilization: float = setting(
        0.90, "--gpu-memory-utilization", parse=number(0.05, 1.0), help="fraction of VRAM the engine may take"
    )
    open: bool = setting(
        False, "--open", parse=switch, help="let every device in without pairing: for a trusted network only"
    )
    allowed_host: tuple[str, ...] = setting(
        (), "--allowed-host", parse=each(host_name), help="another name by which browsers may call this server"
    )
    cors_origin: tuple[str, ...] = setting(
        (), "--cors-origin", parse=each(origin), help="let the pages of this origin ask, e.g. https://notes.example.org"
    )
    trusted_proxy: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = setting(
        (), "--trusted-proxy", parse=each(network), help="address or network whose X-Forwarded-For is believed"
    )
    tls: str = setting("off", "--tls", parse=choice("off", "auto"), help="auto: https with a certificate made here")
    tls_cert: Path | None = setting(None, "--tls-cert", parse=file, help="https with this certificate chain (PEM)")
    tls_key: Path | None = setting(None, "--tls-key", parse=file, help="the key of --tls-cert (PEM, no passphrase)")
    docs: bool = setting(False, "--docs", parse=switch, help="offer /docs and /openapi.json")
    audit_log: Path | None = setting(
        None, "--audit-log", parse=place, help="file for one line per request, chained and without patient data"
    )
    state_dir: Path | None = setting(
        None, "--state-dir", parse=place, help="where keys, sessions and certificates are kept"
    )
    log_file: Path | None = setting(
        None, "--log-file", parse=place, help="file that the log also goes to, a new one every 10 MB, five kept"
    )
    log_level: str = setting(
        "info", "--log-level", parse=choice("debug", "info", "warning", "error"), help="how much is logged"
    )

    def __post_init__(self) -> None:
        if self.engine == "remote" and not self.upstream:
            raise BadSetting("--engine remote needs --upstream URL, the address of the server that answers")
        if self.upstream and self.engine not in ("auto", "remote"):
            raise BadSetting(f"--upstream names a server elsewhere, --engine {self.engine} starts one here: give one")
        if self.workers > 1 and sys.platform == "win32":
            raise BadSetting("--workers above 1 needs Linux or macOS; on Windows one web worker answers")

    @property
    def https(self) -> bool:
        return self.tls == "auto" or self.tls_cert is not None

    @property
    def max_image_bytes(self) -> int:
        return self.max_payload_mb * 1024 * 1024

    @property
    def max_body_bytes(self) -> int:
        """The largest request that keeps every other limit: all its images in base64, its text, its JSON."""
        return self.max_image_count * self.max_image_bytes * 4 // 3 + self.max_conversation_length * 6 + 1_000_000


def usual_state_directory() -> Path:
    """Where this user's programs keep what should last, as the system has it."""
    home = Path.home()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local", "medserver")
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "medserver"
    return Path(os.environ.get("XDG_STATE_HOME") or home / ".local" / "state", "medserver")
