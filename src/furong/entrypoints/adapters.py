"""Joins ports of lower rooms to the registers above or beside them. Translates, and holds no rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone

from furong.domains.catalogue.values import DataElement
from furong.domains.services import queries as services
from furong.domains.services.values.prefill import Prefilled, Subject
from furong.foundation.access.values import Actor, Basis
from furong.foundation.calendar.commands import CalendarData
from furong.foundation.identity.values import Child
from furong.foundation.packs import queries as packs
from furong.foundation.packs.errors import DefinitionMissing
from furong.foundation.packs.values import Text, both
from furong.registries.licences import queries as licences
from furong.registries.population import queries as population
from furong.registries.population.centres import directory, watching
from furong.registries.population.values import FIELDS

REAL_NAME = Basis(purpose="identity.real_name", legal_basis="居民身份证法")
PARENTHOOD = Basis(purpose="identity.parenthood", legal_basis="民法典第二十七条")
_MALE, _FEMALE = "1", "2"  # GB/T 2261.1
_PARENT_SEX = {"mother": _FEMALE, "father": _MALE}


def person_of_number(number: str, name: str, actor: Actor, now: datetime) -> UUID | None:
    """Ask the population register whether a number and a name belong to one person (the real-name service's twin)."""
    return population.find_by_number(
        number=number, name=name, actor=Actor.system("identity.real_name"), basis=REAL_NAME, now=now
    )


def children_of(person_id: UUID, actor: Actor, now: datetime) -> Sequence[Child]:
    """Ask the population register for a person's children."""
    found = population.list_children(
        person_id=person_id,
        fields=("name", "born_on"),
        actor=Actor.system("identity.parenthood"),
        basis=PARENTHOOD,
        now=now,
    )
    return [Child(person_id=c.person_id, name=c.text("name"), born_on=c["born_on"]) for c in found]  # type: ignore[arg-type]


def released_calendar(known: str) -> CalendarData | None:
    """Give the holiday file in force when it is another than ``known``."""
    release = packs.find_release(kind="holidays", code="holidays", on=timezone.localdate())
    if release is None or release.digest == known:
        return None
    try:
        definition = packs.get_definition(digest=release.digest)
    except DefinitionMissing:
        return None
    return CalendarData(digest=release.digest, data=definition.content, file="holidays.yaml")


class PopulationSource:
    """Elements whose source is the population register: a field (`population.values.FIELDS`) of the person in a role.

    The platform reads for the application, so that a form can show what it needs of the other parent; each person read sees it.
    """

    def prefill(
        self, *, elements: Sequence[DataElement], subject: Subject, actor: Actor, basis: Basis, now: datetime
    ) -> Mapping[str, Prefilled]:
        """Give the fields that are held, by element."""
        wanted: dict[str, list[DataElement]] = {}
        for element in elements:
            if element.source.field in FIELDS or element.source.field == "person_id":
                wanted.setdefault(element.source.of or "applicant", []).append(element)
        found: dict[str, Prefilled] = {}
        for role, some in wanted.items():
            person_id = self._person(role, subject, basis, now)
            if person_id is None:
                continue
            fields = sorted({e.source.field for e in some} & set(FIELDS))
            record: Any = (
                population.get_person(person_id=person_id, fields=fields, actor=_reader(), basis=basis, now=now)
                if fields
                else {}
            )
            source = _as_of(person_id, now)
            for element in some:
                value = person_id if element.source.field == "person_id" else record[element.source.field]
                if value is not None:
                    found[element.code] = Prefilled(
                        element=element.code,
                        value=_plain(value),
                        source=source,
                        legal_basis=_law(element),
                    )
        return found

    def _person(self, role: str, subject: Subject, basis: Basis, now: datetime) -> UUID | None:
        known = subject.persons.get(role)
        applicant = subject.applicant_person_id
        if known is not None or applicant is None:
            return known
        if role in {"applicant", subject.applicant_role}:
            return applicant
        if role in _PARENT_SEX:
            record = population.get_person(
                person_id=applicant, fields=("sex", "spouse_id"), actor=_reader(), basis=basis, now=now
            )
            if record["sex"] == _PARENT_SEX[role]:
                return applicant
            spouse = record["spouse_id"]
            return spouse if isinstance(spouse, UUID) else None
        return None


def _as_of(person_id: UUID, now: datetime) -> Text:
    """Name the register, and as of when it speaks of this person while their city's centre does not answer."""
    stale = watching.list_stale(now=now)
    code = directory.centre_of_person(person_id) if stale else None
    if code is None or code not in stale:
        return both("人口库", "Population register")
    at = f"{timezone.localtime(stale[code]):%Y-%m-%d %H:%M}"
    return both(f"人口库（截至 {at}）", f"Population register (as of {at})")


class LicencesSource:
    """Elements that an item puts out: read from the newest valid certificate of the item in the applicant's folder."""

    def prefill(
        self, *, elements: Sequence[DataElement], subject: Subject, actor: Actor, basis: Basis, now: datetime
    ) -> Mapping[str, Prefilled]:
        """Give what the certificates say, by element; nothing for an applicant who is no person."""
        if subject.applicant_person_id is None:
            return {}
        on = timezone.localdate(now)
        by_type: dict[str, list[DataElement]] = {}
        for element in elements:
            type_code = services.get_item(code=element.source.name, on=on).item.result.licence_type
            if type_code is not None:
                by_type.setdefault(type_code, []).append(element)
        found: dict[str, Prefilled] = {}
        held_licences = licences.find_of_person(
            person_id=subject.applicant_person_id, type_codes=by_type, actor=_reader(), basis=basis, now=now
        )
        for type_code, licence in held_licences.items():
            release = packs.find_release(kind="licence_type", code=type_code, on=on)
            if release is None:
                continue
            fields = packs.get_value(kind="licence_type", digest=release.digest).fields
            held = {f.element: licence.data.get(f.code) for f in fields if f.element}
            for element in by_type[type_code]:
                if (value := held.get(element.code)) not in (None, ""):
                    found[element.code] = Prefilled(
                        element=element.code,
                        value=_plain(value),
                        source=both("电子证照", "Certificates"),
                        legal_basis=_law(element),
                    )
        return found


def _reader() -> Actor:
    return Actor.system("services.prefill")


def _law(element: DataElement) -> str:
    law = element.legal_basis[0] if element.legal_basis else None
    return f"{law.law.primary}{law.clause.primary}" if law is not None else ""


def _plain(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    return value.isoformat() if hasattr(value, "isoformat") else value
