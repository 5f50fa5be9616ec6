"""A person through time: residences, history, what held on a day as it was known at another, and the entry of the birth."""

from __future__ import annotations

import json
from datetime import date, datetime
from uuid import UUID

from furong.foundation.access import queries as access
from furong.foundation.access.values import Actor, Basis
from furong.foundation.audit.commands import read
from furong.foundation.calendar.timelines import Version, on_day

from .. import terms
from ..ledger import local_date
from ..values import BirthRegistered, ResidenceKind, ResidenceRecord, VersionRecord
from .people import get_person
from .reading import DATABASE, begin, rows, trace


@read("population.list_residences", database=DATABASE)
def list_residences(*, person_id: UUID, actor: Actor, basis: Basis, now: datetime) -> tuple[ResidenceRecord, ...]:
    """Return where a person was and is registered and stays, as the register believes now, newest first.

    Raises as `get_person`.
    """
    get_person(person_id=person_id, fields=["division_code", "address"], actor=actor, basis=basis, now=now)
    found = rows(
        "SELECT kind, division_code, address, valid_from, valid_until, id FROM population_residence "
        "WHERE person_id = %s AND superseded_at IS NULL ORDER BY valid_from DESC, id",
        [person_id],
    )
    trace(actor, basis, "population.list_residences", [person_id], ("division_code", "address"), now)
    return tuple(
        ResidenceRecord(
            kind=ResidenceKind(row[0]),
            division_code=row[1],
            address=row[2],
            valid_from=row[3],
            valid_until=row[4],
            stay_id=row[5] if row[0] == ResidenceKind.TEMPORARY else None,
        )
        for row in found
    )


@read("population.get_birth_registration", database=DATABASE)
def get_birth_registration(*, effect_id: UUID, actor: Actor, basis: Basis, now: datetime) -> BirthRegistered | None:
    """Return what a birth registration gave, or None when that effect was never carried out.

    For the process that asked for it: the system, or staff who register there. Raises ``PurposeMissing``, ``AccessRefused``.
    """
    begin(actor=actor, basis=basis, what="population.get_birth_registration", now=now)
    found = rows("SELECT result, registered_at FROM population_birth_registration WHERE effect_id = %s", [effect_id])
    if not found:
        access.require(actor=actor, right="population.register")
        return None
    result = found[0][0] if isinstance(found[0][0], dict) else json.loads(found[0][0])
    access.require(actor=actor, right="population.register", division_code=str(result["division_code"]))
    child = UUID(str(result["person_id"]))
    by = terms.decide(
        actor=actor,
        basis=basis,
        fields=("number", "household_id", "household_relation"),
        now=now,
        divisions=[str(result["division_code"])],
        subjects=1,
    )
    trace(actor, basis, "population.get_birth_registration", [child], ("number", "household_id"), now, by)
    return BirthRegistered(
        registration_id=UUID(str(result["registration_id"])),
        person_id=child,
        number=str(result["number"]),
        household_id=UUID(str(result["household_id"])),
        household_relation=str(result["household_relation"]),
        division_code=str(result["division_code"]),
        is_late=bool(result["is_late"]),
        registered_on=local_date(found[0][1]),
    )


@read("population.list_history", database=DATABASE)
def list_history(*, person_id: UUID, actor: Actor, basis: Basis, now: datetime) -> tuple[VersionRecord, ...]:
    """Return every version of a person's facts, in the order in which the register came to believe them.

    Superseded versions are among them: a correction is seen beside what it corrected. Raises as `get_person`.
    """
    get_person(person_id=person_id, fields=["status"], actor=actor, basis=basis, now=now)
    found = rows(
        # An act that concerned several people may be kept at several centres.
        "SELECT v.kind, v.valid_from, v.valid_until, v.recorded_at, v.superseded_at, v.facts, c.evidence, c.legal_basis, "
        "c.organization_id FROM population_person_version v LEFT JOIN LATERAL (SELECT evidence, legal_basis, organization_id "
        "FROM population_change x WHERE x.id = v.change_id LIMIT 1) c ON TRUE "
        "WHERE v.person_id = %s ORDER BY v.recorded_at, v.valid_from, v.id",
        [person_id],
    )
    versions = tuple(
        VersionRecord(
            kind=row[0],
            valid_from=row[1],
            valid_until=row[2],
            recorded_at=row[3],
            superseded_at=row[4],
            facts=row[5] if isinstance(row[5], dict) else json.loads(row[5]),
            evidence=row[6] or "",
            legal_basis=row[7] or "",
            organization_id=row[8],
        )
        for row in found
    )
    names = sorted({name for version in versions for name in version.facts})
    by = terms.decide(actor=actor, basis=basis, fields=names, now=now, divisions=None, subjects=1)
    trace(actor, basis, "population.list_history", [person_id], names, now, by)
    return versions


@read("population.get_person_as_of", database=DATABASE)
def get_person_as_of(
    *, person_id: UUID, valid_on: date, known_at: datetime, actor: Actor, basis: Basis, now: datetime
) -> VersionRecord | None:
    """Return the facts that held on ``valid_on`` as the register believed them at ``known_at``; None if none.

    Both clocks matter: a decision is judged by what the register said when it was made. Raises as `get_person`.
    """
    believed = [
        version
        for version in list_history(person_id=person_id, actor=actor, basis=basis, now=now)
        if version.recorded_at <= known_at and (version.superseded_at is None or known_at < version.superseded_at)
    ]
    timeline = [
        Version(valid_from=version.valid_from, valid_until=version.valid_until, facts=version.facts)
        for version in believed
    ]
    held = on_day(timeline, valid_on)
    return next((v for v in believed if held is not None and v.valid_from == held.valid_from), None)
