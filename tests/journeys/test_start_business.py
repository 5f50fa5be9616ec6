"""Starting a business over HTTP: a name checked, one form, five bodies, the firm in the register with its licence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from furong.domains.cases import commands
from furong.domains.cases import models as cases
from furong.domains.processes import queries as processes
from furong.foundation.access.values import Basis
from furong.foundation.codes.credit_codes import parse_credit_code
from furong.registries.legal_entities import queries as entities
from furong.registries.legal_entities.values import EntityKind
from furong.registries.licences import queries as licences
from tests.factories.newborn import SYSTEM
from tests.journeys.town import Town, form_of, opened

OPTIONAL = ["seal_engraving", "invoice_quota", "employer_social_insurance", "bank_account_appointment"]
OFFICERS = {
    "enterprise_registration": "registrar",
    "seal_engraving": "chief",
    "invoice_quota": "tax",
    "employer_social_insurance": "social",
    "bank_account_appointment": "registrar",
}
GIVEN: dict[str, Any] = {
    "venture-kind": "limited_company",
    "venture-area": "city",
    "venture-trade_name": "晴川渡口",
    "venture-second_trade_name": "芦苇深处",
    "venture-industry": "C14",
    "venture-premises": "红旗路88号2栋",
    "venture-scope": "糕点制售",
    "venture-capital_fen": "100000",
    "venture-seals": ["official", "finance"],
    "venture-monthly_sales": "under_500k",
    "venture-employees": "3",
    "venture-bank": "dongting",
    "delivery-method": "window",
}


@pytest.fixture
def town(monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    with opened(monkeypatch) as made:
        yield made


def _apply(town: Town, by: str = "father", items: list[str] | None = None, **given: Any) -> tuple[str, set[str]]:
    """Fill in the form and send it; gives the application's address and what was asked."""
    founder = getattr(town, by)
    begun = founder.post(
        "/life/start_business/start", {"division": "430202", "item": OPTIONAL if items is None else items}
    )
    assert begun.status == 302, begun.words
    address, asked = founder.get(begun.goes_to).goes_to, set()
    while not address.endswith("/check"):
        shown = founder.get(address)
        data = form_of(shown)
        names = {one.get("name") for one in shown.tree.xpath("//input|//textarea|//select")}
        answers = {name: value for name, value in {**GIVEN, **given}.items() if name in names}
        asked |= set(answers)
        sent = founder.post(address, data | answers)
        assert sent.status == 302, sent.mistakes
        address = sent.goes_to
    done = founder.post(address, {"declared": "yes"})
    assert done.status == 302, done.words
    town.world.run_jobs()
    return done.goes_to.removesuffix("?sent=1"), asked


def _work(town: Town, application: str, item: str) -> None:
    """Let the officer accept and approve, step by step, and run what follows."""
    officer = getattr(town.world, OFFICERS[item])
    case = cases.Case.objects.get(application_id=UUID(application.rsplit("/", 1)[1]), item_code=item)
    for _ in range(4):
        town.world.run_jobs()
        for task in processes.list_tasks_of(business_key=str(case.id), only_open=True):
            act = commands.accept_case if task.kind == "acceptance" else commands.approve_case
            act(case_id=case.id, actor=officer, now=town.now)
    town.world.run_jobs()


def _state(town: Town, application: str, item: str) -> str:
    return str(cases.Case.objects.get(application_id=UUID(application.rsplit("/", 1)[1]), item_code=item).state)


def test_a_founder_fills_in_one_form_and_has_a_company_with_licence_seals_invoices_insurance_and_bank(
    town: Town,
) -> None:
    application, asked = _apply(town)
    assert asked == set(GIVEN), "each fact once"
    assert {_state(town, application, item) for item in OPTIONAL} == {"waiting_prerequisites"}
    # The name is the founder's from the first minute; nobody else gets it meanwhile.
    taken = entities.check_name(
        kind=EntityKind.LIMITED_COMPANY, trade_name="晴川渡口", industry="C14", division_code="430202", now=town.now
    )
    assert not taken.is_free
    _work(town, application, "enterprise_registration")
    assert _state(town, application, "enterprise_registration") == "completed"
    (firm,) = entities.find_public(text="晴川渡口")
    assert firm.name == "株洲晴川渡口食品有限公司"
    code = parse_credit_code(firm.credit_code)
    assert (code.registrar, code.division_code) == ("9", "430290"), "an invented founder's firm is an invented one"
    father = town.world.father.person_id
    record = entities.get_entity(code=firm.credit_code, actor=SYSTEM, basis=Basis(purpose="test"), now=town.now)
    assert {(one.kind.value, one.person_id, one.subscribed_fen) for one in record.roles} == {
        ("head", father, None),
        ("holder", father, 10_000_000),
    }
    assert record.public.capital_fen == 10_000_000
    for item in OPTIONAL:
        _work(town, application, item)
        assert _state(town, application, item) == "completed", item
    held = licences.list_of_person(person_id=father, actor=town.world.father, basis=Basis(purpose="test"), now=town.now)
    assert {one.type_code for one in held} == {
        "business_licence", "filing_receipt", "confirmation", "registration_certificate", "service_result",
    }  # fmt: skip
    licence = next(one for one in held if one.type_code == "business_licence")
    assert licence.data["credit_code"] == firm.credit_code
    assert licence.data["capital_yuan"] == "100000"
    folder = town.father.read("/my/licences")
    assert "营业执照" in folder
    verdict = town.visitors["father"].read(f"/verify/{licence.token}")
    assert firm.name in verdict, "an enterprise's name is public and not masked"
    assert "500000" in str(next(one for one in held if one.type_code == "confirmation").data["result"])


def test_a_taken_name_falls_back_to_the_second_choice_and_two_taken_ones_end_the_case_with_the_reason(
    town: Town,
) -> None:
    first, _ = _apply(town, items=[])
    second, asked = _apply(town, by="mother", items=[])
    assert "venture-bank" not in asked, "what belongs to items left out is not asked"
    for application in (first, second):
        _work(town, application, "enterprise_registration")
    found = {one.name for text in ("晴川渡口", "芦苇深处") for one in entities.find_public(text=text)}
    assert found == {"株洲晴川渡口食品有限公司", "株洲芦苇深处食品有限公司"}
    third, _ = _apply(town, items=[])
    assert _state(town, third, "enterprise_registration") != "submitted"
    told = town.father.read(third)
    assert re.search("字号都不能登记", told), told[:500]
    alone, asked = _apply(town, items=[], **{
        "venture-kind": "individual_business", "venture-trade_name": "石桥人家", "venture-industry": "H62",
    })  # fmt: skip
    _work(town, alone, "enterprise_registration")
    (stall,) = entities.find_public(text="石桥人家")
    assert (stall.name, stall.kind) == ("株洲石桥人家餐饮店", EntityKind.INDIVIDUAL_BUSINESS)
