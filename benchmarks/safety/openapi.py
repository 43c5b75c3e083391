"""schemathesis on our own OpenAPI description: requests that keep it and requests that break it, all answered by it."""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.safety.house import House
from benchmarks.safety.rows import Row, at_least, exactly

# An image of random letters is none, and a long answer does not fit: what keeps the description may still be refused.
LEFT_OUT = "positive_data_acceptance"


def found() -> str | None:
    """The program, beside this interpreter or on the path."""
    beside = Path(sys.executable).with_name("schemathesis")
    return str(beside) if beside.exists() else shutil.which("schemathesis")


def cases(house: House, examples: int, atleast: int) -> list[Row]:
    """`house` shows its description (`--docs`). `examples`: of each kind and operation, at most."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        argv = [found(), "run", f"http://localhost:{house.port}/openapi.json", "--max-examples", str(examples)]
        argv += ["--exclude-checks", LEFT_OUT, "--phases", "examples,coverage,fuzzing", "--seed", "7", "--no-color"]
        argv += ["--suppress-health-check", "all", "--request-timeout", "60", "--warnings", "off"]
        argv += ["--continue-on-failure", "--report", "ndjson", "--report-ndjson-path", str(report)]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=7200, cwd=folder)
    said = done.stdout + done.stderr
    generated = int((re.search(r"([\d,]+) generated", said) or ["", "0"])[1].replace(",", ""))
    failures = re.search(r"([\d,]+) found", said)
    if done.returncode:
        print(said[-6000:])
    return [
        at_least("schemathesis: requests made", atleast, generated, "requests"),
        exactly("schemathesis: kinds of failure", 0, int(failures[1]) if failures else int(done.returncode != 0)),
    ]
