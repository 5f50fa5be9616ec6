"""A register is wrong about the mother: she says so, the register's officer corrects it, and those who read it hear of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from django.test import override_settings

from furong.domains.exchange import asking, commands, issuing
from furong.domains.objections import queries as objections
from furong.domains.objections.errors import SubjectNotYours
from furong.domains.objections.values import Subject
from furong.foundation.audit import queries as audit
from furong.registries.population import demo
from furong_link.gateway import Gateway, Settings
from furong_link.handover import KeyName
from furong_link.nation import free_port
from tests.domains.exchange.nodes.test_cascade import rows_served
from tests.domains.exchange.setting import SYSTEM, make
from tests.journeys.town import Town, Visitor, opened
from tests.link.running import Running


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


@pytest.mark.usefixtures("platform")
def test_a_look_over_the_exchange_is_on_the_persons_page_and_leads_to_an_objection_that_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(issuing, "PUSH_SECONDS", 0.01)
    made, port, mother = make(), free_port(), demo.person_id("mother")
    place = {"authority": f"127.0.0.1:{port}", "address": f"http://127.0.0.1:{port}"}
    commands.move_gateway(gateway="hospital-1", **place, actor=SYSTEM, now=datetime.now(UTC))
    made.keys["platform"].write(tmp_path / "platform.key")
    folder, operator = tmp_path / "gateway", KeyName("ed25519", issuing.operator_public())
    folder.mkdir()
    newest = issuing.newest_file(beyond=0)
    assert newest is not None
    (folder / "configuration.json").write_bytes(newest[1])
    row = {
        "record_id": str(uuid4()),
        "mother": str(mother),
        "hospital_name": {"zh": "株洲市妇幼保健院"},
        "hospital_code": "x",
        "division_code": "430202",
        "born_at": "2026-11-20T08:00:00+08:00",
        "sex": "2",
        "weight_g": 3200,
        "length_mm": 500,
        "gestation_weeks": 39,
        "certificate_number": "X1",
    }
    with rows_served(row) as provider, override_settings(EXCHANGE_KEY=tmp_path / "platform.key"):
        gateway = Running(
            lambda: Gateway(
                settings=Settings(
                    id="hospital-1",
                    authority=place["authority"],
                    folder=folder,
                    port=port,
                    upstreams={"births": f"http://127.0.0.1:{provider}"},
                ),
                signer=made.keys["hospital-1"],
                operator=operator,
            )
        )
        gateway.start()
        try:
            found = asking.BirthsOverExchange().find_latest(mother_person_id=mother)
        finally:
            gateway.stop()
    assert found is not None
    assert found.weight_g == 3200
    (read,) = [one for one in audit.list_reads_of_person(person_id=mother, limit=5) if one.what == "exchange.ask"]

    person = Visitor("mother")
    page = person.get("/my/reads")
    assert read.purpose in page.words
    assert f"经数据交换，授权 {read.grant}" in page.words
    assert read.grant.startswith("SQ")
    (link,) = page.links(f"/my/corrections/new/mother.person_id?read={read.entry_id}")
    form = person.get(link)
    assert "您在这次查阅中看到它有误" in form.words
    assert read.grant in form.words
    assert read.purpose in form.words
    # A look at somebody else's data cannot be chosen, nor one that never was.
    assert person.get(link.replace(str(read.entry_id), str(uuid4()))).status == 404
    with pytest.raises(SubjectNotYours):
        objections.find_reading(entry_id=read.entry_id, subject=Subject(person_id=demo.person_id("father")))
    sent = person.post(link, {"found": "不是我的孩子。", "wanted": ""})
    assert sent.status == 302
    assert f"授权 {read.grant}" in person.read(sent.goes_to)

    officer = Visitor("steward")  # of the police, whose register it is
    (objection,) = officer.get("/work/objections").links("/work/objections/")
    shown = officer.read(objection)
    assert "不是我的孩子。" in shown
    assert "提出人在这次查阅中发现" in shown
    assert f"经数据交换，授权 {read.grant}" in shown
    assert read.purpose in shown
