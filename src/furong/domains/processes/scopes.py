"""What a token carries and where it stands: tokens, scopes, and what one step changes. Plain data, no rules.

A scope is what runs inside an activity: a sub-process, a called process, the runs of a repeated activity and each of them, a
compensation. Scope 0 is the process itself and has no row. The activity's own token, the host, waits in the scope around it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum

from furong.domains.processes.values.graph import Node


class LogKind(IntEnum):
    """What the event log says of an element; kept in rows, so a number never changes its meaning."""

    ENTERED = 1
    COMPLETED = 2
    CANCELLED = 3
    PASSED = 4  # entered and completed in one moment
    STUCK = 5
    MERGED = 6  # a token that a join took into another
    STARTED = 7  # the instance
    ENDED = 8  # the instance
    MOVED = 9  # an administrator took the token elsewhere, or to another version
    COMPENSATED = 10  # what the element did was undone


class ScopeKind(IntEnum):
    """Why a scope is there; kept in rows, so a number never changes its meaning."""

    INSIDE = 1  # of a sub-process or an event sub-process
    CALLED = 2  # of a call activity: its variables are its own
    SEVERAL = 3  # a repeated activity: counts its runs
    ONE = 4  # one of its runs: the item and what the run assigns are its own
    UNDOABLE = 5  # an activity that is done and could be undone
    UNDOING = 6  # runs what undoes others, in the reverse order
    WITHDRAWAL = 7  # the same, when the whole instance is taken back


@dataclass(slots=True)
class Token:
    """Where an instance stands. ``number`` is its own within the instance; ``scope`` 0 is the process itself."""

    number: int
    element: str
    arrived_by: str = ""
    scope: int = 0
    stuck: bool = False  # an incident holds it until it is retried


@dataclass(slots=True)
class Scope:
    number: int  # of the same sequence as tokens
    parent: int
    element: str
    kind: ScopeKind
    host: int = 0  # the token that waits for it
    done: bool = False
    data: dict[str, object] = field(default_factory=dict)  # counters and the like
    variables: dict[str, object] | None = None  # its own; None has none
    fresh: bool = True  # has no row yet
    changed: bool = False


class Scopes(dict[int, Scope]):
    """The scopes of an instance by number; it also knows which lie directly inside which, so that none is searched for."""

    __slots__ = ("_inside",)

    def __init__(self, found: Iterable[Scope] = ()) -> None:
        super().__init__()
        self._inside: dict[int, dict[int, Scope]] = {}
        for scope in found:
            self.add(scope)

    def add(self, scope: Scope) -> None:
        self[scope.number] = scope
        self._inside.setdefault(scope.parent, {})[scope.number] = scope

    def take(self, number: int) -> Scope | None:
        """Take one scope away; those inside it stay."""
        scope = self.pop(number, None)
        if scope is not None:
            del self._inside[scope.parent][number]
        return scope

    def hand_over(self, scope: Scope, parent: int) -> None:
        """Let a scope lie inside another one from now on."""
        del self._inside[scope.parent][scope.number]
        scope.parent, scope.changed = parent, True
        self._inside.setdefault(parent, {})[scope.number] = scope

    def inside(self, number: int) -> list[Scope]:
        """Give the scopes directly inside a scope (0: the process itself), in the order in which they came."""
        return list(self._inside.get(number, {}).values())

    def clear(self) -> None:
        super().clear()
        self._inside.clear()


@dataclass(slots=True)
class OpenedTask:
    token: int
    node: Node


@dataclass(slots=True)
class OpenedTimer:
    token: int
    element: str
    due_at: datetime
    escalates: bool = False
    repeats: int | None = 0  # how often again after this; None is without end


@dataclass(slots=True)
class OpenedSubscription:
    token: int
    element: str
    message: str
    correlation: str


@dataclass(slots=True)
class OpenedJob:
    """Work for a worker: a handler's call, a message to send, or (``reason``) an element that is stuck until it is retried."""

    token: int | None
    element: str
    kind: str  # "handler", "message" or "element"
    message: str = ""
    correlation: str = ""
    payload: Mapping[str, object] | None = None
    reason: str = ""
    detail: str = ""


@dataclass(slots=True)
class Changes:
    """What one step did, for the store to write."""

    tasks: list[OpenedTask] = field(default_factory=list)
    timers: list[OpenedTimer] = field(default_factory=list)
    subscriptions: list[OpenedSubscription] = field(default_factory=list)
    jobs: list[OpenedJob] = field(default_factory=list)
    left: dict[int, tuple[Node, bool]] = field(default_factory=dict)  # token → (the element it left, completed?)
    unstuck: set[int] = field(default_factory=set)  # tokens whose incident is over
    log: list[tuple[LogKind, str, str, int]] = field(default_factory=list)  # kind, element, arrived by, token
    variables: dict[str, object] = field(default_factory=dict)


class PartlyLoadedError(Exception):
    """The step reaches scopes that were not read. Whoever runs it reads the whole instance and makes the step again."""
