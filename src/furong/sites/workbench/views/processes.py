"""Processes seen: all of them, one as a heat map, its instances by state, and what waits at which department."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from furong.domains.decisions import queries as decisions
from furong.domains.processes import insights, overseeing
from furong.domains.processes import queries as processes
from furong.domains.processes.errors import DefinitionUnknown
from furong.domains.processes.values import PageKey, parse_bpmn
from furong.domains.processes.values.insights import DepartmentLoad, DiagramFigures
from furong.domains.processes.values.overseeing import InstanceState
from furong.domains.processes.values.work import DefinitionText
from furong.foundation.access.values import Actor, Scope
from furong.foundation.organizations import queries as organizations
from furong.foundation.packs import queries as packs
from furong.sites.workbench import presenting_processes as shown
from furong.sites.workbench import words
from furong.sites.workbench.desk import page
from furong.sites.workbench.guards import needs

SEEN_BY = overseeing.SEEN_BY
PROCESS_RIGHTS = ("definitions.publish", *SEEN_BY)
PAGE_SIZE = 50
_MOST_ORGANIZATIONS = 50


@require_safe
@needs(*PROCESS_RIGHTS)
def process_list(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List the processes that are in force or have run: versions, what is open, what is stuck, how long they take."""
    now, scope = timezone.now(), overseeing.seen_by(actor=actor)
    days = shown.chosen_days(request.GET.get("days", ""))
    found = insights.overview(scope=scope, period=shown.period_of(days, timezone.localdate(now)))
    ran = {one.code for one in found.definitions}
    waiting = [
        {"code": one.code, "name": _name(one.digest), "release": one}
        for one in packs.list_current_releases(kind="process", on=timezone.localdate(now))
        if one.code not in ran
    ]
    totals = {
        name: sum(getattr(one, name) for one in found.definitions) for name in ("open", "stuck", "suspended", "started")
    }
    totals["completed"] = sum(one.completed.n for one in found.definitions)
    departments, _organizations = insights.departments(scope=scope, now=now)
    return page(
        request,
        actor,
        "processes/all",
        "processes",
        found=found,
        waiting=waiting,
        totals=totals,
        overdue=sum(one.overdue for one in departments),
        tasks=sum(one.open for one in departments),
        days=days,
        periods=shown.PERIODS,
        duration=shown.duration_words,
        sees=not scope.is_empty,
    )


def _name(digest: str) -> str:
    graph = parse_bpmn(packs.get_definition(digest=digest).content, file="process.bpmn", check=False)
    return graph.name or graph.code


@require_safe
@needs(*PROCESS_RIGHTS)
def process(request: HttpRequest, actor: Actor, digest: str) -> HttpResponse:
    """Show a version of a process as a heat map, and beside it in tables: steps, bottlenecks, rework, weeks, departments."""
    now, scope = timezone.now(), overseeing.seen_by(actor=actor)
    found, figures, chosen = _figures(request, digest, scope)
    drawn = shown.heat_map(figures, chosen["show"])
    names = {key: name or key for key, name, _tag in found.elements}
    running = processes.count_running(scope=scope, codes=[found.code])
    departments, _by_organization = insights.departments(
        scope=scope, now=now, digest=digest, all_versions=chosen["versions"] == "all"
    )
    rules = [(name, decisions.describe_dmn(text.encode(), file=name)) for name, text in sorted(found.decisions.items())]
    bottlenecks = figures.bottlenecks()
    return page(
        request,
        actor,
        "processes/one",
        "processes",
        found=found,
        figures=figures,
        heat=drawn,
        steps=shown.steps_of(found.elements, figures, drawn.elements),
        names=names,
        chosen=chosen,
        query=_query(chosen),
        periods=shown.PERIODS,
        kinds=shown.SHOWN,
        bottlenecks=bottlenecks,
        all_waited=sum(one.waited_seconds for one in figures.elements.values()),
        rework=figures.rework(),
        flows=_flows(found, figures, names),
        weeks=shown.without_empty_end(
            insights.weeks(
                digest=digest,
                scope=scope,
                period=shown.period_of(chosen["days"], timezone.localdate(now)),
                all_versions=chosen["versions"] == "all",
            )
        ),
        departments=[(one, _department_names().get(one.department, one.department)) for one in departments],
        open_now=sum(running.values()) if chosen["versions"] == "all" else running.get(digest, 0),
        stuck_now=sum(one.stuck_now for one in figures.elements.values()),
        versions=[(one, running.get(one.digest, 0)) for one in processes.list_definitions(code=found.code)],
        rules=rules,
        policies=words.POLICIES,
        duration=shown.duration_words,
        now=now,
        may_administer="processes.administer" in actor.rights,
        sees=not scope.is_empty,
    )


def _figures(request: HttpRequest, digest: str, scope: Scope) -> tuple[DefinitionText, DiagramFigures, dict[str, Any]]:
    show = request.GET.get("show", "")
    chosen = {
        "show": show if show in shown.SHOWN else "counts",
        "days": shown.chosen_days(request.GET.get("days", "")),
        "versions": "all" if request.GET.get("versions") == "all" else "this",
    }
    try:
        found = processes.get_definition(digest=digest)
        figures = insights.diagram(
            digest=digest,
            scope=scope,
            period=shown.period_of(int(str(chosen["days"])), timezone.localdate()),
            now=timezone.now(),
            all_versions=chosen["versions"] == "all",
        )
    except DefinitionUnknown as missing:
        raise Http404 from missing
    return found, figures, chosen


def _query(chosen: dict[str, Any], **other: object) -> str:
    return "&".join(f"{name}={value}" for name, value in {**chosen, **other}.items())


def _flows(found: DefinitionText, figures: DiagramFigures, names: dict[str, str]) -> list[tuple[str, str, int]]:
    """Give the flows that were taken with the names of their ends, the most taken first."""
    ends = {flow: (names.get(source, source), names.get(target, target)) for flow, source, target in _ends(found)}
    rows = [(*ends[flow], n) for flow, n in figures.flows.items() if flow in ends]
    return sorted(rows, key=lambda row: (-row[2], row[0], row[1]))


def _ends(found: DefinitionText) -> list[tuple[str, str, str]]:
    graph = parse_bpmn(found.xml, file=found.file, check=False)
    return [(flow.id, flow.source, flow.target) for node in graph.nodes.values() for flow in node.outgoing]


def _department_names() -> dict[str, Any]:
    return {one.code: one.name for one in organizations.list_departments()}


@require_safe
@needs(*PROCESS_RIGHTS)
def process_diagram(request: HttpRequest, actor: Actor, digest: str) -> HttpResponse:
    """Give the drawing of a version with the grades, badges and counts of its heat map."""
    found, figures, chosen = _figures(request, digest, overseeing.seen_by(actor=actor))
    drawn = shown.heat_map(figures, chosen["show"])
    return JsonResponse(
        {
            "xml": found.xml.decode(),
            "states": {},
            "heat": {key: {"level": level, "badge": badge} for key, (level, badge) in drawn.elements.items()},
            "stuck": [one.element_id for one in figures.elements.values() if one.stuck_now],
            "flows": drawn.flows,
        }
    )


@require_safe
@needs(*SEEN_BY)
def instance_list(request: HttpRequest, actor: Actor, digest: str) -> HttpResponse:
    """List the instances of a version (or of all versions) in one state, page by page."""
    state = request.GET.get("state", "")
    wanted = InstanceState(state) if state in set(InstanceState) else InstanceState.RUNNING
    every = request.GET.get("versions") == "all"
    days = shown.chosen_days(request.GET.get("days", ""))
    try:
        after = PageKey.parse(request.GET["after"]) if request.GET.get("after") else None
    except ValueError:
        after = None
    try:
        found = processes.get_definition(digest=digest)
    except DefinitionUnknown as missing:
        raise Http404 from missing
    listed = overseeing.list_instances(
        scope=overseeing.seen_by(actor=actor),
        state=wanted,
        code=found.code if every else "",
        digest="" if every else digest,
        ended_from=timezone.now() - timedelta(days=days),
        page_size=PAGE_SIZE,
        after=after,
    )
    names = {key: name or key for key, name, _tag in found.elements}
    labels = organizations.labels_of_organizations(
        organization_ids={one.organization_id for one in listed.instances if one.organization_id}
    )
    return page(
        request,
        actor,
        "processes/instances",
        "processes",
        found=found,
        listed=listed,
        names=names,
        labels=labels,
        state=wanted,
        states=[(one, *shown.state_words(one)) for one in InstanceState],
        every=every,
        days=days,
        periods=shown.PERIODS,
        following=listed.following.text() if listed.following else "",
        continued=after is not None,
    )


@require_safe
@needs(*SEEN_BY)
def waiting(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show what waits for people, by department and by organisation, those with most overdue first."""
    now = timezone.now()
    departments, by_organization = insights.departments(scope=overseeing.seen_by(actor=actor), now=now)
    cut: list[DepartmentLoad] = by_organization[:_MOST_ORGANIZATIONS]
    names = _department_names()
    return page(
        request,
        actor,
        "processes/waiting",
        "waiting",
        departments=[(one, names.get(one.department, one.department)) for one in departments],
        most=max((one.open for one in departments), default=0),
        by_organization=[(one, names.get(one.department, one.department)) for one in cut],
        labels=organizations.labels_of_organizations(organization_ids=insights.labels_of(cut)),
        left=len(by_organization) - len(cut),
        totals={name: sum(getattr(one, name) for one in departments) for name in ("open", "overdue", "claimed")},
        duration=shown.duration_words,
        now=now,
    )
