"""Everything that decides who comes in, made once from the settings and handed to who needs it."""

import asyncio
import time

from medserver.access import terminal
from medserver.access.addresses import Proxies
from medserver.access.door import Door
from medserver.access.hosts import Hosts
from medserver.access.keys import Keys
from medserver.access.ledger import Ledger
from medserver.access.origins import Origins
from medserver.access.pairing import Pairing
from medserver.access.sessions import Sessions
from medserver.access.visitor import Reception
from medserver.config import Settings, usual_state_directory


class Entrance:
    """The rooms behind the door. `port` names this server among those that share a ledger."""

    def __init__(self, settings: Settings):
        self.ledger = Ledger(settings.state_dir or usual_state_directory())
        self.keys = Keys(self.ledger)
        self.sessions = Sessions(self.ledger)
        self.pairing = Pairing(self.ledger)
        self.proxies = Proxies(settings.trusted_proxy)
        self.port = settings.port
        self.open = settings.open
        self._hosts = Hosts(settings.host, settings.allowed_host)
        self._origins = Origins(settings.cors_origin)

    def door(self, app) -> Door:
        reception = Reception(self.keys, self.sessions, self.proxies, self.port, self.open)
        return Door(app, self._hosts, self._origins, self.proxies, reception)

    def record(self, urls: list[str]) -> None:
        """Let commands know where this server is; raises `BadSetting` where the ledger cannot be kept."""
        self.ledger.prepare()
        with self.ledger.writing() as change:
            row = (self.port, "\n".join(urls), time.time())
            change.execute("INSERT OR REPLACE INTO serving VALUES (?, ?, ?)", row)

    def standing(self, urls: list[str]) -> str:
        """Who may come in, for the person who starts the server; raises as `record`."""
        if self.open:
            return "Open to every device that reaches it, without pairing (--open)."
        self.record(urls)
        if terminal.shown():
            return terminal.invitation(self.pairing.new_code(), urls)
        return "Other devices are asked once. medserver pair shows a code, medserver keys add makes a key."

    async def offer(self, *, again: bool = False) -> None:
        """Show a code at the terminal, where somebody reads one; `again`: even while one is still waiting."""
        if self.open or not terminal.shown() or not (urls := urls_of(self.ledger, self.port)):
            return
        if again or not self.pairing.open:
            await asyncio.to_thread(terminal.show, self.pairing.new_code(), urls)  # a terminal may be held


def urls_of(ledger: Ledger, port: int | None = None) -> list[str]:
    """Where the server on `port`, or the one started last, can be reached; empty when none ever was."""
    found = ledger.rows("SELECT port, url FROM serving ORDER BY since DESC")
    return next((urls.split("\n") for at, urls in found if port in (None, at)), [])
