"""A request from its submission to a grant in force: who acts, in which time, and what is refused on the way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import pytest
from django.conf import settings
from django.db import connection

from furong.domains.catalogue import commands
from furong.domains.catalogue.errors import (
    ActImpossible,
    AskedAlready,
    DelegationRefused,
    GrantTooWide,
    OwnResource,
    ReasonNeeded,
    RequestMissing,
    RequestOpen,
    RequestRefused,
    ResourceChanged,
)
from furong.domains.catalogue.grants import granting, reading, requesting
from furong.domains.catalogue.grants.values import ChangeKind, GrantState, GrantView, RequestState, RequestView, Terms
from furong.domains.catalogue.states import Act
from furong.domains.processes import commands as processes
from furong.domains.processes import queries as work
from furong.foundation.access import sharing, using
from furong.foundation.access.errors import (
    AccessRefused,
    GrantMissing,
    GrantNotInForce,
    ItemNotGranted,
    ResourceOffline,
    TermsStricter,
)
from furong.foundation.access.terms import SharingDecision
from furong.foundation.access.values import Actor, Basis, PostRight
from furong.foundation.organizations import queries as organizations
from tests.domains.catalogue.reading import NOW
from tests.domains.catalogue.test_commands import changed, file, save
from tests.domains.catalogue.test_queries import SYSTEM, officer, reviewer, staff

pytestmark = pytest.mark.usefixtures("platform")

CODE = "insured_persons"  # of medical insurance, on condition
PERSONS = "population_persons"  # of the police, on no condition
TERMS = Terms(items=("id_number", "area"), days=365)
CLOSED = """openness:
  type: closed
  exceptions: [{reason: {zh: 内部}, law: {zh: 条例}, clause: {zh: 第十五条}}]""".encode()
BASIS = Basis(purpose="核对参保", legal_basis="社会保险法 第七十四条", item_code="social_security_card")


@pytest.fixture(autouse=True)
def _afresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(settings, "ACCESS_LEASE_SECONDS", 0.05, raising=False)
    sharing.BOOK.forget()
    using.forget()
    yield
    sharing.BOOK.forget()


def member(department: str, division: str = "430000", right: str = "catalogue.edit") -> Actor:
    """Somebody of a department who acts for it."""
    body = organizations.get_responsible(department=department, division_code=division)
    return replace(
        staff(PostRight(right=right, organization_id=body.id)),
        organization_id=body.id,
        division_code=body.division_code,
        label="数据专员",
        organization_label=body.name.zh,
    )


def ask(actor: Actor, code: str = CODE, terms: Terms = TERMS) -> UUID:
    return requesting.submit_request(
        resource_code=code, terms=terms, scenario="社保卡申领", legal_basis="社会保险法", actor=actor, now=NOW
    )


def request(request_id: UUID, actor: Actor) -> RequestView:
    return reading.get_request(request_id=request_id, actor=actor)


def granted(request_id: UUID, actor: Actor) -> GrantView:
    found = request(request_id, actor).grant_id
    assert found is not None
    return reading.get_grant(grant_id=found, actor=actor, now=NOW)


def in_force(asks: Actor, code: str = CODE, terms: Terms = TERMS) -> UUID:
    """A grant signed by both sides."""
    request_id = ask(asks, code, terms)
    provider = member("medical_insurance" if code == CODE else "police")
    requesting.consent_request(request_id=request_id, actor=provider, now=NOW)
    if code == CODE:
        requesting.consent_request(request_id=request_id, actor=reviewer(), now=NOW)
    grant_id = granted(request_id, asks).id
    granting.sign_grant(grant_id=grant_id, actor=provider, now=NOW)
    granting.sign_grant(grant_id=grant_id, actor=asks, now=NOW)
    return grant_id


def decide(actor: Actor, *fields: str, code: str = CODE, days: int = 0) -> SharingDecision:
    return sharing.decide_sharing(
        actor=actor, resource=code, fields=fields, basis=BASIS, now=NOW + timedelta(days=days), divisions=["430202"]
    )


def test_what_is_shared_on_condition_goes_by_the_provider_and_the_data_authority_to_a_signed_grant() -> None:
    asks, provider, authority = member("human_resources"), member("medical_insurance"), reviewer()
    request_id = ask(asks)
    found = request(request_id, asks)
    assert (found.state, found.sharing, found.reply_due_on) == (
        RequestState.SUBMITTED,
        "conditional",
        date(2026, 12, 7),  # ten working days
    )
    task = work.list_tasks_of(business_key=str(request_id), only_open=True)[0]
    assert (task.kind, task.organization_id) == ("provider_reply", provider.organization_id)
    assert reading.count_waiting(actor=provider) == 1
    assert reading.count_waiting(actor=authority) == 0
    with pytest.raises(AccessRefused):
        requesting.consent_request(request_id=request_id, actor=asks, now=NOW)
    requesting.consent_request(request_id=request_id, actor=provider, now=NOW)
    assert request(request_id, asks).state is RequestState.WITH_AUTHORITY
    assert reading.count_waiting(actor=authority) == 1
    with pytest.raises(AccessRefused):
        requesting.consent_request(request_id=request_id, actor=provider, now=NOW)
    requesting.consent_request(request_id=request_id, actor=authority, now=NOW)
    found = request(request_id, asks)
    assert (found.state, found.supply_due_on) == (RequestState.CONSENTED, date(2026, 12, 21))  # twenty
    grant = granted(request_id, asks)
    assert grant.state is GrantState.OFFERED
    with pytest.raises(GrantMissing):
        decide(asks, "area")
    assert granting.sign_grant(grant_id=grant.id, actor=asks, now=NOW) is GrantState.OFFERED
    with pytest.raises(ActImpossible):
        granting.sign_grant(grant_id=grant.id, actor=asks, now=NOW)
    with pytest.raises(AccessRefused):
        granting.sign_grant(grant_id=grant.id, actor=authority, now=NOW)
    assert granting.sign_grant(grant_id=grant.id, actor=provider, now=NOW) is GrantState.ACTIVE
    decision = decide(asks, "id_number", "area")
    assert (decision.ground, decision.grant_id) == ("grant", grant.id)
    grant = granted(request_id, provider)
    assert [(one.act.value, one.is_good) for one in grant.entries] == [
        ("offer", False),
        ("sign_grantee", True),
        ("sign_provider", True),
    ]
    assert request(request_id, asks).state is RequestState.SUPPLIED  # its register passes inside the platform


def test_what_passes_outside_the_platform_is_supplied_when_the_provider_says_so() -> None:
    asks, police = member("human_resources"), member("police")
    request_id = ask(asks, "household_registrations", Terms(items=("id_number",), days=30))
    requesting.consent_request(request_id=request_id, actor=police, now=NOW)
    requesting.consent_request(request_id=request_id, actor=reviewer(), now=NOW)
    with pytest.raises(ActImpossible):
        requesting.confirm_supply(request_id=request_id, actor=police, now=NOW)  # nobody has signed
    for side in (police, asks):
        granting.sign_grant(grant_id=granted(request_id, asks).id, actor=side, now=NOW)
    assert request(request_id, police).may == {"supply"}
    requesting.confirm_supply(request_id=request_id, actor=police, now=NOW)
    assert request(request_id, asks).state is RequestState.SUPPLIED


def test_what_is_shared_on_no_condition_is_answered_in_a_working_day_and_supplied_with_the_second_signature() -> None:
    asks = member("human_resources")
    request_id = ask(asks, PERSONS, Terms(items=("name", "born_on"), days=30))
    assert request(request_id, asks).reply_due_on == date(2026, 11, 24)
    requesting.consent_request(request_id=request_id, actor=member("police"), now=NOW)
    grant_id = granted(request_id, asks).id
    for side in (asks, member("police")):
        granting.sign_grant(grant_id=grant_id, actor=side, now=NOW)
    assert request(request_id, asks).state is RequestState.SUPPLIED
    assert decide(asks, "name", code=PERSONS).grant_id == grant_id


def test_a_refusal_names_its_reason_also_by_the_engines_own_door() -> None:
    asks, provider = member("human_resources"), member("medical_insurance")
    request_id = ask(asks)
    with pytest.raises(ReasonNeeded):
        requesting.refuse_request(request_id=request_id, reason=" ", actor=provider, now=NOW)
    task = work.list_tasks_of(business_key=str(request_id), only_open=True)[0]
    with pytest.raises(ReasonNeeded):
        processes.complete_task(task_id=task.id, outcome="refused", actor=provider, now=NOW)
    requesting.refuse_request(request_id=request_id, reason="超出法定职责", actor=provider, now=NOW)
    found = request(request_id, asks)
    assert (found.state, found.reason, found.grant_id) == (RequestState.REFUSED, "超出法定职责", None)
    with pytest.raises(ActImpossible):
        requesting.consent_request(request_id=request_id, actor=provider, now=NOW)


def test_the_data_authority_may_refuse_what_the_provider_consents_to() -> None:
    asks = member("human_resources")
    request_id = ask(asks)
    requesting.consent_request(request_id=request_id, actor=member("medical_insurance"), now=NOW)
    requesting.refuse_request(request_id=request_id, reason="没有法律依据", actor=reviewer(), now=NOW)
    assert request(request_id, asks).state is RequestState.REFUSED


def test_what_is_missing_is_asked_for_once_and_the_clock_stands_still_until_the_answer() -> None:
    asks, provider = member("human_resources"), member("medical_insurance")
    request_id = ask(asks)
    requesting.ask_supplement(request_id=request_id, question="请补充系统安全等级", actor=provider, now=NOW)
    task = work.list_tasks_of(business_key=str(request_id), only_open=True)[0]
    assert task.due_at is None
    for act in (requesting.consent_request, requesting.confirm_supply):
        with pytest.raises(ActImpossible):
            act(request_id=request_id, actor=provider, now=NOW)
    with pytest.raises(ActImpossible):
        processes.complete_task(task_id=task.id, outcome="approved", actor=provider, now=NOW)
    later = NOW + timedelta(days=7)
    requesting.supplement_request(request_id=request_id, answer="三级", actor=asks, now=later)
    found = request(request_id, provider)
    assert (found.state, found.reply_due_on) == (RequestState.SUBMITTED, date(2026, 12, 14))
    assert work.get_task(task_id=task.id).due_at is not None
    with pytest.raises(AskedAlready):
        requesting.ask_supplement(request_id=request_id, question="再问", actor=provider, now=later)


def test_a_request_is_refused_for_what_cannot_be_had() -> None:
    asks = member("human_resources")
    wrong = {
        RequestRefused: (Terms(items=(), days=1), Terms(items=("none",), days=1), Terms(items=("area",), days=0),
                         Terms(items=("area",), days=1, daily_quota=0), Terms(items=("area",), days=1, methods=("mail",))),
    }  # fmt: skip
    for refusal, cases in wrong.items():
        for terms in cases:
            with pytest.raises(refusal):
                ask(asks, CODE, terms)
    with pytest.raises(RequestRefused):
        requesting.submit_request(resource_code=CODE, terms=TERMS, scenario="x", legal_basis=" ", actor=asks, now=NOW)
    with pytest.raises(OwnResource):
        ask(member("medical_insurance", "430200"))
    with pytest.raises(AccessRefused):
        ask(member("human_resources", right="cases.handle"))
    first = ask(asks)
    with pytest.raises(RequestOpen):
        ask(asks)
    requesting.withdraw_request(request_id=first, actor=asks, now=NOW)
    assert not work.list_tasks_of(business_key=str(first), only_open=True)
    assert request(ask(asks), asks).state is RequestState.SUBMITTED


def test_nobody_else_learns_of_a_request_or_a_grant() -> None:
    asks, stranger = member("human_resources"), member("transport")
    request_id = ask(asks)
    with pytest.raises(RequestMissing):
        request(request_id, stranger)
    for act in (requesting.withdraw_request, requesting.consent_request):
        with pytest.raises(RequestMissing):
            act(request_id=request_id, actor=stranger, now=NOW)
    assert reading.list_requests(actor=stranger, box="all").total == 0
    grant_id = in_force(stranger)
    with pytest.raises(RequestMissing):
        reading.get_grant(grant_id=grant_id, actor=asks, now=NOW)
    assert [one.id for one in reading.list_grants(actor=stranger)] == [grant_id]


def test_a_grant_wider_than_its_request_is_refused() -> None:
    asks, provider = member("human_resources"), member("medical_insurance")
    request_id = ask(asks)
    for wider in (
        replace(TERMS, items=(*TERMS.items, "state")),
        replace(TERMS, days=366),
        replace(TERMS, delegable=True),
        replace(TERMS, with_lower=True),
    ):
        with pytest.raises(GrantTooWide):
            requesting.consent_request(request_id=request_id, terms=wider, actor=provider, now=NOW)
    narrower = replace(TERMS, items=("area",), divisions=("430200",), by_subject=True)
    requesting.consent_request(request_id=request_id, terms=narrower, actor=provider, now=NOW)
    with pytest.raises(GrantTooWide):  # nor does the data authority widen what the provider narrowed
        requesting.consent_request(request_id=request_id, terms=TERMS, actor=reviewer(), now=NOW)
    requesting.consent_request(request_id=request_id, actor=reviewer(), now=NOW)
    assert granted(request_id, asks).terms == narrower


def test_a_resource_that_changed_meanwhile_is_a_finding_and_cannot_be_granted_as_it_was() -> None:
    asks, provider = member("human_resources"), member("medical_insurance")
    request_id = ask(asks)
    save(re.sub(r"\barea\b", "area_code", file()).encode(), officer("medical_insurance"))
    commands.submit_resource(code=CODE, actor=officer("medical_insurance"), now=NOW)
    commands.approve_resource(code=CODE, actor=reviewer(), now=NOW)
    found = request(request_id, provider)
    assert [(one.kind, one.item) for one in found.changes] == [(ChangeKind.GONE, "area")]
    with pytest.raises(ResourceChanged, match="gone area"):
        requesting.consent_request(request_id=request_id, actor=provider, now=NOW)
    requesting.ask_supplement(request_id=request_id, question="信息项已变更", actor=provider, now=NOW)
    adapted = replace(TERMS, items=("id_number", "area_code"))
    requesting.supplement_request(request_id=request_id, answer="已调整", terms=adapted, actor=asks, now=NOW)
    requesting.consent_request(request_id=request_id, actor=provider, now=NOW)


def test_a_resource_taken_offline_or_made_stricter_blocks_the_very_next_reading() -> None:
    asks = member("human_resources")
    in_force(asks)
    assert decide(asks, "area").grant_id is not None
    with pytest.raises(ItemNotGranted):
        decide(asks, "state")
    commands.move_online(code=CODE, act=Act.TAKE_OFFLINE, reason="核对", actor=reviewer(), now=NOW)
    with pytest.raises(ResourceOffline):
        decide(asks, "area")
    commands.move_online(code=CODE, act=Act.PUT_ONLINE, actor=reviewer(), now=NOW)
    assert decide(asks, "area").grant_id is not None
    police = member("police")
    request_id = ask(asks, "police_stations", Terms(items=("name",), days=30))
    requesting.consent_request(request_id=request_id, actor=police, now=NOW)
    for side in (police, asks):
        granting.sign_grant(grant_id=granted(request_id, asks).id, actor=side, now=NOW)
    assert decide(asks, "name", code="police_stations").grant_id is not None
    text = changed(
        "type: unconditional", "type: conditional\n  condition: {zh: 限办事使用, en: For cases}", "police_stations"
    )
    save(text.replace(b"openness: {type: open}", CLOSED),
         officer("police"), "police_stations")  # fmt: skip
    commands.submit_resource(code="police_stations", actor=officer("police"), now=NOW)
    commands.approve_resource(code="police_stations", actor=reviewer(), now=NOW)
    with pytest.raises(TermsStricter):
        decide(asks, "name", code="police_stations")


def test_a_grant_is_suspended_resumed_and_revoked_at_once_with_what_was_passed_on() -> None:
    asks, provider = member("human_resources"), member("medical_insurance")
    grant_id = in_force(asks, terms=replace(TERMS, delegable=True, daily_quota=1000))
    county = member("human_resources", "430202")
    with pytest.raises(GrantMissing):
        decide(county, "area")
    below = organizations.ids_of_subtree(organization_id=asks.organization_id)  # type: ignore[arg-type]
    assert county.organization_id in below
    narrow = Terms(items=("area",), days=9, divisions=("430202",), daily_quota=10)

    def delegate(terms: Terms, to: UUID | None = county.organization_id) -> UUID:
        assert to is not None
        return granting.delegate_grant(grant_id=grant_id, organization_id=to, terms=terms, actor=asks, now=NOW)

    for wider in (replace(narrow, items=("state",)), replace(narrow, daily_quota=None), replace(narrow, days=999)):
        with pytest.raises(GrantTooWide):
            delegate(wider)
    with pytest.raises(DelegationRefused):
        delegate(narrow, provider.organization_id)
    child = delegate(narrow)
    assert decide(county, "area").grant_id == child
    with pytest.raises(DelegationRefused):
        granting.delegate_grant(
            grant_id=child,
            organization_id=asks.organization_id,
            terms=narrow,
            actor=county,
            now=NOW,  # type: ignore[arg-type]
        )
    with pytest.raises(AccessRefused):
        granting.suspend_grant(grant_id=grant_id, reason="x", actor=asks, now=NOW)
    with pytest.raises(ReasonNeeded):
        granting.suspend_grant(grant_id=grant_id, reason="", actor=provider, now=NOW)
    granting.suspend_grant(grant_id=grant_id, reason="核查", actor=provider, now=NOW)
    for actor in (asks, county):
        with pytest.raises(GrantMissing):
            decide(actor, "area")
    granting.resume_grant(grant_id=grant_id, actor=provider, now=NOW)
    assert decide(asks, "area").grant_id == grant_id
    assert decide(county, "area").grant_id == child
    granting.revoke_grant(grant_id=grant_id, reason="不再需要", actor=asks, now=NOW)
    for actor in (asks, county):
        with pytest.raises(GrantMissing):
            decide(actor, "area")
    assert reading.get_grant(grant_id=child, actor=county, now=NOW).state is GrantState.REVOKED
    with pytest.raises(ActImpossible):
        granting.resume_grant(grant_id=grant_id, actor=provider, now=NOW)


def test_a_grant_ends_on_its_day_and_rests_when_nobody_used_it() -> None:
    asks, unused = member("human_resources"), member("disease_control")
    grant_id, idle_id = in_force(asks), in_force(unused, terms=replace(TERMS, days=1000))
    assert decide(asks, "area", days=364).grant_id == grant_id
    with pytest.raises(GrantNotInForce):
        decide(asks, "area", days=365)
    using.flush()
    later = NOW + timedelta(days=181)
    decide(asks, "area", days=170)
    using.flush()
    assert granting.tend_grants(actor=SYSTEM, now=later)[0] == 0
    assert reading.get_grant(grant_id=idle_id, actor=unused, now=later).state is GrantState.SUSPENDED
    assert reading.get_grant(grant_id=grant_id, actor=asks, now=later).state is GrantState.ACTIVE
    assert granting.tend_grants(actor=SYSTEM, now=NOW + timedelta(days=365))[0] >= 1
    assert reading.get_grant(grant_id=grant_id, actor=asks, now=later).state is GrantState.EXPIRED


def test_a_signature_is_bad_once_the_terms_it_covers_are_others() -> None:
    asks = member("human_resources")
    grant_id = in_force(asks)
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE catalogue_grant SET terms = jsonb_set(terms, '{days}', '999') WHERE id = %s""", [grant_id]
        )
    found = reading.get_grant(grant_id=grant_id, actor=asks, now=NOW)
    assert [one.is_good for one in found.entries if one.signature] == [False, False]


def test_a_change_shows_the_grants_that_it_would_touch_before_it_is_published() -> None:
    asks = member("human_resources")
    grant_id = in_force(asks)
    number = reading.get_grant(grant_id=grant_id, actor=asks, now=NOW).number
    draft = save(re.sub(r"\barea\b", "area_code", file()).encode(), officer("medical_insurance"))
    assert draft.change is not None
    touched = [one for one in draft.change.affected if one.kind == "grant"]
    assert number in [one.code for one in touched]
    assert "湖南省人力资源和社会保障厅" in {one.name.primary.partition(" ")[2] for one in touched}
    harmless = save(changed("zh: 参保地", "zh: 参保统筹区"), officer("medical_insurance"))
    assert harmless.change is not None
    assert not [one for one in harmless.change.affected if one.kind == "grant"]
