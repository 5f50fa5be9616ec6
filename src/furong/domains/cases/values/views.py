"""What the room's queries and commands return: values, never rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from furong.domains.cases.values.clock import Light
from furong.domains.cases.values.plans import Text
from furong.domains.cases.values.states import ApplicationState, CaseState
from furong.domains.cases.values.supplements import AnsweredLine


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """The application that a draft became; ``repeated`` when it had become one before."""

    application_id: UUID
    number: str
    repeated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftView:
    """A draft as its owner sees it."""

    id: UUID
    life_event_code: str
    item_codes: tuple[str, ...]
    division_code: str
    form_digest: str
    answers: Mapping[str, Any] = field(repr=False)
    kept_aside: Mapping[str, Any] = field(repr=False)
    pages_done: tuple[str, ...]
    to_check: tuple[Mapping[str, Any], ...]
    version: int
    created_at: datetime
    updated_at: datetime
    application_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationLine:
    """A line of a person's list."""

    id: UUID
    number: str
    title: Text
    state: ApplicationState
    submitted_at: datetime
    due_on: date | None
    cases_total: int
    cases_ended: int
    action_needed: bool
    to_rate: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One item of an application on its way: its department, state, clock, and what can be done now."""

    case_id: UUID
    number: str
    item_code: str
    item_name: Text
    result_name: Text
    department: str
    organization_id: UUID
    organization_name: Text
    state: CaseState
    version: int
    light: Light
    used_days: int
    limit_days: int
    unit: str
    percent: int
    yellow_percent: int
    accepted_on: date | None
    due_on: date | None
    statutory_due_on: date | None
    decided_on: date | None
    ended_on: date | None
    in_time: bool | None
    waiting_for: tuple[Text, ...]
    waiting_for_consent: bool
    end_reason: str
    reason: str
    remedies: tuple[Text, ...]
    supplement: SupplementView | None
    can_withdraw: bool
    can_rate: bool
    can_ask_review: bool
    rating: int | None
    call_back_id: UUID | None
    can_rate_again: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplementView:
    """What is missing and until when."""

    wanted: tuple[Mapping[str, Any], ...]
    reason: str
    requested_at: datetime
    due_on: date
    answered_at: datetime | None
    lapsed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """What happened, in plain words."""

    at: datetime
    code: str
    text: Text
    case_id: UUID | None
    item_name: Text
    document_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerView:
    """One fact of an application with its source. ``withheld``: why staff are not shown its value, as the code of a refusal, and
    then ``resource_code`` is what their organisation holds no grant of.
    """

    element: str
    value: Any = field(repr=False)
    source: str
    source_label: Text
    legal_basis: str
    withheld: str = ""
    resource_code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentView:
    """A numbered document and its service."""

    id: UUID
    case_id: UUID
    kind: str
    title: Text
    number: str
    issued_at: datetime
    ready: bool
    served_at: datetime | None
    opened_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentView:
    """A consent, as the person asked sees it or the applicant."""

    id: UUID
    case_id: UUID
    application_id: UUID
    application_number: str
    code: str
    statement: Text
    item_name: Text
    state: str
    requested_at: datetime
    due_on: date
    answered_at: datetime | None
    # What the person asked agrees to, as (label, value) in both languages; only where they read it themselves.
    facts: tuple[tuple[Text, Text], ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationView:
    """An application as the applicant sees it."""

    id: UUID
    number: str
    title: Text
    life_event_code: str
    state: ApplicationState
    division_code: str
    submitted_at: datetime
    due_on: date | None
    remaining_days: int | None
    lanes: tuple[Lane, ...]
    timeline: tuple[TimelineEntry, ...]
    answers: tuple[AnswerView, ...]
    outputs: Mapping[str, Any] = field(repr=False)
    documents: tuple[DocumentView, ...]
    consents: tuple[ConsentView, ...]
    can_withdraw: bool
    acts_for_other: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SiblingView:
    """Another item of the same application, as far as a department may know: that it is there and how far it is."""

    item_name: Text
    state: CaseState
    is_prerequisite: bool
    is_dependent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseView:
    """A special procedure of a case."""

    procedure: str
    legal_basis: str
    reason: str
    started_on: date
    expected_until_on: date | None
    ended_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionView:
    """An extension asked for."""

    id: UUID
    days: int
    reason: str
    state: str
    requested_at: datetime
    requested_by_account_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewView:
    """A review asked for."""

    id: UUID
    reason: str
    state: str
    requested_at: datetime
    due_on: date
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseView:
    """A case as its department sees it: the answers that its item declares, and nothing of the others'."""

    lane: Lane
    application_id: UUID
    application_number: str
    application_title: Text
    submitted_at: datetime
    division_code: str
    process_instance_id: UUID | None
    closure_digest: str
    legal_basis: str
    immediate: bool
    acceptance_due_on: date | None
    deemed_accepted: bool
    answers: tuple[AnswerView, ...]
    supplement_lines: tuple[AnsweredLine, ...]
    supplement_note: str = field(repr=False)
    outputs: Mapping[str, Any] = field(repr=False)
    people: Mapping[str, UUID] = field(repr=False)  # whom the application names, by role
    siblings: tuple[SiblingView, ...]
    timeline: tuple[TimelineEntry, ...]
    documents: tuple[DocumentView, ...]
    consents: tuple[ConsentView, ...]
    pauses: tuple[PauseView, ...]
    extensions: tuple[ExtensionView, ...]
    reviews: tuple[ReviewView, ...]
    acts: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnSupplement:
    """What an applicant handed in on a notice of what was missing, line by line, as they may read it again."""

    notice: SupplementView
    lines: tuple[AnsweredLine, ...]
    note: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFile:
    """A file that an applicant handed in. ``name`` is theirs, ``size`` in bytes."""

    digest: str
    name: str = field(repr=False)
    media_type: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseLine:
    """A case in a list for staff. No personal data."""

    case_id: UUID
    number: str
    item_code: str
    item_name: Text
    application_title: Text
    state: CaseState
    light: Light
    organization_id: UUID
    division_code: str
    submitted_at: datetime
    due_on: date | None
    statutory_due_on: date | None
    acceptance_due_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CasePage:
    """A page of cases; ``next_after`` asks for the following one and is empty at the end."""

    lines: tuple[CaseLine, ...]
    next_after: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisionRow:
    """How an organisation keeps its limits."""

    organization_id: UUID
    organization_name: Text
    division_code: str
    open: int
    stopped: int
    yellow: int
    red: int
    overdue: int
    acceptance_late: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceFigures:
    """Counts of service quality over a period; None where nothing was counted."""

    decided: int
    in_time_percent: float | None
    mean_used_days: float | None
    faster_than_promised_percent: float | None
    ratings: int
    satisfied_percent: float | None
    bad_ratings: int
    called_back: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CallBackView:
    """A bad rating that wants a call."""

    id: UUID
    case_id: UUID
    case_number: str
    item_name: Text
    organization_id: UUID
    level: int
    aspects: Mapping[str, bool]
    comment: str = field(repr=False)
    state: str
    opened_at: datetime
    contact_due_on: date
    fix_due_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFacts:
    """What a work list shows beside a task of ``processes``: the case it belongs to. No personal data."""

    case_id: UUID
    case_number: str
    item_name: Text
    application_title: Text
    state: CaseState
    light: Light
    due_on: date | None
    submitted_at: datetime
