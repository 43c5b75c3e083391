"""One row of the table: what is demanded, what was seen, and whether it holds."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    what: str
    demanded: str
    seen: str
    held: bool


def exactly(what: str, demanded: int, seen: int) -> Row:
    return Row(what, str(demanded), str(seen), seen == demanded)


def at_most(what: str, demanded: float, seen: float, unit: str) -> Row:
    return Row(what, f"≤ {demanded:g} {unit}", f"{seen:.4g} {unit}", seen <= demanded)


def at_least(what: str, demanded: float, seen: float, unit: str) -> Row:
    return Row(what, f"≥ {demanded:g} {unit}", f"{seen:.4g} {unit}", seen >= demanded)


def table(rows: Iterable[Row]) -> str:
    lines = ["| | demanded | seen | |", "| --- | --- | --- | --- |"]
    lines += [f"| {one.what} | {one.demanded} | {one.seen} | {'held' if one.held else 'missed'} |" for one in rows]
    return "\n".join(lines)
