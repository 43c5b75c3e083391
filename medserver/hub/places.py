"""Where weights lie on this machine: the Hub's own cache, so that a server finds them without being told."""

from pathlib import Path

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


def _repository(repo: str) -> Path:
    from huggingface_hub.constants import HF_HUB_CACHE
    from huggingface_hub.file_download import repo_folder_name

    return Path(HF_HUB_CACHE) / repo_folder_name(repo_id=repo, repo_type="model")
