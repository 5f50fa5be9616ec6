"""What the room refuses, with what the person can do about it, and its faults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from furong.foundation.codes.errors import Fault, Refusal


class CaseNotFound(Refusal):
    """No such case, or not one that the actor may know of: the answer is the same."""

    code = "cases.not_found"
    message = "There is no such application or case among those you can open."
    mend = "Check the number, or look in your list."


class DraftNotFound(Refusal):
    """No such draft among the actor's own."""

    code = "cases.draft.not_found"
    message = "There is no such draft among yours."
    mend = "Look in your list of drafts, or begin a new application."


class DraftChanged(Refusal):
    """The draft was saved elsewhere since this page was loaded."""

    code = "cases.draft_changed"
    message = "This draft was saved in another window since you opened this page."
    mend = "Load the page again: both what you saved there and what you send now are kept."


class DraftAlreadySubmitted(Refusal):
    """The draft is an application by now and cannot be edited."""

    code = "cases.draft_already_submitted"
    message = "This draft has been submitted; it can no longer be changed."
    mend = "Open the application. If something is wrong, withdraw the item concerned or wait for a supplement notice."


class FormNotValid(Refusal):
    """Answers are missing or wrong; ``params["fields"]`` names the data elements."""

    code = "cases.form_not_valid"
    message = "Some answers are missing or not valid."
    mend = "Go back to the questions listed and answer them; everything else is kept."


class FormChanged(Refusal):
    """The form's version changed under the draft, and some answers need the applicant's eye."""

    code = "cases.form_changed"
    message = "This form has changed since you began. Nothing you entered is lost, but some answers need checking."
    mend = "Check the answers listed, then submit again."


class AlreadyAppliedFor(Refusal):
    """The same matter was applied for before, and that case stands: it runs, or has given its result.

    ``params`` hold the names of the items concerned in both languages, and ``application_id`` and ``number`` where the earlier
    application is one that the actor may open.
    """

    code = "cases.already_applied_for"
    message = "This has been applied for already: %(items)s. Nothing was handed in, and your draft is kept."
    mend = (
        "Look at the earlier application: what it gives is in the folder once it is done. What it does not hold you can "
        "apply for item by item."
    )

    def __init__(self, *, names: Sequence[Mapping[str, str]], application_id: UUID | None, number: str) -> None:
        self.names = tuple(names)
        self.application_id, self.number = application_id, number
        super().__init__(items="、".join(name.get("zh", "") for name in self.names))


class ItemNotOffered(Refusal):
    """The item or life event is not offered in that division on that day."""

    code = "cases.item.not_found"
    message = "This service is not offered there."
    mend = "Choose another place, or ask the government hall."


class NotForPrincipal(Refusal):
    """The service is not for those that the actor acts for: an enterprise has no children."""

    code = "cases.not_for_principal"
    message = "This service is not for the one you act for."
    mend = "Act for yourself, or for the person concerned, and begin again; drafts are kept."


class NobodyResponsible(Refusal):
    """No organisation of the department is responsible for the division."""

    code = "cases.nobody_responsible"
    message = "No office is responsible for this item in the place you chose."
    mend = "Choose another place, or ask the government hall."


class ItemNotPartOfEvent(Refusal):
    """An item was chosen that the life event does not hold, or one that it cannot do without was left out."""

    code = "cases.item_not_part_of_event"
    message = "These items cannot be applied for together."
    mend = "Choose the items again; those marked as required belong to every application."


class NotYours(Refusal):
    """Somebody else's application."""

    code = "cases.not_yours.not_found"
    message = "There is no such application or case among those you can open."
    mend = "Check the number, or look in your list."


class CaseClosed(Refusal):
    """The case has ended."""

    code = "cases.case_closed"
    message = "This case has ended; nothing more can be done in it."
    mend = "See its decision and the remedies it names."


class ActNotAllowed(Refusal):
    """The transition table does not know this act in this state."""

    code = "cases.act_not_allowed"
    message = "This step is not possible while the case is in its present state."
    mend = "Load the case again and choose one of the steps it offers."


class CaseChanged(Refusal):
    """Somebody else acted since the actor saw the case."""

    code = "cases.case_changed"
    message = "Somebody else has acted on this case since you opened it."
    mend = "Load the case again and decide on what it shows now."


class SupplementAlreadyRequested(Refusal):
    """The law allows one supplement notice (Administrative Licensing Law art. 32 (4): all that is missing, at once)."""

    code = "cases.supplement_already_requested"
    message = "A supplement was already requested in this case; the law allows one notice that names everything."
    mend = "Accept the case, or refuse acceptance with your reason."


class SupplementTooLate(Refusal):
    """The five days have passed, and the case is deemed accepted."""

    code = "cases.supplement_too_late"
    message = "The days for a supplement notice have passed: the case is deemed accepted."
    mend = "Go on with what was handed in, or ask the applicant to help of their own will."


class SupplementEmpty(Refusal):
    """A notice that names nothing is no notice."""

    code = "cases.supplement.not_valid"
    message = "A supplement notice must name everything that is missing and why."
    mend = "List each missing thing and what would satisfy it."


class SupplementLapsed(Refusal):
    """The applicant's days for the supplement have passed."""

    code = "cases.supplement_lapsed"
    message = "The days for your supplement have passed."
    mend = "Apply again; your earlier answers can be taken over."


class ReasonMissing(Refusal):
    """A decision against the applicant states its reason (art. 38)."""

    code = "cases.reason.not_valid"
    message = "A refusal must state its reason in words the applicant can act on."
    mend = "Write the reason and the rule it rests on."


class LegalBasisMissing(Refusal):
    """Only a procedure named in law stops the clock (art. 45)."""

    code = "cases.legal_basis.not_valid"
    message = "A pause that stops the clock must name a procedure in law and its basis."
    mend = "Choose the procedure and name the article it rests on."


class ExtensionAlreadyUsed(Refusal):
    """One extension, no more."""

    code = "cases.extension_already_used"
    message = "This case was already extended, or an extension is waiting for approval."
    mend = "Decide within the limit shown."


class ExtensionNotOffered(Refusal):
    """The item allows no extension."""

    code = "cases.extension_not_offered"
    message = "The law allows no extension for this item."
    mend = "Decide within the limit shown."


class SamePersonCannotApprove(Refusal):
    """Whoever asks for more time does not grant it."""

    code = "cases.same_person_cannot_approve"
    message = "An extension must be approved by another person than the one who asked."
    mend = "Ask the person in charge of your organisation to approve it."


class WithdrawalTooLate(Refusal):
    """Decided is decided."""

    code = "cases.withdrawal_too_late"
    message = "This item has been decided and can no longer be withdrawn."
    mend = "If you no longer want what was granted, apply for its cancellation."


class ConsentNotYours(Refusal):
    """The consent was asked of somebody else."""

    code = "cases.consent_not_yours.not_found"
    message = "Nobody has asked for your consent here."
    mend = "Open the requests in your own space."


class ConsentAlreadyAnswered(Refusal):
    """A consent is given or refused once."""

    code = "cases.consent_already_answered"
    message = "This request was already answered."
    mend = "See the state of the application, or talk to the applicant."


class ConsentTooLate(Refusal):
    """The days for the consent have passed."""

    code = "cases.consent_too_late"
    message = "The days for answering have passed, and the request has lapsed."
    mend = "Ask the applicant to apply again."


class RatingNotYet(Refusal):
    """Ratings come at the end."""

    code = "cases.rating_not_yet"
    message = "You can rate this item once it has ended."
    mend = "Come back when you are told that it is done."


class AlreadyRated(Refusal):
    """Once per case."""

    code = "cases.already_rated"
    message = "This item was already rated; a rating counts once."
    mend = "If you are called back after a bad rating, you can say then whether it was put right."


class RatingNotYours(Refusal):
    """Never by staff, never by a stranger."""

    code = "cases.rating_not_yours.refused"
    message = "Only the applicant can rate how they were served."
    mend = ""


class RatingNotValid(Refusal):
    """Five levels."""

    code = "cases.rating.not_valid"
    message = "Choose one of the five levels."
    mend = ""


class ReviewNotPossible(Refusal):
    """A review looks at a refusal, and one at a time."""

    code = "cases.review_not_possible"
    message = "A review can be asked for once, within its days, when an item was refused."
    mend = "Apply to the authority above for reconsideration, or go to court, as the decision says."


class DocumentNotReady(Refusal):
    """The sealed file is still being made."""

    code = "cases.document_not_ready"
    message = "The sealed document is being made."
    mend = "Load the page again in a moment."


class TaskNotYours(Refusal):
    """Another's task, or none."""

    code = "cases.task.not_found"
    message = "There is no such open task among yours."
    mend = "Load your work list again."


class ParametersMissingError(Fault):
    """No value of a legal parameter is in force."""

    code = "cases.parameters_missing"


class PortNotBoundError(Fault):
    """The wiring bound nothing to a port that this room needs."""

    code = "cases.port_not_bound"


class TwinUnavailableError(Fault):
    """A register outside does not answer; the step is tried again and then becomes an incident."""

    code = "cases.twin_unavailable"


class RecordNotFoundError(Fault):
    """A register outside answers that it has no such record."""

    code = "cases.record_not_found"


class PaymentUnheardError(Fault):
    """A fee was settled and the process does not wait for it; the event comes again, and then becomes an incident."""

    code = "cases.payment_unheard"


class HandlerMisconfiguredError(Fault):
    """A process calls a handler with what it cannot work with: a mistake in the pack."""

    code = "cases.handler_misconfigured"
