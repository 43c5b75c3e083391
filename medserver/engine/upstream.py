"""One OpenAI-compatible server that somebody else runs: its address, its models, its health, how busy it is.

It does not know that there are others.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from medserver.engine.base import EngineFacts
from medserver.engine.client import EngineClient
from medserver.engine.connector import open_session
from medserver.engine.dialect import PLAIN, Dialect, dialect_of
from medserver.engine.health import Health
from medserver.engine.listing import PROBE, context_of, entries, marker_ids
from medserver.engine.patience import REMOTE, Patience
from medserver.errors import EngineLost, Problem, Unavailable
from medserver.models import ThinkingMarkers
from medserver.parse import base_url

log = logging.getLogger("medserver.engine")

PROBE_SECONDS = 3.0
LIST_EVERY = 20  # probes; models come and go seldom
TOKENIZED = 8  # models of one server whose tokenizers are asked for the ids of the markers
_SILENT = "An upstream server does not answer."
_REFUSED = "An upstream server refused our key."
_STRANGE = "An upstream server answers, but not as one of models does."


@dataclass(frozen=True, slots=True)
class RemoteModel:
    """One entry of a server's listing. `thinking_ids` only where its own tokenizer has told them."""

    id: str
    max_model_len: int | None
    thinking_ids: tuple[int | None, int | None]


class _ProbeFailed(Exception):
    """The message is the sentence why."""


class Upstream:
    """Opened once within a running loop, then watched. A context manager while it gives an answer: so health and load
    are kept, without a stage of their own for the answer to pass through.
    """

    def __init__(
        self,
        url: str,
        *,
        key: str | None = None,
        markers: ThinkingMarkers | None = None,
        patience: Patience = REMOTE,
        health: Health | None = None,
    ):
        self.url = base_url(url)
        self.health = health or Health()
        self.models: Mapping[str, RemoteModel] = {}
        self.outstanding = 0
        self.probed = False
        self.why: str | None = None
        self._key = key
        self._markers = markers or ThinkingMarkers()
        self._patience = patience
        self._dialect: Dialect = PLAIN
        self._session: aiohttp.ClientSession | None = None
        self._until_listed = 0
        self._clients: dict[str, EngineClient] = {}  # by model, of the last listing

    def open(self) -> None:
        self._session = open_session(self.url, {"Authorization": f"Bearer {self._key}"} if self._key else None)
        self._clients = {}

    async def close(self) -> None:
        if self._session:
            await self._session.close()

    async def watch(self) -> None:
        """Probe it for as long as we live."""
        while True:
            try:
                await self.probe()
            except Exception as error:  # garbage on its wire is as good as silence, and no end of watching
                log.error("upstream server %s: %s", self.url, type(error).__name__)
                self._failed("probe", _STRANGE)
            self.probed = True
            await asyncio.sleep(max(PROBE_SECONDS, self.health.due_in))

    async def probe(self) -> None:
        """Ask how it is, and its models with it where it was down or they are old; nothing while it cools down."""
        if self.health.due_in > 0:
            return
        was_up = self.health.up
        try:
            if was_up and self._until_listed > 0:
                self._until_listed -= 1
                await self._ask_how_it_is()
            else:
                await self._list()
        except _ProbeFailed as reason:
            self._failed("probe", str(reason))
            return
        self.why = None
        self.health.succeeded("probe")
        if not was_up:
            log.info("upstream server %s answers; %d model(s)", self.url, len(self.models))

    def forget(self) -> None:
        """Its listing has shown to be old: the next probe asks for a new one."""
        self._until_listed = 0

    def __enter__(self) -> None:
        self.outstanding += 1

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace) -> None:
        self.outstanding -= 1
        if isinstance(error, EngineLost):
            self._failed("answer", _SILENT)
        elif isinstance(error, Unavailable):  # our key or this model is refused
            self.forget()
        elif isinstance(error, Problem) and error.status < 500:  # that is no fault of the server
            self.answered()

    def answered(self) -> None:
        """An answer has come to its end."""
        self.health.succeeded("answer")

    def client(self, model: str) -> EngineClient:
        """Whom to ask for an answer; `model` must be one of `models`."""
        if model not in self._clients:
            self._clients[model] = self._new_client(model)
        return self._clients[model]

    def _new_client(self, model: str) -> EngineClient:
        length = self.models[model].max_model_len or 0
        return EngineClient(
            self._session,
            model,
            EngineFacts(supports_images=True, max_model_len=length),
            dialect=self._dialect,
            markers=self._markers,
            patience=self._patience,
        )

    def _failed(self, kind: str, why: str) -> None:
        was_up = self.health.up
        self.health.failed(kind)
        if not self.health.up:
            self.why = why
            if was_up:
                log.warning("upstream server %s is left out for now: %s", self.url, why)

    async def _ask_how_it_is(self) -> None:
        status, _ = await self._get(self._dialect.probe_path)
        if status == 404:  # a router may not pass it on
            await self._list()
        elif status != 200:
            raise _ProbeFailed(_SILENT)

    async def _list(self) -> None:
        status, said = await self._get("v1/models")
        if status in (401, 403):
            raise _ProbeFailed(_REFUSED)
        if status != 200:
            raise _ProbeFailed(_SILENT)
        listed = entries(said)
        if not listed:
            raise _ProbeFailed(_STRANGE)
        self._dialect = dialect_of(listed[0].get("owned_by"))
        self.models = {one["id"]: await self._described(one, index) for index, one in enumerate(listed)}
        self._until_listed = LIST_EVERY
        self._clients = {}

    async def _described(self, entry: dict[str, Any], index: int) -> RemoteModel:
        known = self.models.get(entry["id"])
        ids = known.thinking_ids if known else (None, None)
        if index < TOKENIZED and None in ids:
            ids = await marker_ids(self._session, entry["id"], self._markers)
        return RemoteModel(entry["id"], context_of(entry), ids)

    async def _get(self, path: str) -> tuple[int, bytes]:
        try:
            async with self._session.get(path, timeout=PROBE, allow_redirects=False) as response:
                return response.status, await response.read()
        except (aiohttp.ClientError, ConnectionError, asyncio.TimeoutError):
            raise _ProbeFailed(_SILENT) from None
