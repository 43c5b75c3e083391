"""Problems as OpenAI's error object, so that its clients raise the exception they know."""

from typing import Any

from medserver.errors import Problem

_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}


def status(problem: Problem) -> int:
    """OpenAI answers 400 to a wrong shape, and its clients' `BadRequestError` is what people catch."""
    return 400 if problem.status == 422 else problem.status


def headers(problem: Problem) -> dict[str, str]:
    """The official client asks again after any 5xx; what memory has no room for it has none for a second time."""
    return {"X-Should-Retry": "false"} if problem.status == 507 else {}


def body(problem: Problem) -> dict[str, Any]:
    default = "server_error" if problem.status >= 500 else "invalid_request_error"
    kind = _TYPES.get(problem.status, default)
    return {"error": {"message": problem.sentence, "type": kind, "param": problem.field, "code": problem.code}}
