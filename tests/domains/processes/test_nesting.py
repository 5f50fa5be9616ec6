"""Activities inside others, on rows: sub-processes, called processes, repetition, events, errors, compensation."""
# ruff: noqa: E501 - a diagram reads better when an element is not broken

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from furong.domains.processes import commands, ports, queries
from furong.domains.processes.interpreter import LogKind
from tests.domains.processes.diagrams import bpmn
from tests.domains.processes.support import NOW, SYSTEM, begin, finish, invariants, open_tasks, rows

pytestmark = pytest.mark.usefixtures("database")

LATER = NOW + timedelta(days=2)


def inside(name: str, elements: str, flows: str, attributes: str = "") -> str:
    """A sub-process of elements and flows, drawn like `bpmn` does."""
    whole = bpmn(elements, flows).decode().splitlines()[2:-2]
    return f'<subProcess id="{name}" {attributes}>' + "".join(whole) + "</subProcess>"


def done(instance: UUID) -> str:
    """How an instance ended, "" while it runs; what must hold between two steps is looked at too."""
    invariants()
    return queries.get_instance(instance_id=instance).ending


def variables(instance: UUID) -> dict[str, Any]:
    return dict(queries.get_instance(instance_id=instance).variables)


def log(instance: UUID, *kinds: LogKind) -> list[str]:
    wanted = kinds or (LogKind.PASSED, LogKind.COMPLETED)
    return [entry.element_id for entry in queries.list_log(instance_id=instance) if entry.kind in wanted]


def waiting(instance: UUID) -> list[str]:
    invariants()
    return sorted(e for (e,) in rows("SELECT element_id FROM processes_task WHERE instance_id = %s", instance))


def fire_due(at: Any = LATER) -> int:
    return commands.run_due_timers(now=at)


SUB = bpmn(
    """
    <startEvent id="s"/>
    """
    + inside(
        "sub",
        '<startEvent id="s1"/><parallelGateway id="f"/><userTask id="a"/><userTask id="b"/><endEvent id="e1"/><endEvent id="e2"/>',
        "s1 -> f\nf -> a\nf -> b\na -> e1\nb -> e2",
    )
    + """
    <boundaryEvent id="late" attachedToRef="sub"><timerEventDefinition><timeDuration>P1D</timeDuration></timerEventDefinition></boundaryEvent>
    <userTask id="after"/>
    <userTask id="hurry"/>
    <endEvent id="e"/>
    """,
    "s -> sub\nsub -> after\nafter -> e\nlate -> hurry\nhurry -> e",
)


def test_a_sub_process_ends_when_nothing_in_it_is_left() -> None:
    instance = begin(SUB)
    assert waiting(instance) == ["a", "b"]
    finish(instance, "b")
    assert waiting(instance) == ["a"]
    finish(instance, "a", found=1)
    assert waiting(instance) == ["after"]
    assert rows("SELECT count(*) FROM processes_timer") == [(0,)]
    finish(instance, "after")
    assert done(instance) == "completed"
    assert variables(instance) == {"found": 1}
    assert log(instance) == ["s", "s1", "f", "b", "e2", "a", "e1", "sub", "after", "e"]
    assert rows("SELECT count(*) FROM processes_scope") == [(0,)]


def test_a_timer_cuts_a_sub_process_short_with_all_that_is_in_it() -> None:
    instance = begin(SUB)
    finish(instance, "a")
    assert fire_due() == 1
    assert waiting(instance) == ["hurry"]
    assert log(instance, LogKind.CANCELLED) == ["b", "sub"]
    finish(instance, "hurry")
    assert done(instance) == "completed"


def several(attributes: str = "", more: str = "", tag: str = "userTask") -> bytes:
    loop = f"<multiInstanceLoopCharacteristics {attributes}>{more}</multiInstanceLoopCharacteristics>"
    return bpmn(
        f"""
        <startEvent id="s"/>
        <{tag} id="a" furong:result="vote" furong:outcomes="yes no">{loop}</{tag}>
        <boundaryEvent id="late" attachedToRef="a"><timerEventDefinition><timeDuration>P1D</timeDuration></timerEventDefinition></boundaryEvent>
        <userTask id="after"/>
        <endEvent id="e"/>
        """,
        "s -> a\na -> after\nafter -> e\nlate -> e",
    )


VOTES = (
    'furong:collection="people" furong:element="person" furong:output_collection="votes" '
    'furong:output_element="{who: person, said: vote}"'
)


def tasks_of(instance: UUID, element: str) -> list[UUID]:
    found = rows(
        "SELECT id FROM processes_task WHERE instance_id = %s AND element_id = %s ORDER BY token", instance, element
    )
    return [key for (key,) in found]


def vote(task: UUID, outcome: str) -> None:
    commands.complete_task(task_id=task, outcome=outcome, variables={}, actor=SYSTEM, now=NOW)


def test_parallel_runs_have_their_own_item_and_give_a_list_in_the_order_of_the_collection() -> None:
    instance = begin(several(VOTES), people=["甲", "乙", "丙"])
    first, second, third = tasks_of(instance, "a")
    vote(third, "no")
    vote(first, "yes")
    assert waiting(instance) == ["a"]
    vote(second, "yes")
    assert waiting(instance) == ["after"]
    assert variables(instance)["votes"] == [
        {"who": "甲", "said": "yes"},
        {"who": "乙", "said": "yes"},
        {"who": "丙", "said": "no"},
    ]
    assert "vote" not in variables(instance)


def test_sequential_runs_come_one_after_the_other() -> None:
    instance = begin(several(VOTES + ' isSequential="true"'), people=["甲", "乙"])
    (first,) = tasks_of(instance, "a")
    vote(first, "yes")
    (second,) = tasks_of(instance, "a")
    vote(second, "no")
    assert waiting(instance) == ["after"]
    assert [one["said"] for one in variables(instance)["votes"]] == ["yes", "no"]


def test_a_completion_condition_cancels_the_runs_that_are_left() -> None:
    until = "<loopCardinality>5</loopCardinality><completionCondition>numberOfCompletedInstances &gt;= 2</completionCondition>"
    instance = begin(several("", until))
    tasks = tasks_of(instance, "a")
    assert len(tasks) == 5
    vote(tasks[0], "yes")
    vote(tasks[3], "no")
    assert waiting(instance) == ["after"]
    assert log(instance, LogKind.CANCELLED) == ["a"] * 3


def test_an_empty_collection_runs_nothing_and_goes_on() -> None:
    instance = begin(several(VOTES), people=[])
    assert waiting(instance) == ["after"]
    assert variables(instance)["votes"] == []


def test_a_collection_that_is_no_list_is_an_incident_that_can_be_skipped() -> None:
    instance = begin(several(VOTES), people="nobody")
    assert waiting(instance) == []
    (incident,) = rows("SELECT id, reason FROM processes_job WHERE state = 'incident'")
    assert incident[1] == "collection_no_list"


def test_a_timer_on_a_repeated_task_cancels_all_its_runs() -> None:
    instance = begin(several(VOTES), people=["甲", "乙"])
    vote(tasks_of(instance, "a")[0], "yes")
    assert fire_due() == 1
    assert done(instance) == "completed"
    assert rows("SELECT count(*) FROM processes_task") == [(0,)]


def test_runs_of_a_sub_process_keep_their_variables_apart() -> None:
    sub = inside(
        "sub",
        '<startEvent id="s1"/><userTask id="a"/><scriptTask id="double"><script>{twice: number * 2}</script></scriptTask><endEvent id="e1"/>'
        '<multiInstanceLoopCharacteristics furong:collection="[1, 2, 3]" furong:element="number" furong:output_collection="doubled" '
        'furong:output_element="twice"/>',
        "s1 -> a\na -> double\ndouble -> e1",
    )
    instance = begin(
        bpmn(f'<startEvent id="s"/>{sub}<userTask id="after"/><endEvent id="e"/>', "s -> sub\nsub -> after\nafter -> e")
    )
    for task in reversed(tasks_of(instance, "a")):
        commands.complete_task(task_id=task, actor=SYSTEM, now=NOW)
        invariants()
    assert waiting(instance) == ["after"]
    assert variables(instance) == {"doubled": [2, 4, 6]}


def test_a_standard_loop_runs_while_its_condition_holds() -> None:
    loop = "<standardLoopCharacteristics><loopCondition>count &lt; 3</loopCondition></standardLoopCharacteristics>"
    xml = bpmn(
        f"""<startEvent id="s"/>
        <scriptTask id="a" furong:result="count"><script>count + 1</script>{loop}</scriptTask>
        <userTask id="after"/><endEvent id="e"/>""",
        "s -> a\na -> after\nafter -> e",
    )
    instance = begin(xml, count=0)
    assert variables(instance) == {"count": 3}
    assert log(instance).count("a") == 3


CALLED = """<process id="inner" isExecutable="false">
<startEvent id="s"/><userTask id="a" furong:result="answer"/><endEvent id="e"/>
<sequenceFlow id="i1" sourceRef="s" targetRef="a"/><sequenceFlow id="i2" sourceRef="a" targetRef="e"/>
</process>"""


def test_a_called_process_has_its_own_variables_and_gives_back_what_is_asked_for() -> None:
    call = '<callActivity id="call" calledElement="inner" furong:input="{question: topic}" furong:output="{heard: answer}"/>'
    xml = bpmn(
        f'<startEvent id="s"/>{call}<userTask id="after"/><endEvent id="e"/>', "s -> call\ncall -> after\nafter -> e"
    )
    xml = xml.replace(
        b"</process>",
        b"</process>"
        + CALLED.encode().replace(b' id="s"', b' id="is"').replace(b'"s"', b'"is"').replace(b'"e"', b'"ie"'),
    )
    instance = begin(xml, topic="树")
    assert waiting(instance) == ["call/a"]
    finish(instance, "call/a", answer="木", secret="不外传")
    assert waiting(instance) == ["after"]
    assert variables(instance) == {"topic": "树", "heard": "木"}


ERRORS = '<error id="err" errorCode="NO_RECORD"/><escalation id="esc" escalationCode="ASK"/>'


def test_an_error_is_caught_around_the_sub_process_in_which_it_happens(wiring: ports.Wiring) -> None:
    def fails(call: ports.ServiceCall) -> None:
        from furong.domains.processes.errors import BpmnError

        raise BpmnError("NO_RECORD")

    ports.register_handler("x.fails", fails)
    sub = inside(
        "sub",
        '<startEvent id="s1"/><parallelGateway id="f"/><serviceTask id="w" furong:handler="x.fails"/><userTask id="b"/><endEvent id="e1"/><endEvent id="e2"/>',
        "s1 -> f\nf -> w\nf -> b\nw -> e1\nb -> e2",
    )
    xml = bpmn(
        f"""<startEvent id="s"/>{sub}
        <boundaryEvent id="caught" attachedToRef="sub"><errorEventDefinition errorRef="err"/></boundaryEvent>
        <userTask id="mend"/><endEvent id="e"/><endEvent id="e3"/>""",
        "s -> sub\nsub -> e\ncaught -> mend\nmend -> e3",
        more=ERRORS,
    )
    instance = begin(xml)
    assert commands.run_due_jobs(now=NOW) == 1
    assert waiting(instance) == ["mend"]
    assert variables(instance) == {"error_code": "NO_RECORD"}


def test_an_error_end_reaches_the_event_sub_process_of_its_scope_first() -> None:
    handler = inside(
        "handle",
        '<startEvent id="es"><errorEventDefinition/></startEvent><userTask id="look"/><endEvent id="ee"/>',
        "es -> look\nlook -> ee",
        'triggeredByEvent="true"',
    )
    xml = bpmn(
        f"""<startEvent id="s"/><parallelGateway id="f"/><userTask id="a"/><userTask id="b"/>
        <endEvent id="bad"><errorEventDefinition errorRef="err"/></endEvent><endEvent id="e"/>{handler}""",
        "s -> f\nf -> a\nf -> b\na -> bad\nb -> e",
        more=ERRORS,
    )
    instance = begin(xml)
    finish(instance, "a")
    assert waiting(instance) == ["look"]
    assert log(instance, LogKind.CANCELLED) == ["b"]
    finish(instance, "look")
    assert done(instance) == "completed"


def test_an_error_end_that_nothing_catches_is_an_incident_and_nothing_is_lost() -> None:
    xml = bpmn(
        '<startEvent id="s"/><userTask id="a"/><endEvent id="bad"><errorEventDefinition errorRef="err"/></endEvent>',
        "s -> a\na -> bad",
        more=ERRORS,
    )
    instance = begin(xml)
    finish(instance, "a")
    assert rows("SELECT reason, detail FROM processes_job") == [("error_uncaught", "NO_RECORD")]
    assert done(instance) == ""


@pytest.mark.parametrize("interrupting", [True, False])
def test_an_escalation_is_heard_around_and_interrupts_only_if_it_should(interrupting: bool) -> None:
    sub = inside(
        "sub",
        '<startEvent id="s1"/><userTask id="a"/><intermediateThrowEvent id="ask"><escalationEventDefinition escalationRef="esc"/>'
        '</intermediateThrowEvent><userTask id="b"/><endEvent id="e1"/>',
        "s1 -> a\na -> ask\nask -> b\nb -> e1",
    )
    cancel = "true" if interrupting else "false"
    xml = bpmn(
        f"""<startEvent id="s"/>{sub}
        <boundaryEvent id="heard" attachedToRef="sub" cancelActivity="{cancel}"><escalationEventDefinition escalationRef="esc"/></boundaryEvent>
        <userTask id="lead"/><endEvent id="e"/><endEvent id="e3"/>""",
        "s -> sub\nsub -> e\nheard -> lead\nlead -> e3",
        more=ERRORS,
    )
    instance = begin(xml)
    finish(instance, "a")
    assert waiting(instance) == (["lead"] if interrupting else ["b", "lead"])
    finish(instance, "lead")
    if not interrupting:
        finish(instance, "b")
    assert done(instance) == "completed"


def event_sub(trigger: str, interrupting: bool) -> bytes:
    handler = inside(
        "handle",
        f'<startEvent id="es" isInterrupting="{str(interrupting).lower()}">{trigger}</startEvent><userTask id="look"/><endEvent id="ee"/>',
        "es -> look\nlook -> ee",
        'triggeredByEvent="true"',
    )
    return bpmn(
        f'<startEvent id="s"/><userTask id="a"/><endEvent id="e"/>{handler}',
        "s -> a\na -> e",
        more='<message id="m" name="news"/>',
    )


NEWS = '<messageEventDefinition messageRef="m"/>'


def send() -> None:
    commands.deliver_message(name="news", correlation="case-1", payload={"told": True}, actor=SYSTEM, now=NOW)


def test_a_message_starts_an_event_sub_process_as_often_as_it_comes() -> None:
    instance = begin(event_sub(NEWS, interrupting=False))
    send()
    send()
    assert waiting(instance) == ["a", "look", "look"]
    finish(instance, "a")
    for task in tasks_of(instance, "look"):
        assert done(instance) == ""
        commands.complete_task(task_id=task, actor=SYSTEM, now=NOW)
    assert done(instance) == "completed"
    assert rows("SELECT count(*) FROM processes_subscription") == [(0,)]


def test_an_interrupting_event_sub_process_takes_the_place_of_what_ran() -> None:
    instance = begin(event_sub(NEWS, interrupting=True))
    send()
    assert waiting(instance) == ["look"]
    assert log(instance, LogKind.CANCELLED) == ["a"]
    finish(instance, "look")
    assert done(instance) == "completed"


def test_a_process_ends_without_its_event_sub_process_when_nothing_happened() -> None:
    instance = begin(event_sub(NEWS, interrupting=True))
    finish(instance, "a")
    assert done(instance) == "completed"
    assert rows("SELECT count(*) FROM processes_subscription") == [(0,)]


def test_a_cycle_fires_as_often_as_it_says() -> None:
    cycle = "<timerEventDefinition><timeCycle>R3/PT1H</timeCycle></timerEventDefinition>"
    xml = bpmn(
        f"""<startEvent id="s"/><userTask id="a"/><boundaryEvent id="t" attachedToRef="a" cancelActivity="false">{cycle}</boundaryEvent>
        <manualTask id="remind"/><endEvent id="e"/><endEvent id="e2"/>""",
        "s -> a\na -> e\nt -> remind\nremind -> e2",
    )
    instance = begin(xml)
    for hour in range(1, 7):
        fire_due(NOW + timedelta(hours=hour, minutes=1))
    assert log(instance).count("remind") == 3
    finish(instance, "a")
    assert done(instance) == "completed"


def test_terminate_ends_only_the_sub_process_it_lies_in() -> None:
    sub = inside(
        "sub",
        '<startEvent id="s1"/><parallelGateway id="f"/><userTask id="a"/><userTask id="b"/>'
        '<endEvent id="stop"><terminateEventDefinition/></endEvent><endEvent id="e2"/>',
        "s1 -> f\nf -> a\nf -> b\na -> stop\nb -> e2",
    )
    instance = begin(
        bpmn(f'<startEvent id="s"/>{sub}<userTask id="after"/><endEvent id="e"/>', "s -> sub\nsub -> after\nafter -> e")
    )
    finish(instance, "a")
    assert waiting(instance) == ["after"]
    assert log(instance, LogKind.CANCELLED) == ["b"]


UNDO = """
<startEvent id="s"/>
<manualTask id="book"/><boundaryEvent id="cb" attachedToRef="book"><compensateEventDefinition/></boundaryEvent>
<userTask id="unbook" isForCompensation="true"/>
<manualTask id="pay"/><boundaryEvent id="cp" attachedToRef="pay"><compensateEventDefinition/></boundaryEvent>
<userTask id="repay" isForCompensation="true"/>
<association id="x1" associationDirection="One" sourceRef="cb" targetRef="unbook"/>
<association id="x2" associationDirection="One" sourceRef="cp" targetRef="repay"/>
"""


def test_compensation_undoes_what_was_done_in_the_reverse_order() -> None:
    xml = bpmn(
        UNDO + """<userTask id="a"/><endEvent id="undo"><compensateEventDefinition/></endEvent>""",
        "s -> book\nbook -> pay\npay -> a\na -> undo",
    )
    instance = begin(xml)
    finish(instance, "a")
    assert waiting(instance) == ["repay"]
    finish(instance, "repay")
    assert waiting(instance) == ["unbook"]
    finish(instance, "unbook")
    assert done(instance) == "completed"
    assert log(instance, LogKind.COMPENSATED) == ["pay", "book"]


def test_withdrawal_runs_compensation_and_ends_cancelled() -> None:
    xml = bpmn(UNDO + '<userTask id="a"/><endEvent id="e"/>', "s -> book\nbook -> pay\npay -> a\na -> e")
    instance = begin(xml)
    commands.cancel_process(instance_id=instance, reason="withdrawn", actor=SYSTEM, now=NOW, undo=True)
    assert waiting(instance) == ["repay"]
    finish(instance, "repay")
    finish(instance, "unbook")
    assert done(instance) == "cancelled"
    assert rows("SELECT reason FROM processes_instance_ended") == [("withdrawn",)]


def test_what_was_done_in_a_sub_process_that_ended_is_undone_too() -> None:
    sub = inside("sub", UNDO.replace('id="s"', 'id="s1"') + '<endEvent id="e1"/>', "s1 -> book\nbook -> pay\npay -> e1")
    xml = bpmn(
        f'<startEvent id="s"/>{sub}<userTask id="a"/><intermediateThrowEvent id="undo"><compensateEventDefinition/></intermediateThrowEvent>'
        '<userTask id="after"/><endEvent id="e"/>',
        "s -> sub\nsub -> a\na -> undo\nundo -> after\nafter -> e",
    )
    instance = begin(xml)
    finish(instance, "a")
    finish(instance, "repay")
    finish(instance, "unbook")
    assert waiting(instance) == ["after"]
    finish(instance, "after")
    assert done(instance) == "completed"


def test_a_task_with_conditions_on_its_flows_takes_those_that_hold() -> None:
    xml = bpmn(
        '<startEvent id="s"/><userTask id="a" default="a-d"/><userTask id="b"/><userTask id="c"/><userTask id="d"/><endEvent id="e"/>',
        "s -> a\na -> b if x > 1\na -> c if x > 2\na -> d\nb -> e\nc -> e\nd -> e",
    )
    instance = begin(xml)
    finish(instance, "a", x=Decimal(3))
    assert waiting(instance) == ["b", "c"]
    other = begin(xml)
    finish(other, "a", x=0)
    assert waiting(other) == ["d"]


def test_a_link_goes_on_where_it_is_caught() -> None:
    xml = bpmn(
        """<startEvent id="s"/><intermediateThrowEvent id="to"><linkEventDefinition name="L"/></intermediateThrowEvent>
        <intermediateCatchEvent id="from"><linkEventDefinition name="L"/></intermediateCatchEvent><userTask id="a"/><endEvent id="e"/>""",
        "s -> to\nfrom -> a\na -> e",
    )
    assert waiting(begin(xml)) == ["a"]


def test_open_tasks_of_a_lane_go_to_the_lanes_department() -> None:
    xml = bpmn(
        """<laneSet id="ls"><lane id="l" name="公安" furong:department="police" furong:post_right="cases.handle"><flowNodeRef>a</flowNodeRef></lane></laneSet>
        <startEvent id="s"/><userTask id="a"/><endEvent id="e"/>""",
        "s -> a\na -> e",
    )
    instance = begin(xml)
    assert rows("SELECT department, right_code FROM processes_task WHERE id = %s", open_tasks(instance)["a"]) == [
        ("police", "cases.handle")
    ]
