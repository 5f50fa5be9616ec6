"""What the population register refuses, and the faults its operator must mend. None of them carries personal data."""

from __future__ import annotations

from typing import ClassVar

from furong.foundation.codes.errors import Fault, Refusal


class PersonNotFound(Refusal):
    """The register holds nobody by that key, or nobody the asker may know of."""

    code: ClassVar[str] = "population.person_not_found"
    message = "No such person is in the register."


class FieldUnknown(Refusal):
    """A field was asked for that the register does not have."""

    code: ClassVar[str] = "population.field_unknown"
    message = "The register has no field named %(field)s."


class SearchTooBroad(Refusal):
    """A search names nobody: it would list the population."""

    code: ClassVar[str] = "population.search_too_broad"
    message = "The search is too broad."
    mend = "Give a name, its pinyin, an identity number or a date of birth."


class PersonDeceased(Refusal):
    """The person is recorded as deceased at the time that matters."""

    code: ClassVar[str] = "population.person_deceased"
    message = "The person is recorded as deceased at that time."
    mend = "Check the person chosen; if the record is wrong, ask for its correction."


class PersonDeregistered(Refusal):
    """The person has left the register alive: abroad, in service, or entered twice."""

    code: ClassVar[str] = "population.person_deregistered"
    message = "The person does not stand in the register any more."
    mend = "Restore the registration first, on the paper that proves the return."


class PersonRegistered(Refusal):
    """The person stands in the register already; there is nothing to restore."""

    code: ClassVar[str] = "population.person_registered"
    message = "The person stands in the register."


class NotOfHousehold(Refusal):
    """Somebody was named who does not stand in the household."""

    code: ClassVar[str] = "population.not_of_household"
    message = "Somebody named is no member of this household."
    mend = "Open the household anew and choose among its members."


class HouseholdsApart(Refusal):
    """Two households of different townships cannot be merged; their people move."""

    code: ClassVar[str] = "population.households_apart"
    message = "The two households lie in different townships."
    mend = "Move each person instead."


class AdoptersUnfit(Refusal):
    """The adopters do not meet what the register can see of the law (民法典 arts. 1093, 1098, 1101, 1102)."""

    code: ClassVar[str] = "population.adopters_unfit"
    message = "By the register's facts these people cannot adopt this child."
    mend = (
        "The child is a minor, adopters are at least 30, married people adopt together, and who adopts a child of the other sex "
        "alone is at least 40 years older."
    )


class BirthRecordMissing(Refusal):
    """A registration without the number of a birth certificate."""

    code: ClassVar[str] = "population.birth_record_missing"
    message = "The number of the birth certificate is missing."
    mend = "Enter it as printed."


class ChildAlreadyRegistered(Refusal):
    """The birth record was used for a registration before: one child, one registration."""

    code: ClassVar[str] = "population.child_already_registered"
    message = "A child was already registered with this birth certificate."
    mend = "Look the child up in the household; do not register it again."


class HouseholdNotFound(Refusal):
    """The household does not exist or was closed."""

    code: ClassVar[str] = "population.household_not_found"
    message = "No such household is open in the register."


class HouseholdNotOfParents(Refusal):
    """Neither parent is a member of the household (户口登记条例, art. 7 with 国发〔1998〕24号)."""

    code: ClassVar[str] = "population.household_not_of_parents"
    message = "Neither parent is a member of this household."
    mend = "Choose the mother's or the father's household."


class ConsentMissing(Refusal):
    """The other parent's consent is required and no reference to it was given."""

    code: ClassVar[str] = "population.consent_missing"
    message = "The other parent's consent is missing."
    mend = "Ask the other parent to consent, then register the birth."


class Busy(Refusal):
    """Somebody else wrote about the same people at that moment."""

    code: ClassVar[str] = "population.busy"
    message = "The record of these people was changed by somebody else at this moment. Nothing was changed."
    mend = "Try again."


class PaperMissing(Refusal):
    """An act without the paper that the law names for it."""

    code: ClassVar[str] = "population.paper_missing"
    message = "The paper that this act needs is not named."
    mend = "Enter the number of the paper, or what proves it; nothing in the register changes without."


class ApplicantNotEntitled(Refusal):
    """Somebody applies for another's name who may not."""

    code: ClassVar[str] = "population.applicant_not_entitled"
    message = "The applicant may not ask for this person's other name."
    mend = "Who is of age applies for themself; for a minor a parent does, or a guardian with the paper that says so."


class SurnameUnfounded(Refusal):
    """A surname that is neither parent's nor the one held, without a ground (民法典 art. 1015)."""

    code: ClassVar[str] = "population.surname_unfounded"
    message = "The surname is neither the father's nor the mother's, and no ground for it is named."
    mend = "Choose a parent's surname, or name the ground that the Civil Code allows."


class TooYoungToServe(Refusal):
    """Nobody enters military service before seventeen."""

    code: ClassVar[str] = "population.too_young_to_serve"
    message = "The person is too young to enter military service on that day."
    mend = "Check the person chosen and the day on the notice."


class NotInService(Refusal):
    """Somebody comes back from a service that the register does not know of."""

    code: ClassVar[str] = "population.not_in_service"
    message = "The register does not know that this person entered military service."
    mend = "Restore the registration by what proves the return, if they left for another reason."


class ParentUnfit(Refusal):
    """The person named as a parent cannot be one: sex or age is against it."""

    code: ClassVar[str] = "population.parent_unfit"
    message = "The person named as %(role)s cannot be the %(role)s by the register's facts."
    mend = "Check the person chosen."


class DateInFuture(Refusal):
    """A fact was to be recorded before it happened."""

    code: ClassVar[str] = "population.date_in_future"
    message = "The date lies in the future."


class NumberTaken(Refusal):
    """The identity number belongs to somebody else, or did."""

    code: ClassVar[str] = "population.number_taken"
    message = "This identity number is already in the register."


class NumberInvalid(Refusal):
    """The identity number breaks GB 11643."""

    code: ClassVar[str] = "population.number_invalid"
    message = "The identity number is not valid."
    mend = "Compare it with the card: 17 digits and a check character."


class CodeInvalid(Refusal):
    """A code is not in its code table."""

    code: ClassVar[str] = "population.code_invalid"
    message = "The value of %(field)s is not in its code table."


class EthnicityNotOfParents(Refusal):
    """A child's ethnic group is its father's or its mother's (中国公民民族成份登记管理办法, 2015, art. 3)."""

    code: ClassVar[str] = "population.ethnicity_not_of_parents"
    message = "A child's ethnic group is the father's or the mother's."
    mend = "Choose one of the parents' ethnic groups."


class NameInvalid(Refusal):
    """The name is empty, too long, or holds characters that no name has."""

    code: ClassVar[str] = "population.name_invalid"
    message = "This cannot be registered as a name."
    mend = "Use Chinese characters, or the letters and dots of another script; at most 50."


class FieldNotChangeable(Refusal):
    """The field is not changed this way: a birth date is corrected, never amended."""

    code: ClassVar[str] = "population.field_not_changeable"
    message = "%(field)s cannot be changed this way."


class AlreadyMarried(Refusal):
    """One of the two is recorded as married to somebody else."""

    code: ClassVar[str] = "population.already_married"
    message = "One of the two is recorded as married."


class NotMarried(Refusal):
    """The two are not recorded as each other's spouses."""

    code: ClassVar[str] = "population.not_married"
    message = "The two are not recorded as married to each other."


class HeadWouldLeave(Refusal):
    """The head of a household leaves and members stay without one."""

    code: ClassVar[str] = "population.head_would_leave"
    message = "The head of the household would leave, and members would stay."
    mend = "Name the member who becomes head."


class NothingToChange(Refusal):
    """An amendment or a correction that changes nothing."""

    code: ClassVar[str] = "population.nothing_to_change"
    message = "The record already says so; nothing was changed."


class MappingInvalid(Refusal):
    """A mapping of an import does not say what the file's columns are."""

    code: ClassVar[str] = "population.mapping_invalid"
    message = "The mapping cannot be used: %(problem)s."
    mend = "Nothing was imported. Correct the mapping and run the import again."


class FileUnreadable(Refusal):
    """A file of an import cannot be read as CSV or Parquet."""

    code: ClassVar[str] = "population.file_unreadable"
    message = "The file cannot be read: %(problem)s."
    mend = "Nothing of it was imported. Check the file, its separator and its encoding."


class CentreUnknown(Refusal):
    """A division lies in no city centre of the register."""

    code: ClassVar[str] = "population.centre_unknown"
    message = "No city centre of the population register keeps this division."
    mend = "Check the division; a household stands where its city's register is."


class RegisteredElsewhere(Refusal):
    """What was asked for can be done at the centre that keeps the person, and only there."""

    code: ClassVar[str] = "population.registered_elsewhere"
    message = "This person is registered in another city, whose register alone can change the entry."
    mend = "Do it at that city's counter, or move the person first."
    to_division = ""  # of somebody who just moved on: where to


class NotAtThisCounter(Refusal):
    """A counter's own node was asked about somebody whom its city does not keep: it can ask nobody else."""

    code: ClassVar[str] = "population.not_at_this_counter"
    message = "This city's register does not hold the person; another city's may."
    mend = "Do it on the provincial platform, which knows all cities; this counter knows its own city's people only."


class CentreError(Fault):
    """A centre and the province do not fit together, or a centre cannot be reached."""

    code: ClassVar[str] = "population.centre"


class EffectReusedError(Fault):
    """The same effect was asked for twice with different content: a defect of the caller, never of a person."""

    code: ClassVar[str] = "population.effect_reused"


class NumbersExhaustedError(Fault):
    """All sequence numbers of a county, day and sex are used (GB 11643 has 999 a day for both sexes)."""

    code: ClassVar[str] = "population.numbers_exhausted"


class DemoContentError(Fault):
    """The pack's folder ``demo`` does not describe residents that can be made."""

    code: ClassVar[str] = "population.demo_content"


class DemoInProductionError(Fault):
    """Invented residents were to be loaded into a register of real people."""

    code: ClassVar[str] = "population.demo_in_production"
