"""Windows: a task of the scheduler that starts with the machine, and the `.env` in the folder it runs in."""

import os
from pathlib import Path
from xml.etree import ElementTree

from medserver.service.wish import Wish, as_dotenv

NAME = "MedServer"
HOME = Path(os.environ.get("PROGRAMDATA", "C:/ProgramData")) / "MedServer"
UNIT = HOME / "medserver-task.xml"
LOG_FILE = HOME / "medserver.log"
_SCHEMA = "http://schemas.microsoft.com/windows/2004/02/mit/task"
_LOCAL_SERVICE = "S-1-5-19"  # may do little on this machine, and is nobody in the network


def files(wish: Wish) -> dict[Path, tuple[str, int]]:
    """What is written where, and with which mode."""
    usual = f"MEDSERVER_LOG_FILE='{LOG_FILE}'\nMEDSERVER_STATE_DIR='{HOME}'\nHF_HOME='{HOME}'\n"
    return {UNIT: (task(wish), 0o644), HOME / ".env": (usual + as_dotenv(wish), 0o600)}


def task(wish: Wish) -> str:
    ElementTree.register_namespace("", _SCHEMA)
    command, *arguments = wish.command
    root = _element("Task", version="1.4")
    _at(root, "RegistrationInfo", Description="MedServer: MedGemma for this building")
    _at(_at(root, "Triggers"), "BootTrigger", Enabled="true")
    principal = _at(_at(root, "Principals"), "Principal", UserId=_LOCAL_SERVICE, RunLevel="LeastPrivilege")
    principal.set("id", "Author")
    settings = _at(root, "Settings", MultipleInstancesPolicy="IgnoreNew", DisallowStartIfOnBatteries="false")
    _at(settings, "RestartOnFailure", Interval="PT1M", Count="999")
    for name, text in {"StopIfGoingOnBatteries": "false", "ExecutionTimeLimit": "PT0S", "Enabled": "true"}.items():
        _at(settings, name).text = text
    _at(_at(root, "Actions"), "Exec", Command=command, Arguments=" ".join(arguments), WorkingDirectory=str(HOME))
    # Not the library's own declaration: on Windows that names the system's encoding, and the file is written in UTF-8.
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode")


def _element(name: str, **attributes: str) -> ElementTree.Element:
    return ElementTree.Element(f"{{{_SCHEMA}}}{name}", attributes)


def _at(parent: ElementTree.Element, name: str, **texts: str) -> ElementTree.Element:
    """A new element inside `parent`, with one of its own for each text."""
    made = _element(name)
    parent.append(made)
    for child, text in texts.items():
        _at(made, child).text = text
    return made


# LocalService must be able to read its folder and to write its log there; everybody else loses the right to read.
_GRANT = ("icacls", str(HOME), "/inheritance:r", "/grant:r", "*S-1-5-19:(OI)(CI)M", "*S-1-5-32-544:(OI)(CI)F")
START = (
    (*_GRANT, "*S-1-5-18:(OI)(CI)F"),
    ("schtasks", "/Create", "/F", "/TN", NAME, "/XML", str(UNIT)),
    ("schtasks", "/Run", "/TN", NAME),
)
STOP = (("schtasks", "/End", "/TN", NAME), ("schtasks", "/Delete", "/F", "/TN", NAME))
AFTER = ()
STATUS = ("schtasks", "/Query", "/V", "/FO", "LIST", "/TN", NAME)
LOG = f'Get-Content -Wait "{LOG_FILE}"'
