"""The pairing page and what its form sends; a device that is let in gets a session's cookie."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, model_validator
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from medserver.access.door import PAIRING_PAGE
from medserver.access.entrance import Entrance
from medserver.access.sessions import LIFETIME_SECONDS, device_of
from medserver.access.visitor import cookie_name
from medserver.forms import read_json
from medserver.pages import text_response


class Proof(BaseModel):
    """What shows that somebody reads the terminal: one of the two."""

    model_config = ConfigDict(extra="forbid")

    secret: str | None = Field(None, min_length=1, max_length=64)
    pin: str | None = Field(None, pattern=r"^[0-9]{6}$")

    @model_validator(mode="after")
    def _one(self) -> "Proof":
        if (self.secret is None) == (self.pin is None):
            raise ValueError("give either a secret or a pin")
        return self


def add_pairing(app: Starlette, entrance: Entrance, page: Path) -> None:
    """`page`: the file of the form."""

    async def show(request: Request) -> Response:
        if not request.state.visitor.known:
            await entrance.offer()
        return text_response(page, request.scope)

    async def state(request: Request) -> Response:
        visitor = request.state.visitor
        known = {"known": visitor.known, "kind": visitor.kind, "code": entrance.pairing.open}
        return JSONResponse(known, headers={"Cache-Control": "no-store"})

    async def pair(request: Request) -> Response:
        proof = await read_json(request, Proof)
        if proof.secret is not None:
            entrance.pairing.use_secret(proof.secret)
        else:
            entrance.pairing.use_pin(proof.pin, request.state.visitor.counted)
        cookie, session = entrance.sessions.begin(device_of(request.headers.get("user-agent", "")))
        request.state.account.event = f"paired {session.name}"
        await entrance.offer(again=True)
        answer = JSONResponse({"session": session.name, "expires": round(session.expires)})
        _set(answer, request, cookie, LIFETIME_SECONDS)
        return answer

    async def forget(request: Request) -> Response:
        kind, _, name = (request.state.visitor.name or "").partition(":")
        if kind == "session":
            entrance.sessions.revoke(name)
            request.state.account.event = f"forgot {name}"
        answer = Response(status_code=204)
        _set(answer, request, "", 0)
        return answer

    def _set(answer: Response, request: Request, value: str, seconds: int) -> None:
        secure = entrance.proxies.secure(request.scope)
        name = cookie_name(entrance.port, secure)
        answer.set_cookie(name, value, max_age=seconds, path="/", secure=secure, httponly=True, samesite="strict")
        answer.headers["Cache-Control"] = "no-store"

    app.add_route(PAIRING_PAGE, show, methods=["GET"], include_in_schema=False)
    for method, answer in (("GET", state), ("POST", pair), ("DELETE", forget)):
        app.add_route("/api/pairing", answer, methods=[method], include_in_schema=False)
