"""Something that has happened or not, and who waits for it."""

import asyncio


class Flag:
    """`asyncio.Event` for those of which there are several per stream: an Event brings a queue of 760 bytes."""

    __slots__ = ("_set", "_waiting")

    def __init__(self, is_set: bool = False):
        self._set = is_set
        self._waiting: tuple[asyncio.Future, ...] = ()

    def is_set(self) -> bool:
        return self._set

    def set(self) -> None:
        self._set = True
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)

    def clear(self) -> None:
        self._set = False

    async def wait(self) -> None:
        """Return once it is set; at once where it is."""
        if self._set:
            return
        waiting = asyncio.get_running_loop().create_future()
        self._waiting += (waiting,)
        try:
            await waiting
        finally:
            self._waiting = tuple(one for one in self._waiting if one is not waiting)
