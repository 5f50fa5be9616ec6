"""A definition as the interpreter walks it: nodes and flows, compiled once, frozen, shared by all instances of the digest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from furong.domains.processes.values.elements import BOUNDARY, WAITING, NodeKind
from furong.domains.processes.values.times import DayCounting, Duration, due_after, parse_moment
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
    """When a timer fires: after a duration, or at a date. ``value`` gives the text of either."""

    value: Expression
    is_date: bool = False
    counting: DayCounting = DayCounting.CLOCK

    def due_at(self, *, variables: Mapping[str, object], now: datetime, calendar: Callable[[], Calendar]) -> datetime:
        """Give when the timer fires; raises ValueError when the expression gives no duration or date."""
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
        if self.is_date:
            return None
        found = self.value.evaluate(variables, now=now)
        if isinstance(found, timedelta):
            return Duration(days=found.days, seconds=found.seconds + found.microseconds / 1e6)
        return Duration.parse(str(found))


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
    error_code: str | None = None  # of a boundary error event; None catches every code
    work: WorkRule | None = None
    service: ServiceRule | None = None
    decision: tuple[str, str] | None = None  # (resource, id of the decision)
    input: Expression | None = None
    result: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def waits(self) -> bool:
        return self.kind in WAITING


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
    message_starts: tuple[str, ...] = ()
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
