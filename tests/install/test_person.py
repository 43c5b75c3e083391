"""install.sh on a terminal: what it asks, what it keeps, and what it never shows."""

import contextlib
import os
import subprocess
import time

import pytest

from tests.install.conftest import thorough

TOKEN = "hf_a_token_that_is_not_one"


class Terminal:
    """A person at a pseudo-terminal, who answers when a question has come."""

    def __init__(self, argv: list[str], env: dict[str, str]):
        self._ours, theirs = os.openpty()
        self.child = subprocess.Popen(argv, env=env, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
        os.close(theirs)
        os.set_blocking(self._ours, False)
        self.said = ""

    def until(self, words: str, seconds: float = 240) -> None:
        deadline = time.monotonic() + seconds
        while words not in self.said:
            assert time.monotonic() < deadline, self.said
            with contextlib.suppress(BlockingIOError):
                self.said += os.read(self._ours, 65536).decode()
            time.sleep(0.02)

    def answer(self, question: str, text: str) -> None:
        self.until(question)
        os.write(self._ours, f"{text}\n".encode())

    def ended(self) -> int:
        code = self.child.wait(240)
        with contextlib.suppress(BlockingIOError, OSError):
            self.said += os.read(self._ours, 65536).decode()
        os.close(self._ours)
        return code


@pytest.fixture
def terminal(checkout, environ):
    return lambda *argv: Terminal([str(checkout / "install.sh"), *argv], environ | {"HF_HUB_OFFLINE": "1"})


def test_model_token_and_weights_are_asked_for(terminal, checkout):
    (checkout / ".env").write_text("MEDSERVER_PORT=8080\nMEDSERVER_MODEL=27")
    at = terminal()
    at.answer("Which model", "5")
    at.answer("There is no model 5", "4")
    at.answer("not shown", TOKEN)
    at.answer("Fetch the weights", "y")
    assert at.ended() == 0
    assert TOKEN not in at.said and "[27]" in at.said
    env = checkout / ".env"
    assert env.read_text().splitlines() == ["MEDSERVER_PORT=8080", "MEDSERVER_MODEL=4", f"HF_TOKEN={TOKEN}"]
    assert env.stat().st_mode & 0o777 == 0o600 and not (checkout / ".env.new").exists()
    again = terminal()
    again.answer("Which model", "")
    again.answer("Fetch the weights", "n")
    assert again.ended() == 0 and "not shown" not in again.said
    assert env.read_text().count("MEDSERVER_MODEL") == 1

    away = terminal("--uninstall")
    away.answer("The weights stay", "")
    assert away.ended() == 0 and env.exists(), "no was the default"


@thorough
def test_yes_asks_nothing_on_a_terminal_either(terminal, checkout):
    at = terminal("--yes")
    assert at.ended() == 0 and "Which model" not in at.said and not (checkout / ".env").exists()
