"""Writing drawn residents into the register by COPY: 20,000 people with numbers, households, relations and history in seconds."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from random import Random
from uuid import UUID

from django.conf import settings
from django.db import connections, transaction

from furong.foundation.access.values import Actor
from furong.foundation.audit.commands import current

from ..centres.directory import centre_of_division, is_divided
from ..centres.values import alias_of
from ..errors import DemoContentError, DemoInProductionError
from ..kinship import Family, Kin, relation_to_head
from ..ledger import local_date
from ..models import Change
from ..naming import NameKeys, name_keys
from ..place import at, command, here
from ..values import ChangeKind
from .content import Content, NamedPerson, read_content
from .drawing import Drawn, DrawnHousehold, Numbers, draw_households

Progress = Callable[[str, float | None], None]

# Keys of invented things begin with one moment, so that they sort before all that is made later (UUIDv7 by form).
_EPOCH_MS = 1_704_067_200_000  # 2024-01-01
_DEMO = "demo"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedResidents:
    """What was loaded; nothing when invented residents were there already."""

    people: int
    households: int
    seconds: float


def _key(space: int, number: int) -> str:
    """A UUIDv7 by form for the number-th thing of a space; the same every time."""
    # Weyl's sequence spreads the lower bits; nothing depends on their being unforeseeable.
    mixed = (number * 0x9E3779B97F4A7C15 + space * 0xD1B54A32D192ED03) & 0x3FFFFFFFFFFFFFFF
    bits = (_EPOCH_MS + number) << 80 | (0x7000 | space) << 64 | 0x8000000000000000 | mixed
    text = f"{bits:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


_PERSON, _HOUSEHOLD, _VERSION, _NUMBER, _MEMBER, _RELATION, _RESIDENCE, _NAMED = range(1, 9)


def person_id(key: str) -> UUID:
    """Return the key of a person named in ``demo/people.yaml``, also before they are loaded."""
    number = int.from_bytes(hashlib.blake2b(key.encode(), digest_size=4).digest(), "big")
    return UUID(_key(_NAMED, number))


@command("population.load_residents", of="")
def load_residents(
    *,
    pack: Path,
    count: int = 20_000,
    seed: int = 7,
    actor: Actor,
    now: datetime,
    progress: Progress | None = None,
) -> LoadedResidents:
    """Fill an empty register with ``count`` invented residents in households, the same for the same ``seed``.

    Names, places and people come from the pack's folder ``demo``; every number lies in a county code that no county has. Called
    again when they are there, it changes nothing. ``progress`` is told what is being done and how far (0 to 1). Raises
    `DemoInProductionError` in production and `DemoContentError`. 20,000 people take some 3 s.
    """
    if getattr(settings, "PRODUCTION", False):
        raise DemoInProductionError("Invented residents are not loaded in production.")
    started = time.monotonic()
    tell = progress or (lambda _text, _share: None)
    if Change.objects.filter(kind=ChangeKind.ENTRY, evidence=_DEMO).exists():
        return LoadedResidents(people=0, households=0, seconds=0.0)
    content = read_content(pack)
    today = local_date(now)
    tell("residents", 0.0)
    numbers = Numbers()
    households = _named_households(content, numbers)
    named = sum(len(one.members) for one in households)
    random = Random(seed)  # noqa: S311 - invented people, drawn the same for the same seed
    households.extend(
        draw_households(
            content=content,
            random=random,
            today=today,
            numbers=numbers,
            first_index=named,
            count=max(0, count - named),
        )
    )
    tell("residents", 0.4)
    people = sum(len(one.members) for one in households)
    relations = _relations(households)
    for alias, ours in _by_centre(households).items():
        with at(alias), transaction.atomic(using=alias):
            _write(ours, households, relations, now=now, today=today, actor=actor, tell=tell)
    current().detail(people=people, households=len(households), seed=seed)
    tell("residents", 1.0)
    return LoadedResidents(people=people, households=len(households), seconds=time.monotonic() - started)


def _named_households(content: Content, numbers: Numbers) -> list[DrawnHousehold]:
    people: dict[str, Drawn] = {}
    named: dict[str, NamedPerson] = {}
    households: list[DrawnHousehold] = []
    for one in content.households:
        household = DrawnHousehold(one.division, one.address)
        for member in one.members:
            if member.key in people:
                raise DemoContentError(f"people.yaml names {member.key} twice.")
            drawn = Drawn(
                len(people),
                member.name,
                member.sex,
                member.ethnicity,
                member.born_on,
                number=numbers.next(division=one.division, born_on=member.born_on, sex=member.sex),
                key=member.key,
            )
            people[member.key], named[member.key] = drawn, member
            household.members.append(drawn)
        households.append(household)
    try:
        for key, member in named.items():
            if member.mother:
                people[key].mother = people[member.mother].index
            if member.father:
                people[key].father = people[member.father].index
            for child in member.children:
                setattr(people[child], "mother" if member.sex == "2" else "father", people[key].index)
            if member.spouse:
                for one_of, other in ((people[key], people[member.spouse]), (people[member.spouse], people[key])):
                    one_of.spouse, one_of.married_on, one_of.marital = other.index, member.married_on, "21"
    except KeyError as exc:
        raise DemoContentError(f"people.yaml names nobody {exc}.") from exc
    family = _family(list(people.values()))
    for household in households:
        head = household.members[0]
        for drawn in household.members:
            drawn.relation = relation_to_head(
                person_id=UUID(int=drawn.index), head_id=UUID(int=head.index), family=family
            )
    return households


def _family(people: Sequence[Drawn]) -> Family:
    def of(index: int) -> UUID:
        return UUID(int=index)

    return Family(
        people={of(p.index): Kin(person_id=of(p.index), sex=p.sex, born_on=p.born_on) for p in people},
        mother={of(p.index): of(p.mother) for p in people if p.mother is not None},
        father={of(p.index): of(p.father) for p in people if p.father is not None},
        spouse={of(p.index): of(p.spouse) for p in people if p.spouse is not None},
    )


def _by_centre(households: Sequence[DrawnHousehold]) -> dict[str, list[tuple[int, DrawnHousehold]]]:
    """The households with their places in the whole, by the database that keeps them."""
    found: dict[str, list[tuple[int, DrawnHousehold]]] = {}
    for number, household in enumerate(households):
        alias = here()
        if is_divided():
            alias = alias_of(centre_of_division(household.place_code))
        found.setdefault(alias, []).append((number, household))
    return found


def _relations(households: Sequence[DrawnHousehold]) -> list[tuple[int, str, int, str]]:
    """What people are to each other: each fact with its owner, kind, the other and the day; parenthood on both sides."""
    found = []
    for household in households:
        for one in household.members:
            born = one.born_on.isoformat()
            for other, kind, back, day in (
                (one.mother, "mother", "child", born),
                (one.father, "father", "child", born),
                (one.spouse, "spouse", "", str(one.married_on)),
            ):
                if other is None:
                    continue
                found.append((one.index, kind, other, day))
                if back:
                    found.append((other, back, one.index, day))
    return found


def _write(
    ours: Sequence[tuple[int, DrawnHousehold]],
    households: Sequence[DrawnHousehold],
    relations: Sequence[tuple[int, str, int, str]],
    *,
    now: datetime,
    today: date,
    actor: Actor,
    tell: Progress,
) -> None:
    change = Change(kind=ChangeKind.ENTRY, recorded_at=now, evidence=_DEMO, organization_id=actor.organization_id)
    change.save(force_insert=True)
    stamp, change_id = now.isoformat(), str(change.id)
    dated = f"\\N\t{stamp}\t\\N\t{change_id}"  # valid_until, recorded_at, superseded_at, change_id
    ids: dict[int, str] = {}
    for household in households:
        for one in household.members:
            ids[one.index] = str(person_id(one.key)) if one.key else _key(_PERSON, one.index)
    rows: dict[str, list[str]] = {name: [] for name in _COLUMNS}
    keys: dict[str, NameKeys] = {}
    mine = {one.index for _, household in ours for one in household.members}
    for place_number, household in ours:
        household_id = _key(_HOUSEHOLD, place_number)
        opened = max(min(one.born_on for one in household.members), date(1960, 1, 1))
        since = min(today, date(opened.year + min(20, today.year - opened.year), 1, 1))
        code, address = household.place_code, household.address
        rows["household"].append(f"{household_id}\tD{place_number:09d}\tfamily\t{code}\t{address}\t{since}\t\\N")
        for one in household.members:
            me, born = ids[one.index], one.born_on.isoformat()
            key = keys.get(one.name)
            if key is None:
                key = keys[one.name] = name_keys(one.name)
            county = code[:6]
            rows["person"].append(
                f"{me}\t{one.name}\t\t{key.pinyin}\t{key.plain}\t{key.initials}\t{one.sex}\t{one.ethnicity}\t{born}\t\\N"
                f"\t{county}\t\t{county}\t{one.marital}\tregistered\t\\N\t{code}\t{household_id}\t1\t{stamp}"
            )
            rows["person_version"].append(
                f"{_key(_VERSION, one.index)}\t{born}\t{dated}\t{me}\tentry\t"
                f'{{"name": "{one.name}", "former_name": "", "sex": "{one.sex}", "ethnicity": "{one.ethnicity}", '
                f'"born_on": "{born}", "born_at": null, "born_division_code": "{county}", "born_place": "", '
                f'"native_division_code": "{county}", "marital": "{one.marital}", "status": "registered", "died_on": null}}'
            )
            rows["identity_number"].append(f"{_key(_NUMBER, one.index)}\t{born}\t{dated}\t{me}\t111\t{one.number}")
            joined = max(since, one.born_on).isoformat()
            rows["household_member"].append(
                f"{_key(_MEMBER, one.index)}\t{joined}\t{dated}\t{household_id}\t{me}\t{one.relation}"
            )
            rows["residence"].append(
                f"{_key(_RESIDENCE, one.index)}\t{joined}\t{dated}\t{me}\tpermanent\t{code}\t{address}\tentry"
            )
    for number, (owner, kind, other, day) in enumerate(relations):
        if owner in mine:
            rows["relation"].append(
                f"{_key(_RELATION, number)}\t{day}\t{dated}\t{ids[owner]}\t{kind}\t{ids[other]}\t{_DEMO}"
            )
    tell("residents", 0.6)
    with connections[here()].cursor() as cursor:
        for done, (table, lines) in enumerate(rows.items(), 1):
            columns = _COLUMNS[table]
            with cursor.copy(f"COPY population_{table} ({columns}) FROM STDIN") as copy:
                for chunk in _chunks(lines):
                    copy.write(chunk)
            tell("residents", 0.6 + 0.4 * done / len(rows))


_DATED = "id, valid_from, valid_until, recorded_at, superseded_at, change_id"
# In an order that foreign keys allow.
_COLUMNS = {
    "household": "household_id, number, kind, division_code, address, opened_on, closed_on",
    "person": "person_id, name, former_name, name_pinyin, name_plain, name_initials, sex, ethnicity, born_on, born_at, "
    "born_division_code, born_place, native_division_code, marital, status, died_on, division_code, household_id, version, "
    "recorded_at",
    "person_version": f"{_DATED}, person_id, kind, facts",
    "identity_number": f"{_DATED}, person_id, type, number",
    "household_member": f"{_DATED}, household_id, person_id, relation",
    "residence": f"{_DATED}, person_id, kind, division_code, address, reason",
    "relation": f"{_DATED}, person_id, kind, other_person_id, evidence",
}


def _chunks(lines: Sequence[str], size: int = 2_000) -> Iterator[str]:
    for start in range(0, len(lines), size):
        yield "\n".join(lines[start : start + size]) + "\n"
