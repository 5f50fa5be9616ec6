"""The province's store searched for people who stand in it twice. Numbers are left out: two entries of one person have two."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import connections, transaction

from .. import linkage
from ..queries import DATABASE

_PEOPLE = """
COPY (
SELECT p.person_id AS id, p.name, p.former_name, p.born_on, p.sex, left(p.division_code, 6) AS division, r.address,
       mother.name AS mother, father.name AS father
  FROM population_person p
  LEFT JOIN population_residence r ON r.person_id = p.person_id AND r.kind = 'permanent' AND r.superseded_at IS NULL
   AND r.valid_until IS NULL
  LEFT JOIN population_relation m ON m.person_id = p.person_id AND m.kind = 'mother' AND m.superseded_at IS NULL
   AND m.valid_until IS NULL
  LEFT JOIN population_person mother ON mother.person_id = m.other_person_id
  LEFT JOIN population_relation f ON f.person_id = p.person_id AND f.kind = 'father' AND f.superseded_at IS NULL
   AND f.valid_until IS NULL
  LEFT JOIN population_person father ON father.person_id = f.other_person_id
 WHERE p.status = 'registered'
) TO STDOUT (FORMAT csv, HEADER)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPair:
    """Two entries that look like one person."""

    first: UUID
    second: UUID
    probability: float
    likeness: dict[str, str]


def search_register(*, memory: str = "2GB") -> tuple[int, list[FoundPair]]:
    """Return how many people were compared, and the pairs that look like one person, the likeliest first.

    What is put aside on disk is the operator's alone, and is gone at the end.
    """
    home = Path(settings.HOME) / "matching"
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=home) as name:
        folder = Path(name)
        people, pairs = folder / "people.csv", folder / "pairs.parquet"
        _write_people(people)
        if people.stat().st_size < 200:
            return 0, []
        done = linkage.match_files(
            left=linkage.Side(path=people), kind=linkage.LinkKind.DEDUPE, out=pairs, folder=folder, memory=memory
        )
        return done.left_rows, sorted(_read(pairs), key=lambda one: -one.probability)


def _write_people(path: Path) -> None:
    with (
        transaction.atomic(using=DATABASE),
        connections[DATABASE].cursor() as cursor,
        path.open("wb") as out,
        cursor.copy(_PEOPLE) as copy,
    ):
        for block in copy:
            out.write(block)


def _read(path: Path) -> Iterator[FoundPair]:
    import polars as pl

    for row in pl.read_parquet(path).iter_rows(named=True):
        first, second = sorted((UUID(row["left"]), UUID(row["right"])))
        likeness = {name: row[name] for name in ("name", "birth", "sex", "household")}
        yield FoundPair(first=first, second=second, probability=row["probability"], likeness=likeness)
