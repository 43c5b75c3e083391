"""The one thread that owns the model: steps of prompts and rows, and what happens where one fails.

It does not know HTTP. Requests come in through `submit` and `cancel`, from any thread; outputs leave through
one call per step.
"""

import logging
from collections.abc import Callable

import torch

from medserver.worker.batch import Batch
from medserver.worker.kv_manager import KVManager
from medserver.worker.memory import Budget, kv_budget
from medserver.worker.model import Model
from medserver.worker.outbox import Deliver, Outbox
from medserver.worker.pace import Pace
from medserver.worker.prefills import Prefills
from medserver.worker.queue import Queue
from medserver.worker.request import Request
from medserver.worker.threads import Threads
from medserver.worker.values import Broken, is_out_of_memory

log = logging.getLogger("medserver.worker")

OUT_OF_MEMORY = Broken("out_of_memory", "The model ran out of memory on this request.")
FAULT = Broken("internal", "The model failed on this request.")
# Seconds after which the cache of nobody gives its memory back. To take it again page by page costs a crowd of 64 about
# a tenth of its time (on a virtual machine, where a page costs most).
IDLE = 900.0
FAULTS = 3  # decode steps that fail in a row, after which the worker starts afresh


class Scheduler:
    """`max_model_len` in tokens, prompt and answer together; `slots` sequences at most at a time.

    `budget`: what keys and values may take; a share of what is free now by default.
    """

    def __init__(self, model: Model, deliver: Deliver, *, slots: int, max_model_len: int, budget: Budget | None = None):
        self.max_model_len = min(max_model_len, model.context)
        device = model.plan.device
        pace, self._outbox, self._queue = Pace(), Outbox(deliver), Queue()
        self._kv = KVManager(model, budget or kv_budget(device), slots, self.max_model_len)
        self._batch = Batch(model, self._kv, pace, self._outbox)
        self._prefills = Prefills(model, self._kv, self._queue, self._batch, pace, self._outbox, self._guard)
        self._threads = Threads(torch.get_num_threads()) if device == "cpu" else None
        self._faults = 0

    @property
    def running(self) -> int:
        return len(self._batch.requests) + len(self._prefills.requests)

    @property
    def waiting(self) -> int:
        return len(self._queue)

    def submit(self, request: Request) -> None:
        request.fit(self.max_model_len)
        self._queue.add(request)

    def cancel(self, request: Request) -> None:
        """Take the request out before the next step, or out of the queue; it gets no further output."""
        request.cancelled.set()
        self._queue.wake()

    def close(self) -> None:
        self._queue.close()

    def run(self) -> None:
        """Serve until `close`. The caller's thread becomes the only one that touches the model.

        Raises:
            Exception: the device is beyond help; the process must end and be started again.
        """

        def busy() -> bool:
            return bool(self.running or self.waiting or self._kv.leaving)

        while self._queue.wait(busy, IDLE):
            if busy():
                self.step()
            else:
                self._kv.rest()

    @torch.inference_mode()  # the cache is written in here and in the model: both must be on the same side
    def step(self) -> None:
        """Drop who left, prefill some, decode one token for every row, beside that or after it, deliver."""
        if self._threads:
            self._threads.adjust()
        self._drop_cancelled()
        if self._batch.requests or not (self._prefills.requests or self.waiting):
            self._kv.advance(self._batch.requests)
        decoded = self._prefills.run()
        if self._batch.requests and not decoded:
            self._guard(self._decode, self._batch.requests[-1], shared=True)
        self._outbox.send()

    def _decode(self) -> None:
        self._batch.decode(alone=self.running == 1 and not self.waiting)

    def _drop_cancelled(self) -> None:
        self._queue.drop_cancelled()
        for group in (self._batch, self._prefills):
            for request in [one for one in group.requests if one.cancelled.is_set()]:
                group.remove(request)

    def _guard(self, work: Callable[[], None], culprit: Request, *, shared: bool) -> None:
        """Run a piece of work of `culprit` alone or, if `shared`, of all running rows.

        Out of memory ends the culprit, another fault whoever was in it; a device that stays broken ends the
        worker. Only the kind of the error is logged: a message could quote what a patient wrote.
        """
        try:
            work()
        except Exception as error:
            log.error("a step of %d rows failed: %s", len(self._batch.requests), type(error).__name__)
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
                self._outbox.send()
                raise
        else:
            self._faults = 0 if shared else self._faults

    def _fail(self, request: Request, broken: Broken) -> None:
        self._outbox.put(request, broken)
        request.salt = None  # a step broke in the middle: nothing of it is kept
        for group in (self._batch, self._prefills):
            if request in group.requests:
                group.remove(request)
        self._queue.remove(request)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _fail_all(self, culprit: Request) -> None:
        for request in dict.fromkeys([culprit, *self._batch.requests, *self._prefills.requests]):
            self._outbox.put(request, FAULT)
        self._batch.requests.clear()
        self._prefills.requests.clear()
        self._kv.forget()
