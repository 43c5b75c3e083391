"""A trace is read as tasks of the page's own thread, each with its CPU time by what it went into."""

from benchmarks.page import trace


def event(name: str, began: float, ended: float, cpu: float, thread: int = 1) -> dict:
    """Times in milliseconds; a trace has them in microseconds."""
    return {
        "ph": "X", "name": name, "pid": 1, "tid": thread, "ts": began * 1000, "dur": (ended - began) * 1000,
        "tdur": cpu * 1000,
    }  # fmt: skip


EVENTS = [
    event("RunTask", 0, 100, 60),
    event("FireAnimationFrame", 10, 90, 50),
    event("FunctionCall", 10, 60, 40),
    event("Layout", 20, 50, 25),
    event("MinorGC", 51, 55, 3),
    event("Paint", 92, 98, 5),
    event("RunTask", 200, 210, 10),
    event("RunTask", 0, 500, 400, thread=2),  # one that runs no script is none of the page's
]


def test_a_task_is_told_by_what_its_own_time_went_into():
    first, second = trace.tasks_of(EVENTS[::-1])
    assert (first.began, first.cpu, second.cpu) == (0, 60, 10)
    assert dict(first.spent) == {"script": 22, "rendering": 30, "GC": 3, "other": 5}
    assert dict(second.spent) == {"other": 10}
    assert trace.total([first, second]) == 70 and trace.longest([first, second]) == 60
    assert trace.frames([first, second]) == 1
    assert trace.over([first, second]) == 1 and trace.over([first, second], 9) == 2


def test_growth_compares_the_end_with_the_beginning():
    steady = [trace.Task(float(at), 2.0, names={"FireAnimationFrame"}) for at in range(101)]
    growing = [trace.Task(float(at), float(at), names={"FireAnimationFrame"}) for at in range(101)]
    assert 0.9 < trace.growth(steady) < 1.1 and trace.growth(growing) > 2


def test_a_trace_of_nothing_has_no_tasks():
    assert trace.tasks_of([]) == [] and trace.longest([]) == 0.0
