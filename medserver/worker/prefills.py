"""The prompts that are on their way into their slots: whose part runs next, and with whom."""

import logging
from collections.abc import Callable, Iterator
from functools import partial
from math import inf
from time import perf_counter
from typing import Protocol

import torch

from medserver.worker.batch import Batch
from medserver.worker.kv_manager import KVManager
from medserver.worker.model import Model, Part
from medserver.worker.outbox import Outbox
from medserver.worker.pace import ALONE, LONGEST_PAUSE, Pace
from medserver.worker.queue import Queue
from medserver.worker.request import Request

log = logging.getLogger("medserver.worker")

# Prompts run together up to so many tokens. A step of 64 rows beside five prompts of 100 is 8 % more tokens a second
# than one beside two (measured); beyond that little is saved, and the first prompt waits for the last.
PACKED = 512


class Guard(Protocol):
    """Runs a piece of work of `culprit` alone or, if `shared`, of all rows; one who fails is in neither list after."""

    def __call__(self, work: Callable[[], None], culprit: Request, *, shared: bool) -> None: ...


class Prefills:
    """Lets requests in from `queue` and runs their prompts, part by part, until each is a row of `batch`.

    `requests`: those that have a slot, in the order they came.
    """

    def __init__(
        self, model: Model, kv: KVManager, queue: Queue, batch: Batch, pace: Pace, outbox: Outbox, guard: Guard
    ):
        self._model = model
        self._kv = kv
        self._queue = queue
        self._batch = batch
        self._pace = pace
        self._outbox = outbox
        self._guard = guard
        self.requests: list[Request] = []

    def remove(self, request: Request) -> None:
        """Out with it before its prompt has run."""
        self.requests.remove(request)
        self._kv.leave([request])

    def run(self) -> bool:
        """About as many tokens as running rows can wait for; first come, first served. Whether the rows ran beside.

        A row that has begun need not wait for the others: its first token goes out at once.
        """
        waited_for = bool(self._batch.requests)
        if waited_for and self._pace.forgets:
            return False
        self._spent, self._read, self._seconds = 0, 0, 0.0
        self._callers = len(self.requests) + min(len(self._queue), self._kv.slots - self._running)
        self._until = perf_counter() + LONGEST_PAUSE if waited_for else inf
        beside, decoded = waited_for and self._pace.knows(len(self._batch.requests)), False
        while self._left() > 0 and (pack := self._gather()):
            if beside and self._extend_beside(pack):
                decoded = True
            else:
                self._extend(pack)
            beside = False  # once, also where it failed
            self._outbox.send()
            if decoded and not self._model.graphs:
                break  # the next step reads more beside the rows: that costs less than alone, but for captured steps
        if self._read and waited_for:
            self._pace.prefilled(self._read, self._seconds)
        return decoded

    @property
    def _running(self) -> int:
        return len(self.requests) + len(self._batch.requests)

    def _left(self) -> int:
        """Tokens still to prefill in this step; what the vision tower takes is known only afterwards."""
        if perf_counter() > self._until:
            return 0
        return self._pace.tokens(alone=not self._batch.requests, waiting=self._callers) - self._spent

    def _gather(self) -> list[Request]:
        """Whose prompts to run together: the rests of as many as fit, or a part of the first."""
        pack: list[Request] = []
        tokens = 0
        for request in self._candidates():
            tokens += request.prefill.rest
            if pack and tokens > min(self._left(), PACKED):
                break
            self._guard(partial(self._look, request), request, shared=False)
            if request not in self.requests:
                return pack  # it failed
            # Each part costs a forward of its own: the whole of a short prompt next time is one less.
            if not request.prefill.seen or (self._spent and tokens > self._left()):
                break
            pack.append(request)
        return pack

    def _candidates(self) -> Iterator[Request]:
        """Who could be prefilled, in the order they came; who waits is let in when it is its turn."""
        yield from list(self.requests)
        while self._admit():
            yield self.requests[-1]

    def _admit(self) -> bool:
        """Let the first who waits join, if there is a slot with room for all that it may become."""
        first = self._queue.first
        if first is None or self._running >= self._kv.slots:
            return False
        self._guard(partial(self._seat, first), first, shared=False)
        return first in self.requests

    def _seat(self, request: Request) -> None:
        if self._kv.seat(request):
            self._queue.remove(request)
            self.requests.append(request)

    def _look(self, request: Request) -> None:
        """Let the vision tower run on its images as long as there is time; each is worth a piece."""
        while self._left() > 0 and request.prefill.look():
            self._spent += self._pace.tokens(alone=False)

    def _extend(self, pack: list[Request]) -> None:
        """Run a part of each of them in one forward; where that fails each alone, to see whose fault it was."""
        if len(pack) > 1:
            try:
                ran = self._forward(pack)
            except Exception as error:
                log.error("a part of %d prompts failed: %s", len(pack), type(error).__name__)
            else:
                for request, part, logits in ran:
                    self._guard(partial(self._ran, request, part, logits), request, shared=False)
                return
        for request in pack:
            self._guard(lambda one=request: self._ran(*self._forward([one])[0]), request, shared=False)

    def _forward(self, pack: list[Request]) -> list[tuple[Request, Part, torch.Tensor | None]]:
        """Each of them, the part of its prompt that has run, and the logits where it was the last."""
        started, parts = perf_counter(), self._parts(pack, ALONE)
        tokens = sum(part.tokens for part in parts)
        logits = self._model.extend(self._kv.cache, parts)
        self._model.wait()
        self._count(tokens, perf_counter() - started)
        return list(zip(pack, parts, logits, strict=True))

    def _extend_beside(self, pack: list[Request]) -> bool:
        """Run a part of each of them and a step of all rows in one forward; whether that worked."""
        started, parts = perf_counter(), self._parts(pack, PACKED)
        tokens = sum(part.tokens for part in parts)
        try:
            of_rows, of_parts = self._model.extend_beside(self._kv.cache, parts, *self._batch.fed())
        except Exception as error:
            log.error("rows and a part of %d prompts beside them failed: %s", len(pack), type(error).__name__)
            return False

        def draw() -> None:
            drawn = self._batch.draw(of_rows)
            self._count(tokens, self._pace.beside(perf_counter() - started))
            self._batch.take(drawn)

        self._guard(draw, self._batch.requests[-1], shared=True)
        for request, part, logits in zip(pack, parts, of_parts, strict=True):
            if request in self.requests:  # not so when the drawing failed them all
                self._guard(partial(self._ran, request, part, logits), request, shared=False)
        return True

    def _parts(self, pack: list[Request], most: int) -> list[Part]:
        most = max(1, min(self._left(), most))
        return [request.prefill.part(most) for request in pack]

    def _count(self, tokens: int, seconds: float) -> None:
        self._read += tokens
        self._spent += tokens
        self._seconds += seconds

    def _ran(self, request: Request, part: Part, logits: torch.Tensor | None) -> None:
        request.prefill.ran(part)
        if logits is not None:
            token = self._batch.first(request, logits)
            self.requests.remove(request)
            self._batch.add(request, token)
