"""A folder of weights against its record: every kind of damage is named, and the exit status tells."""

import json
import os

import pytest

from medserver.hub import command
from medserver.hub.failures import EXIT_STATUS, Asked, HubFailure, explain
from medserver.hub.progress import amount, duration, line
from medserver.hub.record import safe

ONE = "model-00001-of-00002.safetensors"


@pytest.fixture
def weights(hub, medserver, tmp_path):
    assert medserver("download", "-m", "4", "--to", "weights").returncode == 0
    return tmp_path / "weights"


def test_what_is_right_is_said_to_be_right_without_a_network(weights, medserver):
    before = json.loads((weights / "medserver-weights.json").read_text())
    done = medserver("verify", weights, HF_ENDPOINT="http://127.0.0.1:9", HF_HUB_OFFLINE="1")
    assert done.returncode == 0 and "5 files, 5.0 MB" in done.stdout, done.stderr
    assert json.loads((weights / "medserver-weights.json").read_text())["verified"] >= before["verified"]


def test_every_kind_of_damage_is_named(weights, medserver):
    (weights / "config.json").unlink()
    body = bytearray((weights / ONE).read_bytes())
    body[1_500_000] ^= 1
    (weights / ONE).write_bytes(body)
    (weights / "more").mkdir()
    (weights / "more/evil.safetensors").write_bytes(b"x")
    (weights / ".cache").mkdir()
    (weights / ".cache/whatever").write_bytes(b"x")
    done = medserver("verify", weights)
    assert (done.returncode, done.stdout) == (1, "")
    named = [one.strip() for one in done.stderr.splitlines() if one.startswith("  ")]
    assert named == ["missing: config.json", f"changed: {ONE}", "not recorded: more/evil.safetensors"]
    assert f"medserver download -m MODEL --to {weights}" in done.stderr


def test_a_shorter_file_is_a_changed_one(weights, medserver):
    os.truncate(weights / ONE, 100)
    done = medserver("verify", weights)
    assert done.returncode == 1 and f"changed: {ONE}" in done.stderr


@pytest.mark.parametrize("text", [None, "", "[]", '{"files": [{"path": "../out"}]}'])
def test_a_folder_without_a_readable_record(text, medserver, tmp_path):
    folder = tmp_path / "copied"
    folder.mkdir()
    if text is not None:
        (folder / "medserver-weights.json").write_text(text)
    done = medserver("verify", folder)
    assert done.returncode == 24 and "download -m MODEL --to" in done.stderr and "Traceback" not in done.stderr


def test_a_model_that_was_never_fetched(medserver):
    done = medserver("verify", "-m", "27")
    assert done.returncode == 24 and "medserver download -m 27" in done.stderr


def test_it_wants_a_model_or_a_path(medserver):
    assert medserver("verify").returncode == 2
    assert medserver("verify", "-m", "4", "there").returncode == 2
    done = medserver("verify", MEDSERVER_MODEL="27")
    assert done.returncode == 24 and "medserver download -m 27" in done.stderr


def test_a_disk_that_fails_while_it_is_read_is_a_sentence(capsys):
    def work() -> int:
        raise OSError(5, "Input/output error", "stick/model.safetensors")

    assert command.ended(work) == 22
    assert capsys.readouterr().err.startswith("medserver: stick/model.safetensors: Input/output error.")


@pytest.mark.parametrize("name", ["", "/etc/passwd", "../x", "a/../../x", "C:x", "a\\b"])
def test_a_name_that_leads_elsewhere_is_refused(name):
    with pytest.raises(ValueError, match="no name inside"):
        safe(name)


def test_a_name_inside_is_taken():
    assert safe("sub/model.safetensors") == "sub/model.safetensors"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(28, "No space left on device", "x"), "disk_full"),
        (PermissionError(13, "Permission denied", "x"), "not_writable"),
        (OSError(30, "Read-only file system", "x"), "not_writable"),
        (OSError(27, "File too large"), "not_writable"),
        (OSError(5, "Input/output error"), "not_writable"),
    ],
)
def test_the_disks_own_refusals_have_sentences_too(error, code):
    failure = explain(error, Asked("a/b", "main", "http://hub", False))
    assert failure.code == code and failure.exit_status == EXIT_STATUS[code]


@pytest.mark.parametrize("mistake", [KeyError("x"), OSError("x"), OSError(9, "x")])
def test_a_mistake_of_ours_is_not_dressed_up(mistake):
    with pytest.raises(type(mistake)):
        explain(mistake, Asked("a/b", "main", "http://hub", False))


def test_where_the_hub_tells_how_it_stands():
    assert Asked("a/b", "main", "https://huggingface.co", False).state == "https://status.huggingface.co"


def test_every_code_has_a_status_of_its_own():
    assert len(set(EXIT_STATUS.values())) == len(EXIT_STATUS) and not {0, 1, 2} & set(EXIT_STATUS.values())
    assert HubFailure("gated", "").exit_status == 13


def test_how_far_it_is_as_a_line():
    assert line("Downloading", 3_200_000_000, 8_600_000_000, 41_300_000) == (
        "Downloading: 3.2 GB of 8.6 GB (37 %), 41.3 MB/s, 2 min 11 s left"
    )
    assert line("Checking", 5, 5, 1) == "Checking: 0.0 kB of 0.0 kB (100 %)"
    assert line("Downloading", 0, 2_000_000, 0) == "Downloading: 0.0 kB of 2.0 MB (0 %), 0.0 kB/s"
    assert (amount(12_345), duration(4000), duration(7)) == ("12.3 kB", "1 h 6 min", "7 s")
