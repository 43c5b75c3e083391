"""Where weights lie on this machine: the Hub's own cache, so that a server finds them without being told."""

import json
import os
from pathlib import Path

from medserver.hub import record
from medserver.hub.failures import HubFailure
from medserver.hub.record import NAME


def snapshot(repo: str, commit: str) -> Path:
    """The folder of one commit in the cache."""
    return _repository(repo) / "snapshots" / commit


def remember(repo: str, revision: str, commit: str) -> None:
    """Let the cache know which commit a branch stood at, so that it is found when the Hub cannot be asked."""
    named = _repository(repo) / "refs" / revision
    named.parent.mkdir(parents=True, exist_ok=True)
    named.write_text(commit, encoding="utf-8")


def cached(repo: str) -> Path | None:
    """The folder that a server would take without asking the Hub, else the newest that has a record."""
    repository = _repository(repo)
    try:
        folder = repository / "snapshots" / (repository / "refs" / "main").read_text(encoding="utf-8").strip()
        if folder.is_dir():
            return folder
    except OSError:
        pass
    recorded = sorted(repository.glob(f"snapshots/*/{NAME}"), key=lambda file: file.stat().st_mtime)
    return recorded[-1].parent if recorded else None


def servable(repo: str) -> Path | None:
    """The folder in the cache, if it is whole as far as names and sizes tell; nobody is asked."""
    folder = cached(repo)
    if folder is None:
        return None
    if (folder / NAME).is_file():
        try:
            return None if record.torn(folder, record.read(folder)) else folder
        except HubFailure:  # a damaged record: a download writes it anew
            return None
    return folder if _named(folder) <= {file.name for file in folder.iterdir() if file.is_file()} else None


def _named(folder: Path) -> set[str]:
    """What a checkpoint that another program fetched must hold: its index names the shards, where there are several."""
    needed = {"config.json", "tokenizer.json"}
    index = folder / "model.safetensors.index.json"
    if not index.is_file():
        return needed | {"model.safetensors"}
    try:
        return needed | set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
    except (ValueError, KeyError, AttributeError):
        return {NAME}  # not here, so the folder does not count


def cache() -> Path:
    """The Hub's cache as `huggingface_hub` has it, which takes half a second to import; a test compares the two."""
    home = os.environ.get("HF_HOME") or os.path.join(os.environ.get("XDG_CACHE_HOME") or "~/.cache", "huggingface")
    named = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE") or os.path.join(home, "hub")
    return Path(os.path.expandvars(os.path.expanduser(named)))


def _repository(repo: str) -> Path:
    return cache() / f"models--{repo.replace('/', '--')}"
