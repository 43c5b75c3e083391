"""Figures for Prometheus: how much, how fast, how often refused; by route and code, never by person."""

from collections.abc import Callable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    disable_created_metrics,
    generate_latest,
)

from medserver import __version__
from medserver.admission import Admission
from medserver.audit.account import Account
from medserver.engine.host import EngineStatus

disable_created_metrics()  # a second time series for each of them, of no use here

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_FIRST_TOKEN = (0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60)
_ANSWER = (0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600)


class Metrics:
    """A registry of this server's own, filled by the accounts it hears and by asking the house when it is read."""

    def __init__(self, admission: Admission, engine: Callable[[], EngineStatus], model: str):
        registry = self._registry = CollectorRegistry()
        self._requests = Counter(
            "medserver_requests", "Requests that have ended", ("route", "method", "status"), registry=registry
        )
        self._refused = Counter("medserver_refused", "Refusals and failures", ("code",), registry=registry)
        self._answers = Counter("medserver_answers", "Answers that have ended", ("finish_reason",), registry=registry)
        self._tokens = Counter("medserver_tokens", "Tokens read and written", ("kind",), registry=registry)
        self._images = Counter("medserver_images", "Images read", registry=registry)
        self._first = Histogram(
            "medserver_first_token_seconds", "From a slot to the first token", buckets=_FIRST_TOKEN, registry=registry
        )
        self._took = Histogram(
            "medserver_answer_seconds", "From the request to its end", buckets=_ANSWER, registry=registry
        )
        Info("medserver", "What is served", registry=registry).info({"version": __version__, "model": model})
        for name, words, value in (
            ("medserver_answers_active", "Answers at work", lambda: admission.active),
            ("medserver_answers_waiting", "Answers in the queue", lambda: admission.waiting),
            ("medserver_engine_ready", "1 while the engine answers", lambda: engine().state == "ready"),
            ("medserver_engine_restarts", "Starts of the engine after the first", lambda: engine().restarts),
        ):
            Gauge(name, words, registry=registry).set_function(value)

    def hear(self, account: Account) -> None:
        self._requests.labels(account.route, account.method, str(account.status)).inc()
        if account.code:
            self._refused.labels(account.code).inc()
        if account.images is None:
            return
        self._answers.labels(account.finish_reason).inc()
        self._images.inc(account.images)
        self._took.observe(account.milliseconds / 1000)
        if account.done:
            self._tokens.labels("prompt").inc(account.done.usage.prompt_tokens)
            self._tokens.labels("completion").inc(account.done.usage.completion_tokens)
            if account.done.timings.ttft_ms is not None:
                self._first.observe(account.done.timings.ttft_ms / 1000)

    async def text(self) -> bytes:
        return generate_latest(self._registry)
