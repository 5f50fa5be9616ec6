"""Acting for a child, a person or an enterprise: recorded, dated, revocable, and gone with the next request."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from furong.foundation.access.errors import AssuranceTooLow
from furong.foundation.access.values import Actor, Principal
from furong.foundation.codes.ids import new_id
from furong.foundation.identity import commands, errors, models, queries
from furong.foundation.identity.values import Child, Enterprise, MandateBasis, Power, years_after
from furong.foundation.organizations.values import today

from .conftest import PASSWORD, SYSTEM, Register, now, resident, sign_in, who


def pair() -> tuple[Actor, Actor]:
    return resident("muqin", person_id=new_id(), name="李某某"), resident("erzi", person_id=new_id(), name="李小某")


def give(principal: Actor, **change: object) -> object:
    given: dict[str, object] = {"agent_username": "erzi", "agent_name": "李小某", **change}
    return commands.grant_mandate(**given, actor=principal, now=now())  # type: ignore[arg-type]


def test_a_grown_son_acts_for_his_mother_until_she_ends_it(database: object) -> None:
    mother, _ = pair()
    mandate = give(mother)
    son = sign_in("erzi")
    assert who(son)["principal"] is None
    assert "李某某" in son.get("/account/mandates").content.decode()
    son.post("/account/act", {"mandate": str(mandate)})
    assert who(son)["principal"] == str(mother.person_id)
    commands.revoke_mandate(mandate_id=mandate, actor=mother, now=now())  # type: ignore[arg-type]
    assert who(son)["principal"] is None


def test_an_expired_mandate_is_gone_with_the_next_request(database: object) -> None:
    mother, _ = pair()
    mandate = give(mother)
    son = sign_in("erzi")
    son.post("/account/act", {"mandate": str(mandate)})
    day = today(now())
    models.Mandate.objects.filter(pk=mandate).update(from_on=day - timedelta(days=9), until_on=day)
    assert who(son)["principal"] is None
    son.post("/account/act", {"mandate": str(mandate)})
    assert who(son)["principal"] is None
    assert give(mother)  # and a new one can be given


def test_a_mandate_of_tomorrow_does_not_hold_today(database: object) -> None:
    mother, _ = pair()
    mandate = give(mother, from_on=today(now()) + timedelta(days=1))
    son = sign_in("erzi")
    answer = son.post("/account/act", {"mandate": str(mandate)})
    assert answer.status_code == 409
    assert who(son)["principal"] is None


def test_nobody_acts_by_somebody_elses_mandate(database: object) -> None:
    mother, _ = pair()
    mandate = give(mother)
    resident("waiben", person_id=new_id(), name="王某")
    stranger = sign_in("waiben")
    stranger.post("/account/act", {"mandate": str(mandate)})
    assert who(stranger)["principal"] is None
    answer = stranger.post(f"/account/mandates/{mandate}/revoke")
    assert answer.status_code == 404 or answer.status_code == 409
    assert models.Mandate.objects.get().revoked_at is None


def test_the_agent_may_give_it_up(database: object) -> None:
    mother, son = pair()
    mandate = give(mother)
    commands.revoke_mandate(mandate_id=mandate, actor=son, now=now())  # type: ignore[arg-type]
    assert queries.list_mandates_given(account_id=mother.account_id or new_id(), now=now()) == []


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"agent_name": "李大某"}, errors.AgentUnknown),
        ({"agent_username": "nobody"}, errors.AgentUnknown),
        ({"agent_username": "muqin", "agent_name": "李某某"}, errors.AgentUnknown),
        ({"agent_username": "xinren", "agent_name": ""}, errors.AgentUnknown),
        ({"until_on": date(2020, 1, 1)}, errors.MandatePeriodRefused),
        ({"until_on": date(2040, 1, 1)}, errors.MandatePeriodRefused),
        ({"from_on": date(2020, 1, 1)}, errors.MandatePeriodRefused),
        ({"powers": [Power.GRANT]}, errors.MandateRefused),
    ],
)
def test_a_mandate_names_a_verified_other_and_a_sound_period(
    database: object, change: dict[str, object], refusal: type[Exception]
) -> None:
    mother, _ = pair()
    resident("xinren")
    with pytest.raises(refusal):
        give(mother, **change)
    assert models.Mandate.objects.count() == 0


def test_the_same_mandate_is_given_once(database: object) -> None:
    mother, _ = pair()
    give(mother)
    with pytest.raises(errors.MandateExists):
        give(mother)


def test_whose_name_is_not_confirmed_gives_no_mandate(database: object) -> None:
    pair()
    with pytest.raises(AssuranceTooLow):
        give(resident("xinren"))


def test_an_agent_passes_no_mandate_on(database: object) -> None:
    mother, son = pair()
    resident("sunzi", person_id=new_id(), name="李孙某")
    mandate = give(mother)
    acting = son.acting_for(Principal(kind="person", id=mother.person_id or new_id(), mandate_id=mandate))  # type: ignore[arg-type]
    with pytest.raises(errors.MandateRefused):
        give(acting, agent_username="sunzi", agent_name="李孙某")


def test_powers_are_those_that_were_given(database: object) -> None:
    mother, son = pair()
    mandate = give(mother, powers=[Power.VIEW])
    acting = son.acting_for(Principal(kind="person", id=mother.person_id or new_id(), mandate_id=mandate))  # type: ignore[arg-type]
    assert queries.holds_power(actor=acting, power=Power.VIEW, now=now())
    assert not queries.holds_power(actor=acting, power=Power.APPLY, now=now())
    assert queries.holds_power(actor=son, power=Power.APPLY, now=now())
    commands.revoke_mandate(mandate_id=mandate, actor=mother, now=now())  # type: ignore[arg-type]
    assert not queries.holds_power(actor=acting, power=Power.VIEW, now=now())


def test_a_mother_acts_for_her_minor_children_as_the_register_says(database: object, register: Register) -> None:
    mother = resident("muqin", person_id=new_id(), name="李某某")
    assert mother.person_id
    day = today(now())
    baby = Child(person_id=new_id(), name="周小某", born_on=day - timedelta(days=3))
    grown = Child(person_id=new_id(), name="周大某", born_on=years_after(day, -18))
    register.children[mother.person_id] = [baby, grown]
    client = sign_in("muqin")
    held = queries.list_mandates_of_agent(account_id=mother.account_id or new_id(), now=now())
    assert [(one.principal_id, one.basis, one.until_on) for one in held] == [
        (baby.person_id, MandateBasis.PARENTHOOD, years_after(baby.born_on, 18))
    ]
    client.post("/account/act", {"mandate": str(held[0].id)})
    assert who(client)["principal"] == str(baby.person_id)
    with pytest.raises(errors.ParenthoodStays):
        commands.revoke_mandate(mandate_id=held[0].id, actor=mother, now=now())
    assert commands.refresh_child_mandates(actor=mother, now=now()) == 1
    assert models.Mandate.objects.count() == 1
    register.children[mother.person_id] = []
    commands.refresh_child_mandates(actor=mother, now=now())
    assert who(client)["principal"] is None


def test_a_parents_mandate_ends_on_the_eighteenth_birthday(database: object, register: Register) -> None:
    mother = resident("muqin", person_id=new_id(), name="李某某")
    assert mother.person_id
    birthday = date(2030, 5, 6)
    register.children[mother.person_id] = [Child(person_id=new_id(), name="周小某", born_on=years_after(birthday, -18))]
    commands.refresh_child_mandates(actor=mother, now=now())
    (held,) = queries.list_mandates_of_agent(account_id=mother.account_id or new_id(), now=now())
    assert held.is_in_force(birthday - timedelta(days=1))
    assert not held.is_in_force(birthday)


def test_the_legal_representative_acts_for_the_enterprise_and_appoints_an_agent(
    database: object, register: Register
) -> None:
    boss, clerk = (
        resident("laoban", person_id=new_id(), name="陈某"),
        resident("jingban", person_id=new_id(), name="何某"),
    )
    assert boss.person_id
    firm = Enterprise(
        id=new_id(), credit_code="914302020000000001", name="株洲某某公司", representative_id=boss.person_id
    )
    register.enterprises = [firm]
    with pytest.raises(errors.NotTheRepresentative):
        commands.claim_enterprise(credit_code=firm.credit_code, actor=clerk, now=now())
    with pytest.raises(errors.NotTheRepresentative):
        commands.claim_enterprise(credit_code="914302020000000002", actor=boss, now=now())
    own = commands.claim_enterprise(credit_code=firm.credit_code, actor=boss, now=now())
    acting = boss.acting_for(Principal(kind="enterprise", id=firm.id, mandate_id=own))
    mandate = give(acting, agent_username="jingban", agent_name="何某")
    client = sign_in("jingban")
    client.post("/account/act", {"mandate": str(mandate)})
    assert who(client)["principal"] == str(firm.id)
    (held,) = queries.list_mandates_of_agent(account_id=clerk.account_id or new_id(), now=now())
    assert (held.basis, held.principal_label) == (MandateBasis.ENTERPRISE_AGENT, "株洲某某公司")
    passing_on = clerk.acting_for(held.principal)
    with pytest.raises(errors.MandateRefused):
        give(passing_on, agent_username="laoban", agent_name="陈某")


def test_a_new_legal_representative_takes_the_place_of_the_old_and_may_end_agents(
    database: object, register: Register
) -> None:
    old, new = resident("laoban", person_id=new_id(), name="陈某"), resident("xinban", person_id=new_id(), name="何某")
    resident("jingban", person_id=new_id(), name="罗某")
    assert old.person_id
    assert new.person_id
    firm = Enterprise(id=new_id(), credit_code="914302020000000001", name="某公司", representative_id=old.person_id)
    register.enterprises = [firm]
    own = commands.claim_enterprise(credit_code=firm.credit_code, actor=old, now=now())
    agent = give(
        old.acting_for(Principal(kind="enterprise", id=firm.id, mandate_id=own)),
        agent_username="jingban",
        agent_name="罗某",
    )
    register.enterprises = [
        Enterprise(id=firm.id, credit_code=firm.credit_code, name=firm.name, representative_id=new.person_id)
    ]
    commands.claim_enterprise(credit_code=firm.credit_code, actor=new, now=now())
    assert queries.list_mandates_of_agent(account_id=old.account_id or new_id(), now=now()) == []
    commands.revoke_mandate(mandate_id=agent, actor=new, now=now())  # type: ignore[arg-type]


def test_the_form_gives_a_mandate_and_says_what_is_wrong(database: object) -> None:
    pair()
    client = sign_in("muqin", PASSWORD)
    sent = {"agent_username": "erzi", "agent_name": "李大某", "powers": ["services.apply"], "months": "12"}
    assert "没有用户名与姓名相符的实名账号" in client.post("/account/mandates/new", sent).content.decode()
    assert client.post("/account/mandates/new", {**sent, "agent_name": "李小某"}).status_code == 302
    page = client.get("/account/mandates").content.decode()
    assert "李小某" in page
    assert "代为申请办事" in page
    assert SYSTEM.is_system


@given(st.dates(min_value=date(1900, 1, 1), max_value=date(2090, 12, 31)), st.integers(0, 100))
def test_years_later_is_never_earlier_than_the_full_years(day: date, years: int) -> None:
    later = years_after(day, years)
    assert later.year == day.year + years
    assert (later.month, later.day) in {(day.month, day.day), (3, 1)}
