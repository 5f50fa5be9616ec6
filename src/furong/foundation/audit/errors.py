"""Faults of the log: the operator acts on them."""

from __future__ import annotations

from furong.foundation.codes.errors import Fault


class AuditError(Fault):
    """Something was to be recorded outside a command, or cannot be recorded: then it must not happen either."""

    code = "audit.failed"


class ExportDamagedError(Fault):
    """A file given for verification is not an export of this format, or is cut off."""

    code = "audit.export_damaged"
