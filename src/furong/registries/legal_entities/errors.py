"""What the register of legal entities refuses, and the faults its operator must mend. None carries personal data."""

from __future__ import annotations

from typing import ClassVar

from furong.foundation.codes.errors import Fault, Refusal


class EntityNotFound(Refusal):
    """No entity by that key or code."""

    code: ClassVar[str] = "legal_entities.not_found"
    message = "No such legal entity was found."
    mend = "Check the unified social credit code."


class EntityClosed(Refusal):
    """The entity was deregistered, or its registration annulled; nothing of it is changed any more."""

    code: ClassVar[str] = "legal_entities.closed"
    message = "The entity is no longer registered."


class NameRefused(Refusal):
    """The name cannot be borne: it is composed wrongly, holds what is forbidden, or is taken."""

    code: ClassVar[str] = "legal_entities.name_refused"
    message = "The name cannot be registered: %(reason)s"
    mend = "Choose another trade name; the check of names says which are free."


class NameSimilar(Refusal):
    """Names like this one are registered, and the applicant has not said that they accept the risk (Order 734, art. 18)."""

    code: ClassVar[str] = "legal_entities.name_similar"
    message = "Names that are much like this one are registered."
    mend = "Choose another, or declare that you answer for confusion with them."


class ReservationNotFound(Refusal):
    """No name is kept under that key for whoever asks."""

    code: ClassVar[str] = "legal_entities.reservation_not_found"
    message = "No such reserved name was found."


class ReservationLapsed(Refusal):
    """The name was not registered within the time it was kept (Order 734, art. 19), or was used or given up."""

    code: ClassVar[str] = "legal_entities.reservation_lapsed"
    message = "The name is no longer kept."
    mend = "Reserve it again if it is still free."


class FactsIncomplete(Refusal):
    """A registration item is missing or cannot be what it is (Order 746, art. 8)."""

    code: ClassVar[str] = "legal_entities.facts_incomplete"
    message = "The entity cannot be registered: %(field)s is missing or not valid."
    mend = "Complete the item."


class NothingChanged(Refusal):
    """A change that changes nothing."""

    code: ClassVar[str] = "legal_entities.nothing_changed"
    message = "Nothing would change."


class CreditCodeTaken(Refusal):
    """Another entity bears the credit code."""

    code: ClassVar[str] = "legal_entities.credit_code_taken"
    message = "The unified social credit code belongs to another entity."


class ReasonMissing(Refusal):
    """An act against an entity without its reason."""

    code: ClassVar[str] = "legal_entities.reason_missing"
    message = "State the reason and its legal basis."


class NotSimple(Refusal):
    """The simple procedure is not open to this entity (Order 746, art. 33)."""

    code: ClassVar[str] = "legal_entities.not_simple"
    message = "The entity cannot be deregistered in the simple procedure."
    mend = "Use the ordinary procedure with liquidation."


class NoticeNotFound(Refusal):
    """No notice of simple deregistration is running for the entity."""

    code: ClassVar[str] = "legal_entities.notice_not_found"
    message = "No notice of deregistration is running."


class NoticeRunning(Refusal):
    """The twenty days of the notice are not over, or another notice is running."""

    code: ClassVar[str] = "legal_entities.notice_running"
    message = "The notice runs until %(ends_on)s."
    mend = "Apply after its end, within twenty days."


class NoticeObjected(Refusal):
    """Somebody concerned objected within the notice; the simple procedure ends."""

    code: ClassVar[str] = "legal_entities.notice_objected"
    message = "An objection was raised; the simple procedure has ended."
    mend = "Settle the objection and give notice again, or liquidate."


class NoticeOver(Refusal):
    """Too late for an objection, or for deregistration on the strength of this notice."""

    code: ClassVar[str] = "legal_entities.notice_over"
    message = "The notice is over."


class EffectReusedError(Fault):
    """The same effect was asked for twice with different content: a defect of the caller."""

    code: ClassVar[str] = "legal_entities.effect_reused"


class SubjectsExhaustedError(Fault):
    """A registrar has no subject number left under its prefix."""

    code: ClassVar[str] = "legal_entities.subjects_exhausted"


class NameRulesMissingError(Fault):
    """No rules for names are in force: the pack lacks them."""

    code: ClassVar[str] = "legal_entities.name_rules_missing"


class DemoRefusedError(Fault):
    """Invented enterprises are not loaded in production."""

    code: ClassVar[str] = "legal_entities.demo_refused"
