"""What the public finds: the platform's own live resources as a stranger sees them, and what was harvested, in one search.

The public face always reads as a stranger, whoever is signed in: caches may keep what it shows, and nothing depends on rights.
The platform's resources pass through `sight` in the same statement that counts and pages, so that nothing lies about to go stale.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from furong.domains.catalogue import data
from furong.domains.catalogue.errors import ResourceMissing
from furong.domains.catalogue.searching import tsquery
from furong.domains.catalogue.sight import sight_of
from furong.domains.catalogue.states import Audience
from furong.domains.catalogue.views import Words
from furong.foundation.packs import queries as packs

MAX_ROWS = 1000
MAX_START = 1_000_000
HARVESTED = "harvested"
# How the platform's own rows are handed out.
OWN_FORMATS = ("CSV", "JSON", "XLSX", "PARQUET")
COLUMNS = ("class_kind", "class_item", "department", "openness", "cycle", "origin", "has_data", "name")
LISTS = ("tag", "format")
SORTS = {
    "relevance": "",
    "name": "name_pinyin, name",
    "changed": "changed DESC NULLS LAST, name",
    "changed asc": "changed NULLS LAST, name",
    "name desc": "name_pinyin DESC, name",
    "slug": "name",
    "slug desc": "name DESC",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a search asks for. ``only`` and ``without`` map a facet (`COLUMNS`, `LISTS`) to values; several values are or-ed.

    ``tag`` and ``format`` are lists on a dataset: one of the values must be among them. ``changed_from`` and ``changed_until``
    (exclusive) bound the day of the last change.
    """

    text: str = ""
    only: tuple[tuple[str, frozenset[str]], ...] = ()
    without: tuple[tuple[str, frozenset[str]], ...] = ()
    changed_from: datetime | None = None
    changed_until: datetime | None = None
    sort: str = "relevance"
    start: int = 0
    rows: int = 20
    facets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A dataset of the public face. ``origin`` is empty for the platform's own, else the code of the harvested source."""

    name: str
    origin: str
    title: Words
    summary: Words
    class_kind: str
    class_item: str
    department: str
    openness: str
    cycle: str
    has_data: bool
    formats: tuple[str, ...]
    tags: tuple[str, ...]
    items: int
    issued_on: date | None
    changed_at: datetime | None
    version: int
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedFound:
    """A page of datasets; ``facets`` counts all that was found by facet and value, the most frequent first."""

    lines: tuple[Published, ...]
    total: int
    facets: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


def search_published(*, wanted: Wanted) -> PublishedFound:
    """Find datasets as a stranger sees them. ``rows`` is at most 1000. Empty when nothing matches or the text holds no word.

    Cost: one statement that finds, counts and pages, and one for the lines of the page of each kind.
    """
    text = wanted.text.strip()
    words = tsquery(text, Audience.EVERYBODY)
    if text and not words:
        return PublishedFound(lines=(), total=0, facets={name: {} for name in wanted.facets})
    lists = {name for name, _ in (*wanted.only, *wanted.without) if name in LISTS}
    lists |= {name for name in wanted.facets if name in LISTS}
    hits, params = _hits(words, lists)
    clause, given = _narrowed(wanted)
    order, ordered = _order(wanted, text)
    rows, start = max(0, min(wanted.rows, MAX_ROWS)), max(0, min(wanted.start, MAX_START))
    # Narrowing stands apart from finding, for it looks at what finding made of two tables; without any there is one step less.
    narrowed = f", narrowed AS MATERIALIZED (SELECT * FROM hits WHERE {clause})" if clause else ""
    hits_ = "narrowed" if clause else "hits"
    counts = "".join(
        f" UNION ALL SELECT '{name}', {_value(name)}, count(*) FROM {_from(name, hits_)} GROUP BY 2"
        for name in wanted.facets
    )
    sql = f"""
        WITH hits AS MATERIALIZED ({hits}){narrowed}
        SELECT '', '', count(*) FROM {hits_} {counts}
        UNION ALL
        SELECT CASE WHEN origin = '' THEN '=' ELSE '~' END, name, row_number() OVER ()
          FROM (SELECT name, origin FROM {hits_} ORDER BY {order} LIMIT %s OFFSET %s) AS page"""
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        # For a text as in `lookup._search`; and compiling a statement that runs for milliseconds takes longer than running it.
        cursor.execute(f"SET LOCAL jit = off; SET LOCAL enable_seqscan = {'off' if words else 'on'}")
        cursor.execute(sql, [*params, *given, *ordered, rows, start])
        answer = cursor.fetchall()
        cursor.execute("RESET jit; RESET enable_seqscan")
    total, facets, page = 0, {name: {} for name in wanted.facets}, []  # type: ignore[var-annotated]
    for kind, value, count in answer:
        if kind == "":
            total = count
        elif kind in {"=", "~"}:
            page.append((count, kind, value))
        elif value:
            facets[kind][value] = count
    page.sort()
    own = _own_lines([value for _, kind, value in page if kind == "="])
    others = _harvested_lines([value for _, kind, value in page if kind == "~"])
    lines = [found for _, kind, name in page if (found := (own if kind == "=" else others).get(name)) is not None]
    sorted_facets = {
        name: dict(sorted(values.items(), key=lambda one: (-one[1], one[0]))) for name, values in facets.items()
    }
    return PublishedFound(lines=tuple(lines), total=total, facets=sorted_facets)


def get_published(*, name: str) -> Published:
    """Give one dataset as a stranger sees it. Raises `ResourceMissing`."""
    found = _own_lines([name]).get(name) or _harvested_lines([name]).get(name)
    if found is None:
        raise ResourceMissing
    return found


def list_published(*, names: Iterable[str]) -> list[Published]:
    """Give those of these datasets that a stranger sees, in no order. Cost: two statements."""
    wanted = list(names)
    return [*_own_lines(wanted).values(), *_harvested_lines(wanted).values()]


# --- how ----------------------------------------------------------------------------------------------------------------


def _value(facet: str) -> str:
    if facet in LISTS:
        return "value"
    return "has_data::text" if facet == "has_data" else facet


def _from(facet: str, hits: str) -> str:
    return f"{hits}, jsonb_array_elements_text({hits}.{facet}s) AS value" if facet in LISTS else hits


def _hits(words: str, lists: Iterable[str]) -> tuple[str, list[Any]]:
    """Give the statement of all that a stranger may find by a text, with the columns to narrow, count and sort by."""
    live, params = sight_of(actor=data.STRANGER).live_sql()
    formats = json.dumps([*OWN_FORMATS])
    extra_own, extra_other = "", ""
    if "tag" in lists:
        extra_own += ", r.detail -> 'keywords' AS tags"
        extra_other += ", h.tags AS tags"
    more: list[Any] = []
    if "format" in lists:
        held = "f.openness = 'open' AND r.code = ANY(%s)"
        extra_own += f", CASE WHEN {held} THEN '{formats}'::jsonb ELSE '[]'::jsonb END AS formats"
        extra_other += ", h.formats AS formats"
        more = [sorted(data.codes_with_rows())]
    found_own, found_other, query = "", "TRUE", list[Any]()
    if words:
        found_own = "r.code IN (SELECT code FROM catalogue_hit WHERE tokens @@ %s::tsquery) AND "
        found_other, query = "h.tokens @@ %s::tsquery", [words]
    sql = f"""
        SELECT r.code AS name, '' AS origin, r.name_zh, r.name_en, r.name_pinyin, f.class_kind, f.class_item,
               f.department, f.openness, f.cycle, (f.openness = 'open' AND r.code = ANY(%s)) AS has_data,
               r.published_on::timestamptz AS changed{extra_own}
          FROM catalogue_resource AS r JOIN catalogue_facet AS f ON f.id = r.facet_id
         WHERE {found_own}{live}
        UNION ALL
        SELECT h.name, h.source_id, h.name_zh, h.name_en, h.name_pinyin, '{HARVESTED}', '',
               '{HARVESTED}-' || h.source_id, 'open', h.cycle, jsonb_array_length(h.formats) > 0,
               h.modified_at{extra_other}
          FROM catalogue_harvested AS h WHERE {found_other}"""
    return sql, [sorted(data.codes_with_rows()), *more, *query, *params, *query]


def _narrowed(wanted: Wanted) -> tuple[str, list[Any]]:
    parts: list[str] = []
    params: list[Any] = []
    for given, no in ((wanted.only, ""), (wanted.without, "NOT ")):
        for name, values in given:
            if name in LISTS:
                parts.append(f"{no}(hits_{name}s ?| %s)".replace("hits_", ""))
            elif name in COLUMNS:
                parts.append(f"{no}({_value(name)} = ANY(%s))")
            else:
                raise ValueError(f"no facet {name}")
            params.append(sorted(values))
    if wanted.changed_from is not None:
        parts.append("changed >= %s")
        params.append(wanted.changed_from)
    if wanted.changed_until is not None:
        parts.append("changed < %s")
        params.append(wanted.changed_until)
    return " AND ".join(parts), params


def _order(wanted: Wanted, text: str) -> tuple[str, list[Any]]:
    fixed = SORTS.get(wanted.sort, "")
    if fixed:
        return fixed, []
    if not text:
        return f"has_data DESC, {SORTS['name']}", []  # what can be had comes first
    pieces = text.split()[:4]
    in_name = " + ".join(
        f"(strpos({'lower(name_en)' if piece.isascii() else 'name_zh'}, %s) > 0)::int" for piece in pieces
    )
    order = f"(name_zh = %s OR name = %s) DESC, {in_name} DESC, length(name_zh), name"
    return order, [text, text, *(one.lower() for one in pieces)]


def _own_lines(codes: list[str]) -> dict[str, Published]:
    if not codes:
        return {}
    live, params = sight_of(actor=data.STRANGER).live_sql()
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT r.code, r.name_zh, r.name_en, r.detail -> 'summary', r.detail -> 'keywords', r.items_public,
                       r.published_on, r.version, f.class_kind, f.class_item, f.department, f.openness, f.cycle
                  FROM catalogue_resource AS r JOIN catalogue_facet AS f ON f.id = r.facet_id
                 WHERE r.code = ANY(%s) AND {live}""",
            [codes, *params],
        )
        rows = cursor.fetchall()
    released = _released()
    with_rows = data.codes_with_rows()
    found = {}
    for row in rows:
        has_data = row[11] == "open" and row[0] in with_rows
        found[row[0]] = Published(
            name=row[0],
            origin="",
            title={"zh": row[1], **({"en": row[2]} if row[2] else {})},
            summary=_json(row[3]),
            tags=tuple(_json(row[4])),
            items=row[5],
            issued_on=row[6],
            changed_at=released.get(row[0]) or (datetime.combine(row[6], datetime.min.time(), UTC) if row[6] else None),
            version=row[7],
            class_kind=row[8],
            class_item=row[9],
            department=row[10],
            openness=row[11],
            cycle=row[12],
            has_data=has_data,
            formats=OWN_FORMATS if has_data else (),
        )
    return found


def _released() -> Mapping[str, datetime]:
    """When the version in force of each resource was published; that a change waits for review is nobody's business here."""
    on = timezone.localdate()
    return packs.derive(
        "catalogue.released_at",
        on=on,
        make=lambda: {one.code: one.published_at for one in packs.list_current_releases(kind="resource", on=on)},
    )


def _harvested_lines(names: list[str]) -> dict[str, Published]:
    if not names:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT name, source_id, name_zh, name_en, detail, tags, formats, cycle, modified_at, first_seen_at
                 FROM catalogue_harvested WHERE name = ANY(%s)""",
            [names],
        )
        rows = cursor.fetchall()
    found = {}
    for row in rows:
        detail = _json(row[4])
        issued = detail.get("issued")
        found[row[0]] = Published(
            name=row[0],
            origin=row[1],
            title={"zh": row[2], **({"en": row[3]} if row[3] else {})},
            summary=detail.get("summary", {}),
            tags=tuple(_json(row[5])),
            formats=tuple(_json(row[6])),
            cycle=row[7],
            changed_at=row[8],
            issued_on=date.fromisoformat(issued[:10]) if issued else None,
            class_kind=HARVESTED,
            class_item="",
            department=f"{HARVESTED}-{row[1]}",
            openness="open",
            has_data=bool(_json(row[6])),
            items=0,
            version=0,
            detail=detail,
        )
    return found


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str | bytes) else value
