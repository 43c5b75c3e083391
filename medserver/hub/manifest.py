"""What a bundle holds: every file with its SHA-256, and how to install it; it does not know how one is made.

The manifest is not signed: whoever can change a bundle can write it anew. So its own SHA-256 is shown when a bundle is
made and when it is verified, to be compared by another way than the bundle itself took.
"""

import hashlib
import json
from dataclasses import asdict, dataclass

from medserver.hub.failures import HubFailure
from medserver.hub.record import File, safe

NAME = "medserver-bundle.json"
WEIGHTS, WHEELS, STEPS, SUMS = "weights", "wheels", "INSTALL.txt", "SHA256SUMS"


@dataclass(frozen=True, slots=True)
class Manifest:
    """`platform` and `python` are those of the wheels; None where there are none. Paths are inside the bundle."""

    model: str
    repo: str
    commit: str
    medserver: str
    platform: str | None
    python: str | None
    files: tuple[File, ...]

    def to_bytes(self) -> bytes:
        said = asdict(self) | {"files": [{"path": f.path, "size": f.size, "sha256": f.sha256} for f in self.files]}
        return (json.dumps({"format": 1, **said}, indent=1) + "\n").encode()

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)


def parsed(text: bytes, where: str) -> Manifest:
    """Read a manifest.

    Raises:
        HubFailure: it is none.
    """
    try:
        said = json.loads(text)
        files = tuple(File(safe(one["path"]), int(one["size"]), "", str(one["sha256"])) for one in said.pop("files"))
        said.pop("format")
        return Manifest(**said, files=files)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise HubFailure("no_record", f"{where} holds a {NAME} that cannot be read: it is damaged.") from None


def fingerprint(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


def sums(files: tuple[File, ...]) -> bytes:
    """The same for `sha256sum -c`, which is on a machine before MedServer is."""
    return "".join(f"{file.sha256}  {file.path}\n" for file in files).encode()


def steps(model: str, platform: str | None, python: str | None) -> bytes:
    """How to install from the folder that this lies in, for the shell of the platform."""
    windows = bool(platform) and platform.startswith("win")
    check = _CHECK_POWERSHELL if windows else "sha256sum --check --quiet SHA256SUMS"
    install = f"{'install.bat --into' if windows else 'bash install.sh --into'} ../medserver"
    serve = "cd ../medserver; .venv/{}/medserver".format("Scripts" if windows else "bin")
    then = [
        f"2. Install it into a folder beside this one. Python {python} is needed; the wheels are for {platform}:",
        "",
        f"   {install}",
        "",
        "3. Serve it. No network is asked from then on:",
        "",
        f"   {serve} -m {model}",
    ]
    without = [
        "2. This bundle holds weights only. Where MedServer is installed, bring them in, or serve them from here:",
        "",
        "   medserver unpack .",
        f"   medserver -m {model} --model-path weights",
    ]
    lines = [
        "How to install this where there is no network. All commands are meant for this folder.",
        "",
        "1. Check that everything has arrived as it was packed (no output is good):",
        "",
        f"   {check}",
        "",
        *(then if python else without),
        "",
    ]
    return "\n".join(lines).encode()


_CHECK_POWERSHELL = (
    "Get-Content SHA256SUMS | ForEach-Object { $hash, $file = $_ -split '  ', 2; "
    'if ((Get-FileHash $file).Hash -ne $hash) { "wrong: $file" } }'
)
