"""Deadlines over many cases: yellow, red, overdue; and the figures of the front page."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from furong.domains.cases import commands, models, queries
from furong.domains.cases.queries.listing import light_from_days
from furong.domains.cases.queries.reading import light_of
from furong.domains.cases.values import CaseState, Light
from furong.foundation.access.errors import AccessRefused
from tests.factories.newborn import World

ITEM = "vaccination_record"


def _accepted(world: World, count: int = 1) -> list[models.Case]:
    cases = []
    for number in range(count):
        if number:
            world.next_family()
        case_id = world.case(world.submit(items=(ITEM,), event=""), ITEM)
        commands.accept_case(case_id=case_id, actor=world.vaccination, now=world.now)
        cases.append(models.Case.objects.get(id=case_id))
    return cases


def test_the_lights_of_an_organisation_are_counted_and_the_worst_come_first(world: World) -> None:
    first, second = _accepted(world, 2)
    rows = queries.supervision(actor=world.supervisor, now=world.now)
    (row,) = [r for r in rows if r.organization_id == first.organization_id]
    assert (row.open, row.red, row.overdue) == (2, 0, 0)
    assert first.promised_due_on is not None
    assert first.statutory_due_on is not None
    assert second.yellow_on is not None
    world.on(second.yellow_on)
    assert queries.supervision(actor=world.supervisor, now=world.now)[0].yellow == 2
    world.on(first.promised_due_on + timedelta(days=1))
    assert queries.supervision(actor=world.supervisor, now=world.now)[0].red == 2
    world.on(first.statutory_due_on + timedelta(days=1))
    assert queries.supervision(actor=world.supervisor, now=world.now)[0].overdue == 2
    commands.approve_case(case_id=first.id, actor=world.vaccination, now=world.now)
    assert queries.supervision(actor=world.supervisor, now=world.now)[0].overdue == 1
    late = queries.list_late_cases(actor=world.supervisor, now=world.now)
    assert [line.case_id for line in late] == [second.id]
    assert late[0].light is Light.OVERDUE


def test_each_turn_of_a_light_is_told_once(world: World) -> None:
    from furong.foundation.events.values import EVENTS

    (case,) = _accepted(world)
    assert "cases.task_overdue" in EVENTS
    assert case.yellow_on is not None
    assert case.statutory_due_on is not None
    assert commands.run_due(now=world.on(case.yellow_on - timedelta(days=1)))["lights"] == 0
    assert commands.run_due(now=world.on(case.yellow_on))["lights"] == 1
    assert commands.run_due(now=world.now)["lights"] == 0
    assert commands.run_due(now=world.on(case.statutory_due_on + timedelta(days=1)))["lights"] == 1
    assert commands.run_due(now=world.later(30))["lights"] == 0
    told = models.CaseEvent.objects.filter(case=case, code="case.turned_late").order_by("at")
    assert [e.params["light"] for e in told] == ["yellow", "overdue"]
    assert not any(e.code == "case.turned_late" for e in world.view(case.application_id).timeline)


def test_the_light_in_a_list_is_the_clocks_own(world: World) -> None:
    (case,) = _accepted(world)
    for n in range(60):
        on = date(2026, 11, 23) + timedelta(days=n)
        from_days = light_from_days(
            on=on,
            state=CaseState(case.state),
            has_clock=True,
            stopped=False,
            decided=False,
            yellow_on=case.yellow_on,
            due_on=case.promised_due_on,
            statutory_due_on=case.statutory_due_on,
        )
        assert from_days is light_of(case, on), on


def test_supervision_needs_its_right_and_covers_what_the_post_covers(world: World) -> None:
    _accepted(world)
    for actor in (world.vaccination, world.mother):
        with pytest.raises(AccessRefused):
            queries.supervision(actor=actor, now=world.now)
    assert len(queries.supervision(actor=world.supervisor, now=world.now)) == 1


def test_the_front_page_figures_are_counted_from_decided_cases(world: World) -> None:
    nothing = queries.service_figures(from_on=date(2026, 11, 1), until_on=date(2026, 12, 31))
    assert (nothing.decided, nothing.in_time_percent, nothing.ratings) == (0, None, 0)
    punctual_mother = world.mother
    punctual, late = _accepted(world, 2)
    commands.approve_case(case_id=punctual.id, actor=world.vaccination, now=world.now)
    assert late.statutory_due_on is not None
    world.on(late.statutory_due_on + timedelta(days=3))
    commands.approve_case(case_id=late.id, actor=world.vaccination, now=world.now)
    world.run_jobs()
    commands.rate_case(case_id=punctual.id, level=5, actor=punctual_mother, now=world.now)
    commands.rate_case(case_id=late.id, level=1, actor=world.mother, now=world.now)
    figures = queries.service_figures(from_on=date(2026, 11, 1), until_on=date(2026, 12, 31))
    assert figures.decided == 2
    assert figures.in_time_percent == 50.0
    assert figures.mean_used_days is not None
    assert figures.ratings == 2
    assert figures.satisfied_percent == 50.0
    assert (figures.bad_ratings, figures.called_back) == (1, 0)
    elsewhere = queries.service_figures(from_on=date(2026, 11, 1), until_on=date(2026, 12, 31), division_prefix="4301")
    assert elsewhere.decided == 0
