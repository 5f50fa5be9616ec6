"""Which tables a counter needs, and how old a copy may be. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

# What a counter asks while it decides: who sits where with which rights, under which terms a register is read, what days are
# worked, and how old all this is. Nothing of residents: their accounts, cases and files stay on the platform.
WHOLE = (
    "organizations_division",
    "organizations_divisionchange",
    "organizations_department",
    "organizations_organization",
    "organizations_unit",
    "organizations_posttemplate",
    "organizations_post",
    "organizations_appointment",
    "access_post_rights",
    "access_shared_resource",
    "access_grant",
    "access_terms_change",
    "access_terms_epoch",
    "pack_definition",
    "pack_release",
    "replicas_beat",
)
# Rows of one city only; the column says whose they are.
OWN, OWN_COLUMN = "identity_counter_account", "centre"

BEAT_EVERY = timedelta(seconds=2)
LATE = timedelta(minutes=1)
OLD = timedelta(hours=4)


def name_of(city: str) -> str:
    """Return the name of a city's publication, subscription and slot."""
    return f"furong_counter_{city}"


class Grade(StrEnum):
    """How a copy stands: ``live``; ``late`` (a minute), ``old`` (four hours), ``over`` (past what the operator allows)."""

    LIVE = "live"
    LATE = "late"
    OLD = "old"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class CopyState:
    """As of when a copy is whole (None: nothing has come yet), and how that stands."""

    as_of: datetime | None
    grade: Grade


def grade_of(as_of: datetime | None, *, now: datetime, most: timedelta) -> Grade:
    """Grade the age of a copy; one that never came is over."""
    if as_of is None or now - as_of >= most:
        return Grade.OVER
    if now - as_of >= OLD:
        return Grade.OLD
    return Grade.LATE if now - as_of >= LATE else Grade.LIVE
