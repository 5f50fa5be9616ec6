"""The compiled terms as a whole, for those who carry them elsewhere (the exchange's configuration), and who else holds them.

`sharing` decides by them one reading at a time; here they are listed. A *holder* keeps terms outside the platform's processes,
as gateways do: it is told after a restricting change has committed, while the change waits out the leases.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django.db import connection

from furong.foundation.access.queries import hold_terms
from furong.foundation.access.terms import CompiledGrant, SharedResource, read_grant, read_resource

__all__ = ["hold_terms", "list_grants", "list_resources", "newest_change"]


def newest_change() -> int:
    """Give the number of the newest change of compiled terms; 0 before the first. One read."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT number FROM access_terms_epoch WHERE id = 1")
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def list_resources(*, codes: Iterable[str]) -> dict[str, SharedResource]:
    """Give the compiled terms of resources by code; those without are left out. One read."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT code, body FROM access_shared_resource WHERE code = ANY(%s)", [sorted(set(codes))])
        return {code: read_resource(code, _json(body)) for code, body in cursor.fetchall()}


def list_grants(*, codes: Iterable[str]) -> list[CompiledGrant]:
    """Give the grants in force of resources, by id; whether one has begun or is over its dates say. One read."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, resource_code, organization_id, body FROM access_grant WHERE resource_code = ANY(%s) ORDER BY id",
            [sorted(set(codes))],
        )
        return [read_grant(grant_id, code, organization, _json(body)) for grant_id, code, organization, body in cursor]


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value
