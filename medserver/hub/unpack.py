"""`medserver unpack`: the weights of a bundle onto this machine, each file checked as it is written.

They go where a server finds them without being told; it does not install MedServer, and asks no network.
"""

import hashlib
import os
import shutil
import tarfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from medserver.hub import command, manifest, places, record
from medserver.hub.download import alone_in
from medserver.hub.failures import HubFailure
from medserver.hub.manifest import Manifest
from medserver.hub.progress import Progress
from medserver.hub.record import File
from medserver.hub.room import make_sure_of_room
from medserver.hub.verify import entries_of, manifest_of


def main(argv: Sequence[str]) -> int:
    made = command.parser("unpack", "Bring the weights of a bundle onto this machine, checked.")
    made.add_argument("bundle", type=Path, metavar="BUNDLE", help="a folder or a .tar that medserver bundle made")
    made.add_argument("--to", type=Path, metavar="DIR", help="where to (default: the Hub's cache)")
    given = made.parse_args(argv)

    def work() -> int:
        packed = manifest.parsed(manifest_of(given.bundle), str(given.bundle))
        folder = unpack(given.bundle, packed, given.to)
        where = f" --model-path {folder}" if given.to else ""
        print(f"{packed.repo} at {packed.commit}, complete and checked\n  {folder}")
        print(f"Serve it with: medserver -m {packed.model}{where}")
        return 0

    return command.ended(work)


def unpack(bundle: Path, packed: Manifest, to: Path | None) -> Path:
    """Write the weights that `packed` lists; files that are there and right are left as they are.

    Raises:
        HubFailure: one is missing or is not as it was packed, or the disk is full.
    """
    weights = {file.path: file for file in packed.files if file.path.startswith(f"{manifest.WEIGHTS}/")}
    folder = (to or places.snapshot(packed.repo, packed.commit)).expanduser().absolute()
    folder.mkdir(parents=True, exist_ok=True)
    with alone_in(folder) as unfinished:
        wanted = {path: file for path, file in weights.items() if not _is_right(_target(folder, path), file)}
        make_sure_of_room(folder, sum(file.size for file in wanted.values()))
        _write_all(bundle, wanted, unfinished, folder)
    shutil.rmtree(unfinished, ignore_errors=True)
    if to is None:
        places.remember(packed.repo, "main", packed.commit)
    return folder


def _target(folder: Path, path: str) -> Path:
    return folder / PurePosixPath(path).relative_to(manifest.WEIGHTS)


def _is_right(at: Path, file: File) -> bool:
    return at.is_file() and at.stat().st_size == file.size and record.sha256_of(at, lambda _: None) == file.sha256


def _write_all(bundle: Path, wanted: dict[str, File], unfinished: Path, folder: Path) -> None:
    """Each gets its name once it is right, and the record last: it says that the others are."""
    missing, recorded = set(wanted), None
    with Progress("Writing", sum(file.size for file in wanted.values())) as progress:
        for path, opened in _opened(bundle, wanted):
            part, target = _written(opened, wanted[path], unfinished, progress.add), _target(folder, path)
            missing.discard(path)
            if target.name == record.NAME:
                recorded = part
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(part, target)
    if missing:
        raise HubFailure("wrong_checksum", f"The bundle is torn: {min(missing)} is missing. Carry it over again.")
    if recorded:
        os.replace(recorded, folder / record.NAME)


def _opened(bundle: Path, wanted: dict[str, File]) -> Iterator[tuple[str, BinaryIO]]:
    """The wanted files that the bundle has, each open."""
    if bundle.is_dir():
        for path in wanted:
            if (bundle / path).is_file():
                with (bundle / path).open("rb") as opened:
                    yield path, opened
        return
    for path, entry, tar in entries_of(bundle):
        if path in wanted and entry.isreg():
            with tar.extractfile(entry) as opened:
                yield path, opened


def _written(opened: BinaryIO, file: File, unfinished: Path, seen: Callable[[int], None]) -> Path:
    """A file under another name, once it was found right."""
    part, found = unfinished / file.path.replace("/", "-"), hashlib.sha256()
    with part.open("wb") as writing:
        try:
            for piece in record.pieces(opened, seen):
                writing.write(piece)
                found.update(piece)
        except tarfile.TarError:  # a torn end; what was read does not match then
            pass
    if found.hexdigest() != file.sha256:
        part.unlink()
        raise HubFailure("wrong_checksum", f"{file.path} is not as it was packed. Carry the bundle over again.")
    return part
