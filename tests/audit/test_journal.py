"""The audit log: what a line holds and never holds, the chain, its bounds, several writers, and what verify says."""

import json
import multiprocessing
import os
import stat

import orjson
import pytest

from medserver import cli
from medserver.audit import crowd
from medserver.audit.chain import Broken, Link, followed, written
from medserver.audit.command import files_of
from medserver.audit.journal import Journal, numbered
from medserver.parse import BadSetting
from tests.access.asking import MACHINE, ask, entrance_of, front, pair
from tests.scripted import ended

CANARY = "Canary-Smith-1961"
ABOUT = {"model": "demo", "revision": None}


def lines_of(path) -> list[dict]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def filled(path, number: int = 5, **bounds) -> Journal:
    journal = Journal(path, ABOUT, **bounds)
    journal.prepare()
    for one in range(number - 1):
        journal.write({"request": str(one)})
    return journal


def verified(path, capsys) -> tuple[int, str]:
    status = cli.main(["audit", "verify", str(path)])
    said = capsys.readouterr()
    return status, said.out + said.err


def chat(text: str, **fields) -> bytes:
    return orjson.dumps({"messages": [{"role": "user", "content": text}]} | fields)


def test_a_line_says_who_by_pseudonym_what_and_how_it_ended(tmp_path):
    path = tmp_path / "audit.jsonl"
    app = front(tmp_path, audit_log=path)
    paired = pair(app, secret=entrance_of(app).pairing.new_code().secret)
    cookie = paired.headers["set-cookie"].split(";")[0]
    asked = ask(app, "POST", "/api/chat", body=chat("Hello"), cookie=cookie)
    [pairing, answer] = lines_of(path)
    session = orjson.loads(paired.body)["session"]
    assert (pairing["route"], pairing["event"], pairing["visitor"]) == ("/api/pairing", f"paired {session}", "stranger")
    assert answer["visitor"] == f"session:{session}"
    assert (answer["route"], answer["status"], answer["finish_reason"]) == ("/api/chat", 200, "stop")
    assert answer["request"] == asked.headers["x-request-id"]
    assert {"time", "ms", "images", "prompt_tokens", "completion_tokens", "ttft_ms", "model", "revision"} <= set(answer)


@pytest.mark.parametrize("stream", [True, False])
def test_a_fault_of_our_own_is_not_told_as_the_clients_leaving(tmp_path, stream):
    path = tmp_path / "audit.jsonl"
    app = front(tmp_path, ["a", RuntimeError(CANARY)], audit_log=path)
    ask(app, "POST", "/api/chat", MACHINE, chat("Hello", stream=stream))
    [line] = lines_of(path)
    status = 200 if stream else 500
    assert (line["status"], line["code"], line["finish_reason"]) == (status, "internal", "failed")


def test_a_fault_before_any_answer_is_told_with_its_route_and_status(tmp_path):
    path = tmp_path / "audit.jsonl"
    app = front(tmp_path, problem=RuntimeError(CANARY), audit_log=path)
    assert ask(app, "POST", "/api/chat", MACHINE, chat("Hello")).status == 500
    [line] = lines_of(path)
    assert (line["route"], line["status"], line["code"]) == ("/api/chat", 500, "internal")
    assert "finish_reason" not in line


def test_refusals_at_the_door_are_told_with_their_code(tmp_path):
    path = tmp_path / "audit.jsonl"
    app = front(tmp_path, audit_log=path)
    ask(app, "GET", "/api/health")
    ask(app, "GET", "/", host="evil.example")
    ask(app, "POST", "/api/chat", MACHINE, b"{}", origin="http://evil.example")
    pair(app, secret="x")
    codes = [(line["route"], line["code"]) for line in lines_of(path)]
    assert codes == [
        ("/api/health", "token_required"), ("/", "host_not_allowed"), ("/api/chat", "origin_not_allowed"),
        ("/api/pairing", "wrong_code"),
    ]  # fmt: skip


def test_nothing_that_was_sent_is_in_it(tmp_path):
    path = tmp_path / "audit.jsonl"
    app = front(tmp_path, audit_log=path, open=True)
    ask(app, "POST", "/api/chat", body=chat(CANARY, system_prompt=CANARY, model=CANARY))
    ask(app, "POST", "/api/chat", body=chat(CANARY), user_agent=CANARY, cookie=f"a={CANARY}", referer=CANARY)
    ask(app, "GET", f"/{CANARY}?{CANARY}", authorization=f"Bearer {CANARY}", host="localhost")
    ask(app, CANARY, "/api/chat")
    ask(app, "GET", "/api/health", host=f"{CANARY}.example")
    assert len(lines_of(path)) == 5
    assert CANARY.lower() not in path.read_text().lower()
    for address in ("192.0.2.7", "192.0.2.1"):
        assert address not in path.read_text()


def test_what_pages_ask_all_the_time_is_left_out(tmp_path):
    path = tmp_path / "audit.jsonl"
    app = front(tmp_path, audit_log=path)
    for quiet in ("/", "/api/health", "/static/app.js", "/livez", "/readyz", "/metrics", "/api/pairing"):
        ask(app, "GET", quiet, MACHINE)
    assert not path.exists()


def test_strangers_cannot_wash_out_what_is_held(tmp_path, monkeypatch, capsys):
    """The files are bounded: without this, noise from the network would push every line out of them."""
    path = tmp_path / "audit.jsonl"
    now = [600.0]
    monkeypatch.setattr(crowd.time, "monotonic", lambda: now[0])
    app = front(tmp_path, audit_log=path)
    for _ in range(crowd.LINES + 5):
        ask(app, "GET", "/api/health")
    ask(app, "GET", "/", host="evil.example")
    assert len(lines_of(path)) == crowd.LINES
    assert ask(app, "POST", "/api/chat", MACHINE, chat("Hello")).status == 200
    pair(app, secret=entrance_of(app).pairing.new_code().secret)
    assert [line["visitor"] for line in lines_of(path)[crowd.LINES :]] == ["machine", "stranger"], "these always are"
    now[0] += crowd.SECONDS
    ask(app, "GET", "/api/health")
    told, line = lines_of(path)[-2:]
    assert (told["event"], told["count"]) == ("requests of strangers left out", 6)
    assert line["code"] == "token_required" and verified(path, capsys)[0] == 0


@pytest.mark.parametrize(
    ("change", "line", "why"),
    [
        (lambda lines: [*lines[:2], lines[2].replace(b'"1"', b'"9"'), *lines[3:]], 3, "changed after"),
        (lambda lines: lines[:2] + lines[3:], 3, "should follow"),
        (lambda lines: [*lines[:3], lines[2], *lines[3:]], 4, "should follow"),
        (lambda lines: [lines[1], lines[0], *lines[2:]], 2, "should follow"),
        (lambda lines: [*lines[:4], lines[4][:-9]], 5, "no line"),
        (lambda lines: [*lines[:4], lines[4].rstrip(b"\n")], 5, "not whole"),
        (lambda lines: [*lines[:1], b"hello\n", *lines[1:]], 2, "no line"),
        (lambda lines: [*lines[:2], written({"request": "forged"}, Link(2))[0], *lines[3:]], 3, "does not follow"),
    ],
)
def test_verify_says_which_line_broke(tmp_path, capsys, change, line, why):
    path = tmp_path / "audit.jsonl"
    filled(path)
    assert verified(path, capsys)[0] == 0
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))
    status, said = verified(path, capsys)
    assert status == 1 and f"line {line}:" in said and why in said


def test_the_last_hash_shows_what_was_taken_off_the_end(tmp_path, capsys):
    path = tmp_path / "audit.jsonl"
    filled(path)
    _, before = verified(path, capsys)
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    status, after = verified(path, capsys)
    assert status == 0 and "4 lines" in after
    assert before.split("the last hash is ")[1][:64] != after.split("the last hash is ")[1][:64]


def test_a_server_that_starts_again_goes_on_with_the_chain(tmp_path, capsys):
    path = tmp_path / "audit.jsonl"
    filled(path)
    filled(path)
    assert [line["n"] for line in lines_of(path)] == list(range(1, 11))
    assert verified(path, capsys)[0] == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 or os.name == "nt"


def test_the_log_is_bounded_and_the_chain_runs_on_over_its_files(tmp_path, capsys):
    path = tmp_path / "audit.jsonl"
    filled(path, 200, file_bytes=2000, files=4)
    files = files_of(path)
    assert [file.name for file in files] == ["audit.jsonl.3", "audit.jsonl.2", "audit.jsonl.1", "audit.jsonl"]
    assert all(file.stat().st_size < 2500 for file in files)
    status, said = verified(path, capsys)
    assert status == 0 and "200 lines" in said
    numbered(path, 2).write_bytes(numbered(path, 2).read_bytes().replace(b'"request":"1', b'"request":"2', 1))
    assert verified(path, capsys)[0] == 1


def test_a_line_that_a_power_cut_tore_is_taken_out_and_told(tmp_path, capsys):
    path = tmp_path / "audit.jsonl"
    filled(path)
    with path.open("ab") as file:
        file.write(b'{"n":6,"time":"2026')
    Journal(path, ABOUT).write({"request": "after"})
    assert [line.get("event") for line in lines_of(path)][-2:] == ["torn line taken out", None]
    assert verified(path, capsys)[0] == 0


def test_a_changed_end_is_not_gone_on_with(tmp_path):
    path = tmp_path / "audit.jsonl"
    filled(path)
    path.write_bytes(path.read_bytes().replace(b'"3"', b'"4"'))
    with pytest.raises(BadSetting, match="medserver audit verify"):
        Journal(path, ABOUT).prepare()


def test_an_end_that_is_changed_while_it_runs_stops_no_ward_either(tmp_path, caplog):
    path = tmp_path / "audit.jsonl"
    app = front(tmp_path, *(["a", ended()] for _ in range(2)), audit_log=path)
    assert ask(app, "POST", "/api/chat", MACHINE, chat("Hello")).status == 200
    with path.open("ab") as file:
        file.write(b"{}\n")
    before = path.read_bytes()
    assert ask(app, "POST", "/api/chat", MACHINE, chat("Hello")).status == 200
    assert path.read_bytes() == before and "its end was changed" in caplog.text


def _write_many(path) -> None:
    journal = Journal(path, ABOUT, file_bytes=20_000, files=9)
    for number in range(100):
        journal.write({"request": str(number)})


def test_several_processes_keep_one_chain(tmp_path, capsys):
    path = tmp_path / "audit.jsonl"
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_write_many, args=(path,)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    status, said = verified(path, capsys)
    assert status == 0 and "300 lines" in said


def test_a_log_that_cannot_be_written_stops_the_start_and_no_ward(tmp_path, caplog):
    (tmp_path / "file").write_text("")
    with pytest.raises(BadSetting, match="cannot be written"):
        Journal(tmp_path / "file" / "audit.jsonl", ABOUT).prepare()
    app = front(tmp_path, audit_log=tmp_path / "file" / "audit.jsonl")
    assert ask(app, "POST", "/api/chat", MACHINE, chat("Hello")).status == 200
    assert "could not be written" in caplog.text


def test_a_chain_is_followed_from_any_of_its_lines():
    end, lines = Link(), []
    for number in range(4):
        line, end = written({"request": str(number)}, end)
        lines.append(line)
    assert followed(lines) == end == followed(lines[2:])
    with pytest.raises(Broken):
        followed(lines[2:], Link())
