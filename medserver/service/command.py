"""`medserver service install|status|uninstall`: writes what the system's own starter reads, and asks it to act."""

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path, PureWindowsPath
from types import ModuleType

from medserver.access import ledger
from medserver.config import Settings
from medserver.parse import BadSetting
from medserver.service import launchd, systemd, windows
from medserver.service.wish import Wish, is_administrator, unreadable, wish_for

SYSTEMS = {"systemd": systemd, "launchd": launchd, "windows": windows}
_HERE = {"darwin": "launchd", "win32": "windows"}
NOT_INSTALLED = 4  # as systemctl has it for a unit it does not know

ReadSettings = Callable[[Sequence[str]], Settings]


def main(argv: Sequence[str], read_settings: ReadSettings) -> int:
    made = argparse.ArgumentParser(
        prog="medserver service",
        description="Start MedServer with this machine. install takes the flags of serving as well.",
        allow_abbrev=False,
    )
    made.add_argument("action", choices=("install", "status", "uninstall"))
    made.add_argument("--for", dest="system", choices=SYSTEMS, default=_HERE.get(sys.platform, "systemd"))
    made.add_argument("--to", type=Path, metavar="DIR", help="install: write the files under DIR and start nothing")
    made.add_argument("--purge", action="store_true", help="uninstall: its keys and sessions too")
    given, flags = made.parse_known_args(argv)
    system = SYSTEMS[given.system]
    try:
        if given.action == "install":
            return _install(system, wish_for(read_settings(flags), os.environ), given.to)
        if flags:
            made.error(f"unknown flag: {flags[0]}")
        return _status(system) if given.action == "status" else _uninstall(system, given.purge)
    except (BadSetting, PermissionError) as problem:
        print(f"medserver: {problem}", file=sys.stderr)
        return 2


def _install(system: ModuleType, wish: Wish, to: Path | None) -> int:
    if to is None:
        if system is systemd:
            _refuse_unreadable(wish)
        _must_be_administrator("install")
    for path, (text, mode) in system.files(wish).items():
        _write(_under(to, path), text, mode)
        print(_under(to, path))
    if to is not None:
        print(f"They start {wish.python}: change that where MedServer lies elsewhere.")
        return 0
    if not _ran(system.START):
        print("medserver: The files are written, but the service did not start; the reason is above.", file=sys.stderr)
        return 1
    print(f"MedServer runs, and starts with this machine. Its log: {system.LOG}")
    return 0


def _refuse_unreadable(wish: Wish) -> None:
    """Its user is nobody's: what only its owner can read, it cannot."""
    for path in wish.reads:
        if closed := unreadable(path):
            raise BadSetting(
                f"the service's own user could not read {path}, since {closed} is closed to others. Install "
                "MedServer and its weights where all may read, such as /opt/medserver and /srv/weights."
            )


def _status(system: ModuleType) -> int:
    if not system.UNIT.is_file():
        print("MedServer is not installed as a service. medserver service install does it.")
        return NOT_INSTALLED
    try:
        return subprocess.run(system.STATUS).returncode
    except FileNotFoundError as missing:
        _say_missing(missing)
        return 1


def _uninstall(system: ModuleType, purge: bool) -> int:
    if not system.UNIT.is_file():
        print("MedServer is not installed as a service.")
        return 0
    _must_be_administrator("uninstall")
    _ran(system.STOP)
    system.UNIT.unlink()
    if system is systemd:
        shutil.rmtree(systemd.SETTINGS.parent, ignore_errors=True)
        kept = [systemd.CACHE, systemd.LOGS]
        if purge:
            _remove_state(systemd.STATE)
        else:
            kept.append(systemd.STATE)
    else:
        (system.HOME / ".env").unlink(missing_ok=True)
        if purge:
            (system.HOME / ledger.NAME).unlink(missing_ok=True)
            shutil.rmtree(system.HOME / "tls", ignore_errors=True)
        kept = [system.HOME]
    _ran(system.AFTER)
    print("The service is removed.", *(f"{path} stays." for path in kept if path.exists()), sep="\n")
    return 0


def _remove_state(state: Path) -> None:
    """The folder of a user that exists only while the service runs is a link into a private one."""
    shutil.rmtree(state.resolve(), ignore_errors=True)
    if state.is_symlink():
        state.unlink()


def _must_be_administrator(action: str) -> None:
    if not is_administrator():
        raise BadSetting(f"only the administrator may do this: sudo {sys.executable} -m medserver service {action}")


def _under(root: Path | None, path: Path) -> Path:
    """Without a drive's letter too, since its colon is no part of a name on a stick."""
    inside = PureWindowsPath(path)
    return root / inside.relative_to(inside.anchor).as_posix() if root else path


def _write(path: Path, text: str, mode: int) -> None:
    """Under another name first, and closed before anything is in it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as opened:
        opened.write(text)
    os.replace(fresh, path)


def _ran(commands: Sequence[Sequence[str]]) -> bool:
    try:
        return all(subprocess.run(command).returncode == 0 for command in commands)
    except FileNotFoundError as missing:
        _say_missing(missing)
        return False


def _say_missing(starter: FileNotFoundError) -> None:
    print(f"medserver: {starter.filename} is not on this machine", file=sys.stderr)
