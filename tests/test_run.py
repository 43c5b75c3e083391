"""The front's process: where it says that it is found. Other devices take the last address; the QR code holds it."""

from ipaddress import ip_network

import pytest

from medserver import run
from medserver.config import Settings

PROXY = (ip_network("127.0.0.1"),)


def urls(**chosen) -> list[str]:
    return run._urls(Settings(model="demo", **chosen))


@pytest.fixture(autouse=True)
def _one_network(monkeypatch):
    """The address towards the network is this machine's own matter."""
    found = run._addresses
    everywhere = ("0.0.0.0", "::")
    monkeypatch.setattr(
        run, "_addresses", lambda host: ["localhost", "192.0.2.1"] if host in everywhere else found(host)
    )


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({}, ["http://localhost:8000", "http://192.0.2.1:8000"]),
        ({"host": "::"}, ["http://localhost:8000", "http://192.0.2.1:8000"]),
        ({"host": "127.0.0.1", "port": 80}, ["http://127.0.0.1:80"]),
        ({"host": "2001:db8::1"}, ["http://[2001:db8::1]:8000"]),
        ({"host": "ward-pc.lan", "tls": "auto"}, ["https://ward-pc.lan:8000"]),
        (
            {"allowed_host": ("ward.example.org", "other.example.org")},
            ["http://localhost:8000", "http://192.0.2.1:8000", "http://ward.example.org:8000"],
        ),
        ({"host": "127.0.0.1", "allowed_host": ("ward.example.org",)}, ["http://127.0.0.1:8000"]),
        (
            {"host": "127.0.0.1", "allowed_host": ("ward.example.org",), "trusted_proxy": PROXY},
            ["http://127.0.0.1:8000", "https://ward.example.org"],
        ),
        (
            {"host": "127.0.0.1", "allowed_host": ("2001:db8::1",), "trusted_proxy": PROXY},
            ["http://127.0.0.1:8000", "https://[2001:db8::1]"],
        ),
    ],
)
def test_the_server_says_where_it_is_found(chosen, said):
    assert urls(**chosen) == said


def test_a_machine_without_a_network_is_found_at_localhost(monkeypatch):
    monkeypatch.undo()

    class Nowhere:
        def __enter__(self):
            return self

        def __exit__(self, *_) -> None:
            pass

        def connect(self, _) -> None:
            raise OSError

    monkeypatch.setattr(run.socket, "socket", lambda *_: Nowhere())
    assert urls() == ["http://localhost:8000"]
