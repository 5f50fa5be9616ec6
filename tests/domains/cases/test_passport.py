"""A passport from end to end over pages: a time at the hall, a photograph, an officer, a fee; and what may go wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from furong.domains.bookings import models as bookings
from furong.domains.cases import commands, twins
from furong.domains.cases import models as cases
from furong.domains.payments import commands as payments
from furong.domains.payments import queries as fees
from furong.domains.processes import queries as processes
from furong.foundation.access.values import Actor, Basis
from furong.foundation.events import dispatcher
from furong.registries.licences import queries as licences
from tests.domains.services.test_photos import drawn
from tests.journeys.town import Page, Town, Visitor, opened

DIVISION = "430202"


@pytest.fixture
def town(monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    with opened(monkeypatch) as made:
        yield made


def _given(kind: str, method: str) -> dict[str, Any]:
    return {
        "identity-kind": kind,
        "passport-loss": "十一月在高铁站候车时丢失" if kind == "lost" else "",
        "travel-reason": "tour",
        "delivery-method": method,
        "contact-phone": "138 0000 0000",
    }


def _filled(page: Page, given: dict[str, Any], photo: bytes) -> dict[str, Any]:
    assert page.tree is not None
    form = next(f for f in page.tree.forms if f.method == "POST" and "_version" in f.fields)
    data: dict[str, Any] = {name: value for name, value in form.form_values() if name != "leave"}
    for box in form.xpath(".//input|.//textarea"):
        name = box.get("name") or ""
        if name in given:
            data[name] = given[name]
        elif box.get("type") == "file":
            data[name] = SimpleUploadedFile("me.jpg", photo, content_type="image/jpeg")
    return data


def _to_times(visitor: Visitor, kind: str = "first", method: str = "mail", photo: bytes | None = None) -> str:
    """Begin and fill in; gives the address where a time is chosen."""
    begun = visitor.post("/guide/passport/start", {"division": DIVISION})
    assert begun.status == 302, begun.words
    address = visitor.get(begun.goes_to).goes_to
    while "/page/" in address:
        sent = visitor.post(address, _filled(visitor.get(address), _given(kind, method), photo or drawn()))
        if sent.status == 422:  # an answer opened a further question
            sent = visitor.post(address, _filled(sent, _given(kind, method), photo or drawn()))
        assert sent.status == 302, sent.mistakes
        address = sent.goes_to
    assert address.endswith("/time/passport")
    return address


def _slots(page: Page) -> list[str]:
    assert page.tree is not None
    return page.tree.xpath("//input[@name='slot']/@value")


def _apply(visitor: Visitor, kind: str = "first", method: str = "mail") -> str:
    """Apply with the first time that is free; gives the application's address."""
    times = _to_times(visitor, kind, method)
    check = visitor.post(times, {"slot": _slots(visitor.get(times))[0]}).goes_to
    check = visitor.get(check).goes_to or check
    done = visitor.post(check, {"declared": "yes"})
    assert done.status == 302, done.words
    return done.goes_to.removesuffix("?sent=1")


def _case(application: str) -> cases.Case:
    return cases.Case.objects.get(application_id=UUID(application.rsplit("/", 1)[1]))


def _tick(town: Town) -> None:
    """Let the worker do what is due, and news travel."""
    town.tick()
    dispatcher.dispatch_once("default", 500, now=town.now)
    town.tick()


def _work(town: Town, case: cases.Case, *, reject: bool = False) -> None:
    """Let officers do what is open, until nothing is."""
    for _ in range(8):
        _tick(town)
        tasks = processes.list_tasks_of(business_key=str(case.id), only_open=True)
        for task in tasks:
            officer: Actor = town.world.chief
            if task.kind == "acceptance":
                commands.accept_case(case_id=case.id, actor=officer, now=town.now)
            elif task.kind == "decision" and reject:
                commands.reject_case(case_id=case.id, reason="不准出境。", actor=officer, now=town.now)
            elif task.kind == "decision":
                commands.approve_case(case_id=case.id, actor=officer, now=town.now)
            else:
                commands.complete_step(task_id=task.id, outcome=task.outcomes[0], actor=officer, now=town.now)
        if not tasks:
            return


def test_a_citizen_picks_a_time_applies_pays_and_gets_the_passport(town: Town) -> None:
    times = _to_times(town.father)
    shown = town.father.get(times)
    assert "荷塘" in shown.words
    slot = _slots(shown)[0]
    for wrong in ("", "nonsense", "20200101T0100Z"):
        answer = town.father.post(times, {"slot": wrong})
        assert answer.status in {409, 422}, "nothing is kept that is not offered"
    kept = town.father.post(times, {"slot": slot})
    assert kept.status == 302
    check = town.father.get(kept.goes_to).goes_to
    assert check.endswith("/check")
    assert "为您保留到" in town.father.read(check)
    application = town.father.post(check, {"declared": "yes"}).goes_to.removesuffix("?sent=1")
    assert "到场时间" in town.father.read(application)
    case = _case(application)
    assert bookings.Booking.objects.get(case_id=case.id).state == "booked"

    calendar = town.chief.get(f"/work/bookings?on={slot[:4]}-{slot[4:6]}-{slot[6:8]}")
    assert case.number in calendar.words
    assert "周亦衡" not in calendar.words
    _work(town, case)
    case.refresh_from_db()
    assert case.state == "approved", "the booklet waits for the fee"

    page = town.father.get(application)
    (fee,) = page.links("/fees/")
    assert "140.00" in town.father.read(fee)
    cashier = town.father.post(fee).goes_to
    assert "140.00" in town.father.read(cashier)
    assert town.mother.get(cashier).status == 404, "somebody else's order"
    town.father.post(cashier)
    town.father.post(cashier)
    _work(town, case)
    case.refresh_from_db()
    assert case.state == "completed"
    receipt = town.father.get(f"{fee}/receipt")
    assert receipt.body.startswith(b"%PDF")
    father = town.world.father
    held = licences.list_of_person(person_id=father.person_id, actor=father, basis=Basis(purpose="test"), now=town.now)
    (passport,) = [one for one in held if one.type_code == "passport"]
    assert passport.valid_until is not None
    assert passport.valid_until.year - passport.valid_from.year == 10

    # a second first passport is not worked on, and a lost one is replaced
    again = _case(_apply(town.father))
    _tick(town)
    again.refresh_from_db()
    assert (again.state, "已持有有效的普通护照" in again.end_note) == ("not_accepted", True)
    assert bookings.Booking.objects.get(case_id=again.id).state == "cancelled", "nobody comes for a case that ended"
    lost = _apply(town.father, kind="lost", method="window")
    _work(town, _case(lost))
    (fee,) = town.father.get(lost).links("/fees/")
    assert "120.00" in town.father.read(fee)
    town.father.post(town.father.post(fee).goes_to)
    _work(town, _case(lost))
    held = licences.list_of_person(person_id=father.person_id, actor=father, basis=Basis(purpose="test"), now=town.now)
    assert sorted(one.state.value for one in held if one.type_code == "passport") == ["revoked", "valid"]


def test_the_last_place_goes_to_one_and_the_other_keeps_everything_and_sees_other_times(town: Town) -> None:
    mother, father = _to_times(town.mother), _to_times(town.father)
    slot = _slots(town.mother.get(mother))[0]
    one = town.mother.post(mother, {"slot": slot})
    row = bookings.Booking.objects.get()
    bookings.Booking.objects.update(capacity=1)
    # the office has one place left at this time
    for seat in range(2, 6):
        row.pk, row.draft_id, row.seat, row.capacity = UUID(int=seat), UUID(int=seat), seat, 9
        row.save(force_insert=True)
    answer = town.father.post(father, {"slot": slot})
    assert (one.status, answer.status) == (302, 409)
    assert "最后一个名额刚刚被别人约走了" in answer.words
    assert slot not in _slots(answer)
    assert _slots(answer)
    draft = cases.Draft.objects.get(id=UUID(re.findall(r"apply/([0-9a-f-]+)/", father)[0]))
    assert draft.answers["identity.kind"] == "first"
    assert draft.answers["passport.photo"]["media_type"] == "image/jpeg"
    # nothing can be handed in without a time, and who waited too long is told so
    assert town.father.post(father.replace("/time/passport", "/check"), {"declared": "yes"}).goes_to.endswith("?lost=1")
    bookings.Booking.objects.filter(seat=1).update(state="lapsed")
    sent = town.mother.post(mother.replace("/time/passport", "/check"), {"declared": "yes"})
    assert "您填写的内容都还在" in town.mother.read(sent.goes_to)
    assert not cases.Application.objects.exists()


def test_a_booking_is_moved_and_cancelled_by_its_owner_alone(town: Town) -> None:
    application = _apply(town.father)
    case = _case(application)
    (other,) = town.father.get(application).links("/time")
    slot = _slots(town.father.get(other))[-1]
    assert town.mother.get(other).status == 404
    assert town.mother.post(f"{other}/cancel").status == 404
    assert town.father.post(other, {"slot": slot}).status == 302
    states = sorted(bookings.Booking.objects.filter(case_id=case.id).values_list("state", flat=True))
    assert states == ["booked", "moved"]
    assert town.father.post(f"{other}/cancel").status == 302
    assert "还没有预约到场时间" in town.father.read(application)
    assert town.father.post(other, {"slot": slot}).status == 302


def test_who_may_not_leave_is_refused_free_of_charge_and_who_does_not_pay_gets_nothing(town: Town) -> None:
    twins.load_exit_bar(
        person_id=town.world.father.person_id,  # type: ignore[arg-type]
        ground="art13_5",
        authority={"zh": "某人民法院"},
        from_on=town.now.date(),
    )
    barred = _case(_apply(town.father))
    _work(town, barred, reject=True)
    barred.refresh_from_db()
    assert barred.state == "rejected"
    assert fees.list_of_case(case_id=barred.id) == ()

    unpaid = _case(_apply(town.mother))
    _work(town, unpaid)
    (notice,) = fees.list_of_case(case_id=unpaid.id)
    town.later(days=17)
    payments.run_due(now=town.now)
    _tick(town)
    unpaid.refresh_from_db()
    (notice,) = fees.list_of_case(case_id=unpaid.id)
    assert (notice.state, unpaid.state) == ("expired", "abnormal_end")
    assert "逾期没有缴费" in unpaid.end_note


def test_a_bad_photograph_is_refused_with_its_reason(town: Town) -> None:
    begun = town.father.post("/guide/passport/start", {"division": DIVISION})
    address = town.father.get(begun.goes_to).goes_to
    address = town.father.post(address, _filled(town.father.get(address), _given("first", "mail"), drawn())).goes_to
    dark = _filled(town.father.get(address), _given("first", "mail"), drawn(ground=(60, 90, 60)))
    answer = town.father.post(address, dark)
    assert answer.status == 422
    assert any("底色" in mistake for mistake in answer.mistakes)
