"""Reads for those who follow the catalogue from outside, such as a search: what staff share beyond the public face.

What everybody may know is in `published`; here is what lies between that and what only provider and data authority know.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection
from django.utils import timezone

from furong.domains.catalogue import models
from furong.domains.catalogue.states import Audience
from furong.domains.catalogue.views import Words
from furong.foundation.packs import queries as packs


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """A live resource that staff may know of and the public may not. ``items`` are the names of what it holds, for staff."""

    code: str
    name: Words
    summary: Words
    keywords: tuple[str, ...]
    items: tuple[str, ...]
    department: str
    published_on: date | None
    version: int


_SHARED = "r.live AND r.audience = %s"


def list_shared_stamps() -> dict[str, str]:
    """Return the code of each resource that staff share, with a text that changes when it does. One read."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT r.code, r.version, r.published_on FROM catalogue_resource AS r WHERE {_SHARED}",
            [int(Audience.STAFF)],
        )
        return {code: f"{version}/{on}" for code, version, on in cursor.fetchall()}


def list_shared(*, codes: Iterable[str]) -> list[Shared]:
    """Return those of these resources that staff share and the public does not know. One read."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT r.code, r.name_zh, r.name_en, r.detail -> 'summary', r.detail -> 'keywords', f.department,
                       r.published_on, r.version,
                       ARRAY(SELECT i.name_zh FROM catalogue_item AS i
                              WHERE i.resource_id = r.code AND i.audience <= %s ORDER BY i.position LIMIT 200)
                  FROM catalogue_resource AS r JOIN catalogue_facet AS f ON f.id = r.facet_id
                 WHERE r.code = ANY(%s) AND {_SHARED}""",
            [int(Audience.STAFF), list(codes), int(Audience.STAFF)],
        )
        rows = cursor.fetchall()
    return [
        Shared(
            code=row[0],
            name={"zh": row[1], **({"en": row[2]} if row[2] else {})},
            summary=_json(row[3]),
            keywords=tuple(_json(row[4])),
            department=row[5],
            published_on=row[6],
            version=row[7],
            items=tuple(row[8]),
        )
        for row in rows
    ]


def latest_release() -> object:
    """Give something that differs when a definition of a resource was released, or another day came."""
    on = timezone.localdate()
    return packs.derive("catalogue.latest_release", on=on, make=lambda: _digests(on))


def latest_harvest() -> object:
    """Give something that differs after another harvest."""
    return models.HarvestRun.objects.order_by("-id").values_list("id", flat=True).first()


def _digests(on: date) -> Mapping[str, str]:
    return {one.code: one.digest for one in packs.list_current_releases(kind="resource", on=on)}


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str | bytes) else value
