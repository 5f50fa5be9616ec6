"""One instance of a process: where it stands, what it did, and what an administrator may do to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from furong.domains.processes import administering, overseeing
from furong.domains.processes import intervening as interventions
from furong.domains.processes import queries as processes
from furong.domains.processes.errors import DefinitionUnknown, InstanceUnknown
from furong.domains.processes.values.overseeing import InstanceState, InstanceView
from furong.foundation.access import queries as access
from furong.foundation.access.values import Actor, Basis
from furong.foundation.audit.commands import record_read
from furong.foundation.codes.errors import Refusal
from furong.foundation.identity import queries as identity
from furong.foundation.organizations import queries as organizations
from furong.sites.workbench import presenting
from furong.sites.workbench import presenting_processes as shown
from furong.sites.workbench.desk import page, words_of
from furong.sites.workbench.forms_processes import InterveneForm, MigrateForm, MigrateOneForm, MoveForm, ReasonForm
from furong.sites.workbench.guards import needs
from furong.sites.workbench.views.processes import SEEN_BY

RIGHT = "processes.administer"
LOG_LINES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Intervention:
    """One thing an administrator may do: its words, what it does, its form, its command, and in which states it is offered."""

    label: Promise
    effect: Promise
    form: type[InterveneForm]
    run: Callable[..., object]
    states: frozenset[InstanceState]
    kind: str = "quiet"


_OPEN = frozenset({InstanceState.RUNNING, InstanceState.STUCK})
_HELD = frozenset({InstanceState.SUSPENDED})
INTERVENTIONS = {
    "suspend": Intervention(
        label=gettext_lazy("Suspend"),
        effect=gettext_lazy(
            "Nothing moves until it is resumed: tasks can be read but not finished, timers and jobs wait."
        ),
        form=ReasonForm,
        run=interventions.suspend_process,
        states=_OPEN,
    ),
    "resume": Intervention(
        label=gettext_lazy("Resume"),
        effect=gettext_lazy("The process goes on; what fell due meanwhile happens now."),
        form=ReasonForm,
        run=interventions.resume_process,
        states=_HELD,
        kind="",
    ),
    "move": Intervention(
        label=gettext_lazy("Move a token"),
        effect=gettext_lazy("What the token waited for is cancelled, and it begins at the other step at once."),
        form=MoveForm,
        run=interventions.move_token,
        states=_OPEN,
    ),
    "migrate": Intervention(
        label=gettext_lazy("Take to another version"),
        effect=gettext_lazy(
            "The instance goes on in the other version, its open tasks keep who has them and until when."
        ),
        form=MigrateOneForm,
        run=interventions.migrate_instance,
        states=_OPEN | _HELD,
    ),
    "cancel": Intervention(
        label=gettext_lazy("End it early"),
        effect=gettext_lazy(
            "The process ends here for good; everything it waits for is cancelled. This cannot be undone."
        ),
        form=ReasonForm,
        run=administering.cancel_on_request,
        states=_OPEN | _HELD,
        kind="warn",
    ),
}


def _view(actor: Actor, instance_id: UUID) -> InstanceView:
    try:
        overseeing.require_sight(actor=actor, instance_id=instance_id)
        return overseeing.instance_view(instance_id=instance_id)
    except InstanceUnknown as missing:
        raise Http404 from missing


def _administers(actor: Actor, view: InstanceView) -> bool:
    return access.allows(
        actor=actor, right=RIGHT, organization_id=view.organization_id, division_code=view.division_code
    )


@require_safe
@needs(*SEEN_BY)
def instance(request: HttpRequest, actor: Actor, instance_id: UUID) -> HttpResponse:
    """Show an instance: diagram, tokens, incidents, log; its variables only when asked for, and by right."""
    view = _view(actor, instance_id)
    administers = _administers(actor, view)
    names = overseeing.element_names(digest=view.definition_digest)
    lines = overseeing.read_log(instance_id=instance_id, limit=LOG_LINES, latest_first=True)
    wanted = administers and request.GET.get("variables") == "1"
    variables = _variables(actor, instance_id) if wanted else None
    people = {line.entry.by for line in lines if line.entry.by}
    people |= {token.claimed_by for token in view.tokens if token.claimed_by}
    here = {token.organization_id for token in view.tokens if token.organization_id}
    here |= {view.organization_id} if view.organization_id else set()
    state, tone = shown.state_words(view.state)
    drawn = processes.diagram_state(instance_id=instance_id, now=timezone.now())
    return page(
        request,
        actor,
        "processes/instance",
        "processes",
        view=view,
        state=state,
        tone=tone,
        names=names,
        steps=[
            (names.get(key, key), presenting.drawn_state(one), _element_words(one.value))
            for key, one in drawn.elements.items()
            if names.get(key, key) != key
        ],
        lines=lines,
        more_lines=len(lines) == LOG_LINES,
        log_words=shown.LOG,
        reason_words=shown.reason_words,
        variables=variables,
        administers=administers,
        offered=[(code, one) for code, one in INTERVENTIONS.items() if view.state in one.states] if administers else [],
        people=identity.display_names(account_ids=people),
        labels=organizations.labels_of_organizations(organization_ids=here),
        case_id=_case_of(view),
        other_versions=_newer(view),
    )


def _element_words(state: str) -> str:
    return {
        "running": _("running"),
        "late": _("late"),
        "stuck": _("stuck"),
        "done": _("done"),
        "cancelled": _("taken off"),
    }.get(state, state)


def _case_of(view: InstanceView) -> UUID | None:
    try:
        return UUID(view.business_key)
    except ValueError:
        return None


def _newer(view: InstanceView) -> int:
    versions = processes.list_definitions(code=view.definition_code)
    return sum(one.version > view.definition_version for one in versions)


def _variables(actor: Actor, instance_id: UUID) -> list[tuple[str, str]]:
    import json

    found = overseeing.variables_of(instance_id=instance_id)
    record_read(
        actor=actor,
        basis=Basis(purpose="administration"),
        what="processes.variables_of",
        subjects=[],
        fields=sorted(found),
        database="default",
        now=timezone.now(),
        object=("process_instance", instance_id),
    )
    return [(key, json.dumps(value, ensure_ascii=False, default=str, indent=1)) for key, value in sorted(found.items())]


@require_safe
@needs(*SEEN_BY)
def instance_diagram(request: HttpRequest, actor: Actor, instance_id: UUID) -> HttpResponse:
    """Answer an instance's diagram with what is done, running, late and cancelled, for drawing."""
    _view(actor, instance_id)
    drawn = processes.diagram_state(instance_id=instance_id, now=timezone.now())
    states = {key: presenting.drawn_state(state) for key, state in drawn.elements.items()}
    return JsonResponse({"xml": drawn.xml.decode(), "states": states})


@require_http_methods(["GET", "HEAD", "POST"])
@needs(RIGHT)
def instance_act(request: HttpRequest, actor: Actor, instance_id: UUID, verb: str) -> HttpResponse:
    """Do something to an instance as its administrator, after its effect was stated, with a reason."""
    found = INTERVENTIONS.get(verb)
    if found is None:
        raise Http404
    view = _view(actor, instance_id)
    overseeing.require_administration(actor=actor, instance_id=instance_id)
    home = reverse("workbench:process_instance", kwargs={"instance_id": instance_id})
    if view.state not in found.states:
        messages.warning(
            request,
            _("This is not open now: the instance is “%(state)s”.") % {"state": shown.state_words(view.state)[0]},
        )
        return HttpResponseRedirect(home)
    names = overseeing.element_names(digest=view.definition_digest)
    versions = [
        one for one in processes.list_definitions(code=view.definition_code) if one.digest != view.definition_digest
    ]
    form = found.form(request.POST if request.method == "POST" else None, view=view, names=names, versions=versions)
    refused: tuple[str, str] | None = None
    if request.method == "POST" and form.is_valid():
        try:
            found.run(instance_id=instance_id, **form.arguments(), actor=actor, now=timezone.now())
        except Refusal as refusal:
            refused = words_of(refusal)
        else:
            messages.success(request, _("Done: %(act)s. It is recorded with your reason.") % {"act": found.label})
            return HttpResponseRedirect(home)
    return page(
        request,
        actor,
        "processes/act",
        "processes",
        view=view,
        act=found,
        form=form,
        refused=refused,
        home=home,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@needs(RIGHT)
def migration(request: HttpRequest, actor: Actor, digest: str) -> HttpResponse:
    """Take the running instances of a version to another: first a dry run that says what would be stuck, then in earnest."""
    try:
        found = processes.get_definition(digest=digest)
    except DefinitionUnknown as missing:
        raise Http404 from missing
    versions = [one for one in processes.list_definitions(code=found.code) if one.digest != digest]
    form = MigrateForm(request.POST if request.method == "POST" else None, versions=versions)
    refused: tuple[str, str] | None = None
    plan: interventions.Migration | None = None
    if request.method == "POST" and form.is_valid():
        asked: dict[str, Any] = {"from_digest": digest, **form.arguments()}
        try:
            plan = interventions.plan_migration(**asked, actor=actor)
            if request.POST.get("do") == "migrate":
                done = interventions.migrate_instances(
                    **asked,
                    reason=form.cleaned_data["reason"],
                    leave_stuck=form.cleaned_data["leave_stuck"],
                    actor=actor,
                    now=timezone.now(),
                )
                messages.success(
                    request,
                    _("%(taken)s instances were taken along, %(left)s were left as they are.")
                    % {"taken": len(done.ready), "left": len(done.stuck)},
                )
                return HttpResponseRedirect(reverse("workbench:process", kwargs={"digest": asked["to_digest"]}))
        except Refusal as refusal:
            refused = words_of(refusal)
    names = {key: name or key for key, name, _tag in found.elements}
    return page(
        request,
        actor,
        "processes/migration",
        "processes",
        found=found,
        form=form,
        refused=refused,
        plan=plan,
        reasons=sorted(plan.reasons.items(), key=lambda one: -one[1]) if plan else [],
        names=names,
        versions=versions,
    )
