"""The two families of errors that every room's own errors belong to.

A *refusal* states a fact the person can act on; a *fault* is the operator's. Each has a stable ``code``. Neither carries personal
data, and neither knows HTTP: ``foundation.web`` holds the one table from codes to problem details (RFC 9457).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class Refusal(Exception):
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


class Fault(Exception):
    """Something broke that the operator must mend; what the person entered is kept."""

    code: ClassVar[str] = "fault"
