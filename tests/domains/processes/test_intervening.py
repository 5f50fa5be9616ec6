"""What an administrator does to running processes: suspend, resume, move a token, take to another version, start by time."""

# ruff: noqa: E501 - a diagram reads better when an element is not broken
from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from furong.domains.processes import commands, definitions, migrating, ports, queries
from furong.domains.processes.errors import InstanceSuspended, MigrationRefused, MoveRefused, ReasonMissing
from furong.domains.processes.values import parse_bpmn
from furong.foundation.access.errors import AccessRefused
from furong.foundation.codes.ids import new_id
from tests.domains.processes.blocks import blocks, draw
from tests.domains.processes.diagrams import DEPARTMENTS, bpmn
from tests.domains.processes.memory import Memory
from tests.domains.processes.support import NOW, SYSTEM, begin, finish, invariants, open_tasks, publish, rows, staff

pytestmark = pytest.mark.usefixtures("database")

WHY = "reorganised"


def actor() -> Any:
    return staff(new_id(), "cases.handle")


def administrator() -> Any:
    return staff(None, "processes.administer")


TIMED = bpmn(
    """<startEvent id="s"/><userTask id="a"/>
    <boundaryEvent id="t" attachedToRef="a"><timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition></boundaryEvent>
    <userTask id="late"/><endEvent id="e"/>""",
    "s -> a\na -> e\nt -> late\nlate -> e",
)


def test_a_suspended_process_holds_its_tasks_and_timers_until_it_is_resumed() -> None:
    instance = begin(TIMED)
    commands.suspend_process(instance_id=instance, reason=WHY, actor=administrator(), now=NOW)
    with pytest.raises(InstanceSuspended):
        finish(instance, "a")
    later = NOW + timedelta(hours=2)
    assert commands.run_due_timers(now=later) == 0
    commands.resume_process(instance_id=instance, reason=WHY, actor=administrator(), now=later)
    assert commands.run_due_timers(now=later) == 1
    assert set(open_tasks(instance)) == {"late"}


def test_a_suspended_process_lets_jobs_and_messages_wait(wiring: ports.Wiring) -> None:
    calls: list[UUID] = []
    ports.register_handler("x.y", lambda call: calls.append(call.effect_id))  # type: ignore[func-returns-value]
    xml = bpmn('<startEvent id="s"/><serviceTask id="w" furong:handler="x.y"/><endEvent id="e"/>', "s -> w\nw -> e")
    instance = begin(xml)
    commands.suspend_process(instance_id=instance, reason=WHY, actor=administrator(), now=NOW)
    assert commands.run_due_jobs(now=NOW) == 0
    assert calls == []
    commands.resume_process(instance_id=instance, reason=WHY, actor=administrator(), now=NOW)
    assert commands.run_due_jobs(now=NOW) == 1
    assert queries.get_instance(instance_id=instance).ending == "completed"


def test_intervening_wants_the_right_and_a_reason() -> None:
    instance = begin(TIMED)
    for act in (commands.suspend_process, commands.resume_process):
        with pytest.raises(AccessRefused):
            act(instance_id=instance, reason=WHY, actor=actor(), now=NOW)
        with pytest.raises(ReasonMissing):
            act(instance_id=instance, reason=" ", actor=administrator(), now=NOW)
    with pytest.raises(AccessRefused):
        commands.move_token(instance_id=instance, token=1, element="late", reason=WHY, actor=actor(), now=NOW)


def test_a_token_is_moved_and_what_it_waited_for_is_cancelled() -> None:
    instance = begin(TIMED)
    ((token,),) = rows("SELECT number FROM processes_token")
    commands.move_token(instance_id=instance, token=token, element="late", reason=WHY, actor=administrator(), now=NOW)
    invariants()
    assert set(open_tasks(instance)) == {"late"}
    assert rows("SELECT count(*) FROM processes_timer") == [(0,)]
    for element in ("t", "s", "nowhere"):
        with pytest.raises(MoveRefused):
            commands.move_token(
                instance_id=instance, token=token, element=element, reason=WHY, actor=administrator(), now=NOW
            )
    finish(instance, "late")
    assert queries.get_instance(instance_id=instance).ending == "completed"


# --- another version --------------------------------------------------------------------------------------------------------

NEWER = (
    DEPARTMENTS.replace(b'id="approve"', b'id="grant"')
    .replace(b'"approve"', b'"grant"')
    .replace(b'<userTask id="t1"', b'<userTask id="t1" name="\xe6\x96\xb0"')
)


def migrate(instance: UUID, xml: bytes, nodes: dict[str, str] | None = None) -> str:
    newer = publish(xml)
    commands.migrate_instance(
        instance_id=instance, to_digest=newer.digest, nodes=nodes or {}, reason=WHY, actor=administrator(), now=NOW
    )
    invariants()
    return str(newer.digest)


def test_a_case_goes_on_in_the_newer_version_where_it_stands() -> None:
    instance = begin(DEPARTMENTS, score=90)
    finish(instance, "t1")
    task = open_tasks(instance)["t2"]
    digest = migrate(instance, NEWER, {"approve": "grant"})
    assert queries.get_instance(instance_id=instance).definition_digest == digest
    assert open_tasks(instance)["t2"] == task
    for element in ("t2", "t3", "t4", "grant", "issue"):
        finish(instance, element)
        invariants()
    assert queries.get_instance(instance_id=instance).ending == "completed"


def test_the_dry_run_lists_what_would_be_stuck_and_changes_nothing() -> None:
    begin(DEPARTMENTS, score=90)
    second = begin(DEPARTMENTS, score=90)
    for element in ("t1", "t2", "t3", "t4"):
        finish(second, element)
    older = definitions.latest("test").digest
    newer = publish(NEWER)
    planned = commands.plan_migration(from_digest=older, to_digest=newer.digest, nodes={}, actor=administrator())
    assert len(planned.ready) == 1
    assert dict(planned.reasons) == {("approve", "element_gone"): 1}
    with pytest.raises(MigrationRefused):
        commands.migrate_instances(
            from_digest=older, to_digest=newer.digest, nodes={}, reason=WHY, actor=administrator(), now=NOW
        )
    assert {d for (d,) in rows("SELECT definition_id FROM processes_instance")} == {definitions.by_digest(older).id}
    done = commands.migrate_instances(
        from_digest=older,
        to_digest=newer.digest,
        nodes={},
        reason=WHY,
        actor=administrator(),
        now=NOW,
        leave_stuck=True,
    )
    assert (len(done.ready), len(done.stuck)) == (1, 1)


def test_a_join_that_would_wait_for_ever_is_seen_and_refused() -> None:
    instance = begin(DEPARTMENTS, score=90)
    finish(instance, "t1")
    # The newer version asks a fifth department, and no token of this case is on the way there.
    more = DEPARTMENTS.replace(
        b"</process>",
        b"""<userTask id="t5"/>
<sequenceFlow id="x1" sourceRef="split" targetRef="t5"/><sequenceFlow id="x2" sourceRef="t5" targetRef="join"/></process>""",
    )
    with pytest.raises(MigrationRefused) as refused:
        migrate(instance, more)
    assert "join: join_never" in str(refused.value)
    assert set(open_tasks(instance)) == {"t2", "t3", "t4"}


def test_a_task_does_not_become_a_gateway() -> None:
    instance = begin(TIMED)
    other = bpmn(
        '<startEvent id="s"/><manualTask id="a"/><userTask id="b"/><endEvent id="e"/>', "s -> a\na -> b\nb -> e"
    )
    with pytest.raises(MigrationRefused, match="kind_differs"):
        migrate(instance, other)


def test_timers_keep_their_time_and_new_ones_begin_now() -> None:
    instance = begin(TIMED)
    ((due_at,),) = rows("SELECT due_at FROM processes_timer")
    newer = (
        TIMED.replace(b'id="t"', b'id="u"')
        .replace(b'"t"', b'"u"')
        .replace(b'<userTask id="a"', b'<userTask id="a" furong:escalate_after="P3D"')
    )
    migrate(instance, newer, {"t": "u"})
    assert rows("SELECT element_id, due_at, escalates FROM processes_timer ORDER BY escalates")[0] == (
        "u",
        due_at,
        False,
    )
    assert rows("SELECT count(*) FROM processes_timer WHERE escalates") == [(1,)]
    commands.run_due_timers(now=NOW + timedelta(hours=2))
    assert set(open_tasks(instance)) == {"late"}


def test_a_map_that_names_what_is_not_there_is_refused() -> None:
    instance = begin(TIMED)
    for nodes in ({"nowhere": "a"}, {"a": "nowhere"}):
        with pytest.raises(MigrationRefused):
            migrate(instance, TIMED.replace(b"late", b"tardy"), nodes)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(block=blocks(), data=st.data())
def test_no_token_is_lost_or_made_by_a_migration_and_the_case_still_ends(block: Any, data: Any) -> None:
    drawn = draw(block, lambda n: data.draw(st.integers(0, n - 1)))
    old = parse_bpmn(drawn.xml, check=False)
    renamed = {name: f"n-{name}" for name in old.nodes if data.draw(st.booleans())}
    text = drawn.xml.decode()
    for name, other in renamed.items():
        text = text.replace(f'"{name}"', f'"{other}"')
    new = parse_bpmn(text.encode(), check=False)
    memory = Memory(old, dict(drawn.variables))
    memory.start()
    for _ in range(data.draw(st.integers(0, 4))):
        if memory.ended or not memory.open:
            break
        memory.complete(data.draw(st.sampled_from(sorted(memory.open))))
    planned = migrating.plan(old, new, renamed, tokens=memory.tokens.values(), scopes={})
    assert planned.hindrances == []
    assert set(planned.tokens) == set(memory.tokens)
    for number, (element, arrived_by) in planned.tokens.items():
        memory.tokens[number].element, memory.tokens[number].arrived_by = element, arrived_by
        if number in memory.open:
            memory.open[number] = element
    memory.definition = new
    for _ in range(200):
        if memory.ended:
            break
        memory.complete(min(memory.open))
    assert memory.ended


# --- started by time, and what is called ------------------------------------------------------------------------------------


def test_a_time_starts_a_process_as_often_as_it_says_and_of_the_newest_version() -> None:
    def timed(cycle: str) -> bytes:
        event = f"<timerEventDefinition><timeCycle>{cycle}</timeCycle></timerEventDefinition>"
        return bpmn(f'<startEvent id="s">{event}</startEvent><userTask id="a"/><endEvent id="e"/>', "s -> a\na -> e")

    publish(timed("R2/PT1H"))
    newer = publish(timed("R2/PT2H"))
    for hour in range(1, 9):
        commands.run_due_timers(now=NOW + timedelta(hours=hour, minutes=1))
    assert rows("SELECT definition_id FROM processes_instance") == [(newer.id,)] * 2
    assert rows("SELECT count(*) FROM processes_start_timer") == [(0,)]


def test_a_called_process_stays_as_it_was_when_the_caller_was_published() -> None:
    inner = bpmn('<startEvent id="s"/><userTask id="a"/><endEvent id="e"/>', "s -> a\na -> e", code="inner")
    publish(inner, "inner")
    caller = bpmn(
        '<startEvent id="s"/><callActivity id="call" calledElement="inner"/><endEvent id="e"/>', "s -> call\ncall -> e"
    )
    published = publish(caller, "caller")
    publish(inner.replace(b'"a"', b'"b"'), "inner")
    definitions.forget()
    instance = commands.start_process(
        definition_digest=published.digest, business_key="k", variables={}, actor=SYSTEM, now=NOW
    )
    assert set(open_tasks(instance)) == {"call/a"}
    finish(instance, "call/a")
    assert queries.get_instance(instance_id=instance).ending == "completed"
