"""Turns what cases return into what the components draw: tones, words, shares of a bar. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from furong.domains.cases.values import ENDED, ApplicationState, CaseState, Light
from furong.domains.cases.values.views import ApplicationView, Lane
from furong.domains.cases.values.wording import REASONS
from furong.foundation.audit.values import ReadOfPerson
from furong.foundation.packs.values import Text
from furong.foundation.web.texts import text
from furong.registries.licences.values import LicenceState
from furong.registries.population.values import FIELDS

# How an objection stands, and what was done to it, as the person who objected reads it.
OBJECTION_STATES: Mapping[str, tuple[Promise, str]] = {
    "filed": (gettext_lazy("Being checked"), "run"),
    "upheld": (gettext_lazy("Will be corrected"), "run"),
    "corrected": (gettext_lazy("Corrected"), "ok"),
    "refused": (gettext_lazy("Answered: it stands"), "wait"),
    "ruling_asked": (gettext_lazy("Before the data authority"), "run"),
    "confirmed": (gettext_lazy("Decided: it stands"), "wait"),
    "withdrawn": (gettext_lazy("Withdrawn"), "wait"),
}
OBJECTION_ACTS: Mapping[str, Promise] = {
    "file": gettext_lazy("You said that it is wrong"),
    "correct": gettext_lazy("The department corrected it"),
    "refuse": gettext_lazy("The department answered that it stands"),
    "ask_ruling": gettext_lazy("You asked for a ruling"),
    "uphold": gettext_lazy("The data authority decided that it is to be corrected"),
    "confirm": gettext_lazy("The data authority decided that it stands"),
    "withdraw": gettext_lazy("You withdrew"),
    "escalate": gettext_lazy("The department was late; the data authority was told"),
}

_GOOD = {CaseState.COMPLETED, CaseState.APPROVED}
_BAD = {CaseState.REJECTED, CaseState.NOT_ACCEPTED, CaseState.ABNORMAL_END}


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneShown:
    """A lane for the component: ``done`` and ``limit`` are shares of the bar."""

    name: str
    what: str
    tone: str
    label: str
    done: float
    limit: float | None
    reason: str
    lane: Lane


def state_words(state: ApplicationState) -> tuple[str, str]:
    """Give an application's state as words and a tone."""
    return {
        ApplicationState.SUBMITTED: (_("Handed in"), "run"),
        ApplicationState.IN_PROGRESS: (_("In progress"), "run"),
        ApplicationState.ACTION_NEEDED: (_("You are asked for something"), "late"),
        ApplicationState.COMPLETED: (_("Finished"), "ok"),
        ApplicationState.PARTLY_COMPLETED: (_("Finished in part"), "late"),
        ApplicationState.NOT_GRANTED: (_("Not granted"), "over"),
        ApplicationState.WITHDRAWN: (_("Withdrawn"), "wait"),
    }[state]


def lane_words(lane: Lane) -> tuple[str, str]:
    """Give a lane's state as words and a tone: what people want to know, which is how long it still takes."""
    fixed = {
        CaseState.COMPLETED: (_("Finished"), "ok"),
        CaseState.APPROVED: (_("Approved"), "ok"),
        CaseState.REJECTED: (_("Not granted"), "over"),
        CaseState.NOT_ACCEPTED: (_("Not accepted"), "over"),
        CaseState.WITHDRAWN: (_("Withdrawn"), "wait"),
        CaseState.ABNORMAL_END: (_("Ended"), "over"),
        CaseState.TO_SUPPLEMENT: (_("Waits for you"), "late"),
        CaseState.PAUSED: (_("Special procedure"), "wait"),
        CaseState.SUBMITTED: (_("Received"), "run"),
    }
    if lane.state in fixed:
        return fixed[lane.state]
    if lane.state is CaseState.WAITING_PREREQUISITES:
        if lane.waiting_for_consent:
            return _("Waits for consent"), "late"
        if lane.waiting_for:
            return _("Waits for %(what)s") % {"what": text(lane.waiting_for[0])}, "wait"
        return _("Waits"), "wait"
    if lane.light in {Light.RED, Light.OVERDUE}:
        return _("Past the promised day"), "over"
    if lane.light is Light.YELLOW:
        return _("Nearly due"), "late"
    if lane.limit_days:
        return _("Day %(used)s of %(limit)s") % {"used": max(lane.used_days, 1), "limit": lane.limit_days}, "run"
    return _("In progress"), "run"


def lanes_shown(lanes: tuple[Lane, ...]) -> list[LaneShown]:
    """Prepare lanes for the component."""
    shown = []
    for lane in lanes:
        label, tone = lane_words(lane)
        ended = lane.state in ENDED or lane.state is CaseState.APPROVED
        # The bar's length is half as long again as the promise, so that a limit stands inside it and can be passed.
        done = 1.0 if ended else min(lane.percent / 150, 1.0)
        if not ended and not done and lane.accepted_on is not None:
            done = 0.04
        timed = bool(lane.limit_days) and not ended and lane.accepted_on is not None
        shown.append(
            LaneShown(
                name=text(lane.organization_name) or lane.department,
                what=text(lane.item_name),
                tone=tone,
                label=label,
                done=done if lane.state is not CaseState.WITHDRAWN else 0.0,
                limit=1 / 1.5 if timed else None,
                reason=_why(lane),
                lane=lane,
            )
        )
    return shown


def _why(lane: Lane) -> str:
    """Say why an item ended without its result: in the department's words, else in those of the reason."""
    if lane.reason or lane.state not in _BAD:
        return lane.reason
    return text(REASONS.get(lane.end_reason, {}))


def head_words(view: ApplicationView) -> str:
    """Say how many days are left, or what has come of it."""
    if view.due_on is None or view.remaining_days is None:
        return ""
    if view.remaining_days < 0:
        count = -view.remaining_days
        return ngettext("%(count)s working day late", "%(count)s working days late", count) % {"count": count}
    if view.remaining_days == 0:
        return _("due today")
    count = view.remaining_days
    return ngettext("%(count)s working day left", "%(count)s working days left", count) % {"count": count}


def lanes_title(view: ApplicationView) -> str:
    """Say how many departments are at work."""
    at_work = {lane.organization_id for lane in view.lanes if lane.state not in ENDED}
    if not at_work:
        return _("How each department decided")
    count = len(at_work)
    return ngettext(
        "%(count)s department is working on it", "%(count)s departments are working on it side by side", count
    ) % {"count": count}


def licence_words(state: LicenceState) -> tuple[str, str]:
    """Give a licence's state as words and a tone."""
    return {
        LicenceState.VALID: (_("Valid"), "ok"),
        LicenceState.EXPIRED: (_("Expired"), "wait"),
        LicenceState.REVOKED: (_("Revoked"), "over"),
    }[state]


def field_words(name: str, labels: Mapping[str, Text]) -> str:
    """Say which of a person's facts was read, by the names of the dictionary and of certificates' fields."""
    last = name.rpartition(".")[2]
    if name in labels and name not in FIELDS:
        return text(labels[name])
    if name in FIELDS or last in FIELDS:
        zh, en = FIELDS.get(name) or FIELDS[last]
        return text({"zh": zh, "en": en})
    return {
        "application": _("application"),
        "portrait": _("Portrait"),
        "portrait_taken_on": _("Day on which the portrait was taken"),
        "identity_card": _("Identity card"),
        "file": _("a file that you handed in"),
        "objection": _("your objection"),
        "name_masked": _("name, masked"),
        "number": _("number"),
        "state": _("state"),
        "relation": _("family relation"),
        "children": _("children"),
        "household": _("household"),
        "certificate_number": _("certificate number"),
        "hospital_code": _("hospital"),
    }.get(last, last.replace("_", " "))


def purpose_words(purpose: str) -> str:
    """Say why: purposes that pages state are codes, those that staff write are their own words."""
    return {
        "application": _("your application"),
        "own_folder": _("your folder of licences"),
        "own_cards": _("to show you your identity cards"),
        "document": _("to write a document for you"),
        "prefill": _("to fill in your form"),
        "handling": _("to handle your application"),
        "check": _("someone checked a licence"),
        "objection": _("to answer your objection"),
    }.get(purpose, purpose)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadShown:
    """A line of *who read my data*: equal looks within the hour stand once, with how many there were."""

    who: str
    post: str
    at: dt.datetime
    times: int
    is_read: bool
    fields: tuple[tuple[str, str], ...]  # what it is called, and the element by which one objects to it, where one can
    purpose: str
    legal_basis: str
    grant: str = ""
    kept_back_until: dt.datetime | None = None
    entry_id: UUID | None = None  # of the newest of the looks


def gathered(
    reads: Sequence[ReadOfPerson], labels: Mapping[str, Text], objectable: Container[str] = ()
) -> list[ReadShown]:
    """Write reads for people, newest first, equal neighbours of one hour together. To ``objectable`` elements one can object."""
    shown: list[ReadShown] = []
    for read in reads:
        made = ReadShown(
            who=read.organization_label or (_("You") if read.by_self else _("The platform, without anyone looking")),
            post=read.post_label if read.actor_kind == "staff" else "",
            at=read.at,
            times=1,
            is_read=read.action == "read",
            fields=tuple(
                {field_words(name, labels): name if name in objectable else "" for name in read.fields}.items()
            ),
            purpose=_("for another person's affair; the law lets us name only who looked")
            if read.is_of_other
            else purpose_words(read.purpose),
            legal_basis=read.legal_basis,
            grant=read.grant,
            kept_back_until=read.kept_back_until,
            entry_id=read.entry_id,
        )
        last = shown[-1] if shown else None
        if (
            last is not None
            and replace(last, at=made.at, times=1, entry_id=made.entry_id) == made
            and last.at - made.at < dt.timedelta(hours=1)
        ):
            shown[-1] = replace(last, times=last.times + 1)
        else:
            shown.append(made)
    return shown
