"""Private: how the register's rows are written. One `Ledger` is one change; every dated row names it.

Nothing here asks for rights or keeps the audit; `commands` does.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connections, models
from django.utils import timezone

from furong.foundation.access.values import Actor, Basis
from furong.foundation.audit.commands import current
from furong.foundation.calendar import queries as calendar
from furong.foundation.calendar.timelines import Version, after, on_day, revise, until_next_change
from furong.foundation.codes.ids import new_id
from furong.foundation.events.commands import publish

from .errors import EffectReusedError, NotAtThisCounter, NumbersExhaustedError, PersonNotFound
from .kinship import Family, Kin
from .models import (
    Change,
    Dated,
    HouseholdMember,
    IdentityNumber,
    Person,
    PersonVersion,
    Relation,
    Residence,
)
from .naming import name_keys
from .pairs import count_act, told_of
from .place import PROVINCE, carries_number, here, is_counter, is_one_of_several, wrote
from .values import TOPICS, ChangeKind, PersonStatus, RelationKind, Topic, citizen_number

# The facts a person's history keeps; dates and moments are stored as ISO 8601 text.
FACTS = (
    "name",
    "former_name",
    "sex",
    "ethnicity",
    "born_on",
    "born_at",
    "born_division_code",
    "born_place",
    "native_division_code",
    "marital",
    "status",
    "died_on",
    "missing_since",
)

# Takes the next sequence of a county, a day and a sex; the row stays locked until the birth commits or is undone.
NEXT_SEQUENCE = """
INSERT INTO population_number_sequence AS s (county_code, born_on, parity, last)
VALUES (%s, %s, %s, CASE WHEN %s = 1 THEN 1 ELSE 2 END)
ON CONFLICT (county_code, born_on, parity) DO UPDATE SET last = s.last + 2
RETURNING last
"""

# A number is given out once for ever: also numbers that were superseded or closed, or went to another city, count as taken.
NUMBER_IS_TAKEN = """
SELECT 1 FROM (SELECT %s::text AS number) asked
 WHERE EXISTS (SELECT 1 FROM population_identity_number n WHERE n.number = asked.number)
    OR EXISTS (SELECT 1 FROM population_number_gone g WHERE g.number = asked.number)
"""

# Whoever does the same effect, or registers from the same paper, waits here for the other to finish.
LOCK_FOR_TRANSACTION = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 20))"


def local_date(at: datetime) -> date:
    """Return the local day of a moment, in the calendar's time zone (Django's without a calendar)."""
    if calendar.is_loaded():
        return calendar.current().local_date(at)
    return timezone.localdate(at, timezone.get_default_timezone())


def digest_of(content: Mapping[str, object]) -> str:
    """Return the SHA-256 of canonical JSON, to tell a repeat from a different request."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, default=str, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def lock(key: str) -> None:
    """Hold ``key`` until the transaction ends, waiting for another holder."""
    with connections[here()].cursor() as cursor:
        cursor.execute(LOCK_FOR_TRANSACTION, [key])


@dataclass(frozen=True, slots=True)
class Effect:
    """What a caller asks for once and may repeat: its key (None when it is asked for once only) and what it says."""

    id: UUID | None = None
    digest: str = ""

    @classmethod
    def of(cls, effect_id: UUID | None, content: Mapping[str, object]) -> Effect:
        """Tell a repeat from another request by the digest of ``content``."""
        return cls(effect_id, digest_of(content))

    def find(self, kind: str, key: UUID) -> Change | None:
        """Return the change that the effect made before, after waiting for one that is being made now.

        The audit then says that the command about the ``kind`` of thing ``key`` was a repeat. Raises `EffectReusedError`.
        """
        if self.id is None:
            return None
        lock(f"effect:{self.id}")
        change = Change.objects.filter(effect_id=self.id).first()
        if change is None:
            return None
        if change.effect_digest != self.digest:
            raise EffectReusedError("The effect was carried out before with other content.")
        current().object(kind, key)
        current().detail(repeated=True)
        return change


ONCE = Effect()
_doing: ContextVar[Effect] = ContextVar("furong_population_effect", default=ONCE)


@contextmanager
def doing(effect: Effect) -> Iterator[None]:
    """Have the `Ledger` that is opened inside carry ``effect``, unless it is given another."""
    token = _doing.set(effect)
    try:
        yield
    finally:
        _doing.reset(token)


def take_number(*, county: str, born_on: date, is_male: bool) -> str:
    """Return a citizen number never used before; unique also when many ask at once."""
    parity = 1 if is_male else 0
    with connections[here()].cursor() as cursor:
        while True:
            cursor.execute(NEXT_SEQUENCE, [county, born_on, parity, parity])
            (sequence,) = cursor.fetchone()
            if sequence > 999:
                raise NumbersExhaustedError(f"County {county} has no number left for this day.")
            number = citizen_number(county=county, born_on=born_on, sequence=sequence)
            cursor.execute(NUMBER_IS_TAKEN, [number])
            # Somebody who moved to another city may carry a number that was given out here.
            if cursor.fetchone() is None and not carries_number(number, "111"):
                return number


def get_person(person_id: UUID, *, lock_row: bool = False) -> Person:
    """Return the person's row, locked when asked; from the province's store when another centre keeps it.

    Raises `PersonNotFound`.
    """
    rows = Person.objects.select_for_update() if lock_row else Person.objects
    person: Person | None = rows.filter(pk=person_id).first()
    if is_one_of_several() and (person is None or person.status == PersonStatus.MOVED):
        if is_counter():
            raise NotAtThisCounter
        person = Person.objects.using(PROVINCE).filter(pk=person_id).first()
    if person is None:
        raise PersonNotFound
    return person


def gone_to(person_id: UUID) -> str:
    """Return the division to which somebody moved on from this centre; empty when it keeps no such row."""
    found = Person.objects.filter(pk=person_id, status=PersonStatus.MOVED).values_list("moved_to", flat=True).first()
    return found or ""


def is_elsewhere(person: Person) -> bool:
    """Say whether another centre keeps the person, so that nothing about them is written here."""
    return person._state.db != here()


def _reader_of(person_id: UUID) -> str:
    """The alias of the database that can say something about a person; of none at a counter that does not keep them."""
    if not is_one_of_several() or Person.objects.filter(pk=person_id).exclude(status=PersonStatus.MOVED).exists():
        return here()
    return "" if is_counter() else PROVINCE


def numbers_of(person_id: UUID) -> tuple[str, ...]:
    """Return the citizen numbers in force of a person."""
    found = IdentityNumber.objects.filter(
        person_id=person_id, superseded_at__isnull=True, valid_until__isnull=True, type="111"
    )
    return tuple(found.values_list("number", flat=True))


def spouse_of(person_id: UUID) -> UUID | None:
    """Return whom the person is recorded as married to."""
    reader = _reader_of(person_id)
    if not reader:
        raise NotAtThisCounter
    found: UUID | None = (
        Relation.objects.using(reader)
        .filter(person_id=person_id, kind=RelationKind.SPOUSE, superseded_at__isnull=True, valid_until__isnull=True)
        .values_list("other_person_id", flat=True)
        .first()
    )
    return found


def family_around(person_ids: Iterable[UUID], *, steps: int = 2) -> Family:
    """Gather the family within ``steps`` relations of these people; two queries a step."""
    seen: set[UUID] = set(person_ids)
    edge = set(seen)
    mother: dict[UUID, UUID] = {}
    father: dict[UUID, UUID] = {}
    spouse: dict[UUID, UUID] = {}
    for _ in range(steps):
        rows = Relation.objects.filter(
            person_id__in=edge, superseded_at__isnull=True, valid_until__isnull=True
        ).values_list("person_id", "kind", "other_person_id")
        edge = set()
        for person_id, kind, other in rows:
            if kind == RelationKind.MOTHER:
                mother[person_id] = other
            elif kind == RelationKind.FATHER:
                father[person_id] = other
            elif kind == RelationKind.SPOUSE:
                spouse[person_id] = other
            if other not in seen:
                edge.add(other)
        seen |= edge
        if not edge:
            break
    people = {
        row[0]: Kin(person_id=row[0], sex=row[1], born_on=row[2])
        for row in Person.objects.filter(pk__in=seen).values_list("person_id", "sex", "born_on")
    }
    rows = Relation.objects.filter(
        person_id__in=seen, kind__in=["mother", "father"], superseded_at__isnull=True, valid_until__isnull=True
    ).values_list("person_id", "kind", "other_person_id")
    for person_id, kind, other in rows:
        (mother if kind == RelationKind.MOTHER else father)[person_id] = other
    return Family(people=people, mother=mother, father=father, spouse=spouse)


def facts_of(person: Person) -> dict[str, Any]:
    """Return the person's facts as the history stores them."""
    return {name: _plain(getattr(person, name)) for name in FACTS}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


class Ledger:
    """One change to the register, with everything it writes."""

    def __init__(
        self,
        *,
        kind: ChangeKind,
        actor: Actor,
        basis: Basis,
        now: datetime,
        evidence: str = "",
        effect: Effect | None = None,
    ) -> None:
        effect = _doing.get() if effect is None else effect
        self.kind = kind
        self.now = now
        self.today = local_date(now)
        self.change = Change(
            id=new_id(),
            kind=kind,
            recorded_at=now,
            organization_id=actor.organization_id,
            post_id=actor.post_id,
            legal_basis=basis.legal_basis,
            evidence=evidence,
            case_id=basis.case_id,
            effect_id=effect.id,
            effect_digest=effect.digest,
        )
        self.change.save(force_insert=True)
        self._pairs: dict[tuple[Topic, UUID, UUID], dict[UUID, tuple[date, str]]] = {}
        wrote("change", self.change.id)

    def after(self, recorded_at: datetime | None) -> None:
        """Have what is written from here on count as recorded no earlier than ``recorded_at``.

        Who waits for a row's lock may have been asked before whoever held it; what was known when must still follow on.
        """
        if recorded_at is not None:
            self.now = max(self.now, recorded_at)

    def finish(self, result: Mapping[str, object]) -> None:
        """Keep the result for whoever repeats the effect."""
        self.change.result = dict(result)
        self.change.save(update_fields=["result"])

    def open(self, model: type[Dated], *, since: date, **fields: object) -> Dated:
        """Write a fact that holds from ``since`` on."""
        row = model(id=new_id(), valid_from=since, recorded_at=self.now, change_id=self.change.id, **fields)
        row.save(force_insert=True)
        return row

    def supersede(self, row: Dated) -> None:
        """Stop believing a row from now on; it stays readable."""
        row.superseded_at = self.now
        row.save(update_fields=["superseded_at"])

    def end(self, rows: models.QuerySet[Any], *, until: date) -> int:
        """End the open facts among ``rows`` on ``until``; what began later is taken back. Returns how many."""
        found = list(rows.filter(superseded_at__isnull=True, valid_until__isnull=True).select_for_update())
        self.after(max((row.recorded_at for row in found), default=None))
        for row in found:
            self.supersede(row)
            if row.valid_from < until:
                copied = {
                    f.attname: getattr(row, f.attname)
                    for f in row._meta.concrete_fields
                    if f.attname not in {"id", "valid_from", "valid_until", "recorded_at", "superseded_at", "change_id"}
                }
                self.open(type(row), since=row.valid_from, valid_until=until, **copied)
        return len(found)

    def enter(self, person: Person, *, since: date) -> None:
        """Write a new person with the first version of their facts."""
        keys = name_keys(person.name)
        person.name_pinyin, person.name_plain, person.name_initials = keys.pinyin, keys.plain, keys.initials
        person.recorded_at = self.now
        person.save(force_insert=True)
        self.open(PersonVersion, since=since, person_id=person.person_id, kind=self.kind, facts=facts_of(person))

    def revise(
        self,
        person: Person,
        *,
        facts: Mapping[str, Any],
        since: date,
        until: date | None = None,
        until_changed: bool = False,
    ) -> int:
        """Set facts over a period of the person's history, and the present state from it.

        ``person`` must be locked. ``until_changed`` ends the period where one of the facts changes next. Returns how many
        versions were superseded; nothing is written when that is none.
        """
        rows = list(
            PersonVersion.objects.filter(person_id=person.person_id, superseded_at__isnull=True)
            .select_for_update()
            .order_by("valid_from")
        )
        self.after(max((row.recorded_at for row in rows), default=None))
        versions = {
            row.valid_from: Version(valid_from=row.valid_from, valid_until=row.valid_until, facts=row.facts)
            for row in rows
        }
        timeline = list(versions.values())
        plain = {name: _plain(value) for name, value in facts.items()}
        if until_changed:
            until = until_next_change(timeline, fields=plain, since=since)
        revision = revise(timeline, facts=plain, since=since, until=until)
        gone = {version.valid_from for version in revision.superseded}
        for row in rows:
            if row.valid_from in gone:
                self.supersede(row)
        for version in revision.added:
            self.open(
                PersonVersion,
                since=version.valid_from,
                valid_until=version.valid_until,
                person_id=person.person_id,
                kind=self.kind,
                facts=dict(version.facts),
            )
        if revision.superseded:
            present = on_day(after(timeline, revision), self.today)
            if present is not None:
                self._set_present(person, present.facts)
        return len(revision.superseded)

    def _set_present(self, person: Person, facts: Mapping[str, Any]) -> None:
        for name in FACTS:
            value = facts.get(name)
            if value is not None and name in {"born_on", "died_on", "missing_since"}:
                value = date.fromisoformat(value)
            elif value is not None and name == "born_at":
                value = datetime.fromisoformat(value)
            setattr(person, name, value)
        keys = name_keys(person.name)
        person.name_pinyin, person.name_plain, person.name_initials = keys.pinyin, keys.plain, keys.initials
        person.version += 1
        person.recorded_at = self.now
        person.save()

    def touch(self, person: Person, **fields: object) -> None:
        """Change where the person stands (household, division) in the present state."""
        self.after(person.recorded_at)
        for name, value in fields.items():
            setattr(person, name, value)
        person.version += 1
        person.recorded_at = self.now
        person.save(update_fields=[*fields, "version", "recorded_at"])

    def relate(
        self, *, person_id: UUID, kind: RelationKind, other: UUID, back: RelationKind, since: date, evidence: str = ""
    ) -> None:
        """Record what two people are to each other, from both sides; a centre tells the other's centre."""
        for one, what, whom in ((person_id, kind, other), (other, back, person_id)):
            if _reader_of(one) == here():
                self.open(Relation, since=since, person_id=one, kind=what, other_person_id=whom, evidence=evidence)
        self.touched_pair(TOPICS[kind], person_id, other)

    def part(self, *, person_id: UUID, kind: RelationKind, other: UUID, back: RelationKind, on: date) -> None:
        """Record that two people ceased to be something to each other, from both sides."""
        for one, what, whom in ((person_id, kind, other), (other, back, person_id)):
            if _reader_of(one) == here():
                self.end(Relation.objects.filter(person_id=one, kind=what, other_person_id=whom), until=on)
        self.touched_pair(TOPICS[kind], person_id, other)

    def touched_pair(
        self, topic: Topic, one: UUID, other: UUID, *, maritals: Mapping[UUID, tuple[date, str]] | None = None
    ) -> None:
        """Remember that facts about two people were written, so that `tell_others` tells of them."""
        low, high = sorted((one, other))
        self._pairs.setdefault((topic, low, high), {}).update(maritals or {})

    def tell_others(self) -> None:
        """Count the act on each pair of people it wrote about, and tell the centre that keeps the other."""
        pairs, self._pairs = self._pairs, {}
        for (topic, one, other), maritals in pairs.items():
            sides = tuple(key for key in (one, other) if _reader_of(key) == here())
            pair = count_act(topic, one, other, sides=sides, maritals=maritals)
            for absent, present in ((one, other), (other, one)):
                if absent not in sides and pair is not None:
                    publish(told_of(pair, person_id=absent, present=present), database=here(), now=self.now)

    def settle(
        self, *, person: Person, household_id: UUID, relation: str, division_code: str, address: str, since: date
    ) -> None:
        """Put the person into a household and at its address."""
        self.open(
            HouseholdMember, since=since, household_id=household_id, person_id=person.person_id, relation=relation
        )
        self.open(
            Residence,
            since=since,
            person_id=person.person_id,
            kind="permanent",
            division_code=division_code,
            address=address,
            reason=self.kind,
        )
        if person.household_id != household_id or person.division_code != division_code:
            self.touch(person, household_id=household_id, division_code=division_code)


def is_registered(person: Person) -> bool:
    """Tell whether the person stands in the register today."""
    return person.status == PersonStatus.REGISTERED
