"""The parent when its workers cannot do what they should: it tries again, and knows when there is no point."""

import shutil
import socket

import pytest

from medserver import house
from medserver.config import Settings
from medserver.crew import lead
from medserver.engine.base import Serving
from medserver.models import VARIANTS
from tests.scripted import ScriptedEngine, ScriptedHost


@pytest.mark.skipif(shutil.which("false") is None, reason="several web workers need POSIX")
@pytest.mark.parametrize(("program", "said"), [("false", "started again"), (None, "could not be started")])
def test_where_no_worker_ever_serves_the_server_ends_and_says_so(program, said, tmp_path, monkeypatch, caplog):
    settings = Settings(model="demo", workers=2, state_dir=tmp_path)
    serving = Serving(VARIANTS["demo"], "nowhere", True, 32, 16)
    common = house.build_common(settings, serving, ScriptedHost(ScriptedEngine()))
    monkeypatch.setattr(lead, "BACKOFF", (0.01,))
    monkeypatch.setattr(lead.sys, "executable", shutil.which(program) if program else str(tmp_path / "missing"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        assert lead.lead(settings, serving, common, listening) == 3
    assert said in caplog.text and "no web worker could be started" in caplog.text
