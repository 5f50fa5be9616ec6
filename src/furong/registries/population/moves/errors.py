"""What moves refuse, and their faults. None carries personal data."""

from __future__ import annotations

from typing import ClassVar

from furong.foundation.codes.errors import Fault, Refusal


class MoveNotFound(Refusal):
    """No move has this key, or none that the asker may know of."""

    code: ClassVar[str] = "population.move_not_found"
    message = "There is no such move."


class StepNotOpen(Refusal):
    """The move is not at the step that was to be taken."""

    code: ClassVar[str] = "population.step_not_open"
    message = "The move does not stand at this step any more."
    mend = "Open the move anew; somebody may have taken the step before you."


class MoveOpen(Refusal):
    """The person is on another move already: nobody has two destinations at once."""

    code: ClassVar[str] = "population.move_open"
    message = "Another move of this person is under way."
    mend = "Finish it, or have it declared void first."


class NoPermitNeeded(Refusal):
    """Within a county a move is one act and needs no permit."""

    code: ClassVar[str] = "population.no_permit_needed"
    message = "Both places lie in one county; such a move needs no permit."
    mend = "Record it as a move within the county."


class PermitNeeded(Refusal):
    """A move that leaves the county is no single act."""

    code: ClassVar[str] = "population.permit_needed"
    message = "The household lies in another county; such a move needs its permit."
    mend = "Have the move asked for at the counter of the destination."


class PermitExpired(Refusal):
    """The permit to move has run out (40 days)."""

    code: ClassVar[str] = "population.permit_expired"
    message = "The permit to move has run out."
    mend = "The move has to be asked for anew at the destination."


class CertificateExpired(Refusal):
    """The certificate of the departure has run out (30 days at most)."""

    code: ClassVar[str] = "population.certificate_expired"
    message = "The certificate of the departure has run out."
    mend = "The person still stands in the old register; the move has to be asked for anew at the destination."


class HouseholdNotTheirs(Refusal):
    """Nobody of the household is related to who moves, and its head's consent is missing."""

    code: ClassVar[str] = "population.household_not_theirs"
    message = "Nobody in this household is a parent, child or spouse of the person, and its head's consent is missing."
    mend = "Name the paper in which the head of the household agrees, or choose another household or address."


class ApplicantUnfit(Refusal):
    """Who asks is neither the person, nor a near relative, nor of the household that takes them in."""

    code: ClassVar[str] = "population.applicant_unfit"
    message = "The applicant may not ask for this person's move."
    mend = (
        "The person asks, their spouse, a parent, a grown child, or a grown member of the household that takes them in."
    )


class GuardianMissing(Refusal):
    """A minor would be registered where no parent and no guardian stands."""

    code: ClassVar[str] = "population.guardian_missing"
    message = "A minor would move without a parent or guardian."
    mend = (
        "Let a parent move there first, or together; or name the paper that makes somebody there the guardian. "
        "Pupils of boarding schools move into the school's collective household."
    )


class CentreUnreachable(Refusal):
    """The register of the other city does not answer; nothing was changed."""

    code: ClassVar[str] = "population.centre_unreachable"
    message = "The register of the other city does not answer. Nothing was changed."
    mend = "Try again in a few minutes."


class HouseholdBusy(Refusal):
    """Somebody else is changing the household or the person just now; nothing was changed."""

    code: ClassVar[str] = "population.household_busy"
    message = "The household or the person is being changed by somebody else. Nothing was changed."
    mend = "Try again in a minute."


class ArrivalConflict(Refusal):
    """The destination's register already holds the person, or their number belongs to somebody else there."""

    code: ClassVar[str] = "population.arrival_conflict"
    message = "The register of the destination already holds this person or their identity number."
    mend = "Nothing was changed. Both registers have to be compared and one of them corrected first."


class ArrivalInDoubt(Refusal):
    """It cannot be told yet whether the arrival was recorded: the source went silent at the moment of the decision."""

    code: ClassVar[str] = "population.arrival_in_doubt"
    message = "Whether the arrival was recorded is not known yet: the register of the source went silent."
    mend = "Look at the move again in a minute; it is settled by itself, one way or the other."


class TransferNestedError(Fault):
    """A transfer was begun inside another transaction: it must be able to commit by itself."""

    code: ClassVar[str] = "population.transfer_nested"
