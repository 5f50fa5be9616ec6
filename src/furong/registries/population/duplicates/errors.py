"""What is refused about entries that may be one person."""

from __future__ import annotations

from typing import ClassVar

from furong.foundation.codes.errors import Refusal


class DuplicateNotFound(Refusal):
    """There is no such pair, or none whose divisions the asker may see."""

    code: ClassVar[str] = "population.duplicate_not_found"
    message = "There is no such pair of entries, or it is not in your area."


class DuplicateDecided(Refusal):
    """Somebody else decided about a pair meanwhile."""

    code: ClassVar[str] = "population.duplicate_decided"
    message = "Somebody has decided about this pair already."
    mend = "Look at it again: its history says who did, and why."


class FamilyWouldBeLost(Refusal):
    """The entry that is to go has relatives whom the other lacks."""

    code: ClassVar[str] = "population.family_would_be_lost"
    message = "The entry that would go has %(count)s relatives whom the other one lacks."
    mend = "Record them on the entry that stands first, or keep the other entry."


class ReasonMissing(Refusal):
    """A decision does not say why."""

    code: ClassVar[str] = "population.duplicate_reason_missing"
    message = "A decision about two entries needs its reason."
    mend = "Name the paper or the fact that it rests on."


class AnotherMustDecide(Refusal):
    """Who asked for a parting that other acts followed on may not approve it."""

    code: ClassVar[str] = "population.another_must_decide"
    message = "You asked for this yourself; after later acts somebody else must decide."
    mend = "Ask a colleague with the same right."
