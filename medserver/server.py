"""The front: routes of a few lines each. No torch is ever imported here."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.routing import Mount

from medserver import __version__
from medserver.access.body import BodyLimit
from medserver.access.envelope import Envelope
from medserver.access.pairing_routes import add_pairing
from medserver.access.trust_routes import add_trust
from medserver.audit.account import Accounting
from medserver.config import Settings
from medserver.crew.common import Common
from medserver.described import answered, refused, takes, takes_form
from medserver.engine.base import Serving
from medserver.engine.host import EngineHost
from medserver.errors import NotFound, Problem, Refusal
from medserver.house import House, build_common, build_house
from medserver.metrics import CONTENT_TYPE
from medserver.openai_door.schemas import CompletionRequest
from medserver.pages import Pages, text_response
from medserver.schemas import ChatRequest
from medserver.sse import Answering, Unsaid, refusal

STATIC = Path(__file__).parent / "static"


class Front(Envelope):
    """The ASGI application: the framework, and round it the layers that last as long as an answer does.

    `framework`: with all routes, of those who may come in; it has returned before the answer begins.
    """

    def __init__(self, framework: FastAPI, house: House):
        folders = {route.path for route in framework.routes if isinstance(route, Mount)}
        paths = {route.path for route in framework.routes} - folders
        super().__init__(Accounting(Answering(framework), paths=paths, folders=folders, hearers=house.hearers))
        self.framework = framework
        self.house = house


def create_app(
    settings: Settings, serving: Serving, host: EngineHost | None = None, common: Common | None = None
) -> Front:
    """The application. `host` or all of `common` may be handed in; else it is made from the settings."""
    house = build_house(settings, serving, common or build_common(settings, serving, host))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        house.host.start()
        tasks = [asyncio.create_task(house.decoders.warm_up())]
        if settings.show_hardware_stats:
            tasks.append(asyncio.create_task(house.status.watch_hardware()))
        ending = asyncio.create_task(house.end_when_closing())
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        house.closing.set()
        await asyncio.gather(ending, house.decoders.close())

    app = FastAPI(
        title="MedServer",
        version=__version__,
        lifespan=lifespan,
        openapi_url="/openapi.json" if settings.docs else None,
        docs_url=None,  # FastAPI's own come from another origin
        redoc_url=None,
    )
    _add_pages(app, serving)
    _add_status(app, house)
    _add_answers(app, house)
    _add_openai_door(app, house)
    _add_problems(app)
    if settings.docs:
        _add_docs(app)
    add_pairing(app, house.entrance, STATIC / "pair.html")
    add_trust(app, house.tls, STATIC / "trust.html")
    app.add_middleware(BodyLimit, limit=settings.max_body_bytes)
    app.add_middleware(house.entrance.door)
    return Front(app, house)


def _add_pages(app: FastAPI, serving: Serving) -> None:
    @app.get("/", include_in_schema=False)
    async def page(request: Request) -> Response:
        return text_response(STATIC / "index.html", request.scope)

    app.mount("/static", Pages(directory=STATIC), name="static")
    if serving.samples:
        app.mount("/samples", Pages(directory=Path(serving.source, "samples")), name="samples")


def _add_docs(app: FastAPI) -> None:
    @app.get("/docs", include_in_schema=False)
    async def docs(request: Request) -> Response:
        return text_response(STATIC / "docs.html", request.scope)


def _add_status(app: FastAPI, house: House) -> None:
    @app.get("/api/health", responses=refused())
    async def health() -> JSONResponse:
        return JSONResponse(house.status.health(), headers={"Cache-Control": "no-store"})

    @app.get("/livez", include_in_schema=False)
    async def alive() -> JSONResponse:
        return JSONResponse({"live": True}, headers={"Cache-Control": "no-store"})

    @app.get("/readyz", include_in_schema=False)
    async def ready() -> JSONResponse:
        """Whether an answer could begin now; not for a watchdog that would restart what is only loading."""
        ready = house.status.ready and not house.closing.is_set()
        return JSONResponse({"ready": ready}, 200 if ready else 503, {"Cache-Control": "no-store"})

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        return Response(await house.metrics.text(), media_type=CONTENT_TYPE, headers={"Cache-Control": "no-store"})

    @app.get("/api/models", responses=refused())
    async def models() -> JSONResponse:
        return JSONResponse(house.status.models())

    @app.get("/api/samples", responses=refused())
    async def samples() -> JSONResponse:
        return JSONResponse(house.status.samples())

    @app.get("/api/model-info", responses=refused())
    async def model_info() -> JSONResponse:
        return JSONResponse(house.status.model_info())


def _add_answers(app: FastAPI, house: House) -> None:
    @app.post("/api/chat", openapi_extra=takes(ChatRequest), responses=answered())
    @house.rate.guard
    async def chat(request: Request) -> Response:
        return await house.respond(request, house.read_chat)

    @app.post("/api/analyze", openapi_extra=takes_form(), responses=answered())
    @house.rate.guard
    async def analyze(request: Request) -> Response:
        return await house.respond(request, house.read_analyze)


def _add_openai_door(app: FastAPI, house: House) -> None:
    """What OpenAI clients ask. They may send any key: who may come in is not decided by it."""
    catalogue = house.catalogue

    @app.get("/v1/models", responses=refused(openai=True))
    async def v1_models() -> JSONResponse:
        return JSONResponse(catalogue.listing())

    @app.get("/v1/models/{name:path}", responses=refused(404, openai=True))  # a model's name may hold a slash
    async def v1_model(name: str) -> JSONResponse:
        return JSONResponse(catalogue.card(name))

    @app.post("/v1/chat/completions", openapi_extra=takes(CompletionRequest), responses=answered(openai=True))
    @house.rate.guard
    async def completions(request: Request) -> Response:
        return await house.respond(request, house.read_completion)


def _add_problems(app: FastAPI) -> None:
    """Every way to say no, in the one shape of the wire."""

    @app.exception_handler(Problem)
    async def problem(request: Request, found: Problem) -> Response:
        return refusal(found, request.scope)

    @app.exception_handler(Exception)
    async def unforeseen(request: Request, error: Exception) -> Response:
        return Unsaid()

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        """What the framework refuses: a path or a method that no route has, mostly."""
        if error.status_code == 404:
            return refusal(NotFound("There is nothing here."), request.scope)
        sentence, code = "The request could not be answered.", "invalid_request"
        if error.status_code == 405:
            sentence, code = "This method is not allowed here.", "bad_method"
        found = Refusal(sentence, code=code)
        found.status = error.status_code
        response = refusal(found, request.scope)
        response.headers.update(error.headers or {})
        return response
