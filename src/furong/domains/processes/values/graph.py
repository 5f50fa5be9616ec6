"""A definition as the interpreter walks it: nodes and flows, compiled once, frozen, shared by all instances of the digest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from furong.domains.processes.values.elements import BOUNDARY, CONTAINERS, WAITING, NodeKind
from furong.domains.processes.values.times import Cycle, DayCounting, Duration, due_after, parse_moment
from furong.foundation.calendar.values import Calendar


class Expression(Protocol):
    """A compiled FEEL expression (`furong.foundation.feel.CompiledExpression`) or a `Literal`."""

    text: str

    def evaluate(self, context: Mapping[str, object], *, now: datetime | None = None) -> object: ...


@dataclass(slots=True)
class Literal:
    """A text that stands for itself, where an attribute may also hold an expression (``=…``)."""

    text: str

    def evaluate(self, context: Mapping[str, object], *, now: datetime | None = None) -> object:
        return self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    id: str
    source: str
    target: str
    name: str = ""
    line: int = 0
    condition: Expression | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerRule:
    """When a timer fires: after a duration, at a date, or again and again. ``value`` gives the text of either."""

    value: Expression
    is_date: bool = False
    is_cycle: bool = False
    counting: DayCounting = DayCounting.CLOCK

    def due_at(self, *, variables: Mapping[str, object], now: datetime, calendar: Callable[[], Calendar]) -> datetime:
        """Give when the timer fires; raises ValueError when the expression gives no duration or date."""
        if self.is_cycle:
            return self.cycle(variables, now=now, calendar=calendar).first(now, self.counting, calendar)
        duration = self.duration(variables, now=now)
        if duration is None:
            found = self.value.evaluate(variables, now=now)
            if isinstance(found, datetime):
                return found if found.tzinfo else found.replace(tzinfo=calendar().tz)
            return parse_moment(str(found), zone=calendar().tz)
        if self.counting is DayCounting.WORKING and not duration.is_whole_days:
            raise ValueError(f"{self.value.text} is not a number of whole days, which working days need")
        return due_after(duration, start=now, counting=self.counting, calendar=calendar)

    def duration(self, variables: Mapping[str, object], *, now: datetime) -> Duration | None:
        """Give the duration this rule waits, None when it names a date; raises ValueError when it is no duration."""
        if self.is_date or self.is_cycle:
            return None
        found = self.value.evaluate(variables, now=now)
        if isinstance(found, timedelta):
            return Duration(days=found.days, seconds=found.seconds + found.microseconds / 1e6)
        return Duration.parse(str(found))

    def after(self, every: Duration, start: datetime, *, calendar: Callable[[], Calendar]) -> datetime:
        """Give when a cycle fires again."""
        return due_after(every, start=start, counting=self.counting, calendar=calendar)

    def cycle(self, variables: Mapping[str, object], *, now: datetime, calendar: Callable[[], Calendar]) -> Cycle:
        """Give how often and how far apart a cycle fires; raises ValueError when it is none."""
        return Cycle.parse(str(self.value.evaluate(variables, now=now)), zone=calendar().tz)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRule:
    name: str
    correlation: Expression | None = None  # the business key when not given


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkRule:
    """What a user task asks of people; texts may be FEEL."""

    kind: Expression
    department: Expression
    division: Expression
    right: Expression
    item: Expression
    priority: int = 0
    outcomes: tuple[str, ...] = ()
    due: TimerRule | None = None
    yellow: Duration | None = None
    escalate_after: TimerRule | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRule:
    """Which handler does the work of a service or send task; ``backoff`` doubles with each try."""

    handler: str
    retries: int = 5
    backoff: Duration = field(default_factory=lambda: Duration(seconds=30))


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopRule:
    """How often an activity runs: for each of a collection or so many times (at once or in turn), or while a condition holds."""

    sequential: bool = False
    cardinality: Expression | None = None
    collection: Expression | None = None
    element: str = ""  # the variable that holds the item
    output: str = ""  # the variable of the parent that becomes the list of results
    result: Expression | None = None  # what each run adds to it
    until: Expression | None = None  # the completion condition
    while_: Expression | None = None  # of a standard loop
    test_before: bool = False
    most: int | None = None  # loopMaximum

    @property
    def is_standard(self) -> bool:
        return self.cardinality is None and self.collection is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """What begins when a process, a sub-process or a called process begins."""

    starts: tuple[str, ...] = ()
    events: tuple[str, ...] = ()  # event sub-processes in it
    own: tuple[str, ...] = ()  # variables that live and end with it (data objects)


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    id: str
    kind: NodeKind
    tag: str
    name: str = ""
    line: int = 0
    incoming: tuple[Flow, ...] = ()
    outgoing: tuple[Flow, ...] = ()
    default: str | None = None
    attached_to: str | None = None
    interrupting: bool = True
    boundary: tuple[str, ...] = ()
    lane: str = ""
    timer: TimerRule | None = None
    message: MessageRule | None = None
    code: str | None = None  # of an error or escalation; None catches every code
    parent: str = ""  # the sub-process or call activity it is in; "" is the process
    loop: LoopRule | None = None
    script: Expression | None = None
    output: Expression | None = None  # what a called process gives back
    compensation: str = ""  # the activity that undoes this one
    compensates: str = ""  # of a compensation throw event: only this activity
    for_compensation: bool = False
    trigger: str = ""  # of the start of an event sub-process: timer, message, error or escalation
    calls: str = ""  # the process that a call activity calls
    hidden: bool = False  # made by the reader, not drawn
    work: WorkRule | None = None
    service: ServiceRule | None = None
    decision: tuple[str, str] | None = None  # (resource, id of the decision)
    input: Expression | None = None
    result: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def waits(self) -> bool:
        return self.kind in WAITING or self.kind in CONTAINERS or self.loop is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessDefinition:
    """One executable process of one file. ``code`` is the process's id, ``xml`` the file's bytes with its drawing."""

    code: str
    name: str
    file: str
    digest: str
    xml: bytes
    start: str
    nodes: Mapping[str, Node]
    flows: Mapping[str, Flow]
    containers: Mapping[str, Container] = field(default_factory=dict)  # by the activity's id; "" is the process
    message_starts: tuple[str, ...] = ()
    timer_starts: tuple[str, ...] = ()
    compensates: bool = False  # something in it can be undone
    has_drawing: bool = False
    lanes: Mapping[str, str] = field(default_factory=dict)
    # For each inclusive gateway: which of its incoming flows a token at an element can still reach (see `reach_of`).
    reach: Mapping[str, Mapping[str, frozenset[str]]] = field(default_factory=dict)

    @property
    def handlers(self) -> frozenset[str]:
        return frozenset(n.service.handler for n in self.nodes.values() if n.service and n.service.handler)

    @property
    def decisions(self) -> frozenset[tuple[str, str]]:
        return frozenset(n.decision for n in self.nodes.values() if n.decision)


def reach_of(gateway: Node, nodes: Mapping[str, Node]) -> dict[str, frozenset[str]]:
    """Say for each element which incoming flows of ``gateway`` a token there can reach without passing ``gateway``.

    An inclusive join waits for a token only if it can still bring one to an empty flow (BPMN 2.0 clause 13.4.3, the inclusive
    gateway's activation). Cost: one walk backwards per incoming flow, at compile time.
    """
    found: dict[str, set[str]] = {}
    for flow in gateway.incoming:
        todo, seen = [flow.source], {gateway.id}
        while todo:
            here = todo.pop()
            if here in seen:
                continue
            seen.add(here)
            found.setdefault(here, set()).add(flow.id)
            node = nodes[here]
            todo.extend(f.source for f in node.incoming)
            if node.kind in BOUNDARY and node.attached_to:
                todo.append(node.attached_to)
    return {key: frozenset(value) for key, value in found.items()}
