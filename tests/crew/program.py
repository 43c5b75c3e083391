"""`medserver …` with its own flags, on an engine of eight slots that plays a script."""

import sys
from pathlib import Path

from medserver import cli, logs
from medserver.engine.base import EngineFacts, EngineRow, Launch
from medserver.engine.host import EngineHost
from medserver.engine.select import Candidate, Selection
from medserver.run import serve

ENGINE = Path(__file__).with_name("engine.py")
SLOTS = 8


def row() -> EngineRow:
    facts = EngineFacts(supports_images=True, max_model_len=8192, slots=SLOTS)
    return EngineRow("scripted", lambda: Launch((sys.executable, str(ENGINE)), b"\n", "secret"), lambda _: facts)


if __name__ == "__main__":
    settings, _ = cli.settings_from(sys.argv[1:])
    logs.configure(settings.log_level, settings.log_file)
    candidate = Candidate("scripted", "It is a test.")
    sys.exit(serve(settings, EngineHost(Selection((candidate,), ()), {"scripted": row}, "scripted")))
