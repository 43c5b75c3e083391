"""`medserver verify`: a folder of weights, or a bundle, against what was recorded; nothing is fetched or mended."""

import contextlib
import sys
import tarfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from medserver.hub import command, manifest, record
from medserver.hub.failures import HubFailure
from medserver.hub.manifest import Manifest
from medserver.hub.progress import Progress, amount
from medserver.hub.record import File, Record

# What other programs leave in a folder of weights; nothing of it is ever loaded.
_OTHERS = (".cache", ".git", record.PARTIAL)


@dataclass(frozen=True, slots=True)
class Findings:
    """What was looked at, and the names of the files that are not as they were recorded."""

    checked: int
    missing: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        return not (self.missing or self.changed or self.extra)

    def lines(self) -> list[str]:
        groups = (("missing", self.missing), ("changed", self.changed), ("not recorded", self.extra))
        return [f"  {what}: {name}" for what, names in groups for name in names]


def main(argv: Sequence[str]) -> int:
    made = command.parser("verify", "Check the SHA-256 of every file of a model, or of a bundle.")
    command.add_model(made, help="the model in the Hub's cache")
    made.add_argument("path", nargs="?", type=Path, metavar="PATH", help="a folder of weights, or a bundle")
    given = made.parse_args(argv)
    if given.path and given.model:
        made.error("name either a model (-m 4) or a PATH")
    variant = None if given.path else command.variant(made, given.model)
    return command.ended(lambda: _verified(given.path or command.cached(variant)))


def _verified(path: Path) -> int:
    if not path.exists():
        raise HubFailure("no_record", f"{path} does not exist.")
    if path.is_file() or (path / manifest.NAME).is_file():
        return _verified_bundle(path)
    written = record.read(path)
    findings = check(path, written.files, record.NAME)
    if findings.clean:
        _note(path, written)
        said = f"as {written.repo} has them at {written.commit}"
        print(f"{path}\n  {findings.checked} files, {amount(sum(file.size for file in written.files))}, {said}")
        return 0
    mending = f"medserver download -m MODEL --to {path} mends missing and changed files."
    return _refused(path, findings, f"{mending} What is not recorded is for you to take away.")


def _verified_bundle(path: Path) -> int:
    text = manifest_of(path)
    packed = manifest.parsed(text, str(path))
    findings = check_bundle(path, packed)
    if not findings.clean:
        mending = "carry it over again" if findings.missing or findings.changed else "take away what is not recorded"
        return _refused(path, findings, f"Do not install it: {mending}.")
    wheels = f"wheels for {packed.platform}, Python {packed.python}" if packed.python else "no wheels"
    print(f"{path}\n  {packed.repo} at {packed.commit}; MedServer {packed.medserver}, {wheels}")
    print(f"  {findings.checked} files, {amount(packed.size)}, all as packed")
    print(f"  SHA-256 of its manifest: {manifest.fingerprint(text)} (compare it with what medserver bundle said)")
    return 0


def _refused(path: Path, findings: Findings, advice: str) -> int:
    print(f"{path} is not as it was recorded:", *findings.lines(), advice, sep="\n", file=sys.stderr)
    return 1


def _note(path: Path, written: Record) -> None:
    with contextlib.suppress(OSError):  # read-only weights are as good as any
        written.verified_now().write(path)


def check(folder: Path, files: Sequence[File], recorded_in: str) -> Findings:
    """Read every file that is recorded, and look for those that are not."""
    known = {file.path for file in files} | {recorded_in}
    extra = tuple(sorted(name for name in _names(folder) if name not in known))
    missing = tuple(file.path for file in files if not (folder / file.path).is_file())
    present = [file for file in files if file.path not in missing]
    with Progress("Checking", sum(file.size for file in present)) as progress:
        changed = tuple(file.path for file in present if not _as_recorded(folder / file.path, file, progress.add))
    return Findings(len(present), missing, changed, extra)


def _names(folder: Path) -> Iterator[str]:
    for file in folder.rglob("*"):
        inside = file.relative_to(folder)
        if inside.parts[0] not in _OTHERS and (file.is_file() or file.is_symlink()):
            yield inside.as_posix()


def _as_recorded(at: Path, file: File, seen: Callable[[int], None]) -> bool:
    return at.stat().st_size == file.size and record.sha256_of(at, seen) == file.sha256


def manifest_of(path: Path) -> bytes:
    """The manifest's own bytes, out of a folder or a tar.

    Raises:
        HubFailure: there is none.
    """
    try:
        if path.is_dir():
            return (path / manifest.NAME).read_bytes()
        with tarfile.open(path, "r:") as tar:
            first = tar.next()
            if first and first.isreg() and first.name.endswith(f"/{manifest.NAME}"):
                return tar.extractfile(first).read()
    except (OSError, tarfile.TarError):
        pass
    raise HubFailure("no_record", f"{path} is no bundle, or its beginning is damaged.")


def check_bundle(path: Path, packed: Manifest) -> Findings:
    """Everything in a bundle against its manifest, a tar without unpacking it."""
    return check(path, packed.files, manifest.NAME) if path.is_dir() else _check_tar(path, packed)


def _check_tar(path: Path, packed: Manifest) -> Findings:
    known = {file.path: file for file in packed.files}
    seen, changed, extra = set(), [], []
    with Progress("Checking", packed.size) as progress:
        for name, entry, tar in entries_of(path):
            if name in seen or name not in known or not entry.isreg():
                extra.append(name)  # a second file of a name would take the place of the first
                continue
            seen.add(name)
            if entry.size != known[name].size or _digest(tar, entry, progress.add) != known[name].sha256:
                changed.append(name)
    missing = tuple(name for name in known if name not in seen)
    return Findings(len(seen), missing, tuple(changed), tuple(extra))


def entries_of(path: Path) -> Iterator[tuple[str, tarfile.TarInfo, tarfile.TarFile]]:
    """What follows the manifest in a tar, by its name inside the bundle; a torn tar just ends."""
    with contextlib.suppress(tarfile.TarError, EOFError), tarfile.open(path, "r:") as tar:
        first = tar.next()
        folder = first.name.removesuffix(manifest.NAME)
        while entry := tar.next():
            inside = entry.name.startswith(folder)
            yield entry.name.removeprefix(folder) if inside else entry.name, entry, tar


def _digest(tar: tarfile.TarFile, entry: tarfile.TarInfo, seen: Callable[[int], None]) -> str | None:
    try:
        with tar.extractfile(entry) as opened:
            return record.digest(opened, seen)
    except (OSError, tarfile.TarError):
        return None
