"""What a centre is called, which tables it sends, and what is said of it. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

CENTRE_DIGITS = 4  # a centre is a city: the first four digits of its divisions (GB/T 2260)
PUBLICATION = "furong_register"


@dataclass(frozen=True, slots=True)
class Table:
    """A table that replication carries: its key, and whether its rows belong to a person and move with them."""

    name: str
    key: str
    is_of_person: bool


# In an order in which foreign keys allow to write.
TABLES = (
    Table("population_change", "id", is_of_person=False),
    Table("population_household", "household_id", is_of_person=False),
    Table("population_person", "person_id", is_of_person=True),
    Table("population_person_version", "id", is_of_person=True),
    Table("population_identity_number", "id", is_of_person=True),
    Table("population_household_member", "id", is_of_person=True),
    Table("population_relation", "id", is_of_person=True),
    Table("population_residence", "id", is_of_person=True),
    Table("population_birth_registration", "id", is_of_person=False),
    Table("population_move", "id", is_of_person=False),
    Table("population_move_step", "id", is_of_person=False),
)


@dataclass(frozen=True, slots=True)
class Centre:
    """A centre: the city's code and the alias of its database."""

    code: str

    @property
    def alias(self) -> str:
        return alias_of(self.code)

    @property
    def slot(self) -> str:
        """The names of its slot and of the province's subscription to it."""
        return f"furong_{self.code}"


def alias_of(code: str) -> str:
    """Return the alias of a centre's database."""
    return f"centre_{code}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CentreStatus:
    """How far a centre is: ``state`` is ``live``, ``catching_up``, ``silent``, ``failing`` or ``apart`` (never joined).

    Bytes are of the write-ahead log: ``behind_bytes`` what the province has not confirmed, ``kept_bytes`` what the centre keeps
    for it; None when the centre does not answer. ``seen_at``: the province was abreast of the centre then.
    """

    code: str
    state: str
    seen_at: datetime | None
    behind_bytes: int | None
    kept_bytes: int | None
    wal_status: str
    apply_errors: int
    people: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Two rows that cannot both be true; a person decides."""

    id: int
    kind: str  # two_centres | number_twice | one_sided | facts_crossed
    person_id: UUID
    other_person_id: UUID
    centre: str
    other_centre: str
    found_at: datetime
