"""A worker or its connection ends at every point of a nested scenario: before and after each statement and each commit.

Whoever asked asks again, as people, gateways and workers do. In the end the log, the variables and the closed tasks are those
of a run that nothing disturbed, and no row is left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import connection
from django.db.utils import Error as DatabaseFault

from furong.domains.processes import commands, ports
from furong.domains.processes.errors import InstanceUnknown, MessageUnexpected, TaskAlreadyDone, TaskUnknown
from furong.foundation.codes.ids import new_id
from tests.domains.processes.diagrams import bpmn
from tests.domains.processes.drawing import boundary, diagram, process, sub
from tests.domains.processes.support import NOW, SYSTEM, invariants, publish, rows, state_is_empty

pytestmark = pytest.mark.usefixtures("database")
ALREADY = (TaskAlreadyDone, TaskUnknown, MessageUnexpected, InstanceUnknown)


class PulledPlugError(BaseException):
    """Stands for whatever ends a worker; nothing in the room may catch it."""


@dataclass
class Fault:
    """Strikes at the ``number``-th point, ``before`` it or after it, by ending the worker or (``cut``) its connection."""

    number: int
    before: bool
    cut: bool
    seen: int = 0

    def around(self, act: Callable[[], Any]) -> Any:
        self.seen += 1
        hit = self.seen == self.number
        if hit and self.before:
            self.strike()
        result = act()
        if hit and not self.before:
            self.strike()
        return result

    def strike(self) -> None:
        if not self.cut:
            raise PulledPlugError
        raw = connection.connection
        with psycopg.connect(raw.info.dsn, password=raw.info.password, autocommit=True) as other:
            pid = raw.info.backend_pid
            with _real():
                other.execute("SELECT pg_terminate_backend(%s)", [pid])
                while other.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [pid]).fetchone():
                    pass
        if not self.before:
            raise psycopg.OperationalError("the reply was lost")


_REAL = (psycopg.Cursor.execute, psycopg.Connection.commit)


@contextmanager
def _real() -> Iterator[None]:
    now = (psycopg.Cursor.execute, psycopg.Connection.commit)
    psycopg.Cursor.execute, psycopg.Connection.commit = _REAL  # type: ignore[method-assign]
    try:
        yield
    finally:
        psycopg.Cursor.execute, psycopg.Connection.commit = now  # type: ignore[method-assign]


@contextmanager
def striking(fault: Fault) -> Iterator[None]:
    def execute(self: Any, *args: Any, **kwargs: Any) -> Any:
        return fault.around(lambda: _REAL[0](self, *args, **kwargs))

    def commit(self: Any) -> None:
        fault.around(lambda: _REAL[1](self))

    psycopg.Cursor.execute = execute  # type: ignore[method-assign]
    psycopg.Connection.commit = commit  # type: ignore[method-assign]
    try:
        yield
    finally:
        psycopg.Cursor.execute, psycopg.Connection.commit = _REAL  # type: ignore[method-assign]


# --- scenarios --------------------------------------------------------------------------------------------------------------


@dataclass
class Case:
    """One instance, and the moment its people and workers have come to."""

    instance: UUID
    key: str
    at: Any = NOW

    def task(self, element: str) -> UUID | None:
        found = rows(
            "SELECT id FROM processes_task WHERE instance_id = %s AND element_id = %s ORDER BY token",
            self.instance,
            element,
        )
        return found[0][0] if found else None


Act = Callable[[Case], None]


def done(element: str, **variables: object) -> Callable[[Case], Act]:
    """Do the oldest task of an element; the page that was opened before names it also when it is sent again."""

    def opened(case: Case) -> Act:
        task = case.task(element)
        assert task is not None, f"{element} is not open"
        return lambda case: commands.complete_task(task_id=task, variables=variables, actor=SYSTEM, now=case.at)

    return opened


def told(message: str) -> Callable[[Case], Act]:
    def send(case: Case) -> None:
        commands.deliver_message(name=message, correlation=case.key, payload={"told": 1}, actor=SYSTEM, now=case.at)

    return lambda case: send


def timers(case: Case) -> Act:
    """Let the worker's loop run until no timer is due."""
    case.at += timedelta(days=3)

    def run(case: Case) -> None:
        while rows("SELECT 1 FROM processes_timer WHERE due_at <= %s", case.at):
            if not commands.run_due_timers(now=case.at):
                case.at += timedelta(minutes=2)  # one that failed is tried again later

    return run


def jobs(case: Case) -> Act:
    """Let workers run until no job is left; what one that died had in hand is taken again when its lease is over."""

    def run(case: Case) -> None:
        while rows("SELECT 1 FROM processes_job WHERE state <> 'incident'"):
            case.at += timedelta(hours=7)
            commands.run_due_jobs(now=case.at)

    return run


def withdrawn(case: Case) -> Act:
    return lambda case: commands.cancel_process(
        instance_id=case.instance, reason="withdrawn", actor=SYSTEM, now=case.at
    )


OUTPUT = (
    '<multiInstanceLoopCharacteristics furong:collection="[1, 2, 3]" furong:element="n" furong:output_collection="all" '
    'furong:output_element="n + given"/>'
)
BOOKED = bpmn(
    """<startEvent id="s"/><userTask id="book"/><userTask id="pay"/><userTask id="unbook" isForCompensation="true"/>
    <userTask id="repay" isForCompensation="true"/><userTask id="after"/><endEvent id="e"/>
    <boundaryEvent id="b1" attachedToRef="book"><compensateEventDefinition/></boundaryEvent>
    <boundaryEvent id="b2" attachedToRef="pay"><compensateEventDefinition/></boundaryEvent>
    <association id="l1" associationDirection="One" sourceRef="b1" targetRef="unbook"/>
    <association id="l2" associationDirection="One" sourceRef="b2" targetRef="repay"/>
    <intermediateThrowEvent id="undo"><compensateEventDefinition/></intermediateThrowEvent>""",
    "s -> book\nbook -> pay\npay -> after\nafter -> undo\nundo -> e",
)
CALL = '<callActivity id="call" calledElement="q"/>'
SERVICE = '<serviceTask id="w" furong:handler="x.effect" furong:result="got"/>'
PAIR = "s1 -> p1 -> a -> e1; p1 -> b -> e2"

Step = Callable[[Case], Act]
SCENARIOS: dict[str, tuple[bytes, list[Step]]] = {
    "three runs with what they give": (
        diagram("s -> a -> d -> e", f'<userTask id="a" name="a">{OUTPUT}</userTask>'),
        [done("a", given=1), done("a", given=2), done("a", given=3), done("d")],
    ),
    "a timer on a sub-process": (
        diagram("s -> sub -> d -> e; late -> c -> e3", sub("sub", PAIR), boundary("late", "sub", "timer")),
        [done("a"), timers, done("c")],
    ),
    "a message on a sub-process": (
        diagram("s -> sub -> d -> e; news -> c -> e3", sub("sub", PAIR), boundary("news", "sub", "message:N")),
        [done("b"), told("N"), done("c")],
    ),
    "a called process with a service": (
        diagram("s -> call -> d -> e", CALL, other=process("q", "s5 -> a -> w -> e5", SERVICE)),
        [done("call/a"), jobs, done("d")],
    ),
    "an event sub-process": (
        diagram("s -> sub -> d -> e", sub("sub", "s1 -> a -> e1", sub("on", "s9 -> c -> e9", event="message:N"))),
        [told("N"), done("c"), done("d")],
    ),
    "what was done is undone": (BOOKED, [done("book"), done("pay"), done("after"), done("repay"), done("unbook")]),
    "what was done is undone when it is withdrawn": (
        BOOKED,
        [done("book"), done("pay"), withdrawn, done("repay"), done("unbook")],
    ),
    "a withdrawal with everything inside": (
        diagram(
            "s -> sub -> d -> e; late -> c -> e3",
            sub("sub", PAIR + "; p1 -> w -> e4", SERVICE, repeated=OUTPUT.replace("given", "1")),
            boundary("late", "sub", "timer"),
        ),
        [done("a"), withdrawn],
    ),
}


def play(name: str, fault: Fault) -> dict[str, object]:
    """Play a scenario on a new instance with a fault in it; give what is left in the end."""
    xml, steps = SCENARIOS[name]
    key = f"case-{new_id()}"
    effects: set[UUID] = set()

    def effect(call: ports.ServiceCall) -> dict[str, object]:
        effects.add(call.effect_id)
        return {"done": True}

    ports.wiring().handlers["x.effect"] = (effect, False)
    instance = commands.start_process(
        definition_digest=publish(xml).digest, business_key=key, variables={}, actor=SYSTEM, now=NOW
    )
    case = Case(instance, key)
    for step in steps:
        act = step(case)
        with striking(fault):
            struck = _once(act, case)
        if struck:
            with suppress(*ALREADY):  # it was done, and only the answer was lost
                act(case)
        invariants()
    state_is_empty()
    assert len(effects) <= 1, "an effect had two names"
    return final(instance)


def _once(act: Act, case: Case) -> bool:
    try:
        act(case)
    except PulledPlugError:
        return True
    except (DatabaseFault, psycopg.Error):
        connection.close()
        return True
    return False


def final(instance: UUID) -> dict[str, object]:
    (kept,) = rows("SELECT variables::text, ending, reason FROM processes_instance_ended WHERE id = %s", instance)
    return {
        "instance": kept,
        "log": rows(
            "SELECT kind, element_id, arrived_by, token FROM processes_log WHERE instance_id = %s ORDER BY id", instance
        ),
        "tasks": rows(
            "SELECT element_id, token, ending, outcome FROM processes_task_closed WHERE instance_id = %s ORDER BY 2, 1",
            instance,
        ),
    }


def strike(name: str, *, cut: bool, step: int) -> None:
    """Strike at each ``step``-th point, before and after it."""
    calm = Fault(0, before=True, cut=cut)
    expected = play(name, calm)
    assert calm.seen > 10
    for number in range(1 + cut % step, calm.seen + 1, step):
        for before in (True, False):
            fault = Fault(number, before=before, cut=cut)
            assert play(name, fault) == expected, f"point {number} of {calm.seen}, before={before}"
            assert fault.seen >= number


# each third point, another third for either fault; every point in the soak
STEPS = pytest.mark.parametrize("step", [3, pytest.param(1, marks=pytest.mark.soak)])


@STEPS
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_worker_that_ends_at_any_point_changes_nothing(name: str, step: int) -> None:
    strike(name, cut=False, step=step)


@STEPS
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_connection_that_ends_at_any_point_changes_nothing(name: str, step: int) -> None:
    strike(name, cut=True, step=step)
