"""The calendar of an office: its slots on a day, who comes with which case, and whether they came. Nothing about persons."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from furong.domains.bookings import commands as bookings
from furong.domains.bookings import queries as booking_queries
from furong.domains.cases import queries as cases
from furong.foundation.access.values import Actor
from furong.foundation.codes.errors import Refusal
from furong.foundation.organizations import queries as organizations
from furong.sites.workbench.desk import page, words_of
from furong.sites.workbench.guards import needs


@require_safe
@needs("cases.handle")
def calendar(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show one day of the actor's office: the places of each slot, and the cases that come."""
    now = timezone.now()
    today = timezone.localdate(now)
    on = _day(request.GET.get("on", "")) or today
    lines = booking_queries.list_for_office(actor=actor, on=on, now=now)
    labels = cases.labels_of_cases(case_ids=[line.case_id for line in lines if line.case_id is not None])
    books = []
    if actor.organization_id is not None:
        office = organizations.get_organization(organization_id=actor.organization_id)
        for book in booking_queries.list_books_of_office(office=office, on=today):
            (day,) = booking_queries.list_days(book=book, office=office, from_on=on, days=1, now=now, with_past=True)
            books.append((book, day))
    return page(
        request,
        actor,
        "bookings",
        "bookings",
        on=on,
        today=today,
        earlier=on - timedelta(days=1),
        later=on + timedelta(days=1),
        lines=[(line, labels.get(line.case_id, ("", {})) if line.case_id else ("", {})) for line in lines],
        books=books,
    )


@require_POST
@needs("cases.handle")
def attendance(request: HttpRequest, actor: Actor, booking_id: UUID) -> HttpResponse:
    """Note whether who was booked came."""
    try:
        bookings.note_attendance(
            booking_id=booking_id, came=request.POST.get("came") == "yes", actor=actor, now=timezone.now()
        )
    except Refusal as refusal:
        messages.warning(request, " ".join(words_of(refusal)))
    else:
        messages.success(request, _("Recorded."))
    on = _day(request.POST.get("on", ""))
    return HttpResponseRedirect(reverse("workbench:bookings") + (f"?on={on}" if on else ""))


def _day(given: str) -> date | None:
    try:
        found = date.fromisoformat(given)
    except ValueError:
        return None
    return found if 2000 <= found.year < 2200 else None
