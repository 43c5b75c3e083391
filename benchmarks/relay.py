"""What no server before an engine can go below: it copies bytes from one connection to another, and reads none of them.

`python -m benchmarks.relay PORT UPSTREAM_PORT`: each connection gets one of its own to the upstream, on loopback.
"""

import asyncio
import sys


class Side(asyncio.Protocol):
    """One of two connections; what comes here goes out `there`, and both end together."""

    def __init__(self, there: asyncio.WriteTransport | None = None):
        self.there = there
        self._early = b""

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.here = transport

    def data_received(self, data: bytes) -> None:
        if self.there:
            self.there.write(data)
        else:
            self._early += data

    def connection_lost(self, error: Exception | None) -> None:
        if self.there:
            self.there.close()

    def joined(self, there: asyncio.WriteTransport) -> None:
        there.write(self._early)
        self.there = there


async def main(port: int, upstream: int) -> None:
    loop = asyncio.get_running_loop()
    joining = set()  # the loop itself holds a task only weakly

    async def join(client: Side) -> None:
        engine, _ = await loop.create_connection(lambda: Side(client.here), "127.0.0.1", upstream)
        client.joined(engine)

    class Client(Side):
        def connection_made(self, transport: asyncio.Transport) -> None:
            super().connection_made(transport)
            joining.add(task := loop.create_task(join(self)))
            task.add_done_callback(joining.discard)

    server = await loop.create_server(Client, "127.0.0.1", port, backlog=1000)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
