"""The front: composes the house, and routes of a few lines each. No torch is ever imported here."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from slowapi.errors import RateLimitExceeded
from starlette.exceptions import HTTPException

from medserver import __version__
from medserver.access.body import BodyLimit
from medserver.access.envelope import Envelope
from medserver.access.rate import RateLimit, client_of
from medserver.admission import Admission, Ticket
from medserver.chat import Chat
from medserver.config import ENGINE_SLOTS, QUEUE_LENGTH, Settings
from medserver.engine.base import Serving
from medserver.engine.host import EngineHost
from medserver.engine.select import select
from medserver.engine.transformers import transformers_row
from medserver.errors import Problem
from medserver.events import Event, Queued
from medserver.forms import read_analyze_form, read_json
from medserver.hardware import Hardware, probe
from medserver.imaging.pool import DecoderPool
from medserver.intake import Intake
from medserver.reply import Reply
from medserver.schemas import ChatRequest
from medserver.sse import Connection, EventStream, WholeAnswer, refusal
from medserver.status import Status

Read = Callable[[Request], Awaitable[tuple[Chat, bool]]]

STATIC = Path(__file__).parent / "static"


@dataclass(frozen=True)
class House:
    """The collaborators behind the routes."""

    serving: Serving
    host: EngineHost
    decoders: DecoderPool
    intake: Intake
    admission: Admission
    status: Status
    closing: asyncio.Event

    async def respond(self, request: Request, read: Read) -> Response:
        """The answer to the chat that `read` makes of `request`; it holds a ticket until it has ended."""
        self.host.engine()  # no use in reading ten images that nobody will look at
        with ExitStack() as held:
            ticket = held.enter_context(self.admission.enter(client_of(request)))
            chat, stream = await read(request)
            connection = Connection(held.pop_all(), self.closing)
            return (EventStream if stream else WholeAnswer)(self._events(ticket, chat), connection)

    async def read_chat(self, request: Request) -> tuple[Chat, bool]:
        asked = await read_json(request, ChatRequest)
        return await self.intake.chat(asked), asked.stream

    async def read_analyze(self, request: Request) -> tuple[Chat, bool]:
        form, images = await read_analyze_form(request)
        return await self.intake.analyze(form, images), form.stream

    async def _events(self, ticket: Ticket, chat: Chat) -> AsyncIterator[Event]:
        async with aclosing(ticket.turn()) as queue:
            async for ahead in queue:
                yield Queued(ahead)
        reply = Reply(chat, self.host.engine(), self.serving.variant.thinking)
        async with aclosing(reply.events()) as events:
            async for event in events:
                yield event


def build_house(settings: Settings, serving: Serving, hardware: Hardware, host: EngineHost) -> House:
    decoders = DecoderPool(serving.image_size)
    admission = Admission(per_client=settings.max_user_streams, slots=ENGINE_SLOTS, queue=QUEUE_LENGTH)
    return House(
        serving=serving,
        host=host,
        decoders=decoders,
        intake=Intake(settings, serving, decoders),
        admission=admission,
        status=Status(settings, serving, hardware, host, admission),
        closing=asyncio.Event(),
    )


def build_host(settings: Settings, serving: Serving, hardware: Hardware) -> EngineHost:
    rows = {"transformers": lambda: transformers_row(settings, serving)}
    return EngineHost(select(settings, hardware), rows, serving.variant.model_id)


def create_app(settings: Settings, serving: Serving, host: EngineHost | None = None) -> FastAPI:
    """The application. `host` may be handed in, already knowing its engine; else it is made from the settings."""
    hardware = probe()
    house = build_house(settings, serving, hardware, host or build_host(settings, serving, hardware))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        house.host.start()
        tasks = [asyncio.create_task(house.decoders.warm_up())]
        if settings.show_hardware_stats:
            tasks.append(asyncio.create_task(house.status.watch_hardware()))
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(house.host.close(), house.decoders.close())

    app = FastAPI(title="MedServer", version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None)
    app.state.house = house
    rate = RateLimit(settings.rate_limit)
    app.state.limiter = rate.limiter
    _add_pages(app, serving)
    _add_status(app, house)
    _add_answers(app, house, rate)
    _add_problems(app, rate)
    app.add_middleware(BodyLimit, limit=settings.max_body_bytes)
    app.add_middleware(Envelope)
    return app


def _add_pages(app: FastAPI, serving: Serving) -> None:
    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(STATIC / "index.html", headers={"Cache-Control": "no-cache"})

    app.mount("/static", _Revalidated(directory=STATIC), name="static")
    if serving.samples:
        app.mount("/samples", _Revalidated(directory=Path(serving.source, "samples")), name="samples")


class _Revalidated(StaticFiles):
    """Always asked again, so that a page and its modules are of one version after an upgrade."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        return response


def _add_status(app: FastAPI, house: House) -> None:
    @app.get("/api/health")
    async def health() -> JSONResponse:
        return JSONResponse(house.status.health(), headers={"Cache-Control": "no-store"})

    @app.get("/api/models")
    async def models() -> JSONResponse:
        return JSONResponse(house.status.models())

    @app.get("/api/samples")
    async def samples() -> JSONResponse:
        return JSONResponse(house.status.samples())

    @app.get("/api/model-info")
    async def model_info() -> JSONResponse:
        return JSONResponse(house.status.model_info())


def _add_answers(app: FastAPI, house: House, rate: RateLimit) -> None:
    schema = {"content": {"application/json": {"schema": ChatRequest.model_json_schema()}}, "required": True}

    @app.post("/api/chat", openapi_extra={"requestBody": schema})
    @rate.guard
    async def chat(request: Request) -> Response:
        return await house.respond(request, house.read_chat)

    @app.post("/api/analyze")
    @rate.guard
    async def analyze(request: Request) -> Response:
        return await house.respond(request, house.read_analyze)


def _add_problems(app: FastAPI, rate: RateLimit) -> None:
    """Every way to say no, in the one shape of the wire."""

    @app.exception_handler(Problem)
    async def problem(request: Request, found: Problem) -> Response:
        return refusal(found, request.scope)

    @app.exception_handler(RateLimitExceeded)
    async def too_often(request: Request, exceeded: RateLimitExceeded) -> Response:
        return refusal(rate.refusal(request, exceeded), request.scope)

    @app.exception_handler(HTTPException)
    async def http(_: Request, error: HTTPException) -> Response:
        codes = {404: ("There is nothing here.", "not_found"), 405: ("This method is not allowed here.", "bad_method")}
        sentence, code = codes.get(error.status_code, ("The request could not be answered.", "invalid_request"))
        return JSONResponse({"detail": sentence, "code": code}, error.status_code, error.headers)
