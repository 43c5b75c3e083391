"""Ways to drive the model and the scheduler without a server, and what a full forward says to the same tokens."""

import torch

from medserver.worker.memory import Budget
from medserver.worker.prefill import Prefill
from medserver.worker.prefixes import PrefixStore, key_of
from medserver.worker.request import Request
from medserver.worker.scheduler import Scheduler
from medserver.worker.slots import SlotCache
from medserver.worker.text import Detokenizer
from medserver.worker.values import Finished, Generation, Piece, Prompt

TOLERANCE = 1e-4
LONG = "The left lung shows a bright opacity in the upper zone. " * 8
PLENTY = 1 << 30


def full_forward(model, prompt: Prompt, tokens: list[int]) -> torch.Tensor:
    """Next-token logits after prompt and tokens, in one pass of the library's own model without any cache."""
    ids = torch.cat([prompt.ids, torch.tensor([tokens], dtype=torch.long)], dim=1)
    extra = {}
    if prompt.token_type_ids is not None:
        extra["token_type_ids"] = torch.nn.functional.pad(prompt.token_type_ids, (0, len(tokens)))
    if prompt.pixels is not None:
        extra["pixel_values"] = prompt.pixels
    with torch.inference_mode():
        return model.network(input_ids=ids, use_cache=False, **extra).logits[0, -1]


def new_cache(model, budget: int = PLENTY, slots: int = 8, columns: int = 2048) -> SlotCache:
    return model.new_cache(budget, slots, columns)


def longer(prompt: Prompt, *tokens: int) -> Prompt:
    """The prompt with tokens after it."""
    ids = torch.cat([prompt.ids, torch.tensor([tokens])], dim=1)
    types = None if prompt.token_type_ids is None else torch.nn.functional.pad(prompt.token_type_ids, (0, len(tokens)))
    return Prompt(ids, types, prompt.pixels, prompt.images)


def finish(store: PrefixStore) -> None:
    """Copy all that is on its way to its end."""
    for copying in list(store._copying):
        store.finish(copying.slot)


class Row:
    def __init__(self, prompt: Prompt, slot, salt: str | None = None):
        self.prompt, self.slot, self.salt, self.tokens = prompt, slot, salt, []


class Rows:
    """Rows decoded together by hand, each compared with a full forward at every step; `worst`: the difference."""

    def __init__(self, model, cache: SlotCache | None = None, prefixes: PrefixStore | None = None):
        self.model, self.rows, self.worst = model, [], 0.0
        self.cache = cache or new_cache(model)
        self.prefixes = prefixes or PrefixStore(PLENTY)

    @torch.inference_mode()
    def join(self, prompt: Prompt, chunk: int = 10**6, salt: str | None = None, steps_between: int = 0) -> Row:
        row = Row(prompt, self.cache.take(prompt.length + 200), salt)
        prefill = Prefill(self.model, self.cache, row.slot, prompt, self.prefixes, salt)
        row.cached = prefill.cached_tokens
        logits = None
        while logits is None:
            if not prefill.look():
                part = prefill.part(chunk)
                [logits] = self.model.extend(self.cache, [part])
                prefill.ran(part)
            self.step(steps_between)
        self.rows.append(row)
        self._take(row, logits[0])
        return row

    @torch.inference_mode()
    def join_together(self, prompts: list[Prompt], tokens: int = 10**6) -> None:
        """Prefill them in common forwards, `tokens` of each at a time."""
        joining = {}
        for prompt in prompts:
            row = Row(prompt, self.cache.take(prompt.length + 200))
            prefill = joining[row] = Prefill(self.model, self.cache, row.slot, prompt, self.prefixes, None)
            while prefill.look():
                pass
        while joining:
            parts = [prefill.part(tokens) for prefill in joining.values()]
            for (row, prefill), part, logits in zip(
                list(joining.items()), parts, self.model.extend(self.cache, parts), strict=True
            ):
                prefill.ran(part)
                if logits is not None:
                    del joining[row]
                    self.rows.append(row)
                    self._take(row, logits[0])

    @torch.inference_mode()
    def leave(self, row: Row) -> None:
        self.rows.remove(row)
        if row.salt is not None:
            key = torch.cat([key_of(row.prompt), torch.tensor(row.tokens[:-1], dtype=torch.long)])
            self.prefixes.keep(row.salt, key, self.cache, row.slot)
        finish(self.prefixes)
        self.cache.leave(row.slot)

    @torch.inference_mode()
    def step(self, times: int = 1) -> None:
        for _ in range(times if self.rows else 0):
            self.prefixes.advance()
            slots = [row.slot for row in self.rows]
            logits = self.model.decode([row.tokens[-1] for row in self.rows], slots, self.cache)
            for row, own in zip(self.rows, logits, strict=True):
                row.slot.length += 1
                self._take(row, own)

    def _take(self, row: Row, logits: torch.Tensor) -> None:
        expected = full_forward(self.model, row.prompt, row.tokens)
        self.worst = max(self.worst, (logits - expected).abs().max().item())
        row.tokens.append(int(expected.argmax()))


def greedy(max_tokens: int, **fields) -> Generation:
    return Generation(max_tokens=max_tokens, temperature=0.0, **fields)


def scheduler_of(model, deliver, slots: int = 8, max_model_len: int = 2048, budget: int = PLENTY) -> Scheduler:
    return Scheduler(model, deliver, slots=slots, max_model_len=max_model_len, budget=Budget(budget, PLENTY))


def run_to_end(scheduler: Scheduler) -> None:
    for _ in range(2000):
        scheduler.step()
        if not scheduler.running and not scheduler.waiting:
            return
    raise AssertionError("the requests did not end")


def scheduled(model, requests: list[Request], slots: int = 8) -> list[str]:
    """Run requests to their ends together; their texts."""
    outputs: dict[Request, list] = {request: [] for request in requests}
    scheduler = scheduler_of(model, lambda batch: [outputs[one].append(what) for one, what in batch], slots)
    for request in requests:
        scheduler.submit(request)
    run_to_end(scheduler)
    assert all(isinstance(found[-1], Finished) for found in outputs.values())
    return ["".join(one.text for one in outputs[request] if isinstance(one, Piece)) for request in requests]


def decoded(model, ids: list[int]) -> str:
    detokenizer = Detokenizer(model.tokenizer.backend_tokenizer)
    return "".join([*map(detokenizer.add, ids), detokenizer.flush()])


class Raises:
    """Stands in for a model method that fails with one kind of error."""

    def __init__(self, error: Exception):
        self.error = error

    def __call__(self, *_):
        raise self.error
