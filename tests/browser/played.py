"""The real front on an engine that plays scripts, served to a browser: exact words, exact endings, exact pauses."""

import threading
import time

import uvicorn

from medserver.engine.base import End
from medserver.events import Usage
from tests.front import app_with
from tests.scripted import Step
from tests.serving import LAN_HOST, free_port


class Played:
    """A context manager. `plays` says what the next request is answered with; what was asked is in `asks`."""

    def __init__(self, **settings):
        self.app, _, self._engine = app_with(**{"allowed_host": (LAN_HOST,)} | settings)
        self.port = free_port()
        # A test that fails leaves streams behind; they must not hold up the others.
        config = uvicorn.Config(
            self.app, host="127.0.0.1", port=self.port, log_level="error", timeout_graceful_shutdown=1
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def __enter__(self) -> "Played":
        self._thread.start()
        deadline = time.monotonic() + 30
        while not self._server.started:
            assert time.monotonic() < deadline, "the front did not start"
            time.sleep(0.02)
        return self

    def __exit__(self, *_) -> None:
        self._server.should_exit = True
        self._thread.join(10)

    def plays(self, *steps: Step, reason: str = "stop", tokens: int = 12) -> None:
        """One script: texts and pauses as in `ScriptedEngine`, then its end."""
        del self._engine._scripts[len(self.asks) :]
        self._engine._scripts.append([*steps, End(reason, Usage(7, tokens))])

    def then_plays(self, *steps: Step, reason: str = "stop", tokens: int = 12) -> None:
        self._engine._scripts.append([*steps, End(reason, Usage(7, tokens))])

    @property
    def asks(self) -> list:
        return self._engine.asks
