"""`medserver download`: weights ahead of time, checked as they arrive; it does not serve them.

A file has its final name only once its hash was right, so a folder never holds a file that is half or wrong.
"""

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import Event

from medserver.hub import command, places
from medserver.hub.failures import HubFailure, changed_on_the_way, explain
from medserver.hub.fetch import GIVE_UP_SECONDS, fetch
from medserver.hub.listing import Listing, Source, listing_of
from medserver.hub.progress import Progress, amount
from medserver.hub.record import PARTIAL, File, Record, found_right
from medserver.hub.room import make_sure_of_room

AT_ONCE = 4  # files; one connection seldom fills a line

Seen = Callable[[int], None]
Told = Callable[[str, int, int], None]  # the stage, bytes done, bytes in all
# What a download does, in the order it does it; a page has words for each.
STAGES = ("checking", "download")


def main(argv: Sequence[str]) -> int:
    made = command.parser("download", "Fetch a model's weights ahead of time, go on where it was stopped, check them.")
    command.add_model(made, help="which model")
    made.add_argument("--revision", default="main", metavar="SHA", help="a commit or a branch (default: main)")
    made.add_argument("--to", type=Path, metavar="DIR", help="where to (default: the Hub's cache)")
    made.add_argument(
        "--give-up-after",
        type=float,
        default=GIVE_UP_SECONDS,
        metavar="SECONDS",
        help=f"how long to try while nothing arrives (default: {GIVE_UP_SECONDS})",
    )
    given = made.parse_args(argv)
    variant = command.variant(made, given.model)
    source = Source(variant.hub_id, given.revision, command.settings(made).get("hf_token"))

    def work() -> int:
        folder, record = download(source, given.to, given.give_up_after)
        total = amount(sum(file.size for file in record.files))
        print(f"{variant.name} is complete and checked: {len(record.files)} files, {total}")
        print(f"  {record.repo} at {record.commit}")
        print(f"  {folder}")
        print(f"Serve it with: medserver -m {variant.key} --model-path {folder}")
        return 0

    return command.ended(work)


def _to_nobody(stage: str, done: int, total: int) -> None:
    assert stage in STAGES


def download(source: Source, to: Path | None, give_up_seconds: float, told: Told = _to_nobody) -> tuple[Path, Record]:
    """Bring the files of `source` here; those that are here and right are left as they are.

    Raises:
        HubFailure: it did not work; what has arrived is gone on with the next time.
    """
    try:
        listing = listing_of(source)
        folder = (to or places.snapshot(source.repo, listing.commit)).expanduser().absolute()
        folder.mkdir(parents=True, exist_ok=True)
        with alone_in(folder) as unfinished:
            files = _Arrival(source, listing, folder, unfinished, give_up_seconds, told).files()
            record = Record(source.repo, source.revision, listing.commit, files).verified_now()
            record.write(folder)
            if to is None and source.revision != listing.commit:
                places.remember(source.repo, source.revision, listing.commit)
        shutil.rmtree(unfinished, ignore_errors=True)
    except (HubFailure, KeyboardInterrupt):
        raise
    except Exception as error:
        raise explain(error, source.asked) from error
    return folder, record


@contextmanager
def alone_in(folder: Path) -> Iterator[Path]:
    """Where files are until they are whole; two downloads must not write to one file."""
    from filelock import FileLock, Timeout  # what huggingface_hub locks its cache with

    unfinished = folder / PARTIAL
    unfinished.mkdir(exist_ok=True)
    try:
        with FileLock(unfinished / "lock", timeout=0):
            yield unfinished
    except Timeout:
        raise HubFailure("busy", f"Another download to {folder} is running. Wait for it, or name another.") from None


class _Arrival:
    """The files of one listing on their way to one folder."""

    def __init__(
        self, source: Source, listing: Listing, folder: Path, unfinished: Path, give_up_seconds: float, told: Told
    ):
        self._source, self._listing = source, listing
        self._folder, self._unfinished = folder, unfinished
        self._give_up_seconds = give_up_seconds
        self._told = told
        self._halt = Event()

    def files(self) -> tuple[File, ...]:
        """All files, once they are here and right, each with its SHA-256."""
        found = self._here()
        wanted = [file for file in self._listing.files if file.path not in found]
        if wanted:
            make_sure_of_room(self._folder, sum(file.size - self._arrived(file) for file in wanted))
            found |= self._fetched(wanted)
        return tuple(found[file.path] for file in self._listing.files)

    def _here(self) -> dict[str, File]:
        candidates = [file for file in self._listing.files if (self._folder / file.path).is_file()]
        if not candidates:
            return {}
        total, told = sum(file.size for file in candidates), partial(self._told, "checking")
        with Progress("Checking what is here", total, told=told) as progress:
            checked = ((file, found_right(self._folder / file.path, file, progress.add)) for file in candidates)
            return {file.path: _with(file, sha256) for file, sha256 in checked if sha256}

    def _fetched(self, wanted: list[File]) -> dict[str, File]:
        total = sum(file.size for file in wanted)
        done = sum(self._arrived(file) for file in wanted)
        first, *others = wanted
        with Progress("Downloading", total, done=done, told=partial(self._told, "download")) as progress:
            found = {first.path: self._one(first, progress.add)}  # alone: a refusal is then said once
            with ThreadPoolExecutor(AT_ONCE) as pool:
                running = [pool.submit(self._one, file, progress.add) for file in others]
                try:
                    for arrived in as_completed(running):
                        file = arrived.result()
                        found[file.path] = file
                except BaseException:
                    self._halt.set()
                    pool.shutdown(cancel_futures=True)
                    raise
        return found

    def _one(self, file: File, seen: Seen) -> File:
        part = self._part(file)
        fetch(
            self._source,
            self._listing.commit,
            file,
            part,
            seen=seen,
            halt=self._halt,
            give_up_seconds=self._give_up_seconds,
        )
        part.touch()  # an empty file is never asked for
        sha256 = found_right(part, file, lambda _: None)
        if sha256 is None:
            part.unlink()
            raise changed_on_the_way(file.path, "did not arrive as the Hub keeps it")
        target = self._folder / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(part, target)
        return _with(file, sha256)

    def _part(self, file: File) -> Path:
        """Named by its content too, so that another commit's file is never gone on with."""
        return self._unfinished / f"{file.path} {file.hub}".replace("/", "-").replace(":", "-")

    def _arrived(self, file: File) -> int:
        part = self._part(file)
        return part.stat().st_size if part.exists() else 0


def _with(file: File, sha256: str) -> File:
    return File(file.path, file.size, file.hub, sha256)
