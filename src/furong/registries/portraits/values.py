"""What a portrait is, how it stands, and what a person has to look at. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

MOST_BYTES = 2 << 20
LEAST_WIDTH, LEAST_HEIGHT = 295, 360
MOST_WIDTH, MOST_HEIGHT = 3000, 4000
NARROWEST, WIDEST = 0.68, 0.9  # width to height; the card's own is 358 to 441
THUMBNAIL_WIDTH = 120


class PortraitState(StrEnum):
    """How a portrait stands."""

    HELD = "held"  # in force
    REVIEW = "review"  # waits for a person's eye
    REFUSED = "refused"  # a person looked and refused it
    REPLACED = "replaced"  # a later one is in force


class Size(StrEnum):
    """In which size a portrait is shown."""

    FULL = "full"
    THUMBNAIL = "thumbnail"


class Doubt(StrEnum):
    """Why a person has to look."""

    NO_COLOURS = "no_colours"
    HEAD_SMALL = "head_small"
    HEAD_LARGE = "head_large"
    OFF_CENTRE = "off_centre"
    UPSIDE_DOWN = "upside_down"
    NOT_FACE_LIKE = "not_face_like"
    NO_HEAD = "no_head"  # only when somebody asked for an eye on it
    SAME_PICTURE = "same_picture"  # the very same bytes are another person's portrait


class Damage(StrEnum):
    """What became of a record's bytes."""

    GONE = "gone"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture that passed the checks. ``doubts`` is empty, or says what a person has to look at."""

    data: bytes = field(repr=False)
    digest: str
    width: int
    height: int
    head_share: float  # of the picture's area, 0 to 1
    doubts: tuple[Doubt, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPortrait:
    """A picture to be put on record. ``effect_id``: sent twice, it is kept once. ``ask``: have a person look anyway."""

    effect_id: UUID
    person_id: UUID
    data: bytes = field(repr=False)
    taken_on: date
    ask: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What became of one picture of a batch: its record, or the refusal's code."""

    effect_id: UUID
    person_id: UUID
    portrait_id: UUID | None
    state: PortraitState | None
    doubts: tuple[Doubt, ...] = ()
    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PortraitRecord:
    """A portrait's record, without its bytes."""

    portrait_id: UUID
    person_id: UUID
    digest: str
    width: int
    height: int
    size: int
    state: PortraitState
    doubts: tuple[Doubt, ...]
    division_code: str
    taken_on: date
    recorded_at: datetime
    ended_at: datetime | None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A task: a record whose bytes are gone or changed."""

    finding_id: UUID
    portrait_id: UUID
    person_id: UUID
    damage: Damage
    division_code: str
    found_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """How far the integrity sweep is: of the round under way, and what the last whole one looked at."""

    looked_at: int
    damaged: int
    round_started_at: datetime | None
    last_round_ended_at: datetime | None
    last_round_looked_at: int
