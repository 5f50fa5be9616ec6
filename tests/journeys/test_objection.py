"""A register is wrong about the mother: she says so, the register's officer corrects it, and those who read it hear of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.journeys.town import Town, opened


@pytest.fixture
def town(monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    with opened(monkeypatch) as made:
        yield made


ELEMENT = "mother.insured_kind"


def test_what_a_register_has_wrong_is_corrected_and_whoever_read_it_is_told(town: Town) -> None:
    application = town.apply()
    town.work(application, "birth_certificate")
    case = town.case(application, "maternity_benefit")
    town.insurance.read(f"/work/cases/{case}")

    shown = town.mother.get(application)
    assert shown.links(f"/my/corrections/new/{ELEMENT}"), shown.words
    assert not shown.links("/my/corrections/new/father."), "what is held about the father is his to object to"
    filing = f"/my/corrections/new/{ELEMENT}"
    empty = town.mother.post(filing, {"found": " "})
    assert "请用一句话写明哪里有误" in empty.words
    sent = town.mother.post(filing, {"found": "我参加的是职工医保。", "wanted": "职工基本医疗保险"})
    assert sent.status == 302
    mine = sent.goes_to
    assert "正在核查" in town.mother.read(mine)
    again = town.mother.post(filing, {"found": "还是不对"})
    assert "您已对这项数据提出异议" in again.words

    listed = town.officer.get("/work/objections")
    assert "本人" in listed.words
    objection = next(link for link in listed.links("/work/objections/"))
    opened_by_the_officer = town.officer.read(objection)
    assert "我参加的是职工医保。" in opened_by_the_officer
    assert "李芷宁" in opened_by_the_officer, "the provider has to find the record"
    assert "答复您的异议" in town.mother.read("/my/reads")
    assert town.insurance.get(objection).status == 404, "a clerk of another office does not see it"
    wrong = town.officer.post(objection, {"act": "correct", "correct-words": ""})
    assert wrong.status == 422
    done = town.officer.post(objection, {"act": "correct", "correct-words": "已按参保登记更正。"})
    assert done.status == 302
    assert "已告知的查阅人员1" in town.officer.read(objection)

    assert "已更正" in town.mother.read(mine)
    assert "您查阅过的“母亲参保险种”有误" in town.insurance.read("/work/notices")
    assert "您查阅过的" not in town.hospital.read("/work/notices")


def test_a_clerk_objects_to_a_fact_of_a_case_and_the_person_sees_who_looked(town: Town) -> None:
    application = town.apply()
    town.work(application, "birth_certificate")
    case = town.case(application, "maternity_benefit")
    shown = town.insurance.get(f"/work/cases/{case}")
    filing = f"/work/cases/{case}/facts/{ELEMENT}/objection"
    assert filing in shown.links("/objection")
    assert "登记库的数据" in town.insurance.read(filing)
    assert town.insurance.get(f"/work/cases/{case}/facts/newborn.name/objection").status == 404
    sent = town.insurance.post(filing, {"found": "与参保台账不一致。"})
    assert sent.status == 302
    assert "等待提供单位" in town.insurance.read(sent.goes_to)
    withdrawn = town.insurance.post(sent.goes_to, {"act": "withdraw"})
    assert withdrawn.status == 302
    assert "已撤回" in town.insurance.read(sent.goes_to)
    assert town.insurance.post(sent.goes_to, {"act": "correct", "correct-words": "x"}).status == 422
