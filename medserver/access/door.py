"""The door: the name that was called, who calls, from which page; decided from the headers alone.

Behind it a request carries its `Visitor`. Closed is the rule: what strangers may ask is listed here.
"""

from starlette.responses import RedirectResponse, Response

from medserver.access.addresses import Proxies
from medserver.access.hosts import Hosts
from medserver.access.origins import Origins, permission, permission_ahead
from medserver.access.visitor import Reception, Visitor
from medserver.errors import Forbidden, Problem, TokenRequired
from medserver.sse import refusal

PAIRING_PAGE = "/pair"
# What the pairing page is made of, how its form is sent, the certificate to be trusted before anything else, and
# what a watchdog asks. Nothing here knows a model, a setting or a person.
FOR_EVERYBODY = {PAIRING_PAGE, "/api/pairing", "/trust", "/trust/medserver-ca.crt", "/api/trust", "/livez", "/readyz"}
STATIC = "/static/"

_HOST = "This server does not answer to this name. Its addresses stand in its terminal; --allowed-host adds a name."
_ORIGIN = "A page from elsewhere may not ask this server. --cors-origin lets one in."
_TOKEN = "This device is not known here. Pair it in a browser, or send a key of `medserver keys add` as Bearer token."


class Door:
    """ASGI layer."""

    def __init__(self, app, hosts: Hosts, origins: Origins, proxies: Proxies, reception: Reception):
        self._app = app
        self._hosts = hosts
        self._origins = origins
        self._proxies = proxies
        self._reception = reception

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":  # there are no other connections here
                await self._app(scope, receive, send)
            return
        guest = self._origins.guest(scope)
        if guest:
            scope["state"]["permission"] = permission(guest)
        try:
            answer = self._answer(scope, guest)
        except Problem as problem:
            answer = refusal(problem, scope)
            if problem.status == 401:
                answer.headers["WWW-Authenticate"] = "Bearer"
        await (answer or self._app)(scope, receive, send)

    def _answer(self, scope, guest: str | None) -> Response | None:
        """What is said at the door; None lets the request in.

        Raises:
            Problem: why it may not come in.
        """
        if not self._hosts.allows(scope):
            raise Forbidden(_HOST, code="host_not_allowed")
        if guest and self._origins.asks_ahead(scope):
            return Response(status_code=204, headers=permission_ahead(guest))
        visitor = self._reception.visitor(scope)
        scope["state"]["visitor"] = visitor
        if visitor.kind != "key" and self._origins.forged(scope, self._proxies.secure(scope)):
            raise Forbidden(_ORIGIN)
        return None if _may(visitor, scope["path"]) else _turned_away(scope)


def _may(visitor: Visitor, path: str) -> bool:
    return visitor.known or path in FOR_EVERYBODY or path.startswith(STATIC)


def _turned_away(scope) -> Response:
    """A person who opens the page is led to the form; everything else is told why."""
    if scope["path"] == "/" and scope["method"] in ("GET", "HEAD"):
        return RedirectResponse(PAIRING_PAGE, 303, {"Cache-Control": "no-store"})
    raise TokenRequired(_TOKEN)
