"""What the twins hold of a form's elements, so that nobody is asked for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from furong.domains.cases import models, ports
from furong.domains.cases.errors import TwinUnavailableError
from furong.domains.cases.silence import unheard
from furong.domains.cases.values.states import CaseState
from furong.domains.catalogue import queries as catalogue
from furong.domains.catalogue.values import DataElement, SourceKind
from furong.domains.services import queries as services
from furong.domains.services.errors import ItemMissing
from furong.domains.services.values.prefill import Prefilled, Subject
from furong.foundation.access.values import Actor, Basis
from furong.foundation.audit.commands import record_read
from furong.foundation.calendar import queries as calendars
from furong.foundation.packs.values import Text, both


def subject_of(*, person_id: UUID | None, account_id: UUID | None, now: datetime) -> Subject:
    """Say whom an application is about: the applicant, and the other parent where a child was born.

    Whoever has a birth on record is the mother, and her spouse the father; a father who applies is found by his wife's.
    A register that does not answer leaves its role open.
    """
    if person_id is None:
        return Subject(applicant_person_id=None, account_id=account_id)
    mother, father, role = person_id, None, "mother"
    try:
        marriage = ports.marriages().find_marriage(person_id=person_id, on=calendars.current().local_date(now))
        spouse = marriage.spouse_person_id if marriage is not None else None
        father = spouse
        births = ports.birth_records()
        own = births.find_latest(mother_person_id=person_id)
        if own is None and spouse is not None and births.find_latest(mother_person_id=spouse) is not None:
            mother, father, role = spouse, person_id, "father"
    except TwinUnavailableError:
        pass
    persons = {"applicant": person_id, "mother": mother}
    if father is not None:
        persons["father"] = father
    return Subject(applicant_person_id=person_id, applicant_role=role, account_id=account_id, persons=persons)


def _person(subject: Subject, role: str) -> UUID | None:
    if role in subject.persons:
        return subject.persons[role]
    return subject.applicant_person_id if role in {"", "applicant", subject.applicant_role} else None


class BirthRecordsSource:
    """Elements whose source is the hospitals' birth records."""

    def prefill(
        self, *, elements: Sequence[DataElement], subject: Subject, actor: Actor, basis: Basis, now: datetime
    ) -> Mapping[str, Prefilled]:
        """Return what the mother's latest birth record holds; nothing while the register is silent."""
        mother = _person(subject, "mother")
        if mother is None:
            return {}
        try:
            record = ports.birth_records().find_latest(mother_person_id=mother)
        except TwinUnavailableError:
            unheard(elements)
            return {}
        if record is None:
            return {}
        held = {
            "record_id": str(record.record_id),
            "sex": record.sex,
            "born_at": record.born_at.isoformat(),
            "born_on": calendars.current().local_date(record.born_at).isoformat(),
            "weight_g": record.weight_g,
            "length_mm": record.length_mm,
            "gestation_weeks": record.gestation_weeks,
            "certificate_number": record.certificate_number,
            "hospital_name": record.hospital_name.get("zh", ""),
            "hospital_code": record.hospital_code,
            "division_code": record.division_code,
        }
        found = _filled(elements, held, both("医院出生记录", "Hospital birth record"))
        _trace(found, "birth_records", mother, actor, basis, now)
        return found


class MarriageSource:
    """Elements whose source is the marriage register."""

    def prefill(
        self, *, elements: Sequence[DataElement], subject: Subject, actor: Actor, basis: Basis, now: datetime
    ) -> Mapping[str, Prefilled]:
        """Return what the register holds of a person's marriage, seen from the role that elements name."""
        found: dict[str, Prefilled] = {}
        for role in dict.fromkeys(e.source.of for e in elements):
            person_id = _person(subject, role)
            if person_id is None:
                continue
            try:
                record = ports.marriages().find_marriage(person_id=person_id, on=calendars.current().local_date(now))
            except TwinUnavailableError:
                unheard(elements)
                return {}
            if record is None:
                continue
            held = {
                "spouse_person_id": str(record.spouse_person_id),
                "certificate_number": record.certificate_number,
                "registered_on": record.registered_on.isoformat(),
            }
            of_role = _filled(
                [e for e in elements if e.source.of == role], held, both("婚姻登记库", "Marriage register")
            )
            _trace(of_role, "marriage", person_id, actor, basis, now)
            found |= of_role
        return found


class MedicalInsuranceSource:
    """Elements whose source is the medical insurance."""

    def prefill(
        self, *, elements: Sequence[DataElement], subject: Subject, actor: Actor, basis: Basis, now: datetime
    ) -> Mapping[str, Prefilled]:
        """Return a person's kind of insurance and contribution base."""
        found: dict[str, Prefilled] = {}
        for role in dict.fromkeys(e.source.of for e in elements):
            person_id = _person(subject, role)
            row = models.InsuredPerson.objects.filter(person_id=person_id).first() if person_id else None
            if row is None or person_id is None:
                continue
            held = {"insured_kind": row.insured_kind, "contribution_base_fen": row.contribution_base_fen}
            of_role = _filled(
                [e for e in elements if e.source.of == role], held, both("医疗保障信息平台", "Medical insurance")
            )
            _trace(of_role, "medical_insurance", person_id, actor, basis, now)
            found |= of_role
        return found


def earlier_results(
    *,
    elements: Sequence[str],
    without: Sequence[str],
    known: Mapping[str, Any],
    on: date,
    actor: Actor,
    basis: Basis,
    now: datetime,
) -> Mapping[str, Prefilled]:
    """Return what completed cases of the same matter gave, of ``elements`` that other items put out.

    Somebody whose child has a birth certificate and who now applies for the household alone is not asked for its number, and
    gets this child's, not an elder one's. ``without`` are the items applied for now; ``known`` are the values that tell the
    matter (`Item.once_for`). The person who applied then sees the read.
    """
    dictionary = catalogue.get_dictionary(on=on)
    by_item: dict[str, list[DataElement]] = {}
    for code in dict.fromkeys(elements):
        element = dictionary.get(code)
        if element is not None and element.source.kind is SourceKind.ITEM and element.source.name not in without:
            by_item.setdefault(element.source.name, []).append(element)
    found: dict[str, Prefilled] = {}
    for item_code, some in by_item.items():
        try:
            once_for = services.get_item(code=item_code, on=on).item.once_for
        except ItemMissing:
            continue
        matter = str(known.get(str(once_for)) or "")
        cases = models.Case.objects.filter(item_code=item_code, matter=matter, state=CaseState.COMPLETED.value)
        case = cases.select_related("application").order_by("-ended_at").first() if once_for and matter else None
        if case is None:
            continue
        held = {e.code: case.outputs.get(e.code) for e in some}
        of_item = {
            e.code: Prefilled(element=e.code, value=held[e.code], source=Text.of(case.result_name), legal_basis=_law(e))
            for e in some
            if held[e.code] not in (None, "")
        }
        if case.application.applicant_person_id is not None:
            _trace(of_item, "cases", case.application.applicant_person_id, actor, basis, now)
        found |= of_item
    return found


def _law(element: DataElement) -> str:
    law = element.legal_basis[0] if element.legal_basis else None
    return f"{law.law.primary}{law.clause.primary}" if law is not None else ""


def _filled(elements: Sequence[DataElement], held: Mapping[str, Any], source: Text) -> dict[str, Prefilled]:
    found: dict[str, Prefilled] = {}
    for element in elements:
        value = held.get(element.source.field)
        if value in (None, ""):
            continue
        found[element.code] = Prefilled(element=element.code, value=value, source=source, legal_basis=_law(element))
    return found


def _trace(
    found: Mapping[str, Prefilled], register: str, person_id: UUID, actor: Actor, basis: Basis, now: datetime
) -> None:
    if found:
        record_read(
            actor=actor,
            basis=basis,
            what=f"{register}.prefill",
            subjects=[person_id],
            fields=sorted(found),
            database="default",
            now=now,
        )
