"""A department that looks at what is another's: by page, list, search, API, export, notice, diagram and log. Each is tried."""

from __future__ import annotations

import csv
import io
import json
import logging
import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.urls import URLPattern, get_resolver

from furong.domains.cases import models as cases
from furong.domains.payments import commands as payments
from furong.domains.payments.values import Line
from furong.foundation.identity.commands import demo
from furong.foundation.web.logs import JsonFormatter
from tests.factories.newborn import MONDAY, SYSTEM
from tests.journeys.town import ACCOUNT_NUMBER, CHILD, PASSWORD, Page, Town, Visitor, opened

# What only one department may see. The mother's card number is insurance's; where the couple live is the police's.
CARD, ADDRESS = ACCOUNT_NUMBER, "荷叶街"
MARRIAGE = "marriage.certificate_number"
ELSEWHERE = {
    "password": PASSWORD,
    "accounts": [
        {
            "username": f"{name}_elsewhere",
            "kind": "staff",
            "name": "施远山",
            "role": {"zh": "外县经办", "en": "Elsewhere"},
            "organization": {"department": department, "division": "430203"},
            "post": post,
        }
        for name, department, post in (
            ("insurance", "medical_insurance", "medical_insurance.clerk"),
            ("social", "human_resources", "human_resources.clerk"),
        )
    ],
}


@pytest.fixture
def town(monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    with opened(monkeypatch) as made:
        demo.create_demo_accounts(spec=ELSEWHERE, persons={}, actor=SYSTEM, now=MONDAY)
        yield made


def _at_work(town: Town) -> tuple[str, dict[str, Any]]:
    """An application that lies with every department; gives it and its cases' keys by item."""
    application = town.apply()
    town.work(application, "birth_certificate")
    link = town.father.get("/my/").links("/my/consents/")[0]
    assert town.father.post(link, {"answer": "give"}).status == 302
    town.world.run_jobs()
    return application, dict(cases.Case.objects.values_list("item_code", "id"))


def _refusals(name: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM audit_entry WHERE name = %s AND outcome = 'refused'", [name])
        return int(cursor.fetchone()[0])


def _api(visitor: Visitor, case_id: Any) -> Page:
    return _plain(visitor.get(f"/api/cases/{case_id}", purpose="handling"))


def _plain(page: Page) -> Page:
    """JSON may write Chinese as escapes, behind which a search for it would find nothing."""
    if "json" in page.answer.get("Content-Type", ""):
        page.text = json.dumps(json.loads(page.body), ensure_ascii=False)
    return page


def test_case_page_and_api_hold_what_the_item_declares_and_nothing_of_the_others(town: Town) -> None:
    _application, keys = _at_work(town)
    expected = {
        "household_registration": (town.police, {ADDRESS}, {CARD}),
        "maternity_benefit": (town.insurance, {CARD}, {ADDRESS}),
        "vaccination_record": (town.vaccination, set(), {CARD}),
    }
    marriage = next(iter(cases.Marriage.objects.values_list("certificate_number", flat=True)))
    for item, (officer, seen, hidden) in expected.items():
        page, api = officer.get(f"/work/cases/{keys[item]}"), _api(officer, keys[item])
        assert (page.status, api.status) == (200, 200), item
        for text in (page.text, api.text):
            assert all(one in text for one in seen), (item, seen)
            assert not any(one in text for one in hidden), (item, hidden)
            assert (marriage in text) == (item == "household_registration"), item
        declared = set(cases.Case.objects.get(id=keys[item]).visible_elements)
        answers = {one["element"] for one in json.loads(api.body)["answers"]}
        assert answers
        assert answers <= declared


def test_case_of_another_department_or_county_is_refused_and_the_attempt_is_recorded(town: Town) -> None:
    _application, keys = _at_work(town)
    benefit = keys["maternity_benefit"]
    curious = (town.police, town.hospital, town.social, town.insurance_elsewhere, town.administrator, town.auditor)
    for officer in curious:
        before = _refusals("cases.case_view")
        for address in (
            f"/work/cases/{benefit}",
            f"/work/cases/{benefit}/diagram",
            f"/work/cases/{benefit}/acts/accept",
        ):
            page = officer.get(address)
            assert page.status == 403, address
            assert CARD not in page.text
            assert CHILD not in page.text
        assert _api(officer, benefit).status == 403
        assert _refusals("cases.case_view") == before + 4
        sent = officer.post(f"/work/cases/{benefit}/acts/approve", {"opinion": "同意"})
        assert sent.status == 403
        acted = officer.client.post(
            f"/api/cases/{benefit}/acts", json.dumps({"act": "approve"}), content_type="application/json"
        )
        assert acted.status_code in {403, 404}
    for visitor in (town.mother, town.father):
        assert visitor.get(f"/work/cases/{benefit}").status == 403
        assert _api(visitor, benefit).status == 403
    assert cases.Case.objects.get(id=benefit).state in {"submitted", "accepted", "in_progress"}
    # A key that nobody has is no more and no less than refused: it says nothing about what there is.
    assert town.insurance.get(f"/work/cases/{uuid4()}").status == 404


def test_step_of_another_department_is_neither_taken_nor_finished_nor_handed_over(town: Town) -> None:
    _application, keys = _at_work(town)
    from furong.domains.processes import queries as work

    (task,) = work.list_tasks_of(business_key=str(keys["vaccination_record"]), only_open=True)[:1]
    for officer in (town.police, town.insurance, town.mother):
        for verb in ("claim", "release", "complete"):
            answer = officer.post(f"/work/tasks/{task.id}/{verb}", {"outcome": task.outcomes[0]})
            assert answer.status == 403, verb
        assert officer.get(f"/work/tasks/{task.id}/hand-over").status == 403
    assert town.police.get(f"/work/tasks/{uuid4()}/hand-over").status == 404
    (after,) = work.list_tasks_of(business_key=str(keys["vaccination_record"]), only_open=True)[:1]
    assert (after.id, after.claimed_by) == (task.id, None)


def test_lists_and_searches_show_no_case_of_others_and_find_nothing_by_what_people_wrote(town: Town) -> None:
    _application, keys = _at_work(town)
    numbers = dict(cases.Case.objects.values_list("item_code", "number"))
    mine = {
        "police": {"household_registration"},
        "insurance": {"maternity_benefit", "medical_insurance_enrolment"},
        "vaccination": {"vaccination_record"},
        "insurance_elsewhere": set(),
        "social_elsewhere": set(),
    }
    for name, items in mine.items():
        officer: Visitor = getattr(town, name)
        for address in ("/work/list", "/work/cases", "/api/cases"):
            page = _plain(officer.get(address))
            assert page.status == 200, (name, address)
            for item, number in numbers.items():
                shown = re.search(rf"{re.escape(number)}(?!\d)", page.text) is not None
                if address == "/work/cases":
                    assert shown == (item in items), (name, address, item)
                else:
                    assert not (shown and item not in items), (name, address, item)
            assert CHILD not in page.text
        for wanted in (CHILD, "李芷宁", CARD, ADDRESS, "%", "'; --"):
            for address, query in (("/work/cases", "q"), ("/api/cases", "text")):
                page = _plain(officer.get(address, **{query: wanted}))
                assert page.status == 200
                assert not any(number in page.text for number in numbers.values()), (name, address, wanted)
    assert set(keys) == set(numbers)


def _rows(page: Page) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(page.body.decode("utf-8-sig"))))


EXPORT = {"purpose": "supervision", "legal_basis": "《中华人民共和国社会保险法》", "purpose_note": ""}


def test_export_wants_a_purpose_holds_only_the_items_data_and_is_seen_by_the_person(town: Town) -> None:
    _at_work(town)
    form = town.insurance.get("/work/cases/export")
    assert "生育津贴" in form.words
    assert "出生户口登记" not in form.words
    refused = town.insurance.post("/work/cases/export", {"item": "maternity_benefit"})
    assert len(refused.mistakes) == 2
    page = town.insurance.post("/work/cases/export", {"item": "maternity_benefit", **EXPORT})
    assert page.status == 200
    assert page.answer["Content-Type"].startswith("text/csv")
    assert CHILD not in page.answer["Content-Disposition"]
    (row,) = _rows(page)
    assert CARD in row.values()
    assert ADDRESS not in page.text
    assert not any("户籍" in name or "结婚" in name for name in row)
    (police,) = _rows(town.police.post("/work/cases/export", {"item": "household_registration", **EXPORT}))
    assert CARD not in police.values()
    assert any(ADDRESS in value for value in police.values())
    # Another's item is not among the choices, and nothing of another county is in the table.
    assert town.police.post("/work/cases/export", {"item": "maternity_benefit", **EXPORT}).mistakes
    elsewhere = town.insurance_elsewhere.post("/work/cases/export", {"item": "maternity_benefit", **EXPORT})
    assert elsewhere.status == 422 or CARD not in elsewhere.text
    assert CARD not in elsewhere.text
    assert town.mother.get("/work/cases/export").status == 403
    assert town.auditor.get("/work/cases/export").status == 403
    assert "监督检查" in town.mother.read("/my/reads") or "督查" in town.mother.read("/my/reads")


def test_cell_that_a_spreadsheet_would_run_is_only_text(town: Town) -> None:
    from furong.sites.workbench.views.export import _cell

    for wrong in ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", '=HYPERLINK("http://x")'):
        assert _cell(wrong) == f"'{wrong}"
    assert _cell("周芷沅") == "周芷沅"


def test_register_is_opened_by_its_own_department_alone_and_only_for_a_stated_purpose(town: Town) -> None:
    given = {"purpose": "counter", "legal_basis": "户口登记条例第七条", "name": "李芷宁"}
    assert "李" in town.police.post("/work/population", given).words
    without = town.police.post("/work/population", {"name": "李芷宁"})
    assert without.status in {200, 403, 422}
    assert without.tree is not None
    assert not without.tree.xpath("//main//tbody/tr")
    for officer in (town.insurance, town.social, town.vaccination, town.supervisor, town.mother):
        assert officer.get("/work/population").status == 403
        assert officer.post("/work/population", given).status == 403


def test_notices_and_logs_hold_no_name_number_card_or_address(town: Town, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="furong")
    application, keys = _at_work(town)
    for officer in (town.police, town.insurance, town.hospital):
        for item in keys:
            officer.get(f"/work/cases/{keys[item]}")
    town.insurance.post("/work/cases/export", {"item": "maternity_benefit", **EXPORT})
    town.mother.get(application)
    with connection.cursor() as cursor:
        cursor.execute("SELECT params::text FROM notices_message")
        told = " ".join(row[0] for row in cursor.fetchall())
    lines = " ".join(JsonFormatter().format(record) for record in caplog.records)
    for text in (told, lines):
        assert len(text) > 100
        assert not re.search(rf"{CHILD}|李芷宁|周亦衡|{CARD}|{ADDRESS}|\d{{17}}[\dXx](?!\d)", text)


def test_supervision_counts_and_opens_no_answer_it_has_no_purpose_for(town: Town) -> None:
    _at_work(town)
    page = town.supervisor.get("/work/supervision")
    assert page.status == 200
    assert not re.search(rf"{CHILD}|李芷宁|{CARD}|{ADDRESS}", page.text)


# --- every page with somebody else's key ----------------------------------------------------------------------------------------

_OWN = re.compile(r"^(my|apply)/")


def _routes(prefix: str) -> list[tuple[str, list[str]]]:
    """Addresses below a site's prefix, with the names of their keys."""
    found: list[tuple[str, list[str]]] = []

    def walk(patterns: Any, before: str) -> None:
        for one in patterns:
            here = before + str(one.pattern)
            if isinstance(one, URLPattern):
                found.append((here, re.findall(r"<\w+:(\w+)>", here)))
            else:
                walk(one.url_patterns, here)

    walk(get_resolver().url_patterns, "")
    return [(route, names) for route, names in found if re.match(prefix, route)]


def _filled(route: str, keys: dict[str, Any]) -> str:
    return "/" + re.sub(r"<\w+:(\w+)>", lambda m: str(keys.get(m[1], uuid4())), route)


def test_every_page_of_ones_own_refuses_another_persons_key_the_same_way_as_one_that_is_not_there(town: Town) -> None:
    application, by_item = _at_work(town)
    from furong.registries.licences.models import Licence

    message = town.mother.get("/my/messages").links("/my/messages/")[0].rsplit("/", 1)[1]
    filing = town.mother.post("/my/corrections/new/mother.insured_kind", {"found": "险种有误"})
    case = cases.Case.objects.get(id=by_item["maternity_benefit"])
    notice = payments.request_fee(
        effect_id=uuid4(),
        case_id=case.id,
        application_id=case.application_id,
        case_number=case.number,
        item_name={"zh": "生育津贴"},
        organization_id=case.organization_id,
        division_code="430202",
        payer_account_id=cases.Draft.objects.get().account_id,
        payer_person_id=None,
        lines=[Line(name="工本费", amount_fen=100)],
        days=5,
        reminder_days=0,
        actor=SYSTEM,
        now=MONDAY,
    )
    keys = {
        "notice_id": notice.id,
        "code": "maternity_benefit",
        "token": "x",  # tests/registries/portraits tries another's that is there
        "objection_id": filing.goes_to.rsplit("/", 1)[1],
        "draft_id": cases.Draft.objects.get().id,
        "application_id": application.rsplit("/", 1)[1],
        "case_id": by_item["maternity_benefit"],
        "document_id": cases.Document.objects.filter(case__item_code="birth_certificate").values_list("id", flat=True)[
            0
        ],
        "consent_id": cases.Consent.objects.get().id,
        "licence_id": Licence.objects.values_list("id", flat=True)[0],
        "message_id": message,
        "page": "child",
        "digest": "0" * 64,  # tests/domains/cases and test_bad_input try the digest of a file that is there
    }
    stranger = _stranger()
    seen = 0
    for route, names in _routes(r"(my|apply)/"):
        if not set(names) - {"element"}:  # one's own form about oneself, whatever the element
            continue
        assert set(names) <= set(keys), f"{route}: say in this test whose key that is"
        for method in ("get", "post"):
            theirs = getattr(stranger, method)(_filled(route, keys))
            nobodys = getattr(stranger, method)(_filled(route, {name: keys[name] for name in _NAMES}))
            assert theirs.status in {403, 404, 405, 410}, f"{method} {route}: {theirs.status}"
            assert theirs.status == nobodys.status, f"{method} {route}: {theirs.status} tells that there is one"
            assert CHILD not in theirs.text
        seen += 1
    assert seen >= 12
    assert cases.Draft.objects.get().discarded_at is None
    assert cases.Consent.objects.get().state == "given"


_NAMES = ("page", "digest", "code", "token")  # of keys that do not name one person's own


def _stranger() -> Visitor:
    """A verified resident who has nothing to do with the family."""
    from django.contrib.auth import get_user_model

    from furong.foundation.access.values import Assurance

    visitor = Visitor()
    visitor.post("/account/sign-up", {"username": "stranger", "password": "a-long-enough-one"})
    get_user_model().objects.filter(username="stranger").update(person_id=uuid4(), assurance=Assurance.VERIFIED.value)
    return visitor


def test_every_page_of_the_workbench_refuses_residents_and_strangers(town: Town) -> None:
    stranger, seen = Visitor(), 0
    for route, _names in _routes(r"work/"):
        address = _filled(route, {"code": "accept", "verb": "claim", "kind": "item", "token": "x", "digest": "0" * 64})
        for method in ("get", "post"):
            refused = getattr(town.mother, method)(address)
            assert refused.status in {403, 404, 405}, f"{method} {route}: {refused.status}"
            away = getattr(stranger, method)(address)
            assert away.status in {302, 404, 405}, f"{method} {route}: {away.status}"
            if away.status == 302:
                assert away.goes_to.startswith("/account/sign-in"), route
        seen += 1
    assert seen > 30
