"""What the page's own thread did, from a trace of Chromium: its tasks, their CPU time, and what that went into."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

CATEGORIES = ["devtools.timeline", "disabled-by-default-devtools.timeline", "toplevel", "v8"]
LONG_MS = 50.0
_TASK = "RunTask"
_RENDERING = {
    "Layout", "UpdateLayoutTree", "RecalculateStyles", "PrePaint", "Paint", "Layerize", "Commit", "UpdateLayerTree",
    "HitTest", "ScrollLayer", "IntersectionObserverController::computeIntersections",
}  # fmt: skip
_SCRIPT = {
    "FunctionCall", "EvaluateScript", "FireAnimationFrame", "TimerFire", "EventDispatch", "RunMicrotasks",
    "v8.callFunction", "XHRReadyStateChange", "v8.compile", "v8.evaluateModule", "V8.CompileCode",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Task:
    """Milliseconds of CPU; `spent` by kind (script, rendering, GC, other), `began` on the browser's clock."""

    began: float
    cpu: float
    spent: Counter = field(default_factory=Counter)
    names: set[str] = field(default_factory=set)


@contextmanager
def traced(page: Any) -> Iterator[Callable[[], list[Task]]]:
    """What is done inside is traced; afterwards the function gives its tasks."""
    browser, found = page.context.browser, []
    browser.start_tracing(page=page, categories=CATEGORIES)
    try:
        yield lambda: found
    finally:
        found.extend(tasks_of(json.loads(browser.stop_tracing())["traceEvents"]))


def tasks_of(events: list[dict]) -> list[Task]:
    """Of the thread that ran most script: the page's."""
    threads: dict[tuple[int, int], list[dict]] = {}
    for event in events:
        if event.get("ph") == "X" and "tdur" in event:
            threads.setdefault((event["pid"], event["tid"]), []).append(event)
    script = {
        thread: sum(one["tdur"] for one in some if _kind(one["name"]) == "script") for thread, some in threads.items()
    }
    if not script:
        return []
    main = threads[max(script, key=script.__getitem__)]
    return list(_tasks(sorted(main, key=lambda one: (one["ts"], -one.get("dur", 0)))))


def _tasks(events: list[dict]) -> Iterator[Task]:
    """Events lie inside each other; the time of each is its own without that of those inside it."""
    task: Task | None = None
    open_events: list[tuple[float, str]] = []  # when each ends, and what it is
    for event in events:
        began, ended, cpu = event["ts"], event["ts"] + event.get("dur", 0), event["tdur"] / 1000
        if event["name"] == _TASK:
            if task:
                yield task
            task, open_events = Task(began / 1000, cpu, Counter(other=cpu)), [(ended, "other")]
            continue
        if task is None or began >= open_events[0][0]:
            continue
        while began >= open_events[-1][0]:
            open_events.pop()
        around = open_events[-1][1]
        kind = _kind(event["name"]) or around
        task.names.add(event["name"])
        task.spent[kind] += cpu
        task.spent[around] -= cpu
        open_events.append((ended, kind))
    if task:
        yield task


def _kind(name: str) -> str | None:
    if name in _RENDERING:
        return "rendering"
    if name in _SCRIPT:
        return "script"
    return "GC" if "GC" in name else None


def total(tasks: list[Task], kind: str | None = None) -> float:
    return sum(task.spent[kind] if kind else task.cpu for task in tasks)


def frames(tasks: list[Task]) -> int:
    """In which the page changed something: one that is late changes more at once."""
    return sum("FireAnimationFrame" in task.names for task in tasks)


def longest(tasks: list[Task]) -> float:
    return max((task.cpu for task in tasks), default=0.0)


def over(tasks: list[Task], limit: float = LONG_MS) -> int:
    return sum(task.cpu > limit for task in tasks)


def growth(tasks: list[Task]) -> float:
    """CPU of a frame in the last quarter over one in the second: 1 where the work does not grow with the answer."""
    first, last = tasks[0].began, tasks[-1].began
    quarter = (last - first) / 4
    second = [task for task in tasks if quarter <= task.began - first < 2 * quarter]
    fourth = [task for task in tasks if task.began - first >= 3 * quarter]
    each = [total(some) / max(1, frames(some)) for some in (second, fourth)]
    return each[1] / max(each[0], 0.001)
