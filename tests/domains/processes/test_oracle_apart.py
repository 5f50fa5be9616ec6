"""Where SpiffWorkflow does something else than BPMN 2.0 says, what the interpreter must do stands here, with the clause.

Each trace is written by hand. A test of its own looks whether SpiffWorkflow still differs, so that nothing stays here for nothing.
"""
# ruff: noqa: E501 - a diagram reads better when an element is not broken

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import pytest

from furong.domains.processes.values import parse_bpmn
from tests.domains.processes.drawing import boundary, diagram, end, sub, throw, times
from tests.domains.processes.memory import Memory
from tests.domains.processes.oracle import compare, paths

PAIR = "s1 -> p1 -> a -> e1; p1 -> b -> e2"
OUT = "s -> sub -> d -> e"


@dataclass(frozen=True)
class Apart:
    """``trace`` begins with what waits first, then has what happens (``a`` is done, ``@late`` fires, ``!N`` comes) and what waits after it."""

    xml: bytes
    clause: str
    spiff: str
    trace: tuple[str, ...]
    variables: dict[str, object] = field(default_factory=dict)
    gives: dict[str, tuple[str, tuple[object, ...]]] = field(default_factory=dict)


APART = {
    "an error caught two levels up": Apart(
        diagram(
            OUT + "; caught -> c -> e3",
            sub("sub", "s1 -> p1 -> in -> e1; p1 -> b -> e2", sub("in", "s2 -> a -> bad", end("bad", "error:1"))),
            boundary("caught", "sub", "error:1"),
        ),
        "13.5.3",
        "goes on behind the sub-process in which the error was thrown, to its end",
        ("a b", "a", "c", "c", ""),
    ),
    "an escalation twice": Apart(
        diagram(
            OUT + "; heard -> c -> e3",
            sub(
                "sub", "s1 -> a -> ask -> b -> tell -> e1", throw("ask", "escalation:1"), throw("tell", "escalation:1")
            ),
            boundary("heard", "sub", "escalation:1", interrupting=False),
        ),
        "13.5.3",
        "catches only the first",
        ("a", "a", "b c", "b", "c c d", "c", "c d", "d", "c", "c", ""),
    ),
    "a message starts an event sub-process that interrupts": Apart(
        diagram("s -> a -> d -> e", sub("on", "s9 -> b -> e9", event="message:N")),
        "13.5.4",
        "leaves open what was interrupted",
        ("a", "!N", "b", "b", ""),
    ),
    "an error starts an event sub-process": Apart(
        diagram(
            "s -> p1 -> a -> bad; p1 -> b -> e", end("bad", "error:1"), sub("on", "s9 -> c -> e9", event="error:1")
        ),
        "13.5.4",
        "starts it with the process",
        ("a b", "a", "c", "c", ""),
    ),
    "an error starts the event sub-process of a sub-process": Apart(
        diagram(
            OUT,
            sub(
                "sub",
                "s1 -> p1 -> a -> bad; p1 -> b -> e1",
                end("bad", "error:1"),
                sub("on", "s9 -> c -> e9", event="error:1"),
            ),
        ),
        "13.5.4",
        "starts it with the sub-process",
        ("a b", "a", "c", "c", "d", "d", ""),
    ),
    "an escalation starts an event sub-process that interrupts": Apart(
        diagram(
            OUT,
            sub(
                "sub",
                "s1 -> p1 -> a -> ask -> f -> e2; p1 -> b -> e1",
                throw("ask", "escalation:1"),
                sub("on", "s9 -> c -> e9", event="escalation:1"),
            ),
        ),
        "13.5.4",
        "starts it with the sub-process",
        ("a b", "a", "c", "c", "d", "d", ""),
    ),
    "an escalation starts an event sub-process that does not interrupt": Apart(
        diagram(
            OUT,
            sub(
                "sub",
                "s1 -> p1 -> a -> ask -> f -> e2; p1 -> b -> e1",
                throw("ask", "escalation:1"),
                sub("on", "s9 -> c -> e9", event="escalation:1", interrupting=False),
            ),
        ),
        "13.5.4",
        "starts it with the sub-process",
        ("a b", "a", "b c f", "b", "c f", "f", "c", "c", "d", "d", ""),
    ),
    "a timer starts an event sub-process that interrupts": Apart(
        diagram(OUT, sub("sub", "s1 -> a -> b -> e1", sub("on", "s9 -> c -> e9", event="timer"))),
        "13.5.4",
        "does not end a sub-process whose event sub-process never started",
        ("a", "a", "b", "b", "d", "d", ""),
    ),
    "a timer starts an event sub-process in time": Apart(
        diagram(OUT, sub("sub", "s1 -> a -> b -> e1", sub("on", "s9 -> c -> e9", event="timer"))),
        "13.5.4",
        "leaves open what was interrupted",
        ("a", "a", "b", "@s9", "c", "c", "d", "d", ""),
    ),
    "a timer on a repeated sub-process": Apart(
        diagram(OUT + "; late -> c -> e3", sub("sub", PAIR, repeated=times("2")), boundary("late", "sub", "timer")),
        "13.5.3",
        "raises TaskNotFoundException",
        ("a a b b", "a", "a b b", "@late", "c", "c", ""),
    ),
    "an error in one of the runs in turn ends them all": Apart(
        diagram(
            OUT + "; caught -> c -> e3",
            sub(
                "sub",
                "s1 -> a -> x1; x1 -> bad if fails; x1 -> e1 else",
                end("bad", "error:1"),
                repeated=times("3", sequential=True),
            ),
            boundary("caught", "sub", "error:1"),
        ),
        "13.5.3",
        "raises TaskNotFoundException",
        ("a", "a", "a", "a", "c", "c", ""),
        {"fails": False},
        {"a": ("fails", (False, True))},
    ),
    "an error in one of the runs at once ends them all": Apart(
        diagram(
            OUT + "; caught -> c -> e3",
            sub("sub", "s1 -> a -> bad", end("bad", "error:1"), repeated=times("3")),
            boundary("caught", "sub", "error:1"),
        ),
        "13.5.3",
        "raises TaskNotFoundException",
        ("a a a", "a", "c", "c", ""),
    ),
    "conditions out of a task": Apart(
        diagram("s -> a; a -> b if x; a -> c if y; a -> d else; b -> e; c -> e1; d -> e2"),
        "13.3.2 and 8.3.13",
        "refuses the diagram",
        ("a", "a", "b c", "b", "c", "c", ""),
        {"x": True, "y": True},
    ),
    "the default flow out of a task": Apart(
        diagram("s -> a; a -> b if x; a -> c if y; a -> d else; b -> e; c -> e1; d -> e2"),
        "13.3.2 and 8.3.13",
        "refuses the diagram",
        ("a", "a", "d", "d", ""),
        {"x": False, "y": False},
    ),
    "a flow without condition beside one with": Apart(
        diagram("s -> a; a -> b; a -> c if x; b -> e; c -> e1"),
        "8.3.13",
        "refuses the diagram",
        ("a", "a", "b", "b", ""),
        {"x": False},
    ),
    "two flows out of a task": Apart(
        diagram("s -> a -> b -> e; a -> c -> e1"), "8.3.13", "refuses the diagram", ("a", "a", "b c", "c", "b", "b", "")
    ),
    "a parallel join in a loop": Apart(
        diagram("s -> x1 -> p1 -> a -> p2 -> c -> x2; p1 -> b -> p2; x2 -> x1 if again; x2 -> e else"),
        "13.4.1",
        "lets the join pass in the second round before both branches came",
        ("a b", "a", "b", "b", "c", "c", "a b", "b", "a", "a", "c", "c", ""),
        {"again": False},
        {"c": ("again", (True, False))},
    ),
    "an inclusive join in a loop": Apart(
        diagram(
            "s -> x1 -> o1; o1 -> a if x; o1 -> b if y; o1 -> m1 else; a -> o2; b -> o2; m1 -> o2; o2 -> c -> x2; x2 -> x1 if again; x2 -> e else"
        ),
        "13.4.3",
        "lets the join pass in the second round before both branches came",
        ("a b", "a", "b", "b", "c", "c", "a b", "a", "b", "b", "c", "c", ""),
        {"x": True, "y": True, "again": False},
        {"c": ("again", (True, False))},
    ),
}


@pytest.mark.parametrize("name", APART)
def test_the_interpreter_does_what_the_standard_says(name: str) -> None:
    drawn = APART[name]
    memory = Memory(parse_bpmn(drawn.xml), dict(drawn.variables))
    memory.start()
    first, *rest = drawn.trace
    assert memory.waiting == Counter(first.split())
    done: Counter[str] = Counter()
    for what, after in zip(rest[::2], rest[1::2], strict=True):
        if what[0] == "@":
            memory.fire(what[1:])
        elif what[0] == "!":
            memory.send(what[1:])
        else:
            given = {}
            if what in drawn.gives:
                variable, values = drawn.gives[what]
                given[variable] = values[done[what]]
            done[what] += 1
            memory.complete_element(what, **given)
        assert memory.waiting == Counter(after.split()), f"after {what}"
    assert memory.ending == "completed"


@pytest.mark.parametrize("name", APART)
def test_spiffworkflow_does_not(name: str) -> None:
    drawn = APART[name]
    differs = 0
    for choose in paths(name, 6):
        done: Counter[str] = Counter()

        def given(element: str, done: Counter[str] = done) -> dict[str, object]:
            if element not in drawn.gives:
                return {}
            variable, values = drawn.gives[element]
            done[element] += 1
            return {variable: values[(done[element] - 1) % len(values)]}

        try:
            compare(drawn.xml, dict(drawn.variables), choose, given)
        except Exception:  # noqa: BLE001 - however it differs: another trace, or a fault of its own
            differs += 1
    assert differs, f"SpiffWorkflow agrees now ({drawn.spiff}): move it to the diagrams that are compared"
