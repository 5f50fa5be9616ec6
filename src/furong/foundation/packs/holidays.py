"""The kind ``holidays``: one file ``holidays.yaml`` at a pack's top, read by ``foundation.calendar``."""

from __future__ import annotations

from furong.foundation.calendar.errors import CalendarRefused
from furong.foundation.calendar.loading import parse_calendar
from furong.foundation.calendar.values import Calendar
from furong.foundation.packs.values import Finding, Frame, Kind, both, register_kind

CODE = "holidays"


def _parse(content: bytes, file: str, frame: Frame) -> tuple[Calendar | None, list[Finding]]:
    try:
        return parse_calendar(content, file=file), []
    except CalendarRefused as refused:
        return None, [
            Finding(
                file=file,
                line=one.line,
                element=CODE,
                rule=f"holidays.{one.rule}",
                message=both(one.message, one.message),
                mend=both(one.mend, one.mend),
            )
            for one in refused.findings
        ]


def register() -> None:
    """Make the kind known to the checker and the importer; its importer has nothing to write, readers follow the release."""
    register_kind(Kind(name=CODE, folder="", file="holidays.yaml", parse=_parse, order=5))
