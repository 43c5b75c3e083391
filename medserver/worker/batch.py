"""The rows that decode together: a token for each at every step, and what ends one."""

from time import perf_counter

import torch

from medserver.worker.kv_manager import KVManager
from medserver.worker.model import Model
from medserver.worker.outbox import Outbox
from medserver.worker.pace import Pace
from medserver.worker.request import Request
from medserver.worker.sampling import Sampler, choose
from medserver.worker.slots import Slot
from medserver.worker.text import Detokenizer
from medserver.worker.values import Piece


class Batch:
    """`requests`: whose prompts have run, in the order they began."""

    def __init__(self, model: Model, kv: KVManager, pace: Pace, outbox: Outbox):
        self._model = model
        self._kv = kv
        self._pace = pace
        self._outbox = outbox
        self.requests: list[Request] = []

    def first(self, request: Request, logits: torch.Tensor) -> int:
        """Draw its first token. `logits`: those after its prompt, float32 (1, vocabulary)."""
        model, ids = self._model, request.prompt.ids[0]
        request.sampler = Sampler(request.generation, ids, model.vocab_size, logits.device, model.end_ids)
        request.detokenizer = Detokenizer(model.tokenizer.backend_tokenizer)
        [token] = choose(logits, [request.sampler])
        return token

    def add(self, request: Request, token: int) -> None:
        """It is a row from now on, and this its first token."""
        self.requests.append(request)
        if self._accept(request, token):
            self._end([request])

    def decode(self, *, alone: bool) -> None:
        """One step. `alone`: nobody else runs or waits; among several it is full as it is, and nothing is guessed."""
        if alone and (guessed := self._guess(self.requests[0])):
            self._decode_ahead(self.requests[0], guessed)
            return
        started = perf_counter()
        drawn = self.draw(self._model.decode(*self.fed(), self._kv.cache))
        self._pace.decoded(len(self.requests), perf_counter() - started)
        self.take(drawn)

    def fed(self) -> tuple[list[int], list[Slot]]:
        """What the next step takes: of each row its last token, and its slot."""
        self._kv.cache.settle()
        self._kv.grow(self.requests)
        return [row.tokens[-1] for row in self.requests], [row.slot for row in self.requests]

    def draw(self, logits: torch.Tensor) -> list[int]:
        """A token for each row. `logits`: float32 (rows, vocabulary)."""
        return choose(logits, [row.sampler for row in self.requests])

    def take(self, drawn: list[int]) -> None:
        """The step is good: each row is one token longer, and some are done."""
        ended: list[Request] = []
        try:
            for row, token in zip(self.requests, drawn, strict=True):
                row.slot.length += 1
                row.slot.torn = False
                if self._accept(row, token):
                    ended.append(row)
        finally:
            self._end(ended)

    def remove(self, row: Request) -> None:
        """Out with it before its end."""
        self.requests.remove(row)
        self._kv.leave([row])

    def _guess(self, row: Request) -> list[int]:
        """Tokens that may come next, as many as could be taken beside the one that is drawn after them."""
        if not self._model.guesses or self._kv.prefixes.copies(row.slot):  # which a step of several tokens overtakes
            return []
        window, length = self._kv.cache.shape.window, row.slot.length
        # As its rings turn over it is kept (`KVManager.grow`), and that is a step of its own.
        fit = window if length > window else window - length
        most = min(row.answer_tokens - len(row.tokens), fit) - 1
        return row.looked_up().guess(most) if most > 0 else []

    def _decode_ahead(self, row: Request, guessed: list[int]) -> None:
        """Draw after each guessed token as long as what is drawn is what was guessed, so that no draw is another."""
        logits, step = self._model.attempt([row.tokens[-1], *guessed], row.slot, self._kv.cache)
        drawn: list[int] = []
        for place in range(len(logits)):
            drawn += choose(logits[place : place + 1], [row.sampler])
            if self._ends(row, drawn[-1]) or drawn[place : place + 1] != guessed[place : place + 1]:
                break
        row.lookup.learn(len(guessed), len(drawn) - 1)
        step.commit(len(drawn))
        if any(self._accept(row, token) for token in drawn):
            # A stop string may have ended it before the last of them, which can be forgotten until a ring turns over.
            if row.slot.length <= self._kv.cache.shape.window:
                row.slot.length = row.prompt.length + len(row.tokens) - 1
            self._end([row])

    def _accept(self, request: Request, token: int) -> bool:
        """Take a drawn token into the request, whose text goes out; whether it was its last."""
        request.take(token)
        ended = self._ends(request, token)
        text = "" if ended else request.detokenizer.add(token)
        text = request.stops.add(text)
        spent = len(request.tokens) >= request.answer_tokens
        if ended or spent:
            text += request.stops.add(request.detokenizer.flush()) + request.stops.flush()
        if text:
            self._outbox.put(request, Piece(text))
        if ended or request.stops.found or spent:
            self._outbox.put(request, request.finished("stop" if ended or request.stops.found else "length"))
            return True
        return False

    def _ends(self, request: Request, token: int) -> bool:
        return token in self._model.end_ids and not request.generation.ignore_eos

    def _end(self, rows: list[Request]) -> None:
        """These are done. What all rows drew goes out before anything is copied for a next turn."""
        for row in rows:
            self.requests.remove(row)
        self._outbox.send()
        self._kv.leave(rows)
