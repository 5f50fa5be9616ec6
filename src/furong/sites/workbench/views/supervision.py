"""Supervision: who keeps the limits, what is late, which bad ratings want a call."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from furong.domains.cases import commands as case_commands
from furong.domains.cases import queries as cases
from furong.domains.cases.values import Light
from furong.foundation.access.values import Actor
from furong.foundation.codes.errors import Refusal
from furong.sites.workbench import presenting
from furong.sites.workbench.desk import page, staff, words_of
from furong.sites.workbench.forms import CallBackForm


@require_safe
@staff
def deadlines(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show how each organisation keeps its limits, the worst first, and the cases that are late or nearly so."""
    now = timezone.now()
    rows = cases.supervision(actor=actor, now=now)
    chosen = request.GET.get("organization", "")
    organization_id = next((row.organization_id for row in rows if str(row.organization_id) == chosen), None)
    late = cases.list_late_cases(actor=actor, now=now, organization_id=organization_id)
    wanted = request.GET.get("light", "")
    if wanted in {Light.YELLOW.value, Light.RED.value, Light.OVERDUE.value}:
        late = tuple(line for line in late if line.light.value == wanted)
    totals = {name: sum(getattr(row, name) for row in rows) for name in ("open", "yellow", "red", "overdue", "stopped")}
    names = {row.organization_id: row.organization_name for row in rows}
    return page(
        request,
        actor,
        "supervision",
        "supervision",
        rows=rows,
        totals=totals,
        late=[(line, *presenting.light_words(line.light), *presenting.state_words(line.state)) for line in late],
        names=names,
        chosen=organization_id,
        light=wanted,
    )


@require_safe
@staff
def call_backs(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List bad ratings that want a call: within a day, and put right within fifteen working days."""
    rows = cases.list_call_backs(actor=actor, now=timezone.now())
    return page(request, actor, "call_backs", "call_backs", rows=rows, today=timezone.localdate())


@require_http_methods(["GET", "HEAD", "POST"])
@staff
def call_back(request: HttpRequest, actor: Actor, call_back_id: UUID) -> HttpResponse:
    """Record what a call about a bad rating brought."""
    now = timezone.now()
    found = next((row for row in cases.list_call_backs(actor=actor, now=now) if row.id == call_back_id), None)
    if found is None:
        raise Http404
    form = CallBackForm(request.POST or None)
    refused: tuple[str, str] | None = None
    if request.method == "POST" and form.is_valid():
        try:
            case_commands.record_call_back(
                call_back_id=call_back_id,
                text=form.cleaned_data["text"],
                fixed=form.cleaned_data["fixed"],
                actor=actor,
                now=now,
            )
        except Refusal as refusal:
            refused = words_of(refusal)
        else:
            messages.success(request, _("Recorded."))
            return HttpResponseRedirect(reverse("workbench:call_backs"))
    return page(request, actor, "call_back", "call_backs", row=found, form=form, refused=refused)
