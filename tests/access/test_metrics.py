"""Figures without people: what /metrics tells, and how a watchdog learns that an answer could begin."""

import orjson

from medserver.access.door import FOR_EVERYBODY
from tests.access.asking import MACHINE, ask, entrance_of, front

CANARY = "Canary-Smith-1961"


def figures(app) -> dict[str, float]:
    text = ask(app, "GET", "/metrics", MACHINE).body.decode()
    return {
        name: float(value) for name, _, value in (line.rpartition(" ") for line in text.splitlines() if line[:1] != "#")
    }


def chat(app, **headers):
    return ask(
        app, "POST", "/api/chat", MACHINE, orjson.dumps({"messages": [{"role": "user", "content": CANARY}]}), **headers
    )


def test_answers_tokens_and_refusals_are_counted(tmp_path):
    app = front(tmp_path)
    assert chat(app).status == 200
    ask(app, "POST", "/api/chat", MACHINE, b"{")
    ask(app, "GET", "/api/health")
    found = figures(app)
    assert found['medserver_requests_total{method="POST",route="/api/chat",status="200"}'] == 1
    assert found['medserver_answers_total{finish_reason="stop"}'] == 1
    assert (
        found['medserver_refused_total{code="invalid_request"}']
        == found['medserver_refused_total{code="token_required"}']
        == 1
    )
    assert found["medserver_answer_seconds_count"] == 1
    assert found["medserver_engine_ready"] == 1 and found["medserver_answers_active"] == 0


def test_nothing_from_outside_becomes_a_label(tmp_path):
    app = front(tmp_path)
    chat(app, user_agent=CANARY)
    ask(app, CANARY, "/api/chat", MACHINE)
    ask(app, "GET", f"/{CANARY}", MACHINE)
    for number in range(20):
        ask(app, "GET", f"/{number}", MACHINE)
    text = ask(app, "GET", "/metrics", MACHINE).body.decode()
    assert CANARY not in text and len([line for line in text.splitlines() if 'route="-"' in line]) == 1


def test_the_figures_are_for_who_is_known_and_a_key_is_enough(tmp_path):
    app = front(tmp_path)
    assert "/metrics" not in FOR_EVERYBODY and ask(app, "GET", "/metrics").status == 401
    key = entrance_of(app).keys.add("prometheus")
    assert ask(app, "GET", "/metrics", authorization=f"Bearer {key}").headers["content-type"].startswith("text/plain")


def test_ready_is_not_the_same_as_alive(tmp_path):
    app = front(tmp_path)
    assert [ask(app, "GET", path).status for path in ("/livez", "/readyz")] == [200, 200]
    app.house.closing.set()
    assert [ask(app, "GET", path).status for path in ("/livez", "/readyz")] == [200, 503]
