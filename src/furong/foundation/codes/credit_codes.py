"""Unified social credit codes: GB 32100, with the organisation code of GB 11714 inside."""

from __future__ import annotations

import re
import unicodedata

from furong.foundation.codes.checks import CREDIT_ALPHABET, credit_check, is_reserved_division, organisation_check
from furong.foundation.codes.divisions import find_divisions
from furong.foundation.codes.errors import (
    CreditCodeCheckRefused,
    CreditCodeFormRefused,
    CreditCodeOrganisationRefused,
    CreditCodeRegistrarRefused,
)
from furong.foundation.codes.tables import REGISTRAR_KINDS
from furong.foundation.codes.values import CreditCode, NumberWarning

__all__ = ["make_credit_code", "parse_credit_code"]

_FORM = re.compile(rf"[{CREDIT_ALPHABET}]{{2}}[0-9]{{6}}[{CREDIT_ALPHABET}]{{10}}")
_SPACES = re.compile(r"[\s\u3000\u200b\ufeff-]+")
# The State Administration registers firms of the whole country, and of abroad, under 100000.
_NATIONAL = "100000"


def parse_credit_code(number: str) -> CreditCode:
    """Check a unified social credit code and return its parts.

    Both check characters are verified: the last one (MOD 31) and that of the organisation code in positions 9 to 17.
    A kind or division that the tables do not hold is a warning. Raises ``CreditCodeRefused`` with ``code``
    ``credit_code.form``, ``.registrar``, ``.check_digit`` or ``.organisation_check``. GB 32100-2015, GB 11714-1997.
    """
    text = _SPACES.sub("", unicodedata.normalize("NFKC", number[:64])).upper()
    if not _FORM.fullmatch(text):
        raise CreditCodeFormRefused
    kinds = REGISTRAR_KINDS.get(text[0])
    if kinds is None:
        raise CreditCodeRegistrarRefused
    if credit_check(text[:17]) != text[17]:
        raise CreditCodeCheckRefused
    organisation = text[8:17]
    if organisation_check(organisation[:8]) != organisation[8]:
        raise CreditCodeOrganisationRefused
    warnings: list[NumberWarning] = []
    if text[1] not in kinds:
        warnings.append(NumberWarning("credit_code.kind_unknown", "The second character names no kind that is known."))
    division = text[2:8]
    if division != _NATIONAL and not is_reserved_division(division) and not find_divisions(division):
        warnings.append(NumberWarning("credit_code.division_unknown", "The registering division is not known."))
    return CreditCode(text, text[0], text[1], division, organisation, tuple(warnings))


def make_credit_code(registrar: str, kind: str, division: str, serial: int) -> str:
    """Return a credit code with both check characters right, for demo data and tests.

    ``serial`` is 0 to 99,999,999 and fills the organisation code. Raises ``CreditCodeRefused`` ``credit_code.form``
    when the parts do not make a code.
    """
    if not 0 <= serial <= 99_999_999:
        raise CreditCodeFormRefused
    organisation = f"{serial:08d}"
    body = f"{registrar}{kind}{division}{organisation}{organisation_check(organisation)}"
    if registrar not in REGISTRAR_KINDS or not _FORM.fullmatch(body + "0"):
        raise CreditCodeFormRefused
    return body + credit_check(body)
