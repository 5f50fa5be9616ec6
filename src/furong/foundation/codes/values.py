"""Frozen values of the identity numbers, credit codes, divisions and code tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

__all__ = [
    "CodeItem",
    "CodeTable",
    "CreditCode",
    "Division",
    "IdentityKind",
    "IdentityNumber",
    "NumberWarning",
    "Sex",
]


class Sex(StrEnum):
    """GB/T 2261.1."""

    UNKNOWN = "0"
    MALE = "1"
    FEMALE = "2"
    UNSTATED = "9"


class IdentityKind(StrEnum):
    """Which document the number stands on."""

    CITIZEN = "citizen"  # GB 11643-1999, 18 characters
    CITIZEN_15 = "citizen_15"  # GB 11643-1989, 15 digits, no century and no check digit
    HONG_KONG_PERMIT = "hong_kong_permit"  # residence permit, prefix 810000
    MACAU_PERMIT = "macau_permit"  # residence permit, prefix 820000
    TAIWAN_PERMIT = "taiwan_permit"  # residence permit, prefix 830000
    FOREIGNER = "foreigner"  # permanent residents, 2023 card, 18 digits that start with 9
    FOREIGNER_OLD = "foreigner_old"  # permanent residents, earlier card, 3 letters and 12 digits


@dataclass(frozen=True, slots=True)
class NumberWarning:
    """Something odd that does not make a number wrong: a stable ``code`` and a sentence without the number."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class IdentityNumber:
    """An identity number that passed, with what it says about its holder.

    ``birth_on`` is None where the number carries none, ``division_code`` is where it was first registered
    (GB/T 2260; None for an old foreign card), ``nationality`` is ISO 3166-1 (three digits on the 2023 card, three
    letters on the old one).
    """

    kind: IdentityKind
    number: str
    birth_on: date | None
    sex: Sex
    division_code: str | None
    warnings: tuple[NumberWarning, ...] = ()
    nationality: str | None = None

    @property
    def number_18(self) -> str:
        """The 18-character form: a 15-digit number with its century and check digit added, any other as it is."""
        if self.kind is not IdentityKind.CITIZEN_15 or self.birth_on is None:
            return self.number
        from furong.foundation.codes.checks import mod_11_2

        body = f"{self.number[:6]}{self.birth_on:%Y%m%d}{self.number[12:]}"
        return body + mod_11_2(body)

    @property
    def is_reserved(self) -> bool:
        """Whether the number belongs to an invented person."""
        from furong.foundation.codes.checks import is_reserved_division

        return self.division_code is not None and is_reserved_division(self.division_code)

    def __repr__(self) -> str:
        # A repr ends up in logs and tracebacks: it shows no personal data.
        return f"IdentityNumber(kind={self.kind.value!r}, number='***')"

    __str__ = __repr__


@dataclass(frozen=True, slots=True)
class CreditCode:
    """A unified social credit code (GB 32100) and its parts."""

    number: str
    registrar: str
    kind: str
    division_code: str
    organisation_code: str
    warnings: tuple[NumberWarning, ...] = ()


@dataclass(frozen=True, slots=True)
class Division:
    """One name that a six-digit code bore (GB/T 2260); years are inclusive, None means open."""

    code: str
    name: str
    from_year: int | None
    to_year: int | None
    province: str

    @property
    def is_current(self) -> bool:
        """Whether the code still bears this name."""
        return self.to_year is None


@dataclass(frozen=True, slots=True)
class CodeItem:
    """One row of a code table."""

    code: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class CodeTable:
    """A national code table: its standard, its title and its items in order."""

    name: str
    standard: str
    zh: str
    en: str
    items: Mapping[str, CodeItem]

    def __contains__(self, code: object) -> bool:
        return code in self.items

    def label(self, code: str, language: str = "zh") -> str:
        """Return the label of ``code`` in ``language`` (``zh`` or ``en``), or the code itself when it is unknown."""
        item = self.items.get(code)
        if item is None:
            return code
        return item.en if language.startswith("en") else item.zh
