"""Random structured diagrams: sequences, choices, parallel and inclusive blocks and loops, nested; and what each must do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tests.domains.processes.diagrams import bpmn

Block = tuple[Any, ...]


def blocks(*, inclusive: bool = True, loops: bool = True, nested: bool = False) -> st.SearchStrategy[Block]:
    """Give nested blocks: ("task",), ("pass",), ("seq", …), ("xor", …), ("and", …), ("or", …), ("loop", inner, times).

    With ``nested`` also ("many",), a task that is repeated, ("timed",) and ("nudged",), tasks with a timer that interrupts or
    does not, ("sub", inner), and ("fails", inner), a sub-process that may end in an error which is caught; for rehearsals only.
    """
    more = [("many",), ("timed",), ("nudged",)] if nested else []
    leaf = st.sampled_from([("task",), ("task",), ("pass",), *more])

    def extend(inner: st.SearchStrategy[Block]) -> st.SearchStrategy[Block]:
        several = st.lists(inner, min_size=2, max_size=3)
        kinds = ["seq", "xor", "and", *(["or"] if inclusive else [])]
        found = st.tuples(st.sampled_from(kinds), several).map(lambda pair: (pair[0], *pair[1]))
        if loops:
            found |= st.tuples(inner, st.integers(0, 2)).map(lambda pair: ("loop", *pair))
        if nested:
            found |= st.tuples(st.sampled_from(["sub", "fails"]), inner)
        return found

    return st.recursive(leaf, extend, max_leaves=10)


@dataclass
class Drawn:
    """A diagram of a block, the variables that steer it, and how often each user task must be done."""

    xml: bytes
    variables: dict[str, object]
    expected: Counter[str]
    loops: dict[str, int]


_TAGS = {"xor": "exclusiveGateway", "and": "parallelGateway", "or": "inclusiveGateway"}
_TIMER = "<timerEventDefinition><timeDuration>P1D</timeDuration></timerEventDefinition>"
_TWICE = "<multiInstanceLoopCharacteristics><loopCardinality>2</loopCardinality></multiInstanceLoopCharacteristics>"


class _Pen:
    def __init__(self, choose: Callable[[int], int], joins: Mapping[str, str]) -> None:
        self.choose = choose
        self.joins = joins
        self.elements: list[str] = ['<startEvent id="s"/>', '<endEvent id="e"/>']
        self.flows: list[str] = []
        self.variables: dict[str, object] = {}
        self.expected: Counter[str] = Counter()
        self.loops: dict[str, int] = {}
        self.count = 0

    def new(self, tag: str, prefix: str, attributes: str = "") -> str:
        self.count += 1
        name = f"{prefix}{self.count}"
        self.elements.append(f'<{tag} id="{name}" name="{name}" {attributes}/>')
        return name

    def flow(self, source: str, target: str, condition: str = "") -> None:
        self.flows.append(f"{source} -> {target}" + (f" if {condition}" if condition else ""))

    def draw(self, block: Block, source: str, live: bool) -> str:
        """Draw a block after ``source``; gives its last element. ``live``: whether a token will come here."""
        kind, *inner = block
        if kind in {"task", "pass"}:
            name = self.new("userTask" if kind == "task" else "manualTask", "t" if kind == "task" else "m")
            self.flow(source, name)
            if live and kind == "task":
                self.expected[name] += 1
            return name
        if kind == "seq":
            for one in inner:
                source = self.draw(one, source, live)
            return source
        if kind in {"many", "timed", "nudged"}:
            return self._leaf(kind, source)
        if kind in {"sub", "fails"}:
            return self._sub(kind, inner[0], source, live)
        if kind == "loop":
            return self._loop(inner[0], inner[1], source, live)
        return self._gateway(kind, inner, source, live)

    def _leaf(self, kind: str, source: str) -> str:
        """A task that is repeated or has a timer; gives where its ways meet again."""
        name = self.new("userTask", "t")
        self.flow(source, name)
        if kind == "many":
            self.elements[-1] = f'<userTask id="{name}">{_TWICE}</userTask>'
            return name
        stops = "true" if kind == "timed" else "false"
        self.elements.append(
            f'<boundaryEvent id="b{name}" attachedToRef="{name}" cancelActivity="{stops}">{_TIMER}</boundaryEvent>'
        )
        late = self.new("userTask", "t")
        self.flow(f"b{name}", late)
        if kind == "nudged":
            self.flow(late, self.new("endEvent", "n"))
            return name
        join = self.new("exclusiveGateway", "j")
        self.flow(name, join)
        self.flow(late, join)
        return join

    def _sub(self, kind: str, inner: Block, source: str, live: bool) -> str:
        """A sub-process around a block, which may end in an error that is caught."""
        self.count += 1
        name = f"u{self.count}"
        pen = _Pen(self.choose, self.joins)
        pen.count, pen.variables = self.count, self.variables
        pen.elements = [f'<startEvent id="s{name}"/>', f'<endEvent id="e{name}"/>']
        last = pen.draw(inner, f"s{name}", live)
        if kind == "fails":
            choice = f"x{name}"
            pen.elements += [
                f'<exclusiveGateway id="{choice}" default="{choice}-e{name}"/>',
                f'<endEvent id="f{name}"><errorEventDefinition errorRef="er"/></endEvent>',
            ]
            self.variables[f"fail_{name}"] = False
            pen.flow(last, choice)
            pen.flow(choice, f"f{name}", f"fail_{name}")
            last = choice
        pen.flow(last, f"e{name}")
        self.count = pen.count
        whole = bpmn("\n".join(pen.elements), "\n".join(pen.flows)).decode().splitlines()[2:-2]
        self.elements.append(f'<subProcess id="{name}">{"".join(whole)}</subProcess>')
        self.flow(source, name)
        if kind == "sub":
            return name
        self.elements.append(
            f'<boundaryEvent id="b{name}" attachedToRef="{name}"><errorEventDefinition errorRef="er"/></boundaryEvent>'
        )
        join = self.new("exclusiveGateway", "j")
        self.flow(name, join)
        self.flow(f"b{name}", join)
        return join

    def _gateway(self, kind: str, inner: list[Block], source: str, live: bool) -> str:
        split = self.new(_TAGS[kind], "g")
        join = self.new(self.joins.get(kind, _TAGS[kind]), "j")
        self.flow(source, split)
        if kind == "xor":
            chosen = {self.choose(len(inner))}
        elif kind == "or":
            mask = self.choose((1 << len(inner)) - 1) + 1
            chosen = {n for n in range(len(inner)) if mask >> n & 1}
        else:
            chosen = set(range(len(inner)))
        for number, one in enumerate(inner):
            # A pass-through task of its own, so that each branch begins with an element and flows have distinct ids.
            first = self.new("manualTask", "m")
            variable = f"v{self.count}"
            if kind == "and":
                self.flow(split, first)
            else:
                self.variables[variable] = number in chosen
                self.flow(split, first, variable)
            self.flow(self.draw(one, first, live and number in chosen), join)
        return join

    def _loop(self, inner: Block, times: int, source: str, live: bool) -> str:
        """A loop that a user task inside makes a wait: ``again`` more rounds, then out by the default."""
        begin = self.new("exclusiveGateway", "b")
        self.flow(source, begin)
        before = Counter(self.expected)
        work = self.new("userTask", "t")
        self.flow(begin, work)
        if live:
            self.expected[work] += 1
        last = self.draw(inner, work, live)
        own = self.expected - before
        for _ in range(times):
            self.expected += own
        variable = f"again_{work}"
        self.variables[variable] = False
        if live:
            self.loops[work] = times
        end = self.new("exclusiveGateway", "x")
        out = self.new("manualTask", "m")
        self.elements[[f'id="{end}"' in e for e in self.elements].index(True)] = (
            f'<exclusiveGateway id="{end}" default="{end}-{out}"/>'
        )
        self.flow(last, end)
        self.flow(end, begin, variable)
        self.flow(end, out)
        return out


def draw(block: Block, choose: Callable[[int], int], *, joins: Mapping[str, str] | None = None) -> Drawn:
    """Draw a block between a start and an end; ``choose(n)`` gives which of n ways each choice takes.

    ``joins`` gives other tags for the joins of a kind of block, for diagrams that are to be wrong.
    """
    pen = _Pen(choose, joins or {})
    pen.flow(pen.draw(block, "s", True), "e")
    content = bpmn("\n".join(pen.elements), "\n".join(pen.flows), more='<error id="er" errorCode="no"/>')
    return Drawn(content, pen.variables, pen.expected, pen.loops)


def has(block: Block, *kinds: str) -> bool:
    """Say whether a block of one of ``kinds`` is anywhere in a block."""
    return block[0] in kinds or any(has(one, *kinds) for one in block[1:] if isinstance(one, tuple))


def has_loop(block: Block) -> bool:
    """Say whether a loop is anywhere in a block."""
    return block[0] == "loop" or any(has_loop(one) for one in block[1:] if isinstance(one, tuple))
