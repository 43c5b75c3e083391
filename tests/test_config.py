"""One list of settings: the flags and defaults of the specification, from the command line, environment and .env."""

import sys
from dataclasses import fields
from ipaddress import ip_network
from pathlib import Path

import pytest

from medserver import environment
from medserver.cli import settings_from
from medserver.config import Settings
from medserver.environment import env_name, from_environment
from medserver.parse import BadSetting, directory

# The table of the specification: flags, field, default, another value as it is typed and as it is read.
SPEC = [
    (("-m", "--model"), "model", None, "27t", "27t"),
    (("-p", "--port"), "port", 8000, "8443", 8443),
    (("-ip", "--host"), "host", "0.0.0.0", "127.0.0.1", "127.0.0.1"),
    (("-q", "--quantize"), "quantize", False, None, True),
    (("--force-transformers",), "force_transformers", False, None, True),
    (("--engine",), "engine", "auto", "vllm", "vllm"),
    (("--engine-python",), "engine_python", None, sys.executable, Path(sys.executable)),
    (("--tensor-parallel", "--tp"), "tensor_parallel", 1, "4", 4),
    (("--data-parallel", "--dp"), "data_parallel", 1, "2", 2),
    (("--upstream",), "upstream", (), "http://gpu-1:8000/v1", ("http://gpu-1:8000/",)),
    (("--upstream-key",), "upstream_key", None, "k", "k"),
    (("--loop-guard",), "loop_guard", 5, "0", 0),
    (("--workers",), "workers", 1, "2", 2),
    (("--max-user-streams",), "max_user_streams", 1, "3", 3),
    (("--rate-limit",), "rate_limit", "20/minute", "10/minute", "10/minute"),
    (("--rate-limit-store",), "rate_limit_store", None, "redis://:pw@h:6379/1", "redis://:pw@h:6379/1"),
    (("--max-history-messages",), "max_history_messages", 100, "7", 7),
    (("--max-text-length",), "max_text_length", 50000, "7", 7),
    (("--max-conversation-length",), "max_conversation_length", 100000, "7", 7),
    (("--max-image-count",), "max_image_count", 10, "0", 0),
    (("--max-payload-mb",), "max_payload_mb", 20, "1", 1),
    (("--default-temperature",), "default_temperature", 0.3, "0", 0.0),
    (("--default-top-p",), "default_top_p", 0.95, "1", 1.0),
    (("--allow-client-sampling-config",), "allow_client_sampling_config", True, None, True),
    (("--no-allow-client-sampling-config",), "allow_client_sampling_config", True, None, False),
    (("--show-hardware-stats",), "show_hardware_stats", False, None, True),
    (("--hf-token",), "hf_token", None, "hf_secret", "hf_secret"),
    (("--max-model-len",), "max_model_len", 8192, "4096", 4096),
    (("--gpu-memory-utilization",), "gpu_memory_utilization", 0.90, "0.5", 0.5),
    (("--open",), "open", False, None, True),
    (("--allowed-host",), "allowed_host", (), "Med.Example.org.", ("med.example.org",)),
    (("--cors-origin",), "cors_origin", (), "https://Notes.example.org:443/", ("https://notes.example.org",)),
    (("--trusted-proxy",), "trusted_proxy", (), "10.1.0.0/16", (ip_network("10.1.0.0/16"),)),
    (("--tls",), "tls", "off", "auto", "auto"),
    (("--tls-cert",), "tls_cert", None, sys.executable, Path(sys.executable)),
    (("--tls-key",), "tls_key", None, sys.executable, Path(sys.executable)),
    (("--docs",), "docs", False, None, True),
    (("--audit-log",), "audit_log", None, "/var/log/medserver.jsonl", Path("/var/log/medserver.jsonl").absolute()),
    (("--state-dir",), "state_dir", None, "/var/lib/medserver", Path("/var/lib/medserver").absolute()),
    (("--log-file",), "log_file", None, "/var/log/medserver.log", Path("/var/log/medserver.log").absolute()),
    (("--log-level",), "log_level", "info", "debug", "debug"),
]
TYPED = [(flag, name, typed, value) for flags, name, _, typed, value in SPEC for flag in flags]


@pytest.fixture(autouse=True)
def _alone(monkeypatch, tmp_path):
    """No setting and no .env from outside."""
    for name in list(environment.os.environ):
        if name.startswith(environment.ENV_PREFIX) or name == "HF_TOKEN":
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def parsed(*argv: str) -> Settings:
    return settings_from(["-m", "demo", *argv])[0]


def test_several_web_workers_are_refused_where_they_cannot_be(monkeypatch, capsys):
    monkeypatch.setattr(sys, "platform", "win32")
    assert "needs Linux or macOS" in sentence(capsys, "-m", "demo", "--workers", "2")
    assert parsed("--workers", "1").workers == 1


def sentence(capsys, *argv: str) -> str:
    with pytest.raises(SystemExit) as ended:
        settings_from(argv)
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "Traceback" not in said
    return said.splitlines()[-1]


@pytest.mark.parametrize(("name", "default"), dict.fromkeys((name, default) for _, name, default, *_ in SPEC))
def test_what_is_not_said_has_the_default_of_the_specification(name, default):
    assert getattr(parsed(), name) == ("demo" if name == "model" else default)


@pytest.mark.parametrize(("flag", "name", "typed", "value"), TYPED)
def test_every_flag_of_the_specification_is_read(flag, name, typed, value):
    assert getattr(parsed(flag, *([typed] if typed else [])), name) == value


@pytest.mark.parametrize(("flag", "name", "typed", "value"), TYPED)
def test_every_flag_can_be_set_in_the_environment(flag, name, typed, value):
    typed = typed or str(value)
    assert from_environment({f"MEDSERVER_{name.upper()}": typed}) == {name: value}


def test_there_is_no_setting_that_the_specification_does_not_know():
    known = {name for _, name, *_ in SPEC} | {"model_path"}
    assert {one.name for one in fields(Settings)} == known
    flags = {flag for one in fields(Settings) for flag in one.metadata["flags"]}
    assert flags == {flag for flags, *_ in SPEC for flag in flags} | {"--model-path"}


def test_a_setting_is_named_in_the_environment_like_its_flag():
    for one in fields(Settings):
        assert "--" + env_name(one).removeprefix("MEDSERVER_").lower().replace("_", "-") in one.metadata["flags"]


def test_an_upstream_is_an_engine_that_can_be_asked_for_by_name():
    assert parsed("--engine", "remote", "--upstream", "http://gpu-1:8000").engine == "remote"


def test_a_local_checkpoint_is_a_directory(tmp_path, capsys):
    assert parsed("--model-path", str(tmp_path)).model_path == tmp_path.resolve()
    assert parsed("--model-path", ".").model_path == tmp_path.resolve()
    assert "is not a directory" in sentence(capsys, "-m", "4", "--model-path", "nowhere")


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ((), "which model"),
        (("-m", "5"), "'5' is not one of 4, 27, 27t, demo"),
        (("-m", "demo", "-p", "0"), "between 1 and 65535"),
        (("-m", "demo", "-p", "65536"), "between 1 and 65535"),
        (("-m", "demo", "-p", "http"), "'http' is not a whole number"),
        (("-m", "demo", "-p", "80.5"), "not a whole number"),
        (("-m", "demo", "--host", " "), "it is empty"),
        (("-m", "demo", "--workers", "0"), "between 1 and 64"),
        (("-m", "demo", "--max-user-streams", "0"), "at least 1"),
        (("-m", "demo", "--max-image-count", "-1"), "at least 0"),
        (("-m", "demo", "--max-payload-mb", "0"), "between 1 and"),
        (("-m", "demo", "--default-temperature", "2.1"), "between 0.0 and 2.0"),
        (("-m", "demo", "--default-temperature", "nan"), "between 0.0 and 2.0"),
        (("-m", "demo", "--default-temperature", "warm"), "'warm' is not a number"),
        (("-m", "demo", "--default-top-p", "0"), "between 0.01 and 1.0"),
        (("-m", "demo", "--gpu-memory-utilization", "90"), "between 0.05 and 1.0"),
        (("-m", "demo", "--gpu-memory-utilization", "inf"), "between"),
        (("-m", "demo", "--max-model-len", "1"), "between 256 and"),
        (("-m", "demo", "--log-level", "loud"), "not one of debug, info, warning, error"),
        (("-m", "demo", "--allowed-host", "med.example.org:8000"), "no host name"),
        (("-m", "demo", "--allowed-host", "*"), "no host name"),
        (("-m", "demo", "--cors-origin", "*"), "no origin"),
        (("-m", "demo", "--cors-origin", "null"), "no origin"),
        (("-m", "demo", "--cors-origin", "https://a.example/path"), "no origin"),
        (("-m", "demo", "--trusted-proxy", "10.0.0.1/8"), "no address or network"),
        (("-m", "demo", "--trusted-proxy", "proxy"), "no address or network"),
        (("-m", "demo", "--tls", "on"), "'on' is not one of off, auto"),
        (("-m", "demo", "--tls-cert", "nowhere.pem"), "'nowhere.pem' is not a file"),
        (("-m", "demo", "--rate-limit", "often"), "not a rate such as 20/minute"),
        (("-m", "demo", "--rate-limit", "0/minute"), "not a rate"),
        (("-m", "demo", "--rate-limit", "20"), "not a rate"),
        (("-m", "demo", "--rate-limit-store", "http://h:6379"), "no address of a Redis"),
        (("-m", "demo", "--rate-limit-store", "redis://:secret@h:99999"), "that is no address of a Redis"),
        (("-m", "demo", "--port"), "expected one argument"),
        (("-m", "demo", "--engine", "remote"), "needs --upstream URL"),
        (("-m", "demo", "--engine", "vllm", "--upstream", "http://gpu-1:8000"), "give one"),
        (("-m", "demo", "--nonsense"), "--nonsense"),
        (("-m", "demo", "--max-user"), "--max-user"),
        (("fly", "-m", "demo"), "'fly'"),
    ],
)
def test_what_cannot_be_used_is_told_in_a_sentence_and_ends_with_two(argv, words, capsys):
    assert words in sentence(capsys, *argv)


@pytest.mark.parametrize("name", ["MEDSERVER_PROT", "MEDSERVER_", "MEDSERVER_port"])
def test_a_name_that_is_no_setting_is_refused(name, monkeypatch, capsys):
    monkeypatch.setenv(name, "1")
    assert sentence(capsys, "-m", "demo").endswith(f"{name} is not a setting of MedServer")


def test_a_wrong_value_in_the_environment_is_told_with_its_name(monkeypatch, capsys):
    monkeypatch.setenv("MEDSERVER_PORT", "many")
    assert "MEDSERVER_PORT: 'many' is not a whole number" in sentence(capsys, "-m", "demo")


def test_the_command_line_wins_over_the_environment_and_that_over_dotenv(tmp_path, monkeypatch):
    lines = ["MEDSERVER_PORT=1001", "MEDSERVER_WORKERS=3", "MEDSERVER_HOST=::1", "MEDSERVER_MODEL=4", "# a note"]
    (tmp_path / ".env").write_text("\n".join(lines))
    monkeypatch.setenv("MEDSERVER_PORT", "1002")
    monkeypatch.setenv("MEDSERVER_HOST", "127.0.0.2")
    found, _ = settings_from(["-p", "1003"])
    assert (found.port, found.host, found.workers, found.model) == (1003, "127.0.0.2", 3, "4")


def test_a_switch_that_is_on_in_the_environment_can_be_turned_off_where_there_is_a_flag(monkeypatch):
    monkeypatch.setenv("MEDSERVER_ALLOW_CLIENT_SAMPLING_CONFIG", "off")
    assert not parsed().allow_client_sampling_config
    assert parsed("--allow-client-sampling-config").allow_client_sampling_config


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("1", True),
        ("true", True),
        ("Yes", True),
        (" ON ", True),
        ("0", False),
        ("False", False),
        ("no", False),
    ],
)
def test_a_switch_knows_the_usual_words(word, value):
    assert from_environment({"MEDSERVER_QUANTIZE": word}) == {"quantize": value}


def test_a_switch_that_is_neither_is_refused():
    with pytest.raises(BadSetting, match="neither on nor off"):
        from_environment({"MEDSERVER_QUANTIZE": "maybe"})


def test_the_hub_token_comes_from_its_usual_name_and_ours_goes_before(tmp_path, monkeypatch):
    (tmp_path / ".env").write_text("HF_TOKEN=hf_file\n")
    assert parsed().hf_token == "hf_file"
    monkeypatch.setenv("HF_TOKEN", "hf_usual")
    assert parsed().hf_token == "hf_usual"
    monkeypatch.setenv("MEDSERVER_HF_TOKEN", "hf_ours")
    assert parsed().hf_token == "hf_ours"
    assert parsed("--hf-token", "hf_typed").hf_token == "hf_typed"


def test_a_secret_shows_in_no_representation():
    settings = parsed("--hf-token", "hf_secret")
    assert "hf_secret" not in repr(settings) + str(settings)


def test_an_empty_value_is_as_good_as_none_and_never_the_current_directory():
    assert from_environment({"HF_TOKEN": " hf_x "}) == {"hf_token": "hf_x"}
    assert from_environment({"HF_TOKEN": " "}) == {}
    assert from_environment({"MEDSERVER_MODEL_PATH": "", "MEDSERVER_PORT": "", "MEDSERVER_HF_TOKEN": ""}) == {}
    with pytest.raises(BadSetting):
        directory("")


@pytest.mark.parametrize("rate", ["20/minute", "1/second", "5 per 10 seconds", "100/hour", "2/day", "3/2minutes"])
def test_every_rate_that_is_accepted_can_be_kept(rate):
    from limits import parse

    assert parse(parsed("--rate-limit", rate).rate_limit).get_expiry() > 0


def test_the_body_has_room_for_everything_that_is_allowed():
    settings = parsed("--max-payload-mb", "3", "--max-image-count", "4", "--max-conversation-length", "1000")
    images = 4 * -(-settings.max_image_bytes // 3) * 4
    assert settings.max_body_bytes >= images + len("\\ud83e\\udec0") * 1000


def test_upstreams_may_be_given_again_and_with_commas(monkeypatch):
    assert parsed("--upstream", "http://a:1", "--upstream", "http://b:2").upstream == ("http://a:1/", "http://b:2/")
    monkeypatch.setenv("MEDSERVER_UPSTREAM", "http://a:1, http://b:2/v1")
    assert parsed().upstream == ("http://a:1/", "http://b:2/")
    assert parsed("--upstream", "http://c:3").upstream == ("http://c:3/",), "the command line wins"


def test_what_libraries_look_for_may_stand_in_dotenv(tmp_path, monkeypatch):
    (tmp_path / ".env").write_text("HF_HUB_OFFLINE=1\nHF_HOME='/srv/a b'\nHF_TOKEN=hf_x\nPATH=/evil\n")
    monkeypatch.setattr(environment.os, "environ", {"HF_HOME": "/mine"})
    environment.adopt_dotenv(tmp_path)
    assert environment.os.environ == {"HF_HOME": "/mine", "HF_HUB_OFFLINE": "1"}, (
        "the environment wins, and only these few"
    )


def test_a_file_of_secrets_that_cannot_be_read_is_a_sentence(tmp_path, monkeypatch):
    def closed(*_) -> dict:
        raise PermissionError(13, "Permission denied", str(tmp_path / ".env"))

    (tmp_path / "MEDSERVER_HF_TOKEN").mkdir()
    monkeypatch.setattr(environment.os, "environ", {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    with pytest.raises(BadSetting, match=r"MEDSERVER_HF_TOKEN cannot be read \("):
        environment.environment_with_dotenv(tmp_path)
    (tmp_path / ".env").touch()
    monkeypatch.setattr("dotenv.dotenv_values", closed)
    with pytest.raises(BadSetting, match=r"\.env cannot be read \(Permission denied\): start medserver as its owner"):
        environment.adopt_dotenv(tmp_path)


def test_secrets_may_come_as_files_and_the_environment_wins(tmp_path, monkeypatch):
    (tmp_path / "MEDSERVER_HF_TOKEN").write_text("hf_file\n")
    (tmp_path / "tls_key").write_text("no setting")
    monkeypatch.setattr(environment.os, "environ", {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert environment.environment_with_dotenv(tmp_path)["MEDSERVER_HF_TOKEN"] == "hf_file"
    environment.os.environ["MEDSERVER_HF_TOKEN"] = "hf_environment"
    assert environment.environment_with_dotenv(tmp_path)["MEDSERVER_HF_TOKEN"] == "hf_environment"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("redis://10.0.0.5", "redis://10.0.0.5:6379/0"),
        ("rediss://user:p%40ss@store.example:6380/3", "rediss://user:p%40ss@store.example:6380/3"),
        ("redis://[fd00::5]", "redis://[fd00::5]:6379/0"),
    ],
)
def test_a_store_of_rates_has_the_usual_port(text, expected):
    pytest.importorskip("redis")
    from medserver.access.shared_rate import opened

    assert parsed("--rate-limit-store", text).rate_limit_store == expected
    opened(expected)
