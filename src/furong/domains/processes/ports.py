"""What the engine calls and what calls back: handlers, listeners and resolvers, registered in ``entrypoints.wiring``.

The engine knows no room above it. A process step calls what it needs through a handler; rooms above follow a process through a
listener, in the same transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from furong.domains.processes.errors import HandlerUnknownError
from furong.foundation.calendar.queries import current
from furong.foundation.calendar.values import Calendar


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceCall:
    """What a handler is given. ``effect_id`` stays the same however often the call is repeated; store it with the effect."""

    effect_id: UUID
    instance_id: UUID
    business_key: str
    definition_code: str
    element_id: str
    variables: Mapping[str, object]  # furong:input, or all variables
    organization_id: UUID | None
    division_code: str
    now: datetime

    @property
    def task_id(self) -> UUID:
        return self.effect_id


Handler = Callable[[ServiceCall], Mapping[str, object] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentRequest:
    """A user task looks for the organization that does it."""

    department: str
    division_code: str
    right: str
    owner_organization_id: UUID | None
    business_key: str
    element_id: str
    now: datetime
    # Shared by the requests and facts of one step: what a resolver or listener has found out and need not ask again in it.
    found: dict[object, Any] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    organization_id: UUID | None
    division_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFact:
    """A task that was created, completed, cancelled or escalated, as listeners learn of it."""

    task_id: UUID
    instance_id: UUID
    business_key: str
    definition_code: str
    element_id: str
    kind: str
    organization_id: UUID | None
    division_code: str
    now: datetime
    outcome: str = ""
    actor_id: UUID | None = None
    # As in `AssignmentRequest`. A listener that changes what stands there takes it out.
    found: dict[object, Any] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessFact:
    """A process that ended or was cancelled, with the variables it ended with."""

    instance_id: UUID
    business_key: str
    definition_code: str
    ending: str
    variables: Mapping[str, object]
    now: datetime


def _owner_does_it(request: AssignmentRequest) -> Assignment:
    return Assignment(organization_id=request.owner_organization_id, division_code=request.division_code)


def _nobody_works_there(account_id: UUID, organization_id: UUID | None) -> bool:
    return False


@dataclass(slots=True)
class Wiring:
    """What is registered in this process. Tests make their own and put it in place with `use`."""

    handlers: dict[str, tuple[Handler, bool]] = field(default_factory=dict)
    on_process_ended: list[Callable[[ProcessFact], None]] = field(default_factory=list)
    on_task_created: list[Callable[[TaskFact], None]] = field(default_factory=list)
    on_task_completed: list[Callable[[TaskFact], None]] = field(default_factory=list)
    on_task_cancelled: list[Callable[[TaskFact], None]] = field(default_factory=list)
    on_task_escalated: list[Callable[[TaskFact], None]] = field(default_factory=list)
    assign: Callable[[AssignmentRequest], Assignment] = _owner_does_it
    works_for: Callable[[UUID, UUID | None], bool] = _nobody_works_there
    defer: Callable[[UUID], None] | None = None
    calendar: Callable[[], Calendar] = current


_wiring = [Wiring()]


def wiring() -> Wiring:
    """Give what is registered."""
    return _wiring[0]


def use(new: Wiring) -> Wiring:
    """Put another registry in place, for a test, and give the one before."""
    before, _wiring[0] = _wiring[0], new
    return before


def register_handler(name: str, function: Handler, *, within_step: bool = False) -> None:
    """Register what a service task names in ``furong:handler``.

    ``within_step``: the handler only writes the platform's database, so it runs in the transaction that completes the task and
    its effect happens exactly once. Otherwise it runs between two transactions, may be repeated after a crash, and must give the
    same result for the same ``effect_id``. It returns variables, raises `BpmnError` for an outcome the diagram may catch, and
    anything else for a fault, which is retried and then becomes an incident. Raises ValueError when the name is taken.
    """
    if name in wiring().handlers and wiring().handlers[name][0] is not function:
        raise ValueError(f"The handler {name} is registered twice.")
    wiring().handlers[name] = (function, within_step)


def handler(name: str) -> tuple[Handler, bool]:
    """Give a handler and whether it runs within the step. Raises `HandlerUnknownError`."""
    found = wiring().handlers.get(name)
    if found is None:
        raise HandlerUnknownError(f"No handler is registered by the name {name}.")
    return found


def on_process_ended(listener: Callable[[ProcessFact], None]) -> None:
    """Call ``listener`` in the transaction in which a process ends (ending ``completed`` or ``cancelled``)."""
    wiring().on_process_ended.append(listener)


def on_task_created(listener: Callable[[TaskFact], None]) -> None:
    """Call ``listener`` in the transaction in which a user task opens."""
    wiring().on_task_created.append(listener)


def on_task_completed(listener: Callable[[TaskFact], None]) -> None:
    """Call ``listener`` in the transaction in which a user task is completed."""
    wiring().on_task_completed.append(listener)


def on_task_cancelled(listener: Callable[[TaskFact], None]) -> None:
    """Call ``listener`` in the transaction in which an open task is taken off the list without being done."""
    wiring().on_task_cancelled.append(listener)


def on_task_escalated(listener: Callable[[TaskFact], None]) -> None:
    """Call ``listener`` in the transaction in which a task that nobody answered is marked."""
    wiring().on_task_escalated.append(listener)


def resolve_assignments(resolver: Callable[[AssignmentRequest], Assignment]) -> None:
    """Let ``resolver`` say which organization does a user task; without one the process's owner does."""
    wiring().assign = resolver


def check_membership(works_for: Callable[[UUID, UUID | None], bool]) -> None:
    """Let ``works_for(account, organization)`` say to whom a task may be handed over."""
    wiring().works_for = works_for


def defer_jobs(defer: Callable[[UUID], None]) -> None:
    """Let ``defer(job id)`` bring a new job to a worker at once; without it `commands.run_due_jobs` finds it."""
    wiring().defer = defer
