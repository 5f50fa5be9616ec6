"""A fault at every statement of every step: the state is what it was before, and the step can be made again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from furong.domains.processes import commands, ports, queries
from tests.domains.processes.diagrams import DEPARTMENTS, bpmn
from tests.domains.processes.support import NOW, SYSTEM, begin, finish, open_tasks, rows, whole_state

pytestmark = pytest.mark.usefixtures("database")


class PulledPlugError(BaseException):
    """Stands for whatever ends a worker between two statements; nothing in the room may catch it."""


@contextmanager
def fault_at(number: int, *, before: bool) -> Iterator[list[int]]:
    """Raise at the ``number``-th statement, before it is sent or after it was answered; yields how many were counted."""
    seen = [0]
    real = psycopg.Cursor.execute

    def execute(self: Any, *args: Any, **kwargs: Any) -> Any:
        seen[0] += 1
        hit = seen[0] == number
        if hit and before:
            raise PulledPlugError
        result = real(self, *args, **kwargs)
        if hit:
            raise PulledPlugError
        return result

    psycopg.Cursor.execute = execute  # type: ignore[method-assign]
    try:
        yield seen
    finally:
        psycopg.Cursor.execute = real  # type: ignore[method-assign]


def survives(act: Callable[[], object]) -> int:
    """Do ``act`` with a fault at each of its statements in turn; the state must stay. Then without. Gives how many there were."""
    number = 0
    while True:
        number += 1
        for before in (True, False):
            state = whole_state()
            with fault_at(number, before=before) as seen:
                try:
                    act()
                except PulledPlugError:
                    pass
                else:
                    assert seen[0] < number
                    return seen[0]
            assert whole_state() == state, f"statement {number} left a trace"


def test_a_completed_task_is_done_whole_or_not_at_all(wiring: ports.Wiring) -> None:
    heard: list[UUID] = []
    wiring.on_task_completed.append(lambda fact: heard.append(fact.task_id))
    instance = begin(DEPARTMENTS, score=90)
    for element in ("t1", "t2", "t3", "t4", "approve", "issue"):
        task = open_tasks(instance)[element]
        statements = survives(lambda task=task: commands.complete_task(task_id=task, actor=SYSTEM, now=NOW))
        assert statements >= 3
    assert queries.get_instance(instance_id=instance).ending == "completed"


def test_a_start_is_whole_or_not_at_all() -> None:
    begin(DEPARTMENTS)
    before = rows("SELECT count(*) FROM processes_instance")
    survives(lambda: commands.start_process(code="test", business_key="k", variables={}, actor=SYSTEM, now=NOW))
    assert rows("SELECT count(*) FROM processes_instance")[0][0] == before[0][0] + 1


def test_a_cancellation_is_whole_or_not_at_all() -> None:
    instance = begin(DEPARTMENTS)
    survives(lambda: commands.cancel_process(instance_id=instance, reason="withdrawn", actor=SYSTEM, now=NOW))
    assert queries.get_instance(instance_id=instance).ending == "cancelled"


WAITS = bpmn(
    """
    <startEvent id="s"/>
    <userTask id="a"/>
    <boundaryEvent id="t" attachedToRef="a"><timerEventDefinition>
    <timeDuration>PT1H</timeDuration></timerEventDefinition></boundaryEvent>
    <receiveTask id="r" messageRef="m"/>
    <serviceTask id="w" furong:handler="x.y" furong:result="got"/>
    <endEvent id="e"/>
    """,
    "s -> a\na -> e\nt -> r\nr -> w\nw -> e",
    more='<message id="m" name="consent"/>',
)


def test_timer_message_and_handler_survive_a_fault_at_each_statement(wiring: ports.Wiring) -> None:
    effects: set[UUID] = set()
    calls: list[UUID] = []

    def effect(call: ports.ServiceCall) -> dict[str, object]:
        calls.append(call.effect_id)
        effects.add(call.effect_id)  # a register that knows the effect id keeps it once
        return {"id": str(call.effect_id)}

    ports.register_handler("x.y", effect)
    instance = begin(WAITS)
    later = NOW + timedelta(hours=1)
    timer = rows("SELECT id FROM processes_timer")[0][0]
    from furong.domains.processes import waking

    survives(lambda: waking._fire_timer(timer_id=timer, actor=SYSTEM, now=later))
    assert open_tasks(instance) == {}
    survives(
        lambda: commands.deliver_message(name="consent", correlation="case-1", payload={}, actor=SYSTEM, now=later)
    )
    # A job's claim commits on its own, so the state may differ by that; it ends once all the same, however often it is cut.
    at = later
    for number in range(1, 40):
        whole = False
        with fault_at(number, before=number % 2 == 0) as seen:
            try:
                commands.run_due_jobs(now=at)
                whole = seen[0] < number
            except PulledPlugError:
                pass
        if whole:
            break
        at += timedelta(hours=7)
    else:
        raise AssertionError("no run was whole")
    assert len(calls) > 1
    assert queries.get_instance(instance_id=instance).ending == "completed"
    assert len(effects) == 1
    assert queries.get_instance(instance_id=instance).variables == {"got": {"id": str(calls[0])}}
    assert rows("SELECT count(*) FROM processes_log WHERE element_id = 'w' AND kind = 2") == [(1,)]


def test_claims_and_hand_overs_are_whole_or_not_at_all() -> None:
    instance = begin(DEPARTMENTS)
    task = open_tasks(instance)["t1"]
    survives(
        lambda: commands.change_deadline(task_id=task, due_at=NOW, yellow_at=NOW, reason="x", actor=SYSTEM, now=NOW)
    )
    finish(instance, "t1")
