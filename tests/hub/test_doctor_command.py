"""`medserver doctor` as it is typed, on this machine and beside the stand-in Hub."""

import json
import subprocess
from pathlib import Path

import pytest

from medserver.doctor import report
from tests import serving
from tests.hub.standin import GOOD, OTHER_ACCOUNT, REPO


def by_name(done: subprocess.CompletedProcess) -> dict[str, dict]:
    return {one["name"]: one for one in json.loads(done.stdout)["checks"]}


@pytest.fixture
def free_port() -> str:
    return str(serving.free_port())


def test_the_report_on_this_machine(medserver, free_port):
    done = medserver("doctor", "-m", "demo", "-ip", "127.0.0.1", "-p", free_port)
    assert done.returncode == 0, done.stdout + done.stderr
    named = [line.split()[1] for line in done.stdout.splitlines() if line.startswith(("ok ", "warn ", "skip "))]
    assert named == list(report.CHECKS) and done.stdout.splitlines()[-1].startswith("0 failed")


def test_as_json_with_a_model_that_is_neither_here_nor_allowed(hub, medserver, free_port):
    hub.habits.gated = True
    done = medserver("doctor", "-m", "4", "--json", "-p", free_port, HF_TOKEN=OTHER_ACCOUNT)
    found = by_name(done)
    assert done.returncode == 1 and json.loads(done.stdout)["ok"] is False
    assert found["access"]["state"] == "fail" and f"/{REPO}" in found["access"]["advice"]
    assert found["weights"]["state"] == "warn" and found["clock"]["state"] == "ok"
    assert OTHER_ACCOUNT not in done.stdout + done.stderr


def test_access_and_weights_once_all_is_well(hub, medserver, environment, free_port):
    hub.habits.gated = True
    asked = ("doctor", "-m", "4", "--json", "-p", free_port)
    assert by_name(medserver(*asked, HF_TOKEN=GOOD))["access"]["state"] == "ok"
    assert medserver("download", "-m", "4", HF_TOKEN=GOOD).returncode == 0
    found = by_name(medserver(*asked))
    assert (found["access"]["state"], found["weights"]["state"]) == ("skip", "ok")
    [shard] = Path(environment["HF_HOME"]).rglob("model-00002*")
    shard.write_bytes(b"short")
    found = by_name(medserver(*asked))
    assert found["weights"]["state"] == "fail" and shard.name in found["weights"]["says"]


def test_a_model_path_that_is_no_checkpoint_is_a_finding(medserver, tmp_path, free_port):
    done = medserver("doctor", "-m", "4", "--model-path", tmp_path, "--json", "-p", free_port)
    assert done.returncode == 1 and by_name(done)["weights"]["state"] == "fail"


def test_json_belongs_to_the_doctor(medserver):
    assert medserver("-m", "demo", "--json").returncode == 2
