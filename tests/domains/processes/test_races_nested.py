"""Several workers want one thing inside a nested process: one wins, the others get a clear refusal, and no step is lost."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from furong.domains.processes import commands, engine, ports, queries
from furong.domains.processes.errors import InstanceUnknown, MessageUnexpected, TaskAlreadyDone, TaskUnknown
from tests.domains.processes.drawing import boundary, diagram, process, sub, task, times
from tests.domains.processes.support import NOW, SYSTEM, begin, finish, invariants, rows, state_is_empty
from tests.domains.processes.test_races import kinds, together

pytestmark = pytest.mark.usefixtures("database")
LATER = NOW + timedelta(days=2)
PAIR = "s1 -> p1 -> a -> e1; p1 -> b -> e2"
OUT = "s -> sub -> d -> e"
OUTPUT = (
    '<multiInstanceLoopCharacteristics furong:output_collection="all" furong:output_element="given">'
    "<loopCardinality>{}</loopCardinality></multiInstanceLoopCharacteristics>"
)
ROUNDS = 4


@pytest.fixture(autouse=True)
def _no_stack_trace(caplog: pytest.LogCaptureFixture) -> Any:
    """Nobody who loses a race leaves a fault in the log."""
    with caplog.at_level(logging.WARNING):
        yield
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


def tasks(instance: UUID, element: str) -> list[UUID]:
    found = rows(
        "SELECT id FROM processes_task WHERE instance_id = %s AND element_id = %s ORDER BY token", instance, element
    )
    return [key for (key,) in found]


def waiting(instance: UUID) -> Counter[str]:
    return Counter(name for (name,) in rows("SELECT element_id FROM processes_task WHERE instance_id = %s", instance))


def complete(key: UUID, *, alone: bool = False, **variables: object) -> Callable[[], None]:
    if alone:
        return lambda: engine.complete_task(task_id=key, variables=variables, now=NOW) and None
    return lambda: commands.complete_task(task_id=key, variables=variables, actor=SYSTEM, now=NOW)


@pytest.mark.parametrize("workers", [2, 8])
@pytest.mark.parametrize("alone", [False, True], ids=["commands", "engine alone"])
def test_one_of_many_completes_a_task_in_a_sub_process(workers: int, alone: bool) -> None:
    for _ in range(ROUNDS):
        instance = begin(diagram(OUT, sub("sub", PAIR)))
        (key,) = tasks(instance, "a")
        results = together(*[complete(key, alone=alone)] * workers)
        assert kinds(results) == Counter(NoneType=1, TaskAlreadyDone=workers - 1), results
        assert waiting(instance) == Counter(b=1)
        invariants()


@pytest.mark.parametrize("alone", [False, True], ids=["commands", "engine alone"])
def test_the_last_two_branches_of_a_sub_process_end_it_once(alone: bool) -> None:
    for _ in range(ROUNDS):
        instance = begin(diagram(OUT, sub("sub", PAIR)))
        results = together(*(complete(tasks(instance, name)[0], alone=alone) for name in "ab"))
        assert kinds(results) == Counter(NoneType=2), results
        assert waiting(instance) == Counter(d=1)
        assert rows("SELECT count(*) FROM processes_scope WHERE instance_id = %s", instance) == [(0,)]
        invariants()


@pytest.mark.parametrize("runs", [2, 8])
@pytest.mark.parametrize("alone", [False, True], ids=["commands", "engine alone"])
def test_the_last_runs_of_a_repeated_task_end_it_once_with_all_they_gave(runs: int, alone: bool) -> None:
    for _ in range(ROUNDS):
        instance = begin(diagram("s -> a -> d -> e", task("a", OUTPUT.format(runs))))
        keys = tasks(instance, "a")
        results = together(*(complete(key, alone=alone, given=n) for n, key in enumerate(keys)))
        assert kinds(results) == Counter(NoneType=runs), results
        assert waiting(instance) == Counter(d=1)
        assert queries.get_instance(instance_id=instance).variables == {"all": list(range(runs))}
        assert rows("SELECT count(*) FROM processes_log WHERE instance_id = %s AND element_id = 'd'", instance) == [
            (1,)
        ]
        invariants()


def test_two_runs_that_both_say_enough_end_it_once() -> None:
    for _ in range(ROUNDS):
        instance = begin(diagram("s -> a -> d -> e", task("a", times("4", until="enough"))), enough=False)
        first, second, *_ = tasks(instance, "a")
        results = together(complete(first, enough=True), complete(second, enough=True))
        assert kinds(results) == Counter(NoneType=1, TaskAlreadyDone=1), results
        assert waiting(instance) == Counter(d=1)
        invariants()


@pytest.mark.parametrize("workers", [2, 8])
def test_one_of_many_workers_fires_the_timer_of_a_sub_process(workers: int) -> None:
    instances = [
        begin(diagram(OUT + "; late -> c -> e3", sub("sub", PAIR), boundary("late", "sub", "timer"))) for _ in range(6)
    ]
    results = together(*[lambda: commands.run_due_timers(now=LATER)] * workers)
    assert sum(results) == len(instances), results
    for instance in instances:
        assert waiting(instance) == Counter(c=1)
    invariants()


def test_the_last_task_of_a_sub_process_and_its_timer_leave_one_way_taken() -> None:
    xml = diagram(OUT + "; late -> c -> e3", sub("sub", "s1 -> a -> e1"), boundary("late", "sub", "timer"))
    for _ in range(ROUNDS * 2):
        instance = begin(xml)
        (key,) = tasks(instance, "a")
        done, fired = together(complete(key), lambda: commands.run_due_timers(now=LATER))
        invariants()
        if done is None:
            assert fired == 0
            assert waiting(instance) == Counter(d=1)
            finish(instance, "d")
        else:
            assert isinstance(done, TaskAlreadyDone), done
            assert fired == 1
            assert waiting(instance) == Counter(c=1)
            finish(instance, "c")
    state_is_empty()


def test_a_completion_and_a_withdrawal_leave_nothing_open() -> None:
    xml = diagram(OUT, sub("sub", PAIR, repeated=times("3")))
    for _ in range(ROUNDS * 2):
        instance = begin(xml)
        key = tasks(instance, "a")[1]
        done, withdrawn = together(
            complete(key),
            lambda instance=instance: commands.cancel_process(
                instance_id=instance, reason="withdrawn", actor=SYSTEM, now=NOW
            ),
        )
        assert withdrawn is None
        assert done is None or isinstance(done, TaskAlreadyDone | TaskUnknown | InstanceUnknown), done
        assert queries.get_instance(instance_id=instance).ending == "cancelled"
        state_is_empty()
        endings = Counter(
            ending for (ending,) in rows("SELECT ending FROM processes_task_closed WHERE instance_id = %s", instance)
        )
        assert endings == (Counter(completed=1, cancelled=5) if done is None else Counter(cancelled=6))


def test_two_withdrawals_end_a_process_once() -> None:
    for _ in range(ROUNDS):
        instance = begin(diagram(OUT, sub("sub", PAIR)))
        act = lambda instance=instance: commands.cancel_process(  # noqa: E731 - twice the same
            instance_id=instance, reason="withdrawn", actor=SYSTEM, now=NOW
        )
        results = together(act, act)
        assert kinds(results) == Counter(NoneType=1, InstanceUnknown=1), results
        state_is_empty()


@pytest.mark.parametrize("workers", [2, 8])
def test_a_message_for_an_event_sub_process_is_received_once(workers: int) -> None:
    xml = diagram(OUT, sub("sub", "s1 -> a -> e1", sub("on", "s9 -> c -> e9", event="message:N")))
    for _ in range(ROUNDS):
        instance = begin(xml)

        def send() -> Any:
            return commands.deliver_message(name="N", correlation="case-1", payload={}, actor=SYSTEM, now=NOW)

        results = together(*[send] * workers)
        assert kinds(results) == Counter(UUID=1, MessageUnexpected=workers - 1), results
        assert any(isinstance(result, MessageUnexpected) for result in results)
        assert waiting(instance) == Counter(c=1)
        invariants()
        finish(instance, "c")
        finish(instance, "d")


def test_two_messages_for_one_that_listens_on_start_it_twice() -> None:
    xml = diagram(OUT, sub("sub", "s1 -> a -> e1", sub("on", "s9 -> c -> e9", event="message:N", interrupting=False)))
    for _ in range(ROUNDS):
        instance = begin(xml)

        def send() -> Any:
            return commands.deliver_message(name="N", correlation="case-1", payload={}, actor=SYSTEM, now=NOW)

        results = together(send, send)
        started = kinds(results)["UUID"]
        # Who finds the subscription taken a moment ago may be refused; it is never lost in silence.
        assert kinds(results) == Counter(
            {"UUID": started} | ({"MessageUnexpected": 2 - started} if started < 2 else {})
        )
        assert waiting(instance) == Counter(a=1, c=started)
        invariants()
        commands.cancel_process(instance_id=instance, reason="over", actor=SYSTEM, now=NOW)


@pytest.mark.parametrize("workers", [2, 8])
def test_one_of_many_workers_does_each_job_of_a_called_process(workers: int) -> None:
    calls: list[UUID] = []
    ports.register_handler("x.y", lambda call: calls.append(call.effect_id))
    call = f'<callActivity id="call" calledElement="q">{times("3")}</callActivity>'
    xml = diagram(
        "s -> call -> d -> e", call, other=process("q", "s5 -> w -> e5", '<serviceTask id="w" furong:handler="x.y"/>')
    )
    instance = begin(xml)
    results = together(*[lambda: commands.run_due_jobs(now=NOW)] * workers)
    assert sum(results) == 3, results
    assert len(calls) == len(set(calls)) == 3
    assert waiting(instance) == Counter(d=1)
    invariants()
