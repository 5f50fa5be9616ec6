"""What a process's service tasks can ask for, by the names that diagrams use.

A handler is given the call's ``effect_id`` and passes it on, so that a repeat after a crash has the same effect once. What the
process has no business with (a case's other data) it does not get. ``docs/explanation/cases.md`` lists the names with their input
and result.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from furong.domains.cases import models, ports
from furong.domains.cases.commands.completing import complete_facts
from furong.domains.cases.commands.deciding import end_without_result, set_output
from furong.domains.cases.errors import HandlerMisconfiguredError
from furong.domains.processes.errors import BpmnError
from furong.domains.processes.ports import ServiceCall
from furong.foundation.access.values import Actor, ActorKind, Assurance, Basis
from furong.foundation.calendar import queries as calendars
from furong.foundation.codes.errors import Refusal
from furong.foundation.organizations import queries as organizations
from furong.foundation.organizations.errors import OrganizationNotFound
from furong.registries.licences import commands as licences
from furong.registries.licences import queries as licence_queries
from furong.registries.licences.errors import LicenceNumberTaken
from furong.registries.population import commands as population
from furong.registries.population import queries as people
from furong.registries.population.errors import ChildAlreadyRegistered
from furong.registries.population.values import NewChild

Result = Mapping[str, object] | None


def fetch_birth_record(call: ServiceCall) -> Result:
    """Fetch a mother's latest birth from the hospitals: ``{mother_person_id, licence_type}``.

    ``certificate_issued`` tells whether a licence of that type bears the record's certificate number already. The BPMN
    error ``hospital.record_not_found`` says that no hospital knows one; a silent register is a fault and tried again.
    """
    record = ports.birth_records().find_latest(mother_person_id=id_of(call, "mother_person_id"))
    if record is None:
        raise BpmnError("hospital.record_not_found")
    # The record is there: what the application lacked for want of it is filled in, and the case goes to the right hospital.
    complete_facts(case_id=UUID(call.business_key), actor=Actor.system(f"processes.{call.element_id}"), now=call.now)
    type_code = str(call.variables.get("licence_type") or "")
    return {
        "record_id": str(record.record_id),
        "certificate_number": record.certificate_number,
        "certificate_issued": bool(type_code)
        and licence_queries.number_is_taken(type_code=type_code, number=record.certificate_number),
        "sex": record.sex,
        "born_at": record.born_at.isoformat(),
        "born_on": calendars.current().local_date(record.born_at).isoformat(),
        "weight_g": record.weight_g,
        "length_mm": record.length_mm,
        "gestation_weeks": record.gestation_weeks,
        "division_code": record.division_code,
        "born_place": record.hospital_name.get("zh", ""),
        "hospital_name": record.hospital_name.get("zh", ""),
        "hospital_code": record.hospital_code,
    }


def fetch_marriage(call: ServiceCall) -> Result:
    """Ask the marriage register for a person's marriage today: ``{person_id}``."""
    found = ports.marriages().find_marriage(
        person_id=id_of(call, "person_id"), on=calendars.current().local_date(call.now)
    )
    if found is None:
        return {"married": False}
    return {
        "married": True,
        "spouse_person_id": str(found.spouse_person_id),
        "certificate_number": found.certificate_number,
        "registered_on": found.registered_on.isoformat(),
    }


def register_birth(call: ServiceCall) -> Result:
    """Register a birth in the population register, once for each effect.

    Takes ``{child: {name, sex, born_at, ethnicity, born_division_code, born_place}, birth_record_number, mother_person_id,
    father_person_id, household_id, consent_reference, late_note}``. A refusal of the register is the BPMN error
    ``population.refused``, and ``population.child_already_registered`` where the birth is in the register already.
    """
    given = call.variables
    child = given.get("child")
    if not isinstance(child, Mapping):
        raise HandlerMisconfiguredError("population.register_birth needs a child.")
    _, actor, basis = case_of(call)
    try:
        done = population.register_birth(
            effect_id=call.effect_id,
            child=NewChild(
                name=str(child.get("name") or ""),
                sex=str(child.get("sex") or ""),
                born_at=_moment(child.get("born_at")),
                ethnicity=str(child.get("ethnicity") or ""),
                born_division_code=str(child.get("born_division_code") or ""),
                born_place=str(child.get("born_place") or ""),
            ),
            birth_record_number=str(given.get("birth_record_number") or ""),
            mother_person_id=id_of(call, "mother_person_id"),
            father_person_id=_maybe_id(call, "father_person_id"),
            household_id=id_of(call, "household_id"),
            consent_reference=str(given.get("consent_reference") or ""),
            late_note=str(given.get("late_note") or ""),
            actor=actor,
            basis=basis,
            now=call.now,
        )
        record = people.get_person(
            person_id=done.person_id,
            fields=("born_on", "address", "household_number"),
            actor=actor,
            basis=basis,
            now=call.now,
        )
    except ChildAlreadyRegistered as refusal:
        raise BpmnError(refusal.code) from refusal
    except Refusal as refusal:
        raise BpmnError("population.refused", refusal.code) from refusal
    return {
        "person_id": str(done.person_id),
        "number": done.number,
        "household_id": str(done.household_id),
        "household_number": record.text("household_number"),
        "relation": done.household_relation,
        "address": record.text("address"),
        "born_on": record.text("born_on"),
        "registered_on": done.registered_on.isoformat(),
        "late": done.is_late,
    }


def issue_licence(call: ServiceCall) -> Result:
    """Issue a licence in the name of the case's organisation, once for each effect.

    Takes ``{type, holder_person_id, guardian_person_ids, number, valid_until, replaces, data}``; ``replaces`` is the key of a
    licence that is revoked by this one. The BPMN error ``licences.number_taken``
    says that another case has issued a licence of this type under the same allotted number.
    """
    given = call.variables
    data = given.get("data")
    if not isinstance(data, Mapping):
        raise HandlerMisconfiguredError("licences.issue needs data.")
    case, actor, basis = case_of(call)
    guardians = given.get("guardian_person_ids") or ()
    number = str(given.get("number") or "").strip()
    try:
        issued = licences.issue(
            effect_id=call.effect_id,
            type_code=str(given.get("type") or ""),
            holder_person_id=id_of(call, "holder_person_id"),
            guardian_person_ids=[UUID(str(g)) for g in guardians] if isinstance(guardians, list | tuple) else (),
            data={k: _plain(v) for k, v in data.items() if v is not None and v != ""},
            issuer_organization_id=case.organization_id,
            case_id=case.id,
            number=number or None,
            valid_until=_day(given.get("valid_until")),
            replaces=_maybe_id(call, "replaces"),
            actor=actor,
            basis=basis,
            now=call.now,
        )
    except LicenceNumberTaken as refusal:
        raise BpmnError(refusal.code) from refusal
    return {"id": str(issued.id), "number": issued.number, "token": issued.token}


def keep_output(call: ServiceCall) -> Result:
    """Keep what the case has produced, ``{element: value}``, for the cases that build on it.

    Runs within the step. Elements that the item does not declare as outputs are a mistake in the pack.
    """
    case, actor, _ = case_of(call)
    outputs = {code: _plain(v) for code, v in _flat(call.variables).items() if v is not None}
    declared = set(case.terms.get("outputs") or outputs)
    if unknown := sorted(set(outputs) - declared):
        raise HandlerMisconfiguredError(f"The item {case.item_code} does not declare the output {unknown[0]}.")
    set_output(case_id=case.id, outputs=outputs, actor=actor, now=call.now)
    return {}


def end_case(call: ServiceCall) -> Result:
    """End the case without its result, ``{reason}``: what was applied for has turned out to be impossible.

    Runs within the step; the diagram goes from here to an end.
    """
    _, actor, _ = case_of(call)
    end_without_result(
        case_id=UUID(call.business_key), reason=str(call.variables.get("reason") or ""), actor=actor, now=call.now
    )
    return {}


# name in diagrams -> (function, whether it runs within the step because it writes the platform's database only)
HANDLERS: Mapping[str, tuple[Callable[[ServiceCall], Result], bool]] = {
    "hospital.fetch_birth_record": (fetch_birth_record, False),
    "marriage.fetch_record": (fetch_marriage, False),
    "population.register_birth": (register_birth, False),
    "licences.issue": (issue_licence, False),
    "cases.set_output": (keep_output, True),
    "cases.end_without_result": (end_case, True),
}


def case_of(call: ServiceCall) -> tuple[models.Case, Actor, Basis]:
    """Return the case of a call, the organisation in whose name it acts, and on what basis."""
    case = models.Case.objects.get(id=UUID(call.business_key))
    try:
        label = organizations.get_organization(organization_id=case.organization_id).label
    except OrganizationNotFound:
        label = ""
    actor = Actor(
        kind=ActorKind.SYSTEM,
        label=f"processes.{call.element_id}",
        organization_id=case.organization_id,
        organization_label=label,
        division_code=case.division_code,
        assurance=Assurance.IN_PERSON,
    )
    basis = Basis(
        purpose=case.item_name.get("zh") or case.item_code,
        legal_basis=str(case.terms.get("legal_basis", "")),
        case_id=case.id,
        task_id=call.effect_id,
        item_code=case.item_code,
    )
    return case, actor, basis


def id_of(call: ServiceCall, name: str) -> UUID:
    found = _maybe_id(call, name)
    if found is None:
        raise HandlerMisconfiguredError(f"{call.element_id} gives no {name}.")
    return found


def _maybe_id(call: ServiceCall, name: str) -> UUID | None:
    value = call.variables.get(name)
    return UUID(str(value)) if value else None


def _moment(value: Any) -> datetime:
    if isinstance(value, datetime):
        found = value
    else:
        try:
            found = datetime.fromisoformat(str(value))
        except ValueError as error:
            raise HandlerMisconfiguredError("A birth needs its time.") from error
    return found if found.tzinfo is not None else found.replace(tzinfo=calendars.current().tz)


def _day(value: Any) -> date | None:
    if value in (None, ""):
        return None
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError as error:
        raise HandlerMisconfiguredError("A licence is valid until a day.") from error


def _plain(value: Any) -> Any:
    """A value as JSON keeps it: whole numbers stay whole, other numbers and days become text."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return value


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{name}.")
        else:
            flat[name] = value
    return flat
