"""What reaches the log, and the file beside it that is kept within bounds."""

import subprocess
import sys

from medserver import logs

SAY = """
import logging
from pathlib import Path
from medserver import logs
logs.FILE_BYTES = 2000
logs.configure("info", Path("log/medserver.log"))
for number in range(200):
    logging.getLogger("medserver.test").info("line %d", number)
    logging.getLogger("uvicorn").error("GET /chat?patient=anna")
logging.getLogger("medserver.test").debug("too much")
"""


def test_only_our_own_lines_are_logged_and_the_file_is_begun_anew_in_time(tmp_path):
    done = subprocess.run([sys.executable, "-c", SAY], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0 and "anna" not in done.stderr and "INFO medserver.test: line 199" in done.stderr
    files = sorted((tmp_path / "log").iterdir())
    assert len(files) == logs.FILES and all(file.stat().st_size <= 2000 for file in files)
    text = "".join(file.read_text() for file in files)
    assert "line 199" in text and "line 0\n" not in text and "anna" not in text and "too much" not in text
    assert text.splitlines()[0][:2] == "20", "the time is in it"
