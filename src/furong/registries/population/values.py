"""Frozen values and pure rules of the register: no I/O, no clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

from furong.foundation.calendar.values import months_later
from furong.foundation.codes.checks import is_reserved_division, mod_11_2

MALE = "1"
FEMALE = "2"


class PersonStatus(StrEnum):
    """Whether a person stands in the register."""

    REGISTERED = "registered"
    DECEASED = "deceased"
    DEREGISTERED = "deregistered"  # settled abroad, entered service, registered twice by mistake
    MOVED = "moved"  # another centre keeps the person; the last facts stay until the province says so


class RelationKind(StrEnum):
    """What the other person is to the subject."""

    MOTHER = "mother"
    FATHER = "father"
    CHILD = "child"
    SPOUSE = "spouse"


class Topic(StrEnum):
    """What a fact about two people is about."""

    SPOUSE = "spouse"
    PARENT = "parent"


TOPICS: Mapping[RelationKind, Topic] = MappingProxyType(
    {
        RelationKind.SPOUSE: Topic.SPOUSE,
        RelationKind.MOTHER: Topic.PARENT,
        RelationKind.FATHER: Topic.PARENT,
        RelationKind.CHILD: Topic.PARENT,
    }
)


def kinds_of(topic: Topic) -> tuple[RelationKind, ...]:
    """Return what somebody can be to another under a topic."""
    return tuple(kind for kind, one in TOPICS.items() if one is topic)


class ResidenceKind(StrEnum):
    """Permanent residence is one; temporary stays may be several."""

    PERMANENT = "permanent"
    TEMPORARY = "temporary"


class ChangeKind(StrEnum):
    """The law's verbs for what may be written into the register."""

    BIRTH = "birth"
    ENTRY = "entry"  # first entry of a person other than by birth
    AMENDMENT = "amendment"  # the world changed (变更)
    NAME_CHANGE = "name_change"  # another name, on application (姓名变更)
    CORRECTION = "correction"  # the register was wrong (更正)
    DEATH = "death"
    MOVE = "move"
    TEMPORARY_STAY = "temporary_stay"
    MARRIAGE = "marriage"
    DIVORCE = "divorce"
    PARENTHOOD = "parenthood"
    ADOPTION = "adoption"
    HOUSEHOLD_SPLIT = "household_split"
    HOUSEHOLD_MERGE = "household_merge"
    HEAD_CHANGE = "head_change"
    EMIGRATION = "emigration"  # settled abroad (出国定居)
    ENLISTMENT = "enlistment"  # entered military service (参军入伍)
    DISCHARGE = "discharge"  # back from military service (退役落户)
    DUPLICATE = "duplicate"  # registered a second time by mistake (重复户口)
    RETURN = "return"  # restored: back from abroad, from service, or alive after all (恢复户口)
    MISSING = "missing"
    FOUND = "found"
    IMPORT = "import"  # many people from a file


# Why somebody leaves the register alive.
DEPARTURES = frozenset({ChangeKind.EMIGRATION, ChangeKind.ENLISTMENT, ChangeKind.DUPLICATE})


# What can be asked about a person, by name. The names are what the audit keeps and what the person sees.
FIELDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "name": ("姓名", "Name"),
        "name_masked": ("姓名（部分隐去）", "Name (masked)"),
        "former_name": ("曾用名", "Former name"),
        "name_pinyin": ("姓名拼音", "Name in pinyin"),
        "sex": ("性别", "Sex"),
        "ethnicity": ("民族", "Ethnic group"),
        "born_on": ("出生日期", "Date of birth"),
        "born_at": ("出生时间", "Time of birth"),
        "born_place": ("出生地", "Place of birth"),
        "native_place": ("籍贯", "Native place"),
        "marital": ("婚姻状况", "Marital status"),
        "status": ("户籍状态", "Registration status"),
        "died_on": ("死亡日期", "Date of death"),
        "missing_since": ("失踪日期", "Missing since"),
        "number": ("身份证件号码", "Identity number"),
        "number_masked": ("身份证件号码（部分隐去）", "Identity number (masked)"),
        "number_type": ("证件类型", "Type of identity document"),
        "division_code": ("户籍地区划", "Division of registration"),
        "address": ("户籍地址", "Registered address"),
        "household_id": ("户", "Household"),
        "household_number": ("户号", "Household number"),
        "household_relation": ("与户主关系", "Relation to head of household"),
        "mother_id": ("母亲", "Mother"),
        "father_id": ("父亲", "Father"),
        "spouse_id": ("配偶", "Spouse"),
    }
)

# A marriage certificate shows each spouse these facts of the other.
SPOUSE_FIELDS = frozenset({"name", "sex", "born_on", "number", "number_type", "status"})
# A household book (居民户口簿) shows its members' pages to each adult member.
HOUSEHOLD_BOOK_FIELDS = frozenset(FIELDS) - {"mother_id", "father_id", "spouse_id", "born_at"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRecord:
    """What was asked about one person, and nothing else. A field never asked for raises `KeyError`."""

    person_id: UUID
    values: Mapping[str, object] = field(repr=False)  # personal data stays out of tracebacks

    def __getitem__(self, name: str) -> object:
        return self.values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values)

    def text(self, name: str) -> str:
        """Return the field as text; empty when the register does not know it."""
        value = self.values[name]
        return "" if value is None else str(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchHit:
    """A line of a result list: enough to choose by, masked."""

    person_id: UUID
    name_masked: str
    number_masked: str
    sex: str
    birth_year: int
    division_code: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPage:
    """One page of hits; ``next_after`` asks for the following page and is empty at the end."""

    hits: tuple[SearchHit, ...]
    next_after: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseholdHit:
    """A household of a result list: its address, how many are in it, and the first of them, masked."""

    household_id: UUID
    number: str = field(repr=False)
    kind: str
    division_code: str
    address: str = field(repr=False)
    members: tuple[SearchHit, ...]
    member_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressPage:
    """One page of households by address; ``next_after`` asks for the following page and is empty at the end."""

    households: tuple[HouseholdHit, ...]
    next_after: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseholdMemberRecord:
    """A member of a household: the relation to its head, since when, and the fields asked for."""

    relation: str
    since_on: date
    person: PersonRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseholdRecord:
    """A household with its members, the head first."""

    household_id: UUID
    number: str
    kind: str
    division_code: str
    address: str = field(repr=False)
    members: tuple[HouseholdMemberRecord, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResidenceRecord:
    """Where a person is registered or stays; ``valid_until`` is exclusive."""

    kind: ResidenceKind
    division_code: str
    address: str = field(repr=False)
    valid_from: date
    valid_until: date | None
    stay_id: UUID | None = None  # of a temporary stay, by which it is ended


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRecord:
    """The facts of a period as the register believed them from ``recorded_at`` until ``superseded_at``."""

    kind: str
    valid_from: date
    valid_until: date | None
    recorded_at: datetime
    superseded_at: datetime | None
    facts: Mapping[str, object] = field(repr=False)
    evidence: str = field(default="", repr=False)  # of the act that recorded it
    legal_basis: str = ""
    organization_id: UUID | None = None  # which did


@dataclass(frozen=True, slots=True, kw_only=True)
class NewChild:
    """A child to register. ``born_at`` is aware; the local day is taken in the platform's time zone."""

    name: str = field(repr=False)
    sex: str
    born_at: datetime
    ethnicity: str
    born_division_code: str = ""
    born_place: str = ""
    native_division_code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BirthRegistered:
    """The outcome of a birth registration; a repeat of its effect gives an equal one."""

    registration_id: UUID
    person_id: UUID
    number: str = field(repr=False)
    household_id: UUID
    household_relation: str
    division_code: str
    is_late: bool
    registered_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRecorded:
    """The outcome of any other change; ``is_late`` when it was told later than the law wants (`clocks`)."""

    change_id: UUID
    person_id: UUID
    is_late: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseholdSplit:
    """The outcome of a split: the household that stayed and the new one."""

    change_id: UUID
    household_id: UUID
    new_household_id: UUID


def is_late_birth(*, born_on: date, registered_on: date) -> bool:
    """Tell whether a birth is registered later than a month after it (户口登记条例, art. 7)."""
    return registered_on > months_later(born_on, 1)


def years_between(earlier: date, later: date) -> int:
    """Return full years of age on ``later`` of somebody born on ``earlier``."""
    return later.year - earlier.year - ((later.month, later.day) < (earlier.month, earlier.day))


def county_for_number(*, household_division: str, parents_numbers: tuple[str, ...]) -> str:
    """Return the six digits a newborn's number begins with: those of the household's county.

    An invented family stays invented: when a parent's number lies in the block kept for invented people, so does the child's,
    with the household's city in it.
    """
    for number in parents_numbers:
        own = number[:6]
        if is_reserved_division(own):
            moved = household_division[:4] + own[4:6]
            return moved if is_reserved_division(moved) else own
    return household_division[:6]


def citizen_number(*, county: str, born_on: date, sequence: int) -> str:
    """Return the 18-character number with its check character (GB 11643)."""
    body = f"{county}{born_on:%Y%m%d}{sequence:03d}"
    return body + mod_11_2(body)


_ORDER_SON = ("22", "23", "24", "25", "26")
_ORDER_DAUGHTER = ("32", "33", "34", "35", "36")


def child_of_head(*, sex: str, elder_of_same_sex: int) -> str:
    """Return the GB/T 4761 code of a head's own child by sex and order among that sex."""
    order = _ORDER_SON if sex == MALE else _ORDER_DAUGHTER
    if elder_of_same_sex < len(order):
        return order[elder_of_same_sex]
    return "29" if sex == MALE else "39"


def grandchild_of_head(*, sex: str, through_son: bool) -> str:
    """Return the GB/T 4761 code of a head's grandchild, told apart by the line of descent."""
    if through_son:
        return "41" if sex == MALE else "42"
    return "43" if sex == MALE else "44"
