"""The Redis that several hosts count requests in: whether it answers. What it holds is not asked."""

import asyncio

from medserver.doctor.finding import Circumstances, Finding
from medserver.parse import BadSetting

AWAY = (
    "Until it answers, each host counts for itself. "
    "Is it started, is its port open to this machine, is the password right?"
)


def store(at: Circumstances) -> Finding:
    if at.settings.rate_limit_store is None:
        return Finding("limits", "skip", "counted on this machine alone (--rate-limit-store)")
    from medserver.access.shared_rate import opened

    try:
        storage = opened(at.settings.rate_limit_store)
    except BadSetting as problem:
        return Finding("limits", "fail", "the start would be refused", str(problem))
    if asyncio.run(storage.check()):
        return Finding("limits", "ok", "the Redis that counts it answers")
    return Finding("limits", "warn", "the Redis that should count it does not answer", AWAY)
