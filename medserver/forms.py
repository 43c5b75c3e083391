"""Request bodies become the wire's models: JSON and multipart, both in memory only, with errors of our own.

FastAPI echoes a wrong body back and would fail on its own echo (NaN, lone surrogates); and its forms spool
uploads to disk, where a patient's picture has no business.
"""

from typing import TypeVar

import orjson
from pydantic import BaseModel, ValidationError
from python_multipart.multipart import parse_options_header
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from medserver.errors import InvalidRequest
from medserver.schemas import AnalyzeForm

# pydantic names the branch of a union in a place, and quotes the value in these sentences.
_BRANCHES = {"plain text", "list of parts"}
_SENTENCES = {"union_tag_invalid": "The type of a part is text or image", "union_tag_not_found": "A part needs a type"}
_LONGEST_PLACE = 80  # an unknown field's name comes from outside

Model = TypeVar("Model", bound=BaseModel)


async def read_fields(request: Request) -> object:
    """Read a JSON body, whatever it holds.

    Raises:
        InvalidRequest: it is no JSON.
        PayloadTooLarge: from the body's limit.
    """
    try:
        # Not by `request.body()`, which keeps the bytes as long as the request: with its images, all the answer long.
        return orjson.loads(b"".join([piece async for piece in request.stream()]))
    except orjson.JSONDecodeError:
        raise InvalidRequest("The body is not valid JSON.") from None


async def read_json(request: Request, model: type[Model]) -> Model:
    """Read and validate a JSON body; raises like `read_fields` and `validated`."""
    return validated(model, await read_fields(request))


async def read_analyze_form(request: Request) -> tuple[AnalyzeForm, list[bytes]]:
    """Read and validate the multipart form of /api/analyze: its fields and the bytes of its images.

    Raises:
        InvalidRequest: it is no such form, or a field is wrong.
    """
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    # The parser would decode the fields with any codec of Python's that the header names.
    if kind != b"multipart/form-data" or options.get(b"charset", b"utf-8").lower() != b"utf-8":
        raise InvalidRequest("The body is not multipart/form-data in UTF-8.")
    try:
        form = await _InMemory(request.headers, request.stream(), max_part_size=_InMemory.spool_max_size).parse()
    except (MultiPartException, KeyError, UnicodeError):
        raise InvalidRequest("The form is not valid multipart/form-data.") from None
    files = form.getlist("image")
    if not all(isinstance(part, UploadFile) for part in files):
        raise InvalidRequest("image: it must be a file.")
    images = [await part.read() for part in files]
    fields = {name: value for name, value in form.multi_items() if name != "image"}
    if any(isinstance(value, UploadFile) for value in fields.values()):
        raise InvalidRequest("Only the field image carries files.")
    return validated(AnalyzeForm, fields), images


class _InMemory(MultiPartParser):
    # The body's own limit holds long before this one, so that nothing is ever rolled over to a file.
    spool_max_size = 1 << 40


def validated(model: type[Model], fields: object) -> Model:
    """Check `fields` against `model`.

    Raises:
        InvalidRequest: naming the first field that is wrong, and never its value.
    """
    try:
        return model.model_validate(fields)
    except ValidationError as wrong:
        first = wrong.errors(include_input=False, include_url=False, include_context=False)[0]
        place = ".".join(str(step) for step in first["loc"] if step not in _BRANCHES)[:_LONGEST_PLACE] or "body"
        raise InvalidRequest(f"{place}: {_SENTENCES.get(first['type'], first['msg'])}", field=place) from None
