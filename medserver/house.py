"""The house: what stands behind the routes, made from the settings, and how a chat goes through it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from medserver.access.client import client_of, salt_of
from medserver.access.entrance import Entrance
from medserver.access.rate import RateLimit, over_hosts
from medserver.admission import Admission, Ticket
from medserver.api_wire import ApiWire
from medserver.audit.account import Account
from medserver.audit.journal import Journal
from medserver.catalogue import Catalogue
from medserver.chat import Chat, Image
from medserver.config import QUEUE_LENGTH, Settings
from medserver.connection import Connection, UnderWay
from medserver.crew.common import Common
from medserver.engine.base import Serving
from medserver.engine.host import EngineHost
from medserver.engine.remote import RemoteHost
from medserver.engine.select import select
from medserver.engine.sglang import sglang_row
from medserver.engine.supply import Rows, Supply
from medserver.engine.transformers import transformers_row
from medserver.engine.vllm import vllm_row
from medserver.events import Event, Queued
from medserver.forms import read_analyze_form, read_fields, read_json
from medserver.hardware import Hardware, probe
from medserver.hub import arrival
from medserver.imaging.pool import DECODERS, DecoderPool
from medserver.intake import Intake
from medserver.metrics import Metrics
from medserver.openai_door.completion import understood
from medserver.openai_door.wire import OpenAIWire
from medserver.parse import BadSetting
from medserver.reply import Reply
from medserver.schemas import ChatRequest
from medserver.sse import EventStream, Later, WholeAnswer, Wire
from medserver.status import Status, about
from medserver.weights import serving_for

if TYPE_CHECKING:
    from medserver.access.tls import Tls


@dataclass(frozen=True, slots=True)
class Asked:
    """A chat, and how its answer is to be written."""

    chat: Chat
    stream: bool
    wire: Wire


Read = Callable[[Request], Awaitable[Asked]]


@dataclass(frozen=True, kw_only=True)
class House(Common):
    """The collaborators behind the routes: beside what there is one of, what each web worker has for itself."""

    serving: Serving
    decoders: DecoderPool
    catalogue: Catalogue
    intake: Intake
    status: Status
    loop_sensitivity: int
    closing: asyncio.Event
    under_way: UnderWay

    async def respond(self, request: Request, read: Read) -> Response:
        """The answer to the chat that `read` makes of `request`; it holds a ticket until it has ended."""
        self.host.engine()  # no use in reading ten images that nobody will look at
        async with AsyncExitStack() as held:
            ticket = await held.enter_async_context(self.admission.enter(client_of(request)))
            asked = await read(request)
            connection = Connection(ticket, self.under_way)
            kind = EventStream if asked.stream else WholeAnswer
            account: Account = request.state.account
            account.begin(sum(isinstance(part, Image) for turn in asked.chat.turns for part in turn.parts))
            answer = Later(kind(self._events(ticket, asked.chat, account), connection, asked.wire))
            held.pop_all()  # from here on the connection gives it back
            return answer

    async def end_when_closing(self) -> None:
        """From the signal on no answer is begun and none goes on: readers and engine may take their time together."""
        await self.closing.wait()
        await self.end()

    async def read_chat(self, request: Request) -> Asked:
        asked = await read_json(request, ChatRequest)
        return Asked(await self.intake.chat(asked), asked.stream, ApiWire())

    async def read_analyze(self, request: Request) -> Asked:
        form, images = await read_analyze_form(request)
        return Asked(await self.intake.analyze(form, images), form.stream, ApiWire())

    async def read_completion(self, request: Request) -> Asked:
        asked = understood(await read_fields(request))
        chat = await self.intake.chat(asked.chat)
        model = chat.model or self.catalogue.ids[0]
        wire = OpenAIWire(request.state.request_id, model, include_usage=asked.include_usage)
        return Asked(chat, asked.stream, wire)

    async def _events(self, ticket: Ticket, chat: Chat, account: Account) -> AsyncIterator[Event]:
        async with aclosing(ticket.turn()) as queue:
            async for ahead in queue:
                yield Queued(ahead)
        markers, salt = self.serving.variant.thinking, salt_of(ticket.client, self.salt)
        sensitivity = self.loop_sensitivity if chat.loop_guard is None else chat.loop_guard
        reply = Reply(chat, self.host.engine(), markers, sensitivity, salt)
        async with aclosing(reply.events()) as events:
            async for event in events:
                account.hear(event)
                yield event


def build_house(settings: Settings, serving: Serving, common: Common) -> House:
    decoders = DecoderPool(serving.image_size, max(1, DECODERS // settings.workers))
    host, closing = common.host, asyncio.Event()
    status = Status(settings, serving, common.hardware, host, common.admission, common.started)
    catalogue = Catalogue(serving.variant, lambda: host.models, status.context)
    return House(
        **vars(common),
        serving=serving,
        decoders=decoders,
        catalogue=catalogue,
        intake=Intake(settings, serving, decoders, catalogue),
        status=status,
        loop_sensitivity=settings.loop_guard,
        closing=closing,
        under_way=UnderWay(closing),
    )


def build_common(settings: Settings, serving: Serving, host: EngineHost | None = None) -> Common:
    """What there is one of. `host` may be handed in, already knowing its engine; else it is made from the settings.

    Raises:
        BadSetting: nothing here can run the model, or the files of https cannot be used.
    """
    hardware = probe(settings.engine_python)
    found = host or build_host(settings, serving, hardware)
    admission = Admission(per_client=settings.max_user_streams, slots=lambda: found.slots, queue=QUEUE_LENGTH)
    return Common(
        hardware=hardware,
        host=found,
        admission=admission,
        rate=over_hosts(RateLimit(settings.rate_limit), settings.rate_limit, settings.rate_limit_store),
        metrics=Metrics(admission, lambda: found.status, serving.variant.model_id),
        entrance=Entrance(settings),
        journal=Journal(settings.audit_log, about(serving)) if settings.audit_log else None,
        tls=_tls(settings),
    )


def _tls(settings: Settings) -> "Tls | None":
    """The files of https; raises `BadSetting` where they cannot be used."""
    if not (settings.https or settings.tls_key):
        return None
    from medserver.access.tls import tls_for  # what it stands on is of no use without it

    return tls_for(settings)


def build_host(settings: Settings, serving: Serving, hardware: Hardware) -> EngineHost | RemoteHost:
    """What answers: the upstreams that were named, else the engines that this machine can run.

    Raises:
        BadSetting: nothing here can run the model; the sentence names the flag that would help.
    """
    if settings.upstream:
        return RemoteHost(settings.upstream, serving, settings.max_model_len, settings.upstream_key)
    selection = select(settings, serving, hardware)
    if not selection.candidates:
        raise BadSetting(selection.refusal())
    if serving.here:
        rows = _rows(settings, serving, hardware)
    else:
        rows = Supply(
            lambda: arrival.launch(serving.source, settings.hf_token),
            lambda folder: _rows(settings, serving_for(replace(settings, model_path=folder)), hardware),
        )
    return EngineHost(selection, rows, serving.variant.model_id)


def _rows(settings: Settings, serving: Serving, hardware: Hardware) -> Rows:
    """How to make each engine for weights that are on this machine."""
    return {
        "sglang": lambda: sglang_row(settings, serving, hardware),
        "vllm": lambda: vllm_row(settings, serving, hardware),
        "transformers": lambda: transformers_row(settings, serving),
    }
