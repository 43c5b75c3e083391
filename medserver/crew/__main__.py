"""A web worker: `python -m medserver.crew LISTENING LINE`, two open sockets by number, its orders on standard input.

Without its parent it is nothing: when that is gone, so is it, at once.
"""

import json
import logging
import os
import socket
import sys
from typing import Any

import uvicorn

from medserver import logs
from medserver.crew.leased import Orders, leased
from medserver.crew.line import Line, unpacked
from medserver.run import BACKLOG, Server, config_for, keep_for_good
from medserver.server import create_app


class Worker(Server):
    """A server that answers for its parent. `end`: its end of the line."""

    def __init__(self, config: uvicorn.Config, orders: Orders, line: Line, end: socket.socket):
        super().__init__(config, orders.settings)
        self._line = line
        self._end = end

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await self._line.open(self._end)
        # asyncio takes as many connections at a time as may wait: of sixty at once, one worker took fifty-four.
        self.config.backlog = 1
        await super().startup(sockets)
        for one in sockets:
            one.listen(BACKLOG)
        self._line.tell("serving")

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets)
        await self._line.close()

    async def _renew(self) -> None:
        """The parent does, and says so."""


def main() -> None:
    listening, end = (socket.socket(fileno=int(number)) for number in sys.argv[1:])
    said = sys.stdin.readline()
    if not said:
        return  # the parent is gone already
    orders = unpacked(Orders, json.loads(said))
    os.environ.pop("NOTIFY_SOCKET", None)  # systemd listens to the parent
    heard: dict[str, Any] = {}
    line = Line(heard, lambda: os._exit(1))
    logs.relay(orders.settings.log_level, lambda record: _log(line, record))
    common = leased(orders, line, heard)
    server = Worker(config_for(create_app(orders.settings, orders.serving, common=common)), orders, line, end)
    heard["certificate"] = lambda: server.take(common.tls)
    keep_for_good()
    server.run(sockets=[listening])


def _log(line: Line, record: logging.LogRecord) -> None:
    line.tell_soon("log", name=record.name, level=record.levelno, text=record.getMessage())


if __name__ == "__main__":
    main()
