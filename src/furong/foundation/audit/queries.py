"""Reading the log: who read a person's data, what happened to a thing, proofs, and its verification."""

from __future__ import annotations

import heapq
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connections, transaction
from django.utils import timezone

from furong.foundation.access.errors import PurposeMissing
from furong.foundation.access.queries import require
from furong.foundation.access.values import Actor, Basis
from furong.foundation.audit.commands import record_read, record_refusal
from furong.foundation.audit.sealer import NODE_LEVELS
from furong.foundation.audit.values import (
    EntryDetail,
    Head,
    InclusionProof,
    LogLine,
    PageMark,
    Range,
    Reader,
    ReadOfPerson,
    inclusion_ranges,
    node_hash,
    tree_root,
)
from furong.foundation.audit.verification import export_log, read_head, verify_all, verify_database, verify_file
from furong.foundation.codes.errors import Refusal
from furong.foundation.codes.statements import all_rows

__all__ = [
    "count_unsealed",
    "export_log",
    "find_entry",
    "find_head",
    "get_detail",
    "list_entries",
    "list_readers",
    "list_reads_of_person",
    "list_shared_reads",
    "prove_inclusion",
    "read_head",
    "search_entries",
    "verify_all",
    "verify_database",
    "verify_file",
]


VIEW = "audit.view"
_LINE = "id, at, seq, kind, name, outcome, code, actor_kind, post_id, organization_id, object_kind, object_id, case_id"


def list_reads_of_person(
    *,
    person_id: UUID,
    limit: int = 50,
    before: datetime | None = None,
    databases: Sequence[str] | None = None,
    now: datetime | None = None,
    entry_id: UUID | None = None,
) -> list[ReadOfPerson]:
    """Give who read or changed a person's data, newest first, over all databases: *who read my data*.

    Left out is what an order of secrecy keeps back at ``now`` (the present without it); it is listed when the order has ended. Of
    a read for somebody else's affair (``Basis.about``) only the body is named.
    ``before`` pages: give the time of the last line seen; ``entry_id`` finds one line again. Entries whose
    detail was erased are no longer listed.
    The caller decides who may ask: the person, or audit.view.
    """
    orders = _secrecy_orders()
    kept = [key for key, until in orders.items() if until > (now or timezone.now())]
    found = [
        _reads(alias, person_id, limit, before, entry_id, kept, orders)
        for alias in databases or _databases_of(person_id)
    ]
    merged = heapq.merge(*found, key=lambda read: (read.at, read.entry_id), reverse=True)
    return list(islice(merged, limit))


_homes: list[Callable[[UUID], Sequence[str]]] = []


def use_homes(function: Callable[[UUID], Sequence[str]]) -> None:
    """Have ``function`` say in which databases, besides this process's own, acts about a person are logged."""
    _homes[:] = [function]


def _databases_of(person_id: UUID | None) -> list[str]:
    further = _homes[0](person_id) if _homes and person_id is not None else ()
    return [*settings.OWN_DATABASES, *further]


def _secrecy_orders() -> dict[str, datetime]:
    """Give until when each order of secrecy holds or held. There are few: each is an investigation's."""
    return {str(key): until for key, until in all_rows("SELECT id, until FROM audit_secrecy_order", [])}


def _reads(
    alias: str,
    person_id: UUID,
    limit: int,
    before: datetime | None,
    entry_id: UUID | None,
    kept: Sequence[str],
    orders: Mapping[str, datetime],
) -> Iterator[ReadOfPerson]:
    with connections[alias].cursor() as cursor:
        cursor.execute(
            """
            SELECT s.at, e.kind, e.name, e.organization_id, e.post_id, e.actor_kind, s.fields, d.content, e.case_id, e.id
            FROM audit_subject s JOIN audit_entry e ON e.id = s.entry_id JOIN audit_detail d ON d.entry_id = s.entry_id
            WHERE s.person_id = %s AND (%s::timestamptz IS NULL OR s.at < %s::timestamptz)
              AND (%s::uuid IS NULL OR s.entry_id = %s::uuid)
              AND (%s::text[] = '{}' OR d.content::jsonb ->> 'secrecy_order_id' IS NULL
                   OR d.content::jsonb ->> 'secrecy_order_id' <> ALL(%s::text[]))
            ORDER BY s.at DESC, s.entry_id DESC LIMIT %s
            """,
            [person_id, before, before, entry_id, entry_id, list(kept), list(kept), limit],
        )
        rows = cursor.fetchall()
    for at, kind, name, organization_id, post_id, actor_kind, fields, text, case_id, entry_id in rows:
        content: dict[str, Any] = json.loads(text)
        by_self = content.get("actor_person_id") == str(person_id)
        read = ReadOfPerson(
            at=at,
            action=kind,
            what=name,
            organization_label=content.get("organization_label", ""),
            post_label=content.get("post_label", ""),
            organization_id=organization_id,
            post_id=post_id,
            actor_kind=actor_kind,
            fields=tuple(fields),
            purpose=content.get("purpose", ""),
            legal_basis=content.get("legal_basis", ""),
            case_id=case_id,
            by_self=by_self,
            database=alias,
            entry_id=entry_id,
            grant=str(content.get("detail", {}).get("grant_number", "")),
            kept_back_until=orders.get(content.get("secrecy_order_id", "")),
        )
        if content.get("about", str(person_id)) != str(person_id) and not by_self:
            read = replace(
                read,
                what="",
                post_label="",
                post_id=None,
                purpose="",
                legal_basis="",
                case_id=None,
                grant="",
                is_of_other=True,
            )
        yield read


def list_readers(
    *,
    fields: Sequence[str],
    since: datetime | None,
    until: datetime,
    person_id: UUID | None = None,
    object_id: str = "",
    databases: Sequence[str] | None = None,
) -> list[Reader]:
    """Give who read one of ``fields`` of a person (or a thing, ``object_id``) between two moments, over all databases, each once.

    For telling them that it was wrong. Reads whose account is not known (the platform's own) are left out. The caller
    decides who may ask. A range of the index on persons, or on objects.
    """
    found: set[Reader] = set()
    for alias in databases or _databases_of(person_id):
        with connections[alias].cursor() as cursor:
            cursor.execute(
                _READERS_OF_PERSON if person_id is not None else _READERS_OF_THING,
                {"subject": person_id or object_id, "fields": list(fields), "since": since, "until": until},
            )
            found |= {Reader(account_id=row[0], case_id=row[1]) for row in cursor.fetchall()}
    return sorted(found, key=lambda one: (str(one.account_id), str(one.case_id or "")))


_READERS_OF_PERSON = """
SELECT DISTINCT e.account_id, e.case_id FROM audit_subject s JOIN audit_entry e ON e.id = s.entry_id
 WHERE s.person_id = %(subject)s AND s.fields && %(fields)s::text[] AND s.at <= %(until)s
   AND (%(since)s::timestamptz IS NULL OR s.at >= %(since)s::timestamptz)
   AND e.kind = 'read' AND e.outcome = 'done' AND e.account_id IS NOT NULL
"""
_READERS_OF_THING = """
SELECT DISTINCT e.account_id, e.case_id FROM audit_entry e JOIN audit_detail d ON d.entry_id = e.id
 WHERE e.object_id = %(subject)s AND d.content::jsonb -> 'detail' -> 'fields' ?| %(fields)s::text[] AND e.at <= %(until)s
   AND (%(since)s::timestamptz IS NULL OR e.at >= %(since)s::timestamptz)
   AND e.kind = 'read' AND e.outcome = 'done' AND e.account_id IS NOT NULL
"""


def list_shared_reads(
    *, since: datetime, until: datetime, databases: Sequence[str] | None = None
) -> Iterator[tuple[str, UUID | None, UUID | None]]:
    """Give, over all databases, each resource that was read under a grant between two moments, with a person whose data was
    disclosed and the case it was for; each combination once a database.

    For counting whom sharing served; the caller keeps neither persons nor cases. Cost: the entries of that time, streamed.
    """
    for alias in databases or settings.OWN_DATABASES:
        with transaction.atomic(using=alias), connections[alias].chunked_cursor() as cursor:
            cursor.execute(
                """
                SELECT DISTINCT t.value ->> 'resource', s.person_id, e.case_id
                  FROM audit_entry AS e
                  JOIN audit_detail AS d ON d.entry_id = e.id
                  CROSS JOIN LATERAL jsonb_array_elements(d.content::jsonb -> 'detail' -> 'terms') AS t
                  LEFT JOIN audit_subject AS s ON s.entry_id = e.id
                 WHERE e.at >= %s AND e.at < %s AND e.kind = 'read' AND e.outcome = 'done'
                   AND d.content LIKE '%%"ground":"grant"%%' AND t.value ->> 'ground' = 'grant'
                """,
                [since, until],
            )
            yield from cursor


def list_entries(
    *,
    case_id: UUID | None = None,
    object_id: UUID | str | None = None,
    before: datetime | None = None,
    limit: int = 100,
    database: str = "default",
) -> list[LogLine]:
    """Give the entries of a case, of a thing, or of all, newest first, without their details. The caller decides who
    may ask.
    """
    with connections[database].cursor() as cursor:
        cursor.execute(
            """
            SELECT id, at, seq, kind, name, outcome, code, actor_kind, post_id, organization_id, object_kind, object_id,
                case_id
            FROM audit_entry
            WHERE (%(case)s::uuid IS NULL OR case_id = %(case)s::uuid)
              AND (%(object)s::text IS NULL OR object_id = %(object)s::text)
              AND (%(before)s::timestamptz IS NULL OR at < %(before)s::timestamptz)
            ORDER BY at DESC, seq DESC LIMIT %(limit)s
            """,
            {
                "case": case_id,
                "object": None if object_id is None else str(object_id),
                "before": before,
                "limit": limit,
            },
        )
        names = [column.name for column in cursor.description]
        return [LogLine(**dict(zip(names, row, strict=True))) for row in cursor.fetchall()]


def search_entries(
    *,
    actor: Actor,
    now: datetime,
    since: datetime | None = None,
    until: datetime | None = None,
    name: str = "",
    outcome: str = "",
    kind: str = "",
    object_id: str = "",
    before: PageMark | None = None,
    limit: int = 50,
    database: str = "default",
) -> list[LogLine]:
    """Give the entries that an auditor looks for within their scope, newest first, without their details.

    ``name`` is a command or query, or its room (the part before the dot); ``until`` is exclusive; ``before`` pages: the mark of
    the last line seen. Raises ``AccessRefused``. A range of the index on time; with an object, of the index on objects.
    """
    where, params = require(actor=actor, right=VIEW).scope.sql(
        organization_column="organization_id", division_column="division_code"
    )
    conditions: list[str] = [where]
    given: list[tuple[str, list[object]]] = [
        ("at >= %s", [since] if since else []),
        ("at < %s", [until] if until else []),
        ("(name = %s OR starts_with(name, %s))", [name, f"{name}."] if name else []),
        ("outcome = %s", [outcome] if outcome else []),
        ("kind = %s", [kind] if kind else []),
        ("object_id = %s", [object_id] if object_id else []),
        ("(at, seq) < (%s::timestamptz, %s)", [before.at, before.seq] if before else []),
    ]
    for condition, values in given:
        if values:
            conditions.append(condition)
            params = [*params, *values]
    with connections[database].cursor() as cursor:
        cursor.execute(
            f"SELECT {_LINE} FROM audit_entry WHERE {' AND '.join(conditions)} ORDER BY at DESC, seq DESC LIMIT %s",
            [*params, max(1, min(limit, 500))],
        )
        names = [column.name for column in cursor.description]
        return [LogLine(**dict(zip(names, row, strict=True))) for row in cursor.fetchall()]


def find_entry(*, entry_id: UUID, actor: Actor, now: datetime, database: str = "default") -> LogLine | None:
    """Give one entry within the auditor's scope, without its detail, or None. Raises ``AccessRefused``."""
    where, given = require(actor=actor, right=VIEW).scope.sql(
        organization_column="organization_id", division_column="division_code"
    )
    params: list[Any] = [entry_id, *given]
    with connections[database].cursor() as cursor:
        cursor.execute(f"SELECT {_LINE} FROM audit_entry WHERE id = %s AND {where}", params)
        names = [column.name for column in cursor.description]
        row = cursor.fetchone()
    return LogLine(**dict(zip(names, row, strict=True))) if row else None


def get_detail(
    *, entry_id: UUID, actor: Actor, basis: Basis, now: datetime, database: str = "default"
) -> EntryDetail | None:
    """Give what an entry says of purpose, fields and persons, for a stated purpose; None when it was erased or is not there.

    The reading itself is recorded with the persons concerned, who see it. Raises ``PurposeMissing``, ``AccessRefused``.
    """
    try:
        if not basis.is_stated:
            raise PurposeMissing
        line = find_entry(entry_id=entry_id, actor=actor, now=now, database=database)
    except Refusal as refusal:
        record_refusal(actor=actor, what="audit.get_detail", refusal=refusal, now=now, basis=basis, database=database)
        raise
    if line is None:
        return None
    with connections[database].cursor() as cursor:
        cursor.execute("SELECT content FROM audit_detail WHERE entry_id = %s", [entry_id])
        found = cursor.fetchone()
        cursor.execute("SELECT person_id, fields FROM audit_subject WHERE entry_id = %s ORDER BY person_id", [entry_id])
        subjects = tuple((person_id, tuple(fields)) for person_id, fields in cursor.fetchall())
    record_read(
        actor=actor,
        basis=basis,
        what="audit.get_detail",
        subjects=[person_id for person_id, _ in subjects],
        fields=("audit",),
        database=database,
        now=now,
        object=("audit_entry", entry_id),
    )
    if found is None:
        return None
    content: dict[str, Any] = json.loads(found[0])
    return EntryDetail(
        organization_label=content.get("organization_label", ""),
        post_label=content.get("post_label", ""),
        purpose=content.get("purpose", ""),
        legal_basis=content.get("legal_basis", ""),
        detail=content.get("detail", {}),
        subjects=subjects,
    )


def find_head(*, database: str = "default") -> Head | None:
    """Give the last signed head of a database's log, or None when nothing is sealed yet."""
    with connections[database].cursor() as cursor:
        cursor.execute(
            """
            SELECT l.log_id, h.size, h.root, h.at, h.key_id, h.algorithm, h.signature
            FROM audit_head h, audit_log l ORDER BY h.size DESC LIMIT 1
            """
        )
        row = cursor.fetchone()
    if row is None:
        return None
    return Head(
        log_id=row[0],
        size=row[1],
        root=bytes(row[2]),
        at=row[3],
        key_id=row[4],
        algorithm=row[5],
        signature=bytes(row[6]),
    )


def count_unsealed(*, database: str = "default") -> int:
    """Give how many committed entries no head covers yet: for metrics; it stays near zero while a sealer runs."""
    with connections[database].cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*) FROM audit_entry e
            WHERE e.xid >= coalesce((SELECT settled_xid FROM audit_head ORDER BY size DESC LIMIT 1), 0)
              AND NOT EXISTS (SELECT 1 FROM audit_leaf l WHERE l.entry_id = e.id)
            """
        )
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def prove_inclusion(*, entry_id: UUID, database: str = "default") -> InclusionProof | None:
    """Prove that an entry is in the log under its last head; None while it is not sealed.

    The receipt holds digests only. Cost: some hundred rows, whatever the size of the log.
    """
    head = find_head(database=database)
    with connections[database].cursor() as cursor:
        cursor.execute("SELECT index, hash FROM audit_leaf WHERE entry_id = %s", [entry_id])
        row = cursor.fetchone()
        if row is None or head is None or row[0] >= head.size:
            return None
        path = [_range_root(cursor, part) for part in inclusion_ranges(index=row[0], size=head.size)]
    return InclusionProof(entry_id=entry_id, index=row[0], leaf=bytes(row[1]), path=tuple(path), head=head)


def _range_root(cursor: Any, part: Range) -> bytes:
    """The root over a subtree: from the stored roots of complete subtrees where they are, from leaves elsewhere."""
    start, end = part
    size = end - start
    if size & (size - 1):  # the right edge: split as the tree does
        middle = start + (1 << size.bit_length() - 1)
        return node_hash(_range_root(cursor, (start, middle)), _range_root(cursor, (middle, end)))
    level = (size.bit_length() - 1) // NODE_LEVELS * NODE_LEVELS
    if level == 0:
        cursor.execute("SELECT hash FROM audit_leaf WHERE index >= %s AND index < %s ORDER BY index", [start, end])
    else:
        cursor.execute(
            "SELECT hash FROM audit_node WHERE level = %s AND index >= %s AND index < %s ORDER BY index",
            [level, start >> level, end >> level],
        )
    return tree_root(bytes(row[0]) for row in cursor.fetchall())
