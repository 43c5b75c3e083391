"""Finds the checkpoint on this machine, or fetches it from the Hub; does not look inside the weights."""

from collections.abc import Callable
from pathlib import Path

from medserver.worker.values import LoadFailure, is_out_of_memory

Progress = Callable[[str, int, int], None]

# Weights come as safetensors only: a pickle runs code when it is opened.
WANTED = ["*.json", "*.jinja", "*.safetensors", "tokenizer.model"]


def locate(source: str, token: str | None, progress: Progress) -> Path:
    """The directory of `source`: a path as it is, a Hub id from the cache or the network.

    Raises:
        LoadFailure: it cannot be had; the sentence says what to do.
    """
    if Path(source).is_dir():
        return Path(source)
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, LocalEntryNotFoundError, RepositoryNotFoundError

    progress("download", 0, 1)
    try:
        return Path(snapshot_download(source, token=token, allow_patterns=WANTED))
    except GatedRepoError:  # a subclass of RepositoryNotFoundError, so it comes first
        raise LoadFailure(
            f"{source} is gated: accept its terms at https://huggingface.co/{source} and start again with a "
            "token of that account (HF_TOKEN in the environment or .env)."
        ) from None
    except RepositoryNotFoundError:
        raise LoadFailure(f"{source} was not found on the Hub, or the token may not see it.") from None
    except LocalEntryNotFoundError:
        raise LoadFailure(
            f"{source} is not on this machine and the Hub cannot be reached. Copy the weights here and name them "
            "with --model-path."
        ) from None
    except HfHubHTTPError as error:
        status = error.response.status_code
        raise LoadFailure(f"The Hub answered {status} when asked for {source}.") from None


def sentence_of(error: BaseException) -> str:
    """Why a start failed, fit for a person; only sentences of our own, no library's words."""
    if isinstance(error, LoadFailure):
        return str(error)
    if is_out_of_memory(error):
        return "The model does not fit into memory. -q (4-bit weights) or a smaller model would help."
    if isinstance(error, ImportError):
        return f"The package {error.name or 'torch'} is missing or broken."
    return f"The model could not be loaded ({type(error).__name__})."
