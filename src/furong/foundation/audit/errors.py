"""Faults of the log, on which the operator acts, and what orders of secrecy refuse."""

from __future__ import annotations

from furong.foundation.codes.errors import Fault, Refusal


class AuditError(Fault):
    """Something was to be recorded outside a command, or cannot be recorded: then it must not happen either."""

    code = "audit.failed"


class ExportDamagedError(Fault):
    """A file given for verification is not an export of this format, or is cut off."""

    code = "audit.export_damaged"


class SecrecyNotInForce(Refusal):
    """A read was to be kept back under an order that is over, of another organisation, or the reader's own."""

    code = "audit.secrecy_not_in_force"
    message = "There is no such order of secrecy for your organisation, or it is over, or you gave it yourself."
    mend = "Ask the head of the investigation for an order, or read without one: the person then sees it."


class SecrecyTooLong(Refusal):
    """An order of secrecy ends at a named day, half a year ahead at most."""

    code = "audit.secrecy_too_long"
    message = "An order of secrecy ends within half a year."
    mend = "Name an earlier day; an order may be prolonged before it ends."
