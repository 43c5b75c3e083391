"""Whether a disk has room for what is to be written; asked before anything is."""

import shutil
from pathlib import Path

from medserver.hub.failures import HubFailure
from medserver.hub.progress import amount

HEADROOM = 50_000_000  # bytes left free beside what is written


def make_sure_of_room(folder: Path, size: int) -> None:
    """Refuse to begin what would not fit into the disk that holds `folder`.

    Raises:
        HubFailure: `size` bytes do not.
    """
    need, free = size + HEADROOM, shutil.disk_usage(folder).free
    if need > free:
        raise HubFailure(
            "disk_full",
            f"{amount(need)} are needed and {amount(free)} are free in {folder}. Free some, or name another place "
            "with --to DIR.",
        )
