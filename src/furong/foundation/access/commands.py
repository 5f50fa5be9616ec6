"""Granting and taking away. `organizations` compiles posts into this; nobody else calls it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from furong.foundation.access.errors import RightUnknownError
from furong.foundation.access.queries import after_change
from furong.foundation.access.values import RIGHTS, PostRight


def set_post_rights(*, post_id: UUID, rights: Iterable[PostRight], now: datetime) -> None:
    """Replace all rights of a post.

    Joins the caller's transaction. When it takes something away, the outermost transaction's end waits until every
    process's lease has run out (a second), so that the command returns when no process decides by the old rights any
    more. Granting waits for nobody.
    Raises `RightUnknownError` for a right that no room registered.
    """
    wanted = sorted(set(rights), key=_key)
    for grant in wanted:
        if grant.right not in RIGHTS:
            raise RightUnknownError(f"No room registered the right {grant.right!r}.")
    text = json.dumps([_plain(grant) for grant in wanted], sort_keys=True)
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        cursor.execute("SELECT rights::text FROM access_post_rights WHERE post_id = %s FOR UPDATE", [post_id])
        row = cursor.fetchone()
        before = {json.dumps(grant, sort_keys=True) for grant in json.loads(row[0])} if row else set()
        after = {json.dumps(_plain(grant), sort_keys=True) for grant in wanted}
        if row and before == after:
            return
        hook = after_change()
        hook.post_ids.add(post_id)
        hook.restricts = hook.restricts or bool(before - after)
        cursor.execute(
            """
            INSERT INTO access_post_rights (post_id, rights, version, changed_at) VALUES (%s, %s::jsonb, 1, %s)
            ON CONFLICT (post_id) DO UPDATE SET
                rights = excluded.rights, version = access_post_rights.version + 1, changed_at = excluded.changed_at
            """,
            [post_id, text, now],
        )


def _plain(grant: PostRight) -> dict[str, object]:
    return {
        "right": grant.right,
        "organization_id": str(grant.organization_id) if grant.organization_id else None,
        "division_prefix": grant.division_prefix,
        "everywhere": grant.everywhere,
    }


def _key(grant: PostRight) -> tuple[str, str, str, bool]:
    return grant.right, str(grant.organization_id or ""), grant.division_prefix, grant.everywhere
