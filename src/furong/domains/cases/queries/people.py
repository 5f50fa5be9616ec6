"""Whom the facts of an application are about: the role that each element names, and the person in that role."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date
from uuid import UUID

from furong.domains.catalogue import queries as catalogue
from furong.foundation.codes.statements import first_row

_PEOPLE = """
SELECT coalesce(jsonb_object_agg(left(a.key, -length('.person_id')), a.value ->> 'value'), '{}')::text
  FROM cases_application p, jsonb_each(p.answers) a
 WHERE p.id = %s AND a.key LIKE '%%.person_id' AND a.value ->> 'value' <> ''
"""


def people_of(*, application_id: UUID) -> dict[str, UUID]:
    """Return the persons whom an application names, by role: mother, father. One statement."""
    row = first_row(_PEOPLE, [application_id])
    return {role: UUID(value) for role, value in json.loads(row[0]).items()} if row is not None else {}


def person_of(*, element: str, people: Mapping[str, UUID], applicant: UUID | None, on: date) -> UUID | None:
    """Return whom an element is about: the person in the role that its source or its name says, or else
    the applicant. From memory.
    """
    found = catalogue.get_dictionary(on=on).get(element)
    role = found.source.of if found is not None and found.source.of else element.partition(".")[0]
    return people.get(role, applicant)


def by_person(
    *, elements: Iterable[str], people: Mapping[str, UUID], applicant: UUID | None, on: date
) -> dict[UUID, list[str]]:
    """Return which elements are about whom; those about nobody known are left out."""
    found: dict[UUID, list[str]] = {}
    for element in elements:
        person = person_of(element=element, people=people, applicant=applicant, on=on)
        if person is not None:
            found.setdefault(person, []).append(element)
    return found
