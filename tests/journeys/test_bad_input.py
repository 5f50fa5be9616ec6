"""What people send that is wrong, late, twice or half, through the real pages: each gets a clear message, and nothing is lost."""

from __future__ import annotations

import io
import re
import threading
import zipfile
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, connections

from furong.domains.cases import models as cases
from furong.foundation.codes.identity_numbers import make_identity_number
from furong.foundation.storage import queries as storage
from tests.journeys.town import CHILD, Page, Town, Visitor, form_of, opened

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64
PDF = b"%PDF-1.7\n" + b"x" * 64
CLEAN = re.compile(r"Traceback|File \"|/site-packages/|furong\.\w+\.\w+")


@pytest.fixture
def town(monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    with opened(monkeypatch) as made:
        yield made


# --- who somebody says they are -------------------------------------------------------------------------------------------------


def _signed_up(name: str = "newcomer") -> Visitor:
    visitor = Visitor()
    answer = visitor.post("/account/sign-up", {"username": name, "password": "a-long-enough-one"})
    assert answer.goes_to.startswith("/account/real-name"), answer.mistakes
    return visitor


def _wrong_number() -> str:
    right = make_identity_number("430291", date(1995, 7, 20), 24)
    return right[:-1] + ("1" if right[-1] != "1" else "2")


def test_wrong_identity_number_is_told_without_saying_which_part_is_wrong(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    visitor = _signed_up()
    nobody = make_identity_number("430291", date(1990, 1, 1), 33)
    told = []
    for number in (_wrong_number(), nobody):
        answer = visitor.post("/account/real-name", {"number": number, "name": "李芷宁"})
        assert answer.status == 422
        told.append(answer.mistakes)
        assert number not in caplog.text
        assert "李芷宁" not in caplog.text
    assert any("不一致" in line or "不符" in line or "号码" in line for line in told[0]), told
    assert visitor.get("/account/real-name").status == 200  # the account is kept, and may try again


def test_after_five_wrong_numbers_the_page_says_how_many_minutes_to_wait(town: Town) -> None:
    visitor = _signed_up()
    number = make_identity_number("430291", date(1990, 1, 1), 33)
    for _try in range(5):
        visitor.post("/account/real-name", {"number": number, "name": "无此人"})
    blocked = visitor.post("/account/real-name", {"number": number, "name": "无此人"})
    assert blocked.status == 422
    assert any(re.search(r"1[12]\d 分钟", line) for line in blocked.mistakes), blocked.mistakes
    # The wait ends by itself.
    town.later(hours=2, minutes=1)
    assert not any(
        "分钟" in line for line in visitor.post("/account/real-name", {"number": number, "name": "无此人"}).mistakes
    )


# --- twice ----------------------------------------------------------------------------------------------------------------------


def test_same_draft_sent_twice_is_one_application_and_the_second_answer_leads_to_it(town: Town) -> None:
    check = town.fill(town.begin())
    first = town.mother.post(check, {"declared": "yes"})
    second = town.mother.post(check, {"declared": "yes"})
    assert second.status == 302
    assert second.goes_to == first.goes_to.removesuffix("?sent=1")
    assert cases.Application.objects.count() == 1
    late = town.mother.post(check.replace("/check", "/page/child"), {"newborn-name": "周念荷"})
    assert late.goes_to == second.goes_to
    assert CHILD in str(cases.Application.objects.get().answers)


def test_same_birth_applied_for_in_a_second_draft_is_refused_with_the_way_to_the_first(town: Town) -> None:
    application = town.apply()
    check = town.fill(town.begin(["vaccination_record"]))
    refused = town.mother.post(check, {"declared": "yes"})
    assert refused.status == 409
    assert "此前已经申请过" in refused.words
    assert "这份草稿已保留" in refused.words
    assert refused.links(application)
    assert "出生医学证明签发" in refused.words
    assert cases.Application.objects.count() == 1
    assert CHILD in town.mother.read(check)
    other = town.father.post(
        town.fill(town.begin(["vaccination_record"], by="father"), by="father"), {"declared": "yes"}
    )
    assert other.status == 409
    assert "由他人" in other.words
    assert not other.links("/my/applications/")


def test_same_draft_sent_from_two_windows_at_once_is_one_application(town: Town) -> None:
    check = town.fill(town.begin())
    other = Visitor("mother")
    gate, answers = threading.Barrier(2), []

    def send(visitor: Visitor) -> None:
        gate.wait(10)
        try:
            answers.append(visitor.post(check, {"declared": "yes"}))
        finally:
            for alias in connections:
                connections[alias].close()

    threads = [threading.Thread(target=send, args=(one,)) for one in (town.mother, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert {answer.status for answer in answers} == {302}
    assert len({answer.goes_to.removesuffix("?sent=1") for answer in answers}) == 1
    assert cases.Application.objects.count() == 1
    assert cases.Case.objects.count() == 6


# --- a sign-in that runs out ----------------------------------------------------------------------------------------------------


def test_sign_in_that_runs_out_mid_form_leads_back_to_the_page_with_everything_on_it(town: Town) -> None:
    draft = town.begin()
    first = town.mother.get(draft).goes_to
    second = town.mother.post(first, form_of(town.mother.get(first))).goes_to
    typed = {**form_of(town.mother.get(second)), "newborn-household_with": "father"}
    town.later(hours=13)
    refused = town.mother.post(second, typed)
    assert refused.status == 302
    assert refused.goes_to.startswith("/account/sign-in?next=")
    assert CHILD not in refused.goes_to
    shown = town.mother.get(refused.goes_to)
    assert "已保存的内容都在" in shown.words
    assert "保留半小时" in shown.words
    back = town.mother.sign_in("mother", next=shown.value("next"))
    assert back.goes_to == second
    again = town.mother.get(second)
    assert "您填写的内容已恢复，尚未提交" in again.words
    assert again.value("newborn-household_with") == "father"
    assert town.mother.get(first).value("newborn-name") == CHILD  # what was saved before
    assert "您填写的内容已恢复" not in town.mother.read(second)  # given back once
    assert town.mother.post(second, form_of(again)).status == 302


def test_what_was_typed_lies_encrypted_and_only_for_half_an_hour(town: Town) -> None:
    draft = town.begin()
    address = town.mother.get(draft).goes_to
    typed = {**form_of(town.mother.get(address)), "newborn-name": "周念荷"}
    town.later(hours=13)
    town.mother.post(address, typed)
    with connection.cursor() as cursor:
        cursor.execute("SELECT data::text FROM identity_session WHERE data ? 'typed'")
        ((kept,),) = cursor.fetchall()
    assert "周念荷" not in kept
    assert "newborn" not in kept
    town.later(minutes=31)
    town.mother.sign_in("mother")
    shown = town.mother.get(address)
    assert "尚未提交" not in shown.words
    assert shown.value("newborn-name") == ""


def test_what_was_typed_is_shown_to_nobody_else_at_the_same_browser(town: Town) -> None:
    address = town.mother.get(town.begin()).goes_to
    typed = {**form_of(town.mother.get(address)), "newborn-name": "周念荷"}
    browser = town.mother
    town.later(hours=13)
    browser.post(address, typed)
    browser.sign_in("father")
    other = browser.get(address)
    assert other.status == 404
    assert "周念荷" not in other.text


def test_clerk_whose_sign_in_runs_out_keeps_the_reason_they_wrote(town: Town) -> None:
    case_id = town.case(town.apply([]), "birth_certificate")
    address = f"/work/cases/{case_id}/acts/refuse_acceptance"
    town.hospital.read(address)
    town.later(hours=13)
    refused = town.hospital.post(address, {"reason": "出生记录不在本院", "legal_basis": "《母婴保健法》第二十三条"})
    assert "/account/sign-in" in refused.goes_to
    town.hospital.sign_in("hospital", next=address)
    again = town.hospital.get(address)
    assert again.value("reason") == "出生记录不在本院"
    assert cases.Case.objects.get(id=case_id).state == "submitted"
    assert town.hospital.post(address, form_of_act(again)).status == 302
    assert cases.Case.objects.get(id=case_id).end_note == "出生记录不在本院"


def form_of_act(page: Page) -> dict[str, Any]:
    """What a clerk sends from an act's page as it stands."""
    assert page.tree is not None
    (form,) = [f for f in page.tree.forms if f.method == "POST" and ("version" in f.fields or "reason" in f.fields)]
    return dict(form.form_values())


# --- files ----------------------------------------------------------------------------------------------------------------------


def _asked_for(town: Town, *lines: str) -> str:
    """A department asks for what is missing on its page; gives the address where the applicant answers."""
    application = town.apply([])
    case_id = town.case(application, "birth_certificate")
    address = f"/work/cases/{case_id}/acts/request_supplement"
    sent = town.hospital.post(
        address, {**form_of_act(town.hospital.get(address)), "missing": "\n".join(lines), "reason": "原件模糊"}
    )
    assert sent.status == 302, sent.mistakes
    assert all(line in town.mother.read(application) for line in lines)
    return f"{application}/{case_id}/supplement"


def _file(name: str, data: bytes, kind: str = "application/pdf") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, content_type=kind)


def test_applicant_answers_with_a_file_and_words_and_the_department_opens_both(town: Town) -> None:
    address = _asked_for(town, "出生记录的照片", "孩子的曾用名")
    sent = town.mother.post(address, {"file-0": _file("照片 李芷宁.PNG", PNG, "image/png"), "words-1": "没有曾用名"})
    assert sent.status == 302, sent.mistakes
    case = cases.Case.objects.get(item_code="birth_certificate")
    assert case.state == "submitted"
    page = town.hospital.get(f"/work/cases/{case.id}")
    assert "没有曾用名" in page.words
    (link,) = page.links("/files/")
    opened_file = town.hospital.get(link)
    assert (opened_file.status, opened_file.body) == (200, PNG)
    assert opened_file.answer["Content-Type"] == "image/png"
    assert opened_file.answer["Content-Disposition"].startswith("attachment; ")
    assert "李芷宁" not in opened_file.answer["Content-Disposition"] + link
    assert "您提交的文件" in town.mother.read("/my/reads")
    # She opens her own file again, from the application.
    (again,) = town.mother.get(address.rsplit("/", 2)[0]).links("/supplement")
    handed_in = town.mother.get(again)
    assert "没有曾用名" in handed_in.words
    (own,) = handed_in.links("/files/")
    given_back = town.mother.get(own)
    assert (given_back.status, given_back.body) == (200, PNG)
    assert given_back.answer["Content-Disposition"].startswith("attachment; ")
    assert "sandbox" in given_back.answer["Content-Security-Policy"]
    assert town.mother.get(own[:-64] + "0" * 64).status == 404
    assert town.father.get(own).status == 404
    # Nobody else: not another department, not the applicant's spouse, not with a digest of something else.
    for visitor in (town.police, town.insurance):
        assert visitor.get(link).status == 403
    assert town.father.get(link).status == 403
    assert town.hospital.get(link[:-64] + "0" * 64).status == 404


def test_supplement_lines_left_open_are_named_and_what_was_written_stays(town: Town) -> None:
    address = _asked_for(town, "出生记录的照片", "孩子的曾用名")
    sent = town.mother.post(address, {"words-1": "没有曾用名"})
    assert sent.status in {200, 422}
    assert len(sent.mistakes) == 1
    assert sent.value("words-1") == "没有曾用名"
    assert cases.Case.objects.get(item_code="birth_certificate").state == "to_supplement"
    # Whoever has neither says so.
    assert town.mother.post(address, {"words-1": "没有曾用名", "note": "照片已遗失"}).status == 302
    assert "照片已遗失" in town.hospital.read(f"/work/cases/{cases.Case.objects.get(item_code='birth_certificate').id}")


def test_file_of_fifty_megabytes_is_refused_with_the_limit_and_the_rest_is_kept(town: Town) -> None:
    address = _asked_for(town, "出生记录的照片", "孩子的曾用名")
    huge = _file("scan.pdf", PDF + b"\0" * (50 * 1024 * 1024))
    sent = town.mother.post(address, {"file-0": huge, "words-1": "没有曾用名"})
    assert sent.status in {200, 413, 422}
    assert any("10 MB" in line for line in sent.mistakes), sent.words[:500]
    assert sent.value("words-1") == "没有曾用名"
    assert cases.Case.objects.get(item_code="birth_certificate").state == "to_supplement"


def test_request_larger_than_any_page_is_answered_by_a_page_that_says_so(town: Town) -> None:
    address = _asked_for(town, "出生记录的照片")
    sent = town.mother.post(address, {"file-0": _file("scan.pdf", PDF + b"\0" * (61 * 1024 * 1024))})
    assert sent.status == 413
    assert "10 MB" in sent.words
    assert "草稿" in sent.words


def _zip(name: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, b"\0" * 5_000_000)  # five megabytes in five kilobytes
    return out.getvalue()


LIARS = [
    ("证明.pdf", PNG, "实际是 PNG 图片"),
    ("证明.pdf", b"MZ\x90\0" + b"\0" * 200, "实际是无法识别的文件"),
    ("证明.pdf", b"<html><script>alert(1)</script></html>", "实际是文本文件"),
    ("photo.jpg", PDF, "实际是 PDF 文档"),
    ("letter.docx", _zip("a.txt"), "实际是 ZIP"),
    ("setup.exe", b"MZ\x90\0" + b"\0" * 200, "PDF、"),
    ("bomb.zip", _zip("../../etc/passwd"), "PDF、"),
    ("empty.pdf", b"", "空"),
]


def test_file_that_is_not_what_its_name_says_is_refused_by_what_it_is_and_the_rest_is_kept(town: Town) -> None:
    address = _asked_for(town, "出生记录的照片", "孩子的曾用名")
    for name, data, found in LIARS:
        sent = town.mother.post(address, {"file-0": _file(name, data), "words-1": "没有曾用名"})
        assert sent.status in {200, 422}
        assert [found in line for line in sent.mistakes] == [True], (name, sent.mistakes)
        assert sent.value("words-1") == "没有曾用名"
        assert not CLEAN.search(sent.words)
    case = cases.Case.objects.get(item_code="birth_certificate")
    assert case.state == "to_supplement"
    assert case.supplement.answers == {}


def test_stored_file_is_what_was_sent_and_a_made_up_digest_is_refused(town: Town) -> None:
    from furong.domains.cases import commands
    from furong.domains.cases.errors import SupplementEmpty

    address = _asked_for(town, "出生记录的照片")
    case_id = cases.Case.objects.get(item_code="birth_certificate").id
    forged = {"digest": "0" * 64, "name": "x.pdf", "media_type": "application/pdf", "size": 1}
    with pytest.raises(SupplementEmpty):
        commands.submit_supplement(case_id=case_id, answers={"#1/file": forged}, actor=town.world.mother, now=town.now)
    town.mother.post(address, {"file-0": _file("a.pdf", PDF)})
    kept = cases.Supplement.objects.get(case_id=case_id).answers["#1/file"]["value"]
    assert storage.get(kept["digest"]) == PDF


# --- a department that never answers --------------------------------------------------------------------------------------------


def test_department_that_never_answers_is_escalated_told_and_shown_to_supervision(town: Town) -> None:
    from furong.foundation.events import dispatcher

    application = town.apply([])
    case_id = town.case(application, "birth_certificate")
    number = cases.Case.objects.get(id=case_id).number
    assert number not in town.supervisor.read("/work/supervision")
    town.later(days=4)
    town.tick()
    dispatcher.dispatch_once("default", 500, now=town.now)
    town.visitors.clear()
    assert "已上报督办" in town.hospital.read(f"/work/cases/{case_id}")
    assert number in town.hospital.read("/work/list?light=escalated")
    for told in (town.hospital, town.supervisor):
        page = told.get("/work/notices")
        assert "已上报督办" in page.words
        assert number in page.words
        assert not re.search(r"李芷宁|周亦衡|\d{17}[\dX]", page.words)
    assert number not in town.police.read("/work/notices")
    # Five working days of silence are acceptance (行政许可法 art. 32); a month more, and everybody sees that it is late.
    for _day in range(35):
        town.later(days=1)
        town.tick()
    dispatcher.dispatch_once("default", 500, now=town.now)
    town.visitors.clear()
    assert cases.Case.objects.get(id=case_id).deemed_accepted
    assert number in town.supervisor.read("/work/supervision")
    assert "已超过承诺时限" in town.supervisor.read("/work/notices")
    assert "已受理" in town.mother.read(application)  # the applicant has lost nothing
