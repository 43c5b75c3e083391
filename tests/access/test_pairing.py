"""A code lets one device in, once, for ten minutes; guessing gets nobody anywhere."""

import os
import sqlite3
import stat
import threading
from itertools import count

import pytest

from medserver.access import pairing, sessions, terminal
from medserver.access.ledger import NAME, Ledger
from medserver.access.pairing import (
    CODE_SECONDS,
    DAY_SECONDS,
    LOCK_SECONDS,
    TRIES,
    TRIES_A_DAY,
    TRIES_TOGETHER,
    Pairing,
)
from medserver.access.sessions import LIFETIME_SECONDS, Sessions, device_of
from medserver.errors import Forbidden, TooMany
from tests.access.asking import MACHINE, ask, code_of, cookie_of, entrance_of, front, pair


class Clock:
    def __init__(self):
        self.now = 1_800_000_000.0

    def time(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch) -> Clock:
    made = Clock()
    for module in (pairing, sessions):
        monkeypatch.setattr(module.time, "time", made.time)
    return made


def wrong(pin: str) -> str:
    return f"{(int(pin) + 1) % 10**6:06}"


@pytest.mark.parametrize("form", ["secret", "pin"])
def test_a_code_lets_one_device_in_and_no_second(tmp_path, form):
    app = front(tmp_path)
    code = entrance_of(app).pairing.new_code()
    paired = pair(app, **{form: getattr(code, form)})
    assert paired.status == 200
    cookie = paired.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie and "Path=/" in cookie and "Secure" not in cookie
    assert f"Max-Age={LIFETIME_SECONDS}" in cookie
    assert ask(app, "GET", "/api/health", cookie=cookie_of(paired)).status == 200
    again = pair(app, **{form: getattr(code, form)})
    assert (again.status, code_of(again)) == (403, "wrong_code") and "set-cookie" not in again.headers


def test_the_two_forms_are_one_code(tmp_path):
    app = front(tmp_path)
    code = entrance_of(app).pairing.new_code()
    assert pair(app, pin=code.pin).status == 200
    assert pair(app, secret=code.secret).status == 403


def test_a_new_code_makes_those_before_it_worthless(tmp_path):
    app = front(tmp_path)
    old, new = (entrance_of(app).pairing.new_code() for _ in range(2))
    assert pair(app, secret=old.secret).status == 403
    assert pair(app, secret=new.secret).status == 200


def test_a_code_lasts_ten_minutes(tmp_path, clock):
    app = front(tmp_path)
    code = entrance_of(app).pairing.new_code()
    clock.now += CODE_SECONDS + 1
    assert not entrance_of(app).pairing.open
    assert {pair(app, pin=code.pin).status, pair(app, secret=code.secret).status} == {403}
    late = entrance_of(app).pairing.new_code()
    clock.now += CODE_SECONDS - 1
    assert pair(app, pin=late.pin).status == 200


def test_five_wrong_pins_lock_an_address_for_an_hour_and_no_other(tmp_path, clock):
    app = front(tmp_path)
    code = entrance_of(app).pairing.new_code()
    said = [pair(app, pin=wrong(code.pin)) for _ in range(TRIES)]
    assert [one.status for one in said] == [403] * TRIES
    assert b"4 tries left" in said[0].body and b"1 try left" in said[3].body and b"no tries left" in said[4].body
    right = pair(app, pin=code.pin)
    assert (right.status, code_of(right)) == (429, "pairing_locked"), "even the right one, or it could be guessed"
    assert 0 < int(right.headers["retry-after"]) <= LOCK_SECONDS + 1
    assert pair(app, "192.0.2.8", pin=code.pin).status == 200
    clock.now += LOCK_SECONDS + 1
    assert pair(app, pin=entrance_of(app).pairing.new_code().pin).status == 200


def test_the_qr_code_opens_for_a_locked_address(tmp_path):
    app = front(tmp_path)
    code = entrance_of(app).pairing.new_code()
    for _ in range(TRIES):
        pair(app, pin=wrong(code.pin))
    assert pair(app, secret=code.secret).status == 200


def test_an_ipv6_device_has_five_tries_whatever_addresses_it_takes(tmp_path):
    app = front(tmp_path)
    code = entrance_of(app).pairing.new_code()
    for number in range(TRIES):
        pair(app, f"2001:db8::{number + 1}", pin=wrong(code.pin))
    assert pair(app, "2001:db8::ffff", pin=code.pin).status == 429


def test_many_addresses_together_have_few_tries_too(tmp_path, clock):
    app = front(tmp_path)
    code = entrance_of(app).pairing.new_code()
    for number in range(TRIES_TOGETHER):
        assert pair(app, f"10.1.{number}.1", pin=wrong(code.pin)).status == 403
    assert pair(app, "10.2.0.1", pin=code.pin).status == 429
    assert pair(app, "10.2.0.1", secret=code.secret).status == 200
    clock.now += CODE_SECONDS + 1
    assert pair(app, "10.2.0.1", pin=entrance_of(app).pairing.new_code().pin).status == 200


def test_who_guesses_patiently_from_everywhere_is_stopped_for_the_day(tmp_path, clock):
    pairing_here = Pairing(Ledger(tmp_path))
    for number in range(TRIES_A_DAY):
        clock.now += CODE_SECONDS / 10
        with pytest.raises(Forbidden):
            pairing_here.use_pin(wrong(pairing_here.new_code().pin), f"10.1.{number}.1")
    code = pairing_here.new_code()
    with pytest.raises(TooMany, match="Try again in 21 hours, or scan the QR code"):
        pairing_here.use_pin(code.pin, "10.2.0.1")
    pairing_here.use_secret(code.secret)
    clock.now += DAY_SECONDS
    pairing_here.use_pin(pairing_here.new_code().pin, "10.2.0.1")


def test_tries_at_the_same_moment_are_all_counted(tmp_path):
    """Every thread has the file open for itself, as web workers have."""
    code = Pairing(Ledger(tmp_path)).new_code()
    outcomes: list[type] = []

    def guess() -> None:
        try:
            Pairing(Ledger(tmp_path)).use_pin(wrong(code.pin), "192.0.2.7")
        except (Forbidden, TooMany) as said:
            outcomes.append(type(said))

    threads = [threading.Thread(target=guess) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count(Forbidden) == TRIES and outcomes.count(TooMany) == 12 - TRIES


def test_one_code_used_at_the_same_moment_lets_one_in(tmp_path):
    code = Pairing(Ledger(tmp_path)).new_code()
    came_in: list[int] = []

    def use(number: int) -> None:
        try:
            Pairing(Ledger(tmp_path)).use_secret(code.secret)
        except Forbidden:
            return
        came_in.append(number)

    threads = [threading.Thread(target=use, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(came_in) == 1


@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{"pin": "12345"}', b'{"pin": 123456}', b'{"pin": "123456", "secret": "x"}', b'{"x": 1}',
             b'{"secret": ""}', b'{"pin": "\xd9\xa1\xd9\xa2\xd9\xa3\xd9\xa4\xd9\xa5\xd9\xa6"}', b"[" * 5000],
)  # fmt: skip
def test_what_is_no_proof_is_refused_and_costs_no_try(tmp_path, body):
    app = front(tmp_path)
    code = entrance_of(app).pairing.new_code()
    for _ in range(TRIES + 1):
        assert ask(app, "POST", "/api/pairing", body=body).status == 422
    assert pair(app, pin=code.pin).status == 200


def test_a_session_ends_after_thirty_days_when_revoked_and_when_the_device_forgets(tmp_path, clock):
    app = front(tmp_path)
    entrance = entrance_of(app)
    cookies = [cookie_of(pair(app, secret=entrance.pairing.new_code().secret)) for _ in range(3)]
    names = [one.name for one in entrance.sessions.known()]

    def statuses() -> list[int]:
        return [ask(app, "GET", "/api/health", cookie=cookie).status for cookie in cookies]

    assert statuses() == [200] * 3
    assert entrance.sessions.revoke(names[0])
    assert statuses() == [401, 200, 200]
    forgotten = ask(app, "DELETE", "/api/pairing", cookie=cookies[1])
    assert forgotten.status == 204 and "Max-Age=0" in forgotten.headers["set-cookie"]
    assert statuses() == [401, 401, 200]
    clock.now += LIFETIME_SECONDS + 1
    assert statuses() == [401] * 3 and entrance.sessions.known() == []


def test_a_session_outlives_the_server(tmp_path):
    app = front(tmp_path)
    cookie = cookie_of(pair(app, secret=entrance_of(app).pairing.new_code().secret))
    assert ask(front(tmp_path), "GET", "/api/health", cookie=cookie).status == 200


def test_a_session_counts_before_the_address(tmp_path):
    app = front(tmp_path, rate_limit="1/minute")
    cookies = [cookie_of(pair(app, secret=entrance_of(app).pairing.new_code().secret)) for _ in range(2)]
    statuses = [ask(app, "POST", "/api/chat", body=b"{}", cookie=cookie).status for cookie in cookies * 2]
    assert statuses == [422, 422, 429, 429], "two devices at one address, each with its own minute"
    elsewhere = ask(app, "POST", "/api/chat", "198.51.100.1", b"{}", cookie=cookies[0])
    assert elsewhere.status == 429, "and with the same one wherever it goes"


def test_the_file_is_its_owners_alone_and_holds_no_secret(tmp_path):
    app = front(tmp_path)
    entrance = entrance_of(app)
    code = entrance.pairing.new_code()
    pair(app, pin=wrong(code.pin))
    held = (tmp_path / "state" / NAME).read_bytes()
    for secret in (code.secret, code.pin, "192.0.2.7"):
        assert secret.encode() not in held
    agent = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Mobile/15E148 Safari/604.1 Dr-Canary"
    cookie = cookie_of(ask(app, "POST", "/api/pairing", body=b'{"secret": "%s"}' % code.secret.encode(),
                           user_agent=agent)).split("=")[1]  # fmt: skip
    key = entrance.keys.add("program")
    for file in (tmp_path / "state").iterdir():
        held = file.read_bytes()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert cookie.encode() not in held and key.encode() not in held and b"Canary" not in held
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    assert [one.device for one in entrance.sessions.known()] == ["Safari on iPhone"]


@pytest.mark.skipif(os.name == "nt", reason="there a file that is open cannot be taken away")
def test_a_file_that_was_taken_away_opens_nothing_and_a_new_one_is_seen(tmp_path):
    app = front(tmp_path)
    cookie = cookie_of(pair(app, secret=entrance_of(app).pairing.new_code().secret))
    (tmp_path / "state" / NAME).unlink()
    assert ask(app, "GET", "/api/health", cookie=cookie).status == 401
    code = Pairing(Ledger(tmp_path / "state")).new_code()  # as a command would, beside the server
    assert pair(app, secret=code.secret).status == 200


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_a_file_that_others_could_read_is_closed_to_them(tmp_path):
    """As a backup or a copy leaves it."""
    Pairing(Ledger(tmp_path)).new_code()
    (tmp_path / NAME).chmod(0o644)
    Pairing(Ledger(tmp_path)).new_code()
    assert stat.S_IMODE((tmp_path / NAME).stat().st_mode) == 0o600


def test_a_newer_file_is_left_alone(tmp_path):
    from medserver.parse import BadSetting

    with sqlite3.connect(tmp_path / NAME) as file:
        file.execute("PRAGMA user_version = 99")
    with pytest.raises(BadSetting, match="newer MedServer"):
        Ledger(tmp_path).rows("SELECT 1 FROM keys")


@pytest.mark.parametrize(
    ("agent", "device"),
    [
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/150.0 Safari/537.36 Edg/150.0", "Edge on Windows"),
        ("Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 Chrome/150.0 Mobile Safari/537.36", "Chrome on Android"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0", "Firefox on Linux"),
        ("", "Browser on unknown system"),
        ("<script>", "Browser on unknown system"),
    ],
)
def test_of_a_device_only_its_kind_is_kept(agent, device):
    assert device_of(agent) == device


def test_the_cookie_of_https_is_secure_and_bound_to_the_host(tmp_path):
    from ipaddress import ip_network

    app = front(tmp_path, trusted_proxy=(ip_network(MACHINE),))
    secret = entrance_of(app).pairing.new_code().secret
    paired = ask(app, "POST", "/api/pairing", MACHINE, b'{"secret": "%s"}' % secret.encode(),
                 x_forwarded_for="203.0.113.5", x_forwarded_proto="https")  # fmt: skip
    cookie = paired.headers["set-cookie"]
    assert cookie.startswith("__Host-medserver-8000=") and "Secure" in cookie and "Domain" not in cookie


class Terminal:
    """Somebody who reads the terminal, with the codes that were shown."""

    def __init__(self, monkeypatch):
        self.codes: list = []
        monkeypatch.setattr(terminal, "shown", lambda: True)
        monkeypatch.setattr(terminal, "show", lambda code, urls: self.codes.append(code))


def test_a_new_code_appears_when_one_is_used_or_has_expired(tmp_path, monkeypatch, clock):
    seen = Terminal(monkeypatch)
    app = front(tmp_path)
    entrance_of(app).record(["http://localhost:8000", "http://192.0.2.1:8000"])
    ask(app, "GET", "/pair")
    ask(app, "GET", "/pair")
    assert len(seen.codes) == 1, "a code that waits is not replaced by who looks at the page"
    assert pair(app, pin=seen.codes[0].pin).status == 200
    assert len(seen.codes) == 2
    clock.now += CODE_SECONDS + 1
    ask(app, "GET", "/pair")
    assert len(seen.codes) == 3
    assert pair(app, pin=seen.codes[2].pin).status == 200


def test_nothing_is_shown_where_nobody_reads(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(terminal, "shown", lambda: False)
    app = front(tmp_path)
    entrance_of(app).record(["http://192.0.2.1:8000"])
    ask(app, "GET", "/pair")
    said = entrance_of(app).standing(["http://192.0.2.1:8000"])
    assert "medserver pair" in said and not any(letter.isdigit() for letter in said)
    assert capsys.readouterr().out == "" and not entrance_of(app).pairing.open


def test_the_qr_code_holds_the_address_and_the_secret_in_its_fragment(monkeypatch):
    import segno

    drawn: list[str] = []
    make = segno.make
    monkeypatch.setattr(segno, "make", lambda text, **options: drawn.append(text) or make(text, **options))
    code = pairing.Code("s" * 32, "012345", 0.0)
    said = terminal.invitation(code, ["http://localhost:8000", "http://192.0.2.1:8000"])
    assert drawn == ["http://192.0.2.1:8000/pair#" + "s" * 32]
    assert "PIN 012 345" in said and code.secret not in said


def test_secrets_and_pins_are_random(tmp_path):
    made = [code for code, _ in zip((Pairing(Ledger(tmp_path)).new_code() for _ in count()), range(50), strict=False)]
    assert len({code.secret for code in made}) == 50 and len({code.pin for code in made}) > 45
    assert all(len(code.secret) == 32 and len(code.pin) == 6 for code in made)


def test_sessions_of_two_servers_on_one_machine_do_not_share_a_cookie(tmp_path):
    Sessions(Ledger(tmp_path / "state"))
    one, other = front(tmp_path, port=8000), front(tmp_path, port=8001)
    names = {cookie_of(pair(app, secret=entrance_of(app).pairing.new_code().secret)).split("=")[0]
             for app in (one, other)}  # fmt: skip
    assert names == {"medserver-8000", "medserver-8001"}
