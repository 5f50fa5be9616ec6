"""A need is stated and found, or demanded; what is refused or late comes before the data authority, which rules."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.db import connection

from furong.domains.catalogue.commands import move_online
from furong.domains.catalogue.errors import (
    ActImpossible,
    ElementMissing,
    OwnResource,
    ReasonNeeded,
    RequestMissing,
    RequestOpen,
)
from furong.domains.catalogue.grants import granting, reading, requesting
from furong.domains.catalogue.grants.values import GrantState, RequestState
from furong.domains.catalogue.needs import answering, finding, ruling, stating
from furong.domains.catalogue.needs import reading as needs
from furong.domains.catalogue.needs.errors import (
    ClauseNeeded,
    DateRefused,
    DemandOpen,
    NeedMissing,
    NeedRefused,
    RulingImpossible,
    SupplyLacking,
    SupplyOrdered,
)
from furong.domains.catalogue.needs.values import (
    Benefit,
    DemandAct,
    DemandState,
    DemandView,
    Ground,
    Outcome,
    ReasonKind,
    ShareKind,
    Urgency,
)
from furong.domains.catalogue.states import Act
from furong.domains.processes import queries as work
from furong.foundation.access import sharing
from furong.foundation.access.errors import AccessRefused
from furong.foundation.access.values import Actor
from furong.foundation.organizations import queries as organizations
from tests.domains.catalogue.reading import NOW
from tests.domains.catalogue.test_grants import CODE, TERMS, ask, granted, member, request
from tests.domains.catalogue.test_queries import HIDDEN, reviewer, staff

pytestmark = pytest.mark.usefixtures("platform")

ELEMENT, SOURCE = "disability.grade", "disability_certificates"
UNHEARD = "候鸟迁徙路线的卫星影像"


@pytest.fixture(autouse=True)
def _afresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(settings, "ACCESS_LEASE_SECONDS", 0.05, raising=False)
    sharing.BOOK.forget()
    yield
    sharing.BOOK.forget()


def rows(sql: str, *params: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())


def source_of(element: str) -> str:
    ((code,),) = rows("SELECT resource_id FROM catalogue_carried WHERE element = %s AND is_source", element)
    return str(code)


def take_offline(element: str) -> None:
    """Take every live resource that carries an element offline, so that nothing supplies it."""
    for (code,) in rows(
        "SELECT DISTINCT c.resource_id FROM catalogue_carried c JOIN catalogue_resource r ON r.code = c.resource_id"
        " WHERE c.element = %s AND r.live",
        element,
    ):
        move_online(code=code, act=Act.TAKE_OFFLINE, reason="系统升级", actor=reviewer(), now=NOW)


def put_online(code: str) -> None:
    move_online(code=code, act=Act.PUT_ONLINE, reason="", actor=reviewer(), now=NOW)


def state(actor: Actor, words: str = UNHEARD, **given: Any) -> UUID:
    return stating.state_need(words=words, purpose="审核待遇资格", actor=actor, now=NOW, **given)


def the_demand(need_id: UUID, actor: Actor) -> DemandView:
    (line,) = needs.get_need(need_id=need_id, actor=actor, now=NOW).demands
    return needs.get_demand(demand_id=line.id, actor=actor, now=NOW)


def told(template: str) -> int:
    ((count,),) = rows("SELECT count(*) FROM notices_message WHERE template = %s", template)
    return int(count)


def refused(asks: Actor, owner: Actor) -> UUID:
    """A demand that its owner refused."""
    take_offline(ELEMENT)
    demand = the_demand(state(asks, "残疾等级", elements=[ELEMENT]), asks)
    answering.refuse_demand(
        demand_id=demand.line.id, clause="《条例》第十条", reason="涉及敏感个人信息", actor=owner, now=NOW
    )
    return demand.line.id


# --- found ---------------------------------------------------------------------------------------------------------------------


def test_a_need_in_words_finds_resources_ranked_each_with_its_reasons_and_files_no_demand() -> None:
    asks = member("human_resources")
    need_id = state(asks, "核对申请人是否参加基本医疗保险以及参保地", urgency=Urgency.SOON)
    view = needs.get_need(need_id=need_id, actor=asks, now=NOW)
    first = view.hits[0]
    assert first.line.code == CODE
    assert {(one.kind, one.words) for one in first.reasons} >= {(ReasonKind.ITEM, ("参保地",))}
    assert [one.score for one in view.hits] == sorted((one.score for one in view.hits), reverse=True)
    assert view.demands == ()
    assert view.line.number.startswith("XQ2026-")
    assert first.request_id is None
    request_id = ask(asks)
    found = needs.get_need(need_id=need_id, actor=asks, now=NOW).hits[0]
    assert found.request_id == request_id, "the page leads to the request that was made"


def test_an_element_named_by_its_synonym_is_found_at_its_source() -> None:
    found = finding.find_for(
        actor=member("human_resources"), words="残疾证号", chosen=(), on=NOW.date(), organization_id=None
    )
    assert (found[0].line.code, found[0].reasons[0].kind) == (
        source_of("disability.certificate_number"),
        ReasonKind.SOURCE,
    )


def test_nothing_that_is_not_shared_or_offline_is_found_whoever_looks() -> None:
    name = rows("SELECT name_zh FROM catalogue_resource WHERE code = %s", HIDDEN)[0][0]
    for actor in (member("human_resources"), member("civil_affairs"), reviewer(), Actor.system("test")):
        found = finding.find_for(actor=actor, words=name, chosen=(), on=NOW.date(), organization_id=None)
        assert HIDDEN not in {one.line.code for one in found}
    take_offline(ELEMENT)
    found = finding.find_for(actor=reviewer(), words="残疾等级", chosen=[ELEMENT], on=NOW.date(), organization_id=None)
    assert source_of(ELEMENT) not in {one.line.code for one in found}


def test_a_need_is_stated_in_the_name_of_an_organisation_by_its_officer_and_says_something() -> None:
    with pytest.raises(AccessRefused):
        state(staff_without_right())
    asks = member("human_resources")
    for words in ("", " " * 5, "需" * 1001):
        with pytest.raises(NeedRefused):
            state(asks, words)
    with pytest.raises(ElementMissing):
        state(asks, elements=["no.such"])
    with pytest.raises(NeedRefused):
        state(asks, benefit=Benefit(people=-1))
    assert not rows("SELECT 1 FROM catalogue_need WHERE words = %s", UNHEARD)


def staff_without_right() -> Actor:
    body = organizations.get_responsible(department="human_resources", division_code="430000")
    from dataclasses import replace

    return replace(staff(), organization_id=body.id, division_code=body.division_code)


# --- demanded ------------------------------------------------------------------------------------------------------------------


def test_what_nothing_supplies_is_demanded_of_the_owner_of_the_element_in_ten_working_days() -> None:
    take_offline(ELEMENT)
    asks, owner = member("human_resources"), member("disabled_persons")
    before = told("catalogue.demand_filed")
    need_id = state(asks, "残疾等级", elements=[ELEMENT])
    demand = the_demand(need_id, asks)
    assert demand.line.provider_organization_id == owner.organization_id
    assert (demand.line.state, demand.line.due_on) == (DemandState.FILED, date(2026, 12, 7))
    assert demand.may == {DemandAct.WITHDRAW}
    assert needs.get_demand(demand_id=demand.line.id, actor=owner, now=NOW).may == {
        DemandAct.SUPPLY,
        DemandAct.PROMISE,
        DemandAct.REFUSE,
    }
    assert [one.id for one in needs.list_demands(actor=owner, box="owner", now=NOW)] == [demand.line.id]
    assert needs.count_to_answer(actor=owner) == 1
    assert told("catalogue.demand_filed") >= before
    with pytest.raises(NeedMissing):
        needs.get_demand(demand_id=demand.line.id, actor=member("civil_affairs"), now=NOW)
    with pytest.raises(DemandOpen):
        stating.file_demand(need_id=need_id, element=ELEMENT, words="", actor=asks, now=NOW)
    entry = rows("SELECT name FROM audit_entry WHERE object_id = %s AND outcome = 'done'", str(need_id))
    assert ("catalogue.state_need",) in entry


def test_a_demand_of_nobody_goes_to_the_data_authority_which_names_who_answers() -> None:
    asks, authority = member("human_resources"), authority_officer()
    demand = the_demand(state(asks), asks)
    assert demand.line.is_unowned
    assert demand.line.provider_organization_id == authority.organization_id
    later = NOW + timedelta(days=5)
    with pytest.raises(AccessRefused):
        answering.assign_demand(demand_id=demand.line.id, department="forestry", words="", actor=asks, now=later)
    with pytest.raises(NeedRefused):
        answering.assign_demand(
            demand_id=demand.line.id, department="human_resources", words="", actor=reviewer(), now=later
        )
    answering.assign_demand(
        demand_id=demand.line.id, department="forestry", words="由林业部门牵头", actor=reviewer(), now=later
    )
    owner = member("forestry")
    view = needs.get_demand(demand_id=demand.line.id, actor=owner, now=later)
    assert (view.line.is_unowned, view.line.due_on) == (False, date(2026, 12, 11))
    assert DemandAct.SUPPLY in view.may
    assert {one.code for one in view.offers} == {
        code
        for (code,) in rows(
            "SELECT code FROM catalogue_resource WHERE organization_id = %s AND live AND audience <= 1",
            owner.organization_id,
        )
    }
    with pytest.raises(ActImpossible):
        answering.assign_demand(demand_id=demand.line.id, department="water", words="", actor=reviewer(), now=later)


def authority_officer() -> Actor:
    return member("data_authority")


def test_an_element_of_ones_own_is_not_demanded_of_oneself() -> None:
    take_offline(ELEMENT)
    owner = member("disabled_persons")
    need_id = state(owner, "残疾等级", elements=[ELEMENT])
    assert needs.get_need(need_id=need_id, actor=owner, now=NOW).demands == ()
    with pytest.raises(OwnResource):
        stating.file_demand(need_id=need_id, element=ELEMENT, words="", actor=owner, now=NOW)


def test_a_demand_is_supplied_only_by_a_live_resource_of_the_owner_that_carries_the_element() -> None:
    take_offline(ELEMENT)
    asks, owner = member("human_resources"), member("disabled_persons")
    demand = the_demand(state(asks, "残疾等级", elements=[ELEMENT]), asks).line.id

    def supply(code: str, actor: Actor) -> None:
        answering.supply_demand(demand_id=demand, resource_code=code, words="", actor=actor, now=NOW)

    for code in (source_of(ELEMENT), CODE, HIDDEN, "nothing"):
        with pytest.raises(SupplyLacking):
            supply(code, owner)
    put_online(source_of(ELEMENT))
    with pytest.raises(AccessRefused):
        supply(source_of(ELEMENT), asks)
    supply(source_of(ELEMENT), owner)
    view = needs.get_demand(demand_id=demand, actor=asks, now=NOW)
    assert (view.line.state, view.resource_code, view.line.due_on) == (
        DemandState.SUPPLIED,
        source_of(ELEMENT),
        None,
    )
    with pytest.raises(ActImpossible):
        supply(source_of(ELEMENT), owner)


def test_a_promise_names_a_day_within_twenty_working_days() -> None:
    take_offline(ELEMENT)
    asks, owner = member("human_resources"), member("disabled_persons")
    demand = the_demand(state(asks, "残疾等级", elements=[ELEMENT]), asks).line.id
    for day in (date(2026, 11, 23), date(2026, 12, 22)):
        with pytest.raises(DateRefused):
            answering.promise_supply(demand_id=demand, supply_by=day, words="", actor=owner, now=NOW)
    answering.promise_supply(demand_id=demand, supply_by=date(2026, 12, 21), words="正在编目", actor=owner, now=NOW)
    view = needs.get_demand(demand_id=demand, actor=asks, now=NOW)
    assert (view.line.state, view.line.due_on) == (DemandState.PROMISED, date(2026, 12, 21))
    with pytest.raises(ActImpossible):
        answering.refuse_demand(demand_id=demand, clause="x", reason="y", actor=owner, now=NOW)


def test_a_refusal_cites_its_clause_and_gives_its_reason() -> None:
    take_offline(ELEMENT)
    asks, owner = member("human_resources"), member("disabled_persons")
    demand = the_demand(state(asks, "残疾等级", elements=[ELEMENT]), asks).line.id
    with pytest.raises(ClauseNeeded):
        answering.refuse_demand(demand_id=demand, clause=" ", reason="涉密", actor=owner, now=NOW)
    with pytest.raises(ReasonNeeded):
        answering.refuse_demand(demand_id=demand, clause="《条例》第十条", reason="", actor=owner, now=NOW)
    answering.refuse_demand(demand_id=demand, clause="《条例》第十条", reason="涉密", actor=owner, now=NOW)
    step = needs.get_demand(demand_id=demand, actor=asks, now=NOW).steps[-1]
    assert (step.act, step.clause, step.words) == (DemandAct.REFUSE, "《条例》第十条", "涉密")


def test_demands_are_ranked_by_urgency_and_benefit_and_by_how_many_ask_for_the_same() -> None:
    take_offline(ELEMENT)
    owner = member("disabled_persons")
    few = state(member("human_resources"), "残疾等级", elements=[ELEMENT])
    many = state(
        member("civil_affairs"),
        "残疾等级",
        elements=[ELEMENT],
        urgency=Urgency.URGENT,
        benefit=Benefit(people=50_000, cases=2_000, materials=1),
    )
    found = needs.list_demands(actor=owner, box="owner", now=NOW)
    assert [one.need_id for one in found] == [many, few]
    assert [one.priority.backing for one in found] == [5, 5]
    assert [one.priority.total for one in found] == sorted((one.priority.total for one in found), reverse=True)
    assert {one.need_id for one in needs.list_demands(actor=reviewer(), box="authority", now=NOW)} >= {few, many}
    mine = needs.list_demands(actor=member("human_resources"), box="mine", now=NOW)
    assert [one.need_id for one in mine] == [few]


def test_closing_a_need_withdraws_its_demands() -> None:
    asks = member("human_resources")
    need_id = state(asks)
    with pytest.raises(NeedMissing):
        stating.close_need(need_id=need_id, outcome="x", actor=member("civil_affairs"), now=NOW)
    stating.close_need(need_id=need_id, outcome="改由系统自行计算", actor=asks, now=NOW)
    view = needs.get_need(need_id=need_id, actor=asks, now=NOW)
    assert (view.line.is_open, view.demands[0].state) == (False, DemandState.WITHDRAWN)
    assert view.hits == ()
    with pytest.raises(NeedMissing):
        stating.file_demand(need_id=need_id, element="", words="", actor=asks, now=NOW)


# --- ruled: demands ------------------------------------------------------------------------------------------------------------


def test_a_refused_demand_is_brought_before_the_data_authority_which_orders_the_supply() -> None:
    asks, owner = member("human_resources"), member("disabled_persons")
    demand = refused(asks, owner)
    with pytest.raises(AccessRefused):
        ruling.ask_ruling(kind=ShareKind.DEMAND, subject_id=demand, words="x", actor=owner, now=NOW)
    with pytest.raises(NeedMissing):
        ruling.ask_ruling(kind=ShareKind.DEMAND, subject_id=demand, words="x", actor=member("civil_affairs"), now=NOW)
    raised = ruling.ask_ruling(
        kind=ShareKind.DEMAND, subject_id=demand, words="仅需等级，不涉及个人病情", actor=asks, now=NOW
    )
    with pytest.raises(RulingImpossible):
        ruling.ask_ruling(kind=ShareKind.DEMAND, subject_id=demand, words="again", actor=asks, now=NOW)
    authority = reviewer()
    view = needs.get_escalation(escalation_id=raised, actor=authority, now=NOW)
    assert (view.line.ground, view.answer, view.answer_clause, view.may_rule) == (
        Ground.REFUSED,
        "涉及敏感个人信息",
        "《条例》第十条",
        True,
    )
    assert needs.count_to_rule(actor=authority) >= 1
    assert needs.count_to_rule(actor=owner) == 0
    order = {"escalation_id": raised, "outcome": Outcome.ORDER, "words": "应当共享", "now": NOW}
    with pytest.raises(AccessRefused):
        ruling.give_ruling(**order, supply_by=date(2026, 12, 18), actor=owner)
    for day in (None, NOW.date(), date(2027, 3, 1)):
        with pytest.raises(DateRefused):
            ruling.give_ruling(**order, supply_by=day, actor=authority)
    ruling.give_ruling(**order, supply_by=date(2026, 12, 18), actor=authority)
    found = needs.get_demand(demand_id=demand, actor=owner, now=NOW)
    assert (found.line.state, found.line.due_on, found.may) == (
        DemandState.ORDERED,
        date(2026, 12, 18),
        {DemandAct.SUPPLY},
    )
    assert [one.act for one in found.steps] == [
        DemandAct.FILE,
        DemandAct.REFUSE,
        DemandAct.ASK_RULING,
        DemandAct.ORDER,
    ]
    with pytest.raises(RulingImpossible):
        ruling.give_ruling(**order, supply_by=date(2026, 12, 18), actor=authority)


def test_an_upheld_refusal_cites_its_clause_and_ends_the_demand() -> None:
    asks, owner = member("human_resources"), member("disabled_persons")
    demand = refused(asks, owner)
    raised = ruling.ask_ruling(kind=ShareKind.DEMAND, subject_id=demand, words="有异议", actor=asks, now=NOW)
    uphold = {"escalation_id": raised, "outcome": Outcome.UPHOLD, "words": "拒绝成立", "actor": reviewer(), "now": NOW}
    with pytest.raises(ClauseNeeded):
        ruling.give_ruling(**uphold)
    ruling.give_ruling(**uphold, clause="《个人信息保护法》第二十八条")
    view = needs.get_demand(demand_id=demand, actor=asks, now=NOW)
    assert (view.line.state, view.may) == (DemandState.UPHELD, frozenset())
    ruled = needs.get_escalation(escalation_id=raised, actor=asks, now=NOW)
    assert (ruled.line.outcome, ruled.clause, ruled.ruling) == (
        Outcome.UPHOLD,
        "《个人信息保护法》第二十八条",
        "拒绝成立",
    )


def test_a_refusal_can_be_disputed_for_ten_working_days_only() -> None:
    asks, owner = member("human_resources"), member("disabled_persons")
    demand = refused(asks, owner)
    late = datetime(2026, 12, 8, 2, 0, tzinfo=NOW.tzinfo)
    with pytest.raises(RulingImpossible):
        ruling.ask_ruling(kind=ShareKind.DEMAND, subject_id=demand, words="x", actor=asks, now=late)
    assert needs.get_demand(demand_id=demand, actor=asks, now=late).may == frozenset()


def test_a_late_demand_comes_before_the_data_authority_by_itself_and_again_when_late_again() -> None:
    take_offline(ELEMENT)
    asks, owner = member("human_resources"), member("disabled_persons")
    demand = the_demand(state(asks, "残疾等级", elements=[ELEMENT]), asks).line.id

    def at(day: int, month: int = 12) -> datetime:
        return datetime(2026, month, day, 2, 0, tzinfo=NOW.tzinfo)

    def open_ones() -> list[Any]:
        return rows("SELECT id, ground FROM catalogue_escalation WHERE subject_id = %s AND outcome = ''", demand)

    ruling.escalate_late(now=at(7))
    assert open_ones() == [], "the last day is still in time"
    ruling.escalate_late(now=at(8))
    ruling.escalate_late(now=at(9))
    ((raised, ground),) = open_ones()
    assert ground == "late"
    line = needs.get_demand(demand_id=demand, actor=owner, now=at(8)).line
    assert (line.is_late, line.is_escalated) == (True, True)
    ruling.give_ruling(
        escalation_id=raised,
        outcome=Outcome.ORDER,
        words="限期提供",
        supply_by=date(2026, 12, 11),
        actor=reviewer(),
        now=at(9),
    )
    ruling.escalate_late(now=at(11))
    assert open_ones() == []
    ruling.escalate_late(now=at(14))
    assert len(open_ones()) == 1
    put_online(source_of(ELEMENT))
    answering.supply_demand(demand_id=demand, resource_code=source_of(ELEMENT), words="", actor=owner, now=at(14))
    assert open_ones() == [], "whoever supplies settles it"
    found = needs.list_escalations(actor=owner, now=at(14))
    assert [one.outcome for one in found if one.subject_id == demand] == [Outcome.SETTLED, Outcome.ORDER]


# --- ruled: requests -----------------------------------------------------------------------------------------------------------


def test_a_refused_request_that_is_ordered_goes_back_to_its_provider_who_cannot_refuse_it_again() -> None:
    asks, provider, authority = member("human_resources"), member("medical_insurance"), reviewer()
    request_id = ask(asks)
    requesting.refuse_request(request_id=request_id, reason="超出职责", actor=provider, now=NOW)
    assert needs.escalation_of(request_id=request_id, actor=asks, now=NOW) == (None, True)
    assert needs.escalation_of(request_id=request_id, actor=provider, now=NOW) == (None, False)
    with pytest.raises(RequestMissing):
        ruling.ask_ruling(kind=ShareKind.REQUEST, subject_id=request_id, words="x", actor=member("water"), now=NOW)
    raised = ruling.ask_ruling(kind=ShareKind.REQUEST, subject_id=request_id, words="法定职责", actor=asks, now=NOW)
    ruling.give_ruling(
        escalation_id=raised,
        outcome=Outcome.ORDER,
        words="应当共享",
        supply_by=date(2026, 12, 4),
        actor=authority,
        now=NOW,
    )
    found = request(request_id, asks)
    assert (found.state, found.reply_due_on) == (RequestState.SUBMITTED, date(2026, 12, 4))
    task = work.list_tasks_of(business_key=str(request_id), only_open=True)[0]
    assert (task.kind, task.organization_id) == ("provider_reply", provider.organization_id)
    with pytest.raises(SupplyOrdered):
        requesting.refuse_request(request_id=request_id, reason="还是不行", actor=provider, now=NOW)
    requesting.consent_request(request_id=request_id, actor=provider, now=NOW)
    requesting.consent_request(request_id=request_id, actor=authority, now=NOW)
    assert granted(request_id, asks).state is GrantState.OFFERED


def test_an_ordered_request_does_not_stand_beside_a_new_one_for_the_same() -> None:
    asks, provider = member("human_resources"), member("medical_insurance")
    request_id = ask(asks)
    requesting.refuse_request(request_id=request_id, reason="超出职责", actor=provider, now=NOW)
    raised = ruling.ask_ruling(kind=ShareKind.REQUEST, subject_id=request_id, words="x", actor=asks, now=NOW)
    ask(asks)
    with pytest.raises(RequestOpen):
        ruling.give_ruling(
            escalation_id=raised,
            outcome=Outcome.ORDER,
            words="应当共享",
            supply_by=date(2026, 12, 4),
            actor=reviewer(),
            now=NOW,
        )
    assert needs.get_escalation(escalation_id=raised, actor=asks, now=NOW).line.outcome is Outcome.OPEN


def test_a_request_without_reply_comes_before_the_data_authority_and_is_settled_by_the_reply() -> None:
    asks, provider = member("human_resources"), member("medical_insurance")
    request_id = ask(asks)  # ten working days: 7 December
    ruling.escalate_late(now=datetime(2026, 12, 8, 2, 0, tzinfo=NOW.tzinfo))
    line, _ = needs.escalation_of(request_id=request_id, actor=provider, now=NOW)
    assert line is not None
    assert (line.kind, line.ground, line.outcome) == (ShareKind.REQUEST, Ground.LATE, Outcome.OPEN)
    requesting.consent_request(request_id=request_id, actor=provider, now=NOW)
    assert not needs.get_escalation(escalation_id=line.id, actor=reviewer(), now=NOW).may_rule
    with pytest.raises(RulingImpossible):
        ruling.give_ruling(
            escalation_id=line.id,
            outcome=Outcome.UPHOLD,
            words="x",
            clause="y",
            actor=reviewer(),
            now=NOW,
        )
    ruling.escalate_late(now=datetime(2026, 12, 9, 2, 0, tzinfo=NOW.tzinfo))
    ended, _ = needs.escalation_of(request_id=request_id, actor=provider, now=NOW)
    assert ended is not None
    assert ended.outcome is Outcome.SETTLED


def test_what_need_not_be_shared_ends_a_late_request_with_its_clause() -> None:
    asks = member("human_resources")
    request_id = ask(asks)
    ruling.escalate_late(now=datetime(2026, 12, 8, 2, 0, tzinfo=NOW.tzinfo))
    line, _ = needs.escalation_of(request_id=request_id, actor=asks, now=NOW)
    assert line is not None
    ruling.give_ruling(
        escalation_id=line.id,
        outcome=Outcome.UPHOLD,
        words="不属于履职所需",
        clause="《条例》第十条",
        actor=reviewer(),
        now=NOW,
    )
    found = request(request_id, asks)
    assert found.state is RequestState.REFUSED
    assert "《条例》第十条" in found.reason
    assert needs.escalation_of(request_id=request_id, actor=asks, now=NOW)[1] is False, "it is ruled on once"


def test_a_supply_that_is_late_is_ordered_and_one_that_waits_for_the_asking_side_is_not_late() -> None:
    asks, provider = member("human_resources"), member("medical_insurance")
    request_id = ask(asks, CODE, TERMS)
    requesting.consent_request(request_id=request_id, actor=provider, now=NOW)
    requesting.consent_request(request_id=request_id, actor=reviewer(), now=NOW)
    grant = granted(request_id, asks).id
    late = datetime(2026, 12, 22, 2, 0, tzinfo=NOW.tzinfo)
    granting.sign_grant(grant_id=grant, actor=provider, now=NOW)
    ruling.escalate_late(now=late)
    assert needs.escalation_of(request_id=request_id, actor=asks, now=late) == (None, False)


def test_an_unsigned_consent_is_late_and_ordered_or_ended() -> None:
    asks, provider = member("human_resources"), member("medical_insurance")
    request_id = ask(asks, CODE, TERMS)
    requesting.consent_request(request_id=request_id, actor=provider, now=NOW)
    requesting.consent_request(request_id=request_id, actor=reviewer(), now=NOW)
    grant = granted(request_id, asks).id

    def raise_at(day: datetime) -> UUID:
        ruling.escalate_late(now=day)
        line, _ = needs.escalation_of(request_id=request_id, actor=asks, now=day)
        assert line is not None
        return line.id

    late = datetime(2026, 12, 22, 2, 0, tzinfo=NOW.tzinfo)
    rule = {"words": "限期", "actor": reviewer(), "now": late}
    ruling.give_ruling(escalation_id=raise_at(late), outcome=Outcome.ORDER, supply_by=date(2026, 12, 25), **rule)
    assert request(request_id, asks).supply_due_on == date(2026, 12, 25)
    later = datetime(2026, 12, 28, 2, 0, tzinfo=NOW.tzinfo)
    ruling.give_ruling(
        escalation_id=raise_at(later), outcome=Outcome.UPHOLD, clause="《条例》第十条", **{**rule, "now": later}
    )
    assert request(request_id, asks).state is RequestState.REFUSED
    assert reading.get_grant(grant_id=grant, actor=asks, now=later).state is GrantState.REVOKED
    assert not work.list_tasks_of(business_key=str(request_id), only_open=True)
