"""Who asks, as far as it can be told: the machine itself, a paired device, a program with a key, or a stranger.

The machine itself is a peer on loopback (or on the very address that it asks) that calls us by a name only this
machine has for itself, and that passes nothing on for others: a proxy on this machine lets the whole network come
from 127.0.0.1. So a request with a trace of forwarding is a stranger's until it shows a session or a key, and so is
every request of a peer that `--trusted-proxy` names. In a container only loopback counts: what publishes its ports
may let the whole network come from the container's own address.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from starlette.requests import cookie_parser

from medserver.access.addresses import Proxies, counted, header_values, own_address, passed_on, peer_of
from medserver.access.hosts import is_local
from medserver.access.keys import Keys
from medserver.access.sessions import Sessions

Kind = Literal["machine", "open", "session", "key", "stranger"]


@dataclass(frozen=True, slots=True)
class Visitor:
    """`counted`: under which name limits are kept. `name`: what may be written down, where there is one."""

    kind: Kind
    counted: str
    name: str | None = None

    @property
    def known(self) -> bool:
        return self.kind != "stranger"


def contained() -> bool:
    """Whether this is a container, as far as engines of containers say."""
    return "container" in os.environ or any(Path(mark).exists() for mark in ("/run/.containerenv", "/.dockerenv"))


def cookie_name(port: int, secure: bool) -> str:
    """Cookies of one host are shared by all its ports; the prefix keeps plain http from setting the secure one."""
    return f"{'__Host-' if secure else ''}medserver-{port}"


class Reception:
    """Tells who a visitor is; does not decide what they may do."""

    def __init__(self, keys: Keys, sessions: Sessions, proxies: Proxies, port: int, everybody: bool):
        self._keys = keys
        self._sessions = sessions
        self._proxies = proxies
        self._port = port
        self._everybody = everybody
        self._contained = contained()

    def visitor(self, scope) -> Visitor:
        """A key or a session counts before the address: a whole ward may share one."""
        address = counted(self._proxies.client_of(scope))
        if key := self._key(scope):
            return Visitor("key", f"key {key.id}", f"key:{key.prefix}")
        if session := self._session(scope):
            return Visitor("session", f"session {session.name}", f"session:{session.name}")
        if self._is_machine(scope):
            return Visitor("machine", address, "machine")
        return Visitor("open" if self._everybody else "stranger", address)

    def _key(self, scope):
        for said in header_values(scope, b"authorization"):
            scheme, _, key = said.partition(" ")
            if scheme.lower() == "bearer" and (owner := self._keys.owner(key.strip())):
                return owner
        return None

    def _session(self, scope):
        name = cookie_name(self._port, self._proxies.secure(scope))
        for said in header_values(scope, b"cookie"):
            if (value := cookie_parser(said).get(name)) and (session := self._sessions.of(value)):
                return session
        return None

    def _is_machine(self, scope) -> bool:
        peer = peer_of(scope)
        if peer is None or self._proxies.trusts(peer) or passed_on(scope):
            return False
        itself = peer.is_loopback or (peer == own_address(scope) and not self._contained)
        return itself and is_local(scope)
