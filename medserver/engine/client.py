"""The OpenAI wire, spoken to an engine: one request becomes deltas and an end, or one of our problems."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any
from uuid import uuid4

import aiohttp
import orjson

from medserver.engine.answer import Answer
from medserver.engine.base import Ask, Delta, End, EngineFacts, Reach
from medserver.engine.connector import read_little
from medserver.engine.dialect import OURS, Dialect
from medserver.engine.faults import problem_from
from medserver.engine.patience import FOREVER, Patience, Watch
from medserver.engine.payloads import Payloads
from medserver.errors import BadRequest, ContextOverflow, EngineLost, OutOfMemory
from medserver.models import ThinkingMarkers

_BROKEN = (aiohttp.ClientError, ConnectionError, asyncio.TimeoutError)
_ABORT = aiohttp.ClientTimeout(total=5)
_PIECE = 8 * 1024  # bytes that are handled together: for a client that does not read they lie here in several forms

# Why an engine is not left as it is.
MUTE = "The engine did not begin an answer in time."
SILENT = "The engine stopped in the middle of an answer."
FULL = "The engine ran out of memory."


class EngineClient:
    """Talks to one running engine. `session` carries the base URL and the secret key."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        model_id: str,
        facts: EngineFacts,
        *,
        dialect: Dialect = OURS,
        markers: ThinkingMarkers | None = None,
        patience: Patience = FOREVER,
        on_failing: Callable[[str], None] = lambda why: None,
    ):
        """`on_failing` is told why the engine cannot be left as it is: it has outlasted the patience, or is full."""
        self._session = session
        self._model_id = model_id
        self._dialect = dialect
        self._markers = markers or ThinkingMarkers()
        self._patience = patience
        self._until_head = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=patience.head)
        self._on_failing = on_failing
        self._aborting: set[asyncio.Task] = set()
        self.facts = facts

    async def stream(self, ask: Ask) -> AsyncIterator[Delta | End]:
        """Answer one ask. Closing this iterator closes the connection, and with that the work stops.

        Raises:
            EngineProblem, BadRequest, Unavailable: the engine refused, failed or went away.
        """
        if ask.sampling.seed is not None and ask.sampling.temperature > 0 and not self.facts.seeds:
            raise BadRequest("seed: this engine draws anew each time. Leave it out, or ask with temperature 0.")
        rid = uuid4().hex if self._dialect.abort else None
        begun = whole = False
        try:
            while True:
                try:
                    async with aclosing(self._exchange(ask, self._body(ask, rid, whole_context=whole))) as items:
                        async for item in items:
                            begun = True
                            if isinstance(item, End):
                                rid = None  # whoever has the end may leave: there is nothing to abort any more
                                yield item
                                return
                            yield item
                    break
                except ContextOverflow:
                    # An engine may refuse an answer that might outgrow its context, but gives what the context leaves
                    # when no length is named; that is less than was asked for.
                    if begun or whole or self._dialect.fits_answer:
                        raise
                    whole = True
        except _BROKEN as broken:
            self._abort(rid)
            if isinstance(broken, aiohttp.SocketTimeoutError):
                self._on_failing(MUTE)
            raise EngineLost() from None
        except OutOfMemory:
            if not self._dialect.trusted:  # our own goes on with everybody else's answers
                self._on_failing(FULL)
            raise
        except (GeneratorExit, asyncio.CancelledError):
            self._abort(rid)
            raise
        raise EngineLost()  # the stream ended without saying why

    async def _exchange(self, ask: Ask, body: bytes) -> AsyncIterator[Delta | End]:
        # Never redirected: a conversation goes to the server that was named, and to no other.
        options = {"timeout": self._until_head, "allow_redirects": False}
        posting, body = self._session.post("v1/chat/completions", data=body, **options), None
        response = await posting
        del posting, options  # with the body, which may hold images: an answer takes minutes
        async with response:
            if response.status != 200:
                raise problem_from(await response.read(), response.status, self._dialect, self.facts.max_model_len)
            read_little(response)
            _take_over(response)
            answer = Answer(self._dialect, self._markers, _begun(ask))

            def give_up() -> None:
                response.close()
                self._on_failing(SILENT if watch.begun else MUTE)

            payloads = Payloads()
            with Watch(self._patience, give_up) as watch:
                while not payloads.ended:
                    arrived = await response.content.read(_PIECE)
                    watch.heard()
                    for delta in answer.read(payloads.take(arrived)):
                        watch.began()
                        yield delta
                    del arrived  # nothing of it is kept while we wait for more
            for item in answer.close():
                yield item

    def _body(self, ask: Ask, rid: str | None = None, *, whole_context: bool = False) -> bytes:
        sampling = ask.sampling
        body: dict[str, Any] = {
            "model": ask.model or self._model_id,
            "messages": ask.messages,
            "stream": True,
            "stream_options": {"include_usage": True},
            "max_tokens": ask.max_tokens,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "repetition_penalty": sampling.repetition_penalty,
        }
        if sampling.top_k:
            body["top_k"] = sampling.top_k
        if sampling.seed is not None:
            body["seed"] = sampling.seed
        if sampling.stop:
            body["stop"] = sampling.stop
        if sampling.ignore_eos:
            body["ignore_eos"] = True
        if sampling.min_tokens:
            # What is left after a thought may be less, and an engine refuses more at least than at most.
            body["min_tokens"] = min(sampling.min_tokens, ask.max_tokens)
        if ask.logit_bias:
            body["logit_bias"] = {str(token): bias for token, bias in ask.logit_bias.items()}
        if ask.continue_final:
            body |= {"continue_final_message": True, "add_generation_prompt": False}
        if rid:
            body[self._dialect.abort.field] = rid
        if ask.cache_salt and self._dialect.salts:
            body["cache_salt"] = ask.cache_salt
        if whole_context:
            body = {name: value for name, value in body.items() if name not in ("max_tokens", "min_tokens")}
        return orjson.dumps(body)

    def _abort(self, rid: str | None) -> None:
        """Tell an engine that might go on for a client who left; nobody waits for its answer."""
        if rid is None:
            return
        task = asyncio.create_task(self._send_abort(rid))
        self._aborting.add(task)
        task.add_done_callback(self._aborting.discard)

    async def _send_abort(self, rid: str) -> None:
        abort = self._dialect.abort
        with contextlib.suppress(*_BROKEN, RuntimeError):  # its session may be closed by now
            async with self._session.post(abort.path, data=abort.body % rid, timeout=_ABORT):
                pass


def engine_at(reach: Reach, session: aiohttp.ClientSession, on_failing: Callable[[str], None]) -> EngineClient:
    """The engine that `reach` describes, asked over `session`."""
    return EngineClient(
        session,
        reach.model_id,
        reach.facts,
        dialect=reach.dialect,
        markers=reach.markers,
        patience=reach.patience,
        on_failing=on_failing,
    )


def _take_over(response: aiohttp.ClientResponse) -> None:
    """Wait for this body in our own way from here on.

    aiohttp would set a timer for each chunk anew, and leaves its reader waiting where the connection went in the middle
    of a chunk.
    """

    def broken(gone: asyncio.Future | None) -> None:
        if gone and not gone.cancelled():
            gone.exception()  # seen; nobody else asks for it
        if not response.content.is_eof() and response.content.exception() is None:
            response.content.set_exception(aiohttp.ClientPayloadError())

    if response.connection is None:
        return  # the body is all here
    protocol = response.connection.protocol
    protocol.read_timeout = None
    protocol.start_timeout()  # none, and the running one ends
    closed = protocol.closed
    if closed is None:  # gone between the head and now
        broken(None)
    else:
        closed.add_done_callback(broken)


def _begun(ask: Ask) -> str | None:
    """The turn that is to be continued, where it is all text."""
    content = ask.messages[-1]["content"] if ask.continue_final else None
    return content if isinstance(content, str) else None
