"""Applying: begin a draft, fill it in page by page, look at the whole, hand it in.

What is typed is kept at each step, also when it is not yet right, so that a sign-in that runs out or a form that changes loses
nothing. The rules are the form's and the commands'.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from furong.domains.bookings.errors import BookingNeeded
from furong.domains.bookings.values import Booking
from furong.domains.cases import commands as cases
from furong.domains.cases import ports
from furong.domains.cases import queries as case_queries
from furong.domains.cases.errors import AlreadyAppliedFor, FormChanged, FormNotValid
from furong.domains.cases.values.plans import Answer
from furong.domains.cases.values.views import DraftView
from furong.domains.services import bodies
from furong.domains.services import queries as services
from furong.domains.services.errors import FormMissing, ItemMissing, LifeEventMissing
from furong.domains.services.forms.compile import CompiledForm, CompiledPage, answers_of_repeat
from furong.domains.services.values.prefill import Prefilled
from furong.foundation.access.values import Actor, Basis
from furong.foundation.identity.keeping import keeps_typed, typed_of
from furong.foundation.packs.values import Text
from furong.foundation.storage import commands as storage
from furong.foundation.web.forms import mistakes_of
from furong.foundation.web.uploads import oversized_fields
from furong.registries.population import queries as population
from furong.sites.portal import holding, queries
from furong.sites.portal.values import AskedOnce
from furong.sites.portal.views import booking
from furong.sites.portal.views.space import own

PURPOSE = Basis(purpose="application", legal_basis="国务院令第716号第十条")


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A draft with its form and what registers hold for it."""

    draft: DraftView
    title: Any
    form: CompiledForm
    held: Mapping[str, Prefilled]
    on: date
    now: datetime

    @cached_property
    def pages(self) -> list[CompiledPage]:
        return self.form.pages_for(self.draft.answers, self.held, self.now)

    def held_times(self, actor: Actor) -> dict[str, Booking]:
        return booking.held_of(self.draft, actor, self.now)


def _steps(opened: Opened) -> list[Any]:
    """The names of the form's pages, and of choosing a time where a service wants one."""
    names: list[Any] = [one.title for one in opened.pages]
    return [*names, booking.STEP] if booking.wanted_of(opened.draft, opened.on) else names


def _reopened(before: Opened, actor: Actor) -> Opened:
    """The draft as it is after saving; what registers hold was read once for this request."""
    return replace(before, draft=case_queries.get_draft(draft_id=before.draft.id, actor=actor))


def _opened(draft_id: UUID, actor: Actor) -> Opened:
    now = timezone.now()
    on = timezone.localdate(now)
    draft = case_queries.get_draft(draft_id=draft_id, actor=actor)
    try:
        title, digest, form = _form_of(draft, on)
    except (LifeEventMissing, ItemMissing, FormMissing) as missing:
        raise Http404 from missing
    if draft.application_id is None and draft.form_digest != digest:
        cases.refresh_draft(draft_id=draft_id, actor=actor, now=now)
        draft = case_queries.get_draft(draft_id=draft_id, actor=actor)

    def ask() -> Mapping[str, Answer]:
        return ports.services().prefill(
            life_event_code=draft.life_event_code,
            item_codes=draft.item_codes,
            answers=draft.answers,
            actor=actor,
            basis=PURPOSE,
            on=on,
            now=now,
        )

    known = holding.held_for(draft_id=draft_id, form_digest=draft.form_digest, actor=actor, ask=ask)
    held = {
        code: Prefilled(
            element=code,
            value=answer.value,
            source=Text.of(dict(answer.source_label)) if answer.source_label else Text.of({"zh": "登记簿"}),
            legal_basis=answer.legal_basis,
        )
        for code, answer in known.items()
    }
    return Opened(draft=draft, title=title, form=form, held=held, on=on, now=now)


def _form_of(draft: DraftView, on: date) -> tuple[Any, str, CompiledForm]:
    """The title, the digest in force and the form of what a draft is for: a life event, or a single item."""
    if draft.life_event_code:
        event = services.get_life_event(code=draft.life_event_code, on=on)
        form = services.get_life_event_form(event=event, chosen=draft.item_codes, divisions=queries.division_choices)
        return event.event.name, event.digest, form
    (code,) = draft.item_codes
    digest = services.get_closure(code=code, on=on).form
    form = services.get_item_form(code=code, on=on, divisions=queries.division_choices)
    return services.get_item(code=code, on=on).item.name, digest, form


@require_http_methods(["GET", "HEAD", "POST"])
@own
def start(request: HttpRequest, code: str, actor: Actor) -> HttpResponse:
    """Choose where and what to apply for, and begin or go on with the draft."""
    now = timezone.now()
    on = timezone.localdate(now)
    try:
        event = services.get_life_event(code=code, on=on)
    except LifeEventMissing as missing:
        raise Http404 from missing
    optional = [e for e in event.event.items if not e.required]
    groups = queries.division_groups()
    known = {county for group in groups for county, _ in group.counties}
    wrong = False
    if request.method == "POST":
        division = request.POST.get("division", "")
        chosen = set(request.POST.getlist("item")) & {str(e.item) for e in optional}
        if division in known:
            draft_id = cases.open_draft(
                life_event_code=code,
                item_codes=list(event.event.item_codes(chosen)),
                division_code=division,
                actor=actor,
                now=now,
            )
            return HttpResponseRedirect(reverse("portal:draft", kwargs={"draft_id": draft_id}))
        wrong = True
    context = {
        "event": event.event,
        "items": event.items,
        "optional": optional,
        "groups": groups,
        "division": _home_county(actor, now, known),
        "wrong": wrong,
        "drafts": [d for d in case_queries.list_drafts(actor=actor) if d.life_event_code == code],
        "code": code,
    }
    return render(request, "portal/apply/start.jinja", context, using="furong")


@require_http_methods(["GET", "HEAD", "POST"])
@own
def start_item(request: HttpRequest, code: str, actor: Actor) -> HttpResponse:
    """Choose where to apply for a single service, see which body does it there, and begin or go on with the draft."""
    now = timezone.now()
    on = timezone.localdate(now)
    try:
        item = services.get_item(code=code, on=on).item
    except ItemMissing as missing:
        raise Http404 from missing
    if not queries.can_start(item):
        raise Http404
    groups = queries.division_groups()
    known = {county for group in groups for county, _ in group.counties}
    division = request.POST.get("division", "") if request.method == "POST" else request.GET.get("division", "")
    body = bodies.find_body(item=item, division_code=division) if division in known else None
    if request.method == "POST" and body is not None:
        draft_id = cases.open_draft(life_event_code="", item_codes=[code], division_code=division, actor=actor, now=now)
        return HttpResponseRedirect(reverse("portal:draft", kwargs={"draft_id": draft_id}))
    context = {
        "item": item,
        "body": body,
        "groups": groups,
        "division": division if division in known else _home_county(actor, now, known),
        "wrong": request.method == "POST",
        "nobody": request.method == "POST" and division in known,
        "drafts": [
            d for d in case_queries.list_drafts(actor=actor) if not d.life_event_code and d.item_codes == (code,)
        ],
        "code": code,
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "portal/apply/start_item.jinja", context, using="furong", status=status)


def _home_county(actor: Actor, now: datetime, known: set[str]) -> str:
    """The county where the person is registered, so that it is chosen already; empty when it is not known."""
    if actor.person_id is None:
        return ""
    person = population.get_person(
        person_id=actor.person_id, fields=["division_code"], actor=actor, basis=PURPOSE, now=now
    )
    code = str(person.values.get("division_code") or "")[:6]
    return code if code in known else ""


@require_safe
@own
def draft(request: HttpRequest, draft_id: UUID, actor: Actor) -> HttpResponse:
    """Go to where the draft stands: its first unfinished page, the review, or the application that it became."""
    opened = _opened(draft_id, actor)
    if opened.draft.application_id is not None:
        return HttpResponseRedirect(_application(opened.draft.application_id))
    for page in opened.pages:
        if page.code not in opened.draft.pages_done:
            return HttpResponseRedirect(_page(draft_id, page.code))
    return HttpResponseRedirect(booking.next_without(opened.draft, actor, opened.now) or _check(draft_id))


@keeps_typed
@require_http_methods(["GET", "HEAD", "POST"])
@own
def page(request: HttpRequest, draft_id: UUID, page: str, actor: Actor) -> HttpResponse:
    """Show or take one page of the form."""
    opened = _opened(draft_id, actor)
    if opened.draft.application_id is not None:
        return HttpResponseRedirect(_application(opened.draft.application_id))
    pages = opened.pages
    compiled = next((one for one in pages if one.code == page), None)
    if compiled is None:
        return HttpResponseRedirect(reverse("portal:draft", kwargs={"draft_id": draft_id}))
    sent = request.method == "POST"
    over = oversized_fields(request) if sent else frozenset()
    answers = dict(opened.draft.answers)
    given_back = typed_of(request)
    form = compiled.bind(
        request.POST if sent else given_back,
        request.FILES if sent else None,
        answers=answers,
        prefill=opened.held,
        oversized=over,
        now=opened.now,
    )
    repeats = compiled.bind_repeats(request.POST if sent else given_back, answers=answers)
    if sent:
        form_is_right = form.is_valid()
        is_right = all([form_is_right, *(one.is_valid() for one in repeats.values())])
        given = {k: v for k, v in form.answers().items() if is_right or v is not None}
        for element, upload in form.uploads().items():
            stored = storage.put(upload, upload.content_type or "", now=opened.now)
            given[element] = {
                "digest": stored.digest,
                "name": (upload.name or "")[-80:],
                "media_type": stored.media_type,
                "size": stored.size,
            }
        given |= {element: answers_of_repeat(one) for element, one in repeats.items() if one.is_valid()}
        cases.save_draft(
            draft_id=draft_id,
            page=page,
            answers=given,
            actor=actor,
            now=opened.now,
            done=is_right,
            expected_version=_version(request),
        )
        if "leave" in request.POST:
            return HttpResponseRedirect(reverse("portal:space"))
        if is_right:
            return HttpResponseRedirect(_next(request, opened, page, actor))
        opened = _reopened(opened, actor)
    names = _steps(opened)
    index = pages.index(compiled)
    context = {
        "opened": opened,
        "page": compiled,
        "form": form,
        "repeats": list(repeats.values()),
        "mistakes": mistakes_of(form, *repeats.values()) if sent else [],
        "shown": form.shown(),
        "labels": queries.element_labels(now=opened.now),
        "names": names,
        "index": index,
        "back": _page(draft_id, pages[index - 1].code) if index else "",
        "to_check": [line for line in opened.draft.to_check if line.get("page") == page],
        "from_check": request.GET.get("from") == "check",
        "has_files": any(getattr(f.widget, "needs_multipart_form", False) for f in form.fields.values()),
    }
    status = 422 if sent else 200
    return render(request, "portal/apply/page.jinja", context, using="furong", status=status)


def _version(request: HttpRequest) -> int | None:
    given = request.POST.get("_version", "")
    return int(given) if given.isdigit() else None


def _next(request: HttpRequest, before: Opened, page: str, actor: Actor) -> str:
    """The page after this one as the answers now have it; back to the review for who came from there."""
    opened, draft_id = _reopened(before, actor), before.draft.id
    pages = [one.code for one in opened.pages]
    if request.GET.get("from") == "check" and all(code in opened.draft.pages_done for code in pages):
        return _check(draft_id)
    after = pages[pages.index(page) + 1 :] if page in pages else pages
    if after:
        return _page(draft_id, after[0])
    return booking.next_without(opened.draft, actor, opened.now) or _check(draft_id)


@require_http_methods(["GET", "HEAD", "POST"])
@own
def check(request: HttpRequest, draft_id: UUID, actor: Actor) -> HttpResponse:
    """Show everything once more, and hand it in."""
    signed = request.method == "POST" and request.POST.get("declared") == "yes"
    before: AlreadyAppliedFor | None = None
    if signed:
        try:
            # The command checks everything itself: the page is only put together again when something is wrong.
            sent = cases.submit_application(draft_id=draft_id, actor=actor, now=timezone.now())
        except (FormChanged, FormNotValid):
            # Something is missing, the form changed between showing and sending, or a register now holds another fact.
            holding.forget(draft_id=draft_id)
        except AlreadyAppliedFor as refusal:
            before = refusal
        except BookingNeeded:
            # The minutes were over and somebody else has the place now.
            held = case_queries.get_draft(draft_id=draft_id, actor=actor)
            where = booking.next_without(held, actor, timezone.now())
            return HttpResponseRedirect(f"{where}?lost=1" if where else request.path)
        else:
            holding.forget(draft_id=draft_id)
            return HttpResponseRedirect(_application(sent.application_id) + ("" if sent.repeated else "?sent=1"))
    opened = _opened(draft_id, actor)
    if opened.draft.application_id is not None:
        return HttpResponseRedirect(_application(opened.draft.application_id))
    problems = [
        (_page(draft_id, p.page) + f"?from=check#id_{p.element.replace('.', '-')}", p.message)
        for p in opened.form.problems(opened.draft.answers, opened.held, opened.now)
    ]
    unsigned = request.method == "POST" and not signed
    sections = [
        (page, rows, _page(draft_id, page.code) + "?from=check")
        for page, rows in opened.form.review(opened.draft.answers, opened.held, opened.now)
    ]
    asked = sum(1 for _, rows, _ in sections for row in rows if row.is_asked)
    context = {
        "opened": opened,
        "sections": sections,
        "labels": queries.element_labels(now=opened.now),
        "counted": AskedOnce(asked=asked, supplied=sum(len(rows) for _, rows, _ in sections) - asked),
        "problems": problems,
        "unsigned": unsigned,
        "before": before,
        "before_at": _application(before.application_id) if before is not None and before.application_id else "",
        "asked": asked,
        "supplied": sum(len(rows) for _, rows, _ in sections) - asked,
        "names": _steps(opened),
        "times": [
            (code, opened.held_times(actor).get(code), reverse("portal:draft_time", args=[draft_id, code]))
            for code in booking.wanted_of(opened.draft, opened.on)
        ],
        "to_check": opened.draft.to_check,
    }
    status = 409 if before is not None else 422 if request.method == "POST" else 200
    return render(request, "portal/apply/check.jinja", context, using="furong", status=status)


def _page(draft_id: UUID, code: str) -> str:
    return reverse("portal:page", kwargs={"draft_id": draft_id, "page": code})


def _check(draft_id: UUID) -> str:
    return reverse("portal:check", kwargs={"draft_id": draft_id})


def _application(application_id: UUID) -> str:
    return reverse("portal:application", kwargs={"application_id": application_id})
