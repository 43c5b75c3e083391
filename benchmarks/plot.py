"""Lines over numbers of clients as an SVG, without a library; readable on light and dark ground."""

from collections.abc import Mapping, Sequence
from html import escape
from math import log10

WIDTH, HEIGHT = 760, 360
LEFT, RIGHT, TOP, BOTTOM = 64, 230, 40, 44
COLOURS = ("#0d9488", "#b45309", "#7c3aed", "#be123c", "#2563eb", "#4d7c0f", "#a16207", "#0e7490")
INK = "#6b6b76"


def lines(title: str, unit: str, series: Mapping[str, Mapping[int, float]]) -> str:
    """`series`: per name its values by number of clients; both axes logarithmic."""
    steps = sorted({step for points in series.values() for step in points})
    values = [value for points in series.values() for value in points.values() if value > 0]
    low, high = 10 ** int(log10(min(values)) - (min(values) < 1)), max(values) * 1.15
    across = _scale(steps[0], steps[-1], LEFT, WIDTH - RIGHT)
    up = _scale(low, high, HEIGHT - BOTTOM, TOP)
    parts = [f'<text x="{LEFT}" y="22" font-size="15" fill="{INK}">{escape(title)}</text>']
    parts += [_across(across(step), str(step)) for step in steps]
    parts += [_level(up(level), level) for level in _levels(low, high)]
    parts.append(
        f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 8}" text-anchor="end" fill="{INK}">clients; {escape(unit)}</text>'
    )
    labels = _apart([up(points[max(points)]) for points in series.values()])
    for (name, points), colour, label in zip(series.items(), COLOURS * 2, labels, strict=False):
        parts.append(_line(name, [(across(step), up(points[step])) for step in sorted(points)], colour, label))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'font-family="system-ui, sans-serif" font-size="12">\n<title>{escape(title)}</title>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _scale(low: float, high: float, start: float, end: float):
    span = log10(high / low) or 1.0
    return lambda value: start + (end - start) * log10(value / low) / span


def _levels(low: float, high: float) -> list[float]:
    found, level = [], float(low)
    while level <= high:
        found += [one for one in (level, 3 * level) if low <= one <= high]
        level *= 10
    return found


def _across(x: float, label: str) -> str:
    return f'<text x="{x:.0f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle" fill="{INK}">{label}</text>'


def _level(y: float, value: float) -> str:
    rule = f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{INK}" stroke-opacity="0.25"/>'
    return rule + f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end" fill="{INK}">{value:g}</text>'


def _apart(heights: Sequence[float]) -> list[float]:
    """Heights for labels, none on another."""
    placed: dict[int, float] = {}
    below = -20.0
    for index in sorted(range(len(heights)), key=heights.__getitem__):
        below = placed[index] = max(heights[index], below + 15)
    return [placed[index] for index in range(len(heights))]


def _line(name: str, points: Sequence[tuple[float, float]], colour: str, label: float) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points)
    said = f'<text x="{WIDTH - RIGHT + 10}" y="{label + 4:.1f}" fill="{colour}">{escape(name)}</text>'
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>{dots}{said}'
