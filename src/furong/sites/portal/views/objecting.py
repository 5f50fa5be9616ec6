"""Objections of residents: saying that a register is wrong about oneself, and following what becomes of it."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from furong.domains.catalogue import queries as catalogue
from furong.domains.objections import commands, queries
from furong.domains.objections.errors import SubjectNotYours
from furong.domains.objections.values import Act, Subject
from furong.foundation.access.values import Actor
from furong.foundation.identity.keeping import keeps_typed
from furong.sites.portal.forms import ObjectForm, ReasonForm
from furong.sites.portal.presenting import OBJECTION_ACTS, OBJECTION_STATES
from furong.sites.portal.views.space import own, sent, space_page


@require_safe
@own
def objections(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List what the person objected to, and how it stands."""
    lines = queries.list_filed(actor=actor, now=timezone.now())
    return space_page(request, "objections", "objections", lines=lines, states=OBJECTION_STATES)


@keeps_typed
@require_http_methods(["GET", "HEAD", "POST"])
@own
def object_to(request: HttpRequest, element: str, actor: Actor) -> HttpResponse:
    """Say that what a register holds of oneself, or of the person one acts for, is wrong."""
    now = timezone.now()
    named = catalogue.get_dictionary(on=timezone.localdate(now)).get(element)
    source = queries.sources_of(elements=[element]).get(element)
    person_id = actor.principal.id if actor.principal is not None else actor.person_id
    if named is None or source is None or person_id is None:
        raise Http404
    # Opened from a line of *who read my data*: the department is shown where the person saw it.
    chosen = _uuid(request.GET.get("read", ""))
    try:
        reading = queries.find_reading(entry_id=chosen, subject=Subject(person_id=person_id))
    except SubjectNotYours:
        raise Http404 from None
    form = ObjectForm(sent(request))
    if request.method == "POST" and form.is_valid():
        filed = commands.file_objection(
            resource_code=source.resource_code,
            item_code=source.item_code,
            subject=Subject(person_id=person_id),
            entry_id=chosen,
            actor=actor,
            now=now,
            **form.cleaned_data,
        )
        return HttpResponseRedirect(reverse("portal:objection", kwargs={"objection_id": filed}))
    return space_page(request, "object", "objections", named=named, source=source, form=form, reading=reading)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        raise Http404 from None


@keeps_typed
@require_http_methods(["GET", "HEAD", "POST"])
@own
def objection(request: HttpRequest, objection_id: UUID, actor: Actor) -> HttpResponse:
    """Show an objection with its steps; withdraw it, or ask for a ruling on the answer."""
    now = timezone.now()
    view = queries.get_objection(objection_id=objection_id, actor=actor, now=now)
    form = ReasonForm(sent(request), required=True)
    if request.method == "POST":
        if "withdraw" in request.POST and Act.WITHDRAW in view.may:
            commands.withdraw(objection_id=objection_id, actor=actor, now=now)
            return HttpResponseRedirect(request.path)
        if "ask" in request.POST and Act.ASK_RULING in view.may and form.is_valid():
            commands.ask_ruling(objection_id=objection_id, words=form.cleaned_data["reason"], actor=actor, now=now)
            return HttpResponseRedirect(request.path)
    else:
        form = ReasonForm(None, required=True)
    return space_page(
        request,
        "objection",
        "objections",
        view=view,
        line=view.line,
        states=OBJECTION_STATES,
        acts=OBJECTION_ACTS,
        may_ask=Act.ASK_RULING in view.may,
        may_withdraw=Act.WITHDRAW in view.may,
        form=form,
    )
