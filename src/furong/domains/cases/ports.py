"""What cases need from others and do not own: how services plan an application, and two registers outside the platform.

``binding`` binds the planner over services and the twins of ``twins.py``, which serve until the exchange carries the real ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from typing import Any, Protocol
from uuid import UUID

from furong.domains.cases.errors import PortNotBoundError, TwinUnavailableError
from furong.domains.cases.values.drafts import FormDescription
from furong.domains.cases.values.plans import Answer, ApplicationPlan, Text
from furong.foundation.access.values import Actor, Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedAnswers:
    """What a form made of a draft's answers: values by data element, or the problems by field."""

    by_element: Mapping[str, Any] = field(default_factory=dict, repr=False)
    problems: Mapping[str, Sequence[str]] = field(default_factory=dict)


class Services(Protocol):
    """How ``domains.services`` plans an application; its items, form and prefill."""

    def form_digest(self, *, life_event_code: str, item_codes: Sequence[str], on: date) -> str:
        """Return the digest of the form in force. Raises ItemNotOffered."""
        ...

    def describe_form(self, *, digest: str, item_codes: Sequence[str], on: date) -> FormDescription:
        """Return what a draft's migration needs to know of a form's version."""
        ...

    def check(
        self,
        *,
        digest: str,
        item_codes: Sequence[str],
        answers: Mapping[str, Any],
        known: Mapping[str, Answer],
        on: date,
        now: datetime,
    ) -> CheckedAnswers:
        """Check a whole draft against the form's version, what registers hold being ``known``."""
        ...

    def prefill(
        self,
        *,
        life_event_code: str,
        item_codes: Sequence[str],
        answers: Mapping[str, Any],
        actor: Actor,
        basis: Basis,
        on: date,
        now: datetime,
    ) -> Mapping[str, Answer]:
        """Return what registers hold for the form and its items, with the source of each."""
        ...

    def serves(self, *, life_event_code: str, item_codes: Sequence[str], kind: str, on: date) -> bool:
        """Tell whether every item is for a ``kind`` of applicant: person, enterprise or institution."""
        ...

    def responsible(
        self, *, item_code: str, department: str, division_code: str, answers: Mapping[str, Any], on: date
    ) -> tuple[UUID, str] | None:
        """Return the body that is responsible for an item by its answers, and the place by which it is."""
        ...

    def plan(
        self,
        *,
        life_event_code: str,
        item_codes: Sequence[str],
        division_code: str,
        answers: Mapping[str, Any],
        on: date,
    ) -> ApplicationPlan:
        """Say which cases an application makes there on that day. Raises ItemNotOffered, NobodyResponsible."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class BirthRecord:
    """What a hospital knows of a birth; the facts of a birth certificate (出生医学证明)."""

    record_id: UUID
    mother_person_id: UUID
    hospital_name: Text
    hospital_code: str
    division_code: str
    born_at: datetime
    sex: str
    weight_g: int
    length_mm: int
    gestation_weeks: int
    certificate_number: str


class BirthRecords(Protocol):
    """The hospitals' birth records."""

    def find_latest(self, *, mother_person_id: UUID) -> BirthRecord | None:
        """Return the latest birth of a mother. Raises TwinUnavailableError when the register
        does not answer.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MarriageRecord:
    """A marriage that stands, seen from one of the two."""

    record_id: UUID
    spouse_person_id: UUID
    certificate_number: str
    registered_on: date


class MarriageRegister(Protocol):
    """The marriage register of civil affairs."""

    def find_marriage(self, *, person_id: UUID, on: date) -> MarriageRecord | None:
        """Return the marriage a person is in on a day. Raises TwinUnavailableError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitBar:
    """Why a person may not leave the country: the ground of the Passport Law, who gave notice, until when (exclusive)."""

    ground: str
    authority: Text
    until_on: date | None


class ExitControl(Protocol):
    """The register of persons who may not leave the country, kept by the exit-entry administration."""

    def find_bar(self, *, person_id: UUID, on: date) -> ExitBar | None:
        """Return what stands against a person's leaving on a day, or None. Raises TwinUnavailableError."""
        ...


_bound: dict[str, Any] = {}


def bind(
    *,
    services: Services | None = None,
    birth_records: BirthRecords | None = None,
    marriages: MarriageRegister | None = None,
    exit_control: ExitControl | None = None,
) -> None:
    """Bind what is given; a later binding replaces an earlier one."""
    if services is not None:
        _bound["services"] = services
    if birth_records is not None:
        _bound["birth_records"] = birth_records
    if marriages is not None:
        _bound["marriages"] = marriages
    if exit_control is not None:
        _bound["exit_control"] = exit_control


def services() -> Services:
    """Return the bound planner. Raises PortNotBoundError."""
    found: Services = _of("services")
    return found


def birth_records() -> BirthRecords:
    """Return the bound hospitals' records. Raises PortNotBoundError."""
    found: BirthRecords = _of("birth_records")
    told = _told.get()
    return found if told is None else _BirthsOnce(found, told)


def marriages() -> MarriageRegister:
    """Return the bound marriage register. Raises PortNotBoundError."""
    found: MarriageRegister = _of("marriages")
    told = _told.get()
    return found if told is None else _MarriagesOnce(found, told)


def exit_control() -> ExitControl:
    """Return the bound register of who may not leave. Raises PortNotBoundError."""
    found: ExitControl = _of("exit_control")
    return found


_Told = dict[tuple[object, ...], Any]
_told: ContextVar[_Told | None] = ContextVar("furong_cases_told", default=None)


@contextmanager
def asked_once() -> Iterator[None]:
    """Let the registers outside be asked once for each question within, however often it comes up; a register
    that did not answer is not asked again.
    """
    token = _told.set({})
    try:
        yield
    finally:
        _told.reset(token)


@dataclass(frozen=True, slots=True)
class _BirthsOnce:
    register: BirthRecords
    told: _Told

    def find_latest(self, *, mother_person_id: UUID) -> BirthRecord | None:
        ask = partial(self.register.find_latest, mother_person_id=mother_person_id)
        found: BirthRecord | None = _once(self.told, ("birth", mother_person_id), ask)
        return found


@dataclass(frozen=True, slots=True)
class _MarriagesOnce:
    register: MarriageRegister
    told: _Told

    def find_marriage(self, *, person_id: UUID, on: date) -> MarriageRecord | None:
        ask = partial(self.register.find_marriage, person_id=person_id, on=on)
        found: MarriageRecord | None = _once(self.told, ("marriage", person_id, on), ask)
        return found


def _once(told: _Told, question: tuple[object, ...], ask: Callable[[], Any]) -> Any:
    if question not in told:
        try:
            told[question] = ask()
        except TwinUnavailableError as silent:
            told[question] = silent
    if isinstance(told[question], TwinUnavailableError):
        raise told[question]
    return told[question]


def is_bound(name: str) -> bool:
    """Tell whether something is bound to a port."""
    return name in _bound


def _of(name: str) -> Any:
    if name not in _bound:
        raise PortNotBoundError(f"Nothing is bound to the port {name}; binding.bind does it.")
    return _bound[name]
