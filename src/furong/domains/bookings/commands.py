"""Writes of bookings: keeping a place, taking it with what is handed in, moving and cancelling it, noting who came."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from furong.domains.bookings import models, queries
from furong.domains.bookings.errors import (
    AttendanceNotYet,
    BookingNeeded,
    BookingNotFound,
    ChangeTooLate,
    SlotFull,
    SlotNotOffered,
    TooManyHeld,
)
from furong.domains.bookings.events import BookingChanged
from furong.domains.bookings.values import Book, Booking, State, find_slot
from furong.foundation.access import queries as access
from furong.foundation.access.errors import SignInNeeded
from furong.foundation.access.values import Actor
from furong.foundation.audit.commands import command, current
from furong.foundation.calendar import queries as calendars
from furong.foundation.codes.ids import new_id
from furong.foundation.codes.statements import first_row
from furong.foundation.events.commands import publish
from furong.foundation.organizations.values import Organization

# One person and their family fill in a few forms at once, and no more.
MOST_HELD = 5

# Whoever wants a place in one slot at the same moment waits here; the constraint on places holds without it.
_LOCK_SLOT = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 29))"

_LAPSE_IN_SLOT = """
WITH gone AS (
  UPDATE bookings_booking SET state = 'lapsed', ended_at = %(now)s
   WHERE organization_id = %(office)s AND book_code = %(book)s AND starts_at = %(starts_at)s
     AND state = 'held' AND held_until <= %(now)s
  RETURNING 1)
SELECT count(*) FROM gone
"""

# The lowest place that nobody has.
_FREE = """
SELECT min(place.seat) FROM generate_series(1, %(capacity)s::int) AS place(seat)
 WHERE NOT EXISTS (SELECT 1 FROM bookings_booking AS b
                    WHERE b.organization_id = %(office)s AND b.book_code = %(book)s AND b.starts_at = %(starts_at)s
                      AND b.seat = place.seat AND b.state IN ('held', 'booked', 'attended', 'missed'))
   AND (SELECT count(*) FROM bookings_booking AS b
         WHERE b.organization_id = %(office)s AND b.book_code = %(book)s AND b.starts_at = %(starts_at)s
           AND b.state IN ('held', 'booked', 'attended', 'missed')) < %(capacity)s
"""


@command("bookings.hold")
def hold(
    *,
    draft_id: UUID,
    item_code: str,
    division_code: str,
    organization_id: UUID,
    starts_at: datetime,
    actor: Actor,
    now: datetime,
) -> Booking:
    """Keep a place in a slot for a draft, for the minutes that the book says; an earlier one is given up then.

    Choosing the slot that is kept already keeps it anew. The caller has made sure that the draft is the actor's;
    ``division_code`` is where it applies. Raises SignInNeeded, SlotNotOffered, SlotFull (what was kept before stays),
    TooManyHeld.
    """
    if actor.account_id is None:
        raise SignInNeeded
    book, office = _offered(item_code, division_code, organization_id, now)
    mine = models.Booking.objects.filter(account_id=actor.account_id, state=State.HELD.value, held_until__gt=now)
    if mine.exclude(draft_id=draft_id, item_code=item_code).count() >= MOST_HELD:
        raise TooManyHeld
    before = models.Booking.objects.filter(
        draft_id=draft_id, item_code=item_code, account_id=actor.account_id, state=State.HELD.value
    ).first()
    until = now + timedelta(minutes=book.hold_minutes)
    if before is not None and (before.organization_id, before.starts_at) == (organization_id, starts_at):
        kept = models.Booking.objects.filter(id=before.id, state=State.HELD.value).update(held_until=until)
        if kept and find_slot(book, office.division_code, starts_at, calendars.current(), now) is not None:
            before.held_until = until
            current().object("booking", before.id)
            return queries.booking_of(before, now=now)
    row = _place(book, office, starts_at, now)
    if before is not None:
        models.Booking.objects.filter(id=before.id, state=State.HELD.value).update(
            state=State.MOVED.value, ended_at=now
        )
    row.item_code, row.draft_id, row.account_id = item_code, draft_id, actor.account_id
    row.state, row.held_until = State.HELD.value, until
    row.save(force_insert=True)
    current().object("booking", row.id)
    return queries.booking_of(row, now=now)


@command("bookings.take")
def take(
    *, draft_id: UUID, application_id: UUID, cases: Mapping[str, UUID], actor: Actor, now: datetime
) -> tuple[Booking, ...]:
    """Make the places kept for a draft the bookings of its cases, by item; part of handing it in.

    A place whose time is up is still taken when nobody else wanted it. Raises BookingNeeded when an item wants a time and none is
    there: then nothing is handed in.
    """
    if actor.account_id is None:
        raise SignInNeeded
    on = calendars.current().local_date(now)
    taken = []
    for item_code in queries.items_wanting(item_codes=sorted(cases), on=on):
        row = (
            models.Booking.objects.select_for_update(no_key=True)
            .filter(draft_id=draft_id, item_code=item_code, account_id=actor.account_id, state=State.HELD.value)
            .first()
        )
        if row is None or row.starts_at <= now:
            raise BookingNeeded
        row.state, row.held_until, row.booked_at = State.BOOKED.value, None, now
        row.application_id, row.case_id = application_id, cases[item_code]
        row.save()
        _changed(row, now)
        taken.append(queries.booking_of(row, now=now))
    return tuple(taken)


@command("bookings.move")
def move(
    *,
    case_id: UUID,
    application_id: UUID,
    item_code: str,
    division_code: str,
    organization_id: UUID,
    starts_at: datetime,
    actor: Actor,
    now: datetime,
) -> Booking:
    """Move a case's booking to another slot, or give a case without one a booking; the old place is free then.

    The caller has made sure that the case is open and the actor's. Raises SlotNotOffered, SlotFull (the old one stays),
    ChangeTooLate.
    """
    if actor.account_id is None:
        raise SignInNeeded
    book, office = _offered(item_code, division_code, organization_id, now)
    before = models.Booking.objects.filter(case_id=case_id).exclude(state=State.HELD.value).order_by("-made_at").first()
    if before is not None and before.state == State.BOOKED.value and not queries.booking_of(before, now=now).can_change:
        raise ChangeTooLate
    if before is not None and before.state == State.ATTENDED.value:
        raise ChangeTooLate
    if (
        before is not None
        and before.state == State.BOOKED.value
        and (before.organization_id, before.starts_at) == (organization_id, starts_at)
    ):
        return queries.booking_of(before, now=now)
    row = _place(book, office, starts_at, now)
    if before is not None and before.state == State.BOOKED.value:
        gone = models.Booking.objects.filter(id=before.id, state=State.BOOKED.value)
        if not gone.update(state=State.MOVED.value, ended_at=now):
            raise ChangeTooLate
    row.item_code, row.account_id, row.draft_id = item_code, actor.account_id, None
    row.application_id, row.case_id, row.state, row.booked_at = application_id, case_id, State.BOOKED.value, now
    row.save(force_insert=True)
    _changed(row, now)
    return queries.booking_of(row, now=now)


@command("bookings.cancel")
def cancel(*, case_id: UUID, actor: Actor, now: datetime, at_any_time: bool = False) -> bool:
    """Give up a case's booking; False when it has none.

    The caller has made sure that the case is the actor's. ``at_any_time`` is for a case that has ended. Raises ChangeTooLate.
    """
    row = (
        models.Booking.objects.select_for_update(no_key=True).filter(case_id=case_id, state=State.BOOKED.value).first()
    )
    if row is None:
        return False
    if not at_any_time and not queries.booking_of(row, now=now).can_change:
        raise ChangeTooLate
    row.state, row.ended_at = State.CANCELLED.value, now
    row.save()
    _changed(row, now)
    return True


@command("bookings.note_attendance")
def note_attendance(*, booking_id: UUID, came: bool, actor: Actor, now: datetime) -> None:
    """Note whether who was booked came. Needs ``cases.handle`` over the office.

    Raises BookingNotFound, AttendanceNotYet before the day, AccessRefused.
    """
    row = models.Booking.objects.select_for_update(no_key=True).filter(id=booking_id).first()
    if row is None:
        raise BookingNotFound
    access.require(
        actor=actor, right="cases.handle", organization_id=row.organization_id, division_code=row.division_code
    )
    calendar = calendars.current()
    if row.state != State.BOOKED.value or calendar.local_date(row.starts_at) > calendar.local_date(now):
        raise AttendanceNotYet
    row.state = (State.ATTENDED if came else State.MISSED).value
    row.ended_at = now
    row.save()
    _changed(row, now)


@command("bookings.lapse_held")
def lapse_held(*, actor: Actor, now: datetime, limit: int = 1000) -> int:
    """Free the places whose minutes are over and return how many. Who wants one does so anyway."""
    late = models.Booking.objects.select_for_update(skip_locked=True, no_key=True).filter(
        state=State.HELD.value, held_until__lte=now
    )
    keys = list(late.order_by("held_until").values_list("id", flat=True)[:limit])
    return models.Booking.objects.filter(id__in=keys).update(state=State.LAPSED.value, ended_at=now)


def _offered(item_code: str, division_code: str, organization_id: UUID, now: datetime) -> tuple[Book, Organization]:
    """The book of an item and the office, which must be one of those that may be chosen."""
    on = calendars.current().local_date(now)
    book = queries.find_book(item_code=item_code, on=on)
    if book is None:
        raise SlotNotOffered
    office = queries.find_office(
        item_code=item_code, division_code=division_code, organization_id=organization_id, on=on
    )
    if office is None:
        raise SlotNotOffered
    return book, office


def _place(book: Book, office: Organization, starts_at: datetime, now: datetime) -> models.Booking:
    """A row with the lowest free place of a slot, not saved yet; the slot is locked until the caller commits."""
    slot = find_slot(book, office.division_code, starts_at, calendars.current(), now)
    if slot is None:
        raise SlotNotOffered
    first_row(_LOCK_SLOT, [f"{office.id}:{book.code}:{starts_at.isoformat()}"])
    which = {
        "office": office.id,
        "book": book.code,
        "starts_at": starts_at,
        "capacity": slot[2],
        "now": now,
    }
    first_row(_LAPSE_IN_SLOT, which)
    found = first_row(_FREE, which)
    if found is None or found[0] is None:
        raise SlotFull
    return models.Booking(
        id=new_id(),
        book_code=book.code,
        organization_id=office.id,
        division_code=office.division_code,
        starts_at=slot[0],
        ends_at=slot[1],
        seat=found[0],
        capacity=slot[2],
        made_at=now,
    )


def _changed(row: models.Booking, now: datetime) -> None:
    current().object("booking", row.id)
    current().detail(state=row.state, starts_at=row.starts_at.isoformat())
    publish(
        BookingChanged(
            booking_id=row.id,
            application_id=row.application_id,
            case_id=row.case_id,
            organization_id=row.organization_id,
            state=row.state,
        ),
        now=now,
    )
