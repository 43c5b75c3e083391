"""The real `medserver` command, but for its engine: `python -m benchmarks.safety.served SLOTS FILE FLAGS…`.

It starts and watches the scripted engine as it would the worker, with the same patience; only between two starts it
waits less, so that twenty deaths in a row are a matter of seconds.
"""

import contextlib
import sys

from medserver import cli, run
from medserver.engine import host
from medserver.engine.base import EngineFacts, EngineRow, Launch
from medserver.engine.host import EngineHost
from medserver.engine.select import Candidate, Selection

USUAL_OPEN_FILES = 1024  # what most systems allow a process that does not ask for more


def main(slots: int, where: str, flags: list[str]) -> int:
    host.BACKOFF = (0.1,)
    argv = (sys.executable, "-m", "benchmarks.safety.engine", where)
    facts = EngineFacts(True, 8192, thinking_ids=(100, 101), slots=slots)
    row = EngineRow("scripted", lambda: Launch(argv, b"{}\n", "secret"), lambda _: facts)
    engines = EngineHost(Selection((Candidate("scripted", "a script"),), ()), {"scripted": lambda: row}, "scripted")
    build_common = run.build_common
    run.build_common = lambda settings, serving, _: build_common(settings, serving, engines)
    with contextlib.suppress(ImportError):
        import resource

        resource.setrlimit(resource.RLIMIT_NOFILE, (USUAL_OPEN_FILES, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    return cli.main(flags)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2], sys.argv[3:]))
