"""What is logged, and by whom: only our own lines, which never hold what a patient could be known by.

A library's line may quote a request, a path or an exception's text, so none gets through.
"""

import logging


def configure(level: str) -> None:
    """Log to standard error from `level` on; called once in each process."""
    logging.basicConfig(level=level.upper(), format="%(levelname)s %(name)s: %(message)s")
    for handler in logging.getLogger().handlers:
        handler.addFilter(lambda record: record.name.split(".")[0] == "medserver")
