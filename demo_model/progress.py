"""Keeps a half-trained model on disk, so that a run that was stopped goes on where it was; knows no lessons."""

import os
from pathlib import Path
from typing import Any

import torch


class Progress:
    """One file, replaced as a whole: a run killed while writing loses the last stretch and not the file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> dict[str, Any]:
        if not self._path.exists():
            return {}
        # Our own file, with Python's dice in it, which the safe loader refuses.
        return torch.load(self._path, weights_only=False)

    def save(self, **kept: Any) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        beside = self._path.with_suffix(".new")
        torch.save(kept, beside)
        os.replace(beside, self._path)

    def forget(self) -> None:
        self._path.unlink(missing_ok=True)
