"""macOS: the property list, and the private `.env` in the folder it runs in."""

import plistlib
from pathlib import Path

from medserver.service.wish import Wish, as_dotenv

LABEL = "org.medserver"
UNIT = Path("/Library/LaunchDaemons/org.medserver.plist")
HOME = Path("/Library/Application Support/MedServer")
LOG_FILE = HOME / "medserver.log"


def files(wish: Wish) -> dict[Path, tuple[str, int]]:
    """What is written where, and with which mode."""
    usual = f"MEDSERVER_LOG_FILE='{LOG_FILE}'\nMEDSERVER_STATE_DIR='{HOME}'\nHF_HOME='{HOME}'\n"
    return {UNIT: (plist(wish), 0o644), HOME / ".env": (usual + as_dotenv(wish), 0o600)}


def plist(wish: Wish) -> str:
    described = {
        "Label": LABEL,
        "ProgramArguments": wish.command,
        "WorkingDirectory": str(HOME),
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ThrottleInterval": 5,
        "ExitTimeOut": 30,
        "Umask": 0o077,
        "ProcessType": "Interactive",  # answers are waited for: no throttling of processor and disk
    }
    return plistlib.dumps(described).decode()


START = (("launchctl", "bootstrap", "system", str(UNIT)),)
STOP = (("launchctl", "bootout", f"system/{LABEL}"),)
AFTER = ()
STATUS = ("launchctl", "print", f"system/{LABEL}")
LOG = f'tail -F "{LOG_FILE}"'
