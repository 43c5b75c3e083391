"""Servers that somebody else runs, as one engine: nothing to start, each answer given by one of them.

RemoteHost      watches the servers and says how they stand; the surface of `EngineHost`
RemoteEngine    the contract of `Engine`: chooses a server, and another where the first one gives nothing
"""

import asyncio
import math
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import replace

from medserver.engine.base import Ask, Delta, End, Engine, EngineFacts, Serving
from medserver.engine.host import EngineStatus
from medserver.engine.routing import choose, conversation
from medserver.engine.upstream import RemoteModel, Upstream
from medserver.errors import EngineLost, Unavailable
from medserver.parse import base_url

REMOTE_SLOTS = 64  # answers at a time from one server
ATTEMPTS = 3  # a request that breaks servers does not get to break them all
_LOST = "The server that was answering is gone. Please ask again; where there is another, it will answer."


class RemoteEngine:
    """`model_id`: what is asked for when nobody names a model and a server lists it, else the first one listed.

    Markers that no tokenizer has told the ids of are not banned: then "thinking off" is up to the model, and a
    thought that it has all the same is told apart and closed as usual.
    """

    def __init__(
        self, upstreams: Sequence[Upstream], model_id: str, supports_images: bool, max_model_len: int, salt: bytes
    ):
        self._upstreams = upstreams
        self._model_id = model_id
        self._supports_images = supports_images
        self._max_model_len = max_model_len
        self._salt = salt

    @property
    def models(self) -> tuple[str, ...]:
        """Every model that a healthy server lists."""
        return tuple(dict.fromkeys(name for one in self._upstreams if one.health.up for name in one.models))

    @property
    def facts(self) -> EngineFacts:
        """What holds on whichever server answers when no model is named."""
        entries = self._entries(self.default)
        lengths = [one.max_model_len for one in entries if one.max_model_len]
        every = [one for upstream in self._upstreams if upstream.health.up for one in upstream.models.values()]
        ids = {one.thinking_ids for one in every}  # a ban is only safe where it means the same to all of them
        return EngineFacts(
            supports_images=self._supports_images,
            max_model_len=min(lengths, default=self._max_model_len),
            thinking_ids=ids.pop() if len(ids) == 1 else (None, None),
        )

    async def stream(self, ask: Ask) -> AsyncIterator[Delta | End]:
        """Answer one ask. Another server is tried only while not a byte of the answer has come.

        Raises:
            EngineProblem, BadRequest, Unavailable: as `Engine.stream`; Unavailable also when all servers are down.
        """
        ask = replace(ask, model=ask.model or self.default)
        tried: list[Upstream] = []
        while True:
            upstream = self._chosen(ask, tried)
            tried.append(upstream)
            begun = False
            try:
                with upstream:
                    async with aclosing(upstream.client(ask.model).stream(ask)) as items:
                        async for item in items:
                            begun = True
                            if isinstance(item, End):
                                upstream.answered()
                            yield item
                return
            except EngineLost:
                if begun or len(tried) >= ATTEMPTS or not self._open_to(ask.model, tried):
                    raise EngineLost(_LOST) from None

    @property
    def default(self) -> str:
        """What is asked for when nobody names a model."""
        listed = self.models
        return self._model_id if self._model_id in listed or not listed else listed[0]

    def _entries(self, model: str) -> list[RemoteModel]:
        return [one.models[model] for one in self._upstreams if one.health.up and model in one.models]

    def _open_to(self, model: str, tried: Sequence[Upstream]) -> list[Upstream]:
        return [one for one in self._upstreams if one.health.up and model in one.models and one not in tried]

    def _chosen(self, ask: Ask, tried: Sequence[Upstream]) -> Upstream:
        able = self._open_to(ask.model, tried)
        if not able:
            raise self._nobody(ask.model)
        # One that has just come back gets a single answer to prove itself by, as long as there are others.
        ready = [one for one in able if one.health.proven or one.outstanding == 0] or able
        return ready[0] if len(ready) == 1 else choose(ready, conversation(ask, self._salt))

    def _nobody(self, model: str) -> Unavailable:
        if any(one.health.up for one in self._upstreams) and not any(model in one.models for one in self._upstreams):
            return Unavailable("The upstream server does not have this model.", retry_after=60)
        return down(self._upstreams)


def down(upstreams: Sequence[Upstream]) -> Unavailable:
    soonest = min(one.health.due_in for one in upstreams)
    return Unavailable("No upstream server is answering. Please try again shortly.", retry_after=math.ceil(soonest) + 1)


class RemoteHost:
    """`urls`: one or more, each a server or a router. `max_model_len`: for servers that do not tell their own.

    Hosts of the same `salt` send a conversation to the same server.

    Raises:
        BadSetting: one of the addresses cannot be used.
    """

    def __init__(
        self,
        urls: Sequence[str],
        serving: Serving,
        max_model_len: int,
        key: str | None = None,
        salt: bytes | None = None,
    ):
        markers, salt = serving.variant.thinking, salt or secrets.token_bytes(16)
        self._upstreams = [Upstream(url, key=key, markers=markers) for url in dict.fromkeys(map(base_url, urls))]
        self._engine = RemoteEngine(
            self._upstreams, serving.variant.model_id, serving.supports_images, max_model_len, salt
        )
        self._tasks: list[asyncio.Task] = []
        self._closed = False

    def start(self) -> None:
        for upstream in self._upstreams:
            upstream.open()
        self._tasks = [asyncio.create_task(upstream.watch()) for upstream in self._upstreams]

    async def close(self) -> None:
        """Leave the servers as they are."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(upstream.close() for upstream in self._upstreams))

    def engine(self) -> Engine:
        """All servers that answer, as one.

        Raises:
            Unavailable: none does, or none was asked yet.
        """
        if any(one.health.up for one in self._upstreams):
            return self._engine
        if not self._probed:
            raise Unavailable("The upstream server is being asked. Please try again.", code="loading", retry_after=2)
        raise down(self._upstreams)

    @property
    def models(self) -> tuple[str, ...]:
        """What can be asked for, the default first; while nobody answers, what would be asked for."""
        default = self._engine.default
        return (default, *(name for name in self._engine.models if name != default))

    @property
    def slots(self) -> int:
        """What the servers that answer are taken to work on at a time: they queue by themselves beyond it."""
        return REMOTE_SLOTS * max(1, sum(one.health.up for one in self._upstreams))

    @property
    def status(self) -> EngineStatus:
        """Read anew each time: it is what the servers' health makes it."""
        if self._closed:
            return EngineStatus("remote", "stopped")
        why = next((one.why for one in self._upstreams if one.why), None)
        out = sum(not one.health.up for one in self._upstreams)
        if out == len(self._upstreams):
            return EngineStatus("remote", "failed" if self._probed else "starting", why=why)
        left_out = f"{out} of {len(self._upstreams)} upstream servers left out. {why}" if out and why else None
        return EngineStatus("remote", "ready", why=left_out)

    @property
    def _probed(self) -> bool:
        return all(one.probed for one in self._upstreams)
