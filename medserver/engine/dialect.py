"""How OpenAI-compatible servers differ, as values; who speaks one asks its fields and never its name."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Abort:
    """How an answer is ended by its id: what is posted to `path`, `%s` being the id that its `field` was sent with."""

    field: str
    path: str
    body: str


@dataclass(frozen=True, slots=True)
class Dialect:
    """`trusted`: its error codes and sentences are our own. `echoes_turn`: the end of a turn that it continues
    may come back in front of the answer. `fits_answer`: it shortens an answer to what its context leaves, instead of
    refusing it. `probe_path`: costs it next to nothing. `salts`: keeps prompts for later ones, apart by their
    `cache_salt`.
    """

    name: str
    probe_path: str = "v1/models"
    abort: Abort | None = None
    salts: bool = False
    trusted: bool = False
    fits_answer: bool = False
    echoes_turn: bool = False


OURS = Dialect("medserver", probe_path="ready", salts=True, trusted=True, fits_answer=True)
VLLM = Dialect(
    "vllm",
    probe_path="health",
    abort=Abort("request_id", "inference/v1/abort_requests", '{"request_ids": ["chatcmpl-%s"]}'),
    salts=True,
    echoes_turn=True,
)
SGLANG = Dialect("sglang", probe_path="ready", abort=Abort("rid", "abort_request", '{"rid": "%s"}'), salts=True)
# A router, or a server that we do not know: vLLM may be behind it.
PLAIN = Dialect("openai", echoes_turn=True)

_OWNERS = {one.name: one for one in (VLLM, SGLANG)}


def dialect_of(owner: object) -> Dialect:
    """The dialect of a server whose listing of models names this `owned_by`."""
    return _OWNERS.get(owner, PLAIN) if isinstance(owner, str) else PLAIN
