"""The page's files as browsers ask for them: small on the wire, and of one version after an upgrade.

There is no build step: a style sheet that only names others is sent with what they hold, so that thirty requests are
one, a page with the head that all of them share, and text is compressed when it is first asked for and kept so. Plain
http knows gzip alone.
"""

import gzip
import hashlib
import os
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

_TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml"}
_IMPORT = re.compile(r'^@import url\("([^"]+)"\)(?: layer\((\w+)\))?;$', re.MULTILINE)
_PART = re.compile(r"^ *<!-- (\w+\.html) -->\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Text:
    """A file of text; `packed` is the same, compressed."""

    plain: bytes
    packed: bytes
    mark: str


class Pages(StaticFiles):
    """Always asked again, so that a page and its modules are of one version after an upgrade."""

    def file_response(
        self, full_path: Any, stat_result: os.stat_result, scope: Any, status_code: int = 200
    ) -> Response:
        file = Path(full_path)
        if file.suffix in _TYPES:
            return text_response(file, scope)
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["Cache-Control"] = "no-cache"
        return response


def text_response(file: Path, scope: Any) -> Response:
    """A file of text, compressed where the browser takes it; or that it has not changed."""
    asked = Headers(scope=scope)
    text = _read(file, _changed(file))
    packed = "gzip" in asked.get("accept-encoding", "")
    mark = f'"{text.mark}{"-gz" if packed else ""}"'
    headers = {"Cache-Control": "no-cache", "ETag": mark, "Vary": "Accept-Encoding"}
    if mark in (known.strip().removeprefix("W/") for known in asked.get("if-none-match", "").split(",")):
        return Response(status_code=304, headers=headers)
    if packed:
        headers["Content-Encoding"] = "gzip"
    return Response(text.packed if packed else text.plain, headers=headers, media_type=_TYPES[file.suffix])


def _changed(file: Path) -> int:
    """When, so that an upgrade under a running server is seen; what holds others changes with those beside it."""
    made_of = file.parent.glob(f"*{file.suffix}") if file.suffix in (".css", ".html") else (file,)
    return max(one.stat().st_mtime_ns for one in made_of)


@lru_cache(maxsize=1024)
def _read(file: Path, changed: int) -> _Text:
    plain = file.read_bytes()
    if file.suffix == ".css":
        plain = _IMPORT.sub(lambda found: _sheet(file.parent / found[1], found[2]), plain.decode()).encode()
    if file.suffix == ".html":
        plain = _PART.sub(lambda found: (file.parent / found[1]).read_text(encoding="utf-8"), plain.decode()).encode()
    return _Text(plain, gzip.compress(plain, 9, mtime=0), hashlib.sha256(plain).hexdigest()[:20])


def _sheet(file: Path, layer: str | None) -> str:
    text = file.read_text(encoding="utf-8")
    return f"@layer {layer} {{\n{text}}}" if layer else text
