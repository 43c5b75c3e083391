"""The page that helps a device to trust this server's own authority, and the authority itself."""

from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response

from medserver.errors import NotFound
from medserver.pages import text_response

if TYPE_CHECKING:
    from medserver.access.tls import Tls

CERTIFICATE = "/trust/medserver-ca.crt"


def add_trust(app: Starlette, tls: "Tls | None", page: Path) -> None:
    """`tls` None, or a certificate that is not ours: there is nothing to install, and nothing is here."""
    if tls is None or tls.authority is None:
        return

    async def show(request: Request) -> Response:
        return text_response(page, request.scope)

    async def authority(request: Request) -> Response:
        if not tls.authority.exists():
            raise NotFound("There is nothing here.")
        return FileResponse(tls.authority, media_type="application/x-x509-ca-cert", filename="medserver-ca.crt",
                            headers={"Cache-Control": "no-store"})  # fmt: skip

    async def fingerprint(request: Request) -> Response:
        return JSONResponse({"sha256": tls.fingerprint}, headers={"Cache-Control": "no-store"})

    app.add_route("/trust", show, methods=["GET"], include_in_schema=False)
    app.add_route(CERTIFICATE, authority, methods=["GET"], include_in_schema=False)
    app.add_route("/api/trust", fingerprint, methods=["GET"], include_in_schema=False)
