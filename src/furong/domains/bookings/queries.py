"""Reads of bookings."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from furong.domains.bookings import models
from furong.domains.bookings.values import KEEPING, Book, Booking, Day, Slot, State, closure_on, is_bookable, slots_on
from furong.domains.services import bodies
from furong.domains.services import queries as services
from furong.foundation.access import queries as access
from furong.foundation.access.values import Actor
from furong.foundation.calendar import queries as calendars
from furong.foundation.codes.statements import all_rows
from furong.foundation.organizations import queries as organizations
from furong.foundation.organizations.values import Organization
from furong.foundation.packs import queries as packs

# Which offices a person may choose among: those of the same city.
CITY_DIGITS = 4

_TAKEN = """
SELECT starts_at, count(*) FROM bookings_booking
 WHERE organization_id = %s AND book_code = %s AND starts_at >= %s AND starts_at < %s
   AND state IN ('held', 'booked', 'attended', 'missed') AND (state <> 'held' OR held_until > %s)
 GROUP BY starts_at
"""


def find_book(*, item_code: str, on: date) -> Book | None:
    """Return the book in force on a local day that an item's times are in, None for an item without."""
    return _books(on).get(item_code)


def find_book_named(*, code: str, on: date) -> Book | None:
    """Return the book with a code, None when none is in force."""
    return next((book for book in _books(on).values() if book.code == code), None)


def _books(on: date) -> dict[str, Book]:
    def make() -> dict[str, Book]:
        releases = packs.list_current_releases(kind="booking", on=on)
        books = [packs.get_value(kind="booking", digest=release.digest)[0] for release in releases]
        return {item: book for book in books for item in book.items}

    return packs.derive("bookings.books", on=on, make=make)


def items_wanting(*, item_codes: Sequence[str], on: date) -> tuple[str, ...]:
    """Return those of some items that want a time."""
    books = _books(on)
    return tuple(code for code in item_codes if code in books)


def list_offices(*, item_code: str, division_code: str, on: date) -> tuple[Organization, ...]:
    """List the offices to choose among: the bodies that do the item in the division's city, its own first."""
    item = services.get_item(code=item_code, on=on).item
    own = bodies.find_body(item=item, division_code=division_code)
    city = division_code[:CITY_DIGITS]
    found = [body for body, _ in bodies.list_implementations(item=item, within=city)]
    if own is None:
        return tuple(found)
    return (own, *(body for body in found if body.id != own.id))


def find_office(*, item_code: str, division_code: str, organization_id: UUID, on: date) -> Organization | None:
    """Return an office that may be chosen, as `list_offices` has them; None for any other."""
    item = services.get_item(code=item_code, on=on).item
    office = organizations.find_organization(organization_id=organization_id)
    if office is None or not bodies.is_body(item=item, organization=office):
        return None
    if office.division_code.startswith(division_code[:CITY_DIGITS]):
        return office
    own = bodies.find_body(item=item, division_code=division_code)
    return office if own is not None and own.id == office.id else None


def list_days(
    *, book: Book, office: Organization, from_on: date, days: int, now: datetime, with_past: bool = False
) -> tuple[Day, ...]:
    """List an office's days with their slots and the places left in each. One statement.

    Slots that may not be booked now are left out, unless ``with_past``.
    """
    calendar = calendars.current()
    until = from_on + timedelta(days=days)
    taken: dict[datetime, int] = dict(
        all_rows(_TAKEN, [office.id, book.code, calendar.start_of_day(from_on), calendar.start_of_day(until), now])
    )
    found = []
    for n in range(days):
        day = from_on + timedelta(days=n)
        closure = closure_on(book.hours_of(office.division_code), day)
        slots = tuple(
            Slot(starts_at=begins, ends_at=ends, capacity=capacity, left=max(0, capacity - taken.get(begins, 0)))
            for begins, ends, capacity in slots_on(book, office.division_code, day, calendar)
            if with_past or is_bookable(book, begins, calendar, now)
        )
        found.append(Day(on=day, slots=slots, closed=closure.reason if closure is not None else None))
    return tuple(found)


def find_held(*, draft_id: UUID, item_code: str, actor: Actor, now: datetime) -> Booking | None:
    """Return the place that is kept for a draft of the actor's, None when none is or its time is up."""
    if actor.account_id is None:
        return None
    row = models.Booking.objects.filter(
        draft_id=draft_id, item_code=item_code, account_id=actor.account_id, state=State.HELD.value, held_until__gt=now
    ).first()
    return booking_of(row, now=now) if row is not None else None


def list_of_application(*, application_id: UUID, now: datetime) -> tuple[Booking, ...]:
    """List the bookings of an application that keep a place. The caller has let its reader in."""
    rows = models.Booking.objects.filter(application_id=application_id, state__in=[s.value for s in KEEPING])
    return tuple(booking_of(row, now=now) for row in rows.order_by("starts_at"))


def find_of_case(*, case_id: UUID, now: datetime) -> Booking | None:
    """Return the booking that a case has or had last, None when it has none that keeps a place."""
    rows = models.Booking.objects.filter(case_id=case_id, state__in=[s.value for s in KEEPING])
    row = rows.order_by("-made_at").first()
    return booking_of(row, now=now) if row is not None else None


def list_for_office(*, actor: Actor, on: date, now: datetime) -> tuple[Booking, ...]:
    """List who comes to the actor's office on a local day, in order; nothing about persons.

    Raises AccessRefused without ``cases.handle`` over the office.
    """
    access.require(
        actor=actor, right="cases.handle", organization_id=actor.organization_id, division_code=actor.division_code
    )
    if actor.organization_id is None:
        return ()
    calendar = calendars.current()
    rows = models.Booking.objects.filter(
        organization_id=actor.organization_id,
        starts_at__gte=calendar.start_of_day(on),
        starts_at__lt=calendar.end_of_day(on),
        state__in=[State.BOOKED.value, State.ATTENDED.value, State.MISSED.value],
    )
    return tuple(booking_of(row, now=now) for row in rows.order_by("starts_at", "seat"))


def list_books_of_office(*, office: Organization, on: date) -> tuple[Book, ...]:
    """List the books whose items an office's department does."""
    found: dict[str, Book] = {}
    for code, book in sorted(_books(on).items()):
        if services.get_item(code=code, on=on).item.department == office.department:
            found[book.code] = book
    return tuple(found.values())


def count_lapsed(*, now: datetime) -> int:
    """Count the places whose minutes are over and that nobody has freed yet."""
    return models.Booking.objects.filter(state=State.HELD.value, held_until__lte=now).count()


def booking_of(row: models.Booking, *, now: datetime) -> Booking:
    """Make the value of a row."""
    book = find_book_named(code=row.book_code, on=calendars.current().local_date(now))
    limit = timedelta(hours=book.change_until_hours if book is not None else 0)
    return Booking(
        id=row.id,
        book_code=row.book_code,
        item_code=row.item_code,
        organization_id=row.organization_id,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        state=State(row.state),
        held_until=row.held_until,
        application_id=row.application_id,
        case_id=row.case_id,
        can_change=row.state == State.BOOKED.value and now < row.starts_at - limit,
    )
