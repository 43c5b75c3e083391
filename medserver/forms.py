"""Request bodies become the wire's models: JSON and multipart, both in memory only, with errors of our own.

FastAPI echoes a wrong body back and would fail on its own echo (NaN, lone surrogates); and its forms spool
uploads to disk, where a patient's picture has no business.
"""

from typing import TypeVar

import orjson
from pydantic import BaseModel, ValidationError
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from medserver.errors import InvalidRequest
from medserver.schemas import AnalyzeForm

Model = TypeVar("Model", bound=BaseModel)


async def read_json(request: Request, model: type[Model]) -> Model:
    """Read and validate a JSON body.

    Raises:
        InvalidRequest: it is no JSON, or a field is wrong; the sentence names the field.
        PayloadTooLarge: from the body's limit.
    """
    body = await request.body()
    try:
        fields = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise InvalidRequest("The body is not valid JSON.") from None
    return validated(model, fields)


async def read_analyze_form(request: Request) -> tuple[AnalyzeForm, list[bytes]]:
    """Read and validate the multipart form of /api/analyze: its fields and the bytes of its images.

    Raises:
        InvalidRequest: it is no such form, or a field is wrong.
    """
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise InvalidRequest("The body is not multipart/form-data.")
    try:
        form = await _InMemory(request.headers, request.stream(), max_part_size=_InMemory.spool_max_size).parse()
    except (MultiPartException, KeyError, UnicodeDecodeError):
        raise InvalidRequest("The form is not valid multipart/form-data.") from None
    images = [await part.read() for part in form.getlist("image") if isinstance(part, UploadFile)]
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
        place = ".".join(str(step) for step in first["loc"]) or "body"
        raise InvalidRequest(f"{place}: {first['msg']}") from None
