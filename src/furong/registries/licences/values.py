"""Frozen values and pure rules of licences: types, numbers, verdicts. No I/O, no clock."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from furong.foundation.packs.values import Text


class TrustLevel(StrEnum):
    """How a licence came in (国办函〔2016〕108号): by its issuer, checked at a counter, uploaded, or declared by the holder."""

    ISSUED = "A"
    COUNTER = "B"
    UPLOADED = "C"
    DECLARED = "D"


class FieldKind(StrEnum):
    """What a field of a licence holds."""

    TEXT = "text"
    DATE = "date"
    DATETIME = "datetime"
    NUMBER = "number"
    CODE = "code"  # of a national code table
    LIST = "list"  # rows of plain fields


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldSpec:
    """A field of a licence type. ``element`` is the data element it fills; ``table`` the code table of a code."""

    code: str
    name: Text
    kind: FieldKind = FieldKind.TEXT
    required: bool = True
    element: str = ""
    table: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenceType:
    """A type of licence, as the pack defines it."""

    code: str
    name: Text
    seal: Text
    number: str
    fields: tuple[FieldSpec, ...]
    holder_name: str  # the field that is shown masked to whoever checks the licence
    is_public: bool = False  # its holder's name is public by law, an enterprise's: shown as it is
    trust: TrustLevel = TrustLevel.ISSUED
    valid_years: int = 0  # 0: without end
    legal_basis: Text | None = None
    notes: tuple[Text, ...] = ()
    line: int = 0

    def field(self, code: str) -> FieldSpec | None:
        """Return the field of that code, or None."""
        return next((one for one in self.fields if one.code == code), None)


_NUMBER_PART = re.compile(r"\{(year|division|sequence)(?::(\d{1,2}))?\}")


@dataclass(frozen=True, slots=True)
class NumberSeries:
    """Where the running number goes: ``before`` and ``after`` it, and how many digits it has at least."""

    before: str
    width: int
    after: str

    def number(self, running: int) -> str:
        """Return the licence number of a running number."""
        return f"{self.before}{running:0{self.width}d}{self.after}"


def number_series(pattern: str, *, issued_on: date, division_code: str) -> NumberSeries:
    """Fill a number pattern but for its running number; what is filled in names the series.

    ``{year}`` is the year of issue, ``{division:6}`` the first digits of the issuer's division, ``{sequence:6}`` the running
    number with leading zeros. A series restarts when anything before it changes. Raises ValueError without exactly one
    ``{sequence}``.
    """

    def fill(match: re.Match[str]) -> str:
        name, width = match.group(1), int(match.group(2) or 0)
        if name == "year":
            return str(issued_on.year)
        if name == "division":
            return division_code[: width or 6].ljust(width or 6, "0")
        return f"\0{width or 1}\0"

    parts = _NUMBER_PART.sub(fill, pattern).split("\0")
    if len(parts) != 3:
        raise ValueError("A number pattern holds {sequence} once.")
    return NumberSeries(parts[0], int(parts[1]), parts[2])


def pattern_problem(pattern: str) -> str:
    """Return what is wrong with a number pattern, or nothing."""
    left = _NUMBER_PART.sub("", pattern)
    if "{" in left or "}" in left:
        return "unknown part in braces"
    if sum(1 for m in _NUMBER_PART.finditer(pattern) if m.group(1) == "sequence") != 1:
        return "needs {sequence} once"
    return ""


def years_later(day: date, years: int) -> date:
    """Return the same day so many years later; 29 February becomes 1 March."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedLicence:
    """A licence that was issued; a repeat of its effect gives an equal one."""

    id: UUID
    type_code: str
    number: str
    token: str
    pdf_digest: str
    issued_at: datetime
    valid_from: date
    valid_until: date | None


class LicenceState(StrEnum):
    """How a licence stands."""

    VALID = "valid"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenceRecord:
    """A licence as its holder and its issuer see it."""

    id: UUID
    type_code: str
    type_name: Mapping[str, str]
    number: str
    token: str
    role: str  # of the person asked about: holder, guardian, or empty
    data: Mapping[str, Any] = field(repr=False)
    issuer_organization_id: UUID | None
    issuer: Mapping[str, str]
    case_id: UUID | None
    issued_at: datetime
    valid_from: date
    valid_until: date | None
    state: LicenceState
    revoked_at: datetime | None
    revoked_reason: str
    pdf_digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenceLine:
    """A licence in a list for staff; of the holder only a masked name."""

    id: UUID
    type_name: Mapping[str, str]
    number: str
    holder_masked: str
    issuer: Mapping[str, str]
    issued_at: datetime
    valid_until: date | None
    state: LicenceState


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownField:
    """A field of a licence as a page shows it, by language; the value of a list field is rows."""

    code: str
    label: Mapping[str, str]
    value: Mapping[str, Any] = field(repr=False)


class Finding(StrEnum):
    """What a check of a licence found."""

    VALID = "valid"
    EXPIRED = "expired"
    REVOKED = "revoked"
    ALTERED = "altered"  # the file bears our seal or names a document of ours, and is not the file we made
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The answer to a check, by QR code and by file alike. Of the holder only a masked name is told.

    ``type_code`` is empty for a sealed document that is no licence; ``type_name`` is then its title.
    """

    finding: Finding
    type_code: str = ""
    type_name: Mapping[str, str] = field(default_factory=dict)
    number: str = ""
    holder_masked: str = ""
    issuer: Mapping[str, str] = field(default_factory=dict)
    issued_at: datetime | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    revoked_at: datetime | None = None
    revoked_reason: str = ""
    pdf_digest: str = ""

    @property
    def is_good(self) -> bool:
        """Whether one may rely on it today."""
        return self.finding is Finding.VALID


def state_of(*, valid_until: date | None, revoked_at: datetime | None, today: date) -> LicenceState:
    """Return how a licence stands: revocation outweighs expiry."""
    if revoked_at is not None:
        return LicenceState.REVOKED
    if valid_until is not None and today >= valid_until:
        return LicenceState.EXPIRED
    return LicenceState.VALID
