"""Work: the list with its lights, a case with its diagram, and the acts of the law on it."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from furong.domains.bookings import queries as bookings
from furong.domains.cases import queries as cases
from furong.domains.cases.values import CaseState
from furong.domains.cases.values.views import CaseView
from furong.domains.catalogue import queries as catalogue
from furong.domains.catalogue.grants import flow as grant_flow
from furong.domains.objections import queries as objections
from furong.domains.payments import queries as payments
from furong.domains.processes import commands as processes
from furong.domains.processes import queries as work
from furong.domains.processes.errors import TaskAlreadyDone, TaskClaimedByAnother
from furong.domains.processes.values import Light, PageKey, Task, TaskFilters
from furong.foundation.access import queries as access
from furong.foundation.access.errors import AccessRefused
from furong.foundation.access.values import Actor, Basis, Scope
from furong.foundation.calendar import queries as calendars
from furong.foundation.codes.errors import Refusal
from furong.foundation.identity import queries as identity
from furong.foundation.identity.keeping import keeps_typed, typed_of
from furong.foundation.organizations import queries as organizations
from furong.foundation.storage import queries as storage
from furong.sites.workbench import acts, presenting
from furong.sites.workbench.desk import page, staff, words_of
from furong.sites.workbench.forms import HandOverForm

PAGE_SIZE = 50
# The reason a clerk reads a case; the person's page says it in words.
HANDLING = "handling"
CASE_RIGHTS = ("cases.handle", "cases.decide")


def scope_of(actor: Actor) -> Scope:
    """Give what the actor's posts let them work on, by either right. Raises `AccessRefused` when they work on no cases."""
    for right in CASE_RIGHTS:
        if right in actor.rights:
            return access.scope(actor=actor, right=right)
    raise AccessRefused


def reading(view_case_id: UUID, task_id: UUID | None = None) -> Basis:
    """Say why a clerk reads a case: to handle it."""
    return Basis(purpose=HANDLING, case_id=view_case_id, task_id=task_id)


@require_safe
@staff
def work_list(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show what waits for the actor's organisation, the most urgent first; one of them open beside the list."""
    now, scope = timezone.now(), scope_of(actor)
    filters, chosen = _filters(request, actor)
    after = None
    if given := request.GET.get("after", ""):
        try:
            after = PageKey.parse(given)
        except ValueError:
            after = None
    found = work.work_list(scope=scope, now=now, filters=filters, page_size=PAGE_SIZE, after=after)
    calendar = calendars.current()
    counts = work.count_tasks(scope=scope, now=now, day_ends_at=calendar.end_of_day(calendar.local_date(now)))
    keys = [_key(task) for task in found.tasks]
    facts = cases.facts_of_tasks(case_ids=keys, now=now)
    rows = [
        (task, facts.get(key), *presenting.due_words(task, now=now, calendar=calendar))
        for task, key in zip(found.tasks, keys, strict=True)
    ]
    opened, opened_task = None, next((t for t in found.tasks if str(t.id) == request.GET.get("task", "")), None)
    if opened_task is not None and _key(opened_task) in facts:
        opened = _panel(opened_task, actor, now)
    own = {actor.organization_id} if actor.organization_id else set()
    organization = next(iter(organizations.labels_of_organizations(organization_ids=own).values()), None)
    return page(
        request,
        actor,
        "work_list",
        "work_list",
        rows=rows,
        counts=counts,
        chosen=chosen,
        narrowed=any(chosen.values()),
        opened=opened,
        opened_task=opened_task,
        organization=organization,
        following=found.following.text() if found.following else "",
        continued=after is not None,
        kinds=presenting.TASK_KINDS,
        # Steps of requests for data stand on pages of their own, for those who may open them.
        request_kinds=(grant_flow.REPLY, grant_flow.AUTHORITY, grant_flow.SUPPLY),
        opens_requests=bool({"catalogue.edit", "catalogue.review"} & actor.rights),
        outcome_words=presenting.outcome_words,
        mine=actor.account_id,
    )


def _filters(request: HttpRequest, actor: Actor) -> tuple[TaskFilters, dict[str, str]]:
    light = request.GET.get("light", "")
    kind = request.GET.get("kind", "")
    own = request.GET.get("own", "")
    chosen = {"light": light, "kind": kind, "own": own}
    return (
        TaskFilters(
            kind=kind if kind in presenting.TASK_KINDS else "",
            claimed_by=actor.account_id if own == "mine" else None,
            unclaimed=own == "free",
            escalated=light == "escalated",
            light=Light(light) if light in {Light.RED.value, Light.YELLOW.value} else None,
        ),
        chosen,
    )


def _key(task: Task) -> UUID:
    try:
        return UUID(task.business_key)
    except ValueError:
        return UUID(int=0)


def _panel(task: Task, actor: Actor, now: dt.datetime) -> dict[str, Any]:
    try:
        view = cases.case_view(case_id=_key(task), actor=actor, basis=reading(_key(task), task.id), now=now)
    except Refusal:
        return {}
    return _shown(view, actor, now)


def _shown(view: CaseView, actor: Actor, now: dt.datetime) -> dict[str, Any]:
    """Gather what a case's page and the panel beside the list show."""
    on = timezone.localdate(now)
    facts = presenting.facts_of(view, catalogue.get_dictionary(on=on))
    tasks = work.list_tasks_of(business_key=str(view.lane.case_id))
    calendar = calendars.current()
    steps: list[tuple[str, str, str]] = []
    if view.process_instance_id is not None:
        steps = presenting.steps_of(tasks, now)
    names = identity.display_names(account_ids={t.claimed_by for t in tasks if t.claimed_by})
    state, tone = presenting.state_words(view.lane.state)
    light, light_tone = presenting.light_words(view.lane.light)
    return {
        "view": view,
        "state": state,
        "tone": tone,
        "light": light,
        "light_tone": light_tone,
        "doubt": calendar.doubt_about(view.lane.due_on) if view.lane.due_on is not None else {},
        "steps": steps,
        "open_tasks": [
            (t, *presenting.due_words(t, now=now, calendar=calendar), names.get(t.claimed_by) if t.claimed_by else "")
            for t in tasks
            if t.is_open
        ],
        "acts": acts.offered(view, tasks),
        "siblings": [(s, *presenting.state_words(s.state)) for s in view.siblings],
        "compared": presenting.compared(view),
        "given": [fact for fact in facts if fact.is_own],
        "held": [fact for fact in facts if not fact.is_own],
        "asked": presenting.supplement_of(view, catalogue.get_dictionary(on=on)),
        "me": actor,
        "outcome_words": presenting.outcome_words,
        "consent_words": presenting.consent_words,
        "procedure_words": presenting.procedure_words,
        "extension_words": presenting.extension_words,
        "review_words": presenting.review_words,
    }


@require_safe
@staff
def case_list(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Find cases by number or service, in any state."""
    now = timezone.now()
    right = next((r for r in (*CASE_RIGHTS, "cases.supervise") if r in actor.rights), CASE_RIGHTS[0])
    text, state = request.GET.get("q", "").strip()[:60], request.GET.get("state", "")
    found = cases.search_cases(
        scope=access.scope(actor=actor, right=right),
        actor=actor,
        now=now,
        text=text,
        states=[CaseState(state)] if state in set(CaseState) else [],
        after=request.GET.get("after", "")[:40],
    )
    rows = [(line, *presenting.state_words(line.state), *presenting.light_words(line.light)) for line in found.lines]
    states = [(s.value, presenting.state_words(s)[0]) for s in CaseState]
    return page(
        request,
        actor,
        "cases",
        "cases",
        rows=rows,
        text=text,
        state=state,
        states=states,
        following=found.next_after,
        may_export=bool(actor.rights & set(CASE_RIGHTS)),
    )


@require_safe
@staff
def case(request: HttpRequest, actor: Actor, case_id: UUID) -> HttpResponse:
    """Show a case: its flow, the facts its department may see with their sources, what happened, and what may be done."""
    now = timezone.now()
    view = cases.case_view(case_id=case_id, actor=actor, basis=reading(case_id), now=now)
    shown = _shown(view, actor, now)
    objectable = objections.sources_of(elements=[fact.element for fact in shown["held"]])
    booked = bookings.find_of_case(case_id=case_id, now=now)
    office = organizations.get_organization(organization_id=booked.organization_id).name if booked is not None else ""
    return page(
        request,
        actor,
        "case",
        "cases",
        objectable=objectable,
        booked=booked,
        booked_at=office,
        has_fees=bool(payments.list_of_case(case_id=case_id)) and access.allows(actor=actor, right="cases.handle"),
        **shown,
    )


@require_safe
@staff
def diagram(request: HttpRequest, actor: Actor, case_id: UUID) -> HttpResponse:
    """Answer a case's diagram with what is done, running and late, for drawing."""
    now = timezone.now()
    view = cases.case_view(case_id=case_id, actor=actor, basis=reading(case_id), now=now)
    if view.process_instance_id is None:
        raise Http404
    drawn = work.diagram_state(instance_id=view.process_instance_id, now=now)
    return JsonResponse(
        {
            "xml": drawn.xml.decode(),
            "states": {key: presenting.drawn_state(state) for key, state in drawn.elements.items()},
        }
    )


@require_safe
@staff
def file(request: HttpRequest, actor: Actor, case_id: UUID, digest: str) -> HttpResponse:
    """Give a file that the applicant handed in, to be saved: nothing of it runs in a page of ours."""
    found = cases.open_file(case_id=case_id, digest=digest, actor=actor, basis=reading(case_id), now=timezone.now())
    answer = HttpResponse(storage.get(found.digest), content_type=found.media_type)
    # Not the name that the applicant gave it: it may hold anybody's.
    answer["Content-Disposition"] = f'attachment; filename="{digest[:12]}{presenting.ending_of(found.media_type)}"'
    answer["Cache-Control"] = "no-store"
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer


@keeps_typed
@require_http_methods(["GET", "HEAD", "POST"])
@staff
def act(request: HttpRequest, actor: Actor, case_id: UUID, code: str) -> HttpResponse:
    """Take one of the law's acts on a case, after its effect was stated."""
    now = timezone.now()
    found = acts.PAGES.get(code)
    if found is None:
        raise Http404
    basis = reading(case_id)
    view = cases.case_view(case_id=case_id, actor=actor, basis=basis, now=now)
    if found not in acts.offered(view, work.list_tasks_of(business_key=str(case_id))):
        state, _tone = presenting.state_words(view.lane.state)
        messages.warning(request, _("This is no longer open: the case is “%(state)s”.") % {"state": state})
        return HttpResponseRedirect(reverse("workbench:case", kwargs={"case_id": case_id}))
    typed = typed_of(request)
    if typed is not None:
        typed["version"] = str(view.lane.version)
    form = found.form(request.POST or typed, initial={"version": view.lane.version})
    refused: tuple[str, str] | None = None
    if request.method == "POST" and form.is_valid():
        try:
            arguments = {**acts.target_of(found, view), **form.arguments()}
            if found.target == "case" and code not in {"request_extension"}:
                arguments["expected_version"] = form.cleaned_data.get("version")
            found.run(**arguments, actor=actor, now=now, basis=basis)
        except Refusal as refusal:
            refused = words_of(refusal)
        else:
            messages.success(
                request, _("Done: %(act)s, case %(number)s.") % {"act": found.label, "number": view.lane.number}
            )
            return HttpResponseRedirect(reverse("workbench:work_list"))
    return page(
        request,
        actor,
        "act",
        "work_list",
        view=view,
        act=found,
        form=form,
        effects=acts.effects(found, view),
        refused=refused,
    )


@require_POST
@staff
def next_task(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Claim the most urgent task that nobody has, and open it. Whoever was quicker got theirs; the next is tried."""
    now, scope = timezone.now(), scope_of(actor)
    for _attempt in range(5):
        found = work.work_list(scope=scope, now=now, filters=TaskFilters(unclaimed=True), page_size=5)
        for task in found.tasks:
            try:
                processes.claim_task(task_id=task.id, actor=actor, now=now, basis=reading(_key(task), task.id))
            except (TaskClaimedByAnother, TaskAlreadyDone, AccessRefused):
                continue
            return HttpResponseRedirect(f"{reverse('workbench:work_list')}?task={task.id}")
        if not found.tasks:
            break
    messages.info(request, _("Nothing waits that nobody has taken."))
    return HttpResponseRedirect(reverse("workbench:work_list"))


@require_POST
@staff
def task_act(request: HttpRequest, actor: Actor, task_id: UUID, verb: str) -> HttpResponse:
    """Take, give back or finish a step of a process."""
    now = timezone.now()
    task = work.get_task(task_id=task_id)
    basis = reading(_key(task), task_id)
    try:
        if verb == "claim":
            processes.claim_task(task_id=task_id, actor=actor, now=now, basis=basis)
        elif verb == "release":
            processes.release_task(task_id=task_id, actor=actor, now=now, basis=basis)
        elif verb == "complete":
            processes.complete_task(
                task_id=task_id, outcome=request.POST.get("outcome", "")[:60], actor=actor, now=now, basis=basis
            )
            messages.success(request, _("The step “%(title)s” is done.") % {"title": task.title})
        else:
            raise Http404
    except AccessRefused:
        raise  # another's step: not a word about it
    except Refusal as refusal:
        words, mend = words_of(refusal)
        messages.warning(request, f"{words} {mend}".strip())
    target = reverse("workbench:case", kwargs={"case_id": _key(task)})
    if request.POST.get("from") == "list":
        target = f"{reverse('workbench:work_list')}{'' if verb == 'complete' else f'?task={task_id}'}"
    return HttpResponseRedirect(target)


@require_http_methods(["GET", "HEAD", "POST"])
@staff
def hand_over(request: HttpRequest, actor: Actor, task_id: UUID) -> HttpResponse:
    """Hand a step over to a colleague of the same organisation, with the reason."""
    now = timezone.now()
    task = work.get_task(task_id=task_id)
    access.require(
        actor=actor,
        right=task.right_code or "cases.handle",
        organization_id=task.organization_id,
        division_code=task.division_code or None,
    )
    colleagues: list[tuple[str, str]] = []
    if task.organization_id is not None:
        accounts = organizations.accounts_of_organization(
            organization_id=task.organization_id, on=timezone.localdate(now)
        )
        names = identity.display_names(account_ids=accounts)
        colleagues = sorted((str(key), name) for key, name in names.items() if key != actor.account_id)
    form = HandOverForm(request.POST or None, colleagues=colleagues)
    refused: tuple[str, str] | None = None
    if request.method == "POST" and form.is_valid():
        try:
            processes.hand_over_task(
                task_id=task_id,
                to_account_id=UUID(form.cleaned_data["to_account_id"]),
                reason=form.cleaned_data["reason"],
                actor=actor,
                now=now,
            )
        except Refusal as refusal:
            refused = words_of(refusal)
        else:
            messages.success(request, _("Handed over."))
            return HttpResponseRedirect(reverse("workbench:work_list"))
    return page(
        request, actor, "hand_over", "work_list", task=task, form=form, refused=refused, colleagues=len(colleagues)
    )
