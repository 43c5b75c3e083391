"""What the doctor finds: each check on circumstances that are made up, and how they are run."""

import socket
import subprocess
import sys
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from medserver.config import Settings
from medserver.doctor import finding, inventory, machine, model, network, packages, report, upstreams
from medserver.doctor.finding import Circumstances, Finding
from medserver.doctor.packages import Packages, bad_pairs
from medserver.hardware import Gpu, Hardware, Interpreter, probe
from medserver.weights import serving_for

H200 = Gpu("NVIDIA H200", (9, 0), 150_000_000_000, 500_000_000)
T4 = Gpu("Tesla T4", (7, 5), 16_000_000_000, 300_000_000)
OURS = Interpreter(sys.executable, sys.version_info[:2], frozenset({"torch", "transformers"}))


def circumstances(hardware: Hardware = Hardware(), environ=(), **settings) -> Circumstances:  # noqa: B008
    made = Settings(**settings)
    return Circumstances(made, hardware, serving_for(made) if made.model else None, None, dict(environ))


def card(gpu: Gpu, cuda=(13, 0)) -> Hardware:
    return Hardware(gpus=(gpu,), driver="580.95", cuda_driver=cuda, ram_available=64 * 10**9, ram_total=128 * 10**9)


def test_a_good_gpu_is_good():
    found = machine.gpus(circumstances(card(H200)))
    assert (found.state, found.advice) == ("ok", "") and "9.0, 149.5 GB of 150.0 GB free" in found.says


@pytest.mark.parametrize(
    ("gpu", "words"), [(T4, "float32"), (replace(H200, memory_used=90_000_000_000), "Another program")]
)
def test_a_gpu_that_costs_something(gpu, words):
    found = machine.gpus(circumstances(card(gpu)))
    assert found.state == "warn" and words in found.advice


def test_no_gpu_is_right_for_the_demo_alone(monkeypatch):
    monkeypatch.setattr(machine, "_nvidia_card_without_driver", lambda: False)
    assert machine.gpus(circumstances(model="demo")).state == "ok"
    assert machine.gpus(circumstances(model="4")).state == "warn"
    assert machine.gpus(circumstances(Hardware(platform="darwin", machine="arm64"))).state == "ok"


def test_a_card_whose_driver_does_not_answer_is_a_failure(monkeypatch):
    monkeypatch.setattr(machine, "_nvidia_card_without_driver", lambda: True)
    assert machine.gpus(circumstances()).state == "fail"


@pytest.mark.parametrize(("cuda", "state"), [((13, 0), "ok"), ((12, 8), "warn"), (None, "warn")])
def test_a_driver_too_old_for_sglang(cuda, state):
    assert machine.driver(circumstances(card(H200, cuda))).state == state


def test_little_memory_is_warned_of():
    assert machine.memory(circumstances(Hardware(ram_total=8 * 10**9, ram_available=10**9))).state == "warn"


BAD = Packages("v", {"torch": "2.13.0+cpu", "torchvision": "0.28.0"}, {"torch": None, "torchvision": "13.0"})


@pytest.mark.parametrize(
    ("here", "hardware", "expected"),
    [
        (BAD, Hardware(), [("warn", "pip uninstall torchvision")]),
        (replace(BAD, cuda={"torch": None, "torchvision": None}), Hardware(), []),
        (Packages("v", {"torch": "2.13.0"}, {"torch": None}), card(H200), [("warn", "GPU stays idle")]),
        (Packages("v", {"torch": "2.13.0"}, {"torch": "13.0"}), card(H200), []),
        (Packages("v", {"torch": "2.13.0"}, {"torch": "13.0"}), card(H200, (12, 4)), [("fail", "Update the driver")]),
        (Packages("v", {"torch": "2.13.0"}, {"torch": "12.8"}), card(H200, (12, 4)), []),
        (Packages("v", {"kernels": "1", "bitsandbytes": "0.50"}), Hardware(), [("warn", "pip uninstall kernels")]),
    ],
)
def test_known_bad_pairs(here, hardware, expected):
    found = list(bad_pairs(here, hardware))
    assert [state for state, _ in found] == [state for state, _ in expected]
    assert all(words in said for (_, said), (_, words) in zip(found, expected, strict=True))


def test_a_python_says_what_it_holds_without_importing_it():
    found = packages.asked(OURS)
    assert found.versions["torch"] and "torch" in found.cuda
    assert packages.engines(circumstances(Hardware(interpreters=(OURS,)))).state in ("ok", "warn")


@pytest.mark.parametrize(
    ("text", "cuda"),
    [
        ("__version__ = '2.13.0+cpu'\ncuda: Optional[str] = None\nhip = None\n", None),
        ("__version__ = '2.13.0'\ncuda: Optional[str] = '13.0'\n", "13.0"),
        ("__version__ = '0.28.0+cu130'\nif x:\n    cuda = _check_cuda_version()\n", "13.0"),
        ("__version__ = '0.28.0+cpu'\n", None),
    ],
)
def test_what_a_package_was_built_for_is_read_from_its_version(text, cuda):
    assert inventory.built_for(text) == cuda


def test_another_python_is_asked_in_a_child(tmp_path):
    (tmp_path / "env/bin").mkdir(parents=True)
    beside = tmp_path / "env/bin/python"
    beside.symlink_to(sys.executable)  # without its environment it holds nothing of ours
    found = packages.asked(Interpreter(str(beside), (3, 11), frozenset()))
    assert found.label == "env" and str(found) == "env: no engine"


def test_a_python_that_does_not_answer_is_said(tmp_path):
    silent = Interpreter(str(tmp_path / "none/bin/python"), (3, 11), frozenset())
    assert packages.engines(circumstances(Hardware(interpreters=(OURS, silent)))).state == "warn"


def test_a_taken_port_is_a_failure_and_a_free_one_is_not():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = taken.getsockname()[1]
        found = network.port(circumstances(host="127.0.0.1", port=number))
        assert found.state == "fail" and "-p" in found.advice
    assert network.port(circumstances(host="127.0.0.1", port=number)).state == "ok"


@pytest.mark.parametrize(
    ("environ", "state", "words"),
    [
        ({}, "ok", "None"),
        ({"https_proxy": "http://anna:secret@proxy:3128", "no_proxy": "10.0.0.0/8"}, "ok", "http://proxy:3128; not"),
        ({"HTTPS_PROXY": "proxy:3128"}, "fail", "HTTPS_PROXY=proxy:3128"),
        ({"ALL_PROXY": "http://[bad"}, "ok", "(not an address)"),
    ],
)
def test_a_proxy_is_shown_without_its_password(environ, state, words):
    found = network.proxy(circumstances(environ=environ))
    assert found.state == state and words in found.says and "secret" not in found.says


@pytest.mark.parametrize(
    ("environ", "state"),
    [
        ({}, "ok"),
        ({"SSL_CERT_FILE": __file__}, "ok"),
        ({"SSL_CERT_FILE": "/gone/ca.pem"}, "fail"),
        ({"REQUESTS_CA_BUNDLE": __file__}, "warn"),
        ({"SSL_CERT_FILE": __file__, "REQUESTS_CA_BUNDLE": __file__}, "ok"),
    ],
)
def test_ca_certificates(environ, state):
    found = network.certificates(circumstances(environ=environ))
    assert found.state == state and "/" not in found.says


@pytest.mark.parametrize(("synchronised", "state"), [(True, "ok"), (False, "warn"), (None, "skip")])
def test_a_clock_that_nothing_can_be_compared_with(synchronised, state, monkeypatch):
    monkeypatch.setattr(network, "_synchronised", lambda: synchronised)
    found = network.clock(circumstances(model="demo"))
    assert found.state == state and " UTC" in found.says and ("timedatectl" in found.advice) is (state == "warn")


@pytest.mark.skipif(sys.platform != "linux", reason="Linux tells of its clock")
def test_linux_tells_whether_its_clock_is_kept():
    assert network._synchronised() in (True, False)


def test_an_address_for_this_machine_only_is_said():
    assert "Only 127.0.0.1" in network.addresses(circumstances(host="127.0.0.1")).says


def test_a_dotenv_that_others_can_read_is_warned_of(tmp_path):
    (tmp_path / ".env").write_text("HF_TOKEN=hf_secret")
    (tmp_path / ".env").chmod(0o644)
    at = replace(circumstances(model="4", hf_token="hf_secret"), directory=tmp_path)
    found = model.token(at)
    assert found.state == "warn" and "chmod 600" in found.advice
    (tmp_path / ".env").chmod(0o600)
    assert model.token(at) == Finding("token", "ok", "A Hub token is set")


def test_what_would_run_is_what_a_start_would_choose():
    found = model.engine(circumstances(replace(card(H200), interpreters=(OURS,)), model="4"))
    assert found.state == "ok" and found.says.startswith("transformers would run MedGemma 1.5 4B")
    assert "Not sglang: It is not installed" in found.advice


def test_a_machine_that_cannot_run_it_is_a_failure_with_a_flag():
    small = Hardware(ram_total=8 * 10**9, ram_available=6 * 10**9)
    found = model.engine(circumstances(small, model="27"))
    assert found.state == "fail" and "-m 4 is smaller" in found.advice


def test_an_upstream_needs_neither_weights_nor_the_hub():
    at = circumstances(model="27", upstream=("http://gpu-1:8000/",))
    assert [check(at).state for check in (model.weights, model.access)] == ["skip"] * 2
    assert "the upstreams would answer" in model.engine(at).says


class _Listing(BaseHTTPRequestHandler):
    """A server of models that wants a key; `/strange` is something else."""

    def do_GET(self) -> None:
        known = self.headers["Authorization"] == "Bearer right"
        status, said = (200, b'{"data": [{"id": "medgemma"}]}') if known else (401, b"{}")
        if self.path.startswith("/strange"):
            status, said = 200, b"<html>"
        self.send_response(status)
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_) -> None:
        pass


@pytest.fixture
def elsewhere():
    with ThreadingHTTPServer(("127.0.0.1", 0), _Listing) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


@pytest.mark.parametrize(
    ("paths", "key", "state", "words"),
    [
        (["", ""], "right", "ok", "has medgemma"),
        ([""], "wrong", "fail", "refuses the key"),
        (["", "strange/"], "right", "warn", "lists no model"),
        (["", None], "right", "warn", "127.0.0.1:9 does not answer"),
        ([None], None, "fail", "127.0.0.1:9 does not answer"),
    ],
)
def test_upstreams_are_asked(elsewhere, paths, key, state, words):
    named = tuple("http://127.0.0.1:9/" if path is None else elsewhere + path for path in paths)
    found = upstreams.upstreams(circumstances(model="27", upstream=named, upstream_key=key))
    assert found.state == state and words in found.says and bool(found.advice) is (state != "ok"), found


def test_nothing_that_is_said_names_a_user_or_a_secret(monkeypatch):
    monkeypatch.setattr(Path, "home", lambda: Path("/home/anna"))
    monkeypatch.setattr(finding.getpass, "getuser", lambda: "anna")
    text = "/home/anna/.env and /media/anna/stick hold hf_abc"
    assert finding.discreet(text, "hf_abc", None) == "~/.env and /media/***/stick hold ***"


def test_a_check_that_hangs_or_breaks_does_not_take_the_others_with_it(monkeypatch, tmp_path):
    def broken(_):
        raise KeyError("x")

    checks = {"slow": lambda _: time.sleep(60), "broken": broken, "well": lambda _: Finding("well", "ok", "yes")}
    monkeypatch.setattr(report, "CHECKS", checks)
    monkeypatch.setattr(report, "SECONDS", 0.5)
    monkeypatch.setattr(report, "probe", lambda _: Hardware(interpreters=(OURS,)))
    started = time.monotonic()
    found = report.findings_for(Settings(), {}, tmp_path)
    assert [(one.name, one.state) for one in found] == [("slow", "warn"), ("broken", "warn"), ("well", "ok")]
    assert time.monotonic() - started < 5


def test_a_driver_that_hangs_is_said(monkeypatch, tmp_path):
    monkeypatch.setattr(report, "CHECKS", {})
    monkeypatch.setattr(report, "SECONDS", 0.1)
    monkeypatch.setattr(report, "probe", lambda _: time.sleep(60))
    assert [one.name for one in report.findings_for(Settings(), {}, tmp_path)] == ["hardware"]


def test_the_doctor_imports_neither_torch_nor_the_server():
    code = (
        "import os, sys\nfrom pathlib import Path\n"
        "from medserver.config import Settings\nfrom medserver.doctor.report import findings_for\n"
        "findings_for(Settings(model='demo'), os.environ, Path())\n"
        "print(sorted({'torch', 'transformers', 'fastapi'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_the_probe_of_this_machine_is_within_its_time():
    started = time.monotonic()
    probe()
    assert time.monotonic() - started < 2 * report.SECONDS
