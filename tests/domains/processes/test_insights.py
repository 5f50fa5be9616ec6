"""Figures of what processes did: measured days, what is open, rework, rights over them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from furong.domains.processes import commands, insights, measuring
from furong.domains.processes.errors import DefinitionUnknown
from furong.domains.processes.values.insights import SMALLEST_CELL, DiagramFigures, Measure, Period, Spread, heat
from furong.foundation.access.values import Scope
from furong.foundation.codes.ids import new_id
from tests.domains.processes.diagrams import SEQUENCE, bpmn
from tests.domains.processes.support import NOW, SYSTEM, finish, open_tasks, publish, rows, staff

EVERYTHING = Scope(everything=True)
PERIOD = Period(from_on=date(2026, 2, 23), until_on=date(2026, 3, 31))
HOUR = timedelta(hours=1)
REVIEWED = bpmn(
    """
    <startEvent id="s"/>
    <userTask id="review" furong:kind="review" furong:result="review" furong:outcomes="passed failed"/>
    <exclusiveGateway id="good" default="good-supplement"/>
    <userTask id="supplement"/>
    <endEvent id="e"/>
    """,
    """
    s -> review
    review -> good
    good -> e if review = "passed"
    good -> supplement
    supplement -> review
    """,
)


# --- without a database ---------------------------------------------------------------------------------------------------------


def bucket_of(seconds: float) -> int:
    from math import floor, log2

    return 0 if seconds < 1 else 1 + floor(4 * log2(seconds))


@given(st.lists(st.floats(min_value=0, max_value=10_000_000), min_size=1, max_size=200))
def test_quantiles_from_buckets_lie_within_a_fifth_of_the_exact_ones(values: list[float]) -> None:
    buckets: dict[int, tuple[int, float]] = {}
    for value in values:
        n, seconds = buckets.get(bucket_of(value), (0, 0.0))
        buckets[bucket_of(value)] = (n + 1, seconds + value)
    spread = Spread.of(buckets)
    ordered = sorted(values)
    assert spread.n == len(values)
    assert spread.mean == pytest.approx(sum(values) / len(values))
    for share, told in ((0.5, spread.median), (0.9, spread.p90)):
        exact = next(v for i, v in enumerate(ordered, 1) if i >= share * len(values))
        assert told is not None
        assert exact / 1.2 - 1 <= told <= exact * 1.2 + 1


def test_nothing_measured_has_no_mean_and_what_has_no_duration_does_not_count() -> None:
    assert Spread.of({}) == Spread()
    assert Spread.of({-1: (3, 0.0)}).n == 0
    assert Spread().mean is None


def test_a_heat_map_grades_by_the_greatest_and_leaves_out_nothing_but_zero() -> None:
    assert heat({"a": 100, "b": 1, "c": 0, "d": 41}) == {"a": 5, "b": 1, "d": 3}
    assert heat({"a": 0}) == {}


# --- with one -------------------------------------------------------------------------------------------------------------------


def start(
    definition: object, *, now: datetime = NOW, organization: UUID | None = None, division: str = "430202"
) -> UUID:
    return commands.start_process(
        definition_digest=definition.digest,  # type: ignore[attr-defined]
        business_key=str(new_id()),
        variables={},
        organization_id=organization,
        division_code=division,
        actor=SYSTEM,
        now=now,
    )


def look(digest: str, scope: Scope = EVERYTHING, *, now: datetime = NOW, period: Period = PERIOD) -> DiagramFigures:
    measuring.measure(now=now, again=True)
    return insights.diagram(digest=digest, scope=scope, period=period, now=now)


@pytest.mark.usefixtures("database")
def test_durations_of_elements_and_instances_are_measured_when_they_end() -> None:
    definition = publish(SEQUENCE)
    one, two = start(definition), start(definition)
    for instance, hours in ((one, 2), (two, 4)):
        finish(instance, "a", now=NOW + hours * HOUR)
    finish(one, "b", now=NOW + 3 * HOUR, outcome="approve")
    found = look(definition.digest, now=NOW + 10 * HOUR)
    a, b = found.elements["a"], found.elements["b"]
    assert (a.visits, a.duration.n, a.duration.mean) == (2, 2, 3 * 3600)
    assert (a.duration.median, a.duration.p90) == (2 * 3600, 4 * 3600)
    assert (b.visits, b.here, b.tasks_open, b.open_seconds) == (1, 1, 1, 6 * 3600)
    assert found.elements["s"].visits == 2
    assert found.flows == {"s-a": 2, "a-b": 2, "b-e": 1}
    assert (found.started, found.ended, found.completed.mean) == (2, 1, 3 * 3600)
    assert [one.element_id for one in found.bottlenecks()] == ["b", "a"]
    assert found.measured_at == NOW + 10 * HOUR


@pytest.mark.usefixtures("database")
def test_waiting_and_handling_are_told_apart_where_somebody_claimed() -> None:
    definition = publish(SEQUENCE)
    organization = new_id()
    instance = start(definition, organization=organization)
    clerk = staff(organization, "cases.handle")
    task = open_tasks(instance)["a"]
    commands.claim_task(task_id=task, actor=clerk, now=NOW + HOUR)
    commands.complete_task(task_id=task, actor=clerk, now=NOW + 4 * HOUR)
    a = look(definition.digest, now=NOW + 5 * HOUR).elements["a"]
    assert (a.waiting.mean, a.handling.mean, a.duration.mean) == (3600, 3 * 3600, 4 * 3600)
    assert a.waited_seconds == 3600


@pytest.mark.usefixtures("database")
def test_steps_done_more_than_once_are_rework_with_the_way_they_went() -> None:
    definition = publish(REVIEWED)
    straight, around = start(definition), start(definition)
    finish(straight, "review", outcome="passed")
    for turn in range(2):
        finish(around, "review", outcome="failed", now=NOW + (2 * turn + 1) * HOUR)
        finish(around, "supplement", now=NOW + (2 * turn + 2) * HOUR)
    finish(around, "review", outcome="passed", now=NOW + 5 * HOUR)
    found = look(definition.digest, now=NOW + 6 * HOUR)
    review = found.elements["review"]
    assert (review.instances, review.repeated, review.extra_rounds, review.repeated_share) == (2, 1, 2, 0.5)
    assert [one.element_id for one in found.rework()] == ["review", "supplement"]
    mine = insights.diagram(
        digest=definition.digest, scope=Scope(division_prefixes=("430202",)), period=PERIOD, now=NOW + 4 * HOUR
    )
    same = mine.elements["review"]
    assert (same.instances, same.repeated, same.extra_rounds) == (2, 1, 2)
    assert mine.flows == {}
    assert mine.loops == found.loops
    assert [(loop.elements, loop.n) for loop in found.loops] == [(("review", "supplement", "review"), 2)]


@pytest.mark.usefixtures("database")
def test_cancelled_work_counts_as_cancelled_and_not_as_a_duration() -> None:
    definition = publish(SEQUENCE)
    instance = start(definition)
    commands.cancel_process(instance_id=instance, reason="test", actor=SYSTEM, now=NOW + HOUR)
    found = look(definition.digest, now=NOW + 2 * HOUR)
    assert (found.elements["a"].cancelled_share, found.elements["a"].duration.n) == (1.0, 0)
    assert (found.ended, found.cancelled, found.completed.n) == (1, 1, 0)


@pytest.mark.usefixtures("database")
def test_a_step_that_lasted_days_counts_on_the_day_it_ended_and_only_once() -> None:
    definition = publish(SEQUENCE)
    instance = start(definition)
    later = NOW + timedelta(days=9)
    measuring.measure(now=NOW + HOUR, again=True)
    finish(instance, "a", now=later)
    for _ in range(3):
        found = look(definition.digest, now=later + HOUR)
        assert (found.elements["a"].visits, found.elements["a"].duration.mean) == (1, 9 * 86_400)
        assert found.started == 1
    days = rows("SELECT day, final FROM processes_measured ORDER BY day")
    assert days[0] == (date(2026, 3, 2), True)
    assert days[-1] == (date(2026, 3, 11), False)
    of_that_day = Period(from_on=date(2026, 3, 11), until_on=date(2026, 3, 11))
    assert look(definition.digest, now=later + HOUR, period=of_that_day).started == 0


@pytest.mark.usefixtures("database")
def test_a_day_that_is_over_is_measured_for_good_and_nothing_new_is_not_measured_again() -> None:
    definition = publish(SEQUENCE)
    start(definition)
    after = NOW + timedelta(days=1, hours=1)
    measuring.measure(now=after)
    first = rows("SELECT day, measured_at, final FROM processes_measured ORDER BY day")
    assert [(day, final) for day, _, final in first] == [(date(2026, 3, 2), True), (date(2026, 3, 3), False)]
    measuring.measure(now=after + HOUR)
    assert rows("SELECT day, measured_at, final FROM processes_measured ORDER BY day") == first
    start(definition, now=after + HOUR)
    measuring.measure(now=after + 2 * HOUR)
    assert rows("SELECT measured_at FROM processes_measured WHERE NOT final") == [(after + 2 * HOUR,)]


@pytest.mark.usefixtures("database")
def test_an_organization_sees_its_own_figures_and_others_only_from_ten_on() -> None:
    definition = publish(SEQUENCE)
    mine, other = new_id(), new_id()
    finish(start(definition, organization=mine), "a", now=NOW + HOUR)
    for _ in range(SMALLEST_CELL - 1):
        finish(start(definition, organization=other, division="430302"), "a", now=NOW + 3 * HOUR)
    own = Scope(organization_ids=frozenset({mine}))
    a = look(definition.digest, own, now=NOW + 4 * HOUR).elements["a"]
    assert (a.visits, a.duration.mean, a.elsewhere.n) == (1, 3600, 0)
    finish(start(definition, organization=other, division="430302"), "a", now=NOW + 3 * HOUR)
    found = look(definition.digest, own, now=NOW + 5 * HOUR)
    a = found.elements["a"]
    assert (a.visits, a.elsewhere.n, a.elsewhere.mean) == (1, SMALLEST_CELL, 3 * 3600)
    assert (found.started, found.elements["b"].here) == (1, 1)
    assert look(definition.digest, Scope(), now=NOW + 5 * HOUR).started == 0


@pytest.mark.usefixtures("database")
def test_every_width_of_scope_counts_the_same_rows() -> None:
    definition = publish(SEQUENCE)
    places = [(new_id(), "430202"), (new_id(), "430203"), (new_id(), "430302"), (None, "")]
    for number, (organization, division) in enumerate(places, 1):
        for _ in range(number):
            finish(start(definition, organization=organization, division=division), "a", now=NOW + HOUR)

    def visits(scope: Scope) -> int:
        found = look(definition.digest, scope, now=NOW + 2 * HOUR)
        return found.elements["a"].visits if "a" in found.elements else 0

    assert visits(EVERYTHING) == 10
    assert visits(Scope(division_prefixes=("43",))) == 6
    assert visits(Scope(division_prefixes=("4302",))) == 3
    assert visits(Scope(division_prefixes=("430203",))) == 2
    assert places[0][0] is not None
    assert places[2][0] is not None
    assert visits(Scope(organization_ids=frozenset({places[2][0]}))) == 3
    assert visits(Scope(organization_ids=frozenset({places[0][0]}), division_prefixes=("4303",))) == 4
    assert visits(Scope(narrowed=frozenset({(places[2][0], "4302")}))) == 0


@pytest.mark.usefixtures("database")
def test_processes_are_listed_with_what_is_open_of_every_version() -> None:
    old = publish(SEQUENCE)
    first = start(old)
    new = publish(SEQUENCE.replace('name="受理"'.encode(), 'name="受理二"'.encode()))
    start(new)
    finish(first, "a", now=NOW + HOUR)
    finish(first, "b", now=NOW + 2 * HOUR, outcome="approve")
    start(old)
    measuring.measure(now=NOW + 3 * HOUR, again=True)
    (found,) = insights.overview(scope=EVERYTHING, period=PERIOD).definitions
    assert (found.code, found.digest, found.version, found.versions) == ("test", new.digest, 2, 2)
    assert (found.running, found.on_older, found.started, found.completed.mean) == (2, 1, 3, 2 * 3600)
    both = insights.diagram(digest=new.digest, scope=EVERYTHING, period=PERIOD, now=NOW, all_versions=True)
    assert (both.started, both.elements["a"].here, both.counted) == (3, 2, 2)
    few = insights.diagram(digest=new.digest, scope=EVERYTHING, period=PERIOD, now=NOW, all_versions=True, most_open=1)
    assert (few.counted, few.more_open) == (1, True)


@pytest.mark.usefixtures("database")
def test_instances_are_counted_by_state_and_week() -> None:
    definition = publish(SEQUENCE)
    for _ in range(3):
        instance = start(definition)
    finish(instance, "a")
    finish(instance, "b", now=NOW + timedelta(days=7), outcome="approve")
    commands.cancel_process(instance_id=start(definition), reason="test", actor=SYSTEM, now=NOW)
    measuring.measure(now=NOW + timedelta(days=8), again=True)
    found = insights.weeks(digest=definition.digest, scope=EVERYTHING, period=PERIOD)
    by_week = {one.monday: one for one in found}
    assert [one.monday.weekday() for one in found] == [0] * len(found)
    march = by_week[date(2026, 3, 2)]
    assert (march.started, march.completed, march.cancelled, march.running) == (4, 0, 1, 2)
    assert by_week[date(2026, 3, 9)].completed == 1


@pytest.mark.usefixtures("database")
def test_what_waits_is_counted_by_department_and_organization() -> None:
    definition = publish(SEQUENCE)
    mine = new_id()
    start(definition, organization=mine)
    start(definition, organization=new_id())
    departments, organizations = insights.departments(scope=EVERYTHING, now=NOW + HOUR)
    assert [(one.department, one.open, one.overdue, one.mean_age_seconds) for one in departments] == [
        ("police", 2, 0, 3600)
    ]
    assert len(organizations) == 2
    own = Scope(organization_ids=frozenset({mine}))
    departments, organizations = insights.departments(scope=own, now=NOW + HOUR, digest=definition.digest)
    assert [one.open for one in departments] == [1]
    assert [one.organization_id for one in organizations] == [mine]
    assert insights.labels_of(organizations) == {mine}


@pytest.mark.usefixtures("database")
def test_a_process_that_is_not_published_has_no_figures() -> None:
    with pytest.raises(DefinitionUnknown):
        insights.diagram(digest="nothing", scope=EVERYTHING, period=PERIOD, now=NOW)
    assert insights.overview(scope=EVERYTHING, period=PERIOD).definitions == ()
    assert measuring.measure(now=NOW) is False


def test_the_numbers_in_the_sql_are_those_of_the_code() -> None:
    from furong.domains.processes.interpreter import LogKind
    from furong.domains.processes.store import _FOLDER

    head = (_FOLDER / "insights.sql").read_text().partition("-- name:")[0].replace("\n-- ", " ")
    for kind in LogKind:
        if kind <= LogKind.ENDED:
            assert f"{kind.value} {kind.name.lower()}" in head, kind
    for measure, told in ((Measure.VISIT, "visit"), (Measure.ROUNDS, "rounds"), (Measure.LOOP, "loop")):
        assert f"{measure.value} {told}" in head
