"""The two families of errors that every room's own errors belong to.

A *refusal* states a fact the person can act on; a *fault* is the operator's. Each has a stable ``code``. Neither carries personal
data, and neither knows HTTP: ``foundation.web`` holds the one table from codes to problem details (RFC 9457).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

__all__ = ["CodeRefused", "CreditCodeRefused", "Fault", "IdentityNumberRefused", "Refusal", "UnknownCodeTable"]


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


class CodeRefused(ValueError):  # noqa: N818  a refusal, not a fault
    """A number or code that cannot be what it claims to be; ``code`` says why, stably."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class IdentityNumberRefused(CodeRefused):
    """An identity number that no authority can have issued (GB 11643)."""


class CreditCodeRefused(CodeRefused):
    """A unified social credit code that no registrar can have issued (GB 32100)."""


class UnknownCodeTable(CodeRefused):
    """A code table that this release does not hold."""

    def __init__(self, table: str) -> None:
        super().__init__("codes.table_unknown", f"There is no code table named {table!r}.")
