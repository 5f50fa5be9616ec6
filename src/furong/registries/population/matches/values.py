"""What a comparison is asked and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

MOST_ROWS = 1_000_000
KEPT_FOR = timedelta(days=7)
# What may be disclosed beside the answer; names and numbers masked.
DISCLOSABLE = ("number_masked", "name_masked", "sex", "birth_year", "division_code", "status")


class MatchState(StrEnum):
    """How far a comparison is."""

    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"
    EXPIRED = "expired"


class Answer(StrEnum):
    """What the register says of a row."""

    MATCH = "match"
    NAME_DIFFERS = "name_differs"
    NOT_FOUND = "not_found"
    AMBIGUOUS = "ambiguous"
    INCOMPLETE = "incomplete"  # neither a number, nor a name with a date of birth


# As the result file says it.
ANSWERS: Mapping[Answer, tuple[str, str]] = {
    Answer.MATCH: ("一致", "Agrees"),
    Answer.NAME_DIFFERS: ("号码存在，姓名不一致", "The number exists, the name differs"),
    Answer.NOT_FOUND: ("未找到", "Not found"),
    Answer.AMBIGUOUS: ("有多人符合", "Several people fit"),
    Answer.INCOMPLETE: ("缺少号码，或姓名和出生日期", "Number missing, or name and date of birth"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchRecord:
    """A comparison as its asker sees it. ``counts`` by answer; ``problem`` says why it failed."""

    match_id: UUID
    file_name: str
    purpose: str
    legal_basis: str
    fields: tuple[str, ...]
    rows: int
    position: int
    state: MatchState
    counts: Mapping[str, int]
    problem: str
    mend: str
    asked_at: datetime
    finished_at: datetime | None
    expires_at: datetime
    is_parquet: bool

    @property
    def share(self) -> float:
        """Give how much of it is through, from 0 to 1."""
        return 1.0 if self.state is MatchState.DONE else self.position / max(1, self.rows)
