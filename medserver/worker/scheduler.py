"""The one thread that owns the model: admits requests, prefills each alone, decodes all of them together.

It does not know HTTP. Requests come in through `submit` and `cancel`, from any thread; outputs leave through
one call per step, so that a batch of rows costs the receiving side one wake-up.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable

import torch

from medserver.worker.batch import RowCache
from medserver.worker.model import Model
from medserver.worker.sampling import Sampler, choose
from medserver.worker.text import Detokenizer, StopStrings
from medserver.worker.values import Broken, Finished, Generation, Output, Piece, Prompt, is_out_of_memory

log = logging.getLogger("medserver.worker")

OUT_OF_MEMORY = Broken("out_of_memory", "The model ran out of memory on this request.")
FAULT = Broken("internal", "The model failed on this request.")
FAULTS = 3  # decode steps that fail in a row, after which the worker starts afresh


class Request:
    """One sequence: what was asked, and how far it has come. Only the scheduler's thread changes it."""

    def __init__(self, prompt: Prompt, generation: Generation):
        self.prompt = prompt
        self.generation = generation
        self.cancelled = threading.Event()
        self.sampler: Sampler | None = None
        self.detokenizer: Detokenizer | None = None
        self.stops = StopStrings(generation.stop)
        self.last_token = -1
        self.completion_tokens = 0

    def finished(self, reason: str) -> Finished:
        return Finished(reason, self.prompt.length, self.completion_tokens)


Deliver = Callable[[list[tuple[Request, Output]]], None]


class Scheduler:
    """`max_model_len` in tokens, prompt and answer together; `slots` rows at most decode at a time."""

    def __init__(self, model: Model, deliver: Deliver, *, slots: int, max_model_len: int):
        self._model = model
        self._deliver = deliver
        self._slots = slots
        self._max_model_len = min(max_model_len, model.context)
        self._waiting: deque[Request] = deque()
        self._wake = threading.Condition()
        self._closing = False
        self._running: list[Request] = []
        self._cache = RowCache()
        self._outputs: list[tuple[Request, Output]] = []
        self._faults = 0

    @property
    def running(self) -> int:
        return len(self._running)

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
        """Drop who left, admit one, decode one token for every row, deliver."""
        self._drop_cancelled()
        self._admit()
        if self._running:
            self._guard(self._decode, self._running[-1], shared=True)
        self._hand_over()

    def _hand_over(self) -> None:
        if self._outputs:
            outputs, self._outputs = self._outputs, []
            self._deliver(outputs)

    def _wait_for_work(self) -> bool:
        with self._wake:
            self._wake.wait_for(lambda: self._closing or self._waiting or self._running)
            return not self._closing

    def _drop_cancelled(self) -> None:
        with self._wake:
            self._waiting = deque(request for request in self._waiting if not request.cancelled.is_set())
        for request in [one for one in self._running if one.cancelled.is_set()]:
            self._leave(request)

    def _admit(self) -> None:
        """Prefill at most one request per step, so that running rows wait for one prompt and not for all."""
        with self._wake:
            if not self._waiting or len(self._running) >= self._slots:
                return
            request = self._waiting.popleft()
        self._guard(lambda: self._prefill(request), request, shared=False)

    def _prefill(self, request: Request) -> None:
        logits, layers = self._model.prefill(request.prompt)
        model = self._model
        request.sampler = Sampler(
            request.generation, request.prompt.ids[0], model.vocab_size, logits.device, model.end_ids
        )
        request.detokenizer = Detokenizer(model.tokenizer.backend_tokenizer)
        [token] = choose(logits, [request.sampler])
        self._cache.join(layers)
        self._running.append(request)
        self._accept(request, token)

    def _decode(self) -> None:
        rows = list(self._running)
        logits = self._model.decode([row.last_token for row in rows], self._cache)
        tokens = choose(logits, [row.sampler for row in rows])
        for row, token in zip(rows, tokens, strict=True):
            self._accept(row, token)

    def _accept(self, request: Request, token: int) -> None:
        """Take a drawn token into the request: its text goes out, and its end is recognised."""
        request.last_token = token
        request.completion_tokens += 1
        ended = token in self._model.end_ids and not request.generation.ignore_eos
        text = "" if ended else request.detokenizer.add(token)
        text = request.stops.add(text)
        spent = request.completion_tokens >= self._budget(request)
        if ended or spent:
            text += request.stops.add(request.detokenizer.flush()) + request.stops.flush()
        if text:
            self._outputs.append((request, Piece(text)))
        if ended or request.stops.found or spent:
            self._outputs.append((request, request.finished("stop" if ended or request.stops.found else "length")))
            self._leave(request)

    def _budget(self, request: Request) -> int:
        left = self._max_model_len - request.prompt.length
        return min(left, request.generation.max_tokens or left)

    def _leave(self, request: Request) -> None:
        """Mirror of `RowCache.leave`: the last row takes the place of the one that goes."""
        row = self._running.index(request)
        last = self._running.pop()
        if last is not request:
            self._running[row] = last
        self._cache.leave(row)

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
        if request in self._running:
            self._leave(request)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _fail_all(self, culprit: Request) -> None:
        """Without a touch to the cache, whose device may answer nothing any more."""
        self._outputs += [(request, FAULT) for request in dict.fromkeys([culprit, *self._running])]
        self._running, self._cache = [], RowCache()
