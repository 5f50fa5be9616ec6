"""Turns what the domains return into what the pages show: words, tones, times left. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from furong.domains.cases.values import CaseState, Light
from furong.domains.cases.values.procedures import PROCEDURE_NAMES, SpecialProcedure
from furong.domains.cases.values.views import CaseView
from furong.domains.catalogue.values import DataElement
from furong.domains.catalogue.wording import told
from furong.domains.processes.values import ElementState, Task
from furong.foundation.calendar.values import Calendar
from furong.foundation.web.texts import clock, day, text

# The kinds of user tasks that work lists are narrowed to.
TASK_KINDS = {
    "acceptance": gettext_lazy("Acceptance"),
    "review": gettext_lazy("Review"),
    "decision": gettext_lazy("Decision"),
}

STATE_TONES: Mapping[CaseState, str] = {
    CaseState.WAITING_PREREQUISITES: "wait",
    CaseState.SUBMITTED: "run",
    CaseState.TO_SUPPLEMENT: "late",
    CaseState.ACCEPTED: "run",
    CaseState.IN_PROGRESS: "run",
    CaseState.PAUSED: "wait",
    CaseState.APPROVED: "ok",
    CaseState.REJECTED: "over",
    CaseState.NOT_ACCEPTED: "over",
    CaseState.COMPLETED: "ok",
    CaseState.WITHDRAWN: "wait",
    CaseState.ABNORMAL_END: "over",
}


def state_words(state: CaseState) -> tuple[str, str]:
    """Give a case's state as words and a tone."""
    words = {
        CaseState.WAITING_PREREQUISITES: _("Waits for another item"),
        CaseState.SUBMITTED: _("Received"),
        CaseState.TO_SUPPLEMENT: _("Waits for the supplement"),
        CaseState.ACCEPTED: _("Accepted"),
        CaseState.IN_PROGRESS: _("In progress"),
        CaseState.PAUSED: _("Special procedure"),
        CaseState.APPROVED: _("Granted"),
        CaseState.REJECTED: _("Refused"),
        CaseState.NOT_ACCEPTED: _("Not accepted"),
        CaseState.COMPLETED: _("Finished"),
        CaseState.WITHDRAWN: _("Withdrawn"),
        CaseState.ABNORMAL_END: _("Ended without a decision"),
    }
    return words[state], STATE_TONES[state]


def light_words(light: Light) -> tuple[str, str]:
    """Give a case's light as words and a tone."""
    return {
        Light.GREEN: (_("In time"), "ok"),
        Light.YELLOW: (_("Nearly due"), "late"),
        Light.RED: (_("Past the promise"), "over"),
        Light.OVERDUE: (_("Past the legal limit"), "over"),
        Light.STOPPED: (_("Clock stopped"), "wait"),
        Light.NONE: (_("No clock"), "wait"),
    }[light]


def due_words(task: Task, *, now: dt.datetime, calendar: Calendar) -> tuple[str, str]:
    """Say in a few words when a task is due, and its tone: late, today with the hour, days left."""
    if task.due_at is None:
        return _("No deadline"), "wait"
    due, today = calendar.local_date(task.due_at), calendar.local_date(now)
    tone = {"red": "over", "yellow": "late"}.get(task.light(now).value, "run")
    if task.due_at <= now:
        days = calendar.working_days_between(due, today)
        if days == 0:
            return _("late since %(time)s") % {"time": clock(task.due_at)}, "over"
        return ngettext("%(days)s day late", "%(days)s days late", days) % {"days": days}, "over"
    if due == today:
        return _("today %(time)s") % {"time": clock(task.due_at)}, "late"
    days = calendar.working_days_between(today, due)
    if days > 60:
        return day(due), tone
    return ngettext("%(days)s working day", "%(days)s working days", days) % {"days": days}, tone


def steps_of(tasks: list[Task], now: dt.datetime) -> list[tuple[str, str, str]]:
    """Give a case's steps as name, state and words, in order: what readers see where the diagram cannot be drawn."""
    shown = []
    for task in tasks:
        if not task.is_open:
            done = task.ending == "completed"
            shown.append((task.title, "done" if done else "cancelled", _("done") if done else _("taken off")))
        elif task.light(now).value in {"red", "yellow"}:
            shown.append((task.title, "late", _("late")))
        else:
            shown.append((task.title, "running", _("running")))
    return shown


def drawn_state(state: ElementState) -> str:
    """Give the mark that the drawing knows for an element's state."""
    return "late" if state is ElementState.STUCK else state.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A fact of a case in words, with where it comes from."""

    element: str
    term: str
    value: str
    source: str
    is_own: bool
    withheld_from: str = ""  # the resource of which the reader's organisation holds no grant


def facts_of(view: CaseView, dictionary: Mapping[str, DataElement]) -> list[Fact]:
    """Write the facts that the case's department may see; keys of things, which say nothing to people, are left out."""
    facts = []
    for answer in view.answers:
        element = dictionary.get(answer.element)
        if element is not None and element.type == "id":
            continue
        own = answer.source in {"applicant", "supplement"}
        facts.append(
            Fact(
                element=answer.element,
                term=text(element.name) if element is not None else answer.element,
                value=told(element, answer.value),
                source=_("the applicant") if own else text(answer.source_label) or answer.source,
                is_own=own,
                withheld_from=answer.resource_code if answer.withheld else "",
            )
        )
    return facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A line of the notice of what is missing, with what came in: words, a file as ``(digest, name, size)``, or nothing yet."""

    what: str
    words: str
    file: tuple[str, str, str] | None


def supplement_of(view: CaseView, dictionary: Mapping[str, DataElement]) -> list[Asked]:
    """Write the notice of what is missing and its answers; empty when none was sent."""
    lines = []
    for line in view.supplement_lines:
        words = line.words
        if line.element and line.value is not None and line.file is None:
            words = told(dictionary.get(line.element), line.value)
        file = None
        if line.file is not None:
            size = int(line.file.get("size", 0))
            file = (str(line.file["digest"]), str(line.file.get("name", "")), f"{max(1, round(size / 1024)):,} KB")
        lines.append(Asked(what=text(line.what), words=words, file=file))
    return lines


_ENDINGS = {
    "application/pdf": ".pdf",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/heic": ".heic",
    "application/ofd": ".ofd",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
}


def ending_of(media_type: str) -> str:
    """Give what a file of this kind ends in; ``.bin`` for what we do not take in."""
    return _ENDINGS.get(media_type, ".bin")


def compared(view: CaseView) -> list[tuple[str, str, int]]:
    """Say which registers supplied the facts, and how many each: name, legal basis, count."""
    seen: dict[str, tuple[str, int]] = {}
    for answer in view.answers:
        if answer.source == "applicant" or answer.withheld:
            continue
        label = text(answer.source_label) or answer.source
        basis, count = seen.get(label, (answer.legal_basis, 0))
        seen[label] = (basis or answer.legal_basis, count + 1)
    return [(label, basis, count) for label, (basis, count) in seen.items()]


def outcome_words(outcome: str) -> str:
    """Give the words on the button that ends a step with ``outcome``."""
    words = {
        "passed": _("In order"),
        "failed": _("Not in order"),
        "done": _("Done"),
        "found": _("Found"),
        "none": _("Not found"),
        "corrected": _("Corrected"),
        "impossible": _("Cannot be corrected"),
        "answered": _("They have answered"),
        "lapsed": _("They have not answered"),
        "verified": pgettext("outcome", "Checked in person"),
        "handed_over": pgettext("outcome", "Handed over or sent"),
    }
    return words.get(outcome, outcome)


def consent_words(state: str) -> str:
    """Give the words for the state of a consent."""
    words = {
        "requested": _("asked for"),
        "given": _("given"),
        "refused": _("refused"),
        "lapsed": _("not answered in time"),
    }
    return words.get(state, state)


def procedure_words(procedure: str) -> str:
    """Give the name of a special procedure."""
    return text(PROCEDURE_NAMES[SpecialProcedure(procedure)])


def extension_words(state: str) -> str:
    """Give the words for the state of an extension."""
    return {"requested": _("asked for"), "approved": _("allowed"), "refused": _("not allowed")}.get(state, state)


def review_words(state: str) -> str:
    """Give the words for the state of a review."""
    return {"requested": _("asked for"), "upheld": _("upheld"), "reopened": _("opened again")}.get(state, state)
