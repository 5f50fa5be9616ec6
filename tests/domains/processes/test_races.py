"""Two workers want one thing: one wins, the other gets a clear refusal, and nothing happens twice."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from furong.domains.processes import commands, engine, ports, queries
from furong.domains.processes.errors import MessageUnexpected, TaskAlreadyDone, TaskClaimedByAnother
from furong.foundation.codes.ids import new_id
from tests.domains.processes.diagrams import DEPARTMENTS, SEQUENCE, bpmn
from tests.domains.processes.support import NOW, SYSTEM, begin, finish, invariants, open_tasks, rows, staff

pytestmark = pytest.mark.usefixtures("database")
ENDS = '<startEvent id="s"/>\n<endEvent id="e"/>'


def together(*acts: Callable[[], Any]) -> list[Any]:
    """Do all acts at the same moment, each on a thread and a connection of its own; give their results or exceptions."""
    barrier = threading.Barrier(len(acts))
    results: list[Any] = [None] * len(acts)

    def one(number: int) -> None:
        try:
            connection.ensure_connection()
            barrier.wait(20)
            results[number] = acts[number]()
        except Exception as exc:  # noqa: BLE001 - the test looks at it
            results[number] = exc
        finally:
            connection.close()

    threads = [threading.Thread(target=one, args=(number,)) for number in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive(), "a deadlock"
    return results


def kinds(results: list[Any]) -> Counter[str]:
    return Counter(type(result).__name__ for result in results)


@pytest.mark.parametrize("alone", [False, True], ids=["commands", "engine alone"])
def test_one_of_two_clerks_completes_a_task(alone: bool) -> None:
    for _ in range(5):
        instance = begin(SEQUENCE)
        task = open_tasks(instance)["a"]

        def act(task: Any = task) -> None:
            if alone:
                engine.complete_task(task_id=task, variables={}, now=NOW)
            else:
                commands.complete_task(task_id=task, actor=SYSTEM, now=NOW)

        results = together(act, act, act)
        assert kinds(results) == Counter(NoneType=1, TaskAlreadyDone=2)
        assert set(open_tasks(instance)) == {"b"}
        invariants()


@pytest.mark.parametrize("alone", [False, True], ids=["commands", "engine alone"])
def test_four_departments_at_one_moment_join_once(alone: bool) -> None:
    for _ in range(4):
        instance = begin(DEPARTMENTS, score=90)
        tasks = open_tasks(instance)

        def act(name: str, tasks: Any = tasks) -> None:
            if alone:
                engine.complete_task(task_id=tasks[name], variables={name: 1}, now=NOW)
            else:
                commands.complete_task(task_id=tasks[name], variables={name: 1}, actor=SYSTEM, now=NOW)

        results = together(*(lambda name=name: act(name) for name in ("t1", "t2", "t3", "t4")))
        assert kinds(results) == Counter(NoneType=4), results
        assert set(open_tasks(instance)) == {"approve"}
        assert set(queries.get_instance(instance_id=instance).variables) == {"score", "t1", "t2", "t3", "t4"}
        invariants()


def test_a_step_that_waited_for_another_sees_what_it_did() -> None:
    instance = begin(DEPARTMENTS, score=90)
    tasks = open_tasks(instance)
    for name in ("t3", "t4"):
        finish(instance, name)
    begun = threading.Event()
    failed: list[BaseException] = []

    def second() -> None:
        try:
            connection.ensure_connection()
            begun.set()
            commands.complete_task(task_id=tasks["t2"], actor=SYSTEM, now=NOW)
        except BaseException as exc:  # noqa: BLE001 - the test looks at it
            failed.append(exc)
        finally:
            connection.close()

    thread = threading.Thread(target=second)
    with transaction.atomic():
        commands.complete_task(task_id=tasks["t1"], actor=SYSTEM, now=NOW)
        thread.start()
        assert begun.wait(20)
        for _ in range(500):
            if rows("SELECT 1 FROM pg_locks WHERE NOT granted LIMIT 1"):
                break
            time.sleep(0.01)
        else:
            raise AssertionError("the second step did not wait for the first")
    thread.join(30)
    assert failed == []
    assert set(open_tasks(instance)) == {"approve"}
    invariants()


def test_one_of_two_clerks_claims_a_task(wiring: ports.Wiring) -> None:
    office = new_id()
    wiring.assign = lambda request: ports.Assignment(organization_id=office, division_code="430202")
    one, other = staff(office, "cases.handle"), staff(office, "cases.handle")
    for _ in range(4):
        task = open_tasks(begin(SEQUENCE))["a"]
        results = together(
            *(
                lambda actor=actor, task=task: commands.claim_task(task_id=task, actor=actor, now=NOW)
                for actor in (one, other)
            )
        )
        assert kinds(results) == Counter(NoneType=1, TaskClaimedByAnother=1)
        winner = one if results[0] is None else other
        assert queries.get_task(task_id=task).claimed_by == winner.account_id


def test_a_claim_and_a_completion_by_another_never_both_succeed(wiring: ports.Wiring) -> None:
    office = new_id()
    wiring.assign = lambda request: ports.Assignment(organization_id=office, division_code="430202")
    one, other = staff(office, "cases.handle"), staff(office, "cases.handle")
    for number in range(10):
        instance = begin(SEQUENCE)
        task = open_tasks(instance)["a"]

        def complete(task: Any = task, alone: bool = number % 2 == 0) -> None:
            if alone:
                engine.complete_task(task_id=task, variables={}, by=other.account_id, now=NOW)
            else:
                commands.complete_task(task_id=task, actor=other, now=NOW)

        claimed, completed = together(lambda task=task: commands.claim_task(task_id=task, actor=one, now=NOW), complete)
        if claimed is None:
            assert isinstance(completed, TaskClaimedByAnother)
        else:
            assert isinstance(claimed, TaskAlreadyDone)
            assert completed is None


def test_one_of_three_workers_fires_a_timer() -> None:
    content = bpmn(
        ENDS + '\n<intermediateCatchEvent id="t"><timerEventDefinition><timeDuration>PT1H</timeDuration>'
        "</timerEventDefinition></intermediateCatchEvent>",
        "s -> t\nt -> e",
    )
    instances = [begin(content) for _ in range(12)]
    later = NOW + timedelta(hours=2)
    results = together(*[lambda: commands.run_due_timers(now=later)] * 3)
    assert sum(results) == 12
    assert {queries.get_instance(instance_id=i).ending for i in instances} == {"completed"}
    assert rows("SELECT count(*) FROM processes_log WHERE element_id = 't' AND kind = 2") == [(12,)]


def test_a_timer_and_a_clerk_at_one_moment_leave_one_way_taken() -> None:
    content = bpmn(
        ENDS + '\n<userTask id="a"/>\n<boundaryEvent id="t" attachedToRef="a"><timerEventDefinition>'
        '<timeDuration>PT1H</timeDuration></timerEventDefinition></boundaryEvent>\n<userTask id="late"/>',
        "s -> a\na -> e\nt -> late\nlate -> e",
    )
    later = NOW + timedelta(hours=2)
    for _ in range(6):
        instance = begin(content)
        task = open_tasks(instance)["a"]
        done, fired = together(
            lambda task=task: commands.complete_task(task_id=task, actor=SYSTEM, now=later),
            lambda: commands.run_due_timers(now=later),
        )
        invariants()
        if done is None:
            assert queries.get_instance(instance_id=instance).ending == "completed"
            assert fired == 0
        else:
            assert isinstance(done, TaskAlreadyDone)
            assert fired == 1
            assert set(open_tasks(instance)) == {"late"}
            finish(instance, "late")


def test_a_message_sent_twice_at_one_moment_is_received_once() -> None:
    content = bpmn(
        ENDS + '\n<receiveTask id="a" messageRef="m"/>\n<userTask id="b"/>',
        "s -> a\na -> b\nb -> e",
        more='<message id="m" name="consent"/>',
    )
    for _ in range(4):
        instance = begin(content)

        def send() -> Any:
            return commands.deliver_message(name="consent", correlation="case-1", payload={}, actor=SYSTEM, now=NOW)

        results = together(send, send)
        assert sorted(kinds(results)) == ["MessageUnexpected", "UUID"]
        assert any(isinstance(result, MessageUnexpected) for result in results)
        assert set(open_tasks(instance)) == {"b"}
        finish(instance, "b")


def test_one_of_three_workers_calls_the_handler() -> None:
    calls: list[Any] = []
    ports.register_handler("x.y", lambda call: calls.append(call.effect_id))
    content = bpmn(ENDS + '\n<serviceTask id="a" furong:handler="x.y"/>', "s -> a\na -> e")
    instances = [begin(content) for _ in range(8)]
    results = together(*[lambda: commands.run_due_jobs(now=NOW)] * 3)
    assert sum(results) == 8
    assert len(calls) == len(set(calls)) == 8
    assert {queries.get_instance(instance_id=i).ending for i in instances} == {"completed"}


def test_two_publishers_of_one_code_number_their_versions() -> None:
    def publish(name: str) -> str:
        xml = SEQUENCE.replace("受理".encode(), name.encode())
        return commands.publish_definition(xml=xml, file="x.bpmn", code="c", actor=SYSTEM, now=NOW)

    results = together(*(lambda name=name: publish(name) for name in ("一", "二", "三")))
    assert kinds(results) == Counter(str=3), results
    assert [d.version for d in queries.list_definitions(code="c")] == [3, 2, 1]
