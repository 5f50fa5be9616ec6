"""Exporting: who is registered, into one CSV or Parquet file that an import takes in again.

A part of the people at a time, in the order of their keys, is read and kept beside the file; an export that was cut off goes on
behind the last whole part. Before a part is kept, the log has a row for each person in it, so that everybody sees who took their
data along; before the file gets its name, the log has the export: what was not recorded was not handed out. Each part shows the
register as it stood when that part was read.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import polars as pl
from django.db import connections, transaction

from furong.foundation.access import queries as access
from furong.foundation.access.errors import PurposeMissing
from furong.foundation.access.terms import SharingDecision
from furong.foundation.access.values import Actor, Basis
from furong.foundation.audit.commands import command, current, record_many
from furong.foundation.audit.queries import list_entries
from furong.foundation.codes.ids import new_id

from .. import terms
from ..errors import FileUnreadable
from ..queries import DATABASE
from ..rights import EXPORT
from .mapping import FIELDS, ColumnMapping, read_mapping

Progress = Callable[[str, float | None], None]
PART_PEOPLE = 50_000
_COLUMNS = {
    "number": "n.number",
    "name": "p.name",
    "ethnicity": "p.ethnicity",
    "division_code": "p.division_code",
    "address": "r.address",
    "household": "h.number",
    "relation": "m.relation",
    "sex": "p.sex",
    "born_on": "p.born_on",
    "marital": "p.marital",
    "former_name": "p.former_name",
    "native_division_code": "p.native_division_code",
    "registered_on": "r.valid_from",
}
# As which items of the catalogue the columns are published.
_ITEMS = {"household": "household_number", "relation": "household_relation", "native_division_code": "native_place"}
_FIELDS = {
    "household": "household_number",
    "relation": "household_relation",
    "native_division_code": "native_place",
    "registered_on": "address",
}
_PART = """
COPY (
SELECT p.person_id, {columns} FROM population_person p
  LEFT JOIN population_identity_number n ON n.person_id = p.person_id AND n.type = '111' AND n.superseded_at IS NULL
   AND n.valid_until IS NULL
  LEFT JOIN population_household_member m ON m.person_id = p.person_id AND m.superseded_at IS NULL AND m.valid_until IS NULL
  LEFT JOIN population_household h ON h.household_id = p.household_id
  LEFT JOIN population_residence r ON r.person_id = p.person_id AND r.kind = 'permanent' AND r.superseded_at IS NULL
   AND r.valid_until IS NULL
 WHERE p.status = 'registered' AND p.person_id > %s AND {where}
 ORDER BY p.person_id LIMIT %s
) TO STDOUT (FORMAT csv)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What an export gave: how many people, and whether it went on or had been done before."""

    export_id: UUID
    people: int
    resumed: bool
    was_done: bool


@dataclass(frozen=True, slots=True)
class _Order:
    """What was ordered; another order for the same file begins anew."""

    target: Path
    columns: dict[str, str]
    division: str
    purpose: str

    @property
    def folder(self) -> Path:
        return self.target.with_name(f".{self.target.name}.parts")

    @property
    def digest(self) -> str:
        said = [self.columns, self.division, self.purpose, self.target.suffix, "each person recorded"]
        return hashlib.sha256(json.dumps(said, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def export_people(
    *,
    target: Path,
    mapping: Path | None = None,
    division_prefix: str = "",
    again: bool = False,
    actor: Actor,
    basis: Basis,
    now: Callable[[], datetime],
    part_people: int = PART_PEOPLE,
    progress: Progress | None = None,
) -> Exported:
    """Write the registered people of a division (all, without one) to ``target``, a CSV or Parquet file.

    ``mapping`` names the columns as for an import; without one they carry our names. A file that is there already stays as it is,
    unless ``again``; one that was cut off is gone on with. The parts and the file are the operator's alone (mode 0600). For who
    has the right ``population.export`` over the division, within the sharing terms. Raises `MappingInvalid`, `FileUnreadable`,
    ``PurposeMissing``, ``AccessRefused``. Some 50,000 people a second are read, some 100,000 recorded.
    """
    if not basis.is_stated or not basis.legal_basis.strip():
        raise PurposeMissing
    if target.suffix.lower() not in {".csv", ".parquet"}:
        raise FileUnreadable(problem="an export is a .csv or a .parquet file", mend="Name the file so.")
    tell = progress or (lambda _text, _share: None)
    columns = _columns(None if mapping is None else read_mapping(mapping))
    order = _Order(target, columns, division_prefix, basis.purpose)
    if target.exists() and not again and not order.folder.exists():
        return Exported(export_id=UUID(int=0), people=0, resumed=False, was_done=True)
    where, params, by = _rows_allowed(columns, division_prefix, actor=actor, basis=basis, now=now())
    export_id, parts, resumed = _begin(order)
    last = _last_of(parts[-1]) if parts else UUID(int=0)
    people, expected = sum(_height(one) for one in parts), _expected(where, params)
    while True:
        tell("exporting", min(1.0, people / expected) if expected else None)
        frame = _read_part(tuple(columns), where, params, last, part_people)
        if frame.height:
            path = order.folder / f"{len(parts):06d}.parquet"
            with transaction.atomic(using=DATABASE):
                record_many(
                    actor=actor,
                    basis=basis,
                    what="population.export_people",
                    subjects=frame["person_id"].to_list(),
                    fields=_disclosed(columns),
                    database=DATABASE,
                    now=now(),
                    object=("export", export_id),
                    detail={"part": len(parts), **terms.told(by)},
                )
            _write(path, frame.write_parquet)
            parts.append(path)
            people, last = people + frame.height, UUID(frame["person_id"][-1])
        if frame.height < part_people:
            break
    tell("writing", None)
    draft = order.folder / f"whole{target.suffix}"
    _write(draft, lambda out: _gather(parts, columns, out, is_csv=target.suffix.lower() == ".csv"))
    entries = list_entries(object_id=export_id, database=DATABASE, limit=100_000)
    if all(one.name != "population.finish_export" for one in entries):  # unless a run was cut off after it had recorded
        finish_export(
            export_id=export_id,
            people=people,
            fields=tuple(columns),
            division_prefix=division_prefix,
            actor=actor,
            basis=basis,
            now=now(),
        )
    draft.replace(target)
    shutil.rmtree(order.folder)
    return Exported(export_id=export_id, people=people, resumed=resumed, was_done=False)


@command("population.finish_export", database=DATABASE)
def finish_export(
    *,
    export_id: UUID,
    people: int,
    fields: tuple[str, ...],
    division_prefix: str,
    actor: Actor,
    basis: Basis,
    now: datetime,
) -> None:
    """Record that people were exported, in one entry with the reason, the columns and the number.

    Raises ``PurposeMissing``, ``AccessRefused``.
    """
    if not basis.is_stated:
        raise PurposeMissing
    access.require(actor=actor, right=EXPORT, division_code=division_prefix or None)
    current().object("export", export_id)
    current().detail(people=people, fields=sorted(fields), division=division_prefix)


def _columns(mapping: ColumnMapping | None) -> dict[str, str]:
    if mapping is None:
        return {name: name for name in FIELDS}
    return {name: mapping.columns[name] for name in FIELDS if name in mapping.columns}


def _disclosed(columns: Iterable[str]) -> tuple[str, ...]:
    """The columns as the fields whose names a person reads (`values.FIELDS`)."""
    return tuple(dict.fromkeys(_FIELDS.get(name, name) for name in columns))


def _rows_allowed(
    columns: Sequence[str] | dict[str, str], division: str, *, actor: Actor, basis: Basis, now: datetime
) -> tuple[str, list[object], tuple[SharingDecision, ...]]:
    scope = access.require(actor=actor, right=EXPORT, division_code=division or None).scope
    fields = tuple(_ITEMS.get(name, name) for name in columns if name != "registered_on")
    by = terms.decide(actor=actor, basis=basis, fields=fields, now=now, divisions=None, subjects=1_000_000)
    where, params = scope.sql(organization_column="", division_column="p.division_code")
    granted, prefixes = terms.rows_of(by, division_column="p.division_code")
    parts, values = [where, granted], [*params, *prefixes]
    if division:
        parts.append("starts_with(p.division_code, %s)")
        values.append(division)
    return " AND ".join(parts), values, by


def _begin(order: _Order) -> tuple[UUID, list[Path], bool]:
    """Give the export's key and the parts that are there, of an order just like this one."""
    said = order.folder / "order.json"
    if said.exists():
        found = json.loads(said.read_text(encoding="utf-8"))
        if found["digest"] == order.digest:
            return UUID(found["export_id"]), sorted(order.folder.glob("[0-9]*.parquet")), True
    shutil.rmtree(order.folder, ignore_errors=True)
    order.folder.mkdir(mode=0o700, parents=True)
    export_id = new_id()
    text = json.dumps({"digest": order.digest, "export_id": str(export_id)})
    _write(said, lambda out: out.write(text.encode()))
    return export_id, [], False


def _read_part(columns: Sequence[str], where: str, params: Sequence[object], after: UUID, limit: int) -> pl.DataFrame:
    sql = _PART.format(columns=", ".join(_COLUMNS[name] for name in columns), where=where)
    out = io.BytesIO()
    with connections[DATABASE].cursor() as cursor, cursor.copy(sql, [after, *params, limit]) as copy:
        for block in copy:
            out.write(block)
    names = ["person_id", *columns]
    schema = dict.fromkeys(names, pl.String)
    if not out.tell():
        return pl.DataFrame(schema=schema)
    return pl.read_csv(out.getvalue(), has_header=False, new_columns=names, schema=schema)


def _expected(where: str, params: Sequence[Any]) -> int:
    with connections[DATABASE].cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT json) SELECT 1 FROM population_person p WHERE {where}", list(params))
        ((found,),) = cursor.fetchall()
    plan = json.loads(found) if isinstance(found, str) else found
    return int(plan[0]["Plan"]["Plan Rows"])


def _gather(parts: Sequence[Path], columns: dict[str, str], out: io.BufferedWriter, *, is_csv: bool) -> None:
    names = dict.fromkeys(columns, pl.String)
    lazy = pl.scan_parquet(list(parts)) if parts else pl.LazyFrame(schema=names)
    whole = lazy.select(pl.col(name).alias(column) for name, column in columns.items())
    if is_csv:
        out.write(b"\xef\xbb\xbf")  # so that office programs read it as UTF-8
        whole.collect(engine="streaming").write_csv(out)
    else:
        whole.collect(engine="streaming").write_parquet(out)


def _last_of(part: Path) -> UUID:
    return UUID(pl.read_parquet(part, columns=["person_id"])["person_id"][-1])


def _height(part: Path) -> int:
    return int(pl.scan_parquet(part).select(pl.len()).collect().item())


def _write(path: Path, fill: Callable[[io.BufferedWriter], object]) -> None:
    """Write a file whole, or not at all, readable by its owner alone."""
    draft = path.with_name(f"{path.name}.draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        fill(out)
        out.flush()
        os.fsync(out.fileno())
    draft.replace(path)
