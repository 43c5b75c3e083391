"""What goes out to the clients: gathered over a step, so that a batch of rows costs the receiving side one wake-up."""

from collections.abc import Callable

from medserver.worker.request import Request
from medserver.worker.values import Output

Deliver = Callable[[list[tuple[Request, Output]]], None]


class Outbox:
    def __init__(self, deliver: Deliver):
        self._deliver = deliver
        self._outputs: list[tuple[Request, Output]] = []

    def put(self, request: Request, output: Output) -> None:
        self._outputs.append((request, output))

    def send(self) -> None:
        """All that was put in since, in one call; none where there is nothing."""
        if self._outputs:
            outputs, self._outputs = self._outputs, []
            self._deliver(outputs)
