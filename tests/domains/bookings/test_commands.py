"""Keeping, taking, moving and cancelling a time; two people and the last place; five hundred people and fifty slots."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, connection, connections, transaction

from furong.domains.bookings import commands, models, queries
from furong.domains.bookings.errors import (
    AttendanceNotYet,
    BookingNeeded,
    ChangeTooLate,
    SlotFull,
    SlotNotOffered,
    TooManyHeld,
)
from furong.domains.bookings.values import Day, Slot
from furong.foundation.access.errors import AccessRefused
from furong.foundation.access.values import Actor, ActorKind, Assurance
from furong.foundation.organizations.values import Organization
from tests.factories.newborn import World

ITEM, DIVISION = "passport", "430202"


def somebody() -> Actor:
    return Actor(kind=ActorKind.RESIDENT, account_id=uuid4(), person_id=uuid4(), assurance=Assurance.VERIFIED)


def _office(world: World) -> Organization:
    return queries.list_offices(item_code=ITEM, division_code=DIVISION, on=world.now.date())[0]


def _days(world: World, days: int = 7) -> tuple[Day, ...]:
    book = queries.find_book(item_code=ITEM, on=world.now.date())
    assert book is not None
    return queries.list_days(book=book, office=_office(world), from_on=world.now.date(), days=days, now=world.now)


def _slots(world: World) -> list[Slot]:
    return [slot for day in _days(world, 21) for slot in day.slots]


def _hold(world: World, at: datetime, *, actor: Actor, draft: UUID | None = None, now: datetime | None = None) -> UUID:
    return commands.hold(
        draft_id=draft or uuid4(),
        item_code=ITEM,
        division_code=DIVISION,
        organization_id=_office(world).id,
        starts_at=at,
        actor=actor,
        now=now or world.now,
    ).id


def _states(at: datetime) -> list[str]:
    return sorted(models.Booking.objects.filter(starts_at=at).values_list("state", flat=True))


def test_a_time_is_kept_for_a_while_taken_with_the_application_moved_and_cancelled(world: World) -> None:
    me, draft, case, application = somebody(), uuid4(), uuid4(), uuid4()
    first, second, third = (slot.starts_at for slot in _slots(world)[10:13])
    _hold(world, first, actor=me, draft=draft)
    assert _slots(world)[10].left == _slots(world)[10].capacity - 1
    _hold(world, second, actor=me, draft=draft)
    assert _states(first) == ["moved"], "a draft keeps one time"
    again = _hold(world, second, actor=me, draft=draft)
    assert _states(second) == ["held"], "the same chosen twice is kept once"

    with pytest.raises(BookingNeeded):
        commands.take(draft_id=draft, application_id=application, cases={ITEM: case}, actor=somebody(), now=world.now)
    (taken,) = commands.take(
        draft_id=draft, application_id=application, cases={ITEM: case}, actor=me, now=world.now + timedelta(minutes=1)
    )
    assert taken.id == again

    def move(at: datetime, now: datetime = world.now) -> None:
        commands.move(
            case_id=case,
            application_id=application,
            item_code=ITEM,
            division_code=DIVISION,
            organization_id=_office(world).id,
            starts_at=at,
            actor=me,
            now=now,
        )

    for other in range(_slots(world)[12].left):
        _hold(world, third, actor=somebody(), draft=UUID(int=other + 1))
    with pytest.raises(SlotFull):
        move(third)
    assert _states(second) == ["booked"], "who does not get the new time keeps the old one"
    move(first)
    assert (_states(first), _states(second)) == (["booked", "moved"], ["moved"])
    with pytest.raises(ChangeTooLate):
        commands.cancel(case_id=case, actor=me, now=first - timedelta(hours=1))
    assert commands.cancel(case_id=case, actor=me, now=world.now)
    assert not commands.cancel(case_id=case, actor=me, now=world.now)
    move(second)
    assert [one.starts_at for one in queries.list_of_application(application_id=application, now=world.now)] == [second]


def test_what_is_not_kept_any_longer_is_somebody_elses_and_bad_wishes_are_refused(world: World) -> None:
    me, draft = somebody(), uuid4()
    slot = next(s for s in _slots(world) if s.capacity == 2)
    for _ in range(2):
        _hold(world, slot.starts_at, actor=somebody())
    with pytest.raises(SlotFull):
        _hold(world, slot.starts_at, actor=me, draft=draft)
    later = world.now + timedelta(minutes=21)
    _hold(world, slot.starts_at, actor=me, draft=draft, now=later)
    assert _states(slot.starts_at) == ["held", "lapsed", "lapsed"]
    assert commands.lapse_held(actor=Actor.system("test"), now=later + timedelta(hours=1)) == 1

    for wrong in (slot.starts_at + timedelta(minutes=7), world.now, slot.starts_at + timedelta(days=400)):
        with pytest.raises(SlotNotOffered):
            _hold(world, wrong, actor=me)
    with pytest.raises(SlotNotOffered):  # an office of another city
        commands.hold(
            draft_id=draft,
            item_code=ITEM,
            division_code="430102",
            organization_id=_office(world).id,
            starts_at=slot.starts_at,
            actor=me,
            now=world.now,
        )
    with pytest.raises(SlotNotOffered):  # a service that wants no time
        commands.hold(
            draft_id=draft,
            item_code="temporary_id",
            division_code=DIVISION,
            organization_id=_office(world).id,
            starts_at=slot.starts_at,
            actor=me,
            now=world.now,
        )
    greedy = somebody()
    for one in _slots(world)[20:25]:
        _hold(world, one.starts_at, actor=greedy)
    with pytest.raises(TooManyHeld):
        _hold(world, _slots(world)[26].starts_at, actor=greedy)
    closed = [day for day in _days(world, 21) if day.closed]
    assert closed
    assert not any(day.slots for day in closed)


def test_who_came_is_noted_by_the_office_on_the_day(world: World) -> None:
    me, draft, case = somebody(), uuid4(), uuid4()
    slot = _slots(world)[10]
    _hold(world, slot.starts_at, actor=me, draft=draft)
    (taken,) = commands.take(draft_id=draft, application_id=uuid4(), cases={ITEM: case}, actor=me, now=world.now)
    with pytest.raises(AttendanceNotYet):
        commands.note_attendance(booking_id=taken.id, came=True, actor=world.chief, now=world.now)
    with pytest.raises(AccessRefused):
        commands.note_attendance(booking_id=taken.id, came=True, actor=world.social, now=slot.ends_at)
    commands.note_attendance(booking_id=taken.id, came=False, actor=world.chief, now=slot.ends_at)
    (line,) = queries.list_for_office(actor=world.chief, on=slot.starts_at.date(), now=slot.ends_at)
    assert (line.state, line.case_id) == ("missed", case)
    with pytest.raises(AttendanceNotYet):
        commands.note_attendance(booking_id=taken.id, came=True, actor=world.chief, now=slot.ends_at)


def test_the_database_itself_refuses_a_second_person_in_a_place_and_a_place_beyond_the_last(world: World) -> None:
    _hold(world, _slots(world)[10].starts_at, actor=somebody())
    row = models.Booking.objects.get()
    for seat in (row.seat, row.capacity + 1, 0):
        row.pk, row.draft_id, row.seat = uuid4(), uuid4(), seat
        with pytest.raises(IntegrityError), transaction.atomic():
            row.save(force_insert=True)


def test_many_people_at_once_get_every_place_once_and_the_others_are_told(world: World) -> None:
    slots = _slots(world)[4:8]
    places = sum(slot.capacity for slot in slots)
    threads, people = 12, 60
    gate, told = threading.Barrier(threads), []
    waited = threading.local()

    def one(number: int) -> None:
        if not getattr(waited, "once", False):
            waited.once = True
            gate.wait()
        me, draft = somebody(), uuid4()
        for n in range(len(slots)):
            try:
                _hold(world, slots[(number + n) % len(slots)].starts_at, actor=me, draft=draft)
            except SlotFull:
                continue
            told.append(draft)
            return

    def close(_: int) -> None:
        connections.close_all()

    with ThreadPoolExecutor(max_workers=threads) as pool:
        list(pool.map(one, range(people)))
        list(pool.map(close, range(threads * 4)))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), count(DISTINCT (starts_at, seat)), bool_and(seat <= capacity) FROM bookings_booking "
            "WHERE state = 'held'"
        )
        assert cursor.fetchone() == (places, places, True)
    assert len(told) == places
    assert not any(slot.left for slot in _slots(world)[4:8])
