"""What the OpenAPI description says beyond what FastAPI reads off the routes: bodies that we read, and refusals."""

from typing import Any

from pydantic import BaseModel

from medserver.schemas import AnalyzeForm

Described = dict[str, Any]

_WORDS = {"type": "string"}
_REFUSAL = {"type": "object", "properties": {"detail": _WORDS, "code": _WORDS}, "required": ["detail", "code"]}
_NAMED = {"type": "object", "properties": dict.fromkeys(("message", "type", "code"), _WORDS)}
_OPENAI_REFUSAL = {"type": "object", "properties": {"error": {**_NAMED, "required": ["message", "type"]}}}

_AT_THE_DOOR = {
    401: "It is not known who asks.",
    403: "A host or an origin that is not let in.",
}
_OF_ANSWERS = {
    400: "A limit is broken, an image cannot be read, or the model cannot take it.",
    404: "There is no such model here.",
    408: "The body did not arrive completely.",
    413: "The body or an image is too large.",
    415: "The body is compressed.",
    422: "A field is wrong; the sentence names it.",
    429: "Too many requests or streams; Retry-After says when to come back.",
    500: "Something went wrong inside the server.",
    503: "It is loading, down or full; Retry-After says when to come back.",
    507: "It ran out of memory.",
}


def refused(*more: int, openai: bool = False) -> Described:
    """The refusals of a route that starts no answer."""
    named = {status: _OF_ANSWERS[status] for status in more}
    return {status: _said(what, openai) for status, what in (_AT_THE_DOOR | named).items()}


def answered(*, openai: bool = False) -> Described:
    """What a route gives that starts an answer: frames or one object, or a refusal."""
    shapes = {"application/json": {"schema": {"type": "object"}}, "text/event-stream": {}}
    return {200: {"description": "The answer, as it comes or whole.", "content": shapes}} | refused(
        *_OF_ANSWERS, openai=openai
    )


def takes(model: type[BaseModel]) -> Described:
    """A JSON body, as it is read by us and not by FastAPI."""
    return _body("application/json", model.model_json_schema())


def takes_form() -> Described:
    """The form of /api/analyze: its fields, and one or more files."""
    form = AnalyzeForm.model_json_schema()
    files = {"type": "array", "items": {"type": "string", "format": "binary"}, "minItems": 1}
    return _body(
        "multipart/form-data", {**form, "properties": {"image": files, **form["properties"]}, "required": ["image"]}
    )


def _body(kind: str, schema: Described) -> Described:
    return {"requestBody": {"content": {kind: {"schema": schema}}, "required": True}}


def _said(what: str, openai: bool) -> Described:
    shape = {"application/json": {"schema": _OPENAI_REFUSAL if openai else _REFUSAL}}
    return {"description": what, "content": shape}
