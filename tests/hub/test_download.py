"""Weights ahead of time, from a Hub that behaves and from one that does not."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from tests.hub.standin import COMMIT, FILES, GOOD, NO_PERMISSION, OTHER_ACCOUNT, REPO, WANTED, StandIn

ONE, TWO = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"
DOWNLOAD = ("download", "-m", "4")


def names(folder) -> list[str]:
    return sorted(file.name for file in folder.iterdir() if file.name != "medserver-weights.json")


def whole(folder) -> bool:
    return names(folder) == WANTED and all((folder / name).read_bytes() == FILES[name] for name in WANTED)


def test_what_the_server_needs_arrives_and_is_recorded(hub, medserver, tmp_path):
    hub.habits.gated = True
    done = medserver(*DOWNLOAD, "--to", "weights", HF_TOKEN=GOOD)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "weights"
    assert whole(folder)
    recorded = json.loads((folder / "medserver-weights.json").read_text())
    assert (recorded["repo"], recorded["revision"], recorded["commit"]) == (REPO, "main", COMMIT)
    assert sorted(file["path"] for file in recorded["files"]) == WANTED
    assert {file["hub"].split(":")[0] for file in recorded["files"]} == {"sha256", "git-sha1"}
    assert all(len(file["sha256"]) == 64 for file in recorded["files"]) and recorded["verified"]
    assert f"medserver -m 4 --model-path {folder}" in done.stdout and COMMIT in done.stdout
    assert "Downloading: 5.0 MB of 5.0 MB (100 %)" in done.stderr
    assert GOOD not in done.stdout + done.stderr
    assert not hub.tokens_at_cdn, "the token is for the Hub, not for where it redirects"


def test_without_a_place_it_lies_where_a_server_looks(hub, medserver, environment):
    assert medserver(*DOWNLOAD).returncode == 0
    code = f"from medserver.hub.places import servable; print(servable({REPO!r}))"
    found = subprocess.run(
        [sys.executable, "-c", code], env=environment | {"HF_HUB_OFFLINE": "1"}, capture_output=True, text=True
    )
    assert found.returncode == 0, found.stderr
    assert found.stdout.strip().endswith(f"snapshots/{COMMIT}")
    assert medserver("verify", "-m", "4").returncode == 0


def test_a_commit_can_be_named(hub, medserver, tmp_path):
    assert medserver(*DOWNLOAD, "--revision", COMMIT, "--to", "weights").returncode == 0
    assert json.loads((tmp_path / "weights/medserver-weights.json").read_text())["revision"] == COMMIT


def test_the_token_may_come_from_dotenv_and_with_blanks_around_it(hub, medserver, tmp_path):
    hub.habits.gated = True
    (tmp_path / ".env").write_text(f"HF_TOKEN='{GOOD} '\n")
    assert medserver(*DOWNLOAD, "--to", "weights").returncode == 0


def test_a_second_time_only_looks(hub, medserver, tmp_path):
    medserver(*DOWNLOAD, "--to", "weights")
    before = sum(hub.served.values())
    again = medserver(*DOWNLOAD, "--to", "weights")
    assert again.returncode == 0 and sum(hub.served.values()) == before
    assert "Checking what is here: 5.0 MB of 5.0 MB (100 %)" in again.stderr


def test_it_mends_what_is_missing_or_changed(hub, medserver, tmp_path):
    medserver(*DOWNLOAD, "--to", "weights")
    (tmp_path / "weights/config.json").unlink()
    (tmp_path / "weights" / TWO).write_bytes(bytes(2_000_000))
    hub.served.clear()
    assert medserver(*DOWNLOAD, "--to", "weights").returncode == 0
    assert whole(tmp_path / "weights") and set(hub.served) == {"config.json", TWO}


def test_a_cut_connection_is_gone_on_with(hub, medserver, tmp_path):
    hub.habits.cuts = {ONE: [1_000_000, 500_000], TWO: [700_000]}
    assert medserver(*DOWNLOAD, "--to", "weights").returncode == 0
    assert whole(tmp_path / "weights")
    assert hub.served[ONE] == 3_000_000 and hub.served[TWO] == 2_000_000, "nothing was fetched twice"
    assert (ONE, "bytes=1500000-") in hub.ranges


def test_a_server_without_ranges_gives_everything_again(hub, medserver, tmp_path):
    hub.habits.cuts, hub.habits.no_ranges = {ONE: [1_000_000]}, True
    assert medserver(*DOWNLOAD, "--to", "weights").returncode == 0
    assert whole(tmp_path / "weights") and hub.served[ONE] == 4_000_000


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize(("number", "status"), [(signal.SIGKILL, -9), (signal.SIGINT, 130)])
def test_what_was_interrupted_is_gone_on_with(hub, medserver, environment, tmp_path, number, status):
    hub.habits.bytes_per_second = 1_000_000
    argv = [sys.executable, "-m", "medserver", *DOWNLOAD, "--to", "weights"]
    # Whoever runs the tests in the background has switched SIGINT off, for its children too.
    heeding = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}
    child = subprocess.Popen(argv, env=environment, cwd=tmp_path, stderr=subprocess.PIPE, text=True, **heeding)
    deadline = time.monotonic() + 60
    while hub.served[ONE] < 1_000_000 and time.monotonic() < deadline:
        time.sleep(0.05)
    child.send_signal(number)
    said = child.communicate(timeout=60)[1]
    assert child.returncode == status
    if number == signal.SIGINT:
        assert said.splitlines()[-1].startswith("medserver: Stopped.") and "Traceback" not in said
    assert ONE not in names(tmp_path / "weights"), "half a file must not look like one"
    sent, hub.habits.bytes_per_second = hub.served[ONE], None
    assert medserver(*DOWNLOAD, "--to", "weights").returncode == 0
    assert whole(tmp_path / "weights")
    again = hub.served[ONE] - sent
    assert again < 2_200_000, "what had arrived was not fetched again, but for what was under way"
    assert [name for name, _ in hub.ranges if name == ONE]


@pytest.mark.parametrize(
    ("habits", "environ", "status", "code", "words"),
    [
        ({"gated": True}, {}, 10, "no_token", ["HF_TOKEN=", REPO, "/settings/tokens"]),
        ({"gated": True}, {"HF_TOKEN": "hf_wrong"}, 11, "bad_token", ["expired", "/settings/tokens"]),
        ({"gated": True}, {"HF_TOKEN": "hf_gruß"}, 11, "bad_token", ["mistyped", "/settings/tokens"]),
        ({"gated": True}, {"HF_TOKEN": NO_PERMISSION}, 12, "token_permission", ["gated repos", "/settings/tokens"]),
        ({"gated": True}, {"HF_TOKEN": OTHER_ACCOUNT}, 13, "gated", ["not accepted the terms", f"/{REPO}"]),
        ({"missing": True}, {}, 14, "not_found", ["does not exist", f"/{REPO}"]),
        ({"busy": 9, "retry_after": "60"}, {}, 16, "rate_limited", ["in 1 min 0 s", "/settings/tokens"]),
        ({"login_page": True}, {}, 17, "proxy", ["HTTPS_PROXY"]),
        ({}, {"HTTP_PROXY": "http://u:p@127.0.0.1:9", "NO_PROXY": ""}, 17, "proxy", ["(http://127.0.0.1:9)"]),
        ({}, {"HTTP_PROXY": "127.0.0.1:9", "NO_PROXY": ""}, 17, "proxy", ["(127.0.0.1:9)", "http://name:password@"]),
        ({}, {"SSL_CERT_FILE": "gone.pem"}, 18, "certificate", ["SSL_CERT_FILE"]),
        ({}, {"HF_HUB_OFFLINE": "1"}, 19, "offline", ["HF_HUB_OFFLINE", ".env", "--model-path"]),
        ({}, {"HF_ENDPOINT": "http://127.0.0.1:9"}, 19, "offline", ["does not answer", "medserver bundle"]),
        ({}, {"HF_ENDPOINT": "http://hub.invalid"}, 19, "offline", ["DNS"]),
        ({}, {"HF_ENDPOINT": "hub.example.org"}, 19, "offline", ["HF_ENDPOINT is no address"]),
        ({"failing": 99}, {}, 20, "hub_down", ["answered 503", "http://127.0.0.1"]),
        ({"claimed_sizes": {ONE: 10**15}}, {}, 21, "disk_full", ["GB are needed", "are free", "--to"]),
        ({"changed": {TWO}}, {}, 23, "wrong_checksum", [TWO, "proxy"]),
        ({"changed": {"config.json"}}, {}, 23, "wrong_checksum", ["config.json"]),
        ({"longer": {TWO}}, {}, 23, "wrong_checksum", [TWO, "longer", "proxy"]),
    ],
)
def test_each_failure_has_its_sentence_code_and_status(hub, medserver, tmp_path, habits, environ, status, code, words):
    vars(hub.habits).update(habits)
    done = medserver(*DOWNLOAD, "--to", "weights", "--give-up-after", "2", **environ)
    *_, last = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (status, ""), done.stderr
    assert last.startswith("medserver: ") and last.endswith(f"[{code}]")
    assert not [word for word in words if word not in last], last
    assert "Traceback" not in done.stderr and "hf_" not in done.stderr.replace("hf_token", "")
    assert not (tmp_path / "weights/medserver-weights.json").exists(), "a record says that everything is right"


def test_a_revision_that_is_not_there(hub, medserver):
    done = medserver(*DOWNLOAD, "--revision", "nightly", "--to", "weights")
    assert done.returncode == 15 and "no revision nightly" in done.stderr and "/commits/main" in done.stderr


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_hub_is_waited_for_while_files_arrive(hub, medserver, tmp_path, status):
    hub.habits.failing, hub.habits.failing_status = 2, status
    assert medserver(*DOWNLOAD, "--to", "weights").returncode == 0
    assert whole(tmp_path / "weights")


def test_a_hub_that_asks_for_more_patience_than_there_is(hub, medserver):
    hub.habits.failing, hub.habits.failing_status, hub.habits.retry_after = 9, 429, "3600"
    done = medserver(*DOWNLOAD, "--to", "weights", HF_TOKEN=GOOD)
    assert done.returncode == 16 and "in 1 h 0 min" in done.stderr and "/rate-limits" in done.stderr


@pytest.fixture
def certificate(tmp_path):
    made = [
        "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=hub",
        "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", tmp_path / "key.pem", "-out", tmp_path / "ca.pem",
    ]  # fmt: skip
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not on this machine")
    subprocess.run(made, check=True, capture_output=True)
    return tmp_path / "ca.pem", tmp_path / "key.pem"


def test_a_certificate_of_the_hospitals_own(medserver, environment, certificate):
    with StandIn(certificate=certificate) as hub:
        environment["HF_ENDPOINT"] = hub.url
        done = medserver(*DOWNLOAD, "--to", "weights")
        assert done.returncode == 18 and "SSL_CERT_FILE" in done.stderr and "self-signed" in done.stderr, done.stderr
        assert medserver(*DOWNLOAD, "--to", "weights", SSL_CERT_FILE=str(certificate[0])).returncode == 0
        # Over TLS the library takes every 401 for a repository that is not there.
        wrong = medserver(*DOWNLOAD, "--to", "new", SSL_CERT_FILE=str(certificate[0]), HF_TOKEN="hf_wrong")
        assert wrong.returncode == 11, wrong.stderr


@pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals of POSIX")
def test_on_a_terminal_the_line_is_live(hub, environment, tmp_path):
    hub.habits.bytes_per_second = 3_000_000
    ours, theirs = os.openpty()
    argv = [sys.executable, "-m", "medserver", *DOWNLOAD, "--to", "weights"]
    child = subprocess.Popen(argv, env=environment, cwd=tmp_path, stderr=theirs, stdout=subprocess.DEVNULL)
    os.close(theirs)
    said = b""
    with contextlib.suppress(OSError):  # how a pseudo-terminal says that nobody is left
        while piece := os.read(ours, 65536):
            said += piece
    os.close(ours)
    assert child.wait() == 0
    lines = said.decode().split("\r")
    assert len(lines) > 4 and lines[-1] == "\n"
    assert any("MB/s" in line and line.rstrip().endswith(" left") for line in lines), lines


@pytest.mark.parametrize("to", ["weights", "weights/below", "/dev/null/there"])
def test_a_folder_that_cannot_be_written_to(hub, medserver, tmp_path, to):
    (tmp_path / "weights").write_text("a file")
    done = medserver(*DOWNLOAD, "--to", to)
    assert done.returncode == 22 and to in done.stderr and "name another place" in done.stderr
    assert "Traceback" not in done.stderr


def test_two_at_once_do_not_write_to_one_file(hub, medserver, tmp_path):
    from filelock import FileLock

    partial = tmp_path / "weights/.medserver-partial"
    partial.mkdir(parents=True)
    with FileLock(partial / "lock"):
        done = medserver(*DOWNLOAD, "--to", "weights")
    assert done.returncode == 25 and "is running" in done.stderr


def test_a_call_that_names_no_model_is_a_sentence(medserver):
    done = medserver("download")
    assert done.returncode == 2 and "-m 4" in done.stderr and "Traceback" not in done.stderr


def test_the_command_comes_first(medserver):
    done = medserver("-m", "4", "download")
    assert done.returncode == 2 and "medserver download" in done.stderr
