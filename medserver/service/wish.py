"""What a service is to run with, and what it needs to be able to read; it does not know which system starts it."""

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import medserver
from medserver.config import Settings
from medserver.environment import ADOPTED, env_name
from medserver.parse import BadSetting
from medserver.weights import DEMO, serving_for

# Files that only their owner may read, and that are handed over as secrets are.
PRIVATE_FILES = ("tls_cert", "tls_key")


@dataclass(frozen=True)
class Wish:
    """`environment`: what it finds there; `secrets`: the same, to be kept from others; `files`: private files."""

    python: Path
    environment: Mapping[str, str]
    secrets: Mapping[str, str]
    files: Mapping[str, Path]
    port: int
    reads: tuple[Path, ...]

    @property
    def command(self) -> list[str]:
        return [str(self.python), "-I", "-m", "medserver"]  # -I: nothing is imported from where it may write


def wish_for(settings: Settings, environ: Mapping[str, str]) -> Wish:
    """The service that serves as `medserver` would with these settings.

    Raises:
        BadSetting: the checkpoint is none.
    """
    serving = serving_for(settings)
    environment = {name: environ[name] for name in ADOPTED if environ.get(name)}
    secrets, files = {}, {}
    for one in fields(Settings):
        value = getattr(settings, one.name)
        if value == one.default:
            continue
        if one.name in PRIVATE_FILES:
            files[env_name(one)] = value
        elif one.repr:
            environment[env_name(one)] = written(value)
        else:
            secrets[env_name(one)] = value
    if serving.here and serving.source != str(DEMO):  # found in this user's cache, where the service would not look
        environment["MEDSERVER_MODEL_PATH"] = serving.source
    python = Path(sys.executable)
    reads = (python, python.resolve(), Path(medserver.__file__), *_folders(environment))
    return Wish(python, environment, secrets, files, settings.port, reads)


def _folders(environment: Mapping[str, str]) -> Iterator[Path]:
    for name in ("MEDSERVER_MODEL_PATH", "MEDSERVER_ENGINE_PYTHON", "SSL_CERT_FILE"):
        if name in environment:
            yield Path(environment[name])


def written(value: object) -> str:
    """A value as the environment has it; what `config` parses it from."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def as_dotenv(wish: Wish) -> str:
    """Everything as one private `.env`, for systems that cannot hand over secrets in another way."""
    everything = {**wish.environment, **wish.secrets, **{name: str(path) for name, path in wish.files.items()}}
    return "".join(f"{name}={quoted(value)}\n" for name, value in sorted(everything.items()))


def quoted(value: str) -> str:
    """As systemd's EnvironmentFile and python-dotenv both read it.

    Raises:
        BadSetting: neither could.
    """
    if "'" in value or "\n" in value:
        # Not quoted: it may be a password.
        raise BadSetting("a value holds a quote or a new line, which a service's settings cannot")
    return f"'{value}'"


def unreadable(path: Path) -> Path | None:
    """What keeps other users from reading `path`: itself or a folder above it; None where they can."""
    for one in (path, *path.parents):
        try:
            mode = one.stat().st_mode
        except OSError:
            return one
        if not mode & (0o001 if one != path and one.is_dir() else 0o004):
            return one
    return None


def is_administrator() -> bool:
    return not hasattr(os, "geteuid") or os.geteuid() == 0
