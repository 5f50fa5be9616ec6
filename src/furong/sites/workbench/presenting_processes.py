"""Words and grades for the pages of processes: durations, states, causes of incidents, lines of the log. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from furong.domains.processes.values.insights import DiagramFigures, ElementFigures, Period, WeekFigures, heat
from furong.domains.processes.values.overseeing import InstanceState
from furong.foundation.web.texts import number

PERIODS = (7, 30, 90, 365)
SHOWN: Mapping[str, Promise] = {
    "counts": gettext_lazy("How often"),
    "durations": gettext_lazy("How long (median)"),
    "now": gettext_lazy("How many are here now"),
}
# What a token does at an element, by the number of the log's kind.
LOG: Mapping[int, tuple[Promise, str]] = {
    1: (gettext_lazy("arrived"), "run"),
    2: (gettext_lazy("done"), "ok"),
    3: (gettext_lazy("cancelled"), "wait"),
    4: (gettext_lazy("passed"), "ok"),
    5: (gettext_lazy("stuck"), "over"),
    6: (gettext_lazy("joined"), "wait"),
    7: (gettext_lazy("process started"), "run"),
    8: (gettext_lazy("process ended"), "ok"),
    9: (gettext_lazy("moved by an administrator"), "late"),
    10: (gettext_lazy("undone"), "late"),
}
# What could not go on, by the code of an incident's reason.
REASONS: Mapping[str, Promise] = {
    "handler_failed": gettext_lazy("The work failed after every retry"),
    "handler_unknown": gettext_lazy("Nothing here does this work"),
    "refused": gettext_lazy("A register or another part refused"),
    "message_unexpected": gettext_lazy("Nobody waits for the message"),
    "error_uncaught": gettext_lazy("It ended in an error that the diagram does not expect"),
    "condition_not_boolean": gettext_lazy("A condition is neither true nor false"),
    "no_way_taken": gettext_lazy("No way on fits, and there is no default"),
    "decision_failed": gettext_lazy("A decision table gave no answer"),
    "decision_missing": gettext_lazy("The decision was not published with the process"),
}
WHO: Mapping[str, Promise] = {
    "userTask": gettext_lazy("by a person"),
    "serviceTask": gettext_lazy("by the platform"),
    "sendTask": gettext_lazy("message sent"),
    "receiveTask": gettext_lazy("message awaited"),
    "businessRuleTask": gettext_lazy("by rules"),
    "scriptTask": gettext_lazy("by rules"),
    "manualTask": gettext_lazy("outside the platform"),
    "task": gettext_lazy("step"),
    "subProcess": gettext_lazy("part of the process"),
    "callActivity": gettext_lazy("another process"),
    "intermediateCatchEvent": gettext_lazy("event awaited"),
    "boundaryEvent": gettext_lazy("event at a step"),
    "eventBasedGateway": gettext_lazy("event awaited"),
    "startEvent": gettext_lazy("start"),
    "endEvent": gettext_lazy("end"),
}


def duration_words(seconds: float | None) -> str:
    """Say how long something took, in the two units that matter; a dash for nothing."""
    if seconds is None:
        return "—"
    if seconds < 1:
        return _("at once")
    if seconds < 90:
        return _("%(n)s s") % {"n": round(seconds)}
    minutes = round(seconds / 60)
    if minutes < 60:
        return _("%(n)s min") % {"n": minutes}
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        if not minutes:
            return _("%(n)s h") % {"n": hours}
        return _("%(h)s h %(m)s min") % {"h": hours, "m": minutes}
    return _("%(n)s days") % {"n": number(seconds / 86_400, 1)}


def short_duration(seconds: float | None) -> str:
    """Say how long something took, short enough for a badge on a diagram."""
    if seconds is None:
        return ""
    if seconds < 1:
        return "0"
    for unit, size in ((_("d"), 86_400), (_("h"), 3600), (_("min"), 60)):
        if seconds >= size:
            value = seconds / size
            return f"{value:.0f} {unit}" if value >= 10 else f"{value:.1f} {unit}"
    return f"{seconds:.0f} {_('s')}"


def state_words(state: InstanceState) -> tuple[str, str]:
    """Give how an instance stands as words and a tone."""
    return {
        InstanceState.RUNNING: (_("running"), "run"),
        InstanceState.SUSPENDED: (_("suspended"), "late"),
        InstanceState.STUCK: (_("stuck"), "over"),
        InstanceState.COMPLETED: (_("completed"), "ok"),
        InstanceState.CANCELLED: (_("ended early"), "wait"),
    }[state]


def reason_words(code: str) -> str:
    """Say what an incident's reason means; its code when nobody wrote words for it."""
    return str(REASONS.get(code, code))


def period_of(days: int, today: dt.date) -> Period:
    """Give the period of so many days that ends today."""
    return Period(from_on=today - dt.timedelta(days=days - 1), until_on=today)


def chosen_days(text: str) -> int:
    """Read the period that a page was asked for; 30 days when it was none of those offered."""
    return int(text) if text in {str(days) for days in PERIODS} else 30


def without_empty_end(weeks: list[WeekFigures]) -> list[WeekFigures]:
    """Leave out the earliest weeks in which nothing happened; the latest first, one at least."""
    shown = list(weeks)
    while len(shown) > 1 and shown[-1] == WeekFigures(monday=shown[-1].monday):
        shown.pop()
    return shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """One step of the legend: from the smallest to the greatest value that it stands for."""

    level: int
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatMap:
    """What is drawn: a grade and a badge for each element, a count for each flow, and the legend."""

    elements: Mapping[str, tuple[int, str]]
    flows: Mapping[str, str]
    legend: tuple[Grade, ...]


def heat_map(figures: DiagramFigures, shown: str) -> HeatMap:
    """Grade the elements by what is shown: counts, durations (median), or what is here now."""
    measures: dict[str, tuple[Callable[[ElementFigures], float], Callable[[float], str]]] = {
        "counts": (lambda one: float(one.visits), lambda value: number(value)),
        "durations": (lambda one: one.duration.median or 0.0, lambda value: short_duration(value)),
        "now": (lambda one: float(one.here), lambda value: number(value)),
    }
    value_of, words = measures[shown]
    values = {key: value_of(one) for key, one in figures.elements.items()}
    grades = heat(values)
    found: dict[int, list[float]] = {}
    for key, level in grades.items():
        found.setdefault(level, []).append(values[key])
    legend = tuple(Grade(level=level, words=_range(found[level], words)) for level in sorted(found))
    return HeatMap(
        elements={key: (level, words(values[key])) for key, level in grades.items()},
        flows={key: number(n) for key, n in figures.flows.items()} if shown == "counts" else {},
        legend=legend,
    )


def _range(values: Iterable[float], words: Callable[[float], str]) -> str:
    least, most = words(min(values := list(values))), words(max(values))
    return least if least == most else f"{least} – {most}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A row of the table that says what the heat map shows."""

    id: str
    name: str
    who: str
    figures: ElementFigures
    grade: int


def steps_of(
    elements: Iterable[tuple[str, str, str]], figures: DiagramFigures, grades: Mapping[str, tuple[int, str]]
) -> list[Step]:
    """Give the elements in the order of the file: those that people know as steps, and whatever else has a name and figures."""
    found = []
    for key, name, tag in elements:
        own = figures.elements.get(key)
        if tag.endswith("Gateway") and tag != "eventBasedGateway":
            continue
        if tag not in WHO or (own is None and tag in {"startEvent", "endEvent", "boundaryEvent"}):
            continue
        found.append(
            Step(
                id=key,
                name=name or key,
                who=str(WHO[tag]),
                figures=own or ElementFigures(element_id=key),
                grade=grades.get(key, (0, ""))[0],
            )
        )
    return found
