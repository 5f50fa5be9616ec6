"""Identity numbers: GB 11643 and the numbers that stand in for it."""

from __future__ import annotations

import re
import unicodedata
from datetime import date

from furong.foundation.codes.checks import icao_check, is_reserved_division, mod_11_2
from furong.foundation.codes.divisions import find_divisions
from furong.foundation.codes.errors import (
    IdentityNumberBirthRefused,
    IdentityNumberCheckRefused,
    IdentityNumberFormRefused,
    IdentityNumberFutureRefused,
    IdentityNumberNotReserved,
    IdentityNumberReserved,
    IdentityNumberSequenceRefused,
)
from furong.foundation.codes.values import IdentityKind, IdentityNumber, NumberWarning, Sex

__all__ = ["make_identity_number", "parse_identity_number"]

_FORM_18 = re.compile(r"[0-9]{17}[0-9X]")
_FORM_15 = re.compile(r"[0-9]{15}")
_FORM_FOREIGNER_OLD = re.compile(r"[A-Z]{3}[0-9]{12}")
_PERMITS = {
    "810000": IdentityKind.HONG_KONG_PERMIT,
    "820000": IdentityKind.MACAU_PERMIT,
    "830000": IdentityKind.TAIWAN_PERMIT,
}
_PROVINCES = frozenset(
    (*range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55), *range(61, 66), 71, 81, 82)
)
# People now alive, and the registers' oldest closed entries, are younger than this.
_FIRST_BIRTH_YEAR = 1800
# The old card for foreigners was issued until the 2023 one replaced it, so a two-digit year above 23 is of the 1900s.
_FOREIGNER_OLD_LAST_YEAR = 23
_SPACES = re.compile(r"[\s\u3000\u200b\u200e\u200f\ufeff-]+")


def parse_identity_number(number: str, *, allow_reserved: bool = False, today: date | None = None) -> IdentityNumber:
    """Check an identity number and return what it says.

    ``number`` may hold spaces, hyphens, full-width digits or a small x. ``allow_reserved`` accepts the numbers of
    invented people and is for demo data and tests alone. With ``today`` (a local date) a birth after it is refused.
    A division that was never assigned, or was given up before the birth, is a warning: people are born
    elsewhere and tables lag. Raises ``IdentityNumberRefused`` with ``code`` ``identity_number.form``, ``.check_digit``,
    ``.birth_date``, ``.birth_in_future``, ``.sequence`` or ``.reserved``. Costs a few microseconds.
    GB 11643; Order of the State Council on residence permits 2018; the foreigners' cards of 2004 and 2023.
    """
    text = _SPACES.sub("", unicodedata.normalize("NFKC", number[:64])).upper()
    if _FORM_18.fullmatch(text):
        return _parse_18(text, allow_reserved=allow_reserved, today=today)
    if _FORM_15.fullmatch(text):
        return _parse_15(text, allow_reserved=allow_reserved, today=today)
    if _FORM_FOREIGNER_OLD.fullmatch(text):
        return _parse_foreigner_old(text)
    raise IdentityNumberFormRefused


def _birth(year: int, month: int, day: int, today: date | None) -> date:
    try:
        birth_on = date(year, month, day)
    except ValueError:
        birth_on = None
    if birth_on is None or birth_on.year < _FIRST_BIRTH_YEAR:
        raise IdentityNumberBirthRefused
    if today is not None and birth_on > today:
        raise IdentityNumberFutureRefused
    return birth_on


def _sex(sequence: str) -> Sex:
    return Sex.MALE if int(sequence) % 2 else Sex.FEMALE


def _parse_18(text: str, *, allow_reserved: bool, today: date | None) -> IdentityNumber:
    if mod_11_2(text[:17]) != text[17]:
        raise IdentityNumberCheckRefused
    birth_on = _birth(int(text[6:10]), int(text[10:12]), int(text[12:14]), today)
    sex = _sex(text[14:17])
    if text[0] == "9":
        area = text[1:3]
        warnings = () if int(area) in _PROVINCES else (_unknown_division(),)
        return IdentityNumber(
            IdentityKind.FOREIGNER, text, birth_on, sex, f"{area}0000", warnings, nationality=text[3:6]
        )
    division = text[:6]
    permit = _PERMITS.get(division)
    if permit is not None:
        return IdentityNumber(permit, text, birth_on, sex, division)
    return IdentityNumber(
        IdentityKind.CITIZEN, text, birth_on, sex, division, _check_division(division, birth_on, allow_reserved)
    )


def _parse_15(text: str, *, allow_reserved: bool, today: date | None) -> IdentityNumber:
    # Sequences 996 to 999 were kept for people past a hundred when the numbers were given out.
    century = 1800 if text[12:] >= "996" else 1900
    birth_on = _birth(century + int(text[6:8]), int(text[8:10]), int(text[10:12]), today)
    division = text[:6]
    return IdentityNumber(
        IdentityKind.CITIZEN_15,
        text,
        birth_on,
        _sex(text[12:]),
        division,
        _check_division(division, birth_on, allow_reserved),
    )


def _parse_foreigner_old(text: str) -> IdentityNumber:
    year = int(text[7:9])
    warnings: list[NumberWarning] = []
    century = 1900
    if year <= _FOREIGNER_OLD_LAST_YEAR:
        century = 2000
        warnings.append(
            NumberWarning("identity_number.century_assumed", "The card shows two digits of the birth year.")
        )
    birth_on = _birth(century + year, int(text[9:11]), int(text[11:13]), None)
    if icao_check(text[:14]) != text[14]:
        # The rule of this digit was never published, so a difference is not proof of an error.
        warnings.append(NumberWarning("identity_number.check_digit_unusual", "The last digit does not fit the others."))
    return IdentityNumber(
        IdentityKind.FOREIGNER_OLD, text, birth_on, Sex.UNKNOWN, None, tuple(warnings), nationality=text[:3]
    )


def _unknown_division() -> NumberWarning:
    return NumberWarning("identity_number.division_unknown", "The first six digits are of no division that is known.")


def _check_division(division: str, birth_on: date, allow_reserved: bool) -> tuple[NumberWarning, ...]:
    if is_reserved_division(division):
        if not allow_reserved:
            raise IdentityNumberReserved
        return ()
    held = find_divisions(division)
    if not held:
        return (_unknown_division(),)
    # Numbers were first given out in 1984 and from then on at registration, so a code younger than its holder is
    # normal; one that ended before the holder's birth is not.
    if all(one.to_year is not None and one.to_year < birth_on.year for one in held):
        return (
            NumberWarning(
                "identity_number.division_ended", "The division was given up before the birth in the number."
            ),
        )
    return ()


def make_identity_number(division: str, birth_on: date, sequence: int) -> str:
    """Return the 18-character number of an invented person.

    ``division`` is six digits of the reserved block, ``sequence`` 1 to 999 (odd male, even female). Raises
    ``IdentityNumberRefused`` ``identity_number.not_reserved`` for a division that real people carry, ``.sequence``
    for a sequence out of range. GB 11643.
    """
    if not is_reserved_division(division):
        raise IdentityNumberNotReserved
    if not 1 <= sequence <= 999:
        raise IdentityNumberSequenceRefused
    body = f"{division}{birth_on:%Y%m%d}{sequence:03d}"
    return body + mod_11_2(body)
