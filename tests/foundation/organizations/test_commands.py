"""Administrators manage organisations, posts and appointments; a post gives rights, a transfer moves them at once."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import pytest
from django.db import connection

from furong.foundation.access.errors import AccessRefused
from furong.foundation.access.queries import require, rights_of_post
from furong.foundation.access.values import Actor, ActorKind
from furong.foundation.codes.ids import new_id
from furong.foundation.organizations import commands, errors, queries
from furong.foundation.organizations.values import Grant, Name, Reach

from .conftest import NOW, SYSTEM, Places, post

DAY = date(2026, 3, 2)


def actor_in(post_id: UUID) -> Actor:
    found = queries.get_post(post_id=post_id)
    organization = queries.get_organization(organization_id=found.organization_id)
    return Actor(
        kind=ActorKind.STAFF,
        account_id=new_id(),
        post_id=post_id,
        organization_id=organization.id,
        division_code=organization.division_code,
    )


def administrator(organization_id: UUID, reach: Reach) -> Actor:
    made = commands.create_post(
        organization_id=organization_id,
        title=Name(zh="管理员"),
        grants=[Grant(right="organizations.manage", reach=reach), Grant(right="accounts.manage", reach=reach)],
        actor=SYSTEM,
        now=NOW,
    )
    return actor_in(made)


def test_a_post_gives_its_rights_over_its_own_organisation_only(places: Places) -> None:
    officer = actor_in(post(places.station, "police.household_officer"))
    require(actor=officer, right="cases.decide", organization_id=places.station, division_code="430202001")
    with pytest.raises(AccessRefused):
        require(actor=officer, right="cases.decide", organization_id=places.branch, division_code="430202")


def test_a_subtree_reaches_the_stations_below_and_no_other_department(places: Places) -> None:
    chief = actor_in(post(places.city, "police.household_chief"))
    require(actor=chief, right="cases.handle", organization_id=places.station, division_code="430202001")
    with pytest.raises(AccessRefused):
        require(actor=chief, right="cases.handle", organization_id=places.hospital, division_code="430202")


def test_a_new_organisation_below_comes_under_the_rights_that_reach_down(places: Places) -> None:
    chief = actor_in(post(places.city, "police.household_chief"))
    made = commands.create_organization(
        name=Name(zh="荷塘分局车站派出所"),
        department="police",
        division_code="430202",
        parent_id=places.branch,
        actor=SYSTEM,
        now=NOW,
    )
    require(actor=chief, right="cases.handle", organization_id=made)


def test_a_moved_organisation_leaves_the_rights_of_its_old_parent(places: Places, short_lease: None) -> None:
    chief = actor_in(post(places.branch, "police.household_chief"))
    station = queries.get_organization(organization_id=places.station)
    require(actor=chief, right="cases.handle", organization_id=station.id)
    commands.change_organization(
        organization_id=station.id,
        name=station.name,
        short_zh="",
        address="",
        phone="",
        parent_id=places.city,
        actor=SYSTEM,
        now=NOW,
    )
    with pytest.raises(AccessRefused):
        require(actor=chief, right="cases.handle", organization_id=station.id)


def test_a_transfer_moves_the_account_in_one_step(places: Places) -> None:
    account = new_id()
    old, new = post(places.station, "police.household_officer"), post(places.branch, "police.household_officer")
    first = commands.appoint(account_id=account, post_id=old, actor=SYSTEM, now=NOW)
    assert [seat.post_id for seat in queries.posts_of_account(account_id=account, on=DAY)] == [old]
    commands.transfer(appointment_id=first, to_post_id=new, actor=SYSTEM, now=NOW)
    assert [seat.post_id for seat in queries.posts_of_account(account_id=account, on=DAY)] == [new]
    ended = [one for one in queries.list_appointments(account_id=account, with_ended=True) if one.ended_at]
    assert [(one.post_id, one.until_on) for one in ended] == [(old, DAY)]
    with pytest.raises(errors.AppointmentNotFound):
        commands.transfer(appointment_id=first, to_post_id=new, actor=SYSTEM, now=NOW)


def test_an_appointment_holds_from_its_first_day_until_the_day_before_its_last(places: Places) -> None:
    account, seat = new_id(), post(places.station, "police.household_officer")
    commands.appoint(
        account_id=account,
        post_id=seat,
        from_on=DAY + timedelta(days=2),
        until_on=DAY + timedelta(days=5),
        actor=SYSTEM,
        now=NOW,
    )
    held = [
        bool(queries.posts_of_account(account_id=account, on=DAY + timedelta(days=offset))) for offset in range(1, 7)
    ]
    assert held == [False, True, True, True, False, False]
    # Once over, the same post can be given again.
    later = NOW + timedelta(days=9)
    commands.appoint(account_id=account, post_id=seat, actor=SYSTEM, now=later)
    assert queries.posts_of_account(account_id=account, on=DAY + timedelta(days=9))


def test_nobody_sits_twice_in_one_post(places: Places) -> None:
    account, seat = new_id(), post(places.station, "police.household_officer")
    commands.appoint(account_id=account, post_id=seat, actor=SYSTEM, now=NOW)
    with pytest.raises(errors.AlreadyAppointed):
        commands.appoint(account_id=account, post_id=seat, actor=SYSTEM, now=NOW)
    with pytest.raises(errors.PeriodRefused):
        commands.appoint(account_id=new_id(), post_id=seat, until_on=DAY - timedelta(days=1), actor=SYSTEM, now=NOW)


def test_the_newest_main_post_comes_first(places: Places) -> None:
    account = new_id()
    old, new = post(places.station, "police.household_officer"), post(places.branch, "police.household_officer")
    commands.appoint(account_id=account, post_id=old, actor=SYSTEM, now=NOW)
    commands.appoint(account_id=account, post_id=new, actor=SYSTEM, now=NOW)
    seats = queries.posts_of_account(account_id=account, on=DAY)
    assert [(seat.post_id, seat.is_main) for seat in seats] == [(new, True), (old, False)]


def test_taking_a_right_from_a_post_holds_for_the_next_question(places: Places, short_lease: None) -> None:
    seat = post(places.station, "police.household_officer")
    officer = actor_in(seat)
    require(actor=officer, right="population.register", division_code="430202001")
    commands.change_post(
        post_id=seat, title=Name(zh="内勤"), grants=[Grant(right="cases.handle")], actor=SYSTEM, now=NOW
    )
    with pytest.raises(AccessRefused):
        require(actor=officer, right="population.register", division_code="430202001")


def test_a_closed_post_and_an_abolished_organisation_have_no_rights(places: Places, short_lease: None) -> None:
    seat, other = (post(places.station, "police.household_officer") for _ in range(2))
    held = commands.appoint(account_id=new_id(), post_id=seat, actor=SYSTEM, now=NOW)
    with pytest.raises(errors.PostInUse):
        commands.close_post(post_id=seat, actor=SYSTEM, now=NOW)
    with pytest.raises(errors.OrganizationInUse):
        commands.abolish_organization(organization_id=places.station, actor=SYSTEM, now=NOW)
    commands.end_appointment(appointment_id=held, actor=SYSTEM, now=NOW)
    commands.close_post(post_id=seat, actor=SYSTEM, now=NOW)
    assert rights_of_post(post_id=seat) == ()
    commands.abolish_organization(organization_id=places.station, actor=SYSTEM, now=NOW)
    assert rights_of_post(post_id=other) == ()
    with pytest.raises(errors.OrganizationClosed):
        post(places.station, "police.household_officer")


def test_a_local_administrator_manages_their_division_and_no_other(places: Places) -> None:
    local = administrator(places.branch, Reach.DIVISION)
    commands.create_post(
        organization_id=places.station,
        title=Name(zh="窗口"),
        grants=[Grant(right="cases.handle")],
        actor=local,
        now=NOW,
    )
    elsewhere = queries.get_responsible(department="police", division_code="430203").id
    with pytest.raises(AccessRefused):
        commands.create_post(organization_id=elsewhere, title=Name(zh="窗口"), actor=local, now=NOW)
    with pytest.raises(AccessRefused):
        commands.create_organization(
            name=Name(zh="新局"), department="police", division_code="430203", actor=local, now=NOW
        )


@pytest.mark.parametrize("reach", [Reach.EVERYWHERE, Reach.DIVISION, Reach.SUBTREE])
def test_nobody_gives_further_than_they_administer(places: Places, reach: Reach) -> None:
    narrow = administrator(places.branch, Reach.ORGANIZATION)
    with pytest.raises(errors.RightBeyondOwn):
        commands.create_post(
            organization_id=places.branch,
            title=Name(zh="大权"),
            grants=[Grant(right="population.search", reach=reach)],
            actor=narrow,
            now=NOW,
        )


def test_nobody_appoints_into_a_post_that_gives_further_than_they_administer(places: Places) -> None:
    narrow = administrator(places.branch, Reach.ORGANIZATION)
    wide = commands.create_post(
        organization_id=places.branch,
        title=Name(zh="大权"),
        grants=[Grant(right="accounts.manage", reach=Reach.EVERYWHERE)],
        actor=SYSTEM,
        now=NOW,
    )
    assert narrow.account_id
    with pytest.raises(errors.RightBeyondOwn):
        commands.appoint(account_id=narrow.account_id, post_id=wide, actor=narrow, now=NOW)


def test_an_officer_without_the_right_manages_nothing(places: Places) -> None:
    officer = actor_in(post(places.station, "police.household_officer"))
    for call in (
        lambda: commands.create_post(organization_id=places.station, title=Name(zh="x"), actor=officer, now=NOW),
        lambda: commands.abolish_organization(organization_id=places.station, actor=officer, now=NOW),
        lambda: commands.appoint(account_id=new_id(), post_id=officer.post_id or new_id(), actor=officer, now=NOW),
        lambda: commands.create_unit(organization_id=places.station, name=Name(zh="x"), actor=officer, now=NOW),
        lambda: commands.create_organization(
            name=Name(zh="x"), department="police", division_code="430202", actor=officer, now=NOW
        ),
    ):
        with pytest.raises(AccessRefused):
            call()


def test_an_organisation_needs_a_name_a_known_place_a_department_and_a_free_valid_code(places: Places) -> None:
    def create(**change: object) -> UUID:
        given: dict[str, object] = {
            "name": Name(zh="荷塘区政务服务中心"),
            "department": "data_authority",
            "division_code": "430202",
            "code": "114300000000000190",
            **change,
        }
        return commands.create_organization(**given, actor=SYSTEM, now=NOW)  # type: ignore[arg-type]

    made = create()
    parent = queries.get_organization(organization_id=made).parent_id
    assert parent
    assert queries.get_organization(organization_id=parent).division_code == "430200"
    for change, refusal in (
        ({}, errors.CodeTaken),
        ({"code": "114300000000000191"}, errors.CodeRefused),
        ({"name": Name(zh=" ")}, errors.NameMissing),
        ({"division_code": "430299"}, errors.DivisionUnknown),
        ({"department": "astrology"}, errors.DepartmentUnknown),
        ({"code": "", "parent_id": new_id()}, errors.OrganizationNotFound),
    ):
        with pytest.raises(refusal):
            create(**change)
    assert len(queries.get_organization(organization_id=create(code="")).code) == 18


def test_an_organisation_cannot_stand_below_itself(places: Places) -> None:
    branch = queries.get_organization(organization_id=places.branch)
    with pytest.raises(errors.ParentRefused):
        commands.change_organization(
            organization_id=branch.id,
            name=branch.name,
            short_zh="",
            address="",
            phone="",
            parent_id=places.station,
            actor=SYSTEM,
            now=NOW,
        )


def test_units_are_made_renamed_and_closed(places: Places) -> None:
    unit = commands.create_unit(organization_id=places.branch, name=Name(zh="户政科"), actor=SYSTEM, now=NOW)
    with pytest.raises(errors.UnitExists):
        commands.create_unit(organization_id=places.branch, name=Name(zh="户政科"), actor=SYSTEM, now=NOW)
    commands.rename_unit(unit_id=unit, name=Name(zh="户政大队", en="Household unit"), actor=SYSTEM, now=NOW)
    assert [one.name.en for one in queries.list_units(organization_id=places.branch)] == ["Household unit"]
    seat = commands.create_post(
        organization_id=places.branch, title=Name(zh="科员"), unit_id=unit, actor=SYSTEM, now=NOW
    )
    with pytest.raises(errors.UnitInUse):
        commands.close_unit(unit_id=unit, actor=SYSTEM, now=NOW)
    commands.close_post(post_id=seat, actor=SYSTEM, now=NOW)
    commands.close_unit(unit_id=unit, actor=SYSTEM, now=NOW)
    assert queries.list_units(organization_id=places.branch) == []
    with pytest.raises(errors.UnitNotFound):
        commands.create_post(organization_id=places.station, title=Name(zh="科员"), unit_id=unit, actor=SYSTEM, now=NOW)


def test_a_kind_of_post_belongs_to_its_department_and_levels(places: Places) -> None:
    codes = {one.code for one in queries.list_post_templates(organization_id=places.station)}
    assert codes == {"police.household_officer"}
    with pytest.raises(errors.TemplateUnknown):
        post(places.station, "hospital.birth_clerk")
    with pytest.raises(errors.TemplateUnknown):
        post(places.station, "police.household_chief")
    with pytest.raises(errors.RightUnknown):
        commands.create_post(
            organization_id=places.station,
            title=Name(zh="x"),
            grants=[Grant(right="cases.invent")],
            actor=SYSTEM,
            now=NOW,
        )


def test_everything_is_in_the_audit_log(places: Places) -> None:
    seat = post(places.station, "police.household_officer")
    held = commands.appoint(account_id=new_id(), post_id=seat, actor=SYSTEM, now=NOW)
    commands.end_appointment(appointment_id=held, reason="调离", actor=SYSTEM, now=NOW)
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, object_id FROM audit_entry WHERE outcome = 'done' ORDER BY id")
        entries = cursor.fetchall()
    assert entries == [
        ("organizations.create_post", str(seat)),
        ("organizations.appoint", str(held)),
        ("organizations.end_appointment", str(held)),
    ]


def test_holders_are_counted_on_the_day(places: Places) -> None:
    seat = post(places.station, "police.household_officer")
    commands.appoint(account_id=new_id(), post_id=seat, from_on=DAY + timedelta(days=3), actor=SYSTEM, now=NOW)
    assert queries.get_post(post_id=seat, on=DAY).holders == 0
    assert queries.get_post(post_id=seat, on=DAY + timedelta(days=3)).holders == 1
    assert [one.holders for one in queries.list_posts(organization_id=places.station)] == [1]
