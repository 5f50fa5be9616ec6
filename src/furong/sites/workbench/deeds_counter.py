"""The acts of the counter, as data: what each is called, by which law, what its form asks, and which command takes it.

A form's fields are the command's arguments, under the names that `Deed.names` says; whoever shows a card becomes a key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from furong.foundation.access.errors import AccessRefused
from furong.foundation.replicas import queries as replicas
from furong.foundation.web.texts import day
from furong.registries.population import commands
from furong.registries.population import queries as population
from furong.registries.population.errors import NotAtThisCounter, PersonNotFound
from furong.registries.population.kinship import HEAD
from furong.registries.population.moves import queries as moves
from furong.registries.population.values import (
    FEMALE,
    HouseholdRecord,
    NewChild,
    PersonStatus,
    years_between,
)
from furong.sites.workbench import facts
from furong.sites.workbench.forms_counter import (
    NOBODY,
    SPOUSE,
    ActForm,
    AdoptionForm,
    BirthForm,
    Choices,
    CorrectionForm,
    DeathForm,
    DivorceForm,
    MarriageForm,
    MissingForm,
    NameForm,
)
from furong.sites.workbench.forms_residence import (
    DischargeForm,
    HeadForm,
    LeavingForm,
    MergeForm,
    ReturnForm,
    ServiceForm,
    SplitForm,
    StayEndForm,
    StayForm,
    WithinForm,
)

FAMILY, HOUSEHOLD, PERSON, AWAY = "family", "household", "person", "away"
GROUPS: Mapping[str, Promise] = {
    FAMILY: gettext_lazy("Family"),
    HOUSEHOLD: gettext_lazy("Household and residence"),
    PERSON: gettext_lazy("The person"),
    AWAY: gettext_lazy("Leaving and coming back"),
}
MAJORITY_YEARS = 18  # 民法典 art. 17
Given = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class At:
    """Who stands at the counter, as the register knows them, and the acts' common arguments."""

    person_id: UUID
    known: Mapping[str, Any]
    household: HouseholdRecord | None
    asking: Mapping[str, Any]
    today: date
    stays: Choices = ()

    @property
    def members(self) -> list[tuple[str, str]]:
        """The members of the household to choose from."""
        if self.household is None:
            return []
        return [
            (
                str(one.person.person_id),
                f"{one.person.text('name_masked')} · {facts.word('household_relation', one.relation)}",
            )
            for one in self.household.members
        ]

    @property
    def others(self) -> list[tuple[str, str]]:
        """Those of them who are not the head."""
        heads = (
            {str(m.person.person_id) for m in self.household.members if m.relation == HEAD} if self.household else set()
        )
        return [one for one in self.members if one[0] not in heads]

    @property
    def is_minor(self) -> bool:
        """Whether somebody else acts for them."""
        return years_between(self.known["born_on"], self.today) < MAJORITY_YEARS


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One act: its words and law, its form, the command, and when it is offered.

    ``of`` is the command's argument that the act is about: ``person_id`` is whoever stands at the counter, ``household_id`` their
    household, none what the form names. ``names`` tells which argument a field is where it has another name; ``fit`` makes
    arguments of what is no field. With ``receipt`` the page that follows shows the number of who was registered.
    """

    label: Promise
    effect: Promise
    law: str
    said: Promise
    form: type[ActForm]
    command: Callable[..., Any]
    of: str = "person_id"
    names: Mapping[str, str] = field(default_factory=dict)
    fit: Callable[[At, Given], Given] = lambda at, given: given
    about: Callable[[At], Mapping[str, Any]] = lambda at: {}
    offered: Callable[[At], bool] = lambda at: True
    group: str = FAMILY
    standing: PersonStatus = PersonStatus.REGISTERED
    receipt: bool = False

    def is_offered(self, at: At) -> bool:
        """Whether the act can be about whoever stands there."""
        return at.known["status"] == self.standing and self.offered(at)

    def open_form(self, at: At, data: Any) -> ActForm:
        """Give the form, fitted to the person."""
        about = {
            **at.known,
            "members": at.members,
            "others": at.others,
            "today": at.today,
            "is_minor": at.is_minor,
            "is_head": at.known["household_relation"] == HEAD,
            **self.about(at),
        }
        return self.form(data, about=about)

    def take(self, at: At, form: ActForm) -> UUID:
        """Carry the act out, and give whose record is shown next. Raises what the command refuses."""
        given = form.arguments()
        for argument, card in form.cards.items():
            name, number = given.pop(f"{card}_name", ""), given.pop(f"{card}_number", "")
            if number:
                given[argument] = find_person(name=name, number=number, asking=at.asking)
        given = {self.names.get(name, name): value for name, value in given.items()}
        if self.of:
            given[self.of] = at.known["household_id"] if self.of == "household_id" else at.person_id
        done = self.command(**self.fit(at, given), **at.asking)
        found: UUID = done.person_id if self.receipt else at.person_id
        return found


def find_person(*, name: str, number: str, asking: Mapping[str, Any]) -> UUID:
    """Give whoever shows this card, also with a former name, and also who left the register alive.

    Raises `PersonNotFound`, at a centre's own node `NotAtThisCounter`.
    """
    try:
        return moves.find_mover(number=number, name=name, as_before=True, **asking)
    except PersonNotFound as missing:
        if replicas.is_counter():
            raise NotAtThisCounter from missing
        raise


def stays_of(at: At) -> Choices:
    """Give the temporary stays that have not ended, to choose from."""
    places = facts.Places()
    found = population.list_residences(person_id=at.person_id, **at.asking)
    return [
        (
            str(one.stay_id),
            _("%(place)s, since %(day)s")
            % {"place": f"{places.name(one.division_code)} {one.address}", "day": day(one.valid_from)},
        )
        for one in found
        if one.stay_id is not None and one.valid_until is None
    ]


# --- what belongs to some acts ------------------------------------------------------------------------------------------


def _spouse(at: At) -> dict[str, Any]:
    """Name the recorded spouse for the form."""
    if at.known["spouse_id"] is None:
        return {"spouse": ""}
    try:
        record = population.get_person(person_id=at.known["spouse_id"], fields=("name_masked",), **at.asking)
    except (AccessRefused, PersonNotFound):  # registered elsewhere: known by key, not by name
        return {"spouse": _("registered elsewhere")}
    return {"spouse": record.text("name_masked")}


def _birth(at: At, given: Given) -> Given:
    """Make the child of what the form asks, and the parents of who stands there and who is named."""
    other = at.known["spouse_id"] if given["other"] == SPOUSE else given.get("other_person_id")
    if given["other"] == NOBODY:
        other = None
    is_mother = at.known["sex"] == FEMALE
    return {
        "effect_id": given["effect_id"],
        "child": NewChild(
            name=given["child_name"],
            sex=given["sex"],
            born_at=given["born_at"],
            ethnicity=given["ethnicity"],
            born_division_code=str(at.known["division_code"])[:6],
            born_place=given["born_place"],
        ),
        "birth_record_number": given["record_number"],
        "mother_person_id": at.person_id if is_mother or other is None else other,
        "father_person_id": other if is_mother else at.person_id,
        "household_id": given["household_id"],
        "consent_reference": given["consent"],
        "late_note": given["late_note"],
    }


def _divorce(at: At, given: Given) -> Given:
    return {**given, "spouse_person_id": at.known["spouse_id"]}


def _adoption(at: At, given: Given) -> Given:
    """Make the parents of who stands there and, where they adopt too, the spouse."""
    other = at.known["spouse_id"] if given.pop("other") == SPOUSE else None
    roles = ("mother_person_id", "father_person_id")
    mine, theirs = roles if at.known["sex"] == FEMALE else reversed(roles)
    return {**given, mine: at.person_id, theirs: other, "name": given["name"] or None}


def _townships(at: At) -> dict[str, Any]:
    return {"places": facts.townships(at.asking["actor"])}


def _name(at: At, given: Given) -> Given:
    """Who is of age applies for themself."""
    return {"applicant_person_id": at.person_id} | given


def _into_household(argument: str) -> Callable[[At, Given], Given]:
    """Find the household whose number was typed."""

    def fit(at: At, given: Given) -> Given:
        key, _division = moves.find_household(number=given.pop("household_number"), actor=at.asking["actor"])
        return {**given, argument: key}

    return fit


def _lives_with(at: At) -> bool:
    return at.household is not None


def _may_adopt(at: At) -> bool:
    return _lives_with(at) and not at.is_minor


def _may_marry(at: At) -> bool:
    return at.known["spouse_id"] is None and not at.is_minor


def _has_company(at: At) -> bool:
    return at.household is not None and len(at.household.members) > 1


DEEDS: Mapping[str, Deed] = {
    "birth": Deed(
        label=gettext_lazy("Birth"),
        effect=gettext_lazy("The child enters the household and gets an identity number."),
        law="户口登记条例 第七条",
        said=gettext_lazy("The birth is registered."),
        form=BirthForm,
        command=commands.register_birth,
        of="household_id",
        fit=_birth,
        about=_spouse,
        receipt=True,
        offered=_lives_with,
    ),
    "adoption": Deed(
        label=gettext_lazy("Adoption into the household"),
        effect=gettext_lazy("The adopters become the parents, and the child joins their household."),
        law="户口登记条例 第十九条、民法典 第一千一百零五条",
        said=gettext_lazy("The adoption is recorded."),
        form=AdoptionForm,
        command=commands.record_adoption,
        of="household_id",
        fit=_adoption,
        about=_spouse,
        offered=_may_adopt,
    ),
    "marriage": Deed(
        label=gettext_lazy("Mark of a marriage"),
        effect=gettext_lazy("Both are marked as married to each other; nobody moves."),
        law="户口登记条例 第十九条",
        said=gettext_lazy("The marriage is recorded."),
        form=MarriageForm,
        command=commands.record_marriage,
        offered=_may_marry,
    ),
    "divorce": Deed(
        label=gettext_lazy("Mark of a divorce"),
        effect=gettext_lazy("The marriage ends on both; nobody moves."),
        law="户口登记条例 第十九条",
        said=gettext_lazy("The divorce is recorded."),
        form=DivorceForm,
        command=commands.record_divorce,
        fit=_divorce,
        offered=lambda at: at.known["spouse_id"] is not None,
    ),
    "death": Deed(
        label=gettext_lazy("Death"),
        effect=gettext_lazy("The person leaves the household, and a marriage ends."),
        law="户口登记条例 第八条",
        said=gettext_lazy("The death is recorded."),
        form=DeathForm,
        command=commands.record_death,
    ),
    "split": Deed(
        label=gettext_lazy("Split of the household"),
        effect=gettext_lazy("Members go into a household of their own."),
        law="户口登记条例 第五条、第十九条",
        said=gettext_lazy("The household is split."),
        form=SplitForm,
        command=commands.split_household,
        of="household_id",
        names={
            "members": "member_ids",
            "head": "head_person_id",
            "next_head": "next_head_person_id",
            "on": "split_on",
        },
        offered=_has_company,
        group=HOUSEHOLD,
    ),
    "merge": Deed(
        label=gettext_lazy("Merger of households"),
        effect=gettext_lazy("Everybody goes into another household, and this one is closed."),
        law="户口登记条例 第十九条",
        said=gettext_lazy("The households are one."),
        form=MergeForm,
        command=commands.merge_households,
        of="household_id",
        names={"on": "merged_on"},
        fit=_into_household("into_household_id"),
        offered=_lives_with,
        group=HOUSEHOLD,
    ),
    "head": Deed(
        label=gettext_lazy("Another head"),
        effect=gettext_lazy("Everybody's relation is told to the new head."),
        law="户口登记条例 第十九条",
        said=gettext_lazy("The household has another head."),
        form=HeadForm,
        command=commands.change_head,
        of="household_id",
        names={"head": "head_person_id", "on": "changed_on"},
        offered=_has_company,
        group=HOUSEHOLD,
    ),
    "within": Deed(
        label=gettext_lazy("Move within the county"),
        effect=gettext_lazy("The person joins another household of the same county; no permit is needed."),
        law="户口登记条例 第十条、第十三条",
        said=gettext_lazy("The move is recorded."),
        form=WithinForm,
        command=commands.move_person,
        names={"on": "moved_on", "next_head": "new_head_person_id"},
        fit=_into_household("household_id"),
        group=HOUSEHOLD,
    ),
    "stay": Deed(
        label=gettext_lazy("Registration of a temporary stay"),
        effect=gettext_lazy("The person keeps household and residence, and is found at the other address too."),
        law="户口登记条例 第十五条",
        said=gettext_lazy("The stay is recorded."),
        form=StayForm,
        command=commands.record_temporary_stay,
        about=_townships,
        group=HOUSEHOLD,
    ),
    "stay_end": Deed(
        label=gettext_lazy("End of a temporary stay"),
        effect=gettext_lazy("The stay ends on its last day and stays readable."),
        law="户口登记条例 第十六条",
        said=gettext_lazy("The stay has ended."),
        form=StayEndForm,
        command=commands.end_temporary_stay,
        of="",
        about=lambda at: {"stays": stays_of(at)},
        offered=lambda at: bool(at.stays),
        group=HOUSEHOLD,
    ),
    "name": Deed(
        label=gettext_lazy("Change of name"),
        effect=gettext_lazy("The old name stays readable as the former name."),
        law="户口登记条例 第十八条",
        said=gettext_lazy("The new name is recorded."),
        form=NameForm,
        command=commands.change_name,
        fit=_name,
        group=PERSON,
    ),
    "correction": Deed(
        label=gettext_lazy("Correction"),
        effect=gettext_lazy("What was believed before stays readable, with the evidence."),
        law="户口登记条例 第十七条",
        said=gettext_lazy("The register is corrected."),
        form=CorrectionForm,
        command=commands.correct_person,
        group=PERSON,
    ),
    "missing": Deed(
        label=gettext_lazy("Missing"),
        effect=gettext_lazy("The person keeps household and residence."),
        law="民法典 第四十条",
        said=gettext_lazy("It is recorded that the person is missing."),
        form=MissingForm,
        command=commands.record_missing,
        names={"on": "missing_since"},
        offered=lambda at: at.known["missing_since"] is None,
        group=PERSON,
    ),
    "found": Deed(
        label=gettext_lazy("Found"),
        effect=gettext_lazy("The person is missing no more."),
        law="民法典 第四十五条",
        said=gettext_lazy("It is recorded that the person was found."),
        form=MissingForm,
        command=commands.record_found,
        names={"on": "found_on"},
        offered=lambda at: at.known["missing_since"] is not None,
        group=PERSON,
    ),
    "enlistment": Deed(
        label=gettext_lazy("Military service"),
        effect=gettext_lazy("The person leaves the register and keeps the number."),
        law="户口登记条例 第十一条",
        said=gettext_lazy("The enlistment is recorded."),
        form=ServiceForm,
        command=commands.record_enlistment,
        names={"paper_number": "notice_number", "on": "enters_on", "next_head": "new_head_person_id"},
        group=AWAY,
    ),
    "discharge": Deed(
        label=gettext_lazy("Discharge from service"),
        effect=gettext_lazy("The person stands in the register again, with the same number."),
        law="户口登记条例 第十三条",
        said=gettext_lazy("The discharge is recorded."),
        form=DischargeForm,
        command=commands.record_discharge,
        names={"on": "arrived_on"},
        fit=_into_household("household_id"),
        standing=PersonStatus.DEREGISTERED,
        group=AWAY,
    ),
    "emigration": Deed(
        label=gettext_lazy("Settling abroad"),
        effect=gettext_lazy("The person leaves the register and keeps the number."),
        law="户口登记条例 第十条",
        said=gettext_lazy("The emigration is recorded."),
        form=LeavingForm,
        command=commands.record_emigration,
        names={"on": "leaves_on", "next_head": "new_head_person_id"},
        group=AWAY,
    ),
    "return": Deed(
        label=gettext_lazy("Return to the register"),
        effect=gettext_lazy("Back from abroad: the person stands in the register again, with the same number."),
        law="户口登记条例 第十三条",
        said=gettext_lazy("The return is recorded."),
        form=ReturnForm,
        command=commands.restore_person,
        names={"on": "returned_on"},
        fit=_into_household("household_id"),
        standing=PersonStatus.DEREGISTERED,
        group=AWAY,
    ),
}


def grouped(codes: Iterable[str]) -> list[tuple[Promise, list[tuple[str, Deed]]]]:
    """Give these acts under their headings, in order; a heading without any is left out."""
    wanted = set(codes)
    found = [
        (label, [(code, deed) for code, deed in DEEDS.items() if code in wanted and deed.group == group])
        for group, label in GROUPS.items()
    ]
    return [(label, deeds) for label, deeds in found if deeds]
