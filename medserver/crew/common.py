"""What a server has one of, however many web workers it has: its own where it has none, else its parent's."""

import asyncio
import contextlib
import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from medserver.access.entrance import Entrance
from medserver.access.rate import RateLimit
from medserver.admission import Admission
from medserver.audit.account import Hearer
from medserver.audit.journal import Journal
from medserver.config import SHUTDOWN_SECONDS
from medserver.engine.host import EngineHost
from medserver.engine.remote import RemoteHost
from medserver.engine.shared import SharedHost
from medserver.hardware import Hardware
from medserver.metrics import Metrics

if TYPE_CHECKING:
    from medserver.access.tls import Tls
    from medserver.crew.leased import LeasedAdmission, LeasedMetrics


@dataclass(frozen=True)
class Common:
    """`salt`: nobody can tell a client from its salt, nor one run from another. `started`: as `time.monotonic`.

    `journal` None: there is none, or the parent writes it.
    """

    hardware: Hardware
    host: EngineHost | RemoteHost | SharedHost
    admission: "Admission | LeasedAdmission"
    rate: RateLimit
    metrics: "Metrics | LeasedMetrics"
    entrance: Entrance
    journal: Journal | None
    tls: "Tls | None"
    salt: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    started: float = field(default_factory=time.monotonic)

    async def end(self) -> None:
        """End the engine as soon as no answer needs it, which may be long before the last reader has read."""
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self.admission.idle.wait(), SHUTDOWN_SECONDS)
        await self.host.close()

    @property
    def hearers(self) -> list[Hearer]:
        """Who is told of every request when it has ended."""
        return [self.metrics.hear, *([self.journal.hear] if self.journal else [])]
