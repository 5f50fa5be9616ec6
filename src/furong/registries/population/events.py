"""What happened to people, for others to follow. Facts in the past tense, by key; never a name or a number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from furong.foundation.events.values import event


@event("population.person_born")
@dataclass(frozen=True, slots=True, kw_only=True)
class PersonBorn:
    """A birth was registered; ``effect_id`` is the step that asked for it."""

    person_id: UUID
    registration_id: UUID
    effect_id: UUID
    household_id: UUID
    division_code: str
    mother_person_id: UUID
    father_person_id: UUID | None
    is_late: bool


@event("population.person_entered")
@dataclass(frozen=True, slots=True, kw_only=True)
class PersonEntered:
    """A person came into the register other than by birth."""

    person_id: UUID
    division_code: str


@event("population.person_amended")
@dataclass(frozen=True, slots=True, kw_only=True)
class PersonAmended:
    """Facts about a person changed (``kind`` amendment) or were found wrong (correction); ``fields`` names them."""

    person_id: UUID
    kind: str
    fields: tuple[str, ...]
    version: int


@event("population.person_died")
@dataclass(frozen=True, slots=True, kw_only=True)
class PersonDied:
    """A death was recorded."""

    person_id: UUID
    died_on: date


@event("population.person_moved")
@dataclass(frozen=True, slots=True, kw_only=True)
class PersonMoved:
    """A person's permanent residence changed."""

    person_id: UUID
    household_id: UUID
    from_division: str
    to_division: str


@event("population.person_departed")
@dataclass(frozen=True, slots=True, kw_only=True)
class PersonDeparted:
    """The source let a person go: the certificate of a move is out, the arrival is awaited elsewhere."""

    move_id: UUID
    person_id: UUID
    from_division: str
    to_division: str
    certificate_until: date


@event("population.move_ended")
@dataclass(frozen=True, slots=True, kw_only=True)
class MoveEnded:
    """A move ended without an arrival: ``state`` is refused, void or expired; the person stays where they were."""

    move_id: UUID
    person_id: UUID
    state: str
    from_division: str
    to_division: str


@event("population.family_changed")
@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyChanged:
    """Two people became, or ceased to be, something to each other."""

    person_id: UUID
    other_person_id: UUID
    kind: str
    ended: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldPeriod:
    """From when until when (exclusive; None for still) another is something to a person, and by which paper."""

    kind: str
    since: date
    until: date | None = None
    evidence: str = ""


@event("population.fact_told")
@dataclass(frozen=True, slots=True, kw_only=True)
class FactTold:
    """What one centre holds about two people, whole, for the centre that keeps ``person_id``, to hold on its side.

    ``topic`` is ``spouse`` or ``parent``. ``version`` counts the acts on these two people and this topic, over both centres;
    ``author`` is the centre that acted. Of two that are told the later version speaks, in whichever order they come. ``periods``
    say what the other is and was to the person; ``maritals`` since when each of the two had which marital status by it.
    """

    person_id: UUID
    other_person_id: UUID
    topic: str = ""
    version: int = 0
    author: str = ""
    periods: tuple[ToldPeriod, ...] = ()
    maritals: Mapping[str, tuple[tuple[date, str], ...]] = field(default_factory=dict)


@event("population.facts_crossed")
@dataclass(frozen=True, slots=True, kw_only=True)
class FactsCrossed:
    """Two centres recorded different things about the same two people without knowing of each other; a person compares them."""

    person_id: UUID
    other_person_id: UUID
    topic: str


@event("population.household_changed")
@dataclass(frozen=True, slots=True, kw_only=True)
class HouseholdChanged:
    """A household was split or merged, or has another head; ``other_household_id`` is the new one or the one that took it in."""

    household_id: UUID
    kind: str
    other_household_id: UUID | None
    division_code: str


@event("population.person_left")
@dataclass(frozen=True, slots=True, kw_only=True)
class PersonLeft:
    """A person left the register alive: ``kind`` is emigration, enlistment or duplicate."""

    person_id: UUID
    kind: str
    left_on: date
    from_division: str


@event("population.person_returned")
@dataclass(frozen=True, slots=True, kw_only=True)
class PersonReturned:
    """A person who had left, or was thought dead, stands in the register again."""

    person_id: UUID
    household_id: UUID
    division_code: str


@event("population.person_missing")
@dataclass(frozen=True, slots=True, kw_only=True)
class PersonMissing:
    """A person was reported missing, or (``found``) is known to be somewhere again."""

    person_id: UUID
    found: bool


@event("population.people_imported")
@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleImported:
    """A batch of a file was taken in: how many people, and the change that names them all."""

    import_id: UUID
    change_id: UUID
    people: int
    households: int
