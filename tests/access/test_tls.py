"""Https: what `--tls auto` makes and renews, and what is said of files that cannot be used."""

import asyncio
import contextlib
import os
import socket
import ssl
import stat
import threading
from datetime import timedelta

import pytest
import uvicorn

from medserver.access import certificates, tls
from medserver.config import Settings
from medserver.parse import BadSetting
from medserver.run import Server
from tests.front import until
from tests.scripted import run


def settings(tmp_path, **chosen) -> Settings:
    return Settings(model="demo", state_dir=tmp_path / "state", **{"tls": "auto"} | chosen)


def shaken_hands(files: tls.Tls, name: str) -> str:
    """A real handshake with a client that trusts nothing but the authority: the version they agreed on."""
    ours, theirs = socket.socketpair()
    client = ssl.create_default_context(cafile=str(files.authority))

    def answer() -> None:
        with contextlib.suppress(OSError):  # a client that does not trust us hangs up
            tls.context_of(files).wrap_socket(ours, server_side=True).close()

    server = threading.Thread(target=answer)
    server.start()
    try:
        with client.wrap_socket(theirs, server_hostname=name) as connection:
            return connection.version()
    finally:
        server.join(10)
        ours.close()


def test_every_name_and_address_is_vouched_for(tmp_path):
    files = tls.tls_for(settings(tmp_path, allowed_host=("med.example.org",)))
    hosts = tls.hosts_for(settings(tmp_path, allowed_host=("med.example.org",)))
    assert {
        "localhost",
        "127.0.0.1",
        "::1",
        "med.example.org",
        f"{socket.gethostname().partition('.')[0]}.local",
    } <= set(hosts)
    for host in hosts:
        assert shaken_hands(files, host) == "TLSv1.3", host


def test_nobody_else_is(tmp_path):
    files = tls.tls_for(settings(tmp_path))
    with pytest.raises(ssl.SSLCertVerificationError):
        shaken_hands(files, "bank.example")


def test_the_authority_can_vouch_for_nobody_else_either(tmp_path):
    """Even with its key in the wrong hands."""
    files = tls.tls_for(settings(tmp_path))
    authority = tls._certificate(files.authority)
    its_key = tls._key(files.authority.with_suffix(".key"))
    key = certificates.new_key()
    stolen = certificates.new_leaf(key, authority, its_key, ["bank.example", "203.0.113.5"])
    files.chain.write_bytes(tls._pem(stolen) + tls._pem(authority))
    files.key.write_bytes(certificates.pem_of(key))
    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
        shaken_hands(files, "bank.example")


def test_a_certificate_lasts_no_longer_than_devices_accept(tmp_path):
    leaf = tls._certificate(tls.tls_for(settings(tmp_path)).chain)
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc <= timedelta(days=397)


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_keys_are_their_owners_alone(tmp_path):
    tls.tls_for(settings(tmp_path))
    for file in (tmp_path / "state" / "tls").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "state" / "tls").stat().st_mode) == 0o700


def test_what_is_good_is_kept(tmp_path):
    first = tls.tls_for(settings(tmp_path))
    before = {file: file.read_bytes() for file in first.chain.parent.iterdir()}
    again = tls.tls_for(settings(tmp_path))
    assert again == first and {file: file.read_bytes() for file in first.chain.parent.iterdir()} == before


def test_a_new_address_renews_the_leaf_and_leaves_the_authority_that_devices_trust(tmp_path, monkeypatch):
    files = tls.tls_for(settings(tmp_path))
    fingerprint, leaf = files.fingerprint, files.chain.read_bytes()
    monkeypatch.setattr(tls, "_machine_addresses", lambda: {"192.168.77.5"})
    renewed = tls.tls_for(settings(tmp_path))
    assert renewed.fingerprint == fingerprint and renewed.chain.read_bytes() != leaf
    assert shaken_hands(renewed, "192.168.77.5")


def test_public_ipv6_addresses_that_change_leave_the_authority_that_devices_trust(tmp_path, monkeypatch):
    first, same_network, other_network = "2a02:db8:0:1::a", "2a02:db8:0:1:99::b", "2a02:db8:0:2::c"
    fingerprints = []
    for address in (first, same_network, other_network):
        monkeypatch.setattr(tls, "_machine_addresses", lambda address=address: {address, "192.168.77.5"})
        files = tls.tls_for(settings(tmp_path))
        fingerprints.append(files.fingerprint)
        assert shaken_hands(files, "192.168.77.5")
        assert (address in certificates.hosts_of(tls._certificate(files.chain))) is (address != other_network)
        if address != other_network:
            assert shaken_hands(files, address)
    assert len(set(fingerprints)) == 1
    files = tls.tls_for(settings(tmp_path, allowed_host=(other_network,)))
    assert files.fingerprint != fingerprints[0] and shaken_hands(files, other_network), "unless it is asked for"


def test_a_public_name_that_the_authority_may_not_vouch_for_makes_a_new_one(tmp_path):
    before = tls.tls_for(settings(tmp_path)).fingerprint
    after = tls.tls_for(settings(tmp_path, allowed_host=("med.example.org",)))
    assert after.fingerprint != before and shaken_hands(after, "med.example.org")


def test_a_leaf_near_its_end_is_renewed(tmp_path, monkeypatch):
    files = tls.tls_for(settings(tmp_path))
    monkeypatch.setattr(certificates, "LEAF_DAYS", tls.RENEW_DAYS)
    files.chain.unlink()
    short = tls.tls_for(settings(tmp_path)).chain.read_bytes()
    monkeypatch.undo()
    assert tls.tls_for(settings(tmp_path)).chain.read_bytes() != short


@pytest.mark.parametrize("lost", ["authority.key", "authority.pem", "server.key", "server.pem"])
def test_a_lost_or_damaged_file_is_made_anew(tmp_path, lost):
    tls.tls_for(settings(tmp_path))
    (tmp_path / "state" / "tls" / lost).write_text("damaged")
    assert shaken_hands(tls.tls_for(settings(tmp_path)), "localhost")


def test_a_certificate_is_renewed_while_the_server_runs(tmp_path, monkeypatch):
    """A new address stands in it before long, and nobody was disconnected for it."""
    monkeypatch.setattr(tls, "CHECK_SECONDS", 0.05)
    chosen = settings(tmp_path)
    files = tls.tls_for(chosen)
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(None, lifespan="off", log_config=None, ssl_certfile=files.chain, ssl_keyfile=files.key)
    server = Server(config, chosen)

    async def scene() -> None:
        serving = asyncio.create_task(server.serve([listening]))
        await until(lambda: server.started)
        port = listening.getsockname()[1]
        assert "192.168.77.5" not in await asyncio.to_thread(vouched_for, files, port)
        monkeypatch.setattr(tls, "_machine_addresses", lambda: {"192.168.77.5"})
        while "192.168.77.5" not in await asyncio.to_thread(vouched_for, files, port):
            pass
        server.should_exit = True
        await serving

    run(scene())


def vouched_for(files: tls.Tls, port: int) -> set[str]:
    """The names in the certificate that a server shows."""
    client = ssl.create_default_context(cafile=str(files.authority))
    with (
        socket.create_connection(("127.0.0.1", port)) as plain,
        client.wrap_socket(plain, server_hostname="localhost") as connection,
    ):
        return {said for _, said in connection.getpeercert()["subjectAltName"]}


def test_a_certificate_that_is_being_exchanged_is_taken_in_the_next_round(tmp_path, monkeypatch, caplog):
    """Half of it lies there for a moment; the server goes on with the old one, and goes on looking."""
    rounds = []

    class Half:
        def load_cert_chain(self, *_) -> None:
            rounds.append(1)
            raise ssl.SSLError(1, "key values mismatch")

    monkeypatch.setattr(tls, "CHECK_SECONDS", 0.01)
    server = Server(uvicorn.Config(None, log_config=None), settings(tmp_path))
    server.config.ssl = Half()

    async def scene() -> None:
        renewing = asyncio.create_task(server._renew())
        await until(lambda: len(rounds) > 1)
        renewing.cancel()

    run(scene())
    assert "was not renewed" in caplog.text


def own(tmp_path, **chosen) -> Settings:
    return settings(tmp_path, **{"tls": "off", "tls_cert": tmp_path / "c.pem", "tls_key": tmp_path / "k.pem"} | chosen)


def test_the_hospitals_own_is_used_as_it_is(tmp_path):
    made = tls.tls_for(settings(tmp_path))
    (tmp_path / "c.pem").write_bytes(made.chain.read_bytes())
    (tmp_path / "k.pem").write_bytes(made.key.read_bytes())
    files = tls.tls_for(own(tmp_path))
    assert (files.chain, files.key, files.authority, files.fingerprint) == (
        tmp_path / "c.pem", tmp_path / "k.pem", None, None)  # fmt: skip
    with pytest.raises(BadSetting, match="Leave one out"):
        tls.tls_for(own(tmp_path, tls="auto"))
    for missing in ("tls_cert", "tls_key"):
        with pytest.raises(BadSetting, match="belong together"):
            tls.tls_for(own(tmp_path, **{missing: None}))


def test_bad_files_are_told_in_a_sentence(tmp_path):
    made = tls.tls_for(settings(tmp_path))
    chain, key = tmp_path / "c.pem", tmp_path / "k.pem"
    for written, said in (
        ((b"hello", made.key.read_bytes()), "holds no certificate"),
        ((made.chain.read_bytes(), b"hello"), "is not the key of"),
        ((made.chain.read_bytes(), certificates.pem_of(certificates.new_key())), "is not the key of"),
        ((made.chain.read_bytes(), b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n"), "has a passphrase"),
    ):
        chain.write_bytes(written[0])
        key.write_bytes(written[1])
        with pytest.raises(BadSetting, match=said):
            tls.tls_for(own(tmp_path))
    chain.unlink()
    with pytest.raises(BadSetting, match="cannot be read"):
        tls.tls_for(own(tmp_path))


def test_an_expired_certificate_is_told_with_its_date(tmp_path, monkeypatch):
    monkeypatch.setattr(certificates, "LEAF_DAYS", 1)
    with pytest.raises(BadSetting, match="expired on 20"):
        tls.tls_for(settings(tmp_path))


def test_the_page_that_helps_to_trust_is_there_where_there_is_something_to_trust(tmp_path):
    from tests.access.asking import ask, front

    assert ask(front(tmp_path), "GET", "/trust").status == 404
    app = front(tmp_path, tls="auto")
    assert ask(app, "GET", "/trust").status == 200
    given = ask(app, "GET", "/trust/medserver-ca.crt")
    assert given.body == app.house.tls.authority.read_bytes()
    assert given.headers["content-type"] == "application/x-x509-ca-cert"
    assert app.house.tls.fingerprint.encode() in ask(app, "GET", "/api/trust").body
    for path in ("/trust/authority.key", "/trust/../authority.key", "/trust/"):
        assert ask(app, "GET", path).status in (401, 404)
