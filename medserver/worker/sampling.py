"""Logits to the next token of each row; every row has its own settings, generator and history.

A row's draw depends on its own logits and its own generator only, never on who else is in the batch.
"""

from collections.abc import Collection

import torch

from medserver.worker.values import Generation

# Below this, dividing by it leaves the range of float32, and the draw is the greedy one anyway.
_COLDEST = 1e-5
# To order a vocabulary of 262,208 takes many times as long as to find its likeliest, which nearly always suffice.
CANDIDATES = 1024


class Sampler:
    """What one row needs to draw: its settings, its random generator and the ids it has seen.

    `end_ids` are the tokens that end a sequence.
    """

    def __init__(
        self,
        generation: Generation,
        prompt_ids: torch.Tensor,
        vocab_size: int,
        device: torch.device,
        end_ids: Collection[int] = (),
    ):
        self.temperature = generation.temperature
        self.top_p = generation.top_p
        self.top_k = generation.top_k
        self.penalty = generation.repetition_penalty
        self.generator = torch.Generator()  # on the CPU, so that a seed means the same on every device
        if generation.seed is None:
            self.generator.seed()
        else:
            self.generator.manual_seed(generation.seed)
        self.seen = torch.unique(prompt_ids).to(device) if self.penalty != 1.0 else None
        bias = {token: value for token, value in generation.logit_bias.items() if 0 <= token < vocab_size}
        self.bias_ids = torch.tensor(list(bias), dtype=torch.long, device=device) if bias else None
        self.bias = torch.tensor(list(bias.values()), device=device) if bias else None
        # Tokens still to be drawn before one of `end_ids` may be: none for most rows, so that they pay nothing.
        self.unended = float("inf") if generation.ignore_eos else generation.min_tokens
        self.end_ids = torch.tensor(sorted(end_ids), dtype=torch.long, device=device) if self.unended else None

    @property
    def greedy(self) -> bool:
        return self.temperature < _COLDEST

    def adjust(self, logits: torch.Tensor) -> None:
        """Apply bias and repetition penalty in place to `logits`, float32 (vocabulary,); and ban a too early end.

        The penalty divides positive and multiplies negative scores of seen tokens (CTRL, arXiv:1909.05858).
        """
        if self.seen is not None:
            scores = logits[self.seen]
            logits[self.seen] = torch.where(scores > 0, scores / self.penalty, scores * self.penalty)
        if self.bias_ids is not None:
            logits[self.bias_ids] += self.bias
        if self.unended > 0:
            logits[self.end_ids] = -torch.inf

    def note(self, token: int) -> None:
        self.unended -= 1
        if self.seen is not None:
            self.seen = torch.unique(torch.cat([self.seen, self.seen.new_tensor([token])]))


def choose(logits: torch.Tensor, samplers: list[Sampler]) -> list[int]:
    """Draw one token per row. `logits`: float32 (rows, vocabulary); changed in place."""
    for row, sampler in enumerate(samplers):
        sampler.adjust(logits[row])
    chosen = logits.argmax(dim=-1)
    drawing = [row for row, sampler in enumerate(samplers) if not sampler.greedy]
    if drawing:
        chosen[drawing] = _draw(logits[drawing], [samplers[row] for row in drawing])
    tokens = chosen.tolist()
    for token, sampler in zip(tokens, samplers, strict=True):
        sampler.note(token)
    return tokens


def _draw(logits: torch.Tensor, samplers: list[Sampler]) -> torch.Tensor:
    """One token per row, among its likeliest where they hold all that may be drawn, else among the whole vocabulary.

    Which of the two it is depends on the row alone, as everything of a draw does.
    """
    # One number between 0 and 1 per row, from the row's own generator, is all the chance there is.
    rules = torch.tensor([[*_rules(one), torch.rand((), generator=one.generator).item()] for one in samplers])
    rules = rules.to(logits.device)
    probabilities = torch.softmax(logits / rules[:, :1], dim=-1)
    ordered, order = probabilities.topk(min(CANDIDATES, logits.shape[1]), dim=-1)
    place, whole = _place(ordered, rules)
    tokens = order.gather(1, place)
    rest = (~whole).nonzero()[:, 0]
    if len(rest):
        ordered, order = probabilities[rest].sort(dim=-1, descending=True)
        tokens[rest] = order.gather(1, _place(ordered, rules[rest])[0])
    return tokens.squeeze(1)


def _rules(sampler: Sampler) -> tuple[float, float, float]:
    return sampler.temperature, sampler.top_p, sampler.top_k or float("inf")


def _place(ordered: torch.Tensor, rules: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Inverse-CDF sampling over the nucleus: where among `ordered` each row's number falls, (rows, 1).

    `ordered`: the largest probabilities, descending; `rules`: temperature, top-p, top-k and the number, (rows, 4).
    Also whether all of the nucleus is in `ordered`, bool (rows, 1).
    """
    _, top_p, top_k, number = rules.split(1, dim=1)
    width = ordered.shape[1]
    rank = torch.arange(width, device=ordered.device)
    within = ordered * (rank < top_k)
    total = within.cumsum(dim=-1)
    # As elsewhere, the nucleus is a share of what top-k has left.
    share = top_p * torch.where(top_k.isinf(), 1.0, total[:, -1:])
    kept = ((total - within) < share) & (rank < top_k)
    kept[:, 0] = True  # a nucleus is never empty
    mass = (within * kept).cumsum(dim=-1)
    place = (mass <= number * mass[:, -1:]).sum(dim=-1, keepdim=True)
    place = torch.minimum(place, kept.sum(dim=-1, keepdim=True) - 1)
    return place, (top_k <= width) | (top_k.isinf() & (total[:, -1:] >= share))
