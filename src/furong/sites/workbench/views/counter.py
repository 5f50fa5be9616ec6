"""Registering at the counter: who stands there, what can be registered for them, one act.

The same pages serve the provincial platform and a centre's own node; there, whoever another city keeps cannot be asked about.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from furong.foundation.access.errors import AccessRefused
from furong.foundation.access.values import Actor, Basis
from furong.foundation.codes.errors import Refusal
from furong.foundation.replicas import queries as replicas
from furong.registries.population import commands
from furong.registries.population import queries as population
from furong.registries.population.errors import NotAtThisCounter, PersonNotFound
from furong.registries.population.kinship import HEAD
from furong.registries.population.moves import queries as moves
from furong.registries.population.moves.values import MoveState
from furong.registries.population.values import (
    FEMALE,
    HouseholdRecord,
    NewChild,
    PersonStatus,
    years_between,
)
from furong.sites.workbench import facts
from furong.sites.workbench.desk import page, words_of
from furong.sites.workbench.enquiries import Enquiry, seal, unseal
from furong.sites.workbench.forms_counter import (
    NOBODY,
    SPOUSE,
    ActForm,
    BirthForm,
    CorrectionForm,
    DeathForm,
    HeadForm,
    LeavingForm,
    MergeForm,
    MissingForm,
    NameForm,
    ServiceForm,
    SplitForm,
    WhoForm,
)
from furong.sites.workbench.guards import needs

RIGHT = "population.register"
MAJORITY_YEARS = 18  # 民法典 art. 17
KIND, RECEIPT = "counter", "counter_receipt"
# What the counter registers is its duty itself; each read and each act says so in the log.
BASIS = Basis(purpose="户口登记", legal_basis="户口登记条例")
_SHOWN = ("name", "sex", "ethnicity", "born_on", "number_masked", "status", "division_code", "address")
_NEEDED = (
    *_SHOWN,
    "born_place",
    "household_id",
    "household_number",
    "household_relation",
    "spouse_id",
    "missing_since",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class At:
    """Who stands at the counter, as the register knows them, and the acts' common arguments."""

    person_id: UUID
    known: Mapping[str, Any]
    household: HouseholdRecord | None
    asking: Mapping[str, Any]

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


Done = tuple[UUID, str]  # whose record is shown next, and what is said


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One act: its words, its law, its form, and whether it is offered."""

    label: Promise
    effect: Promise
    law: str
    form: type[ActForm]
    run: Callable[[At, Any], Done]
    offered: Callable[[At], bool] = lambda at: True


def _birth(at: At, form: BirthForm) -> Done:
    given = form.cleaned_data
    other: UUID | None = None
    if given["other"] == SPOUSE:
        other = at.known["spouse_id"]
    elif given["other"] != NOBODY:
        other = find_person(name=given["other_name"], number=given["other_number"], asking=at.asking)
    is_mother = at.known["sex"] == FEMALE
    born = commands.register_birth(
        effect_id=given["effect_id"],
        child=NewChild(
            name=given["child_name"],
            sex=given["sex"],
            born_at=given["born_at"],
            ethnicity=given["ethnicity"],
            born_division_code=str(at.known["division_code"])[:6],
            born_place=given["born_place"],
        ),
        birth_record_number=given["record_number"],
        mother_person_id=at.person_id if is_mother or other is None else other,
        father_person_id=other if is_mother else at.person_id,
        household_id=at.known["household_id"],
        consent_reference=given["consent"],
        late_note=given["late_note"],
        **at.asking,
    )
    return born.person_id, _("The birth is registered.")


def _death(at: At, form: DeathForm) -> Done:
    given = form.cleaned_data
    commands.record_death(person_id=at.person_id, **given, **at.asking)
    return at.person_id, _("The death is recorded.")


def _name(at: At, form: NameForm) -> Done:
    given = dict(form.cleaned_data)
    name, number = given.pop("applicant_name", ""), given.pop("applicant_number", "")
    applicant = find_person(name=name, number=number, asking=at.asking) if number else at.person_id
    commands.change_name(person_id=at.person_id, applicant_person_id=applicant, **given, **at.asking)
    return at.person_id, _("The new name is recorded.")


def _missing(at: At, form: MissingForm) -> Done:
    given = form.cleaned_data
    commands.record_missing(person_id=at.person_id, missing_since=given["on"], evidence=given["evidence"], **at.asking)
    return at.person_id, _("It is recorded that the person is missing.")


def _found(at: At, form: MissingForm) -> Done:
    given = form.cleaned_data
    commands.record_found(person_id=at.person_id, found_on=given["on"], evidence=given["evidence"], **at.asking)
    return at.person_id, _("It is recorded that the person was found.")


def _enlist(at: At, form: ServiceForm) -> Done:
    given = form.cleaned_data
    commands.record_enlistment(
        person_id=at.person_id,
        notice_number=given["paper_number"],
        enters_on=given["on"],
        new_head_person_id=given.get("next_head"),
        effect_id=given["effect_id"],
        **at.asking,
    )
    return at.person_id, _("The enlistment is recorded.")


def _emigrate(at: At, form: LeavingForm) -> Done:
    given = form.cleaned_data
    commands.record_emigration(
        person_id=at.person_id,
        country=given["country"],
        paper_number=given["paper_number"],
        leaves_on=given["on"],
        new_head_person_id=given.get("next_head"),
        effect_id=given["effect_id"],
        **at.asking,
    )
    return at.person_id, _("The emigration is recorded.")


def _correct(at: At, form: CorrectionForm) -> Done:
    commands.correct_person(
        person_id=at.person_id,
        facts=form.facts(),
        evidence=form.cleaned_data["evidence"],
        effect_id=form.cleaned_data["effect_id"],
        **at.asking,
    )
    return at.person_id, _("The register is corrected.")


def _split(at: At, form: SplitForm) -> Done:
    given = form.cleaned_data
    commands.split_household(
        household_id=at.known["household_id"],
        member_ids=given["members"],
        head_person_id=given["head"],
        next_head_person_id=given["next_head"],
        split_on=given["on"],
        address=given["address"],
        evidence=given["evidence"],
        effect_id=given["effect_id"],
        **at.asking,
    )
    return at.person_id, _("The household is split.")


def _head(at: At, form: HeadForm) -> Done:
    given = form.cleaned_data
    commands.change_head(
        household_id=at.known["household_id"],
        head_person_id=given["head"],
        changed_on=given["on"],
        evidence=given["evidence"],
        effect_id=given["effect_id"],
        **at.asking,
    )
    return at.person_id, _("The household has another head.")


def _merge(at: At, form: MergeForm) -> Done:
    given = form.cleaned_data
    into, _division = moves.find_household(number=given["household_number"], actor=at.asking["actor"])
    commands.merge_households(
        household_id=at.known["household_id"],
        into_household_id=into,
        merged_on=given["on"],
        evidence=given["evidence"],
        effect_id=given["effect_id"],
        **at.asking,
    )
    return at.person_id, _("The households are one.")


def _lives_with(at: At) -> bool:
    return at.household is not None


def _has_company(at: At) -> bool:
    return at.household is not None and len(at.household.members) > 1


DEEDS: Mapping[str, Deed] = {
    "birth": Deed(
        label=gettext_lazy("Birth"),
        effect=gettext_lazy("The child enters the household and gets an identity number."),
        law="户口登记条例 第七条",
        form=BirthForm,
        run=_birth,
        offered=_lives_with,
    ),
    "death": Deed(
        label=gettext_lazy("Death"),
        effect=gettext_lazy("The person leaves the household, and a marriage ends."),
        law="户口登记条例 第八条",
        form=DeathForm,
        run=_death,
    ),
    "split": Deed(
        label=gettext_lazy("Split of the household"),
        effect=gettext_lazy("Members go into a household of their own."),
        law="户口登记条例 第五条、第十九条",
        form=SplitForm,
        run=_split,
        offered=_has_company,
    ),
    "merge": Deed(
        label=gettext_lazy("Merger of households"),
        effect=gettext_lazy("Everybody goes into another household, and this one is closed."),
        law="户口登记条例 第十九条",
        form=MergeForm,
        run=_merge,
        offered=_lives_with,
    ),
    "head": Deed(
        label=gettext_lazy("Another head"),
        effect=gettext_lazy("Everybody's relation is told to the new head."),
        law="户口登记条例 第十九条",
        form=HeadForm,
        run=_head,
        offered=_has_company,
    ),
    "name": Deed(
        label=gettext_lazy("Change of name"),
        effect=gettext_lazy("The old name stays readable as the former name."),
        law="户口登记条例 第十八条",
        form=NameForm,
        run=_name,
    ),
    "missing": Deed(
        label=gettext_lazy("Missing"),
        effect=gettext_lazy("The person keeps household and residence."),
        law="民法典 第四十条",
        form=MissingForm,
        run=_missing,
        offered=lambda at: at.known["missing_since"] is None,
    ),
    "found": Deed(
        label=gettext_lazy("Found"),
        effect=gettext_lazy("The person is missing no more."),
        law="民法典 第四十五条",
        form=MissingForm,
        run=_found,
        offered=lambda at: at.known["missing_since"] is not None,
    ),
    "enlistment": Deed(
        label=gettext_lazy("Military service"),
        effect=gettext_lazy("The person leaves the register and keeps the number."),
        law="户口登记条例 第十一条",
        form=ServiceForm,
        run=_enlist,
    ),
    "emigration": Deed(
        label=gettext_lazy("Settling abroad"),
        effect=gettext_lazy("The person leaves the register and keeps the number."),
        law="户口登记条例 第十条",
        form=LeavingForm,
        run=_emigrate,
    ),
    "correction": Deed(
        label=gettext_lazy("Correction"),
        effect=gettext_lazy("What was believed before stays readable, with the evidence."),
        law="户口登记条例 第十七条",
        form=CorrectionForm,
        run=_correct,
    ),
}


def find_person(*, name: str, number: str, asking: Mapping[str, Any]) -> UUID:
    """Give whoever shows this card. Raises `PersonNotFound`, at a centre's own node `NotAtThisCounter`."""
    try:
        return moves.find_mover(number=number, name=name, **asking)
    except PersonNotFound as missing:
        if replicas.is_counter():
            raise NotAtThisCounter from missing
        raise


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@needs(RIGHT)
def counter(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Ask for the card of whoever stands at the counter."""
    now = timezone.now()
    form = WhoForm(request.POST if request.method == "POST" else None)
    refused = None
    if request.method == "POST" and form.is_valid():
        asking: dict[str, Any] = {"actor": actor, "basis": BASIS, "now": now}
        try:
            person_id = find_person(**form.cleaned_data, asking=asking)
            title = population.get_person(person_id=person_id, fields=("name_masked",), **asking).text("name_masked")
        except AccessRefused:
            refused = (
                _("This person is registered outside your area."),
                _("Ask the counter of that place; for a move here, take a request."),
            )
        except Refusal as refusal:
            refused = words_of(refusal)
        else:
            return HttpResponseRedirect(reverse("workbench:counter_person", args=[_open(person_id, title, actor, now)]))
    waiting = moves.count_moves(actor=actor)
    response = page(
        request,
        actor,
        "counter/start",
        "counter",
        form=form,
        refused=refused,
        deeds=list(DEEDS.values()),
        arriving=waiting.get(MoveState.OUT, 0),
    )
    response.status_code = 422 if refused or form.errors else 200
    return response


def _open(person_id: UUID, title: str, actor: Actor, now: datetime, *, kind: str = KIND) -> str:
    basis = Basis(purpose=BASIS.purpose, legal_basis=BASIS.legal_basis, about=person_id)
    return seal(Enquiry(kind=kind, object_id=person_id, title=title, basis=basis), actor=actor, now=now)


def _at(enquiry: Enquiry, actor: Actor, now: datetime) -> At:
    asking: dict[str, Any] = {"actor": actor, "basis": enquiry.basis, "now": now}
    known = population.get_person(person_id=enquiry.object_id, fields=_NEEDED, **asking).values
    household = None
    if isinstance(known["household_id"], UUID):
        try:
            household = population.list_household(
                household_id=known["household_id"], fields=("name_masked", "born_on"), **asking
            )
        except AccessRefused:  # some of its members are registered outside the area
            household = None
    return At(person_id=enquiry.object_id, known=known, household=household, asking=asking)


@require_safe
@needs(RIGHT)
def counter_person(request: HttpRequest, actor: Actor, token: str) -> HttpResponse:
    """Show who stands at the counter, and what can be registered for them."""
    now = timezone.now()
    at = _at(unseal(token, kind=KIND, actor=actor, now=now), actor, now)
    offered = at.known["status"] == PersonStatus.REGISTERED
    return page(
        request,
        actor,
        "counter/person",
        "counter",
        at=at,
        token=token,
        title=at.known["name"],
        status=facts.status_words(str(at.known["status"])),
        rows=facts.rows(at.known, [one for one in _SHOWN if one not in {"name", "status"}], facts.Places()),
        deeds=[(code, deed) for code, deed in DEEDS.items() if offered and deed.offered(at)],
    )


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@needs(RIGHT)
def counter_act(request: HttpRequest, actor: Actor, token: str, code: str) -> HttpResponse:
    """Take one act; what was typed stays when it is refused."""
    now = timezone.now()
    if code not in DEEDS:
        raise Http404
    deed, at = DEEDS[code], _at(unseal(token, kind=KIND, actor=actor, now=now), actor, now)
    form = deed.form(request.POST if request.method == "POST" else None, about=_about(at, now))
    refused = None
    if request.method == "POST" and form.is_valid():
        try:
            person_id, said = deed.run(at, form)
        except Refusal as refusal:
            refused = words_of(refusal)
        else:
            if code == "birth":
                receipt = _open(person_id, "", actor, now, kind=RECEIPT)
                return HttpResponseRedirect(reverse("workbench:counter_done", args=[receipt]))
            messages.success(request, said)
            return HttpResponseRedirect(reverse("workbench:counter_person", args=[token]))
    response = page(
        request,
        actor,
        "counter/act",
        "counter",
        at=at,
        token=token,
        code=code,
        deed=deed,
        form=form,
        refused=refused,
        title=at.known["name"],
    )
    response.status_code = 422 if refused or form.errors else 200
    return response


def _about(at: At, now: datetime) -> dict[str, Any]:
    spouse = ""
    if at.known["spouse_id"] is not None:
        try:
            spouse = population.get_person(person_id=at.known["spouse_id"], fields=("name_masked",), **at.asking).text(
                "name_masked"
            )
        except (AccessRefused, PersonNotFound):  # registered elsewhere: known by key, not by name
            spouse = _("registered elsewhere")
    today = timezone.localdate(now)
    born_on: Any = at.known["born_on"]
    return {
        **at.known,
        "spouse": spouse,
        "members": at.members,
        "others": at.others,
        "today": today,
        "is_minor": years_between(born_on, today) < MAJORITY_YEARS,
        "is_head": at.known["household_relation"] == HEAD,
    }


@require_safe
@needs(RIGHT)
def counter_done(request: HttpRequest, actor: Actor, token: str) -> HttpResponse:
    """Show what a birth gave: the number, for the book and the receipt."""
    now = timezone.now()
    enquiry = unseal(token, kind=RECEIPT, actor=actor, now=now)
    asking: dict[str, Any] = {"actor": actor, "basis": enquiry.basis, "now": now}
    fields = ("name", "sex", "born_on", "number", "household_number", "household_relation", "division_code", "address")
    found = population.get_person(person_id=enquiry.object_id, fields=fields, **asking).values
    return page(
        request,
        actor,
        "counter/done",
        "counter",
        name=found["name"],
        number=found["number"],
        rows=facts.rows(found, [one for one in fields if one not in {"name", "number"}], facts.Places()),
        token=_open(enquiry.object_id, str(found["name"])[:1] + "*", actor, now),
    )
