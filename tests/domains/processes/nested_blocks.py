"""Random diagrams that nest: sub-processes, repetition, event sub-processes, boundary events, within the blocks of ``blocks``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tests.domains.processes.diagrams import bpmn
from tests.domains.processes.drawing import ERRORS, boundary, trigger

Block = tuple[Any, ...]
TRIGGERS = ("timer", "message", "error", "escalation")


def nested_blocks(*, oracle: bool = False, most: int = 8) -> st.SearchStrategy[Block]:
    """Give blocks: those of ``blocks`` without inclusive ones and loops, and

    ("sub", inner, ending), ("times", inner, n, sequential, output), ("caught", inner, trigger, interrupting),
    ("listening", inner, handler, trigger, interrupting), ("again", inner, rounds), ("service",), ("undoable",).

    With ``oracle`` only what SpiffWorkflow does as the standard says.
    """
    leaf = st.sampled_from(
        [("task",), ("task",), ("pass",)] if oracle else [("task",), ("task",), ("pass",), ("service",), ("undoable",)]
    )

    def extend(inner: st.SearchStrategy[Block]) -> st.SearchStrategy[Block]:
        several = st.lists(inner, min_size=2, max_size=3)
        found = st.tuples(st.sampled_from(["seq", "xor", "and"]), several).map(lambda pair: (pair[0], *pair[1]))
        found |= st.tuples(
            st.just("sub"),
            inner,
            st.sampled_from(["end"] if oracle else ["end", "end", "terminate", "error", "escalation"]),
        )
        if oracle:
            found |= st.tuples(st.just("times"), inner, st.integers(1, 3), st.booleans(), st.just(False))
            found |= st.tuples(st.just("caught"), inner, st.just("timer"), st.booleans())
            return found
        found |= st.tuples(st.just("or"), inner, inner)
        found |= st.tuples(st.just("again"), inner, st.integers(0, 2))
        found |= st.tuples(st.just("times"), inner, st.integers(0, 3), st.booleans(), st.booleans())
        found |= st.tuples(st.just("caught"), inner, st.sampled_from(TRIGGERS), st.booleans())
        found |= st.tuples(st.just("listening"), inner, inner, st.sampled_from(TRIGGERS), st.booleans())
        return found

    return st.recursive(leaf, extend, max_leaves=most)


@dataclass
class DrawnNested:
    xml: bytes
    variables: dict[str, object]
    rounds: dict[str, int]  # how often a loop's task says that it goes round again


class _Level:
    """What is drawn into one process or sub-process."""

    def __init__(self) -> None:
        self.elements: list[str] = []
        self.flows: list[str] = []


class _Pen:
    def __init__(self, choose: Callable[[int], int]) -> None:
        self.choose = choose
        self.count = 0
        self.levels: list[_Level] = []
        self.variables: dict[str, object] = {}
        self.rounds: dict[str, int] = {}
        self.messages: list[str] = []

    # --- paper --------------------------------------------------------------------------------------------------------------

    def name(self, prefix: str) -> str:
        self.count += 1
        return f"{prefix}{self.count}"

    def add(self, xml: str) -> None:
        self.levels[-1].elements.append(xml)

    def flow(self, source: str, target: str, condition: str = "") -> None:
        self.levels[-1].flows.append(f"{source} -> {target}" + (f" if {condition}" if condition else ""))

    def simple(self, tag: str, prefix: str, inside: str = "", attributes: str = "") -> str:
        name = self.name(prefix)
        self.add(f'<{tag} id="{name}" name="{name}"{attributes}>{inside}</{tag}>')
        return name

    def message(self) -> str:
        self.messages.append(self.name("M"))
        return f"message:{self.messages[-1]}"

    def what(self, kind: str) -> str:
        if kind == "message":
            return self.message()
        return kind if kind == "timer" else f"{kind}:1"

    # --- blocks -------------------------------------------------------------------------------------------------------------

    def draw(self, block: Block, source: str) -> str:
        """Draw a block after ``source``; give its last element."""
        kind, *inner = block
        drawn: str = getattr(self, "_" + {"and": "both", "or": "some"}.get(kind, kind))(source, *inner)
        return drawn

    def _task(self, source: str) -> str:
        name = self.simple("userTask", "u")
        self.flow(source, name)
        return name

    def _pass(self, source: str) -> str:
        name = self.simple("manualTask", "m")
        self.flow(source, name)
        return name

    def _service(self, source: str) -> str:
        name = self.simple("serviceTask", "w", attributes=' furong:handler="x.y"')
        self.flow(source, name)
        return name

    def _undoable(self, source: str) -> str:
        name = self._task(source)
        undo = self.name("undo")
        self.add(f'<userTask id="{undo}" name="{undo}" isForCompensation="true"/>')
        self.add(f'<boundaryEvent id="{undo}b" attachedToRef="{name}"><compensateEventDefinition/></boundaryEvent>')
        self.add(f'<association id="{undo}a" associationDirection="One" sourceRef="{undo}b" targetRef="{undo}"/>')
        return name

    def _seq(self, source: str, *inner: Block) -> str:
        for one in inner:
            source = self.draw(one, source)
        return source

    def _xor(self, source: str, *inner: Block) -> str:
        chosen = self.choose(len(inner))
        split, join = self.simple("exclusiveGateway", "x"), self.simple("exclusiveGateway", "x")
        self.flow(source, split)
        for number, one in enumerate(inner):
            first = self.simple("manualTask", "m")
            self.variables[f"v{first}"] = number == chosen
            self.flow(split, first, f"v{first}")
            self.flow(self.draw(one, first), join)
        return join

    def _both(self, source: str, *inner: Block) -> str:
        split, join = self.simple("parallelGateway", "p"), self.simple("parallelGateway", "join")
        self.flow(source, split)
        for one in inner:
            first = self.simple("manualTask", "m")
            self.flow(split, first)
            self.flow(self.draw(one, first), join)
        return join

    def _some(self, source: str, *inner: Block) -> str:
        chosen = self.choose(3) + 1
        split, join = self.simple("inclusiveGateway", "o"), self.simple("inclusiveGateway", "join")
        self.flow(source, split)
        for number, one in enumerate(inner):
            first = self.simple("manualTask", "m")
            self.variables[f"v{first}"] = bool(chosen >> number & 1)
            self.flow(split, first, f"v{first}")
            self.flow(self.draw(one, first), join)
        return join

    def _again(self, source: str, inner: Block, times: int) -> str:
        begin = self.simple("exclusiveGateway", "x")
        self.flow(source, begin)
        work = self._task(begin)
        last = self.draw(inner, work)
        out, leave = self.name("x"), self.simple("manualTask", "m")
        self.add(f'<exclusiveGateway id="{out}" default="{out}-{leave}"/>')
        self.variables[f"again_{work}"] = False
        self.rounds[work] = times
        self.flow(last, out)
        self.flow(out, begin, f"again_{work}")
        self.flow(out, leave)
        return leave

    def body(self, block: Block, ending: str = "end", start: str = "") -> str:
        """Draw a block between a start and an end of its own; give the elements as text."""
        self.levels.append(_Level())
        first = self.name("s")
        self.add(f'<startEvent id="{first}"{start or "/>"}')
        last = self.draw(block, first)
        inside = {"terminate": trigger("terminate"), "error": trigger("error:1"), "escalation": trigger("escalation:1")}
        end = self.name("e")
        self.add(f'<endEvent id="{end}">{inside.get(ending, "")}</endEvent>')
        self.flow(last, end)
        level = self.levels.pop()
        return "".join(bpmn("\n".join(level.elements), "\n".join(level.flows)).decode().splitlines()[2:-2])

    def _sub(self, source: str, inner: Block, ending: str, repeated: str = "") -> str:
        name = self.name("sub")
        self.add(f'<subProcess id="{name}" name="{name}">{self.body(inner, ending)}{repeated}</subProcess>')
        self.flow(source, name)
        if ending == "error":  # one that nothing catches would be an incident
            return self._catch(name, "error:1", interrupting=True)
        return name

    def _times(self, source: str, inner: Block, often: int, sequential: bool, output: bool) -> str:
        several = f' isSequential="{str(sequential).lower()}"'
        if output:
            several += f' furong:output_collection="all{self.count}" furong:output_element="loopCounter * 2"'
        loop = f"<loopCardinality>{often}</loopCardinality>"
        loop = f"<multiInstanceLoopCharacteristics{several}>{loop}</multiInstanceLoopCharacteristics>"
        if inner == ("task",):
            name = self.simple("userTask", "u", loop)
            self.flow(source, name)
            return name
        return self._sub(source, inner, "end", loop)

    def _catch(self, host: str, what: str, *, interrupting: bool) -> str:
        """Attach an event; what interrupts meets the normal way again, what does not has an end of its own."""
        event, after = self.name("b"), self.simple("userTask", "u")
        self.add(boundary(event, host, what, interrupting=interrupting))
        self.flow(event, after)
        if not interrupting:
            self.flow(after, self.simple("endEvent", "e"))
            return host
        meet = self.simple("exclusiveGateway", "x")
        self.flow(host, meet)
        self.flow(after, meet)
        return meet

    def _caught(self, source: str, inner: Block, kind: str, interrupting: bool) -> str:
        if kind == "timer" and inner == ("task",):
            name = self._task(source)
        else:
            name = self._sub(source, inner, kind if kind == "escalation" else "end")
        return self._catch(name, self.what(kind), interrupting=interrupting or kind == "error")

    def _listening(self, source: str, inner: Block, handler: Block, kind: str, interrupting: bool) -> str:
        """A sub-process with an event sub-process in it, which its own end may trigger."""
        on, name = self.name("on"), self.name("sub")
        what = self.what(kind)
        cancel = "" if interrupting or kind == "error" else ' isInterrupting="false"'
        start = f"{cancel}>{trigger(what)}</startEvent>"
        handled = (
            f'<subProcess id="{on}" name="{on}" triggeredByEvent="true">{self.body(handler, start=start)}</subProcess>'
        )
        self.add(f'<subProcess id="{name}" name="{name}">{self.body(inner, kind)}{handled}</subProcess>')
        self.flow(source, name)
        return name


def draw_nested(block: Block, choose: Callable[[int], int]) -> DrawnNested:
    """Draw a block between a start and an end; ``choose(n)`` gives which of n ways each choice takes."""
    pen = _Pen(choose)
    pen.levels.append(_Level())
    pen.add('<startEvent id="s"/>')
    pen.flow(pen.draw(block, "s"), "e")
    pen.add('<endEvent id="e"/>')
    level = pen.levels.pop()
    head = ERRORS + "".join(f'<message id="msg-{name}" name="{name}"/>' for name in pen.messages)
    return DrawnNested(bpmn("\n".join(level.elements), "\n".join(level.flows), more=head), pen.variables, pen.rounds)
