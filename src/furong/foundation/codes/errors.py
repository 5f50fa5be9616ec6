"""The two families of errors that every room's own errors belong to.

A *refusal* states a fact the person can act on; a *fault* is the operator's. Each has a stable ``code``. Neither carries personal
data, and neither knows HTTP: ``foundation.web`` holds the one table from codes to problem details (RFC 9457).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

__all__ = [
    "CodeRefused",
    "CreditCodeCheckRefused",
    "CreditCodeFormRefused",
    "CreditCodeOrganisationRefused",
    "CreditCodeRefused",
    "CreditCodeRegistrarRefused",
    "Fault",
    "IdentityNumberBirthRefused",
    "IdentityNumberCheckRefused",
    "IdentityNumberFormRefused",
    "IdentityNumberFutureRefused",
    "IdentityNumberNotReserved",
    "IdentityNumberRefused",
    "IdentityNumberReserved",
    "IdentityNumberSequenceRefused",
    "Refusal",
    "UnknownCodeTable",
]


class Refusal(Exception):  # noqa: N818 - a refusal is not an error; the names keep the two apart
    """What was asked cannot be done, and the person can act on the reason.

    ``message`` and ``mend`` are English message ids (translated where they are shown), with ``params`` for ``%(name)s``.
    """

    code: ClassVar[str] = "refused"
    message: ClassVar[str] = "This cannot be done."
    mend: ClassVar[str] = ""

    def __init__(self, message: str | None = None, *, mend: str | None = None, **params: object) -> None:
        self.text = message if message is not None else self.message
        self.advice = mend if mend is not None else self.mend
        self.params: Mapping[str, object] = params
        super().__init__(self.text % params if params else self.text)


class Fault(Exception):  # noqa: N818 - each fault of a room ends in Error itself
    """Something broke that the operator must mend; what the person entered is kept."""

    code: ClassVar[str] = "fault"


class CodeRefused(Refusal):
    """A number or code that cannot be what it claims to be. No message contains the number it speaks about."""


class IdentityNumberRefused(CodeRefused):
    """An identity number that no authority can have issued (GB 11643)."""


class IdentityNumberFormRefused(IdentityNumberRefused):
    """Not the length or the characters of any identity number."""

    code = "identity_number.form"
    message = "This is not an identity number."
    mend = "Enter 18 characters: 17 digits and a digit or X. For an older permanent resident card: 3 letters and 12 digits."


class IdentityNumberCheckRefused(IdentityNumberRefused):
    """The check character does not fit (ISO 7064 MOD 11-2)."""

    code = "identity_number.check_digit"
    message = "The last character of the identity number does not fit the others."
    mend = "Compare the number with the card: one character is probably mistyped."


class IdentityNumberBirthRefused(IdentityNumberRefused):
    """The digits of the birth date are no date."""

    code = "identity_number.birth_date"
    message = "The birth date in the identity number is not a date."
    mend = "Compare the number with the card: one character is probably mistyped."


class IdentityNumberFutureRefused(IdentityNumberRefused):
    """The birth date is after today."""

    code = "identity_number.birth_in_future"
    message = "The birth date in the identity number is in the future."
    mend = "Compare the number with the card: one character is probably mistyped."


class IdentityNumberReserved(IdentityNumberRefused):
    """A number of the block kept for invented people."""

    code = "identity_number.reserved"
    message = "Nobody holds this identity number: it is of a block kept for examples."
    mend = "Enter the number on the card."


class IdentityNumberNotReserved(IdentityNumberRefused):
    """A number is to be made up outside of the block kept for invented people."""

    code = "identity_number.not_reserved"
    message = "Numbers are made up only in the block kept for examples."


class IdentityNumberSequenceRefused(IdentityNumberRefused):
    """A sequence that is not 1 to 999."""

    code = "identity_number.sequence"
    message = "A sequence number is between 1 and 999."


class CreditCodeRefused(CodeRefused):
    """A unified social credit code that no registrar can have issued (GB 32100)."""


class CreditCodeFormRefused(CreditCodeRefused):
    """Not the length or the characters of a credit code."""

    code = "credit_code.form"
    message = "This is not a unified social credit code."
    mend = "Enter 18 characters: digits and capital letters other than I, O, S, V and Z."


class CreditCodeRegistrarRefused(CreditCodeRefused):
    """The first character names no registration authority."""

    code = "credit_code.registrar"
    message = "The first character of the credit code names no registration authority."
    mend = "Compare the code with the certificate: one character is probably mistyped."


class CreditCodeCheckRefused(CreditCodeRefused):
    """The check character does not fit (MOD 31)."""

    code = "credit_code.check_digit"
    message = "The last character of the credit code does not fit the others."
    mend = "Compare the code with the certificate: one character is probably mistyped."


class CreditCodeOrganisationRefused(CreditCodeRefused):
    """The organisation code inside does not fit its own check character (GB 11714)."""

    code = "credit_code.organisation_check"
    message = "The organisation code inside the credit code does not fit its own check character."
    mend = "Compare the code with the certificate: one character is probably mistyped."


class UnknownCodeTable(CodeRefused):
    """A code table that this release does not hold."""

    code = "codes.table_unknown"
    message = "There is no code table named %(table)s."

    def __init__(self, table: str) -> None:
        super().__init__(table=table)
