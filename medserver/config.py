"""Every setting, its default, its range and its words, once; it does not know who reads them.

The fields of `Settings` are the command line, the `MEDSERVER_*` environment and `.env` at the same time:
`cli.py` builds its parser from them, and the README's table is compared with them by a test.
"""

import ipaddress
import os
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from medserver.models import VARIANTS

ENV_PREFIX = "MEDSERVER_"
# What others than we read from the environment; in .env it counts as well.
ADOPTED = ("HF_HOME", "HF_HUB_OFFLINE", "HF_ENDPOINT", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "SSL_CERT_FILE")

# Bounds of what a client may ask for; the page learns them from /api/health.
TEMPERATURE_RANGE = (0.0, 2.0)
TOP_P_RANGE = (0.01, 1.0)
REPETITION_PENALTY_RANGE = (0.1, 10.0)
DEFAULT_MAX_TOKENS = 2048
MAX_STOP_STRINGS = 16

# What `--engine` may name beside auto: three that are started here, and servers that `--upstream` names.
ENGINES = ("sglang", "vllm", "transformers", "remote")

# Rows that the Transformers worker decodes together, and how many requests may wait for one.
ENGINE_SLOTS = 64
QUEUE_LENGTH = 32

SHUTDOWN_SECONDS = 5.0
KEEP_ALIVE_SECONDS = 15.0


class BadSetting(ValueError):
    """A setting that cannot be used; the message is a sentence for the person who typed it."""


def integer(low: int, high: int | None = None) -> Callable[[str], int]:
    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise BadSetting(f"{text!r} is not a whole number") from None
        return _within(value, low, high)

    return parse


def number(low: float, high: float) -> Callable[[str], float]:
    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            raise BadSetting(f"{text!r} is not a number") from None
        return _within(value, low, high)

    return parse


def _within(value, low, high):
    if not value >= low or (high is not None and value > high):  # `not >=` refuses NaN as well
        bounds = f"at least {low}" if high is None else f"between {low} and {high}"
        raise BadSetting(f"{value} is out of range: it must be {bounds}")
    return value


def choice(*allowed: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in allowed:
            raise BadSetting(f"{text!r} is not one of {', '.join(allowed)}")
        return text

    return parse


def switch(text: str) -> bool:
    value = text.strip().lower()
    if value in ("1", "true", "yes", "on"):
        return True
    if value in ("0", "false", "no", "off", ""):
        return False
    raise BadSetting(f"{text!r} is neither on nor off")


def rate(text: str) -> str:
    """A rate as `limits` writes them, e.g. `20/minute` or `5 per 10 seconds`."""
    if not re.fullmatch(r"\s*[1-9]\d*\s*(/|per)\s*(\d+\s*)?(second|minute|hour|day)s?\s*", text):
        raise BadSetting(f"{text!r} is not a rate such as 20/minute")
    return text.strip()


def store(text: str) -> str:
    """The address of a Redis: `redis://[[user]:password@]host[:port][/number]`, `rediss://` over TLS; 6379 is usual."""
    found = re.fullmatch(r"(rediss?://(?:[^@/\s]*@)?(?:[^@/\s:\[]+|\[[0-9a-f:.]+\]))(?::(\d{1,5}))?(/\d+)?", text)
    if found is None or not 0 < int(found[2] or 6379) < 65536:
        # Not quoted: it may hold a password.
        raise BadSetting("that is no address of a Redis, such as redis://10.0.0.5:6379/0")
    return f"{found[1]}:{found[2] or 6379}{found[3] or '/0'}"


def directory(text: str) -> Path:
    path = Path(text).expanduser()
    if not text or not path.is_dir():
        raise BadSetting(f"{text!r} is not a directory")
    return path.resolve()


def executable(text: str) -> Path:
    path = Path(text).expanduser()
    if not os.access(path, os.X_OK) or path.is_dir():
        raise BadSetting(f"{text!r} is no program that can be started")
    return path.absolute()  # not resolved: a virtual environment is known by its own path


def base_url(text: str) -> str:
    """The address as everything here expects it: without `/v1`, with a slash at its end.

    Raises:
        BadSetting: it is no address of a web server, or carries more than an address.
    """
    try:
        parts = urlsplit(text.strip())
        port = parts.port
    except ValueError:
        raise BadSetting("an upstream must be an address such as http://gpu-1:8000") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadSetting("an upstream must be an address such as http://gpu-1:8000")
    if parts.username is not None or parts.password is not None:
        raise BadSetting("an upstream's address must not hold a name or a password: use --upstream-key")
    if parts.query or parts.fragment:
        raise BadSetting("an upstream's address must not hold anything after ? or #")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    path = parts.path.rstrip("/").removesuffix("/v1").rstrip("/")
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}{path}/"


def addresses(text: str) -> tuple[str, ...]:
    """Upstreams, with commas between where there are several."""
    return tuple(base_url(one) for one in text.split(",") if one.strip())


def each(parse: Callable[[str], Any]) -> Callable[[str], tuple]:
    """Several values of one kind, with commas between."""
    return lambda text: tuple(parse(one.strip()) for one in text.split(",") if one.strip())


def network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        raise BadSetting(f"{text!r} is no address or network such as 10.0.0.0/24") from None


def host_name(text: str) -> str:
    """A name or an address as it stands in a browser's address bar, without a port."""
    bare = text.lower().rstrip(".").removeprefix("[").removesuffix("]")
    if re.fullmatch(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?", bare):
        return bare
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        raise BadSetting(f"{text!r} is no host name such as medserver.example.org; leave the port out") from None


def origin(text: str) -> str:
    """A page's origin as browsers send it.

    Raises:
        BadSetting: it is none, or would let everybody in.
    """
    found = re.fullmatch(r"(https?)://(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::(\d{1,5}))?/?", text.lower())
    if found is None:
        raise BadSetting(f"{text!r} is no origin such as https://notes.example.org")
    scheme, host, port = found.groups()
    usual = {"http": "80", "https": "443"}[scheme]
    return f"{scheme}://{host}{f':{port}' if port and port != usual else ''}"


def file(text: str) -> Path:
    path = Path(text).expanduser()
    if not path.is_file():
        raise BadSetting(f"{text!r} is not a file")
    return path.absolute()


def place(text: str) -> Path:
    """Where something may be written that need not be there yet."""
    return Path(text).expanduser().absolute()


def usual_state_directory() -> Path:
    """Where this user's programs keep what should last, as the system has it."""
    home = Path.home()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local", "medserver")
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "medserver"
    return Path(os.environ.get("XDG_STATE_HOME") or home / ".local" / "state", "medserver")


def text(value: str) -> str:
    if not value.strip():
        raise BadSetting("it is empty")
    return value.strip()


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


def env_name(of: Field) -> str:
    return ENV_PREFIX + of.name.upper()


def from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    """The settings that `environ` names, parsed.

    Raises:
        BadSetting: a value that cannot be used, or a `MEDSERVER_*` name that is no setting.
    """
    known = {env_name(one): one for one in fields(Settings)}
    found: dict[str, Any] = {}
    for name, value in environ.items():
        if not name.startswith(ENV_PREFIX) or not value:  # empty is as good as not set
            continue
        if name not in known:
            raise BadSetting(f"{name} is not a setting of MedServer")
        one = known[name]
        try:
            found[one.name] = one.metadata["parse"](value)
        except BadSetting as problem:
            raise BadSetting(f"{name}: {problem}") from None
    if "hf_token" not in found and (token := environ.get("HF_TOKEN", "").strip()):
        found["hf_token"] = token
    return found


def environment_with_dotenv(directory: Path) -> dict[str, str]:
    """The environment, on top of what systemd hands over, on top of `directory/.env` when there is one."""
    return {**_dotenv(directory), **_credentials(), **os.environ}


def adopt_dotenv(directory: Path) -> None:
    """Let libraries and children find in the environment what they look for there and `.env` holds."""
    for name, value in _dotenv(directory).items():
        if name in ADOPTED:
            os.environ.setdefault(name, value)


def _dotenv(directory: Path) -> dict[str, str]:
    file = directory / ".env"
    if not file.is_file():
        return {}
    from dotenv import dotenv_values  # not needed by most starts

    try:
        return {name: value for name, value in dotenv_values(file).items() if value is not None}
    except OSError as error:
        raise BadSetting(
            f"{file} cannot be read ({error.strerror}): start medserver as its owner, or from another folder"
        ) from None


def readable_by_others(directory: Path) -> bool:
    """Whether accounts other than its owner's can read the `.env` in `directory`, and so the secrets in it."""
    file = directory / ".env"
    return os.name == "posix" and file.is_file() and bool(file.stat().st_mode & 0o044)


def _credentials() -> dict[str, str]:
    """Secrets that come as files named like the environment's names (systemd's LoadCredential)."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    files = Path(folder).glob(f"{ENV_PREFIX}*") if folder else ()
    try:
        return {file.name: file.read_text(encoding="utf-8").strip() for file in files}
    except OSError as error:
        raise BadSetting(f"the secret {error.filename} cannot be read ({error.strerror})") from None
