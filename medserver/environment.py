"""The settings that the environment, a `.env` and systemd's credentials name."""

import os
from collections.abc import Mapping
from dataclasses import Field, fields
from pathlib import Path
from typing import Any

from medserver.config import Settings
from medserver.parse import BadSetting

ENV_PREFIX = "MEDSERVER_"
# What others than we read from the environment; in .env it counts as well.
ADOPTED = ("HF_HOME", "HF_HUB_OFFLINE", "HF_ENDPOINT", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "SSL_CERT_FILE")


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
