"""What nests, repeats and interrupts, in SpiffWorkflow and in the interpreter: at every step the same tasks are open.

Each diagram runs along several ways: tasks done, timers fired, messages sent in different orders. Where SpiffWorkflow does
something else than BPMN 2.0 says, our trace stands alone in `test_oracle_apart`.
"""
# ruff: noqa: E501 - a diagram reads better when an element is not broken

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import pytest

from tests.domains.processes.drawing import boundary, diagram, each, end, loop, process, sub, task, throw, times
from tests.domains.processes.oracle import Given, compare, paths


@dataclass(frozen=True)
class Drawn:
    xml: bytes
    cases: tuple[dict[str, object], ...] = ({},)
    rounds: dict[str, tuple[str, int]] = field(default_factory=dict)  # task → (variable, how often it is true)
    gives: dict[str, tuple[str, tuple[object, ...]]] = field(
        default_factory=dict
    )  # task → (variable, its values in turn)

    def given(self) -> Given:
        done: Counter[str] = Counter()

        def what(element: str) -> dict[str, object]:
            done[element] += 1
            found: dict[str, object] = {}
            if element in self.rounds:
                variable, often = self.rounds[element]
                found[variable] = done[element] <= often
            if element in self.gives:
                variable, values = self.gives[element]
                found[variable] = values[(done[element] - 1) % len(values)]
            return found

        return what


def both(*names: str) -> tuple[dict[str, object], ...]:
    """Every way in which these variables can be true or false."""
    found: list[dict[str, object]] = [{}]
    for name in names:
        found = [{**one, name: value} for one in found for value in (True, False)]
    return tuple(found)


PAIR = "s1 -> p1 -> a -> e1; p1 -> b -> e2"
OUT = "s -> sub -> d -> e"

SUBS = {
    "a sub-process": Drawn(diagram(OUT, sub("sub", "s1 -> a -> b -> e1"))),
    "a sub-process of two branches and two ends": Drawn(diagram(OUT, sub("sub", PAIR))),
    "a sub-process in which nothing waits": Drawn(diagram(OUT, sub("sub", "s1 -> m1 -> e1"))),
    "a sub-process in a sub-process": Drawn(
        diagram(OUT, sub("sub", "s1 -> a -> in -> b -> e1", sub("in", "s2 -> c -> e2")))
    ),
    "three sub-processes deep": Drawn(
        diagram(
            OUT,
            sub(
                "sub",
                "s1 -> in -> e1",
                sub("in", "s2 -> deep -> e2", sub("deep", "s3 -> p3 -> a -> e3; p3 -> b -> e4")),
            ),
        )
    ),
    "two sub-processes side by side": Drawn(
        diagram(
            "s -> p1 -> sub -> p2 -> d -> e; p1 -> other -> p2",
            sub("sub", PAIR.replace("p1", "p3")),
            sub("other", "s4 -> c -> e4"),
        )
    ),
    "a choice in a sub-process": Drawn(
        diagram(OUT, sub("sub", "s1 -> x1; x1 -> a if go; x1 -> b else; a -> e1; b -> e2")), both("go")
    ),
    "a sub-process chosen": Drawn(
        diagram("s -> x1; x1 -> sub if go; x1 -> c else; sub -> x2; c -> x2; x2 -> d -> e", sub("sub", PAIR)),
        both("go"),
    ),
    "a terminate end in a sub-process": Drawn(diagram(OUT, sub("sub", "s1 -> p1 -> a -> z1; p1 -> b -> e1"))),
    "a terminate end around a sub-process": Drawn(
        diagram("s -> p1 -> sub -> d -> e; p1 -> c -> z", sub("sub", PAIR.replace("p1", "p2")))
    ),
    "a loop around a sub-process": Drawn(
        diagram("s -> x1 -> sub -> x2; x2 -> x1 if again; x2 -> d else; d -> e", sub("sub", "s1 -> a -> e1")),
        ({"again": False},),
        {"a": ("again", 2)},
    ),
    "a loop in a sub-process": Drawn(
        diagram(OUT, sub("sub", "s1 -> x1 -> a -> x2; x2 -> x1 if again; x2 -> e1 else")),
        ({"again": False},),
        {"a": ("again", 2)},
    ),
    "an inclusive join in a sub-process": Drawn(
        diagram(
            OUT, sub("sub", "s1 -> o1; o1 -> a if x; o1 -> b if y; o1 -> c else; a -> o2; b -> o2; c -> o2; o2 -> e1")
        ),
        both("x", "y"),
    ),
    "a sub-process on a way to an inclusive join": Drawn(
        diagram(
            "s -> o1; o1 -> sub if x; o1 -> c if y; o1 -> m1 else; sub -> o2; c -> o2; m1 -> o2; o2 -> d -> e",
            sub("sub", PAIR),
        ),
        both("x", "y"),
    ),
    "parallel in a sub-process in parallel": Drawn(
        diagram("s -> p1 -> sub -> p2 -> d -> e; p1 -> c -> p2", sub("sub", "s1 -> p3 -> a -> p4 -> e1; p3 -> b -> p4"))
    ),
}

CALLS = {
    "a call": Drawn(
        diagram(
            "s -> call -> d -> e",
            '<callActivity id="call" calledElement="q"/>',
            other=process("q", "s5 -> a -> b -> e5"),
        )
    ),
    "one process called twice": Drawn(
        diagram(
            "s -> p1 -> call -> p2 -> d -> e; p1 -> other -> p2",
            '<callActivity id="call" calledElement="q"/>',
            '<callActivity id="other" calledElement="q"/>',
            other=process("q", "s5 -> p5 -> a -> e5; p5 -> b -> e6"),
        )
    ),
    "a call in a sub-process": Drawn(
        diagram(
            OUT,
            sub("sub", "s1 -> call -> e1", '<callActivity id="call" calledElement="q"/>'),
            other=process("q", "s5 -> a -> e5"),
        )
    ),
    "a terminate end in a called process ends that alone": Drawn(
        diagram(
            "s -> p1 -> call -> p2 -> d -> e; p1 -> c -> p2",
            '<callActivity id="call" calledElement="q"/>',
            other=process("q", "s5 -> p5 -> a -> z5; p5 -> b -> e5"),
        )
    ),
    "a timer on a call": Drawn(
        diagram(
            "s -> call -> d -> e; late -> c -> e",
            '<callActivity id="call" calledElement="q"/>',
            boundary("late", "call", "timer"),
            other=process("q", "s5 -> a -> b -> e5"),
        )
    ),
}

EVENTS = {
    "a timer on a task": Drawn(diagram("s -> a -> d -> e; late -> c -> e1", boundary("late", "a", "timer"))),
    "a timer on a task that does not interrupt": Drawn(
        diagram("s -> a -> d -> e; late -> c -> e1", boundary("late", "a", "timer", interrupting=False))
    ),
    "a message on a task": Drawn(diagram("s -> a -> d -> e; news -> c -> e1", boundary("news", "a", "message:N"))),
    "a timer and a message on a task": Drawn(
        diagram(
            "s -> a -> d -> e; late -> b -> e1; news -> c -> e2",
            boundary("late", "a", "timer"),
            boundary("news", "a", "message:N"),
        )
    ),
    "two timers, one interrupts": Drawn(
        diagram(
            "s -> a -> d -> e; soon -> b -> e1; late -> c -> e2",
            boundary("soon", "a", "timer", interrupting=False),
            boundary("late", "a", "timer"),
        )
    ),
    "a timer on a sub-process": Drawn(
        diagram(OUT + "; late -> c -> e3", sub("sub", PAIR), boundary("late", "sub", "timer"))
    ),
    "a timer on a sub-process that does not interrupt": Drawn(
        diagram(OUT + "; late -> c -> e3", sub("sub", PAIR), boundary("late", "sub", "timer", interrupting=False))
    ),
    "a timer on a sub-process in a sub-process": Drawn(
        diagram(
            OUT,
            sub(
                "sub",
                "s1 -> in -> b -> e1; late -> c -> e2",
                sub("in", "s2 -> p2 -> a -> e3; p2 -> f -> e4"),
                boundary("late", "in", "timer"),
            ),
        )
    ),
    "timers outside and inside": Drawn(
        diagram(
            OUT + "; late -> c -> e3",
            sub("sub", "s1 -> a -> e1; soon -> b -> e2", boundary("soon", "a", "timer")),
            boundary("late", "sub", "timer"),
        )
    ),
    "an error ends a sub-process": Drawn(
        diagram(
            OUT + "; caught -> c -> e3",
            sub("sub", "s1 -> p1 -> a -> bad; p1 -> b -> e1", end("bad", "error:1")),
            boundary("caught", "sub", "error:1"),
        )
    ),
    "any error": Drawn(
        diagram(
            OUT + "; caught -> c -> e3",
            sub("sub", "s1 -> a -> bad", end("bad", "error:1")),
            boundary("caught", "sub", "error"),
        )
    ),
    "two errors, each its way": Drawn(
        diagram(
            OUT + "; one -> b -> e3; two -> c -> e4",
            sub(
                "sub",
                "s1 -> a -> x1; x1 -> bad if first; x1 -> worse else",
                end("bad", "error:1"),
                end("worse", "error:2"),
            ),
            boundary("one", "sub", "error:1"),
            boundary("two", "sub", "error:2"),
        ),
        both("first"),
    ),
    "an error of a called process": Drawn(
        diagram(
            "s -> call -> d -> e; caught -> c -> e3",
            '<callActivity id="call" calledElement="q"/>',
            boundary("caught", "call", "error:1"),
            other=process("q", "s5 -> a -> bad", end("bad", "error:1")),
        )
    ),
    "an escalation end that interrupts": Drawn(
        diagram(
            OUT + "; heard -> c -> e3",
            sub("sub", "s1 -> p1 -> a -> ask; p1 -> b -> e1", end("ask", "escalation:1")),
            boundary("heard", "sub", "escalation:1"),
        )
    ),
    "an escalation that does not interrupt": Drawn(
        diagram(
            OUT + "; heard -> c -> e3",
            sub("sub", "s1 -> a -> ask -> b -> e1", throw("ask", "escalation:1")),
            boundary("heard", "sub", "escalation:1", interrupting=False),
        )
    ),
    "an escalation nobody hears": Drawn(
        diagram(OUT, sub("sub", "s1 -> a -> ask -> b -> e1", throw("ask", "escalation:2")))
    ),
    "a timer first, a message first": Drawn(diagram("s -> v; v -> t1 -> a -> e; v -> r1 -> b -> e1")),
    "two messages at an event gateway": Drawn(diagram("s -> a -> v; v -> r1 -> b -> e; v -> r2 -> c -> e1")),
    "an event gateway in a sub-process": Drawn(
        diagram(OUT, sub("sub", "s1 -> v; v -> t1 -> a -> e1; v -> r1 -> b -> e2"))
    ),
    "an event gateway in parallel": Drawn(
        diagram("s -> p1 -> v; p1 -> a -> p2; v -> t1 -> x1; v -> r1 -> b -> x1; x1 -> p2 -> d -> e")
    ),
    "a timer in the way": Drawn(diagram("s -> a -> t1 -> b -> e")),
    "a message in the way": Drawn(diagram("s -> a -> r1 -> b -> e")),
    "a timer in the way in a sub-process with a timer on it": Drawn(
        diagram(OUT + "; late -> c -> e3", sub("sub", "s1 -> t1 -> a -> e1"), boundary("late", "sub", "timer"))
    ),
    "a message starts an event sub-process that does not interrupt": Drawn(
        diagram("s -> a -> d -> e", sub("on", "s9 -> b -> e9", event="message:N", interrupting=False))
    ),
    "a timer that goes back into a loop": Drawn(
        diagram("s -> x1 -> a -> d -> e; late -> c -> x1", boundary("late", "a", "timer"))
    ),
}


REPEATED = {
    "three at once": Drawn(diagram("s -> a -> d -> e", task("a", times("3")))),
    "three in turn": Drawn(diagram("s -> a -> d -> e", task("a", times("3", sequential=True)))),
    "as many as a variable says": Drawn(
        diagram("s -> a -> d -> e", task("a", times("n"))), ({"n": 1}, {"n": 2}, {"n": 4})
    ),
    "as many in turn as a variable says": Drawn(
        diagram("s -> a -> d -> e", task("a", times("n", sequential=True))), ({"n": 1}, {"n": 4})
    ),
    "at once until one says enough": Drawn(
        diagram("s -> a -> d -> e", task("a", times("4", until="enough"))), gives={"a": ("enough", (False, True))}
    ),
    "in turn until one says enough": Drawn(
        diagram("s -> a -> d -> e", task("a", times("4", sequential=True, until="enough"))),
        gives={"a": ("enough", (False, False, True))},
    ),
    "for each item at once": Drawn(
        diagram("s -> a -> d -> e", task("a", each())),
        ({"items": ["u", "v", "w"]},),
        gives={"a": ("result", (1, 2, 3))},
    ),
    "for each item in turn": Drawn(
        diagram("s -> a -> d -> e", task("a", each(sequential=True))),
        ({"items": ["u", "v", "w"]}, {"items": ["u"]}),
        gives={"a": ("result", (3, 2, 1))},
    ),
    "a sub-process for each item": Drawn(
        diagram(OUT, sub("sub", "s1 -> a -> b -> e1", repeated=each(output=False))),
        ({"items": [1, 2]}, {"items": [1, 2, 3]}),
    ),
    "a sub-process three times at once": Drawn(diagram(OUT, sub("sub", PAIR, repeated=times("3")))),
    "a sub-process three times in turn": Drawn(diagram(OUT, sub("sub", PAIR, repeated=times("3", sequential=True)))),
    "repeated within repeated": Drawn(
        diagram(OUT, sub("sub", "s1 -> a -> b -> e1", task("a", times("2")), repeated=times("2")))
    ),
    "repeated in turn within repeated in turn": Drawn(
        diagram(
            OUT,
            sub(
                "sub",
                "s1 -> a -> b -> e1",
                task("a", times("2", sequential=True)),
                repeated=times("2", sequential=True),
            ),
        )
    ),
    "a timer on a repeated task": Drawn(
        diagram("s -> a -> d -> e; late -> c -> e1", task("a", times("3")), boundary("late", "a", "timer"))
    ),
    "a timer on a task repeated in turn": Drawn(
        diagram(
            "s -> a -> d -> e; late -> c -> e1", task("a", times("3", sequential=True)), boundary("late", "a", "timer")
        )
    ),
    "a timer in each run": Drawn(
        diagram(
            OUT,
            sub(
                "sub",
                "s1 -> a -> e1; late -> c -> e2",
                boundary("late", "a", "timer"),
                repeated=times("2", sequential=True),
            ),
        )
    ),
    "a repeated call": Drawn(
        diagram(
            "s -> call -> d -> e",
            f'<callActivity id="call" calledElement="q">{times("2")}</callActivity>',
            other=process("q", "s5 -> a -> e5"),
        )
    ),
    "repeated in parallel with another": Drawn(
        diagram("s -> p1 -> a -> p2 -> d -> e; p1 -> b -> p2", task("a", times("2")))
    ),
    "a terminate end in one of two runs ends that run": Drawn(
        diagram(OUT, sub("sub", "s1 -> p1 -> a -> z1; p1 -> b -> e1", repeated=times("2", sequential=True)))
    ),
    "a repeated task in a loop": Drawn(
        diagram("s -> x1 -> a -> b -> x2; x2 -> x1 if again; x2 -> d else; d -> e", task("a", times("2"))),
        ({"again": False},),
        {"b": ("again", 1)},
    ),
    "a standard loop with a maximum": Drawn(diagram("s -> a -> d -> e", task("a", loop("", most=3)))),
    "a standard loop with a condition": Drawn(
        diagram("s -> a -> d -> e", task("a", loop("again"))), ({"again": True},), gives={"a": ("again", (True, False))}
    ),
    "a standard loop that tests before": Drawn(
        diagram("s -> a -> d -> e", task("a", loop("again", before=True))),
        ({"again": True}, {"again": False}),
        gives={"a": ("again", (True, False))},
    ),
    "a standard loop around a sub-process": Drawn(
        diagram(OUT, sub("sub", "s1 -> a -> b -> e1", repeated=loop("again", most=5))),
        ({"again": True},),
        gives={"b": ("again", (True, False))},
    ),
}

FLOWS = {
    "two flows out of the start": Drawn(diagram("s -> a -> e; s -> b -> e1")),
    "an end for each branch": Drawn(diagram("s -> p1 -> a -> e; p1 -> b -> e1; p1 -> c -> e2")),
    "an inclusive split without a join": Drawn(
        diagram("s -> o1; o1 -> a if x; o1 -> b if y; o1 -> c else; a -> e; b -> e1; c -> e2"), both("x", "y")
    ),
    "inclusive within inclusive": Drawn(
        diagram(
            "s -> o1; o1 -> a if x; o1 -> m1 else; m1 -> o3; o3 -> b if y; o3 -> c else; b -> o4; c -> o4; a -> o2; o4 -> o2; o2 -> d -> e"
        ),
        both("x", "y"),
    ),
    "an inclusive join behind a choice": Drawn(
        diagram(
            "s -> o1; o1 -> a if x; o1 -> b else; a -> x1; x1 -> c if y; x1 -> o2 else; c -> o2; b -> o2; o2 -> d -> e"
        ),
        both("x", "y"),
    ),
    "parallel and a terminate end": Drawn(diagram("s -> p1 -> a -> z; p1 -> b -> c -> e; p1 -> d -> e1")),
}

DIAGRAMS = {**SUBS, **CALLS, **EVENTS, **REPEATED, **FLOWS}
WAYS = 6


@pytest.mark.parametrize("name", DIAGRAMS)
def test_the_same_tasks_open_as_in_spiffworkflow(name: str) -> None:
    drawn = DIAGRAMS[name]
    for variables in drawn.cases:
        for choose in paths(name, WAYS):
            memory, happened = compare(drawn.xml, variables, choose, drawn.given())
            assert happened
            assert memory.ending == "completed"


def test_there_are_at_least_sixty() -> None:
    assert len(DIAGRAMS) >= 60
