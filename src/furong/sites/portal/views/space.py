"""A person's own space: applications, folder, who read my data, messages, mandates. Every page asks for the actor's own."""

from __future__ import annotations

import datetime as dt
import mimetypes
from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from furong.domains.bookings import queries as bookings
from furong.domains.bookings.values import State as BookingState
from furong.domains.cases import commands as cases
from furong.domains.cases import queries as case_queries
from furong.domains.cases.queries.people import person_of
from furong.domains.cases.values.states import ENDED
from furong.domains.cases.values.views import ApplicationView
from furong.domains.objections import queries as objections
from furong.domains.payments import queries as payments
from furong.foundation.access.errors import AccessRefused, SignInNeeded
from furong.foundation.access.values import Actor, Basis
from furong.foundation.audit import queries as audit
from furong.foundation.calendar import queries as calendars
from furong.foundation.identity.keeping import keeps_typed, typed_of
from furong.foundation.notices import commands as notices
from furong.foundation.notices import queries as notice_queries
from furong.foundation.organizations import queries as organizations
from furong.foundation.storage import queries as storage
from furong.foundation.web.uploads import oversized_fields
from furong.registries.licences import queries as licences
from furong.registries.licences.values import LicenceRecord
from furong.sites.portal import presenting, queries
from furong.sites.portal.forms import RatingForm, ReasonForm, SupplementForm

View = Callable[..., HttpResponse]
MESSAGES_A_PAGE = 20


def actor_of(request: HttpRequest) -> Actor:
    """Give the resident who asks. Raises `SignInNeeded`, and `AccessRefused` for staff, who have a resident's account too."""
    actor: Actor | None = getattr(request, "actor", None)
    if actor is None or actor.account_id is None:
        raise SignInNeeded
    if not actor.is_resident:
        raise AccessRefused(mend="Sign in with your own account as a resident, not with the one of your post.")
    return actor


def own(view: View) -> View:
    """Give the view the resident as ``actor``."""

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return view(request, *args, actor=actor_of(request), **kwargs)

    return wrapper


def sent(request: HttpRequest) -> Any:
    """What was sent, also when it is nothing; else what was typed before a sign-in ran out; None when there is neither."""
    return request.POST if request.method == "POST" else typed_of(request)


def space_page(request: HttpRequest, template: str, here: str, **context: Any) -> HttpResponse:
    response = render(request, f"portal/space/{template}.jinja", {"section": here, **context}, using="furong")
    patch_cache_control(response, no_store=True)
    return response


@require_safe
@own
def overview(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show what waits for the person, what is under way, and what was begun."""
    now = timezone.now()
    lines = case_queries.list_applications(actor=actor, now=now)
    drafts = case_queries.list_drafts(actor=actor)
    return space_page(
        request,
        "overview",
        "applications",
        lines=[(line, *presenting.state_words(line.state)) for line in lines],
        drafts=drafts,
        consents=case_queries.list_consents_asked_of(actor=actor, open_only=True),
        titles=queries.draft_titles(drafts=drafts, now=now),
        messages=notice_queries.list_messages(actor=actor, limit=3),
    )


@require_safe
@own
def application(request: HttpRequest, application_id: UUID, actor: Actor) -> HttpResponse:
    """Show one application: its lanes, clocks, what happened, each fact with its source, and who read it."""
    now = timezone.now()
    view = case_queries.application_view(application_id=application_id, actor=actor, now=now)
    reads = []
    if actor.person_id is not None and not view.acts_for_other:
        cases_of_it = {lane.case_id for lane in view.lanes}
        found = audit.list_reads_of_person(person_id=actor.person_id, limit=60)
        reads = presenting.gathered(
            [r for r in found if r.case_id in cases_of_it and not r.by_self], queries.read_labels(now=now)
        )[:4]
    words, tone = presenting.state_words(view.state)
    return space_page(
        request,
        "application",
        "applications",
        view=view,
        state=words,
        tone=tone,
        left=presenting.head_words(view),
        doubt=calendars.current().doubt_about(view.due_on) if view.due_on is not None else {},
        title=presenting.lanes_title(view),
        lanes=presenting.lanes_shown(view.lanes),
        facts=queries.facts_of(
            answers=view.answers,
            code=view.life_event_code,
            now=now,
            objectable=_objectable(view, actor, now),
            item_code=view.lanes[0].item_code if view.lanes else "",
        ),
        reads=reads,
        just_sent=request.GET.get("sent") == "1",
        times=_times(view, now),
        fees=payments.list_of_application(application_id=view.id),
    )


def _times(view: ApplicationView, now: dt.datetime) -> list[tuple[Any, Any, Any, bool]]:
    """What is booked for each case that wants a time: the case, the booking, the office, and whether another may be chosen."""
    lanes = [
        one for one in view.lanes if bookings.items_wanting(item_codes=[one.item_code], on=timezone.localdate(now))
    ]
    if not lanes:
        return []
    booked = {one.case_id: one for one in bookings.list_of_application(application_id=view.id, now=now)}
    found = []
    for lane in lanes:
        one = booked.get(lane.case_id)
        is_open = lane.state not in ENDED
        if one is None and not is_open:
            continue
        office = organizations.get_organization(organization_id=one.organization_id).name if one is not None else ""
        again = is_open and (one is None or one.can_change or one.state is BookingState.MISSED)
        found.append((lane, one, office, again))
    return found


def _objectable(view: ApplicationView, actor: Actor, now: dt.datetime) -> frozenset[str]:
    """The elements that a register supplied about the person themself, or the one they act for: these they can object to."""
    own_id = actor.principal.id if actor.principal is not None else actor.person_id
    ending = ".person_id"
    people = {a.element.removesuffix(ending): UUID(str(a.value)) for a in view.answers if a.element.endswith(ending)}
    on = timezone.localdate(now)
    about_me = [
        a.element
        for a in view.answers
        if a.source == "register" and person_of(element=a.element, people=people, applicant=own_id, on=on) == own_id
    ]
    return frozenset(objections.sources_of(elements=about_me))


@require_http_methods(["GET", "HEAD", "POST"])
@own
def withdraw(request: HttpRequest, application_id: UUID, actor: Actor) -> HttpResponse:
    """Withdraw one item or all of an application, after saying what follows from it."""
    now = timezone.now()
    view = case_queries.application_view(application_id=application_id, actor=actor, now=now)
    lanes = [lane for lane in view.lanes if lane.can_withdraw]
    form = ReasonForm(sent(request))
    wrong = ""
    if request.method == "POST" and form.is_valid():
        wanted = set(request.POST.getlist("case"))
        chosen = [lane for lane in lanes if str(lane.case_id) in wanted]
        if chosen:
            reason = form.cleaned_data["reason"]
            if len(chosen) == len(lanes):
                cases.withdraw_application(application_id=application_id, actor=actor, now=now, reason=reason)
            else:
                for lane in chosen:
                    cases.withdraw_case(case_id=lane.case_id, actor=actor, now=now, reason=reason)
            return HttpResponseRedirect(_of(application_id))
        wrong = "choose"
    return space_page(request, "withdraw", "applications", view=view, lanes=lanes, form=form, wrong=wrong)


@keeps_typed
@require_http_methods(["GET", "HEAD", "POST"])
@own
def rate(request: HttpRequest, application_id: UUID, case_id: UUID, actor: Actor) -> HttpResponse:
    """Rate a finished case, once."""
    now = timezone.now()
    view = case_queries.application_view(application_id=application_id, actor=actor, now=now)
    lane = next((one for one in view.lanes if one.case_id == case_id and one.can_rate), None)
    if lane is None:
        return HttpResponseRedirect(_of(application_id))
    form = RatingForm(sent(request))
    if request.method == "POST" and form.is_valid():
        cases.rate_case(
            case_id=case_id,
            level=int(form.cleaned_data["level"]),
            aspects=form.aspects(),
            comment=form.cleaned_data["comment"],
            actor=actor,
            now=now,
        )
        return HttpResponseRedirect(_of(application_id))
    return space_page(request, "rate", "applications", view=view, lane=lane, form=form)


@keeps_typed
@require_http_methods(["GET", "HEAD", "POST"])
@own
def ask_review(request: HttpRequest, application_id: UUID, case_id: UUID, actor: Actor) -> HttpResponse:
    """Ask the department to look again at a decision."""
    now = timezone.now()
    view = case_queries.application_view(application_id=application_id, actor=actor, now=now)
    lane = next((one for one in view.lanes if one.case_id == case_id and one.can_ask_review), None)
    if lane is None:
        return HttpResponseRedirect(_of(application_id))
    form = ReasonForm(sent(request), required=True)
    if request.method == "POST" and form.is_valid():
        cases.request_review(case_id=case_id, reason=form.cleaned_data["reason"], actor=actor, now=now)
        return HttpResponseRedirect(_of(application_id))
    return space_page(request, "review", "applications", view=view, lane=lane, form=form)


@require_http_methods(["GET", "HEAD", "POST"])
@own
def consent(request: HttpRequest, consent_id: UUID, actor: Actor) -> HttpResponse:
    """Give or refuse a consent that the person is asked for."""
    now = timezone.now()
    asked = case_queries.get_consent(consent_id=consent_id, actor=actor, now=now)
    if request.method == "POST" and asked.state == "requested":
        answer = request.POST.get("answer")
        if answer == "give":
            cases.give_consent(consent_id=consent_id, actor=actor, now=now)
            return HttpResponseRedirect(request.path)
        if answer == "refuse":
            reason = request.POST.get("reason", "")[:500]
            cases.refuse_consent(consent_id=consent_id, actor=actor, now=now, reason=reason)
            return HttpResponseRedirect(request.path)
    return space_page(request, "consent", "applications", asked=asked)


@require_POST
@own
def discard(request: HttpRequest, draft_id: UUID, actor: Actor) -> HttpResponse:
    """Throw a draft away."""
    cases.discard_draft(draft_id=draft_id, actor=actor, now=timezone.now())
    return HttpResponseRedirect(reverse("portal:space"))


@keeps_typed
@require_http_methods(["GET", "HEAD", "POST"])
@own
def supplement(request: HttpRequest, application_id: UUID, case_id: UUID, actor: Actor) -> HttpResponse:
    """Hand in what a department asked for once: the named facts and files, or a note."""
    now = timezone.now()
    view = case_queries.application_view(application_id=application_id, actor=actor, now=now)
    lane = next((one for one in view.lanes if one.case_id == case_id), None)
    if lane is None or lane.supplement is None or lane.supplement.lapsed_at:
        return HttpResponseRedirect(_of(application_id))
    if lane.supplement.answered_at:
        if request.method == "POST":
            return HttpResponseRedirect(_of(application_id))
        handed_in = case_queries.own_supplement(case_id=case_id, actor=actor)
        return space_page(request, "handed_in", "applications", view=view, lane=lane, handed_in=handed_in)
    sent = request.method == "POST"
    form = SupplementForm(
        request.POST if sent else typed_of(request),
        request.FILES if sent else None,
        wanted=lane.supplement.wanted,
        fields_of=queries.fields_of_event(code=view.life_event_code, now=now, item_code=lane.item_code),
        oversized=oversized_fields(request) if sent else frozenset(),
    )
    if sent and form.is_valid():
        cases.submit_supplement(
            case_id=case_id, answers=form.answers(now=now), note_text=form.note(), actor=actor, now=now
        )
        return HttpResponseRedirect(_of(application_id))
    return space_page(request, "supplement", "applications", view=view, lane=lane, form=form)


@require_safe
@own
def file(request: HttpRequest, application_id: UUID, case_id: UUID, digest: str, actor: Actor) -> HttpResponse:
    """Give back a file that the person handed in, to be saved: nothing of it runs in a page of ours."""
    found = case_queries.open_own_file(case_id=case_id, digest=digest, actor=actor, now=timezone.now())
    ending = _ENDINGS.get(found.media_type) or mimetypes.guess_extension(found.media_type) or ".bin"
    response = HttpResponse(storage.get(found.digest), content_type=found.media_type)
    response["Content-Disposition"] = f'attachment; filename="{digest[:12]}{ending}"'
    response["Cache-Control"] = "no-store"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


_ENDINGS = {"application/ofd": ".ofd", "image/heic": ".heic"}


@require_safe
@own
def document(request: HttpRequest, document_id: UUID, actor: Actor) -> HttpResponse:
    """Open a numbered, sealed document; the first opening is recorded as its service."""
    digest = cases.open_document(document_id=document_id, actor=actor, now=timezone.now())
    return _pdf(storage.get(digest), f"{document_id}.pdf")


def _pdf(data: bytes, name: str) -> HttpResponse:
    response = HttpResponse(data, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response


FOLDER = Basis(purpose="own_folder")


@require_safe
@own
def folder(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show the licences that the person holds or keeps for a child."""
    found: tuple[LicenceRecord, ...] = ()
    person_id = actor.principal.id if actor.principal is not None else actor.person_id
    if actor.principal is not None and actor.principal.kind == "enterprise":
        person_id = None  # certificates are held by persons so far; an agent's own are not the enterprise's
    if person_id is not None:
        found = licences.list_of_person(person_id=person_id, actor=actor, basis=FOLDER, now=timezone.now())
    return space_page(request, "folder", "folder", licences=found, state_words=presenting.licence_words)


@require_safe
@own
def licence(request: HttpRequest, licence_id: UUID, actor: Actor) -> HttpResponse:
    """Show one licence with its data, its state and how others can check it."""
    now = timezone.now()
    found = licences.get_licence(licence_id=licence_id, actor=actor, basis=FOLDER, now=now)
    words, tone = presenting.licence_words(found.state)
    return space_page(
        request,
        "licence",
        "folder",
        licence=found,
        state=words,
        tone=tone,
        labels=licences.field_labels(type_code=found.type_code) if hasattr(licences, "field_labels") else {},
    )


@require_safe
@own
def licence_file(request: HttpRequest, licence_id: UUID, actor: Actor) -> HttpResponse:
    """Give the licence's sealed PDF."""
    data = licences.get_pdf(licence_id=licence_id, actor=actor, basis=FOLDER, now=timezone.now())
    return _pdf(data, f"{licence_id}.pdf")


@require_http_methods(["GET", "HEAD", "POST"])
@own
def messages(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show what was told to the person, newest first."""
    now = timezone.now()
    if request.method == "POST":
        notices.mark_all_read(actor=actor, now=now)
        return HttpResponseRedirect(request.path)
    before = _moment(request.GET.get("before"))
    found = notice_queries.list_messages(actor=actor, limit=MESSAGES_A_PAGE + 1, before=before)
    following = found[MESSAGES_A_PAGE - 1].at.isoformat() if len(found) > MESSAGES_A_PAGE else ""
    return space_page(request, "messages", "messages", messages=found[:MESSAGES_A_PAGE], following=following)


@require_safe
@own
def message(request: HttpRequest, message_id: UUID, actor: Actor) -> HttpResponse:
    """Show one message; it counts as read from now on."""
    now = timezone.now()
    found = notice_queries.get_message(message_id=message_id, actor=actor)
    if not found.is_read:
        notices.mark_read(message_id=message_id, actor=actor, now=now)
    return space_page(request, "message", "messages", message=found)


def _moment(given: str | None) -> dt.datetime | None:
    try:
        found = dt.datetime.fromisoformat(given or "")
    except ValueError:
        return None
    return None if timezone.is_naive(found) else found


@require_safe
@own
def reads(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show who read the person's data, when, what of it and on what basis."""
    before = _moment(request.GET.get("before"))
    with_own = request.GET.get("own") == "1"
    found, following = queries.reads_page(person_id=actor.person_id, before=before, with_own=with_own)
    wrong = objections.sources_of(elements={field for read in found for field in read.fields})
    shown = presenting.gathered(found, queries.read_labels(now=timezone.now()), wrong)
    return space_page(request, "reads", "reads", reads=shown, following=following, with_own=with_own)


def _of(application_id: UUID) -> str:
    return reverse("portal:application", kwargs={"application_id": application_id})
