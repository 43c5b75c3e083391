"""How loading a checkpoint is followed, and why it failed, in words; it loads nothing."""

from collections.abc import Callable

from medserver.worker.values import LoadFailure, is_out_of_memory

Progress = Callable[[str, int, int], None]


def sentence_of(error: BaseException) -> str:
    """Why a start failed, fit for a person; only sentences of our own, no library's words."""
    if isinstance(error, LoadFailure):
        return str(error)
    if is_out_of_memory(error):
        return "The model does not fit into memory. -q (4-bit weights) or a smaller model would help."
    if isinstance(error, ImportError):
        return f"The package {error.name or 'torch'} is missing or broken."
    return f"The model could not be loaded ({type(error).__name__})."
