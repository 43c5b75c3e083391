"""The one thread that owns the model: admits requests, prefills them part by part, decodes all of them together.

It does not know HTTP. Requests come in through `submit` and `cancel`, from any thread; outputs leave through
one call per step, so that a batch of rows costs the receiving side one wake-up.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from math import inf
from time import perf_counter

import torch

from medserver.worker.memory import Budget, kv_budget
from medserver.worker.model import Model, Part
from medserver.worker.pace import ALONE, LONGEST_PAUSE, Pace
from medserver.worker.prefill import Prefill
from medserver.worker.prefixes import PrefixStore, key_of
from medserver.worker.request import Request
from medserver.worker.sampling import Sampler, choose
from medserver.worker.text import Detokenizer
from medserver.worker.threads import Threads
from medserver.worker.values import Broken, Output, Piece, is_out_of_memory

log = logging.getLogger("medserver.worker")

OUT_OF_MEMORY = Broken("out_of_memory", "The model ran out of memory on this request.")
FAULT = Broken("internal", "The model failed on this request.")
# Prompts run together up to so many tokens: beyond it products are hardly quicker for their size, and the first would
# wait for the last.
PACKED = 256
FAULTS = 3  # decode steps that fail in a row, after which the worker starts afresh


Deliver = Callable[[list[tuple[Request, Output]]], None]


class Scheduler:
    """`max_model_len` in tokens, prompt and answer together; `slots` sequences at most at a time.

    `budget`: what keys and values may take; a share of what is free now by default.
    """

    def __init__(self, model: Model, deliver: Deliver, *, slots: int, max_model_len: int, budget: Budget | None = None):
        self._model = model
        self._deliver = deliver
        self._slots = slots
        self._max_model_len = min(max_model_len, model.context)
        self._budget = budget or kv_budget(model.plan.device)
        self._waiting: deque[Request] = deque()
        self._wake = threading.Condition()
        self._closing = False
        self._joining: list[Request] = []  # those that are prefilled
        self._running: list[Request] = []
        self._pace = Pace()
        self._threads = Threads(torch.get_num_threads()) if model.plan.device == "cpu" else None
        self._outputs: list[tuple[Request, Output]] = []
        self._faults = 0
        self._forget()

    def _forget(self) -> None:
        """Begin with an empty cache, without a touch to the old one: its device may answer nothing any more."""
        self._cache = self._model.new_cache(self._budget.running, self._slots, self._max_model_len)
        self._prefixes = PrefixStore(self._budget.prefixes)

    @property
    def running(self) -> int:
        return len(self._running) + len(self._joining)

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @property
    def max_model_len(self) -> int:
        return self._max_model_len

    def submit(self, request: Request) -> None:
        with self._wake:
            self._waiting.append(request)
            self._wake.notify()

    def cancel(self, request: Request) -> None:
        """Take the request out before the next step, or out of the queue; it gets no further output."""
        request.cancelled.set()
        with self._wake:
            self._wake.notify()

    def close(self) -> None:
        with self._wake:
            self._closing = True
            self._wake.notify()

    def run(self) -> None:
        """Serve until `close`. The caller's thread becomes the only one that touches the model.

        Raises:
            Exception: the device is beyond help; the process must end and be started again.
        """
        while self._wait_for_work():
            self.step()

    @torch.inference_mode()  # the cache is written in here and in the model: both must be on the same side
    def step(self) -> None:
        """Drop who left, prefill some, decode one token for every row, beside that or after it, deliver."""
        if self._threads:
            self._threads.adjust()
        self._drop_cancelled()
        decoded = self._prefill()
        if self._running and not decoded:
            self._guard(self._decode, self._running[-1], shared=True)
        self._hand_over()

    def _hand_over(self) -> None:
        if self._outputs:
            outputs, self._outputs = self._outputs, []
            self._deliver(outputs)

    def _wait_for_work(self) -> bool:
        with self._wake:
            self._wake.wait_for(lambda: self._closing or self._waiting or self.running)
            return not self._closing

    def _drop_cancelled(self) -> None:
        with self._wake:
            self._waiting = deque(request for request in self._waiting if not request.cancelled.is_set())
        for request in [one for one in (*self._running, *self._joining) if one.cancelled.is_set()]:
            self._leave(request)

    def _prefill(self) -> bool:
        """About as many tokens as running rows can wait for; first come, first served. Whether the rows ran beside.

        A row that has begun need not wait for the others: its first token goes out at once.
        """
        waited_for = bool(self._running)
        if waited_for and self._pace.forgets:
            return False
        self._spent, self._read, self._seconds = 0, 0, 0.0
        self._callers = self._could_run()
        self._until = perf_counter() + LONGEST_PAUSE if waited_for else inf
        decoded = False
        while self._left() > 0 and (pack := self._gather()):
            if waited_for and not decoded and self._pace.knows(len(self._running)) and self._extend_beside(pack):
                decoded = True
            else:
                self._extend(pack)
            self._hand_over()
        if self._read and waited_for:
            self._pace.prefilled(self._read, self._seconds)
        return decoded

    def _extend_beside(self, pack: list[Request]) -> bool:
        """Run a part of each of them and a step of all rows in one forward; whether that worked."""
        started, rows = perf_counter(), list(self._running)
        self._cache.settle()
        parts = self._parts(pack, PACKED)
        tokens = sum(part.tokens for part in parts)
        last_tokens, slots = [row.tokens[-1] for row in rows], [row.slot for row in rows]
        try:
            of_rows, of_parts = self._model.extend_beside(self._cache, parts, last_tokens, slots)
        except Exception as error:
            log.error("a step of %d rows beside %d prompts failed: %s", len(rows), len(pack), type(error).__name__)
            return False

        def draw() -> None:
            drawn = choose(of_rows, [row.sampler for row in rows])
            self._count(tokens, self._pace.beside(perf_counter() - started))
            self._take(rows, drawn)

        self._guard(draw, rows[-1], shared=True)
        for request, part, logits in zip(pack, parts, of_parts, strict=True):
            if request in self._joining:  # not so when the drawing failed them all
                self._guard(partial(self._ran, request, part, logits), request, shared=False)
        return True

    def _could_run(self) -> int:
        """Prompts that are in their slot or could have one."""
        return len(self._joining) + min(len(self._waiting), self._slots - self.running)

    def _left(self) -> int:
        """Tokens still to prefill in this step; what the vision tower takes is known only afterwards."""
        if perf_counter() > self._until:
            return 0
        return self._pace.tokens(alone=not self._running, waiting=self._callers) - self._spent

    def _gather(self) -> list[Request]:
        """Whose prompts to run together: the rests of as many as fit, or a part of the first."""
        pack: list[Request] = []
        tokens = 0
        for request in self._candidates():
            tokens += request.prefill.rest
            if pack and tokens > min(self._left(), PACKED):
                break
            self._guard(lambda one=request: self._look(one), request, shared=False)
            if request not in self._joining:
                return pack  # it failed
            # Each part costs a forward of its own: the whole of a short prompt next time is one less.
            if not request.prefill.seen or (self._spent and tokens > self._left()):
                break
            pack.append(request)
        return pack

    def _candidates(self) -> Iterator[Request]:
        """Who could be prefilled, in the order they came; who waits is let in when it is its turn."""
        yield from list(self._joining)
        while self._admit():
            yield self._joining[-1]

    def _look(self, request: Request) -> None:
        """Let the vision tower run on its images as long as there is time; each is worth a piece."""
        while self._left() > 0 and request.prefill.look():
            self._spent += self._pace.tokens(alone=False)

    def _admit(self) -> bool:
        """Let the first who waits join, if there is a slot with room for all that it may become."""
        with self._wake:
            if not self._waiting or self.running >= self._slots:
                return False
            first = self._waiting[0]
        self._guard(lambda: self._seat(first), first, shared=False)
        return first in self._joining

    def _seat(self, request: Request) -> None:
        tokens = request.prompt.length + self._answer_tokens(request)
        if not self._cache.can_ever_take(tokens):
            raise MemoryError
        request.slot = self._cache.take(tokens)
        if request.slot is not None:
            with self._wake:
                self._waiting.remove(request)
            self._joining.append(request)
            model, slot, prompt = self._model, request.slot, request.prompt
            request.prefill = Prefill(model, self._cache, slot, prompt, self._prefixes, request.salt)

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
        logits = self._model.extend(self._cache, parts)
        self._model.wait()
        self._count(tokens, perf_counter() - started)
        return list(zip(pack, parts, logits, strict=True))

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
            self._begin(request, logits)

    def _begin(self, request: Request, logits: torch.Tensor) -> None:
        model, ids = self._model, request.prompt.ids[0]
        request.sampler = Sampler(request.generation, ids, model.vocab_size, logits.device, model.end_ids)
        request.detokenizer = Detokenizer(model.tokenizer.backend_tokenizer)
        [token] = choose(logits, [request.sampler])
        self._joining.remove(request)
        self._running.append(request)
        if self._accept(request, token):
            self._end([request])

    def _decode(self) -> None:
        if self._alone() and (guessed := self._guess(self._running[0])):
            self._decode_ahead(self._running[0], guessed)
            return
        started = perf_counter()
        self._cache.settle()
        rows = list(self._running)
        logits = self._model.decode([row.tokens[-1] for row in rows], [row.slot for row in rows], self._cache)
        tokens = choose(logits, [row.sampler for row in rows])
        self._pace.decoded(len(rows), perf_counter() - started)
        self._take(rows, tokens)

    def _take(self, rows: list[Request], tokens: list[int]) -> None:
        """A step has run, and each of `rows` drew its token."""
        for row in rows:
            row.slot.length += 1
        self._end([row for row, token in zip(rows, tokens, strict=True) if self._accept(row, token)])

    def _alone(self) -> bool:
        """Whether one row has each step to itself: among several, a step is full as it is."""
        return self._model.guesses and self.running == 1 and not self._waiting

    def _guess(self, row: Request) -> list[int]:
        """Tokens that may come next, as many as could be taken beside the one that is drawn after them."""
        left = self._answer_tokens(row) - len(row.tokens) - 1
        return row.looked_up().guess(min(left, self._cache.shape.window - 1)) if left > 0 else []

    def _decode_ahead(self, row: Request, guessed: list[int]) -> None:
        """Draw after each guessed token as long as what is drawn is what was guessed, so that no draw is another."""
        logits, step = self._model.attempt([row.tokens[-1], *guessed], row.slot, self._cache)
        drawn: list[int] = []
        for place in range(len(logits)):
            drawn += choose(logits[place : place + 1], [row.sampler])
            if self._ends(row, drawn[-1]) or drawn[place : place + 1] != guessed[place : place + 1]:
                break
        row.lookup.learn(len(guessed), len(drawn) - 1)
        step.commit(len(drawn))
        if any(self._accept(row, token) for token in drawn):  # a stop string may end it before the last of them
            self._end([row])

    def _accept(self, request: Request, token: int) -> bool:
        """Take a drawn token into the request, whose text goes out; whether it was its last."""
        request.take(token)
        ended = self._ends(request, token)
        text = "" if ended else request.detokenizer.add(token)
        text = request.stops.add(text)
        spent = len(request.tokens) >= self._answer_tokens(request)
        if ended or spent:
            text += request.stops.add(request.detokenizer.flush()) + request.stops.flush()
        if text:
            self._outputs.append((request, Piece(text)))
        if ended or request.stops.found or spent:
            self._outputs.append((request, request.finished("stop" if ended or request.stops.found else "length")))
            return True
        return False

    def _ends(self, request: Request, token: int) -> bool:
        return token in self._model.end_ids and not request.generation.ignore_eos

    def _answer_tokens(self, request: Request) -> int:
        left = self._max_model_len - request.prompt.length
        return min(left, request.generation.max_tokens or left)

    def _end(self, rows: list[Request]) -> None:
        """These are done. What all rows drew goes out before anything is copied for a next turn."""
        for row in rows:
            self._running.remove(row)
        self._hand_over()
        for row in rows:
            self._vacate(row)

    def _leave(self, request: Request) -> None:
        """Out with it before its end."""
        if request in self._joining:
            self._joining.remove(request)
            self._cache.leave(request.slot)
        else:
            self._running.remove(request)
            self._vacate(request)

    def _vacate(self, row: Request) -> None:
        """Give its slot back; what a turn has computed is kept for the next one."""
        # The last token was drawn and never fed, so the slot does not hold it. It may hold some after it, that were
        # guessed rightly and that a stop string cut off; then nothing is kept.
        fed = row.tokens[:-1]
        if row.salt is not None and row.slot.length == row.prompt.length + len(fed):
            key = torch.cat([key_of(row.prompt), torch.tensor(fed, dtype=torch.long)])
            self._prefixes.keep(row.salt, key, self._cache, row.slot)
        self._cache.leave(row.slot)

    def _guard(self, work: Callable[[], None], culprit: Request, *, shared: bool) -> None:
        """Run a piece of work of `culprit` alone or, if `shared`, of all running rows.

        Out of memory ends the culprit, another fault whoever was in it; a device that stays broken ends the
        worker. Only the kind of the error is logged: a message could quote what a patient wrote.
        """
        try:
            work()
        except Exception as error:
            log.error("a step of %d rows failed: %s", len(self._running), type(error).__name__)
            if is_out_of_memory(error):
                self._fail(culprit, OUT_OF_MEMORY)
                return
            # A prompt that breaks its own prefill says nothing of the device, and must not end the worker.
            self._faults += shared
            hopeless = self._faults >= FAULTS or isinstance(error, torch.AcceleratorError)
            if not shared and not hopeless:
                self._fail(culprit, FAULT)
                return
            self._fail_all(culprit)
            if hopeless:
                self._hand_over()
                raise
        else:
            self._faults = 0 if shared else self._faults

    def _fail(self, request: Request, broken: Broken) -> None:
        self._outputs.append((request, broken))
        if request in self._running or request in self._joining:
            request.salt = None  # a step broke in the middle: nothing of it is kept
            self._leave(request)
        with self._wake:
            if request in self._waiting:
                self._waiting.remove(request)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _fail_all(self, culprit: Request) -> None:
        lost = dict.fromkeys([culprit, *self._running, *self._joining])
        self._outputs += [(request, FAULT) for request in lost]
        self._running, self._joining = [], []
        self._forget()
