"""A stream of server-sent events becomes their `data:`; it knows no JSON and no connection."""

from medserver.errors import EngineLost

LONGEST_LINE = 4 * 1024 * 1024  # bytes; a server that sends no line end would fill our memory


class Payloads:
    """Fed as the bytes arrive, cut anywhere; `ended` at the event that says it is all, or where no more bytes come.

    Nobody waits for a second one, so where we keep up they come one by one. Where we do not, they are fewer to handle.
    """

    __slots__ = ("_held", "ended")

    def __init__(self) -> None:
        self._held = b""
        self.ended = False

    def take(self, arrived: bytes) -> list[bytes]:
        """What `arrived` completes. Empty, it is the last.

        Raises:
            EngineLost: it is a line without an end.
        """
        self.ended = not arrived
        *lines, self._held = (self._held + arrived).split(b"\n")
        if len(self._held) > LONGEST_LINE:
            raise EngineLost()
        payloads = [line[5:].strip() for line in lines if line.startswith(b"data:")]
        if b"[DONE]" in payloads:
            self.ended = True
            return payloads[: payloads.index(b"[DONE]")]
        return payloads
