"""What the OpenAPI description promises is what comes: seen by schemathesis, on requests that keep it and others."""

import sys

import pytest

from benchmarks.safety import openapi
from benchmarks.safety.house import UNLIMITED, House
from benchmarks.safety.rows import table
from medserver import errors
from tests.front import app_with


def described() -> dict:
    return app_with(docs=True)[0].framework.openapi()["paths"]


def test_every_refusal_that_an_answer_can_meet_is_described():
    kinds = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, errors.Problem)]
    statuses = {str(kind.status) for kind in kinds}
    for path in ("/api/chat", "/api/analyze", "/v1/chat/completions"):
        assert statuses <= set(described()[path]["post"]["responses"])
        assert described()[path]["post"]["requestBody"]["required"]


def test_every_route_says_that_it_may_be_closed():
    for path, methods in described().items():
        for operation in methods.values():
            assert {"401", "403"} <= set(operation["responses"]), path


@pytest.mark.skipif(sys.platform == "win32", reason="scripted engines are started as POSIX children")
@pytest.mark.skipif(openapi.found() is None, reason="schemathesis is not installed: pip install -e '.[test]'")
def test_answers_are_as_described():
    with House(*UNLIMITED, "--docs") as house:
        rows = openapi.cases(house, examples=15, atleast=60)
    assert all(row.held for row in rows), table(rows)
