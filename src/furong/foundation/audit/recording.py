"""Writing entries: one statement for any number of them, on the command's connection or on one of its own."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import psycopg
from django.db import connections

from furong.foundation.access.values import Actor, ActorKind, Basis
from furong.foundation.audit.together import Gathering
from furong.foundation.audit.values import canonical_text, canonical_time, detail_digest, entry_digest, subjects_digest
from furong.foundation.codes.ids import new_id
from furong.foundation.codes.statements import first_row

# An entry's columns, and their types as arrays of them are sent.
_COLUMNS = {
    "id": "uuid",
    "at": "timestamptz",
    "kind": "text",
    "name": "text",
    "outcome": "text",
    "code": "text",
    "actor_kind": "text",
    "account_id": "uuid",
    "post_id": "uuid",
    "organization_id": "uuid",
    "division_code": "text",
    "assurance": "smallint",
    "request_id": "text",
    "object_kind": "text",
    "object_id": "text",
    "case_id": "uuid",
    "parent_id": "uuid",
    "detail_digest": "bytea",
}
# One statement and one round trip for entries, their details and the persons concerned. The values come as arrays, a column each:
# reading them costs the server half of what JSON does, and the client writes them as texts.
INSERT = f"""
WITH entries AS (
    INSERT INTO audit_entry ({", ".join(_COLUMNS)})
    SELECT * FROM unnest({", ".join(f"%s::{type}[]" for type in _COLUMNS.values())})
),
details AS (
    INSERT INTO audit_detail (entry_id, salt, content) SELECT * FROM unnest(%s::uuid[], %s::bytea[], %s::text[])
)
INSERT INTO audit_subject (person_id, at, entry_id, fields)
SELECT person_id, at, entry_id, fields::text[]
  FROM unnest(%s::uuid[], %s::timestamptz[], %s::uuid[], %s::text[]) AS s(person_id, at, entry_id, fields)
"""
# The same for entries that name no person, as those of most commands.
INSERT_ALONE = INSERT.partition("INSERT INTO audit_subject")[0] + "SELECT 1"


@dataclass(slots=True, kw_only=True)
class Record:
    """What a command tells about itself while it runs; `audit.commands.current` gives it."""

    name: str
    kind: Literal["command", "read"]
    database: str
    actor: Actor
    basis: Basis | None
    now: datetime
    id: UUID = field(default_factory=new_id)
    parent_id: UUID | None = None
    objects: list[tuple[str, str]] = field(default_factory=list)
    subjects: dict[UUID, set[str]] = field(default_factory=dict)
    details: dict[str, object] = field(default_factory=dict)
    subjects_digest: str = ""  # of persons too many for the detail; their rows are written apart

    def object(self, kind: str, id: UUID | str | int) -> None:
        """Name a thing that the command is about. The first named is the entry's object. Never a number or name of a
        person.
        """
        self.objects.append((kind, str(id)))

    def subject(self, person_id: UUID, *, fields: Iterable[str] = ()) -> None:
        """Name a person whose data the command changed or disclosed, and which fields."""
        self.subjects.setdefault(person_id, set()).update(fields)

    def detail(self, **values: Any) -> None:
        """Add facts to the erasable detail. Raises TypeError for what has no canonical form (floats)."""
        canonical_text(values)
        self.details.update(values)


def entry_rows(record: Record, *, outcome: str = "done", code: str = "") -> dict[str, list[dict[str, Any]]]:
    """Make the rows of one entry: its columns, its salted detail, its subjects."""
    actor, basis = record.actor, record.basis
    content: dict[str, object] = {
        "purpose": basis.purpose if basis else "",
        "legal_basis": basis.legal_basis if basis else "",
        "item_code": basis.item_code if basis else "",
        "task_id": basis.task_id if basis else None,
        "objects": [list(pair) for pair in record.objects],
        "detail": record.details,
        "subjects" if outcome == "done" else "attempted": {
            str(person): sorted(fields) for person, fields in record.subjects.items()
        },
    }
    if basis is not None and basis.about is not None:
        content["about"] = basis.about
    if basis is not None and basis.secrecy_order_id is not None:
        content["secrecy_order_id"] = basis.secrecy_order_id
    if record.subjects_digest:
        content["subjects_digest"] = record.subjects_digest
    if actor.person_id is not None:
        content["actor_person_id"] = actor.person_id
    if actor.kind in {ActorKind.STAFF, ActorKind.SYSTEM}:  # labels of posts; a resident's label might be a name
        content["post_label"] = actor.label
        content["organization_label"] = actor.organization_label
    if actor.principal is not None:
        content["principal"] = {
            "kind": actor.principal.kind,
            "id": actor.principal.id,
            "mandate_id": actor.principal.mandate_id,
        }
    text, salt = canonical_text(content), os.urandom(16)
    first = record.objects[0] if record.objects else ("", "")
    columns: dict[str, Any] = {
        "id": str(record.id),
        "at": canonical_time(record.now),
        "kind": record.kind,
        "name": record.name,
        "outcome": outcome,
        "code": code,
        "actor_kind": actor.kind.value,
        "account_id": _text(actor.account_id),
        "post_id": _text(actor.post_id),
        "organization_id": _text(actor.organization_id),
        "division_code": actor.division_code,
        "assurance": int(actor.assurance),
        "request_id": actor.request_id,
        "object_kind": first[0],
        "object_id": first[1],
        "case_id": _text(basis.case_id) if basis else None,
        "parent_id": _text(record.parent_id),
        "detail_digest": detail_digest(salt=salt, content=text).hex(),
    }
    subjects = record.subjects if outcome == "done" else {}
    return {
        "entries": [columns],
        "details": [{"entry_id": columns["id"], "salt": salt.hex(), "content": text}],
        "subjects": [
            {"person_id": str(p), "at": columns["at"], "entry_id": columns["id"], "fields": sorted(f)}
            for p, f in subjects.items()
        ],
    }


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)


def columns_digest(columns: Mapping[str, object]) -> bytes:
    """Give the digest of an entry from its columns as `entry_rows` made them or `sealer` read them."""
    return entry_digest(columns)


def write(rows: Sequence[Mapping[str, list[dict[str, Any]]]], *, database: str) -> None:
    """Insert entries on Django's connection, in the transaction that is open there, if one is."""
    first_row(*_statement(rows), database=database)


def write_many(record: Record, *, persons: Sequence[str], fields: Sequence[str], database: str) -> None:
    """Insert one entry and a row for each of very many persons, in the transaction that is open on ``database``.

    The persons are sent by COPY; the entry holds a digest over them. Some 100,000 a second.
    """
    told = sorted(set(fields))
    record.subjects_digest = subjects_digest(dict.fromkeys(persons, told))
    write([entry_rows(record)], database=database)
    with (
        connections[database].cursor() as cursor,
        cursor.copy("COPY audit_subject (person_id, at, entry_id, fields) FROM STDIN") as copy,
    ):
        rest = f"\t{canonical_time(record.now)}\t{record.id}\t{{{','.join(told)}}}\n"
        for start in range(0, len(persons), 10_000):
            copy.write("".join(f"{person}{rest}" for person in persons[start : start + 10_000]))


def write_apart(rows: Sequence[Mapping[str, list[dict[str, Any]]]], *, database: str) -> None:
    """Insert and commit entries whatever becomes of the transaction that may be open on Django's connection."""
    if not connections[database].in_atomic_block:
        write(rows, database=database)
        return
    with own_connection(database) as connection:
        connection.execute(*_statement(rows))


def write_together(rows: Sequence[Mapping[str, list[dict[str, Any]]]], *, database: str) -> None:
    """Insert and commit entries as `write_apart` does, in one statement with those of threads that do so at the same time."""
    if connections[database].in_atomic_block:
        write_apart(rows, database=database)
        return
    place = str(connections[database].settings_dict["NAME"])
    gathering = _gatherings.get(place) or _gatherings.setdefault(place, Gathering())
    gathering.write(list(rows), writer=lambda several: write(several, database=database))


_gatherings: dict[str, Gathering] = {}


def _statement(rows: Sequence[Mapping[str, list[dict[str, Any]]]]) -> tuple[str, list[object]]:
    entries, details, subjects = ([row for one in rows for row in one[part]] for part in _PARTS)
    params: list[object] = [_array([entry[name] for entry in entries]) for name in _COLUMNS if name != "detail_digest"]
    params.append(_bytes(entry["detail_digest"] for entry in entries))
    params += [
        _array([detail["entry_id"] for detail in details]),
        _bytes(detail["salt"] for detail in details),
        _array([detail["content"] for detail in details]),
    ]
    if not subjects:
        return INSERT_ALONE, params
    params += [_array([subject[name] for subject in subjects]) for name in ("person_id", "at", "entry_id")]
    params.append(_array([_array(subject["fields"]) for subject in subjects]))
    return INSERT, params


_PARTS = ("entries", "details", "subjects")


def _array(values: Iterable[object]) -> str:
    """Give the text of a one-dimensional array, as PostgreSQL reads it."""
    return "{" + ",".join(["NULL" if value is None else _element(str(value)) for value in values]) + "}"


def _element(text: str) -> str:
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    if '"' in text:
        text = text.replace('"', '\\"')
    return f'"{text}"'


def _bytes(values: Iterable[str]) -> str:
    """Give the text of an array of bytes from their hexadecimal digits."""
    return "{" + ",".join([f'"\\\\x{value}"' for value in values]) + "}"


@contextmanager
def own_connection(database: str, *, autocommit: bool = True) -> Any:
    """Open a plain psycopg connection to Django's database ``database``, closed at the end. About 5 ms."""
    params = connections[database].get_connection_params()
    for name in ("cursor_factory", "context"):
        params.pop(name, None)
    with psycopg.connect(**params, autocommit=autocommit) as connection:
        yield connection
