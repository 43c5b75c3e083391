"""The command line answers fast, decides nothing, and says what it does not do yet."""

import re
import subprocess
import sys
import types
from dataclasses import fields

import pytest

from medserver import __version__, cli
from medserver.config import Settings
from medserver.parse import BadSetting

try:
    import resource
except ImportError:  # Windows
    resource = None

MODULE = [sys.executable, "-m", "medserver"]


@pytest.fixture(autouse=True)
def _alone(monkeypatch, tmp_path):
    for name in [name for name in cli.environment.os.environ if name.startswith("MEDSERVER_") or name == "HF_TOKEN"]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def served(monkeypatch) -> list[Settings]:
    """What `serve` was called with; the real one is never imported."""
    seen: list[Settings] = []

    def serve(settings: Settings) -> int:
        seen.append(settings)
        return 0

    monkeypatch.setitem(sys.modules, "medserver.run", types.SimpleNamespace(serve=serve))
    monkeypatch.setattr(cli.logs, "configure", lambda *_: None)
    return seen


@pytest.mark.skipif(resource is None, reason="CPU time of a child is measured on POSIX")
def test_help_takes_less_than_a_third_of_a_second_of_cpu():
    def seconds() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([*MODULE, "--help"], check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(seconds() for _ in range(3)) < 0.3


def test_help_imports_nothing_heavy():
    done = subprocess.run([sys.executable, "-X", "importtime", *MODULE[1:], "--help"], capture_output=True, text=True)
    assert done.returncode == 0
    imported = {line.split("|")[-1].strip().split(".")[0] for line in done.stderr.splitlines()}
    assert "argparse" in imported, "the test would prove nothing"
    heavy = {
        "fastapi",
        "starlette",
        "uvicorn",
        "pydantic",
        "torch",
        "transformers",
        "numpy",
        "PIL",
        "aiohttp",
        "slowapi",
        "huggingface_hub",
        "httpx2",
    }
    assert not imported & heavy


def test_help_names_every_flag_and_its_default(capsys):
    with pytest.raises(SystemExit) as ended:
        cli.settings_from(["--help"])
    assert ended.value.code == 0
    said = " ".join(capsys.readouterr().out.split())
    for one in fields(Settings):
        for flag in one.metadata["flags"]:
            assert re.search(rf"(^|[\s,\[]){re.escape(flag)}\b", said), flag
        if one.default not in (None, ()) and not isinstance(one.default, bool):
            assert f"(default: {one.default})" in said


@pytest.mark.parametrize("flag", ["-v", "--version"])
def test_the_version_is_told(flag, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.settings_from([flag])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"medserver {__version__}\n"


def test_serving_is_what_it_does_with_or_without_the_word(served, capsys):
    assert cli.main(["-m", "demo", "-p", "9000"]) == 0
    assert cli.main(["serve", "-m", "demo", "-p", "9000"]) == 0
    assert served == [Settings(model="demo", port=9000)] * 2
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_a_command_beside_serving_reads_its_own_flags(command, served, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main([command, "--help"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: medserver {command}")
    assert not served


@pytest.mark.parametrize(
    "argv", [["--hf-token", "hf_secret"], ["--hf-token=hf_secret"], ["--upstream-key", "hf_secret"]]
)
def test_a_token_in_the_process_list_is_warned_of_and_not_repeated(argv, served, capsys):
    assert cli.main(["-m", "demo", *argv]) == 0
    said = capsys.readouterr().err
    assert "process list" in said
    assert "hf_secret" not in said


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
@pytest.mark.parametrize(("mode", "warned"), [(0o644, True), (0o640, True), (0o604, True), (0o600, False)])
def test_a_file_of_secrets_that_others_can_read_is_warned_of(mode, warned, served, tmp_path, capsys):
    (tmp_path / ".env").write_text("HF_TOKEN=hf_secret\n")
    (tmp_path / ".env").chmod(mode)
    assert cli.main(["-m", "demo"]) == 0
    said = capsys.readouterr().err
    assert ("chmod 600 .env" in said) is warned and "hf_secret" not in said


def test_a_token_from_the_environment_needs_no_warning(served, monkeypatch, capsys):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    assert cli.main(["-m", "demo"]) == 0
    assert served[0].hf_token == "hf_secret"
    assert capsys.readouterr().err == ""


def test_what_only_serving_finds_out_is_a_sentence_too(monkeypatch, capsys):
    def serve(settings):
        raise BadSetting("0.0.0.0 port 80 cannot be used: Permission denied. Choose another with -p.")

    monkeypatch.setitem(sys.modules, "medserver.run", types.SimpleNamespace(serve=serve))
    monkeypatch.setattr(cli.logs, "configure", lambda *_: None)
    assert cli.main(["-m", "demo"]) == 2
    assert capsys.readouterr().err.startswith("medserver: 0.0.0.0 port 80 cannot be used")


def test_a_wrong_call_from_the_shell_is_a_sentence_and_no_traceback(tmp_path):
    done = subprocess.run([*MODULE, "-m", "demo", "--port", "x"], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1] == "medserver: error: argument -p/--port: 'x' is not a whole number"
