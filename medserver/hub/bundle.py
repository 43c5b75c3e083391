"""`medserver bundle`: one carryable thing for a machine that never sees a network; it does not install it.

It is written under another name and checked as a whole before it gets its own, so that half a bundle is never taken
for one.
"""

import io
import os
import shutil
import sys
import tarfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from medserver import __version__
from medserver.hub import command, manifest, record, wheels
from medserver.hub.failures import HubFailure
from medserver.hub.manifest import Manifest
from medserver.hub.progress import Progress, amount
from medserver.hub.record import File
from medserver.hub.room import make_sure_of_room
from medserver.hub.verify import check_bundle
from medserver.models import Variant

FOLDER = "medserver-bundle"  # what a tar unpacks to


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be packed: `python` None leaves the wheels out; `extra`: requirements beside MedServer's own."""

    variant: Variant
    weights: Path
    to: Path
    platform: str | None
    python: str | None
    extra: tuple[str, ...] = ()

    @property
    def as_tar(self) -> bool:
        return self.to.suffix == ".tar"


def main(argv: Sequence[str]) -> int:
    made = command.parser("bundle", "Pack weights and wheels for a machine without a network.")
    command.add_model(made, help="which model")
    made.add_argument("--to", type=Path, required=True, metavar="FILE_OR_DIR", help="a new folder, or NAME.tar")
    made.add_argument("--from", type=Path, dest="weights", metavar="DIR", help="its weights (default: Hub's cache)")
    made.add_argument("--no-wheels", action="store_true", help="weights only")
    made.add_argument("--platform", default=wheels.this_platform(), help="of the wheels (default: %(default)s)")
    made.add_argument("--python", default=wheels.this_python(), help="of the wheels (default: %(default)s)")
    made.add_argument("--with", dest="extra", action="append", default=[], metavar="REQUIREMENT", help="one more wheel")
    given = made.parse_args(argv)
    variant = command.variant(made, given.model)
    target = (None, None) if given.no_wheels else (given.platform, given.python)

    def work() -> int:
        weights = (given.weights or command.cached(variant)).absolute()
        wish = Wish(variant, weights, given.to.absolute(), *target, tuple(given.extra))
        packed = bundle(wish)
        print(f"{wish.to}\n  {len(packed.files)} files, {amount(packed.size)}, checked")
        print(f"  SHA-256 of its manifest: {manifest.fingerprint(packed.to_bytes())}")
        print(f"Carry it over and follow {manifest.STEPS} in it.")
        return 0

    return command.ended(work)


def bundle(wish: Wish) -> Manifest:
    """Pack it.

    Raises:
        HubFailure: the weights are not whole, pip had no wheels, or the disk is full.
    """
    if wish.to.exists():
        raise HubFailure("not_writable", f"{wish.to} is there already. Name a new one with --to, or take it away.")
    written = record.read(wish.weights)
    wish.to.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=wish.to.parent, prefix=".medserver-wheels-") as staging:
        if wish.python:
            wheels.gather(Path(staging, manifest.WHEELS), wish.platform, wish.python, wish.extra)
        sources, packed = _inventory(wish, written, Path(staging))
        make_sure_of_room(wish.to.parent, packed.size)
        with _unfinished(wish.to) as target:
            with Progress("Writing", packed.size) as progress:
                (_write_tar if wish.as_tar else _write_folder)(target, packed, sources, progress.add)
            findings = check_bundle(target, packed)
            if not findings.clean:
                print(*findings.lines(), sep="\n", file=sys.stderr)
                why = "What was written is not what was read; the files are named above."
                raise HubFailure(
                    "wrong_checksum", f"{why} medserver verify {wish.weights} tells whether they are whole."
                )
            os.replace(target, wish.to)
    return packed


def _inventory(wish: Wish, written: record.Record, staging: Path) -> tuple[dict[str, Path | bytes], Manifest]:
    """Where each file of the bundle comes from, and the manifest of all of them."""
    sources: dict[str, Path | bytes] = {}
    files: list[File] = []

    def add(name: str, source: Path | bytes, sha256: str | None = None) -> None:
        size = len(source) if isinstance(source, bytes) else source.stat().st_size
        sources[name] = source
        files.append(File(name, size, "", sha256 or _sha256(source)))

    for file in written.files:
        at = wish.weights / file.path
        if not at.is_file() or at.stat().st_size != file.size:
            raise HubFailure("wrong_checksum", f"{file.path} is not whole. medserver download mends it.")
        add(f"{manifest.WEIGHTS}/{file.path}", at, file.sha256)
    add(f"{manifest.WEIGHTS}/{record.NAME}", (wish.weights / record.NAME).read_bytes())
    for wheel in sorted(staging.glob(f"{manifest.WHEELS}/*.whl")):
        add(f"{manifest.WHEELS}/{wheel.name}", wheel)
    for name, script in wheels.installer(wish.platform).items() if wish.python else ():
        add(name, script)
    add(manifest.STEPS, manifest.steps(wish.variant.key, wish.platform, wish.python))
    add(manifest.SUMS, manifest.sums(tuple(files)))
    packed = Manifest(
        wish.variant.key, written.repo, written.commit, __version__, wish.platform, wish.python, tuple(files)
    )
    return sources, packed


def _sha256(source: Path | bytes) -> str:
    return manifest.fingerprint(source) if isinstance(source, bytes) else record.sha256_of(source, lambda _: None)


@contextmanager
def _unfinished(target: Path) -> Iterator[Path]:
    """Another name beside the target; what lies there when this ends did not become a bundle."""
    unfinished = target.with_name(f"{target.name}.unfinished")
    _remove(unfinished)
    try:
        yield unfinished
    finally:
        _remove(unfinished)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _write_folder(
    target: Path, packed: Manifest, sources: dict[str, Path | bytes], seen: Callable[[int], None]
) -> None:
    for name, source in sources.items():
        at = target / name
        at.parent.mkdir(parents=True, exist_ok=True)
        with _opened(source) as reading, at.open("wb") as writing:
            for piece in record.pieces(reading, seen):
                writing.write(piece)
    (target / manifest.NAME).write_bytes(packed.to_bytes())


def _write_tar(target: Path, packed: Manifest, sources: dict[str, Path | bytes], seen: Callable[[int], None]) -> None:
    """Not compressed, since weights do not shrink; the manifest first, so that it is there even of a torn one."""
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as tar:
        for name, source in {manifest.NAME: packed.to_bytes(), **sources}.items():
            entry = tarfile.TarInfo(f"{FOLDER}/{name}")
            entry.size = len(source) if isinstance(source, bytes) else source.stat().st_size
            entry.mode = 0o644
            with _opened(source) as reading:  # the manifest is not among the files it counts
                tar.addfile(entry, reading if name == manifest.NAME else _Told(reading, seen))


class _Told(io.RawIOBase):
    """A file whose reader's progress is told."""

    def __init__(self, reading, seen: Callable[[int], None]):
        self._reading, self._seen = reading, seen

    def read(self, size: int = -1) -> bytes:
        piece = self._reading.read(size)
        self._seen(len(piece))
        return piece


def _opened(source: Path | bytes):
    return io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")
