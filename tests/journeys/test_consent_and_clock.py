"""The other parent's consent missing, late, refused, or given by the wrong person; and the days that people are promised."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

import pytest
from django.db import connection

from furong.domains.cases import models as cases
from tests.journeys.town import ACCOUNT_NUMBER, CHILD, Town, Visitor, opened

ITEM = "household_registration"


@pytest.fixture
def town(monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    with opened(monkeypatch) as made:
        yield made


def _asked(town: Town) -> tuple[str, str]:
    """The mother has applied, and the birth certificate is done; gives the application, and where the father answers."""
    application = town.apply()
    assert len(set(town.father.get("/my/").links("/my/consents/"))) == 1  # asked while the hospital is at work
    town.work(application, "birth_certificate")
    (link,) = set(town.father.get("/my/").links("/my/consents/"))
    return application, link


def _state(town: Town, application: str) -> str:
    return str(cases.Case.objects.get(id=town.case(application, ITEM)).state)


def test_missing_consent_is_waited_for_reminded_of_and_lapses_while_the_other_items_go_on(town: Town) -> None:
    application, link = _asked(town)
    assert "另一方" in town.mother.read(application) or "同意" in town.mother.read(application)
    town.on(date(2026, 11, 30))
    town.tick()
    assert town.father.read("/my/messages").count("同意") >= 2  # asked, and reminded
    assert _state(town, application) == "waiting_prerequisites"
    town.on(date(2026, 12, 22))
    town.tick()
    assert _state(town, application) == "not_accepted"
    told = town.mother.read(application)
    assert "未在期限内" in told
    assert "行政复议" in told
    assert "预防接种" in told
    late = town.father.post(link, {"answer": "give"})
    assert late.status in {200, 302, 409}
    assert _state(town, application) == "not_accepted"
    assert "未在期限内答复" in town.father.read(link)
    vaccination = cases.Case.objects.get(id=town.case(application, "vaccination_record"))
    assert vaccination.state not in {"not_accepted", "abnormal_end", "withdrawn"}


def test_consent_page_shows_the_childs_name_and_the_household_chosen(town: Town) -> None:
    _, link = _asked(town)
    page = town.father.read(link)
    assert CHILD in page
    assert "随谁落户母亲" in page.replace(" ", "")
    assert "荷叶街" in page
    assert ACCOUNT_NUMBER not in page


def test_consent_after_the_last_day_is_refused_with_the_reason_before_any_timer_ran(town: Town) -> None:
    application, link = _asked(town)
    town.on(date(2026, 12, 22))
    late = town.father.post(link, {"answer": "give"})
    assert late.status == 409
    assert "期限" in late.words
    assert _state(town, application) == "waiting_prerequisites"


def test_refused_consent_ends_the_item_with_its_reason_and_the_others_stand(town: Town) -> None:
    application, link = _asked(town)
    answer = town.father.post(link, {"answer": "refuse", "reason": "姓名没有商定"})
    assert answer.status == 302
    told = town.mother.read(application)
    assert "未同意" in told
    assert "行政复议" in told
    assert "姓名没有商定" not in told  # what he said stays between him and the case
    states = dict(cases.Case.objects.values_list("item_code", "state"))
    assert states[ITEM] == "not_accepted"
    assert states["birth_certificate"] == "completed"
    assert states["vaccination_record"] in {"submitted", "accepted", "in_progress", "waiting_prerequisites"}
    assert "未同意" in town.father.read(link)
    again = town.father.post(link, {"answer": "give"})
    assert again.status == 200
    assert _state(town, application) == "not_accepted"


def test_consent_is_given_by_nobody_else(town: Town) -> None:
    application, link = _asked(town)
    stranger = Visitor()
    assert stranger.post(link, {"answer": "give"}).goes_to.startswith("/account/sign-in")
    for visitor, expected in ((town.mother, 404), (town.police, 403), (town.hospital, 403)):
        assert visitor.get(link).status == expected
        assert visitor.post(link, {"answer": "give"}).status == expected
    assert _state(town, application) == "waiting_prerequisites"
    assert town.father.post(link, {"answer": "give"}).status == 302
    assert _state(town, application) == "submitted"


def test_promised_day_across_the_spring_festival_counts_the_make_up_days(town: Town) -> None:
    """The State Council's calendar of 2026: off from 15 to 23 February, worked on Saturdays 14 and 28 February."""
    with connection.cursor() as cursor:  # the officers have been in their posts since New Year
        cursor.execute("UPDATE organizations_appointment SET from_on = '2026-01-01'")
    town.on(date(2026, 2, 13))
    application = town.apply()
    town.work(application, "birth_certificate")
    case_id = town.case(application, "maternity_benefit")
    page = town.insurance.get(f"/work/cases/{case_id}/acts/accept")
    assert page.status == 200
    assert town.insurance.post(f"/work/cases/{case_id}/acts/accept", {"version": page.value("version")}).status == 302
    # Ten working days from the Friday: 14 (a Saturday), 24 to 27, 28 (a Saturday), 2 to 5 March.
    told = town.mother.read(application)
    assert "3 月 5 日" in told
    assert "只公布到" not in told
    case = cases.Case.objects.get(id=case_id)
    assert case.promised_due_on == date(2026, 3, 5)
    assert case.statutory_due_on == date(2026, 3, 19)
    assert "3 月 5 日" in town.insurance.read(f"/work/cases/{case_id}")
    # The festival uses up nothing of the promise, the Saturday before and the Saturday after do.
    used = []
    for day in (date(2026, 2, 14), date(2026, 2, 23), date(2026, 2, 24), date(2026, 2, 28), date(2026, 3, 1)):
        town.on(day)
        told = town.insurance.read(f"/work/cases/{case_id}")
        used.append(int(re.search(r"已用 (\d+) ?/ ?10|用时 ?(\d+)", told).group(1)))  # type: ignore[union-attr]
    assert used == [1, 1, 2, 6, 6]


def test_promise_past_the_published_holidays_says_that_it_may_still_move(town: Town) -> None:
    town.on(date(2026, 12, 28))
    application = town.apply()
    town.work(application, "birth_certificate")
    case_id = town.case(application, "maternity_benefit")
    page = town.insurance.get(f"/work/cases/{case_id}/acts/accept")
    town.insurance.post(f"/work/cases/{case_id}/acts/accept", {"version": page.value("version")})
    doubt = "节假日安排只公布到2026年12月31日"
    assert doubt in town.mother.read(application)
    assert doubt in town.insurance.read(f"/work/cases/{case_id}")
