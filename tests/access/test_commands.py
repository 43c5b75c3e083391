"""`medserver keys`, `sessions` and `pair`, at the terminal and while a server runs."""

import os
import sys

import pytest

from medserver import cli
from medserver.access.keys import Keys
from medserver.access.ledger import Ledger
from medserver.config import usual_state_directory
from tests.access.asking import ask, cookie_of, entrance_of, front, pair


@pytest.fixture(autouse=True)
def _alone(monkeypatch, tmp_path):
    for name in [name for name in os.environ if name.startswith("MEDSERVER_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("MEDSERVER_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)


def test_a_key_is_made_shown_once_listed_used_and_revoked_while_the_server_runs(tmp_path, capsys):
    app = front(tmp_path)
    assert cli.main(["keys", "list"]) == 0
    assert capsys.readouterr().out == "There are no keys.\n"
    assert cli.main(["keys", "add", "night-report"]) == 0
    key = capsys.readouterr().out.split()[0]
    bearer = f"Bearer {key}"
    assert cli.main(["keys", "list"]) == 0
    listed = capsys.readouterr().out
    assert key not in listed and key[:8] in listed and "night-report" in listed and "never" in listed
    assert ask(app, "GET", "/api/health", authorization=bearer).status == 200
    assert cli.main(["keys", "list"]) == 0 and "never" not in capsys.readouterr().out
    assert cli.main(["keys", "revoke", "night-report"]) == 0
    assert ask(app, "GET", "/api/health", authorization=bearer).status == 401
    assert cli.main(["keys", "revoke", "night-report"]) == 1
    assert "There is no key night-report" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["", "a" * 41, "Süd", "a\nb", "-x\x1b[0m"])
def test_a_name_that_would_not_stand_in_a_list_is_refused(tmp_path, name, capsys):
    assert cli.main(["keys", "add", "--", name]) == 1
    assert "1 to 40 letters" in capsys.readouterr().err


def test_a_name_is_given_once(capsys):
    assert [cli.main(["keys", "add", "report"]) for _ in range(2)] == [0, 1]
    assert "already" in capsys.readouterr().err


def test_the_place_may_be_named_before_or_after_the_word(tmp_path, capsys):
    for argv in (["keys", "--state-dir", "a", "add", "x"], ["keys", "add", "y", "--state-dir", "a"]):
        assert cli.main(argv) == 0
    assert [key.name for key in Keys(Ledger(tmp_path / "a")).known()] == ["x", "y"]


def test_devices_are_listed_and_revoked(tmp_path, capsys):
    app = front(tmp_path)
    cookies = [cookie_of(pair(app, secret=entrance_of(app).pairing.new_code().secret)) for _ in range(3)]
    assert cli.main(["sessions", "list"]) == 0
    rows = capsys.readouterr().out.splitlines()[1:]
    assert len(rows) == 3
    assert cli.main(["sessions", "revoke", rows[0].split()[0]]) == 0
    statuses = [ask(app, "GET", "/api/health", cookie=cookie).status for cookie in cookies]
    assert sorted(statuses) == [200, 200, 401]
    assert cli.main(["sessions", "revoke", "--all"]) == 0
    assert capsys.readouterr().out.endswith("2 revoked.\n")
    assert {ask(app, "GET", "/api/health", cookie=cookie).status for cookie in cookies} == {401}
    with pytest.raises(SystemExit):
        cli.main(["sessions", "revoke"])


def test_pair_shows_a_code_that_works(tmp_path, capsys):
    assert cli.main(["pair"]) == 1
    assert "No server that asks devices" in capsys.readouterr().err
    app = front(tmp_path)
    entrance_of(app).record(["http://localhost:8000", "http://192.0.2.1:8000"])
    assert cli.main(["pair"]) == 0
    said = capsys.readouterr().out
    assert "http://192.0.2.1:8000/pair" in said
    pin = said.split("PIN ")[1][:7].replace(" ", "")
    assert pair(app, pin=pin).status == 200
    assert cli.main(["pair", "-p", "9999"]) == 1


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_place_that_cannot_be_written_is_told_in_a_sentence(tmp_path, capsys):
    (tmp_path / "locked").mkdir(mode=0o500)
    assert cli.main(["keys", "add", "x", "--state-dir", str(tmp_path / "locked" / "state")]) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_a_place_that_is_a_file_is_told_in_a_sentence(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    for argv in (["keys", "add", "x"], ["keys", "list"], ["sessions", "list"], ["pair"]):
        assert cli.main([*argv, "--state-dir", str(tmp_path / "file")]) in (0, 1)
        assert "Traceback" not in capsys.readouterr().err


def test_the_usual_place_is_the_systems(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")
    assert usual_state_directory() == tmp_path / "medserver"
