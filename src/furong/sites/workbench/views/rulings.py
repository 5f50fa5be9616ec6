"""What is before the data authority, its rulings, and what sharing brings: use and benefit by resource and department."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from furong.domains.catalogue.grants import reading as requests
from furong.domains.catalogue.needs import figures, reading, ruling
from furong.domains.catalogue.needs.values import Outcome, ShareKind
from furong.foundation.access.values import Actor
from furong.foundation.codes.errors import Refusal
from furong.foundation.organizations import queries as organizations
from furong.sites.workbench import words_needs
from furong.sites.workbench.desk import page, words_of
from furong.sites.workbench.forms_needs import AppealForm, OrderForm, UpholdForm
from furong.sites.workbench.guards import needs
from furong.sites.workbench.views.catalogue import READERS

EDIT, REVIEW = "catalogue.edit", "catalogue.review"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """One way to rule: its words, what it does and its form."""

    label: Promise
    effect: Promise
    form: type[forms.Form]
    kind: str = ""


RULINGS: Mapping[Outcome, Ruling] = {
    Outcome.ORDER: Ruling(
        label=gettext_lazy("Order the supply"),
        effect=gettext_lazy("The owner cannot refuse it again; once the day has passed it comes before you by itself."),
        form=OrderForm,
    ),
    Outcome.UPHOLD: Ruling(
        label=gettext_lazy("Rule that it is not shared"),
        effect=gettext_lazy("It is closed, and both sides read the clause and your reason."),
        form=UpholdForm,
        kind="quiet",
    ),
}


@require_safe
@needs(EDIT, REVIEW)
def rulings_page(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List what is and was before the data authority, as far as the reader has to do with it."""
    found = reading.list_escalations(actor=actor, now=timezone.now())
    return page(
        request,
        actor,
        "needs/rulings",
        "needs",
        waiting=[one for one in found if one.outcome is Outcome.OPEN],
        ended=[one for one in found if one.outcome is not Outcome.OPEN],
        names=_names(*(one.organization_id for one in found), *(one.provider_organization_id for one in found)),
        words=words_needs,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@needs(EDIT, REVIEW)
def ruling_page(request: HttpRequest, actor: Actor, escalation_id: UUID) -> HttpResponse:
    """Show what both sides wrote, and rule on it."""
    now = timezone.now()
    view = reading.get_escalation(escalation_id=escalation_id, actor=actor, now=now)
    verb = request.POST.get("act", "")
    done = Outcome(verb) if verb in set(Outcome) else None
    offered = RULINGS if view.may_rule else {}
    shown = {one: way.form(request.POST if one is done else None, prefix=one.value) for one, way in offered.items()}
    refused = None
    if request.method == "POST":
        if done is None or done not in offered:
            refused = (_("This cannot be done as it stands now."), _("Reload the page."))
        elif shown[done].is_valid():
            try:
                ruling.give_ruling(
                    escalation_id=escalation_id, outcome=done, actor=actor, now=now, **shown[done].cleaned_data
                )
            except Refusal as refusal:
                refused = words_of(refusal)
            else:
                messages.success(request, _("The ruling is recorded, and both sides are told."))
                return HttpResponseRedirect(request.path)
    response = page(
        request,
        actor,
        "needs/ruling",
        "needs",
        view=view,
        line=view.line,
        subject=_subject(view.line.kind, view.line.subject_id),
        ways=[(one.value, way, shown[one]) for one, way in offered.items()],
        done=shown[done] if done is not None and done in offered else None,
        refused=refused,
        names=_names(view.line.organization_id, view.line.provider_organization_id),
        words=words_needs,
    )
    if refused or any(form.errors for form in shown.values()):
        response.status_code = 422
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@needs(EDIT, REVIEW)
def request_appeal(request: HttpRequest, actor: Actor, request_id: UUID) -> HttpResponse:
    """Bring a refused request before the data authority; lead to the ruling where it is there already."""
    now = timezone.now()
    found = requests.get_request(request_id=request_id, actor=actor)
    line, may = reading.escalation_of(request_id=request_id, actor=actor, now=now)
    if request.method != "POST" and not may and line is not None:
        return HttpResponseRedirect(reverse("workbench:ruling", kwargs={"escalation_id": line.id}))
    form = AppealForm(request.POST if request.method == "POST" else None)
    refused = None
    if request.method == "POST" and form.is_valid():
        try:
            raised = ruling.ask_ruling(
                kind=ShareKind.REQUEST, subject_id=request_id, actor=actor, now=now, **form.cleaned_data
            )
        except Refusal as refusal:
            refused = words_of(refusal)
        else:
            messages.success(request, _("It is before the data authority, which rules within ten working days."))
            return HttpResponseRedirect(reverse("workbench:ruling", kwargs={"escalation_id": raised}))
    response = page(
        request,
        actor,
        "needs/appeal",
        "requests",
        found=found,
        may=may,
        form=form,
        refused=refused,
        names=_names(found.organization_id, found.provider_organization_id),
    )
    if refused or form.errors:
        response.status_code = 422
    return response


@require_safe
@needs(*READERS)
def sharing_page(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show use and benefit of sharing by department and resource, and by which clauses resources are not open."""
    department = request.GET.get("department", "")[:80]
    found = figures.figures(actor=actor, now=timezone.now())
    return page(
        request,
        actor,
        "needs/sharing",
        "sharing",
        found=found,
        department=department,
        resources=[one for one in found.resources if department in {"", one.line.department}],
        departments={one.code: one.name for one in organizations.list_departments()},
        exceptions=figures.exceptions(actor=actor),
    )


def _subject(kind: ShareKind, subject_id: UUID) -> str:
    if kind is ShareKind.DEMAND:
        return reverse("workbench:demand", kwargs={"demand_id": subject_id})
    return reverse("workbench:request", kwargs={"request_id": subject_id})


def _names(*ids: UUID) -> dict[UUID, object]:
    return dict(organizations.labels_of_organizations(organization_ids=ids))
