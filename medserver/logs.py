"""What is logged, and by whom: only our own lines, which never hold what a patient could be known by.

A library's line may quote a request, a path or an exception's text, so none gets through.
"""

import logging
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from pathlib import Path

FORMAT = "%(levelname)s %(name)s: %(message)s"
FILE_BYTES, FILES = 10_000_000, 5


def configure(level: str, file: Path | None = None) -> None:
    """Log to standard error from `level` on, and to `file`; called once in each process."""
    logging.basicConfig(level=level.upper(), format=FORMAT)
    if file:
        logging.getLogger().addHandler(_rotated(file))
    _let_through_ours_only()


def relay(level: str, tell: Callable[[logging.LogRecord], None]) -> None:
    """Hand every line to `tell`: another process logs for this one, so that a file has one writer."""
    handler = logging.Handler()
    handler.emit = tell
    logging.basicConfig(level=level.upper(), handlers=[handler])
    _let_through_ours_only()


def _let_through_ours_only() -> None:
    for handler in logging.getLogger().handlers:
        handler.addFilter(lambda record: record.name.split(".")[0] == "medserver")


def _rotated(file: Path) -> RotatingFileHandler:
    """For systems without a journal, which would note the time and keep the size within bounds."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handler = RotatingFileHandler(file, maxBytes=FILE_BYTES, backupCount=FILES - 1, encoding="utf-8", delay=True)
    handler.setFormatter(logging.Formatter(f"%(asctime)s {FORMAT}"))
    return handler
