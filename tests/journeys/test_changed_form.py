"""A form that changes under somebody's draft: the draft follows it, the page says what to look at, nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from furong.domains.cases import models as cases
from furong.foundation.packs import commands as packs
from furong.sites.portal import holding
from tests.conftest import forget
from tests.factories.newborn import SYSTEM
from tests.journeys.town import ACCOUNT_NUMBER, CHILD, Town, form_of, opened
from tests.packs.planting import HUNAN, Planted, copy_of

BENEFIT = "items/maternity_benefit/form.yaml"
HOUSEHOLD = "items/household_registration/form.yaml"
NEW_QUESTION = """          - element: benefit.bank_name
            type: text
            label: {zh: 开户网点, en: Branch of the bank}
            max_length: 60
"""
NEW_ELEMENT = (
    "  - {code: benefit.bank_name, name: {zh: 开户网点, en: Branch}, type: text, source: {declared: applicant}}\n"
)


@pytest.fixture
def town(monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    with opened(monkeypatch) as made:
        yield made


@pytest.fixture
def pack(tmp_path: Path) -> Planted:
    return copy_of(HUNAN, tmp_path)


def _release(town: Town, pack: Planted) -> None:
    assert pack.errors() == []
    town.later(hours=1)
    packs.import_pack(path=pack.root, actor=SYSTEM, now=town.now)
    forget()
    holding._held.clear()


def _another_version(pack: Planted, why: str) -> None:
    """A version that differs from each before it: an earlier one is refused at import."""
    for file in (BENEFIT, "items/maternity_benefit/item.yaml", "data_elements/declared.yaml"):
        pack.append(file, f"# {why}\n")


def _ask_more(pack: Planted) -> None:
    """The benefit's form asks for the bank too."""
    pack.append(BENEFIT, NEW_QUESTION)
    pack.append("data_elements/declared.yaml", NEW_ELEMENT)
    pack.replace(
        "items/maternity_benefit/item.yaml",
        "  - benefit.account_number\n",
        "  - benefit.account_number\n  - benefit.bank_name\n",
    )


def test_new_question_is_pointed_out_and_every_answer_stays(town: Town, pack: Planted) -> None:
    draft = town.begin()
    check = town.fill(draft)
    before = cases.Draft.objects.get().answers
    _ask_more(pack)
    _release(town, pack)
    shown = town.mother.get(check)
    assert "开户网点" in shown.words
    assert "您开始填写之后，表单有更新" in shown.words
    sent = town.mother.post(check, {"declared": "yes"})
    assert sent.status == 422
    assert cases.Application.objects.count() == 0
    after = cases.Draft.objects.get().answers
    assert {code: after[code] for code in before if code in after} == {
        code: value for code, value in before.items() if code in after
    }
    assert after["newborn.name"] == CHILD
    # The draft leads to the page with the new question, which says why one is back on it.
    page = town.mother.get(town.mother.get(draft).goes_to)
    assert page.value("benefit-bank_name") == ""
    assert page.value("benefit-account_number") == ACCOUNT_NUMBER
    assert "开户网点" in page.words
    address = town.mother.get(draft).goes_to
    answer = town.mother.post(address, {**form_of(page), "benefit-bank_name": "芙蓉银行"})
    assert answer.status == 302, answer.mistakes
    sent = town.mother.post(town.fill(draft), {"declared": "yes"})
    assert sent.status == 302, sent.words[:600]
    kept = cases.Application.objects.get().answers
    assert kept["benefit.bank_name"]["value"] == "芙蓉银行"
    assert kept["benefit.account_number"]["value"] == ACCOUNT_NUMBER


def test_answer_that_no_question_takes_any_more_is_kept_aside_and_comes_back_with_it(
    town: Town, pack: Planted, tmp_path: Path
) -> None:
    _ask_more(pack)
    _release(town, pack)
    draft = town.begin()
    address = town.fill(draft, until="/page/benefits")
    typed = {**form_of(town.mother.get(address)), "benefit-bank_name": "芙蓉银行"}
    assert town.mother.post(address, typed).status == 302
    without = copy_of(HUNAN, tmp_path / "second")
    _another_version(without, "the bank is not asked for any more")
    _release(town, without)
    town.mother.get(draft)
    row = cases.Draft.objects.get()
    assert row.answers["_kept_aside"]["benefit.bank_name"] == "芙蓉银行"
    assert row.answers["benefit.account_number"] == ACCOUNT_NUMBER
    assert "开户网点" in town.mother.read(town.fill(draft))  # the review says what is not asked any more
    _another_version(pack, "the bank is asked for again")
    _release(town, pack)
    town.mother.get(draft)
    assert cases.Draft.objects.get().answers["benefit.bank_name"] == "芙蓉银行"


def test_question_of_another_type_shows_the_old_answer_for_checking(town: Town, pack: Planted) -> None:
    draft = town.begin()
    check = town.fill(draft)
    pack.replace(BENEFIT, '            pattern: "[0-9]{12,19}"\n', '            pattern: "[0-9]{22}"\n')
    _release(town, pack)
    assert town.mother.post(check, {"declared": "yes"}).status == 422
    assert cases.Application.objects.count() == 0
    address = town.mother.get(draft).goes_to
    assert address.endswith("/page/benefits")
    page = town.mother.get(address)
    assert page.value("benefit-account_number") == ACCOUNT_NUMBER
    assert "银行卡号" in page.words
    wrong = town.mother.post(address, form_of(page))
    assert wrong.status == 422
    assert wrong.value("benefit-account_number") == ACCOUNT_NUMBER


def test_page_that_was_open_while_the_form_changed_loses_nothing_of_what_is_sent(town: Town, pack: Planted) -> None:
    draft = town.begin()
    address = town.fill(draft, until="/page/benefits")
    open_page = form_of(town.mother.get(address))
    _ask_more(pack)
    _release(town, pack)
    sent = town.mother.post(address, open_page)
    assert sent.status in {409, 422}
    assert "开户网点" in sent.words or "草稿" in sent.words
    assert cases.Draft.objects.get().answers["newborn.name"] == CHILD
    if sent.status == 422:
        assert sent.value("benefit-account_number") == ACCOUNT_NUMBER


def test_case_that_is_under_way_keeps_the_version_it_began_with(town: Town, pack: Planted) -> None:
    application = town.apply()
    pinned = dict(cases.Case.objects.values_list("item_code", "closure_digest"))
    _ask_more(pack)
    _release(town, pack)
    town.work(application, "birth_certificate")
    assert dict(cases.Case.objects.values_list("item_code", "closure_digest")) == pinned
    assert "开户网点" not in town.mother.read(application)
