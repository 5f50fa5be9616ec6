"""Rows into values: lanes, timelines, answers. Shared by the room's queries; knows nothing of who may see what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from furong.domains.cases import models
from furong.domains.cases.parameters import current_rules
from furong.domains.cases.values.clock import Clock, Light, count_days
from furong.domains.cases.values.documents import TITLES, DocumentKind
from furong.domains.cases.values.states import ENDED, WITHDRAWABLE, CaseState
from furong.domains.cases.values.views import (
    AnswerView,
    ConsentView,
    DocumentView,
    Lane,
    SupplementView,
    TimelineEntry,
)
from furong.domains.cases.values.wording import is_public, say
from furong.foundation.calendar import queries as calendars
from furong.foundation.organizations import queries as organizations

Text = Mapping[str, str]


def organization_names(ids: Iterable[UUID]) -> dict[UUID, Text]:
    """Return the names of organisations by key, as texts."""
    found = organizations.labels_of_organizations(organization_ids=set(ids))
    return {key: {"zh": name.zh, "en": name.en} for key, name in found.items()}


def light_of(case: models.Case, on: date) -> Light:
    """Return a case's light on a day; of an ended or decided case none."""
    if CaseState(case.state) in ENDED or case.decided_on is not None or not case.clock:
        return Light.NONE
    return Clock.from_json(case.clock).light(
        on=on, share_percent=current_rules(on=on).yellow_share_percent, calendar=calendars.current()
    )


def lane(
    case: models.Case,
    *,
    on: date,
    names: Mapping[UUID, Text],
    siblings: Iterable[models.Case] = (),
) -> Lane:
    """Make the lane of a case; related rows are expected to be prefetched."""
    clock = Clock.from_json(case.clock) if case.clock else None
    days = calendars.current()
    state = CaseState(case.state)
    limit = used = 0
    percent = 100 if state is CaseState.COMPLETED or case.decided_on else 0
    yellow_percent = current_rules(on=on).yellow_share_percent
    if clock is not None:
        limit = (clock.promised_days or clock.statutory_days) + clock.extension_days
        used = clock.used_days(on=on, calendar=days)
        if not percent and limit:
            # The running day is under way, so that a bar moves from the first day on.
            percent = min(100, round(100 * max(used, 0.5) / limit))
    by_item = {c.item_code: c for c in siblings}
    waiting: list[Text] = []
    if state is CaseState.WAITING_PREREQUISITES:
        waiting = [
            dict(by_item[code].item_name)
            for code in case.requires
            if code in by_item and by_item[code].state != CaseState.COMPLETED
        ]
    consents = list(case.consents.all())
    supplement = next(iter(_one(case, "supplement")), None)
    rating = next(iter(_one(case, "rating")), None)
    call_back = next(iter(_one(rating, "call_back")), None) if rating is not None else None
    refused = state in {CaseState.REJECTED, CaseState.NOT_ACCEPTED}
    return Lane(
        case_id=case.id,
        number=case.number,
        item_code=case.item_code,
        item_name=case.item_name,
        result_name=case.result_name,
        department=case.department,
        organization_id=case.organization_id,
        organization_name=names.get(case.organization_id, {"zh": "", "en": ""}),
        state=state,
        version=case.version,
        light=light_of(case, on),
        used_days=used if case.used_days is None else case.used_days,
        limit_days=limit,
        unit=clock.unit.value if clock is not None else str(case.terms.get("unit", "working")),
        percent=percent,
        yellow_percent=yellow_percent,
        accepted_on=case.accepted_on,
        due_on=case.promised_due_on,
        statutory_due_on=case.statutory_due_on,
        decided_on=case.decided_on,
        ended_on=case.ended_on,
        in_time=case.in_time,
        waiting_for=tuple(waiting),
        waiting_for_consent=any(c.state == "requested" for c in consents),
        end_reason=case.end_reason,
        reason=case.end_note,
        remedies=tuple(case.remedies),
        supplement=supplement_view(supplement) if supplement is not None else None,
        can_withdraw=state in WITHDRAWABLE,
        can_rate=state in ENDED and state is not CaseState.WITHDRAWN and rating is None,
        can_ask_review=refused and not list(case.reviews.all()),
        rating=rating.level if rating is not None else None,
        call_back_id=call_back.id if call_back is not None else None,
        can_rate_again=call_back is not None and call_back.state == "closed" and call_back.new_level is None,
    )


def _one(row: Any, name: str) -> list[Any]:
    """A one-to-one relation that may be missing, read from what was prefetched."""
    try:
        return [getattr(row, name)]
    except type(row)._meta.get_field(name).related_model.DoesNotExist:
        return []


def supplement_view(row: models.Supplement) -> SupplementView:
    """Return a supplement notice as a value, without the answers."""
    return SupplementView(
        wanted=tuple(row.wanted),
        reason=row.reason,
        requested_at=row.requested_at,
        due_on=row.due_on,
        answered_at=row.answered_at,
        lapsed_at=row.lapsed_at,
    )


def timeline(
    events: Iterable[models.CaseEvent], cases: Mapping[UUID, models.Case], *, public_only: bool
) -> tuple[TimelineEntry, ...]:
    """Put events into words, newest first."""
    lines = []
    for e in events:
        if public_only and not is_public(e.code):
            continue
        case = cases.get(e.case_id) if e.case_id else None
        document = e.params.get("document_id")
        lines.append(
            TimelineEntry(
                at=e.at,
                code=e.code,
                text=say(e.code, e.params),
                case_id=e.case_id,
                item_name=case.item_name if case is not None else {},
                document_id=UUID(document) if document else None,
            )
        )
    lines.sort(key=lambda line: line.at, reverse=True)
    return tuple(lines)


def answer_views(answers: Mapping[str, Any]) -> tuple[AnswerView, ...]:
    """Return stored answers as values."""
    return tuple(
        AnswerView(
            element=code,
            value=a.get("value"),
            source=a.get("source", "applicant"),
            source_label=a.get("source_label") or {},
            legal_basis=a.get("legal_basis", ""),
        )
        for code, a in answers.items()
    )


def document_view(row: models.Document) -> DocumentView:
    """Return a document as a value."""
    return DocumentView(
        id=row.id,
        case_id=row.case_id,
        kind=row.kind,
        title=TITLES[DocumentKind(row.kind)],
        number=row.number,
        issued_at=row.issued_at,
        ready=bool(row.file_digest),
        served_at=row.served_at,
        opened_at=row.opened_at,
    )


def consent_view(row: models.Consent) -> ConsentView:
    """Return a consent as a value."""
    return ConsentView(
        id=row.id,
        case_id=row.case_id,
        application_id=row.case.application_id,
        application_number=row.case.application.number,
        code=row.code,
        statement=row.statement,
        item_name=row.case.item_name,
        state=row.state,
        requested_at=row.requested_at,
        due_on=row.due_on,
        answered_at=row.answered_at,
    )


def remaining_days(due_on: date | None, on: date, unit: str) -> int | None:
    """Count the days left up to ``due_on``, None where nothing is due; negative when late."""
    from furong.domains.cases.values.clock import DayUnit

    if due_on is None:
        return None
    days = calendars.current()
    kind = DayUnit(unit)
    if due_on >= on:
        return count_days(after=on, until=due_on, unit=kind, calendar=days)
    return -count_days(after=due_on, until=on, unit=kind, calendar=days)
