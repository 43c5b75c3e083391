"""Runs every check, each within its time, and says what they found: to a person, or as JSON."""

import json
import logging
import os
import platform
import queue
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from threading import Thread
from typing import TypeVar

from medserver import __version__
from medserver.config import Settings
from medserver.doctor import machine, model, network, packages, store, upstreams
from medserver.doctor.finding import Check, Circumstances, Finding, discreet
from medserver.hardware import Hardware, probe
from medserver.parse import BadSetting
from medserver.weights import serving_for

SECONDS = 5.0  # a check that takes longer says so, and is left behind
CHECKS: dict[str, Check] = {
    "python": machine.python,
    "platform": machine.system,
    "gpus": machine.gpus,
    "driver": machine.driver,
    "memory": machine.memory,
    "disk": machine.disk,
    "engines": packages.engines,
    "port": network.port,
    "addresses": network.addresses,
    "proxy": network.proxy,
    "certificates": network.certificates,
    "clock": network.clock,
    "upstreams": upstreams.upstreams,
    "limits": store.store,
    "token": model.token,
    "access": model.access,
    "weights": model.weights,
    "engine": model.engine,
}
Value = TypeVar("Value")


def examine(settings: Settings, *, as_json: bool) -> int:
    """Print the report; returns 1 if anything failed, else 0."""
    logging.getLogger("huggingface_hub").setLevel(logging.CRITICAL)
    findings = findings_for(settings, os.environ, Path.cwd())
    print(_json(findings) if as_json else _text(findings), flush=True)
    return int(any(one.state == "fail" for one in findings))


def findings_for(settings: Settings, environ: Mapping[str, str], directory: Path) -> list[Finding]:
    at = circumstances(settings, environ, directory)
    # Where the machine could not be looked at, nothing about GPUs can be said.
    blind = [Finding("hardware", "fail", "The machine could not be looked at in time", "Does nvidia-smi answer?")]
    waiting = {name: _started(lambda check=check: check(at)) for name, check in CHECKS.items()}
    found = [_within_time(name, results) for name, results in waiting.items()]
    secrets = (settings.hf_token, settings.upstream_key, settings.rate_limit_store)
    found = found if at.hardware.interpreters else blind + found
    return [replace(one, says=discreet(one.says, *secrets), advice=discreet(one.advice, *secrets)) for one in found]


def circumstances(settings: Settings, environ: Mapping[str, str], directory: Path) -> Circumstances:
    serving, unusable = None, None
    if settings.model:
        try:
            serving = serving_for(settings)
        except BadSetting as problem:
            unusable = str(problem)
    try:
        hardware = _started(lambda: probe(settings.engine_python)).get(timeout=2 * SECONDS)
    except queue.Empty:  # a driver that hangs
        hardware = None
    if not isinstance(hardware, Hardware):
        hardware = Hardware()
    return Circumstances(settings, hardware, serving, unusable, environ, directory)


def _started(work: Callable[[], Value]) -> "queue.SimpleQueue[Value | Exception]":
    """Begin work whose result, or whose exception, can be waited for; the program never waits for it to end."""
    results: queue.SimpleQueue = queue.SimpleQueue()

    def run() -> None:
        try:
            results.put(work())
        except Exception as error:
            results.put(error)

    Thread(target=run, daemon=True).start()
    return results


def _within_time(name: str, results: "queue.SimpleQueue[Finding | Exception]") -> Finding:
    try:
        found = results.get(timeout=SECONDS)
    except queue.Empty:
        return Finding(name, "warn", f"It was not known after {SECONDS:.0f} seconds", "Something here hangs.")
    if isinstance(found, Exception):  # a check must not take the others with it
        return Finding(name, "warn", f"It could not be found out ({type(found).__name__})")
    return found


def _text(findings: list[Finding]) -> str:
    lines = [f"MedServer {__version__} on {platform.system()}", ""]
    for one in findings:
        says = textwrap.wrap(one.says, 92) or [""]
        lines.append(f"{one.state:<5} {one.name:<13} {says[0]}")
        lines += [f"{'':<20}{more}" for more in says[1:]]
        lines += [f"{'':<20}{more}" for more in textwrap.wrap(one.advice, 92, initial_indent="> ")]
    failed, warned = (sum(one.state == state for one in findings) for state in ("fail", "warn"))
    return "\n".join([*lines, "", f"{failed} failed, {warned} to know about."])


def _json(findings: list[Finding]) -> str:
    ok = not any(one.state == "fail" for one in findings)
    return json.dumps({"version": __version__, "ok": ok, "checks": [asdict(one) for one in findings]}, indent=1)
