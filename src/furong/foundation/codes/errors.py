"""What this module refuses. Messages never contain the number they speak about."""

from __future__ import annotations

__all__ = ["CodeRefused", "CreditCodeRefused", "IdentityNumberRefused", "UnknownCodeTable"]


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
