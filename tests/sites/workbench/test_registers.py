"""People and licences in the workbench: nothing without a purpose, nothing beyond the post, nothing in an address."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from tests.sites.workbench.staff import (
    BASIS,
    PURPOSE,
    SYSTEM,
    entries,
    here,
    links,
    make_staff,
    mother,
    now,
    police_station,
    refusals,
    registration_card,
    staff,
    words,
)

from furong.foundation.access.values import Basis
from furong.foundation.audit import queries as audit
from furong.foundation.codes.ids import new_id
from furong.foundation.organizations.values import Reach
from furong.foundation.storage import queries as storage
from furong.registries.population import queries as population
from furong.sites.workbench.enquiries import Enquiry, EnquiryOver, seal, unseal

pytestmark = pytest.mark.usefixtures("platform")

SEARCH = "/work/population"


def test_a_search_without_a_purpose_shows_nobody_and_is_refused_on_record() -> None:
    officer, person = staff("police"), mother()
    answer = officer.post(SEARCH, {"name": person.text("name"), "legal_basis": PURPOSE["legal_basis"]})
    assert answer.status_code == 422
    assert "请说明目的" in words(answer.content)
    assert links(answer.content, "/work/population/") == []
    assert "430****" not in answer.content.decode()
    assert refusals("population.search_people", "population") == ["access.purpose_missing"]
    assert audit.list_reads_of_person(person_id=person.person_id, databases=["population"])[0].what != (
        "population.search_people"
    )


@pytest.mark.parametrize(
    "missing",
    [{"legal_basis": ""}, {"purpose": "other"}, {"purpose": "sightseeing"}, {"case_number": "99-1"}, {"name": ""}],
)
def test_a_search_with_half_a_reason_shows_nobody(missing: dict[str, str]) -> None:
    answer = staff("police").post(SEARCH, {**PURPOSE, "name": mother().text("name"), **missing})
    assert answer.status_code == 422
    assert links(answer.content, "/work/population/") == []


def test_a_search_shows_masked_people_says_so_and_the_person_sees_it() -> None:
    officer, person = staff("police"), mother()
    answer = officer.post(SEARCH, {**PURPOSE, "purpose_note": "补领户口簿", "name": person.text("name")})
    page = words(answer.content)
    assert answer.status_code == 200
    assert "本次查询已记录，当事人可以看到" in page
    assert "窗口核对信息（补领户口簿）" in page
    results = page[: page.index("修改查询")]
    assert person.text("name") not in results
    assert person.text("number") not in answer.content.decode()
    assert "李**" in results
    read = audit.list_reads_of_person(person_id=person.person_id, databases=["population"])[0]
    assert (read.what, read.purpose) == ("population.search_people", "窗口核对信息（补领户口簿）")
    assert read.legal_basis == PURPOSE["legal_basis"]
    assert "number_masked" in read.fields


@pytest.mark.parametrize("by", ["pinyin", "number", "born_on"])
def test_people_are_found_by_pinyin_number_and_birth_date(by: str) -> None:
    person = mother()
    given: dict[str, object] = {"pinyin": "lizhining", "number": person.text("number").lower()}
    asked = {by: given[by]} if by in given else {
        "born_on_year": "1995", "born_on_month": "8", "born_on_day": "12"
    }  # fmt: skip
    answer = staff("police").post(SEARCH, {**PURPOSE, **asked})
    assert "李**" in words(answer.content)


def test_results_are_paged_in_the_body() -> None:
    make_staff("wide", police_station().id, here("population.search", Reach.EVERYWHERE))
    clerk = staff("wide")
    first = clerk.post(SEARCH, {**PURPOSE, "pinyin": "l"})
    after = first.content.decode().split('name="after" value="')[1].split('"')[0]
    second = clerk.post(SEARCH, {**PURPOSE, "pinyin": "l", "after": after})
    assert len(links(first.content, "/work/population/")) == 20
    assert links(second.content, "/work/population/")
    assert "after=" not in first.content.decode()
    # a page that was never given out is no page
    assert clerk.post(SEARCH, {**PURPOSE, "pinyin": "l", "after": "nonsense"}).status_code == 422


def test_nobody_outside_the_divisions_of_the_post_is_found() -> None:
    rows = entries(
        "SELECT p.name, n.number FROM population_person p JOIN population_identity_number n ON n.person_id = p.person_id "
        "WHERE p.division_code NOT LIKE '430202%%' AND n.superseded_at IS NULL LIMIT 1",
        [],
        "population",
    )
    answer = staff("police").post(SEARCH, {**PURPOSE, "number": rows[0][1]})
    assert answer.status_code == 200
    assert "辖区内没有符合的人" in words(answer.content)
    assert links(answer.content, "/work/population/") == []


def test_a_record_shows_only_what_is_asked_and_its_address_says_nothing() -> None:
    officer, person = staff("police"), mother()
    answer = officer.post(SEARCH, {**PURPOSE, "number": person.text("number")})
    address = links(answer.content, "/work/population/")[0]
    assert person.text("number") not in address
    assert str(person.person_id) not in address
    shown = officer.get(address)
    page = shown.content.decode()
    assert "430****" in page
    assert person.text("number") not in page
    assert person.text("address") not in page
    asked = officer.get(address, {"field": ["number", "address"]})
    page = asked.content.decode()
    assert person.text("number") in page
    assert person.text("address") in page
    assert "1995 年 8 月 12 日" not in page
    read = audit.list_reads_of_person(person_id=person.person_id, databases=["population"])[0]
    assert set(read.fields) == {"number", "address"}


@pytest.mark.parametrize("part", ["household", "relations", "residence", "history"])
def test_each_part_of_a_record_opens_and_is_recorded(part: str) -> None:
    officer, person = staff("police"), mother()
    answer = officer.post(SEARCH, {**PURPOSE, "number": person.text("number")})
    address = links(answer.content, "/work/population/")[0]
    shown = officer.get(address, {"part": part})
    assert shown.status_code == 200
    assert {"household": "户主", "relations": "配偶", "residence": "户籍所在地", "history": "首次登记"}[part] in words(
        shown.content
    )
    reads = {r.what for r in audit.list_reads_of_person(person_id=person.person_id, databases=["population"], limit=3)}
    assert reads & {
        "population.list_household", "population.get_person", "population.list_residences", "population.list_history",
    }  # fmt: skip


def test_history_tells_what_was_known_then() -> None:
    officer, person = staff("police"), mother()
    answer = officer.post(SEARCH, {**PURPOSE, "number": person.text("number")})
    address = links(answer.content, "/work/population/")[0]
    today = now().astimezone().date()
    asked = {
        f"{name}_{part}": getattr(today, part) for name in ("valid_on", "known_on") for part in ("year", "month", "day")
    }
    assert person.text("name") in words(officer.get(address, {"part": "history", **asked}).content)
    before = {**asked, "known_on_year": 2001}
    assert "当时没有登记那一天的情况" in words(officer.get(address, {"part": "history", **before}).content)
    ahead = {**asked, "known_on_year": today.year + 1}
    assert "这一天还没有到" in words(officer.get(address, {"part": "history", **ahead}).content)


def test_an_enquiry_is_good_for_its_own_post_only_and_ends() -> None:
    officer = staff("police")
    answer = officer.post(SEARCH, {**PURPOSE, "number": mother().text("number")})
    address = links(answer.content, "/work/population/")[0]
    make_staff("second", police_station().id, here("population.search"), here("population.read"))
    other = staff("second").get(address)
    assert other.status_code == 410
    assert "本次查询已失效" in other.content.decode()
    assert officer.get(address[:-4] + "AAAA").status_code == 410
    whom = new_id()
    one = Enquiry(kind="person", object_id=whom, title="李**", basis=Basis(purpose="p", legal_basis="l", about=whom))
    sealed = seal(one, actor=SYSTEM, now=now())
    assert unseal(sealed, kind="person", actor=SYSTEM, now=now()) == one
    with pytest.raises(EnquiryOver):
        unseal(sealed, kind="licence", actor=SYSTEM, now=now())
    with pytest.raises(EnquiryOver):
        unseal(sealed, kind="person", actor=SYSTEM, now=now() + timedelta(minutes=31))


def test_a_relative_elsewhere_is_named_as_such_and_not_shown() -> None:
    make_staff("narrow", police_station().id, here("population.search"), here("population.read"))
    # a right over an organisation covers no person, who belongs to a division
    answer = staff("narrow").post(SEARCH, {**PURPOSE, "number": mother().text("number")})
    assert "辖区内没有符合的人" in words(answer.content)


def test_a_licence_is_found_by_number_shown_with_masked_numbers_and_checked() -> None:
    officer, card, person = staff("police"), registration_card(), mother()
    answer = officer.post("/work/licences", {**PURPOSE, "number": card.number})
    page = words(answer.content)
    assert "1 件证照" in page
    assert "李**" in page
    address = links(answer.content, "/work/licences/")[0]
    shown = officer.get(address)
    assert "荷塘区" in words(shown.content)
    assert person.text("number") not in shown.content.decode()
    assert person.text("number") in officer.get(address, {"numbers": "full"}).content.decode()
    assert "吊销证照" not in words(shown.content)
    file = officer.get(f"{address}/file")
    assert file["Content-Type"] == "application/pdf"
    checked = officer.post(
        "/work/licences/check", {"file": SimpleUploadedFile("x.pdf", file.content, content_type="application/pdf")}
    )
    assert "真实有效" in words(checked.content) or "有效" in words(checked.content)


def test_a_licence_of_another_issuer_is_not_found() -> None:
    card = registration_card()
    answer = staff("insurance").post("/work/licences", {**PURPOSE, "number": card.number})
    assert "没有符合的证照" in words(answer.content)


def test_a_licence_search_without_a_purpose_is_refused_on_record() -> None:
    card = registration_card()
    answer = staff("police").post("/work/licences", {"number": card.number})
    assert answer.status_code == 422
    assert links(answer.content, "/work/licences/") == []
    assert refusals("licences.find_licences") == ["access.purpose_missing"]


def test_a_file_that_is_no_pdf_gets_a_clear_word() -> None:
    answer = staff("police").post("/work/licences/check", {"file": SimpleUploadedFile("x.pdf", b"hello")})
    assert answer.status_code == 422
    assert "PDF" in words(answer.content)


def test_revoking_wants_right_and_reason_and_changes_the_verdict_everywhere() -> None:
    card = registration_card()
    make_staff("revoker", police_station().id, here("licences.revoke"), title="户政科负责人")
    chief = staff("revoker")
    address = links(chief.post("/work/licences", {**PURPOSE, "number": card.number}).content, "/work/licences/")[0]
    assert "立即对所有人显示“已吊销”" in words(chief.get(address).content)
    assert chief.post(address, {"understood": "on"}).status_code == 422
    assert chief.post(address, {"reason": "登记有误"}).status_code == 422
    done = chief.post(address, {"reason": "登记有误，《行政许可法》第六十九条", "understood": "on"})
    assert done.status_code == 302
    assert "吊销证照" not in words(chief.get(address).content)
    public = staff("").get(f"/verify/{card.token}").content.decode()
    assert "已吊销" in public
    pdf = storage.get(card.pdf_digest)
    checked = chief.post("/work/licences/check", {"file": SimpleUploadedFile("x.pdf", pdf)})
    assert "已吊销" in words(checked.content)


def test_whoever_may_not_revoke_cannot_by_sending_the_form() -> None:
    officer, card = staff("police"), registration_card()
    address = links(officer.post("/work/licences", {**PURPOSE, "number": card.number}).content, "/work/licences/")[0]
    answer = officer.post(address, {"reason": "随便", "understood": "on"})
    assert answer.status_code == 403
    assert refusals("licences.revoke") == ["access.refused"]
    assert "已吊销" not in staff("").get(f"/verify/{card.token}").content.decode()


def test_masked_fields_leave_the_register_masked() -> None:
    person = mother()
    record = population.get_person(
        person_id=person.person_id, fields=["name_masked", "number_masked"], actor=SYSTEM, basis=BASIS, now=now()
    )
    assert record.text("name_masked") == "李**"
    assert record.text("number_masked") == f"{person.text('number')[:3]}****{person.text('number')[-4:]}"
