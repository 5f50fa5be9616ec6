"""What the register of identity cards refuses. None of it carries personal data."""

from __future__ import annotations

from typing import ClassVar

from furong.foundation.codes.errors import Fault, Refusal


class CardNotFound(Refusal):
    """No card by that key, or none that the asker may know of."""

    code: ClassVar[str] = "identity_cards.not_found"
    message = "There is no such identity card."


class HolderNotRegistered(Refusal):
    """Whoever is to have a card does not stand in the register, alive and here."""

    code: ClassVar[str] = "identity_cards.holder_not_registered"
    message = "Identity cards are made for people who stand in the population register."
    mend = "Register the person first; for somebody who moved away, ask the place that registers them."


class FactsIncomplete(Refusal):
    """The register lacks something that a card shows."""

    code: ClassVar[str] = "identity_cards.facts_incomplete"
    message = "The register does not know everything that a card shows: %(field)s is missing."
    mend = "Complete the record at the counter, then apply again."


class PortraitMissing(Refusal):
    """There is no portrait to put on the card."""

    code: ClassVar[str] = "identity_cards.portrait_missing"
    message = "There is no portrait of this person, in force or waiting to be looked at."
    mend = "Take a portrait first."


class AlreadyApplied(Refusal):
    """A card of this kind is being made already."""

    code: ClassVar[str] = "identity_cards.already_applied"
    message = "A card for this person is being made already."
    mend = "Wait for it, or cancel it first."


class ReasonDoesNotFit(Refusal):
    """The reason for a card does not fit the cards that the person has."""

    code: ClassVar[str] = "identity_cards.reason_does_not_fit"
    message = "This reason does not fit: %(why)s"
    mend = "Choose the reason that fits the person's cards."


class NotInThisState(Refusal):
    """The card is not where this step begins."""

    code: ClassVar[str] = "identity_cards.not_in_this_state"
    message = "This cannot be done with the card as it stands."
    mend = "Look at its history; somebody else may have gone on with it."


class MismatchOpen(Refusal):
    """What stands on the card and what the register says differ, and nobody has settled it."""

    code: ClassVar[str] = "identity_cards.mismatch_open"
    message = "The card and the register differ; the card is not handed out before that is settled."
    mend = "Settle the difference first: it stands among the differences."


class NothingToOrder(Refusal):
    """No card waits to be made."""

    code: ClassVar[str] = "identity_cards.nothing_to_order"
    message = "No card waits to be made in your area."


class BatchNotFound(Refusal):
    """No batch by that key, or none that the asker may know of."""

    code: ClassVar[str] = "identity_cards.batch_not_found"
    message = "There is no such batch."


class ReturnUnreadable(Refusal):
    """What the factory sent is no table that can be read, or of another batch."""

    code: ClassVar[str] = "identity_cards.return_unreadable"
    message = "The file cannot be taken: %(problem)s"
    mend = "Ask the factory for the file of this batch as CSV in UTF-8, and choose it again. Nothing was changed."


class MismatchNotFound(Refusal):
    """No difference by that key, or it is settled."""

    code: ClassVar[str] = "identity_cards.mismatch_not_found"
    message = "There is no such difference, or it is settled already."


class EvidenceMissing(Refusal):
    """A decision without what proves it."""

    code: ClassVar[str] = "identity_cards.evidence_missing"
    message = "Name the document that shows which of the two is right."


class NotCorrectable(Refusal):
    """The register holds this fact by acts of its own, not by correction."""

    code: ClassVar[str] = "identity_cards.not_correctable"
    message = "The register does not change this fact by a correction."
    mend = "A number or an address is changed at the counter, by the act that the law has for it; then compare again."


class EffectReusedError(Fault):
    """The same effect was asked for twice with different content: a defect of the caller."""

    code: ClassVar[str] = "identity_cards.effect_reused"
