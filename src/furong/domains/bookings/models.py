"""Places in slots. Private to this room."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from furong.domains.bookings.values import KEEPING, State
from furong.foundation.codes.ids import new_id

_KEEPING = [state.value for state in KEEPING]


class Booking(models.Model):
    """A place in a slot: ``seat`` counts from one up to ``capacity``, and is had once at a time.

    ``capacity`` is what the office offered when the place was taken; a row says by itself that it is within it.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    book_code = models.CharField(max_length=80)
    item_code = models.CharField(max_length=80)
    organization_id = models.UUIDField()
    division_code = models.CharField(max_length=12)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    seat = models.PositiveSmallIntegerField()
    capacity = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=12, choices=[(s.value, s.value) for s in State])
    draft_id = models.UUIDField(null=True)
    account_id = models.UUIDField()
    application_id = models.UUIDField(null=True)
    case_id = models.UUIDField(null=True)
    made_at = models.DateTimeField()
    held_until = models.DateTimeField(null=True)
    booked_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "bookings_booking"
        constraints = (
            # Nobody can be the second in a place, whatever the code above does.
            models.UniqueConstraint(
                fields=("organization_id", "book_code", "starts_at", "seat"),
                condition=Q(state__in=_KEEPING),
                name="bookings_place_once",
            ),
            models.CheckConstraint(name="bookings_within_capacity", condition=Q(seat__gte=1, seat__lte=F("capacity"))),
            models.UniqueConstraint(
                fields=("draft_id", "item_code"), condition=Q(state="held"), name="bookings_one_held_a_draft"
            ),
            models.UniqueConstraint(fields=("case_id",), condition=Q(state="booked"), name="bookings_one_a_case"),
            models.CheckConstraint(name="bookings_state_known", condition=Q(state__in=[s.value for s in State])),
            models.CheckConstraint(
                name="bookings_held_until", condition=~Q(state="held") | Q(held_until__isnull=False)
            ),
            models.CheckConstraint(name="bookings_booked_for", condition=~Q(state="booked") | Q(case_id__isnull=False)),
        )
        indexes = (
            models.Index(fields=("organization_id", "starts_at"), name="bookings_of_office"),
            models.Index(fields=("application_id",), name="bookings_of_application"),
            models.Index(fields=("held_until",), name="bookings_held", condition=Q(state="held")),
            models.Index(fields=("account_id",), name="bookings_held_by", condition=Q(state="held")),
        )
