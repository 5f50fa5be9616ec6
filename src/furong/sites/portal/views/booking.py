"""Booking a time at an office: before an application is handed in, and moving or cancelling it after."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from furong.domains.bookings import commands as bookings
from furong.domains.bookings import queries as booking_queries
from furong.domains.bookings.errors import SlotFull, SlotNotOffered, TooManyHeld
from furong.domains.bookings.values import Book, Booking, Day, moment_of
from furong.domains.cases import queries as case_queries
from furong.domains.cases.values.states import ENDED
from furong.domains.cases.values.views import ApplicationView, DraftView, Lane
from furong.domains.services import queries as services
from furong.foundation.access.values import Actor
from furong.foundation.codes.errors import Refusal
from furong.foundation.organizations.values import Organization
from furong.foundation.web.problem import of_refusal
from furong.sites.portal.views.space import own

DAYS_A_PAGE = 7
STEP = _("Choose a time")


@dataclass(frozen=True, kw_only=True)
class Offer:
    """What a page of times shows: the offices, the chosen one and its days."""

    book: Book
    offices: tuple[Organization, ...]
    office: Organization | None
    days: tuple[Day, ...]
    earlier: date | None
    later: date | None

    @property
    def free(self) -> int:
        return sum(slot.left for day in self.days for slot in day.slots)


def wanted_of(draft: DraftView, on: date) -> tuple[str, ...]:
    """Give the items of a draft that want a time."""
    return booking_queries.items_wanting(item_codes=draft.item_codes, on=on)


def held_of(draft: DraftView, actor: Actor, now: datetime) -> dict[str, Booking]:
    """Give the places that are kept for a draft, by item."""
    found = {}
    for code in wanted_of(draft, timezone.localdate(now)):
        held = booking_queries.find_held(draft_id=draft.id, item_code=code, actor=actor, now=now)
        if held is not None:
            found[code] = held
    return found


def next_without(draft: DraftView, actor: Actor, now: datetime) -> str:
    """Give the address where the next item without a time gets one; empty when all have theirs."""
    held = held_of(draft, actor, now)
    for code in wanted_of(draft, timezone.localdate(now)):
        if code not in held:
            return reverse("portal:draft_time", kwargs={"draft_id": draft.id, "code": code})
    return ""


@require_http_methods(["GET", "HEAD", "POST"])
@own
def draft_time(request: HttpRequest, draft_id: UUID, code: str, actor: Actor) -> HttpResponse:
    """Show the times of an office for an item of a draft, or keep the one that was chosen."""
    now = timezone.now()
    draft = case_queries.get_draft(draft_id=draft_id, actor=actor)
    if draft.application_id is not None:
        return HttpResponseRedirect(reverse("portal:draft", kwargs={"draft_id": draft_id}))
    if code not in wanted_of(draft, timezone.localdate(now)):
        raise Http404
    offer = _offer(request, code, draft.division_code, now)
    refused: Refusal | None = None
    chosen = moment_of(request.POST.get("slot", ""))
    if request.method == "POST" and chosen is not None and offer.office is not None:
        try:
            bookings.hold(
                draft_id=draft_id,
                item_code=code,
                division_code=draft.division_code,
                organization_id=offer.office.id,
                starts_at=chosen,
                actor=actor,
                now=now,
            )
        except (SlotFull, SlotNotOffered, TooManyHeld) as refusal:
            refused = refusal
            offer = _offer(request, code, draft.division_code, now)
        else:
            return HttpResponseRedirect(
                next_without(draft, actor, now) or reverse("portal:draft", kwargs={"draft_id": draft_id})
            )
    return _page(
        request,
        "portal/apply/time.jinja",
        offer,
        refused,
        title=services.get_item(code=code, on=timezone.localdate(now)).item.name,
        kept=booking_queries.find_held(draft_id=draft_id, item_code=code, actor=actor, now=now),
        back=reverse("portal:space"),
        lost=request.GET.get("lost") == "1",
    )


@require_http_methods(["GET", "HEAD", "POST"])
@own
def case_time(request: HttpRequest, application_id: UUID, case_id: UUID, actor: Actor) -> HttpResponse:
    """Show other times for a case, or move its booking to the one that was chosen."""
    now = timezone.now()
    view, lane = _lane(application_id, case_id, actor, now)
    kept = booking_queries.find_of_case(case_id=case_id, now=now)
    offer = _offer(request, lane.item_code, view.division_code, now)
    refused: Refusal | None = None
    chosen = moment_of(request.POST.get("slot", ""))
    if request.method == "POST" and chosen is not None and offer.office is not None:
        try:
            bookings.move(
                case_id=case_id,
                application_id=application_id,
                item_code=lane.item_code,
                division_code=view.division_code,
                organization_id=offer.office.id,
                starts_at=chosen,
                actor=actor,
                now=now,
            )
        except Refusal as refusal:
            refused = refusal
            offer = _offer(request, lane.item_code, view.division_code, now)
        else:
            return HttpResponseRedirect(_application(application_id))
    return _page(
        request,
        "portal/space/time.jinja",
        offer,
        refused,
        title=lane.item_name,
        kept=kept,
        back=_application(application_id),
        lost=False,
        section="applications",
    )


@require_POST
@own
def case_time_cancel(request: HttpRequest, application_id: UUID, case_id: UUID, actor: Actor) -> HttpResponse:
    """Give a case's booking up."""
    now = timezone.now()
    _lane(application_id, case_id, actor, now)
    bookings.cancel(case_id=case_id, actor=actor, now=now)
    return HttpResponseRedirect(_application(application_id))


def _lane(application_id: UUID, case_id: UUID, actor: Actor, now: datetime) -> tuple[ApplicationView, Lane]:
    """The actor's application and its open case that wants a time; not found for all others."""
    view = case_queries.application_view(application_id=application_id, actor=actor, now=now)
    lane = next((one for one in view.lanes if one.case_id == case_id and one.state not in ENDED), None)
    if lane is None or not booking_queries.items_wanting(item_codes=[lane.item_code], on=timezone.localdate(now)):
        raise Http404
    return view, lane


def _offer(request: HttpRequest, item_code: str, division_code: str, now: datetime) -> Offer:
    """The offices to choose among, and a week of the one that the reader asked for (the nearest without a wish)."""
    on = timezone.localdate(now)
    book = booking_queries.find_book(item_code=item_code, on=on)
    if book is None:
        raise Http404
    offices = booking_queries.list_offices(item_code=item_code, division_code=division_code, on=on)
    wish = request.POST.get("office") or request.GET.get("office", "")
    office = next((one for one in offices if str(one.id) == wish), offices[0] if offices else None)
    last = on + timedelta(days=book.days_ahead)
    from_on = min(max(_day(request.POST.get("from") or request.GET.get("from", "")) or on, on), last)
    days: tuple[Day, ...] = ()
    if office is not None:
        span = min(DAYS_A_PAGE, (last - from_on).days + 1)
        days = booking_queries.list_days(book=book, office=office, from_on=from_on, days=span, now=now)
    later = from_on + timedelta(days=DAYS_A_PAGE)
    return Offer(
        book=book,
        offices=offices,
        office=office,
        days=days,
        earlier=max(on, from_on - timedelta(days=DAYS_A_PAGE)) if from_on > on else None,
        later=later if later <= last else None,
    )


def _day(given: str) -> date | None:
    try:
        return date.fromisoformat(given)
    except ValueError:
        return None


def _page(
    request: HttpRequest, template: str, offer: Offer, refused: Refusal | None, **context: object
) -> HttpResponse:
    problem = of_refusal(refused) if refused is not None else None
    response = render(
        request,
        template,
        {
            "offer": offer,
            "refused": (problem.told(problem.detail or problem.title), problem.told(problem.mend)) if problem else None,
            "unchosen": request.method == "POST" and refused is None,
            **context,
        },
        using="furong",
        status=409 if refused is not None else 422 if request.method == "POST" else 200,
    )
    patch_cache_control(response, no_store=True)
    return response


def _application(application_id: UUID) -> str:
    return reverse("portal:application", kwargs={"application_id": application_id})
