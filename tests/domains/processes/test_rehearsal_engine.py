"""The rehearsal and the engine on rows are the same: for the same answers they write the same log, on random and nested diagrams."""
# ruff: noqa: E501 - a diagram reads better when an element is not broken

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from furong.domains.processes import commands, definitions, ports, queries
from furong.domains.processes.errors import BpmnError
from furong.domains.processes.rehearsal import Rehearsal
from furong.domains.processes.values import parse_bpmn
from tests.domains.processes.blocks import Block, blocks, draw
from tests.domains.processes.conftest import CALENDAR
from tests.domains.processes.diagrams import bpmn
from tests.domains.processes.support import NOW, SYSTEM, publish, rows
from tests.domains.processes.test_nesting import CALLED, SUB, UNDO, VOTES, inside, several
from tests.domains.processes.test_rehearsal import EVERYTHING, steps

pytestmark = pytest.mark.usefixtures("database")


def log_of(instance: UUID) -> list[tuple[Any, ...]]:
    return rows(
        "SELECT kind, element_id, arrived_by, token FROM processes_log WHERE instance_id = %s ORDER BY id", instance
    )


def open_in_rows(instance: UUID) -> dict[int, tuple[UUID, str]]:
    found = rows("SELECT token, id, element_id FROM processes_task WHERE instance_id = %s", instance)
    return {token: (key, element) for token, key, element in found}


def begin_both(xml: bytes, variables: Mapping[str, object]) -> tuple[UUID, Rehearsal]:
    published = publish(xml)
    instance = commands.start_process(
        definition_digest=published.digest, business_key="case-1", variables=variables, actor=SYSTEM, now=NOW
    )
    rehearsal = Rehearsal([parse_bpmn(xml)], now=NOW, calendar=CALENDAR)
    rehearsal.start(variables, business_key="case-1")
    return instance, rehearsal


def assert_same(instance: UUID, rehearsal: Rehearsal) -> None:
    """Compare log, variables and open tasks."""
    assert log_of(instance) == [(int(kind), *rest) for kind, *rest in rehearsal.main.log]
    assert {token: task.node.id for token, task in rehearsal.main.tasks.items()} == {
        token: element for token, (_, element) in open_in_rows(instance).items()
    }
    known = queries.get_instance(instance_id=instance)
    assert (known.variables, known.ending) == (rehearsal.main.variables, rehearsal.main.ending)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(block=blocks(), data=st.data())
def test_random_diagrams_go_the_same_way(block: Block, data: Any) -> None:
    drawn = draw(block, lambda n: data.draw(st.integers(0, n - 1)))
    instance, rehearsal = begin_both(drawn.xml, drawn.variables)
    done = 0
    while not rehearsal.is_over:
        there = open_in_rows(instance)
        token = data.draw(st.sampled_from(sorted(rehearsal.main.tasks)))
        key, element = there[token]
        # A loop goes round once more as long as hypothesis wants, but not for ever.
        again = done < 12 and data.draw(st.booleans())
        given_now = {f"again_{element}": again} if element in drawn.loops else {}
        commands.complete_task(task_id=key, variables=given_now, actor=SYSTEM, now=NOW)
        rehearsal.complete(element, variables=given_now, token=token)
        done += 1
    assert_same(instance, rehearsal)
    definitions.forget()


ESCALATION = '<error id="err" errorCode="NO_RECORD"/><escalation id="esc" escalationCode="ASK"/>'
NESTED: dict[str, tuple[bytes, dict[str, object]]] = {
    "a sub-process": (SUB, {}),
    "runs side by side": (several(VOTES), {"people": ["甲", "乙", "丙"]}),
    "runs until one says so": (
        several(VOTES, "<completionCondition>count(votes[item.said = &quot;no&quot;]) > 0</completionCondition>"),
        {"people": ["甲", "乙", "丙"]},
    ),
    "runs one after the other": (several(VOTES + ' isSequential="true"'), {"people": ["甲", "乙"]}),
    "runs of a sub-process": (
        bpmn(
            '<startEvent id="s"/>'
            + inside(
                "sub",
                '<startEvent id="s1"/><userTask id="a"/><scriptTask id="double"><script>{twice: number * 2}</script></scriptTask><endEvent id="e1"/>'
                '<multiInstanceLoopCharacteristics furong:collection="[1, 2, 3]" furong:element="number" furong:output_collection="doubled" furong:output_element="twice"/>',
                "s1 -> a\na -> double\ndouble -> e1",
            )
            + '<userTask id="after"/><endEvent id="e"/>',
            "s -> sub\nsub -> after\nafter -> e",
        ),
        {},
    ),
    "a call": (
        bpmn(
            '<startEvent id="s"/><callActivity id="call" calledElement="inner" furong:input="{question: topic}" furong:output="{heard: answer}"/>'
            '<userTask id="after"/><endEvent id="e"/>',
            "s -> call\ncall -> after\nafter -> e",
        ).replace(
            b"</process>",
            b"</process>"
            + CALLED.encode().replace(b' id="s"', b' id="is"').replace(b'"s"', b'"is"').replace(b'"e"', b'"ie"'),
        ),
        {"topic": "树"},
    ),
    "an escalation": (
        bpmn(
            '<startEvent id="s"/>'
            + inside(
                "sub",
                '<startEvent id="s1"/><userTask id="a"/><intermediateThrowEvent id="ask"><escalationEventDefinition escalationRef="esc"/></intermediateThrowEvent><userTask id="b"/><endEvent id="e1"/>',
                "s1 -> a\na -> ask\nask -> b\nb -> e1",
            )
            + '<boundaryEvent id="heard" attachedToRef="sub" cancelActivity="false"><escalationEventDefinition escalationRef="esc"/></boundaryEvent>'
            '<userTask id="lead"/><endEvent id="e"/><endEvent id="e3"/>',
            "s -> sub\nsub -> e\nheard -> lead\nlead -> e3",
            more=ESCALATION,
        ),
        {},
    ),
    "compensation": (
        bpmn(
            UNDO + '<userTask id="a"/><endEvent id="undo"><compensateEventDefinition/></endEvent>',
            "s -> book\nbook -> pay\npay -> a\na -> undo",
        ),
        {},
    ),
}


@pytest.mark.parametrize("name", NESTED)
@pytest.mark.parametrize("last", [False, True], ids=["first task first", "last task first"])
def test_what_nests_goes_the_same_way(name: str, last: bool) -> None:
    xml, known = NESTED[name]
    instance, rehearsal = begin_both(xml, known)
    for done in range(20):
        assert_same(instance, rehearsal)
        if rehearsal.is_over:
            return
        token = sorted(rehearsal.main.tasks)[-1 if last else 0]
        key, element = open_in_rows(instance)[token]
        work = rehearsal.main.tasks[token].node.work
        outcome = work.outcomes[done % 2] if work is not None and work.outcomes else ""
        given_now = {"answer": done}
        commands.complete_task(task_id=key, outcome=outcome, variables=given_now, actor=SYSTEM, now=NOW)
        rehearsal.complete(element, outcome=outcome, variables=given_now, token=token)
    raise AssertionError("the process does not end")


def test_a_withdrawal_undoes_the_same() -> None:
    xml = bpmn(UNDO + '<userTask id="a"/><endEvent id="e"/>', "s -> book\nbook -> pay\npay -> a\na -> e")
    instance, rehearsal = begin_both(xml, {})
    commands.cancel_process(instance_id=instance, reason="withdrawn", actor=SYSTEM, now=NOW, undo=True)
    rehearsal.cancel("withdrawn")
    for element in ("repay", "unbook"):
        assert_same(instance, rehearsal)
        ((key, name),) = open_in_rows(instance).values()
        assert name == element
        commands.complete_task(task_id=key, actor=SYSTEM, now=NOW)
        rehearsal.complete(element)
    assert_same(instance, rehearsal)
    assert rehearsal.main.ending == "cancelled"


def test_services_messages_and_timers_go_the_same_way(wiring: ports.Wiring) -> None:
    answers = iter([ValueError("a fault"), BpmnError("wrong")])

    def work(call: ports.ServiceCall) -> Mapping[str, object]:
        raise next(answers)

    ports.register_handler("test.work", work)
    instance, rehearsal = begin_both(EVERYTHING, {"key": "K7"})
    later = NOW + timedelta(minutes=1)
    commands.run_due_jobs(now=NOW)
    commands.run_due_jobs(now=later)
    steps(rehearsal, '{"service": "work", "fault": "ValueError"}', '{"advance": "PT1M"}')
    steps(rehearsal, '{"service": "work", "error": "wrong"}')
    commands.deliver_message(name="letter", correlation="K7", payload={"text": "x"}, actor=SYSTEM, now=later)
    steps(rehearsal, '{"message": "letter", "payload": {"text": "x"}}')
    three = NOW + timedelta(hours=3)
    assert commands.run_due_timers(now=three) == 1
    steps(rehearsal, '{"advance": "PT2H59M"}')
    for element, outcome in (("remind", ""), ("mend", ""), ("task", "no")):
        key = next(key for key, name in open_in_rows(instance).values() if name == element)
        commands.complete_task(task_id=key, outcome=outcome, actor=SYSTEM, now=three)
        rehearsal.complete(element, outcome=outcome)
    assert_same(instance, rehearsal)
