"""What is written for the system's own starter: read back, checked by its own tools where they are here."""

import os
import plistlib
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from dotenv import dotenv_values

from medserver import environment
from medserver.config import Settings
from medserver.environment import from_environment
from medserver.parse import BadSetting
from medserver.service import command, launchd, systemd, windows
from medserver.service.notify import notify
from medserver.service.wish import Wish, as_dotenv, quoted, unreadable, wish_for
from tests.conftest import ROOT

ANALYZE = shutil.which("systemd-analyze")
GIVEN = {"model": "demo", "port": 8080, "hf_token": "hf_secret", "show_hardware_stats": True}


def wish(**changed) -> Wish:
    return wish_for(Settings(**GIVEN | changed), {"HF_HUB_OFFLINE": "1", "HOME": "/root"})


def text_of(system, name: str, made: Wish) -> tuple[str, int]:
    [found] = [content for path, content in system.files(made).items() if path.name == name]
    return found


@pytest.mark.parametrize(
    "settings",
    [
        GIVEN,
        {"model": "demo", "upstream": ("http://gpu-1:8000/", "http://gpu-2:8000/"), "upstream_key": "k"},
        {"model": "demo", "allow_client_sampling_config": False, "gpu_memory_utilization": 0.5, "loop_guard": 0},
    ],
)
def test_what_is_written_is_read_back_as_it_was(settings, tmp_path, monkeypatch):
    made = wish_for(Settings(**settings), {})
    (tmp_path / ".env").write_text(as_dotenv(made))
    assert Settings(**from_environment(dotenv_values(tmp_path / ".env"))) == Settings(**settings)
    for name, (text, _) in {path.name: one for path, one in systemd.files(made).items()}.items():
        if name.startswith("MEDSERVER_"):
            (tmp_path / name).write_text(text)
    monkeypatch.setattr(environment.os, "environ", {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    found = from_environment(environment.environment_with_dotenv(tmp_path / "nowhere"))
    assert {name: found[name] for name in ("hf_token", "upstream_key") if name in settings} == found


def test_secrets_are_in_files_of_their_own_that_nobody_else_reads():
    made = wish()
    for path, (text, mode) in systemd.files(made).items():
        assert ("hf_secret" in text) is (path == systemd.SECRETS / "MEDSERVER_HF_TOKEN")
        assert mode == (0o644 if path == systemd.UNIT else 0o600)
    assert "LoadCredential=MEDSERVER_HF_TOKEN:/etc/medserver/secrets/MEDSERVER_HF_TOKEN" in systemd.unit(made)
    settings, _ = text_of(systemd, "medserver.env", made)
    assert "MEDSERVER_PORT='8080'" in settings and "HF_HUB_OFFLINE='1'" in settings and "HOME='/root'" not in settings
    for system in (launchd, windows):
        assert text_of(system, ".env", made)[1] == 0o600
        assert "hf_secret" not in text_of(system, system.UNIT.name, made)[0]


def test_private_files_are_handed_over_and_a_low_port_gets_its_one_capability(tmp_path):
    (tmp_path / "100% key.pem").touch()
    made = wish(tls_cert=tmp_path / "100% key.pem", tls_key=tmp_path / "100% key.pem", port=443)
    unit = systemd.unit(made)
    assert f"LoadCredential=medserver_tls_key:{tmp_path}/100%% key.pem" in unit
    assert "Environment=MEDSERVER_TLS_KEY=%d/medserver_tls_key" in unit
    assert "AmbientCapabilities=CAP_NET_BIND_SERVICE" in unit and "AmbientCapabilities=\n" in systemd.unit(wish())


@pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not on this machine")
def test_systemd_takes_the_unit_and_finds_little_exposed(tmp_path):
    file = tmp_path / "medserver.service"
    file.write_text(systemd.unit(wish()))
    checked = subprocess.run([ANALYZE, "verify", "--man=no", file], capture_output=True, text=True)
    said = [line for line in checked.stderr.splitlines() if "medserver" in line and "is not executable" not in line]
    assert checked.returncode == 0 and said == [], checked.stderr
    argv = [ANALYZE, "security", "--offline=true", "--threshold=25", file]
    judged = subprocess.run(argv, capture_output=True, text=True)
    assert judged.returncode == 0, judged.stdout[-300:]


def test_the_page_names_every_place():
    page = (ROOT / "docs/service.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^\| `(/\S+?)/?` \|", page, re.MULTILINE))
    ours = (systemd.UNIT, systemd.SETTINGS, systemd.SECRETS, systemd.STATE, systemd.CACHE, systemd.LOGS)
    assert named == set(map(str, ours))
    assert f"`{launchd.UNIT}`" in page and f"`{launchd.HOME}`" in page


def test_macos_reads_its_list():
    said = plistlib.loads(launchd.plist(wish()).encode())
    assert said["Label"] == launchd.LABEL and said["ProgramArguments"] == [sys.executable, "-I", "-m", "medserver"]
    assert said["KeepAlive"] == {"SuccessfulExit": False} and said["WorkingDirectory"] == str(launchd.HOME)


def test_windows_reads_its_task():
    root = ElementTree.fromstring(windows.task(wish()))
    found = {one.tag.split("}")[1]: one.text for one in root.iter()}
    assert windows.task(wish()).startswith('<?xml version="1.0" encoding="UTF-8"?>'), "as it is written"
    assert root.tag == f"{{{windows._SCHEMA}}}Task" and next(iter(root)).tag.endswith("RegistrationInfo")
    assert found["Command"] == sys.executable and found["Arguments"] == "-I -m medserver"
    assert found["UserId"] == "S-1-5-19" and found["ExecutionTimeLimit"] == "PT0S" and found["Interval"] == "PT1M"


def test_the_files_can_be_made_for_another_machine(tmp_path):
    argv = [sys.executable, "-m", "medserver", "service", "install", "--to", "out", "-m", "demo", "-p", "8080"]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    unit = tmp_path / "out/etc/systemd/system/medserver.service"
    assert str(unit.relative_to(tmp_path)) in done.stdout and "Type=notify" in unit.read_text()
    settings = tmp_path / "out/etc/medserver/medserver.env"
    assert "MEDSERVER_PORT='8080'" in settings.read_text() and settings.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("system", "name"),
    [("windows", "ProgramData/MedServer/medserver-task.xml"), ("launchd", "Library/LaunchDaemons/org.medserver.plist")],
)
def test_files_for_another_system_have_names_that_a_stick_takes(system, name, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(windows, "UNIT", Path("C:/ProgramData/MedServer/medserver-task.xml"))
    assert command.main(["install", "--for", system, "--to", str(tmp_path / "out")], lambda _: Settings(**GIVEN)) == 0
    assert (tmp_path / "out" / name).is_file()
    assert f"They start {sys.executable}" in capsys.readouterr().out


def test_what_others_cannot_read_is_named(tmp_path):
    (tmp_path / "closed").mkdir(mode=0o700)
    (tmp_path / "closed/python").touch()
    assert unreadable(tmp_path / "closed/python") in (tmp_path / "closed", tmp_path, *tmp_path.parents)
    assert unreadable(Path("/etc/passwd")) is None or os.name != "posix"
    assert unreadable(tmp_path / "gone") == tmp_path / "gone"


@pytest.mark.parametrize("value", ["a'b", "a\nb"])
def test_what_no_file_of_settings_can_hold_is_refused(value):
    with pytest.raises(BadSetting):
        quoted(value)


NOBODY_THERE = [(["status"], command.NOT_INSTALLED), (["uninstall"], 0), (["uninstall", "-x"], 2)]


@pytest.mark.parametrize(("argv", "status"), NOBODY_THERE)
def test_where_there_is_no_service_that_is_said(argv, status, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(systemd, "UNIT", tmp_path / "none.service")
    try:
        done = command.main(["--for", "systemd", *argv], None)
    except SystemExit as ended:
        done = ended.code
    assert done == status
    assert status == 2 or "not installed as a service" in capsys.readouterr().out


def installed(system, root: Path, monkeypatch) -> None:
    """What an installation leaves under a root of our own, without anybody to start it."""
    monkeypatch.setattr(command, "is_administrator", lambda: True)
    for name in ("UNIT", "HOME", "SETTINGS", "STATE", "CACHE", "LOGS"):
        if hasattr(system, name):
            monkeypatch.setattr(system, name, root / getattr(system, name).relative_to("/"))
    for name in ("STOP", "AFTER"):
        monkeypatch.setattr(system, name, ())
    if system is launchd:
        files = [system.HOME / name for name in (".env", "access.db", "tls/authority.key", "medserver.log", "hub/w")]
    else:
        system.STATE.parent.mkdir(parents=True)
        system.STATE.symlink_to(root / "private")  # as systemd does it for a user that exists only at times
        secret = system.SECRETS.relative_to("/etc/medserver") / "MEDSERVER_HF_TOKEN"
        files = [system.SETTINGS, system.SETTINGS.parent / secret, system.CACHE / "hub/w", system.LOGS / "audit.log"]
        files += [root / "private/access.db", root / "private/tls/authority.key"]
    for file in (system.UNIT, *files):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()


@pytest.mark.parametrize(
    ("system", "purge", "stays"),
    [
        (systemd, False, {"access.db", "authority.key", "w", "audit.log"}),
        (systemd, True, {"w", "audit.log"}),
        (launchd, False, {"access.db", "authority.key", "medserver.log", "w"}),
        (launchd, True, {"medserver.log", "w"}),
    ],
)
def test_an_uninstalled_service_keeps_weights_and_logs_and_its_keys_unless_told_otherwise(
    system, purge, stays, monkeypatch, tmp_path, capsys
):
    installed(system, tmp_path, monkeypatch)
    name = {systemd: "systemd", launchd: "launchd"}[system]
    assert command.main(["uninstall", "--for", name, *(["--purge"] if purge else [])], None) == 0
    assert {one.name for one in tmp_path.rglob("*") if one.is_file()} == stays
    assert "The service is removed." in capsys.readouterr().out


def test_without_the_systems_own_starter_its_name_is_said(monkeypatch, tmp_path, capsys):
    installed(launchd, tmp_path, monkeypatch)
    monkeypatch.setattr(launchd, "STATUS", ("launchctl-is-not-here",))
    assert command.main(["status", "--for", "launchd"], None) == 1
    assert "launchctl-is-not-here is not on this machine" in capsys.readouterr().err


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="sockets of UNIX")
@pytest.mark.parametrize("abstract", [False, True])
def test_systemd_hears_it(abstract, tmp_path, monkeypatch):
    if abstract and sys.platform != "linux":
        pytest.skip("abstract names are Linux's")
    name = f"@medserver-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systems:
        systems.bind("\0" + name[1:] if abstract else name)
        systems.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", name)
        notify("READY=1")
        assert systems.recv(100) == b"READY=1"
    notify("STOPPING=1")  # nobody listens any more


def test_a_server_says_when_it_answers_and_when_it_ends(tmp_path, multimodal_checkpoint):
    from tests.serving import Running

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systems:
        systems.bind(str(tmp_path / "notify"))
        systems.settimeout(60)
        env = {"NOTIFY_SOCKET": str(tmp_path / "notify")}
        with Running("-m", "demo", "--model-path", str(multimodal_checkpoint), env=env) as running:
            assert systems.recv(100) == b"READY=1"
            assert running.health()["status"] in ("loading", "ready")
        assert systems.recv(100) == b"STOPPING=1"
