"""The checkpoint in memory: parts of some prompts, one decode step for a batch of sequences."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import torch

from medserver.worker.attention import DecodeStep, PackedStep, PrefillStep, TrialStep
from medserver.worker.decoder import Decoder
from medserver.worker.graphs import Graphs, record_on_cuda
from medserver.worker.kv import KVShape
from medserver.worker.products import quicken
from medserver.worker.slots import Slot, SlotCache
from medserver.worker.values import Prompt
from medserver.worker.vision import Key, Vision

# Of each image of a prompt, by its first token: (tokens, hidden).
Features = dict[int, torch.Tensor]


@dataclass(frozen=True, slots=True)
class Part:
    """The tokens of `prompt` that follow on what `slot` holds, up to `end`; it cuts no image.

    `seen`: the features of its images by their place.
    """

    slot: Slot
    prompt: Prompt
    end: int
    seen: Features

    @property
    def tokens(self) -> int:
        """How many there are, as long as they have not run."""
        return self.end - self.slot.length

    @property
    def ends(self) -> bool:
        """Whether the prompt ends with them, so that its answer begins."""
        return self.end == self.prompt.length


@dataclass(frozen=True, slots=True)
class Plan:
    """Where and in which arithmetic the model runs."""

    device: str
    dtype: torch.dtype


class Model:
    """A loaded Gemma-3 checkpoint. Every method runs on the one thread that owns the device."""

    def __init__(self, network: Any, processor: Any, where: Plan, load_seconds: float = 0.0, quantisation=None):
        self.network = network
        self.processor = processor
        self.tokenizer = getattr(processor, "tokenizer", processor)
        self.plan = where
        self.device = network.device  # where tokens go in; the layers of a large model may be spread over several
        self.load_seconds = load_seconds
        self.quantisation = quantisation
        self.supports_images = network.config.model_type == "gemma3"
        self.decoder = Decoder(network.model.language_model if self.supports_images else network.model, network.lm_head)
        self.vision = Vision(network.model)
        quicken(network, network.get_input_embeddings().weight)
        self.text_config = network.config.get_text_config()
        self.end_ids = self._end_ids()
        # A captured step runs on one device alone.
        self.graphs: Graphs | None = None
        if where.device == "cuda" and len(set(self.decoder.devices)) == 1:
            self.graphs = Graphs(self.decoder, self.device, record_on_cuda())

    @property
    def vocab_size(self) -> int:
        return self.text_config.vocab_size

    @property
    def context(self) -> int:
        return self.text_config.max_position_embeddings

    def new_cache(self, budget: int, slots: int, max_model_len: int) -> SlotCache:
        """An empty KV cache of at most `budget` bytes for `slots` sequences of `max_model_len` tokens."""
        shape = KVShape.of(self.text_config, self.plan.dtype)
        if self.graphs:
            self.graphs.forget()
        stays = self.graphs is not None
        return SlotCache(shape, self.decoder.devices, budget, slots, max_model_len, stays=stays)

    @torch.inference_mode()
    def look(self, key: Key, pixels: torch.Tensor) -> torch.Tensor:
        """Features of one image. `pixels`: float32 (3, height, width)."""
        return self.vision.look(key, pixels.to(self.device, self.plan.dtype))

    @torch.inference_mode()
    def extend(self, cache: SlotCache, parts: Sequence[Part]) -> list[torch.Tensor | None]:
        """Run `parts` of several prompts, each in a slot of its own, in one forward.

        Returns for each the next-token logits, float32 (1, vocabulary), or None where the prompt goes on. When several
        fail, their slots are as they were; one alone may be left with half of its part.
        """
        if len(parts) == 1:
            [part] = parts
            step = PrefillStep(cache, part.slot, part.end, _spans(part), self.decoder.scale, self.device)
            hidden = self.decoder.run(self._embedded(part), step, part.end - 1, _ends(parts))
            logits = self._logits(hidden, parts)
            part.slot.length = part.end
            return logits
        trials = self._trials(cache, parts)
        hidden = torch.cat([self._embedded(part) for part in parts])
        hidden = self.decoder.run(hidden, PackedStep(trials), max(part.end for part in parts) - 1, _ends(parts))
        logits = self._logits(hidden, parts)
        for trial in trials:
            trial.commit()
        return logits

    @torch.inference_mode()
    def extend_beside(
        self, cache: SlotCache, parts: Sequence[Part], tokens: list[int], slots: list[Slot]
    ) -> tuple[torch.Tensor, list[torch.Tensor | None]]:
        """`decode` and `extend` in one forward, so that the weights are read once for both.

        Returns what they return. When it fails, all slots are as they were.
        """
        rows, ids, decode, last = self._next(tokens, slots, cache)
        trials = self._trials(cache, parts)
        # The rows first: what one of them writes that is none yet, a part of its prompt then writes over.
        hidden = torch.cat([self.decoder.embed(ids), *map(self._embedded, parts)])
        last = max(last, *(part.end - 1 for part in parts))
        wanted = rows + [len(ids) + end for end in _ends(parts)]
        logits = self.decoder.logits(self.decoder.run(hidden, PackedStep([decode, *trials]), last, wanted))
        answers = logits[: len(rows)], _by_prompt(logits[len(rows) :], parts)
        for trial in trials:
            trial.commit()
        return answers

    def _trials(self, cache: SlotCache, parts: Sequence[Part]) -> list[TrialStep]:
        scale, device = self.decoder.scale, self.device
        return [TrialStep(cache, part.slot, part.end, _spans(part), scale, device) for part in parts]

    def _logits(self, hidden: torch.Tensor, parts: Sequence[Part]) -> list[torch.Tensor | None]:
        return _by_prompt(self.decoder.logits(hidden), parts) if len(hidden) else [None] * len(parts)

    def _embedded(self, part: Part) -> torch.Tensor:
        start, end = part.slot.length, part.end
        ids = part.prompt.ids[0, start:end].clone()
        inside = [image for image in part.prompt.images if start <= image.first and image.after <= end]
        for image in inside:
            ids[image.first - start : image.after - start] = 0  # its own id may lie outside the vocabulary
        hidden = self.decoder.embed(ids.to(self.device))
        for image in inside:
            hidden[image.first - start : image.after - start] = part.seen[image.first].to(hidden.dtype)
        return hidden

    @torch.inference_mode()
    def decode(self, tokens: list[int], slots: list[Slot], cache: SlotCache) -> torch.Tensor:
        """Feed one token to each of `slots` and return the next-token logits, float32 (slots, vocabulary).

        The caller makes each slot one longer when it takes the result; a step that failed can be done again.
        """
        if self.graphs and (logits := self.graphs.decode(cache, tokens, slots)) is not None:
            return logits
        rows, ids, step, last = self._next(tokens, slots, cache)
        wanted = rows if rows != list(range(len(ids))) else None
        return self.decoder.logits(self.decoder.run(self.decoder.embed(ids), step, last, wanted))

    def _next(
        self, tokens: list[int], slots: list[Slot], cache: SlotCache
    ) -> tuple[list[int], torch.Tensor, DecodeStep, int]:
        """Which rows are those of `slots`, what goes into all rows from the first to the last of them, their step, and
        its last position.
        """
        numbers = [slot.index for slot in slots]
        first, after = min(numbers), max(numbers) + 1
        lengths, ids = [0] * (after - first), [0] * (after - first)
        for slot in cache.taken:
            if first <= slot.index < after:
                lengths[slot.index - first] = slot.length
        rows = [number - first for number in numbers]
        for row, token in zip(rows, tokens, strict=True):
            ids[row] = token
        step = DecodeStep.of(cache, numbers, lengths, self.decoder.scale, self.device)
        return rows, torch.tensor(ids, device=self.device), step, max(lengths)

    @torch.inference_mode()
    def attempt(self, tokens: list[int], slot: Slot, cache: SlotCache) -> tuple[torch.Tensor, TrialStep]:
        """Feed several tokens to `slot`, of which the caller commits as many as turn out right.

        Returns the logits after each, float32 (tokens, vocabulary), and the step to commit to.
        """
        end = slot.length + len(tokens)
        step = TrialStep(cache, slot, end, (), self.decoder.scale, self.device)
        hidden = self.decoder.run(self.decoder.embed(torch.tensor(tokens, device=self.device)), step, end - 1)
        return self.decoder.logits(hidden), step

    @property
    def guesses(self) -> bool:
        """Whether guessed tokens are cheap to check: not beside captured steps, which cost much less than others."""
        return self.graphs is None

    def wait(self) -> None:
        """Until the device has done all that it was given."""
        if self.plan.device == "cuda":
            torch.cuda.synchronize()

    def token_id(self, token: str) -> int | None:
        """The id of exactly this token, or None when the vocabulary does not have it."""
        number = self.tokenizer.convert_tokens_to_ids(token)
        return None if number is None or number == self.tokenizer.unk_token_id else number

    def _end_ids(self) -> frozenset[int]:
        configured = self.network.generation_config.eos_token_id
        ids = set(configured if isinstance(configured, list) else [configured])
        ids |= {self.tokenizer.eos_token_id, self.token_id("<end_of_turn>")}
        return frozenset(ids - {None})


def _ends(parts: Sequence[Part]) -> list[int]:
    """Where the last tokens of those prompts stand that end with their part, among all tokens of `parts`."""
    afters = accumulate(part.tokens for part in parts)
    return [after - 1 for after, part in zip(afters, parts, strict=True) if part.ends]


def _by_prompt(logits: torch.Tensor, parts: Sequence[Part]) -> list[torch.Tensor | None]:
    """`logits` (prompts that end, vocabulary) → for each part a row of them, (1, vocabulary), or None."""
    rows = iter(logits.split(1))
    return [next(rows) if part.ends else None for part in parts]


def _spans(part: Part) -> list[tuple[int, int]]:
    return [(image.first, image.after) for image in part.prompt.images]
