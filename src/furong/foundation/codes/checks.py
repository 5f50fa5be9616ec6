"""The check-digit arithmetic, apart from any meaning."""

from __future__ import annotations

import re

__all__ = [
    "CREDIT_ALPHABET",
    "credit_check",
    "icao_check",
    "is_reserved_division",
    "mod_11_2",
    "organisation_check",
]

_MOD_11_2_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_MOD_11_2_DIGITS = "10X98765432"

# GB 32100 leaves out I, O, S, V and Z: they are misread as 1, 0, 5, U and 2.
CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CREDIT_VALUES = {char: value for value, char in enumerate(CREDIT_ALPHABET)}
_CREDIT_WEIGHTS = tuple(pow(3, i, 31) for i in range(17))

_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)

# GB/T 2260 never gave a county the numbers 90 to 99; the platform keeps those of one province for invented people,
# as telephone companies keep 555 for films.
_RESERVED_DIVISION = re.compile(r"43[0-9]{2}9[0-9]")


def is_reserved_division(code: str) -> bool:
    """Tell whether ``code`` (six digits) is kept for invented people; the table has no such code."""
    return _RESERVED_DIVISION.fullmatch(code) is not None


def mod_11_2(body: str) -> str:
    """Return the check character of 17 digits (GB 11643, ISO 7064 MOD 11-2)."""
    total = 0
    for char, weight in zip(body, _MOD_11_2_WEIGHTS, strict=True):
        total += int(char) * weight
    return _MOD_11_2_DIGITS[total % 11]


def credit_check(body: str) -> str:
    """Return the check character of 17 characters of a credit code (GB 32100, MOD 31)."""
    total = sum(_CREDIT_VALUES[char] * weight for char, weight in zip(body, _CREDIT_WEIGHTS, strict=True))
    return CREDIT_ALPHABET[(31 - total % 31) % 31]


def organisation_check(body: str) -> str:
    """Return the check character of the 8 characters of an organisation code (GB 11714)."""
    total = sum(int(char, 36) * weight for char, weight in zip(body, _ORGANISATION_WEIGHTS, strict=True))
    return "0X987654321"[total % 11]


def icao_check(body: str) -> str:
    """Return the check digit of machine-readable travel documents (ICAO 9303, weights 7-3-1)."""
    return str(sum(int(char, 36) * (7, 3, 1)[i % 3] for i, char in enumerate(body)) % 10)
