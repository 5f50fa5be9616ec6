"""Commands on a real PostgreSQL: rights, claims, deadlines, timers, messages, service tasks, incidents, news."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from furong.domains.processes import commands, overseeing, ports, queries
from furong.domains.processes.errors import (
    BpmnError,
    DefinitionRefused,
    DefinitionUnknown,
    HandOverRefused,
    IncidentUnknown,
    InstanceUnknown,
    MessageUnexpected,
    OutcomeUnknown,
    ReasonMissing,
    TaskAlreadyDone,
    TaskClaimedByAnother,
    TaskNotClaimed,
    TaskUnknown,
    VariablesRefused,
)
from furong.domains.processes.values import ElementState, Light, PageKey, TaskFilters
from furong.domains.processes.waking import LEASE
from furong.foundation.access.errors import AccessRefused
from furong.foundation.access.values import Scope
from furong.foundation.codes.errors import Refusal
from furong.foundation.codes.ids import new_id
from tests.domains.processes.diagrams import DEPARTMENTS, SEQUENCE, bpmn
from tests.domains.processes.support import (
    NOW,
    SYSTEM,
    begin,
    finish,
    invariants,
    open_tasks,
    publish,
    rows,
    staff,
)

pytestmark = pytest.mark.usefixtures("database")
EVERYTHING = Scope(everything=True)
ENDS = '<startEvent id="s"/>\n<endEvent id="e"/>'


def ended(instance: UUID) -> str:
    return queries.get_instance(instance_id=instance).ending


# --- running --------------------------------------------------------------------------------------------------------------------


def test_four_departments_join_and_a_decision_follows_the_score() -> None:
    instance = begin(DEPARTMENTS)
    for element in ("t3", "t1", "t4"):
        finish(instance, element)
        invariants()
    assert set(open_tasks(instance)) == {"t2"}
    finish(instance, "t2", score=80)
    assert set(open_tasks(instance)) == {"approve"}
    finish(instance, "approve")
    finish(instance, "issue")
    assert ended(instance) == "completed"
    known = queries.get_instance(instance_id=instance)
    assert known.variables == {"score": 80}
    assert known.steps == 7
    invariants()


def test_the_default_is_taken_when_no_condition_is_true() -> None:
    instance = begin(DEPARTMENTS, score=10)
    for element in ("t1", "t2", "t3", "t4"):
        finish(instance, element)
    assert set(open_tasks(instance)) == {"reject"}


def test_a_running_case_keeps_the_version_it_began_with() -> None:
    old = begin(SEQUENCE)
    newer = SEQUENCE.replace('name="受理"'.encode(), 'name="受理二"'.encode())
    digest = commands.publish_definition(xml=newer, file="x.bpmn", code="test", actor=SYSTEM, now=NOW)
    assert [d.version for d in queries.list_definitions(code="test")] == [2, 1]
    new = commands.start_process(code="test", business_key="k", variables={}, actor=SYSTEM, now=NOW)
    assert queries.get_instance(instance_id=new).definition_digest == digest
    assert queries.get_instance(instance_id=old).definition_version == 1
    assert {t.title for t in queries.list_tasks_of(business_key="case-1")} == {"受理"}
    assert {t.title for t in queries.list_tasks_of(business_key="k")} == {"受理二"}


def test_publishing_the_same_bytes_again_gives_the_same_version() -> None:
    first = commands.publish_definition(xml=SEQUENCE, file="x.bpmn", code="c", actor=SYSTEM, now=NOW)
    assert commands.publish_definition(xml=SEQUENCE, file="x.bpmn", code="c", actor=SYSTEM, now=NOW) == first
    assert len(queries.list_definitions(code="c")) == 1


def test_a_published_definition_cannot_be_changed_even_by_sql() -> None:
    publish(SEQUENCE)
    with pytest.raises(Exception, match="immutable"), connection.cursor() as cursor:
        cursor.execute("UPDATE processes_definition SET name = 'other'")


def test_a_file_that_cannot_run_is_not_published() -> None:
    bad = SEQUENCE.replace(b"cases.handle", b"cases.handel")
    with pytest.raises(DefinitionRefused) as refused:
        commands.publish_definition(xml=bad, file="x.bpmn", code="c", actor=SYSTEM, now=NOW)
    assert [(f.rule, f.line) for f in refused.value.findings] == [("furong.attribute_value", 4)]
    with pytest.raises(DefinitionUnknown):
        commands.start_process(code="c", business_key="k", variables={}, actor=SYSTEM, now=NOW)


def test_variables_come_back_as_they_were_given() -> None:
    from decimal import Decimal

    instance = begin(SEQUENCE, number=Decimal("0.1000000000000000000001"), on=NOW.date(), deep={"a": [1, None, "六"]})
    assert queries.get_instance(instance_id=instance).variables == {
        "number": Decimal("0.1000000000000000000001"),
        "on": "2026-03-02",
        "deep": {"a": [1, None, "六"]},
    }


@pytest.mark.parametrize("value", [object(), float("nan"), "a" * 300_000, "nul\0"])
def test_variables_that_are_not_json_or_too_large_are_refused(value: object) -> None:
    instance = begin(SEQUENCE)
    with pytest.raises(VariablesRefused):
        finish(instance, "a", x=value)
    assert set(open_tasks(instance)) == {"a"}


# --- tasks ----------------------------------------------------------------------------------------------------------------------


def assigned(wiring: ports.Wiring) -> UUID:
    """Let every task go to one organization, and give it."""
    office = new_id()
    wiring.assign = lambda request: ports.Assignment(organization_id=office, division_code="430202")
    return office


def test_a_task_goes_to_the_organization_that_wiring_finds(wiring: ports.Wiring) -> None:
    asked: list[ports.AssignmentRequest] = []
    office = new_id()

    def find(request: ports.AssignmentRequest) -> ports.Assignment:
        asked.append(request)
        return ports.Assignment(organization_id=office, division_code="430202")

    wiring.assign = find
    instance = begin(SEQUENCE)
    task = queries.get_task(task_id=open_tasks(instance)["a"])
    assert (task.organization_id, task.division_code, task.kind) == (office, "430202", "acceptance")
    assert (asked[0].department, asked[0].right) == ("police", "cases.handle")


def test_what_a_resolver_has_found_out_serves_all_tasks_of_a_step_and_no_other_step(wiring: ports.Wiring) -> None:
    seen: list[dict[object, object]] = []

    def find(request: ports.AssignmentRequest) -> ports.Assignment:
        seen.append(dict(request.found))
        request.found[request.element_id] = True
        return ports.Assignment(organization_id=None, division_code="430202")

    wiring.assign = find
    for _ in range(2):
        seen.clear()
        instance = begin(DEPARTMENTS)
        assert len(seen) == len(open_tasks(instance)) > 1
        assert [len(found) for found in seen] == list(range(len(seen)))


def test_a_clerk_needs_the_right_over_the_organization(wiring: ports.Wiring) -> None:
    office = assigned(wiring)
    instance = begin(SEQUENCE)
    task = open_tasks(instance)["a"]
    stranger = staff(new_id(), "cases.handle")
    for act in (commands.claim_task, commands.complete_task, commands.release_task):
        with pytest.raises(AccessRefused):
            act(task_id=task, actor=stranger, now=NOW)
    clerk = staff(office, "cases.handle")
    commands.complete_task(task_id=task, actor=clerk, now=NOW)
    assert set(open_tasks(instance)) == {"b"}


def test_a_claimed_task_is_its_owners_alone(wiring: ports.Wiring) -> None:
    office = assigned(wiring)
    task = open_tasks(begin(SEQUENCE))["a"]
    one, other = staff(office, "cases.handle"), staff(office, "cases.handle")
    commands.claim_task(task_id=task, actor=one, now=NOW)
    commands.claim_task(task_id=task, actor=one, now=NOW)
    for act in (commands.claim_task, commands.complete_task, commands.release_task):
        with pytest.raises(TaskClaimedByAnother):
            act(task_id=task, actor=other, now=NOW)
    commands.release_task(task_id=task, actor=one, now=NOW)
    with pytest.raises(TaskNotClaimed):
        commands.release_task(task_id=task, actor=one, now=NOW)
    commands.complete_task(task_id=task, actor=other, now=NOW)
    for act in (commands.claim_task, commands.complete_task, commands.release_task):
        with pytest.raises(TaskAlreadyDone):
            act(task_id=task, actor=one, now=NOW)
    closed = queries.get_task(task_id=task)
    assert (closed.ending, closed.closed_by) == ("completed", other.account_id)


def test_a_task_is_handed_over_within_the_organization_with_a_reason(wiring: ports.Wiring) -> None:
    office = assigned(wiring)
    task = open_tasks(begin(SEQUENCE))["a"]
    one, other = staff(office, "cases.handle"), staff(office, "cases.handle")
    assert other.account_id is not None
    wiring.works_for = lambda account, organization: (account, organization) == (other.account_id, office)
    commands.claim_task(task_id=task, actor=one, now=NOW)
    with pytest.raises(ReasonMissing):
        commands.hand_over_task(task_id=task, to_account_id=other.account_id, reason=" ", actor=one, now=NOW)
    with pytest.raises(HandOverRefused):
        commands.hand_over_task(task_id=task, to_account_id=new_id(), reason="leave", actor=one, now=NOW)
    with pytest.raises(TaskClaimedByAnother):
        commands.hand_over_task(task_id=task, to_account_id=other.account_id, reason="mine", actor=other, now=NOW)
    commands.hand_over_task(task_id=task, to_account_id=other.account_id, reason="leave", actor=one, now=NOW)
    assert queries.get_task(task_id=task).claimed_by == other.account_id
    notes = rows("SELECT verb, by, reason FROM processes_task_note ORDER BY id")
    assert notes == [("claimed", one.account_id, ""), ("handed_over", one.account_id, "leave")]


def test_a_supervisor_takes_a_task_from_absent_hands_with_a_reason(wiring: ports.Wiring) -> None:
    office = assigned(wiring)
    task = open_tasks(begin(SEQUENCE))["a"]
    clerk, chief = staff(office, "cases.handle"), staff(office, "cases.handle", "cases.supervise")
    commands.claim_task(task_id=task, actor=clerk, now=NOW)
    with pytest.raises(ReasonMissing):
        commands.release_task(task_id=task, actor=chief, now=NOW)
    commands.release_task(task_id=task, reason="ill", actor=chief, now=NOW)
    assert queries.get_task(task_id=task).claimed_by is None


def test_an_outcome_that_the_diagram_does_not_know_is_refused() -> None:
    instance = begin(SEQUENCE)
    finish(instance, "a")
    with pytest.raises(OutcomeUnknown):
        finish(instance, "b", outcome="perhaps")
    finish(instance, "b", outcome="reject")
    assert queries.get_instance(instance_id=instance).variables["decision"] == "reject"


def test_a_task_that_never_was_is_unknown() -> None:
    with pytest.raises(TaskUnknown):
        commands.complete_task(task_id=new_id(), actor=SYSTEM, now=NOW)
    with pytest.raises(TaskUnknown):
        queries.get_task(task_id=new_id())


def test_a_deadline_counts_working_days_across_the_make_up_days_of_the_spring_festival() -> None:
    content = bpmn(ENDS + '\n<userTask id="a" furong:due="P3D"/>', "s -> a\na -> e")
    friday = datetime(2026, 2, 13, 2, 0, tzinfo=UTC)
    digest = publish(content).digest
    commands.start_process(definition_digest=digest, business_key="k", variables={}, actor=SYSTEM, now=friday)
    task = queries.list_tasks_of(business_key="k")[0]
    # Saturday 14 is a make-up day, 15 to 23 are holidays: the days are 14, 24 and 25; the last ends at midnight in Shanghai.
    assert task.due_at == datetime(2026, 2, 25, 16, 0, tzinfo=UTC)
    assert task.yellow_at == datetime(2026, 2, 24, 16, 0, tzinfo=UTC)
    assert [task.light(at) for at in (friday, task.yellow_at, task.due_at)] == [Light.GREEN, Light.YELLOW, Light.RED]


def test_a_deadline_moves_with_a_reason() -> None:
    instance = begin(SEQUENCE)
    task = open_tasks(instance)["a"]
    later = NOW + timedelta(days=9)
    with pytest.raises(ReasonMissing):
        commands.change_deadline(task_id=task, due_at=later, yellow_at=NOW, reason="", actor=SYSTEM, now=NOW)
    commands.change_deadline(task_id=task, due_at=later, yellow_at=NOW, reason="hearing", actor=SYSTEM, now=NOW)
    assert queries.get_task(task_id=task).due_at == later


def test_a_department_that_never_answers_is_escalated_once(wiring: ports.Wiring) -> None:
    content = bpmn(ENDS + '\n<userTask id="a" furong:escalate_after="P2D"/>', "s -> a\na -> e")
    told: list[ports.TaskFact] = []
    wiring.on_task_escalated.append(told.append)
    instance = begin(content)
    assert commands.run_due_timers(now=NOW + timedelta(hours=1)) == 0
    late = NOW + timedelta(days=3)
    assert commands.run_due_timers(now=late) == 1
    assert commands.run_due_timers(now=late) == 0
    task = queries.get_task(task_id=open_tasks(instance)["a"])
    assert (task.escalated_at, task.priority) == (late, 10)
    assert [fact.task_id for fact in told] == [task.id]
    assert rows("SELECT count(*) FROM events_outbox WHERE name = 'processes.task_escalated'") == [(1,)]
    page = queries.work_list(scope=EVERYTHING, now=late, filters=TaskFilters(escalated=True))
    assert [t.id for t in page.tasks] == [task.id]
    finish(instance, "a", now=late)
    assert ended(instance) == "completed"


# --- work lists -----------------------------------------------------------------------------------------------------------------


def test_a_work_list_shows_the_scope_alone_in_order_of_deadline_page_by_page(wiring: ports.Wiring) -> None:
    content = bpmn(ENDS + '\n<userTask id="a" furong:due="=due"/>', "s -> a\na -> e")
    digest = publish(content).digest
    mine, theirs = new_id(), new_id()
    for n in range(7):
        commands.start_process(
            definition_digest=digest,
            business_key=f"k{n}",
            variables={"due": f"P{7 - n}D"},
            organization_id=theirs if n == 3 else mine,
            division_code="430202" if n % 2 else "430300",
            actor=SYSTEM,
            now=NOW,
        )
    scope = Scope(organization_ids=frozenset({mine}))
    seen: list[str] = []
    after: PageKey | None = None
    while True:
        page = queries.work_list(scope=scope, now=NOW, page_size=2, after=after)
        seen += [task.business_key for task in page.tasks]
        if page.following is None:
            break
        after = PageKey.parse(page.following.text())
    assert seen == ["k6", "k5", "k4", "k2", "k1", "k0"]
    city = Scope(division_prefixes=("4302",))
    assert {t.business_key for t in queries.work_list(scope=city, now=NOW).tasks} == {"k1", "k3", "k5"}
    assert queries.work_list(scope=Scope(), now=NOW).tasks == ()
    later = NOW + timedelta(days=3)
    counts = queries.count_tasks(scope=scope, now=later)
    reds = queries.work_list(scope=scope, now=later, filters=TaskFilters(light=Light.RED)).tasks
    assert (counts.running, counts.overdue) == (6, len(reds))
    assert {t.business_key for t in reds} == {"k6", "k5"}
    everyone = {
        light: {t.id for t in queries.work_list(scope=scope, now=later, filters=TaskFilters(light=light)).tasks}
        for light in Light
    }
    assert sum(map(len, everyone.values())) == 6
    assert len(set().union(*everyone.values())) == 6


def test_counts_stop_at_their_bound() -> None:
    digest = publish(SEQUENCE).digest
    for n in range(5):
        commands.start_process(definition_digest=digest, business_key=str(n), variables={}, actor=SYSTEM, now=NOW)
    counts = queries.count_tasks(scope=EVERYTHING, now=NOW, most=3)
    assert (counts.running, counts.most) == (3, 3)


def test_filters_narrow_a_work_list(wiring: ports.Wiring) -> None:
    office = assigned(wiring)
    instance = begin(SEQUENCE)
    task = open_tasks(instance)["a"]
    clerk = staff(office, "cases.handle")
    commands.claim_task(task_id=task, actor=clerk, now=NOW)

    def some(**filters: Any) -> bool:
        return bool(queries.work_list(scope=EVERYTHING, now=NOW, filters=TaskFilters(**filters)).tasks)

    assert some(kind="acceptance")
    assert not some(kind="decision")
    assert some(claimed_by=clerk.account_id)
    assert not some(claimed_by=new_id())
    assert not some(unclaimed=True)
    assert some(business_key="case-1")
    assert not some(business_key="case-2")
    assert some(right_codes=frozenset({"cases.handle"}))
    assert not some(right_codes=frozenset({"x"}))
    assert some(division_prefix="43")
    assert not some(division_prefix="44")
    assert some(organization_id=office)
    assert not some(organization_id=new_id())
    assert some(light=Light.NONE)
    assert not some(light=Light.RED)


# --- timers ---------------------------------------------------------------------------------------------------------------------

BOUNDARY = """
<startEvent id="s"/>
<userTask id="a"/>
<boundaryEvent id="t" attachedToRef="a" cancelActivity="{cancel}">
<timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition></boundaryEvent>
<userTask id="urge"/>
<endEvent id="e"/>
<endEvent id="e2"/>
"""
BOUNDARY_FLOWS = "s -> a\na -> e\nt -> urge\nurge -> e2"


def test_an_interrupting_timer_takes_the_task_away(wiring: ports.Wiring) -> None:
    gone: list[ports.TaskFact] = []
    wiring.on_task_cancelled.append(gone.append)
    instance = begin(bpmn(BOUNDARY.format(cancel="true"), BOUNDARY_FLOWS))
    task = open_tasks(instance)["a"]
    assert commands.run_due_timers(now=NOW + timedelta(hours=1)) == 1
    assert set(open_tasks(instance)) == {"urge"}
    assert [fact.task_id for fact in gone] == [task]
    assert queries.get_task(task_id=task).ending == "cancelled"
    with pytest.raises(TaskAlreadyDone):
        commands.complete_task(task_id=task, actor=SYSTEM, now=NOW)
    finish(instance, "urge")
    assert ended(instance) == "completed"


def test_a_timer_that_does_not_interrupt_adds_a_branch_once() -> None:
    instance = begin(bpmn(BOUNDARY.format(cancel="false"), BOUNDARY_FLOWS))
    later = NOW + timedelta(hours=2)
    assert commands.run_due_timers(now=later) == 1
    assert commands.run_due_timers(now=later) == 0
    assert set(open_tasks(instance)) == {"a", "urge"}
    invariants()
    finish(instance, "a")
    assert ended(instance) == ""
    finish(instance, "urge")
    assert ended(instance) == "completed"


def test_a_task_done_in_time_takes_its_timer_with_it() -> None:
    instance = begin(bpmn(BOUNDARY.format(cancel="true"), BOUNDARY_FLOWS))
    finish(instance, "a")
    assert rows("SELECT count(*) FROM processes_timer") == [(0,)]
    assert commands.run_due_timers(now=NOW + timedelta(days=1)) == 0
    assert ended(instance) == "completed"


def test_a_catch_event_waits_for_working_days() -> None:
    content = bpmn(
        ENDS + '\n<intermediateCatchEvent id="a" furong:calendar="working"><timerEventDefinition>'
        "<timeDuration>P1D</timeDuration></timerEventDefinition></intermediateCatchEvent>",
        "s -> a\na -> e",
    )
    friday = datetime(2026, 3, 6, 3, 0, tzinfo=UTC)
    digest = publish(content).digest
    instance = commands.start_process(
        definition_digest=digest, business_key="k", variables={}, actor=SYSTEM, now=friday
    )
    assert commands.run_due_timers(now=friday + timedelta(days=2)) == 0
    assert commands.run_due_timers(now=datetime(2026, 3, 9, 16, 0, tzinfo=UTC)) == 1
    assert ended(instance) == "completed"


# --- messages -------------------------------------------------------------------------------------------------------------------

CONSENT = '<message id="m" name="consent"/>'


def test_a_message_wakes_the_process_with_its_key_and_no_other() -> None:
    content = bpmn(
        ENDS + '\n<receiveTask id="a" messageRef="m" furong:result="answer"/>', "s -> a\na -> e", more=CONSENT
    )
    instance = begin(content)

    def send(key: str, name: str = "consent") -> UUID:
        return commands.deliver_message(name=name, correlation=key, payload={"given": True}, actor=SYSTEM, now=NOW)

    for key, name in (("case-2", "consent"), ("case-1", "other")):
        with pytest.raises(MessageUnexpected):
            send(key, name)
    assert send("case-1") == instance
    assert ended(instance) == "completed"
    assert queries.get_instance(instance_id=instance).variables == {"answer": {"given": True}}
    with pytest.raises(MessageUnexpected):
        send("case-1")


def test_an_event_gateway_takes_what_comes_first() -> None:
    content = bpmn(
        ENDS + '\n<eventBasedGateway id="g"/>\n<receiveTask id="r" messageRef="m"/>\n<intermediateCatchEvent id="t">'
        "<timerEventDefinition><timeDuration>P5D</timeDuration></timerEventDefinition></intermediateCatchEvent>"
        '\n<userTask id="given"/>\n<userTask id="silent"/>',
        "s -> g\ng -> r\ng -> t\nr -> given\nt -> silent\ngiven -> e\nsilent -> e",
        more=CONSENT,
    )
    first, second = begin(content), begin(content)
    commands.deliver_message(name="consent", correlation="case-1", payload={}, actor=SYSTEM, now=NOW)
    assert set(open_tasks(first)) == {"given"}
    assert commands.run_due_timers(now=NOW + timedelta(days=5)) == 1
    assert set(open_tasks(second)) == {"silent"}
    assert rows("SELECT (SELECT count(*) FROM processes_timer), (SELECT count(*) FROM processes_subscription)") == [
        (0, 0)
    ]


def test_a_message_starts_a_process() -> None:
    content = bpmn(
        '<startEvent id="s"><messageEventDefinition messageRef="m"/></startEvent>\n<userTask id="a"/>\n<endEvent id="e"/>',
        "s -> a\na -> e",
        more=CONSENT,
    )
    publish(content)
    instance = commands.deliver_message(name="consent", correlation="case-9", payload={"x": 1}, actor=SYSTEM, now=NOW)
    known = queries.get_instance(instance_id=instance)
    assert (known.business_key, known.variables) == ("case-9", {"x": 1})


def test_one_process_sends_to_another_and_waits_until_it_is_received() -> None:
    receiver = bpmn(ENDS + '\n<receiveTask id="a" messageRef="m"/>', "s -> a\na -> e", more=CONSENT)
    sender = bpmn(
        ENDS + '\n<sendTask id="a" messageRef="m" furong:correlation="case-1" furong:input="={answer: 42}"/>',
        "s -> a\na -> e",
        more=CONSENT,
    ).replace(b'furong:input="={', b'furong:input="{')
    digest = publish(sender, "sender").digest
    sending = commands.start_process(
        definition_digest=digest, business_key="other", variables={}, actor=SYSTEM, now=NOW
    )
    assert commands.run_due_jobs(now=NOW) == 1
    assert ended(sending) == ""
    assert rows("SELECT state, reason FROM processes_job") == [("due", "message_unexpected")]
    receiving = begin(receiver)
    assert commands.run_due_jobs(now=NOW + timedelta(hours=1)) == 1
    assert (ended(sending), ended(receiving)) == ("completed", "completed")
    assert queries.get_instance(instance_id=receiving).variables == {"answer": 42}


# --- service tasks --------------------------------------------------------------------------------------------------------------

SERVICE = bpmn(
    ENDS + '\n<serviceTask id="a" furong:handler="register.enter" furong:input="{name: child}" furong:result="entry" '
    'furong:retries="2" furong:backoff="PT1M"/>',
    "s -> a\na -> e",
)


def test_a_service_task_calls_its_handler_with_an_effect_id_and_keeps_the_result(wiring: ports.Wiring) -> None:
    calls: list[ports.ServiceCall] = []

    def enter(call: ports.ServiceCall) -> dict[str, object]:
        assert not connection.in_atomic_block
        calls.append(call)
        return {"number": 7}

    deferred: list[UUID] = []
    wiring.defer = deferred.append
    ports.register_handler("register.enter", enter)
    instance = begin(SERVICE, child="甲")
    assert len(deferred) == 1
    assert commands.run_job(job_id=deferred[0], now=NOW)
    assert not commands.run_job(job_id=deferred[0], now=NOW)
    assert [(c.effect_id, c.variables, c.business_key) for c in calls] == [(deferred[0], {"name": "甲"}, "case-1")]
    assert ended(instance) == "completed"
    assert queries.get_instance(instance_id=instance).variables == {"child": "甲", "entry": {"number": 7}}


def test_a_fault_is_retried_with_growing_pauses_and_then_becomes_an_incident(wiring: ports.Wiring) -> None:
    calls: list[UUID] = []

    def broken(call: ports.ServiceCall) -> None:
        calls.append(call.effect_id)
        raise RuntimeError("张三 430000000000000000")

    ports.register_handler("register.enter", broken)
    instance = begin(SERVICE, child="x")
    at = NOW
    pauses = []
    while commands.run_due_jobs(now=at):
        state, run_at = rows("SELECT state, run_at FROM processes_job")[0]
        if state == "incident":
            break
        pauses.append((run_at - at).total_seconds())
        assert commands.run_due_jobs(now=run_at - timedelta(seconds=1)) == 0
        at = run_at
    assert pauses == [60, 120]
    assert len(calls) == 3
    assert len(set(calls)) == 1
    incident = overseeing.list_incidents(scope=EVERYTHING).incidents[0]
    assert (incident.reason, incident.detail, incident.attempts) == ("handler_failed", "builtins.RuntimeError", 3)
    assert commands.run_due_jobs(now=at + timedelta(days=9)) == 0
    assert queries.diagram_state(instance_id=instance, now=at).elements["a"] is ElementState.STUCK

    def mended(call: ports.ServiceCall) -> dict[str, object]:
        calls.append(call.effect_id)
        return {"ok": True}

    wiring.handlers["register.enter"] = (mended, False)
    with pytest.raises(ReasonMissing):
        commands.retry_incident(incident_id=incident.id, reason="", actor=SYSTEM, now=at)
    commands.retry_incident(incident_id=incident.id, reason="register is back", actor=SYSTEM, now=at)
    assert commands.run_due_jobs(now=at) == 1
    assert ended(instance) == "completed"
    assert len(set(calls)) == 1
    with pytest.raises(IncidentUnknown):
        commands.retry_incident(incident_id=incident.id, reason="again", actor=SYSTEM, now=at)


def test_a_refusal_becomes_an_incident_at_once_and_can_be_skipped_with_a_reason(wiring: ports.Wiring) -> None:
    def refuse(call: ports.ServiceCall) -> None:
        raise Refusal("no")

    ports.register_handler("register.enter", refuse)
    instance = begin(SERVICE, child="x")
    assert commands.run_due_jobs(now=NOW) == 1
    incident = overseeing.list_incidents(scope=EVERYTHING).incidents[0]
    assert incident.reason == "refused"
    nobody = staff(new_id(), "cases.handle")
    with pytest.raises(AccessRefused):
        commands.skip_incident(incident_id=incident.id, reason="x", actor=nobody, now=NOW)
    commands.skip_incident(
        incident_id=incident.id, reason="entered by hand", variables={"entry": {"number": 1}}, actor=SYSTEM, now=NOW
    )
    assert ended(instance) == "completed"
    assert queries.get_instance(instance_id=instance).variables["entry"] == {"number": 1}


def test_a_worker_that_dies_leaves_the_job_to_another_under_the_same_effect_id(wiring: ports.Wiring) -> None:
    calls: list[UUID] = []

    def dies(call: ports.ServiceCall) -> None:
        calls.append(call.effect_id)
        raise KeyboardInterrupt

    ports.register_handler("register.enter", dies)
    instance = begin(SERVICE, child="x")
    with pytest.raises(KeyboardInterrupt):
        commands.run_due_jobs(now=NOW)
    assert commands.run_due_jobs(now=NOW + LEASE - timedelta(seconds=1)) == 0
    wiring.handlers["register.enter"] = (lambda call: calls.append(call.effect_id), False)
    assert commands.run_due_jobs(now=NOW + LEASE) == 1
    assert len(calls) == 2
    assert len(set(calls)) == 1
    assert ended(instance) == "completed"


ERRORS = bpmn(
    ENDS
    + """
    <serviceTask id="a" furong:handler="register.enter"/>
    <boundaryEvent id="caught" attachedToRef="a"><errorEventDefinition errorRef="er"/></boundaryEvent>
    <userTask id="mend"/>
    """,
    "s -> a\na -> e\ncaught -> mend\nmend -> e",
    more='<error id="er" errorCode="no_house"/>',
)


@pytest.mark.parametrize("within_step", [False, True])
def test_a_business_error_goes_to_the_boundary_event_with_its_code(wiring: ports.Wiring, within_step: bool) -> None:
    def no_house(call: ports.ServiceCall) -> None:
        raise BpmnError("no_house")

    ports.register_handler("register.enter", no_house, within_step=within_step)
    instance = begin(ERRORS)
    assert commands.run_due_jobs(now=NOW) == 1
    assert set(open_tasks(instance)) == {"mend"}
    assert rows("SELECT count(*) FROM processes_job") == [(0,)]
    finish(instance, "mend")
    assert ended(instance) == "completed"


@pytest.mark.parametrize("within_step", [False, True])
def test_a_business_error_that_nothing_catches_is_an_incident(wiring: ports.Wiring, within_step: bool) -> None:
    def other(call: ports.ServiceCall) -> None:
        raise BpmnError("no_stamp")

    ports.register_handler("register.enter", other, within_step=within_step)
    begin(ERRORS)
    assert commands.run_due_jobs(now=NOW) == 1
    incident = overseeing.list_incidents(scope=EVERYTHING).incidents[0]
    assert (incident.reason, incident.detail) == ("error_uncaught", "no_stamp")


def test_a_handler_within_the_step_commits_with_it_or_not_at_all(wiring: ports.Wiring) -> None:
    def writes(call: ports.ServiceCall) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO processes_task_note (task_id, at, verb, reason) VALUES (%s, %s, 'effect', '')",
                [call.effect_id, call.now],
            )
        if broken:
            raise RuntimeError

    broken = True
    ports.register_handler("register.enter", writes, within_step=True)
    instance = begin(ERRORS)
    assert commands.run_due_jobs(now=NOW) == 1
    assert rows("SELECT count(*) FROM processes_task_note") == [(0,)]
    broken = False
    assert commands.run_due_jobs(now=NOW + timedelta(hours=1)) == 1
    assert rows("SELECT count(*) FROM processes_task_note") == [(1,)]
    assert ended(instance) == "completed"


# --- decisions and incidents ----------------------------------------------------------------------------------------------------

RULES = b"""<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="rules" namespace="urn:x">
<inputData id="i1" name="children"><variable name="children" typeRef="number"/></inputData>
<decision id="benefit" name="benefit"><variable name="benefit" typeRef="number"/>
<informationRequirement id="r1"><requiredInput href="#i1"/></informationRequirement>
<decisionTable id="t" hitPolicy="UNIQUE"><input id="in"><inputExpression id="ie" typeRef="number"><text>children</text>
</inputExpression></input><output id="o" name="benefit" typeRef="number"/>
<rule id="u1"><inputEntry id="e1"><text>1</text></inputEntry><outputEntry id="x1"><text>100</text></outputEntry></rule>
<rule id="u2"><inputEntry id="e2"><text>&gt; 1</text></inputEntry><outputEntry id="x2"><text>250</text></outputEntry></rule>
</decisionTable></decision></definitions>"""
DECIDES = bpmn(
    ENDS + '\n<userTask id="a"/>\n<businessRuleTask id="r" furong:decision="rules#benefit" furong:result="benefit"/>'
    '\n<exclusiveGateway id="g" default="g-e"/>\n<userTask id="pay"/>',
    "s -> a\na -> r\nr -> g\ng -> pay if benefit > 200\ng -> e\npay -> e",
)


def test_a_business_rule_task_asks_the_table_published_with_the_process() -> None:
    instance = begin(DECIDES, resources={"rules": RULES})
    finish(instance, "a", children=2)
    assert set(open_tasks(instance)) == {"pay"}
    assert queries.get_instance(instance_id=instance).variables["benefit"] == 250


def test_a_process_is_not_published_without_its_table() -> None:
    with pytest.raises(DefinitionRefused) as refused:
        publish(DECIDES)
    assert [f.rule for f in refused.value.findings] == ["furong.decision_unknown"]
    with pytest.raises(DefinitionRefused):
        publish(DECIDES.replace(b"rules#benefit", b"rules#other"), resources={"rules": RULES})


def test_a_decision_that_fails_is_an_incident_and_the_clerks_work_is_kept() -> None:
    instance = begin(DECIDES, resources={"rules": RULES})
    finish(instance, "a", children="many")
    assert open_tasks(instance) == {}
    incident = overseeing.list_incidents(scope=EVERYTHING).incidents[0]
    assert (incident.element_id, incident.reason) == ("r", "decision_failed")
    invariants()
    commands.retry_incident(incident_id=incident.id, reason="try", actor=SYSTEM, now=NOW)
    again = overseeing.list_incidents(scope=EVERYTHING).incidents[0]
    assert again.id != incident.id
    commands.skip_incident(incident_id=again.id, reason="by hand", variables={"benefit": 250}, actor=SYSTEM, now=NOW)
    assert set(open_tasks(instance)) == {"pay"}
    assert overseeing.list_incidents(scope=EVERYTHING).incidents == ()


def test_a_condition_without_its_variable_is_an_incident_and_takes_no_default() -> None:
    instance = begin(DEPARTMENTS)
    for element in ("t1", "t2", "t3", "t4"):
        finish(instance, element)
    assert open_tasks(instance) == {}
    incident = overseeing.list_incidents(scope=EVERYTHING).incidents[0]
    assert (incident.element_id, incident.reason) == ("choice", "condition_not_boolean")
    commands.skip_incident(
        incident_id=incident.id, reason="score was lost", variables={"score": 1}, actor=SYSTEM, now=NOW
    )
    assert set(open_tasks(instance)) == {"reject"}


# --- ends, news, diagrams -------------------------------------------------------------------------------------------------------


def test_cancelling_takes_every_wait_away_and_tells_why(wiring: ports.Wiring) -> None:
    over: list[ports.ProcessFact] = []
    wiring.on_process_ended.append(over.append)
    instance = begin(DEPARTMENTS)
    with pytest.raises(ReasonMissing):
        commands.cancel_process(instance_id=instance, reason="", actor=SYSTEM, now=NOW)
    commands.cancel_process(instance_id=instance, reason="withdrawn", actor=SYSTEM, now=NOW)
    assert (ended(instance), open_tasks(instance)) == ("cancelled", {})
    assert [(f.ending, f.business_key) for f in over] == [("cancelled", "case-1")]
    assert {t.ending for t in queries.list_tasks_of(business_key="case-1")} == {"cancelled"}
    with pytest.raises(InstanceUnknown):
        commands.cancel_process(instance_id=instance, reason="again", actor=SYSTEM, now=NOW)


def test_a_terminate_end_cancels_the_other_branches() -> None:
    content = bpmn(
        '<startEvent id="s"/>\n<parallelGateway id="f"/>\n<userTask id="a"/>\n<userTask id="b"/>\n<endEvent id="e"/>'
        '\n<endEvent id="stop"><terminateEventDefinition/></endEvent>',
        "s -> f\nf -> a\nf -> b\na -> stop\nb -> e",
    )
    instance = begin(content)
    finish(instance, "a")
    assert ended(instance) == "completed"
    state = queries.diagram_state(instance_id=instance, now=NOW)
    assert (state.elements["b"], state.elements["stop"]) == (ElementState.CANCELLED, ElementState.DONE)


def test_listeners_hear_of_tasks_and_ends_in_the_same_transaction(wiring: ports.Wiring) -> None:
    heard: list[str] = []
    wiring.on_task_created.append(lambda fact: heard.append(f"created {fact.element_id}"))
    wiring.on_task_completed.append(lambda fact: heard.append(f"completed {fact.element_id} {fact.outcome}".strip()))
    wiring.on_process_ended.append(lambda fact: heard.append(f"ended {fact.ending}"))
    instance = begin(SEQUENCE)
    finish(instance, "a")
    finish(instance, "b", outcome="approve")
    assert heard == ["created a", "completed a", "created b", "completed b approve", "ended completed"]
    assert rows("SELECT count(*) FROM events_outbox WHERE name = 'processes.process_ended'") == [(1,)]


def test_a_listener_that_fails_takes_the_step_back(wiring: ports.Wiring) -> None:
    instance = begin(SEQUENCE)

    def broken(fact: ports.TaskFact) -> None:
        raise RuntimeError("no")

    wiring.on_task_completed.append(broken)
    with pytest.raises(RuntimeError):
        finish(instance, "a")
    assert set(open_tasks(instance)) == {"a"}


def test_every_command_leaves_one_audit_entry_and_a_refusal_too(wiring: ports.Wiring) -> None:
    office = assigned(wiring)
    instance = begin(SEQUENCE)
    clerk = staff(office, "cases.handle")
    task = open_tasks(instance)["a"]
    commands.complete_task(task_id=task, actor=clerk, now=NOW)
    with pytest.raises(TaskAlreadyDone):
        commands.complete_task(task_id=task, actor=clerk, now=NOW)
    entries = rows("SELECT outcome, code FROM audit_entry WHERE name = 'processes.complete_task' ORDER BY id")
    assert entries == [("done", ""), ("refused", "processes.task_already_done")]
    named = rows("SELECT object_kind, object_id FROM audit_entry WHERE name = 'processes.complete_task' ORDER BY id")
    assert named[0] == ("process_task", str(task))


def test_a_diagram_shows_what_is_done_running_and_late() -> None:
    content = DEPARTMENTS.replace(b'<userTask id="t1"', b'<userTask furong:due="P1D" id="t1"')
    instance = begin(content)
    finish(instance, "t2")
    state = queries.diagram_state(instance_id=instance, now=NOW)
    assert state.xml == content
    assert state.elements["t1"] is ElementState.RUNNING
    assert state.elements["t2"] is ElementState.DONE
    assert state.elements["split"] is ElementState.DONE
    assert "issue" not in state.elements
    assert {"s-split", "split-t1"} <= state.flows
    assert "join-choice" not in state.flows
    later = queries.diagram_state(instance_id=instance, now=NOW + timedelta(days=5))
    assert later.elements["t1"] is ElementState.LATE
    assert later.times["t2"] == 1
