"""The machine that wheels are for, to pip: which requirements there are at all is decided as that machine would.

`pip download --platform` picks another machine's wheels, but asks this one whether `; sys_platform == "win32"` or
`; python_version < "3.11"` holds, so that a bundle for elsewhere would lack a wheel or be refused for one too many. Run
as a program it is pip itself, with the one function exchanged that says how this machine is.
"""

import platform as here
import re
import runpy
import sys
from importlib import import_module

_SYSTEMS = {"win": ("nt", "win32", "Windows"), "mac": ("posix", "darwin", "Darwin")}
_LINUX = ("posix", "linux", "Linux")
# What comes before the processor in a wheel's platform.
_SYSTEM = re.compile(r"(?:win_?|macosx_\d+_\d+_|(?:many|musl)?linux(?:_\d+_\d+|\d+)?_)")


def differences(platform: str, python: str) -> dict[str, str]:
    """What the markers of requirements say there, as far as the two names tell (the language is PEP 508's)."""
    os_name, sys_platform, system = _SYSTEMS.get(platform[:3], _LINUX)
    said = {
        "os_name": os_name,
        "sys_platform": sys_platform,
        "platform_system": system,
        "platform_machine": _machine(platform),
        "python_version": python,
    }
    if python != ".".join(here.python_version_tuple()[:2]):
        said["python_full_version"] = f"{python}.0"
    return said


def _machine(platform: str) -> str:
    if platform == "win32":
        return "x86"
    machine = _SYSTEM.sub("", platform, count=1)
    return machine.upper() if platform.startswith("win") else machine


def main(platform: str, python: str, *argv: str) -> None:
    markers = import_module("pip._vendor.packaging.markers")
    said = {**markers.default_environment(), **differences(platform, python)}
    markers.default_environment = lambda: dict(said)
    sys.argv = ["pip", *argv]
    runpy.run_module("pip", run_name="__main__")


if __name__ == "__main__":
    main(*sys.argv[1:])
