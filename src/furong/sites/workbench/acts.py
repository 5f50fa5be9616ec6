"""The acts of the law on a case, as pages: which command, which form, and what taking it will do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from furong.domains.cases import commands as cases
from furong.domains.cases.values.procedures import SpecialProcedure
from furong.domains.cases.values.views import CaseView
from furong.domains.processes.values import Task
from furong.foundation.web.texts import text
from furong.sites.workbench import forms


@dataclass(frozen=True, slots=True, kw_only=True)
class ActPage:
    """One act: its words, its form, the command it calls, and whether it is the main one, a quiet one or a refusal."""

    code: str
    label: Promise
    form: type[forms.ActForm]
    run: Callable[..., object]
    kind: str = "quiet"  # "", quiet, warn: how its button looks
    target: str = "case"  # case, extension or review: whose key the command takes


def _pause(*, procedure: str, **rest: Any) -> object:
    return cases.pause_case(procedure=SpecialProcedure(procedure), **rest)


def _approve_extension(**rest: Any) -> object:
    return cases.decide_extension(approve=True, **rest)


def _refuse_extension(**rest: Any) -> object:
    return cases.decide_extension(approve=False, **rest)


def _uphold(**rest: Any) -> object:
    return cases.answer_review(uphold=True, **rest)


def _reopen(**rest: Any) -> object:
    return cases.answer_review(uphold=False, **rest)


_PAGES = (
    ActPage(code="accept", label=gettext_lazy("Accept"), form=forms.ActForm, run=cases.accept_case, kind=""),
    ActPage(code="approve", label=gettext_lazy("Grant"), form=forms.OpinionForm, run=cases.approve_case, kind=""),
    ActPage(
        code="request_supplement",
        label=gettext_lazy("Ask for a supplement"),
        form=forms.SupplementForm,
        run=cases.request_supplement,
    ),
    ActPage(
        code="resume", label=gettext_lazy("End the procedure"), form=forms.OutcomeForm, run=cases.resume_case, kind=""
    ),
    ActPage(code="pause", label=gettext_lazy("Begin a special procedure"), form=forms.PauseForm, run=_pause),
    ActPage(
        code="request_extension",
        label=gettext_lazy("Ask for more time"),
        form=forms.ReasonOnlyForm,
        run=cases.request_extension,
    ),
    ActPage(
        code="approve_extension",
        label=gettext_lazy("Allow more time"),
        form=forms.ActForm,
        run=_approve_extension,
        target="extension",
    ),
    ActPage(
        code="refuse_extension",
        label=gettext_lazy("Do not allow more time"),
        form=forms.ActForm,
        run=_refuse_extension,
        target="extension",
    ),
    ActPage(
        code="uphold_decision",
        label=gettext_lazy("Uphold the decision"),
        form=forms.AnswerForm,
        run=_uphold,
        target="review",
    ),
    ActPage(
        code="reopen_case",
        label=gettext_lazy("Open the case again"),
        form=forms.AnswerForm,
        run=_reopen,
        target="review",
    ),
    ActPage(
        code="refuse_acceptance",
        label=gettext_lazy("Do not accept"),
        form=forms.ReasonedForm,
        run=cases.refuse_acceptance,
        kind="warn",
    ),
    ActPage(
        code="reject",
        label=gettext_lazy("Refuse the application"),
        form=forms.ReasonedForm,
        run=cases.reject_case,
        kind="warn",
    ),
)
PAGES: Mapping[str, ActPage] = {act.code: act for act in _PAGES}
# What the query offers by one name and two pages answer.
_SPLIT = {
    "decide_extension": ("approve_extension", "refuse_extension"),
    "answer_review": ("uphold_decision", "reopen_case"),
}


def offered(view: CaseView, tasks: Iterable[Task]) -> list[ActPage]:
    """Give the pages of the acts that are open for the case, the main ones first. A decision waits for the steps before it."""
    codes: set[str] = set()
    for code in view.acts:
        codes.update(_SPLIT.get(code, (code,)))
    if "accept" in codes and not view.immediate:
        # Not for the spot: first accepted, then decided, so the decision is not offered yet.
        codes -= {"approve", "reject"}
    if any(task.is_open and task.kind == "review" for task in tasks):
        codes -= {"approve", "reject"}
    return [act for act in _PAGES if act.code in codes]


def target_of(act: ActPage, view: CaseView) -> dict[str, Any]:
    """Give the key the act's command takes: the case's, or that of the open extension or review."""
    if act.target == "extension":
        return {"extension_id": next(e.id for e in view.extensions if e.state == "requested")}
    if act.target == "review":
        return {"review_id": next(r.id for r in view.reviews if r.state == "requested")}
    return {"case_id": view.lane.case_id}


def effects(act: ActPage, view: CaseView) -> list[str]:
    """Say what taking the act will do, before it is taken."""
    lane = view.lane
    dependents = _("、").join(text(s.item_name) for s in view.siblings if s.is_dependent)
    told = _("The applicant is told at once, and a sealed document with its number goes into their mailbox.")
    lines: dict[str, list[str]] = {
        "accept": [
            _("The clock starts today: %(promised)s working days promised.") % {"promised": lane.limit_days or "—"},
            told,
        ],
        "approve": [
            _("“%(result)s” is issued, signed and put into the applicant's folder; the register is written first.")
            % {"result": text(lane.result_name)},
            *([_("These begin then: %(items)s.") % {"items": dependents}] if dependents else []),
            told,
        ],
        "reject": [
            told,
            _("The document names the reason and the remedies: reconsideration, or the court."),
            *([_("These cannot begin and end too: %(items)s.") % {"items": dependents}] if dependents else []),
        ],
        "refuse_acceptance": [
            told,
            _("The document names the reason and the remedies: reconsideration, or the court."),
            *([_("These cannot begin and end too: %(items)s.") % {"items": dependents}] if dependents else []),
        ],
        "request_supplement": [
            _("It can be asked once. The clock stands still until the supplement comes in."),
            told,
        ],
        "pause": [_("The clock stops until the procedure ends; its time is not counted."), told],
        "resume": [_("The clock runs on from today.")],
        "request_extension": [_("A superior other than you decides on it; the applicant is told of the reason.")],
        "approve_extension": [_("The limit moves, once; the applicant is told with the reason."), told],
        "refuse_extension": [_("The limit stays as it is.")],
        "uphold_decision": [_("The decision stands, and the applicant reads your answer.")],
        "reopen_case": [_("The case is received anew and handled again from the start.")],
    }
    return lines.get(act.code, [])
