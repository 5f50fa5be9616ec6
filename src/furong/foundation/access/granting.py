"""Compiling terms: what the catalogue decided becomes what every reading is decided by. Nobody else calls it.

A change is numbered in the order of commits; a process that decides looks at the newest number once a lease (`sharing`). What
takes something away lets the outermost transaction's end wait until every lease has run out, as `commands.set_post_rights` does.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from furong.foundation.access.queries import after_change
from furong.foundation.access.sharing import BOOK
from furong.foundation.access.terms import CompiledGrant, Rank, SharedResource
from furong.foundation.codes.ids import new_id

# Changes that are kept for processes to follow; one that was away for longer reads everything anew.
KEPT = 10_000
_MOST_NAMED = 500


def put_resources(*, resources: Iterable[SharedResource], now: datetime) -> int:
    """Replace the terms of resources; give how many differ from what was there.

    Joins the caller's transaction. When one became narrower (offline, an item gone, terms stricter, another provider) its end
    waits out the leases. Cost: one read and one write for all.
    """
    wanted = {one.code: plain_resource(one) for one in resources}
    if not wanted:
        return 0
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        cursor.execute("SELECT code, body FROM access_shared_resource WHERE code = ANY(%s)", [list(wanted)])
        before = {code: _json(body) for code, body in cursor.fetchall()}
        changed = {code: body for code, body in wanted.items() if before.get(code) != body}
        if not changed:
            return 0
        cursor.executemany(
            """INSERT INTO access_shared_resource (code, body) VALUES (%s, %s::jsonb)
               ON CONFLICT (code) DO UPDATE SET body = excluded.body""",
            [(code, json.dumps(body)) for code, body in changed.items()],
        )
        # A resource that was not listed bound nobody before.
        _changed(
            list(changed), restricts=any(_is_narrower(before.get(c), body) for c, body in changed.items()), now=now
        )
    return len(changed)


def put_grants(*, grants: Sequence[CompiledGrant] = (), drop: Sequence[UUID] = (), now: datetime) -> None:
    """Put grants into force and take others out of it, in one change.

    Joins the caller's transaction; when a grant is dropped or replaced by another of its id, its end waits out the leases.
    """
    if not grants and not drop:
        return
    ids = [*drop, *(one.id for one in grants)]
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        cursor.execute("DELETE FROM access_grant WHERE id = ANY(%s) RETURNING id, resource_code, body", [ids])
        gone = {row[0]: (row[1], _json(row[2])) for row in cursor.fetchall()}
        new = {one.id: plain_grant(one) for one in grants}
        cursor.executemany(
            """INSERT INTO access_grant (id, resource_code, organization_id, department, division_prefix, body)
               VALUES (%s, %s, %s, %s, %s, %s::jsonb)""",
            [
                (
                    *(one.id, one.resource, one.organization_id),
                    *((one.department, one.division_prefix) if one.with_lower else ("", "")),
                    json.dumps(new[one.id]),
                )
                for one in grants
            ],
        )
        codes = {one.resource for one in grants} | {code for code, _body in gone.values()}
        restricts = any(new.get(key) != body for key, (_code, body) in gone.items())
        if codes:
            _changed(sorted(codes), restricts=restricts, now=now)


def _is_narrower(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> bool:
    if before is None:
        return True
    same = ("organization_id", "department", "division_prefix", "fields")
    return (
        any(before[name] != after[name] for name in same)
        or (before["live"] and not after["live"])
        or after["rank"] > before["rank"]
        or any(after["items"].get(item, Rank.NONE + 1) > rank for item, rank in before["items"].items())
    )


def _changed(codes: list[str], *, restricts: bool, now: datetime) -> None:
    named, stamp = codes if len(codes) <= _MOST_NAMED else [], new_id()
    with connection.cursor() as cursor:
        # The row stays locked to the end of the transaction, so numbers are seen in their order.
        cursor.execute(
            """INSERT INTO access_terms_epoch (id, number, stamp) VALUES (1, 1, %s)
               ON CONFLICT (id) DO UPDATE SET number = access_terms_epoch.number + 1, stamp = excluded.stamp
               RETURNING number""",
            [stamp],
        )
        number = cursor.fetchone()[0]
        cursor.execute(
            "INSERT INTO access_terms_change (number, resource_codes, stamp, at) VALUES (%s, %s::jsonb, %s, %s)",
            [number, json.dumps(named), stamp, now],
        )
        cursor.execute("DELETE FROM access_terms_change WHERE number <= %s", [number - KEPT])
    hook = after_change()
    hook.restricts = hook.restricts or restricts
    hook.drops.add(BOOK.look_again)
    hook.is_of_terms = True


def plain_resource(one: SharedResource) -> dict[str, Any]:
    """Give a resource's terms as JSON holds them."""
    return {
        "organization_id": str(one.organization_id) if one.organization_id else None,
        "department": one.department,
        "division_prefix": one.division_prefix,
        "live": one.live,
        "rank": int(one.rank),
        "items": {code: int(rank) for code, rank in sorted(one.items.items())},
        "fields": dict(sorted(one.fields.items())),
    }


def plain_grant(one: CompiledGrant) -> dict[str, Any]:
    """Give a grant as JSON holds it."""
    return {
        "with_lower": one.with_lower,
        "department": one.department,
        "division_prefix": one.division_prefix,
        "items": sorted(one.items),
        "divisions": list(one.divisions),
        "by_subject": one.by_subject,
        "services": sorted(one.services),
        "methods": sorted(one.methods),
        "rank": int(one.rank),
        "valid_from": one.valid_from.isoformat(),
        "valid_until": one.valid_until.isoformat(),
        "daily_quota": one.daily_quota,
    }


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value
