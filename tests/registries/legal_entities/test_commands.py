"""Setting up, changing and ending entities, on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import IntegrityError, connection, connections

from furong.foundation.access.errors import AccessRefused, AssuranceTooLow, PurposeMissing, SignInNeeded
from furong.foundation.access.values import Actor, Assurance, Basis
from furong.foundation.audit import queries as audit
from furong.foundation.codes.credit_codes import make_credit_code, parse_credit_code
from furong.foundation.codes.ids import new_id
from furong.registries.legal_entities import commands, errors, queries
from furong.registries.legal_entities.values import EntityKind, EntityState, Officer, RoleKind
from tests.registries.legal_entities.conftest import COUNTY, NOW, SYSTEM, TODAY, WHY, Register

HIM = "贺知远"


def rows(sql: str, *params: object) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


def in_threads(count: int, work: Callable[[int], object]) -> list[object]:
    """Run ``work`` in as many threads, all let go at once; give results and exceptions."""
    barrier = Barrier(count)

    def one(index: int) -> object:
        try:
            barrier.wait(30)
            return work(index)
        except Exception as exc:  # noqa: BLE001 - the test looks at what each thread met
            return exc
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def public(code: str) -> Any:
    return queries.get_public(code=code, actor=SYSTEM, now=NOW)


def acts(register: Register, done: Any, **more: Any) -> dict[str, Any]:
    return {"entity_id": done.entity_id, "actor": SYSTEM, "basis": WHY, "now": register.now, **more}


# --- names ----------------------------------------------------------------------------------------------------------


def test_a_kept_name_is_its_founders_for_two_months_and_then_anybodys(register: Register) -> None:
    kept = register.keep(area="city")
    assert (kept.name, kept.until) == ("株洲荷塘月色食品有限公司", date(2026, 5, 10))
    assert register.keep() == kept, "who keeps it keeps it on"
    with pytest.raises(errors.NameRefused, match="相同"):
        register.keep(person_id=new_id())
    register.now = NOW + timedelta(days=61)
    theirs = register.keep(person_id=new_id())
    assert theirs.id != kept.id
    with pytest.raises(errors.ReservationLapsed):
        register.company(reservation_id=kept.id)


def test_the_check_of_a_name_answers_as_keeping_it_would(register: Register) -> None:
    def check(trade_name: str, **given: Any) -> Any:
        asked = {"kind": EntityKind.LIMITED_COMPANY, "industry": "C14", "division_code": COUNTY, "now": NOW, **given}
        return queries.check_name(trade_name=trade_name, **asked)

    assert check("荷塘月色").is_free
    register.keep()
    assert not check("荷塘月色").is_free
    assert not check("荷塘月色", industry="", industry_words="").is_free
    assert check("荷塘月色", industry="I65").is_free
    assert check("荷塘月色", area="province").is_free
    assert not check("月").is_free
    alike = check("荷塘悦色")
    assert (alike.is_free, alike.similar) == (True, ("株洲荷塘月色食品有限公司",))
    with pytest.raises(errors.NameSimilar):
        register.keep("荷塘悦色", person_id=new_id())
    assert register.keep("荷塘悦色", person_id=new_id(), accept_similar=True).name == "株洲荷塘悦色食品有限公司"
    for wrong in ({"industry": "X99"}, {"area": "moon"}, {"division_code": "999999"}, {"kind": EntityKind.ORGAN}):
        with pytest.raises(errors.FactsIncomplete):
            check("荷塘月色", **wrong)


def test_of_many_who_keep_one_trade_name_at_once_one_does(register: Register) -> None:
    def ask(index: int) -> object:
        form = "有限公司" if index % 2 else "有限责任公司"  # other whole names, one trade name
        return register.keep("同一刻", person_id=new_id(), form=form, accept_similar=True)

    found = in_threads(8, ask)
    assert sum(not isinstance(one, Exception) for one in found) == 1
    assert sum(isinstance(one, errors.NameRefused) for one in found) == 7
    assert rows("SELECT count(*) FROM legal_entities_name") == [(1,)]


def test_a_name_is_kept_once_for_an_effect_and_given_up_by_its_founder(register: Register) -> None:
    effect = new_id()
    kept = register.keep(effect_id=effect)
    assert register.keep(effect_id=effect) == kept
    why = {"basis": WHY, "now": NOW}
    with pytest.raises(errors.ReservationNotFound):
        commands.release_name(reservation_id=kept.id, actor=register.resident(new_id()), **why)
    mine = register.resident()
    assert [one.name for one in queries.list_reservations(person_id=register.founder, actor=mine, **why)] == [kept.name]
    commands.release_name(reservation_id=kept.id, actor=mine, **why)
    assert queries.list_reservations(person_id=register.founder, actor=mine, **why) == ()
    with pytest.raises(errors.ReservationLapsed):
        commands.release_name(reservation_id=kept.id, actor=mine, **why)
    assert register.keep(person_id=new_id()).id != kept.id


def test_who_holds_a_firm_may_bear_its_trade_name_again(register: Register) -> None:
    done = register.company()
    other = {"kind": EntityKind.SOLE_PROPRIETORSHIP, "accept_similar": True}
    with pytest.raises(errors.NameRefused):
        register.keep(**other)
    with pytest.raises(errors.NameRefused, match="投资"):
        register.keep(person_id=new_id(), owner_code=done.credit_code, **other)
    assert register.keep(owner_code=done.credit_code, **other).name.startswith("株洲荷塘月色食品")


def test_a_resident_keeps_names_for_themself_alone_and_staff_by_their_right(register: Register) -> None:
    with pytest.raises(AccessRefused):
        register.keep(actor=register.resident(new_id()))
    with pytest.raises(AssuranceTooLow):
        register.keep(actor=replace(register.resident(), assurance=Assurance.REGISTERED))
    with pytest.raises(SignInNeeded):
        register.keep(actor=Actor.anonymous())
    with pytest.raises(PurposeMissing):
        register.keep(basis=Basis(purpose=" "))
    assert register.keep(actor=register.resident()).name


# --- registration ---------------------------------------------------------------------------------------------------


def test_a_company_is_registered_with_its_code_its_name_and_its_holder(register: Register) -> None:
    done = register.company()
    code = parse_credit_code(done.credit_code)
    assert (code.registrar, code.kind, code.division_code, code.organisation_code[:4]) == ("9", "1", "430290", "MA4H")
    shown = public(done.credit_code)
    assert (shown.name, shown.head, shown.capital_fen, shown.state) == (
        "株洲荷塘月色食品有限公司",
        "罗红霞",
        10_000_000,
        EntityState.ACTIVE,
    )
    assert shown.established_on == TODAY
    found = queries.find_represented(code=done.credit_code.lower())
    assert found is not None
    assert (found.entity_id, found.person_id) == (done.entity_id, register.founder)
    assert rows("SELECT kind FROM legal_entities_role ORDER BY kind") == [("head",), ("holder",)]
    assert rows("SELECT count(*) FROM audit_subject WHERE person_id = %s", register.founder)[0][0] >= 2


def test_the_same_effect_registers_once_and_other_content_under_it_is_a_fault(register: Register) -> None:
    effect, kept = new_id(), register.keep()
    found = in_threads(4, lambda _: register.company(effect_id=effect, reservation_id=kept.id))
    assert len({str(one) for one in found}) == 1, found
    assert rows("SELECT count(*) FROM legal_entities_entity") == [(1,)]
    with pytest.raises(errors.EffectReusedError):
        register.company(effect_id=effect, reservation_id=kept.id, entity=register.plan(capital_fen=1))
    with pytest.raises(errors.ReservationLapsed):
        register.company(reservation_id=kept.id)


def test_codes_stay_unique_when_many_are_given_out_at_once(register: Register) -> None:
    kept = [register.keep(name, person_id=register.founder).id for name in ("甲子春", "乙丑夏", "丙寅秋", "丁卯冬")]
    found = in_threads(4, lambda n: register.company(reservation_id=kept[n]))
    assert len({one.credit_code for one in found}) == 4  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"address": " "}, "address"),
        ({"scope": ""}, "scope"),
        ({"term_until": TODAY}, "term_until"),
        ({"capital_fen": 0}, "capital_fen"),
        ({"officers": ()}, "head"),
    ],
)
def test_an_item_that_is_missing_is_named(register: Register, given: dict[str, Any], field: str) -> None:
    kept = register.keep().id
    with pytest.raises(errors.FactsIncomplete) as met:
        register.company(reservation_id=kept, entity=register.plan(**given))
    assert met.value.params["field"] == field
    assert register.company(reservation_id=kept).credit_code, "the name is still kept"


def test_shares_add_up_and_are_due_within_five_years(register: Register) -> None:
    kept = register.keep().id
    plan = register.plan()
    head, holder = plan.officers
    wrong = {
        "capital_fen": (head, replace(holder, subscribed_fen=1)),
        "due_on": (head, replace(holder, due_on=date(2031, 3, 11))),
        "paid_fen": (head, replace(holder, paid_fen=10_000_001)),
        "holders": (head,),
        "officers": (head, holder, holder),
        "head": (holder,),
    }
    for field, officers in wrong.items():
        with pytest.raises(errors.FactsIncomplete) as met:
            register.company(reservation_id=kept, entity=replace(plan, officers=officers))
        assert met.value.params["field"] == field
    assert register.company(
        reservation_id=kept, entity=replace(plan, officers=(head, replace(holder, due_on=date(2031, 3, 10))))
    )


def test_a_name_is_registered_for_whom_and_for_what_it_was_kept(register: Register) -> None:
    kept = register.keep().id
    with pytest.raises(errors.ReservationNotFound):
        register.company(reservation_id=kept, entity=register.plan(person_id=new_id()))
    with pytest.raises(errors.FactsIncomplete):
        register.company(reservation_id=kept, entity=register.plan(EntityKind.INDIVIDUAL_BUSINESS, capital_fen=None))
    with pytest.raises(errors.FactsIncomplete):
        register.enter(entity=register.plan(), name="株洲荷塘月色食品有限公司")
    with pytest.raises(AccessRefused):
        register.company(reservation_id=kept, actor=register.resident())


def test_institutions_and_branches_bear_the_name_they_are_given_which_nobody_else_bears(register: Register) -> None:
    school = register.plan(EntityKind.INSTITUTION, capital_fen=None, scope="")
    given = {"entity": school, "name": "株洲市荷塘区晨光小学", "given_code": make_credit_code("1", "2", "430290", 7)}
    done = register.enter(**given)
    with pytest.raises(errors.NameRefused):
        register.enter(**{**given, "given_code": make_credit_code("1", "2", "430290", 8)})
    with pytest.raises(errors.CreditCodeTaken):
        register.enter(**{**given, "name": "株洲市荷塘区晨晖小学"})
    assert public(done.credit_code).kind is EntityKind.INSTITUTION
    firm = register.company()
    branch = register.plan(EntityKind.BRANCH, capital_fen=None, parent_code=firm.credit_code)
    theirs = register.enter(entity=branch, name="株洲荷塘月色食品有限公司芦淞分公司", division_code="430203")
    assert public(firm.credit_code).branches == ((theirs.credit_code, theirs.name),)
    assert public(theirs.credit_code).parent_name == firm.name
    with pytest.raises(errors.EntityNotFound):
        register.enter(entity=replace(branch, parent_code="0"), name="某某分公司")


# --- changes --------------------------------------------------------------------------------------------------------


def test_a_change_keeps_what_was_believed_before_and_a_late_one_holds_until_the_next(register: Register) -> None:
    done = register.company(established_on=date(2025, 1, 6))
    assert commands.change(**acts(register, done, items={"address": "新塘路9号"}, since=date(2026, 1, 5))) == (
        "address",
    )
    told = NOW + timedelta(hours=1)
    register.now = NOW + timedelta(hours=2)
    commands.change(**acts(register, done, items={"address": "桃花路16号"}, since=date(2025, 6, 2)))
    days = {day: queries.state_on(code=done.credit_code, on=day).get("address") for day in (
        date(2025, 1, 5), date(2025, 1, 6), date(2025, 6, 2), date(2026, 1, 5))}  # fmt: skip
    assert list(days.values()) == [None, "红旗路88号", "桃花路16号", "新塘路9号"]
    assert queries.state_on(code=done.credit_code, on=date(2025, 7, 1), known_at=told)["address"] == "红旗路88号"
    assert public(done.credit_code).address == "新塘路9号"
    assert [(one.item, one.before, one.after) for one in public(done.credit_code).changes] == [
        ("address", "红旗路88号", "新塘路9号"),
        ("address", "红旗路88号", "桃花路16号"),
    ]
    with pytest.raises(errors.NothingChanged):
        commands.change(**acts(register, done, items={"address": "新塘路9号"}))
    for wrong in ({"items": {"name": "x"}}, {"items": {"scope": " "}}, {"since": TODAY + timedelta(days=1)}):
        with pytest.raises(errors.FactsIncomplete):
            commands.change(**acts(register, done, **{"items": {"scope": "x"}, **wrong}))
    for table in ("version", "role", "act"):
        with pytest.raises(IntegrityError, match="is kept"):
            rows(f"DELETE FROM legal_entities_{table}")


def test_who_leads_and_holds_a_company_changes_with_its_capital(register: Register) -> None:
    done, him = register.company(), new_id()
    head = Officer(kind=RoleKind.HEAD, name=HIM, person_id=him)
    mine = Officer(kind=RoleKind.HOLDER, name="罗红霞", person_id=register.founder, subscribed_fen=10_000_000)
    his = Officer(kind=RoleKind.HOLDER, name=HIM, person_id=him, subscribed_fen=20_000_000)
    with pytest.raises(errors.FactsIncomplete):
        commands.change(**acts(register, done, officers={RoleKind.HOLDER: (mine, his)}))
    effect = new_id()
    both = {
        "items": {"capital_fen": 30_000_000},
        "officers": {RoleKind.HEAD: (head,), RoleKind.HOLDER: (mine, his)},
        "effect_id": effect,
    }
    register.now = NOW + timedelta(days=1)
    changed = commands.change(**acts(register, done, **both))
    assert set(changed) == {"capital_fen", "head", "holder"}
    assert commands.change(**acts(register, done, **both)) == changed
    entity = queries.get_entity(code=done.credit_code, actor=SYSTEM, basis=WHY, now=register.now)
    now = {(one.kind, one.person_id) for one in entity.roles if one.until is None}
    assert now == {(RoleKind.HEAD, him), (RoleKind.HOLDER, him), (RoleKind.HOLDER, register.founder)}
    assert [(one.kind, one.until) for one in entity.roles if one.until] == [
        (RoleKind.HEAD, TODAY + timedelta(days=1)),
        (RoleKind.HOLDER, TODAY + timedelta(days=1)),
    ]
    assert public(done.credit_code).head == HIM
    found = queries.find_represented(code=done.credit_code)
    assert found is not None
    assert found.person_id == him
    lines = queries.list_of_person(person_id=him, actor=register.resident(him), basis=WHY, now=register.now)
    assert [(line.name, kinds) for line, kinds in lines] == [(done.name, (RoleKind.HEAD, RoleKind.HOLDER))]


def test_a_name_that_was_given_up_is_nobodys_for_a_year(register: Register) -> None:
    done = register.company()
    new = register.keep("藕香深处")
    assert commands.change(**acts(register, done, reservation_id=new.id)) == ("name",)
    assert public(done.credit_code).name == "株洲藕香深处食品有限公司"
    register.now = NOW + timedelta(days=364)
    with pytest.raises(errors.NameRefused):
        register.keep(person_id=new_id())
    register.now = NOW + timedelta(days=366)
    assert register.keep(person_id=new_id())


# --- ends -----------------------------------------------------------------------------------------------------------


def test_a_company_ends_simply_after_twenty_days_without_objection(register: Register) -> None:
    done = register.company()
    mine = register.resident()
    with pytest.raises(errors.NotSimple):
        commands.publish_notice(**acts(register, done, promise=False))
    with pytest.raises(AccessRefused):
        commands.publish_notice(**acts(register, done, promise=True, actor=register.resident(new_id())))
    notice = commands.publish_notice(**acts(register, done, promise=True, actor=mine))
    assert (notice.ends_on, notice.apply_by) == (TODAY + timedelta(days=20), TODAY + timedelta(days=40))
    with pytest.raises(errors.NoticeRunning):
        commands.publish_notice(**acts(register, done, promise=True))
    with pytest.raises(errors.NoticeRunning):
        commands.change(**acts(register, done, items={"scope": "批发"}))
    for days, refusal in ((20, errors.NoticeRunning), (41, errors.NoticeOver)):
        register.now = NOW + timedelta(days=days)
        with pytest.raises(refusal):
            commands.deregister(**acts(register, done, simple=True))
    register.now = NOW + timedelta(days=21)
    effect = new_id()
    for _ in range(2):
        commands.deregister(**acts(register, done, simple=True, effect_id=effect))
    ended = public(done.credit_code)
    assert (ended.state, ended.ended_on) == (EntityState.DEREGISTERED, TODAY + timedelta(days=21))
    assert queries.find_represented(code=done.credit_code) is None
    assert rows("SELECT count(*) FROM legal_entities_role WHERE superseded_at IS NULL AND valid_until IS NULL") == [
        (0,)
    ]
    with pytest.raises(errors.EntityClosed):
        commands.change(**acts(register, done, items={"scope": "批发"}))


def test_an_objection_within_the_notice_ends_the_simple_procedure(register: Register) -> None:
    done = register.company()
    commands.publish_notice(**acts(register, done, promise=True))
    creditor = register.resident(new_id())
    with pytest.raises(errors.ReasonMissing):
        commands.object_to_notice(**acts(register, done, reason=" ", actor=creditor))
    commands.object_to_notice(**acts(register, done, reason="货款未付", actor=creditor))
    assert public(done.credit_code).notice.state == "objected"
    register.now = NOW + timedelta(days=21)
    with pytest.raises(errors.NoticeObjected):
        commands.deregister(**acts(register, done, simple=True))
    with pytest.raises(errors.NoticeNotFound):
        commands.object_to_notice(**acts(register, done, reason="货款未付", actor=creditor))
    commands.publish_notice(**acts(register, done, promise=True))
    register.now = NOW + timedelta(days=42)
    with pytest.raises(errors.NoticeOver):
        commands.object_to_notice(**acts(register, done, reason="货款未付", actor=creditor))
    commands.withdraw_notice(**acts(register, done, actor=register.resident()))
    with pytest.raises(errors.NoticeNotFound):
        commands.deregister(**acts(register, done, simple=True))
    with pytest.raises(errors.ReasonMissing):
        commands.deregister(**acts(register, done, simple=False))
    commands.deregister(**acts(register, done, simple=False, reason="清算报告"))
    assert public(done.credit_code).state is EntityState.DEREGISTERED


def test_an_individual_business_ends_without_a_notice_and_a_firm_not_before_its_branches(register: Register) -> None:
    kind = {"kind": EntityKind.INDIVIDUAL_BUSINESS}
    stall = register.company(
        reservation_id=register.keep("桂珍", industry="H62", **kind).id,
        entity=register.plan(EntityKind.INDIVIDUAL_BUSINESS, capital_fen=None),
    )
    commands.deregister(**acts(register, stall, simple=True))
    assert public(stall.credit_code).state is EntityState.DEREGISTERED
    firm = register.company()
    branch = register.plan(EntityKind.BRANCH, capital_fen=None, parent_code=firm.credit_code)
    theirs = register.enter(entity=branch, name="芦淞分公司", division_code="430203")
    for refused in (
        lambda: commands.publish_notice(**acts(register, firm, promise=True)),
        lambda: commands.deregister(**acts(register, firm, simple=False, reason="清算报告")),
    ):
        with pytest.raises(errors.NotSimple):
            refused()
    commands.deregister(**acts(register, theirs, simple=True))
    commands.deregister(**acts(register, firm, simple=False, reason="清算报告"))


def test_what_is_done_against_an_entity_has_its_reason_and_what_is_over_stays_over(register: Register) -> None:
    done = register.company()
    assert commands.declare_dormant(**acts(register, done, reason="停业")) == date(2029, 3, 10)
    with pytest.raises(errors.NothingChanged):
        commands.declare_dormant(**acts(register, done, reason="停业"))
    commands.resume(**acts(register, done))
    with pytest.raises(errors.ReasonMissing):
        commands.revoke(**acts(register, done, reason=""))
    commands.publish_notice(**acts(register, done, promise=True))
    commands.revoke(**acts(register, done, reason="连续六个月未营业"))
    assert public(done.credit_code).state is EntityState.REVOKED
    for refused in (
        lambda: commands.change(**acts(register, done, items={"scope": "批发"})),
        lambda: commands.resume(**acts(register, done)),
    ):
        with pytest.raises(errors.EntityClosed):
            refused()
    with pytest.raises(errors.NotSimple):
        commands.deregister(**acts(register, done, simple=True))
    commands.annul(**acts(register, done, reason="虚假材料"))
    assert public(done.credit_code).state is EntityState.ANNULLED
    entity = queries.get_entity(code=done.credit_code, actor=SYSTEM, basis=WHY, now=register.now)
    assert [one.kind.value for one in entity.acts] == [
        "annulled",
        "revoked",
        "notice",
        "resumed",
        "dormant",
        "registered",
    ]


# --- reading --------------------------------------------------------------------------------------------------------


def test_anybody_finds_an_entity_by_the_beginning_of_its_name_and_nobody_in_it(register: Register) -> None:
    done = register.company()
    register.company("荷塘晨光", reservation_id=register.keep("荷塘晨光", accept_similar=True).id)
    assert [one.name for one in queries.find_public(text="荷塘")] == ["株洲荷塘晨光食品有限公司", done.name]
    for text in (done.credit_code, "株洲荷塘月色", "荷塘月", "（株洲）荷塘月色"):
        assert [one.credit_code for one in queries.find_public(text=text)] == [done.credit_code], text
    for text in ("荷", "", "罗红霞", "%%", "月色"):
        assert queries.find_public(text=text) == (), text
    assert [one.name for one in queries.search_entities(
        text="荷塘月色", state=EntityState.ACTIVE, actor=SYSTEM, basis=WHY, now=NOW)] == [done.name]  # fmt: skip
    assert queries.search_entities(kind=EntityKind.COOPERATIVE, actor=SYSTEM, basis=WHY, now=NOW) == ()


def test_who_reads_the_people_of_an_entity_says_why_and_they_see_it(register: Register) -> None:
    done = register.company()
    ask = {"code": done.credit_code, "now": NOW}
    with pytest.raises(PurposeMissing):
        queries.get_entity(actor=SYSTEM, basis=Basis(purpose=""), **ask)
    with pytest.raises(AccessRefused):
        queries.get_entity(actor=register.resident(new_id()), basis=WHY, **ask)
    with pytest.raises(errors.EntityNotFound):
        queries.get_entity(actor=SYSTEM, basis=WHY, code="91", now=NOW)
    mine = queries.get_entity(actor=register.resident(), basis=WHY, **ask)
    assert [one.name for one in mine.roles] == ["罗红霞", "罗红霞"]
    queries.get_entity(actor=SYSTEM, basis=Basis(purpose="核查"), **ask)
    queries.get_public(actor=Actor.anonymous(), **ask)
    seen = [one for one in audit.list_reads_of_person(person_id=register.founder) if one.action == "read"]
    assert sorted(one.what for one in seen) == [
        "legal_entities.get_entity",
        "legal_entities.get_entity",
        "legal_entities.get_public",
    ]
    assert {one.purpose for one in seen} >= {"核查", "test"}
