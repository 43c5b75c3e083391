"""Every refusal and failure, with its status, its stable code and its sentence.

    Problem                     anything a client is told about
    ├── Refusal                 before an answer began: an HTTP status
    │   ├── BadRequest          400  the request breaks a limit or the model cannot take it
    │   ├── TokenRequired       401  it is not known who asks
    │   ├── Forbidden           403  a name, an origin or a code that opens nothing
    │   ├── NotFound            404  no such path, or no such model
    │   ├── RequestTimeout      408  its body stopped arriving
    │   ├── PayloadTooLarge     413
    │   ├── Encoded             415  a compressed body
    │   ├── InvalidRequest      422  the shape is wrong; names the field
    │   ├── TooMany             429  with Retry-After
    │   └── Unavailable         503  with Retry-After
    └── EngineProblem           the engine refused or failed; before the first token also an HTTP status
        ├── ContextOverflow     400
        ├── EngineLost          503  it went away
        ├── OutOfMemory         507
        └── Internal            500

A sentence is fit for a person; no exception text, path or address ever goes into one.
"""


class Problem(Exception):
    """What a client is told: an HTTP `status`, a stable `code`, a `sentence`, seconds to `retry_after`.

    `field` is the part of the request that is meant, where it is one; the sentence names it too.
    """

    status = 500
    code = "internal"

    def __init__(
        self, sentence: str, *, code: str | None = None, retry_after: int | None = None, field: str | None = None
    ):
        super().__init__(sentence)
        self.sentence = sentence
        self.code = code or self.code
        self.retry_after = retry_after
        self.field = field


class Refusal(Problem):
    """Said instead of an answer."""


class BadRequest(Refusal):
    status = 400


class TokenRequired(Refusal):
    status = 401
    code = "token_required"


class Forbidden(Refusal):
    status = 403
    code = "origin_not_allowed"


class NotFound(Refusal):
    status = 404
    code = "not_found"


class RequestTimeout(Refusal):
    status = 408
    code = "request_timeout"


class PayloadTooLarge(Refusal):
    status = 413
    code = "payload_too_large"


class Encoded(Refusal):
    status = 415
    code = "body_encoded"


class InvalidRequest(Refusal):
    status = 422
    code = "invalid_request"


class TooMany(Refusal):
    status = 429
    code = "rate_limited"


class Unavailable(Refusal):
    status = 503
    code = "engine_down"


class EngineProblem(Problem):
    """Said by or about the engine."""


class ContextOverflow(EngineProblem):
    status = 400
    code = "context_overflow"


class EngineLost(EngineProblem):
    status = 503
    code = "engine_lost"

    def __init__(self, sentence: str = "The model stopped unexpectedly and is being restarted. Please try again."):
        super().__init__(sentence, retry_after=5)


class OutOfMemory(EngineProblem):
    status = 507
    code = "out_of_memory"

    def __init__(self) -> None:
        super().__init__(
            "The model ran out of memory on this request. A shorter conversation, fewer images, or a server "
            "started with -q or a smaller --max-model-len would help."
        )


class Internal(EngineProblem):
    """Nothing of the cause is told; the edge adds the request's id, by which the log line is found."""

    status = 500
    code = "internal"

    def __init__(self, request_id: str = ""):
        named = f" Request {request_id}." if request_id else ""
        super().__init__(f"Something went wrong inside the server.{named}")
