"""Lists, search, facets, pages and suppliers of resources, each within what the reader may see."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import connection, transaction

from furong.domains.catalogue import facets
from furong.domains.catalogue.errors import ResourceMissing
from furong.domains.catalogue.searching import name_query, terms_of, tsquery
from furong.domains.catalogue.sight import Sight, sight_of
from furong.domains.catalogue.states import (
    PROVIDERS_ACTS,
    Act,
    Audience,
    OnlineState,
    PublishState,
    possible,
)
from furong.domains.catalogue.views import (
    FACETS,
    Filter,
    Found,
    ItemView,
    ResourceLine,
    ResourceView,
    ReviewEntry,
    Supplier,
)
from furong.foundation.access.values import Actor

EVERYTHING = Filter()
MAX_SIZE = 100
MAX_PAGE = 1000

_LINE = """r.code, r.number, r.name_zh, r.name_en, r.detail -> 'summary', r.facet_id, r.published_on, r.publish_state,
    r.online_state, r.review_due_on, r.version, r.items, r.items_staff, r.items_public, r.organization_id, r.division_code"""
_WIDTH = 16

_WAITING = (
    "(s.publish_state IN ('pub_auditing', 'change_auditing') OR s.online_state IN ('up_auditing', 'down_auditing'))"
)
_STATES = {
    "waiting": _WAITING,
    "draft": "s.publish_state IN ('unpublished', 'rejected')",
    "offline": "NOT s.live",
    "update": "s.update_due_on IS NOT NULL",
}
_BY_NAME = "r.name_pinyin, r.code"
_BY_DAY = "r.review_due_on NULLS LAST, r.code"
# From so many hits on, a page is sorted by what the index knows of names, and no name is read for that.
COMMON = 2_000
_CODE = re.compile(r"[a-z0-9_]{1,64}")


def list_resources(
    *, actor: Actor, filter: Filter = EVERYTHING, page: int = 1, size: int = 20, with_facets: bool = True
) -> Found:
    """Give a page of the resources that ``actor`` may see and ``filter`` leaves, with the counts of each facet.

    With a text the nearest names come first, else it is sorted by the names' pinyin. ``size`` is at most 100.
    Empty when nothing is found or the text holds no word. Cost: three statements; the text is looked up by GIN.
    """
    size, page = max(1, min(size, MAX_SIZE)), max(1, min(page, MAX_PAGE))
    sight, words = sight_of(actor=actor), filter.text.strip()
    nothing = Found(lines=(), total=0, number=page, size=size)
    if words and not name_query(words):
        return nothing
    where: list[str] = []
    values: list[Any] = []
    if wanted := filter.facets():
        numbers = facets.matching(wanted)
        if not numbers:
            return nothing
        where.append("r.facet_id = ANY(%s)")
        values.append(numbers)
    if filter.state in _STATES:
        # What is under way is known to owners only, also of what is live.
        owned, scope = sight.owned_sql()
        where.append(
            f"r.code IN (SELECT s.code FROM catalogue_resource AS s WHERE {_STATES[filter.state]}) AND {owned}"
        )
        values += scope
    narrowed = (" AND ".join(where) or "TRUE", values)
    if words:
        counts, codes = _search(sight, words, narrowed, size, (page - 1) * size)
    else:
        order = _BY_DAY if filter.state == "waiting" else _BY_NAME
        counts, codes = _browse(_both(visible(sight), narrowed), order, size, (page - 1) * size)
    rows = _rows(codes)
    combinations = facets.known((*counts, *(row[5] for row in rows)))
    return Found(
        lines=tuple(_line(row, combinations, sight) for row in rows),
        total=sum(counts.values()),
        number=page,
        size=size,
        facets=_fold(counts, combinations) if with_facets else {},
    )


def count_waiting(*, actor: Actor) -> int:
    """Count the resources that wait for a decision of the actor, who reviews; 0 for everybody else."""
    reviews = sight_of(actor=actor).reviews
    if reviews.is_empty:
        return 0
    condition, params = reviews.sql(organization_column="s.organization_id", division_column="s.division_code")
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM catalogue_resource AS s WHERE {_WAITING} AND {condition}", params)
        return int(cursor.fetchone()[0])


def get_resource(*, actor: Actor, code: str) -> ResourceView:
    """Give a resource with its items, as far as ``actor`` may see them. Cost: three statements, no file is parsed.

    Raises `ResourceMissing` when there is none or the actor must not know of it.
    """
    sight = sight_of(actor=actor)
    condition, params = visible(sight)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT {_LINE}, r.detail, r.digest, r.live, r.pending_digest,
                       r.reason, r.update_due_on, r.is_update_extended
                  FROM catalogue_resource AS r WHERE r.code = %s AND {condition}""",
            [code, *params],
        )
        row = cursor.fetchone()
        if row is None:
            raise ResourceMissing
        line, rest = row[:_WIDTH], row[_WIDTH:]
        organization_id, division_code = line[14:16]
        owner = sight.owns(organization_id=organization_id, division_code=division_code)
        level = Audience.OWNER if owner else sight.level
        cursor.execute(
            """SELECT code, name_zh, name_en, type, length, detail FROM catalogue_item
                WHERE resource_id = %s AND audience <= %s ORDER BY position""",
            [code, int(level)],
        )
        items = tuple(_item(one) for one in cursor.fetchall())
    detail = _json(rest[0])
    shown = {one.code for one in items}
    if not owner:
        detail["collection"] = [
            {**duty, "items": [item for item in duty["items"] if item in shown]}
            for duty in detail["collection"]
            if shown.intersection(duty["items"])
        ]
    combinations = facets.known([line[5]])
    related = _by_codes(detail.pop("related"), sight)
    made = _line(line, combinations, sight)
    return ResourceView(
        line=made,
        detail=detail,
        items=items,
        related=related,
        organization_id=organization_id,
        division_code=division_code,
        digest=rest[1],
        is_live=rest[2],
        is_owner=owner,
        pending_digest=rest[3] if owner else "",
        reason=rest[4] if owner else "",
        update_due_on=rest[5] if owner else None,
        is_update_extended=rest[6] if owner else False,
        may=_may(sight, made, organization_id, division_code, rest[3]) if owner else frozenset(),
    )


def _may(sight: Sight, line: ResourceLine, organization_id: Any, division_code: str, pending: str) -> frozenset[Act]:
    acts = set(possible(line.publish_state, line.online_state))
    if line.publish_state is PublishState.PUBLISHED and not pending:
        acts.discard(Act.SUBMIT)
    edits = sight.edits.covers(organization_id=organization_id, division_code=division_code)
    reviews = sight.reviews.covers(organization_id=organization_id, division_code=division_code)
    found = {act for act in acts if (edits if act in PROVIDERS_ACTS else reviews)}
    if edits:
        found.add(Act.DRAFT)
    if reviews and line.publish_state.is_public:
        found.add(Act.REQUIRE_UPDATE)
    return frozenset(found)


def list_suppliers(*, actor: Actor, elements: Iterable[str]) -> list[Supplier]:
    """List the resources whose items carry one of the elements and that ``actor`` may see: sources first, then by code."""
    wanted = sorted(set(elements))
    sight = sight_of(actor=actor)
    condition, params = visible(sight)
    owned, given = sight.owned_sql()
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT {_LINE}, c.item_code, c.element, c.is_source
                  FROM catalogue_carried AS c JOIN catalogue_resource AS r ON r.code = c.resource_id
                 WHERE c.element = ANY(%s) AND {condition} AND (c.audience <= %s OR {owned})
                 ORDER BY c.element, NOT c.is_source, r.code LIMIT 1000""",
            [wanted, *params, int(sight.level), *given],
        )
        rows = cursor.fetchall()
    combinations = facets.known(row[5] for row in rows)
    return [
        Supplier(
            resource=_line(row, combinations, sight),
            item_code=row[_WIDTH],
            element=row[_WIDTH + 1],
            is_source=row[_WIDTH + 2],
        )
        for row in rows
    ]


def sources_of(*, elements: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Give, by element, the resource and the item that are its one authoritative source; others are left out. One statement.

    For decisions, not for showing: it says nothing that `SharedResource` does not hold.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT element, resource_id, item_code FROM catalogue_carried WHERE is_source AND element = ANY(%s)",
            [sorted(set(elements))],
        )
        return {row[0]: (row[1], row[2]) for row in cursor.fetchall()}


def list_lines(*, actor: Actor, codes: Iterable[str]) -> tuple[ResourceLine, ...]:
    """List those of the resources with these codes that ``actor`` may see, by the names' pinyin."""
    return _by_codes(codes, sight_of(actor=actor))


def list_history(*, actor: Actor, code: str, limit: int = 50) -> list[ReviewEntry]:
    """List the acts on a resource, newest first; empty for whoever neither compiles nor reviews it.

    Raises `ResourceMissing` as `get_resource` does.
    """
    if not get_resource(actor=actor, code=code).is_owner:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT act, publish_state, online_state, reason, by, at FROM catalogue_review
                WHERE code = %s ORDER BY at DESC, id DESC LIMIT %s""",
            [code, limit],
        )
        return [
            ReviewEntry(act=row[0], publish_state=row[1], online_state=row[2], reason=row[3], by=row[4], at=row[5])
            for row in cursor.fetchall()
        ]


# --- how ----------------------------------------------------------------------------------------------------------------


Branch = tuple[str, list[Any]]


def visible(sight: Sight) -> Branch:
    """Give the condition for the resources (alias ``r``) that the reader sees. For the queries of this room."""
    if sight.is_whole:
        return "TRUE", []
    live, level = sight.live_sql()
    owned, scope = sight.owned_sql()
    return (f"({live} OR {owned})", [*level, *scope]) if sight.owns_something else (live, level)


def _both(one: Branch, other: Branch) -> Branch:
    return f"{one[0]} AND {other[0]}", [*one[1], *other[1]]


def _found_by(sight: Sight, narrow: str, wide: str, narrowed: Branch) -> Branch:
    """Give the statement of the hits (code, facet, length of the name) that the reader sees and a query finds.

    What is live is found by the words of the reader's audience (``narrow``), what is the reader's own by all of its words
    (``wide``): two readings of the index, and no resource is in both.
    """
    live, level = sight.live_sql()
    if sight.is_whole:
        branches: list[Branch] = [("TRUE", [wide])]
    elif not sight.owns_something:
        branches = [(live, [narrow, *level])]
    else:
        owned, scope = sight.owned_sql()
        branches = [(f"{live} AND ({owned}) IS NOT TRUE", [narrow, *level, *scope]), (owned, [wide, *scope])]
    columns = "SELECT r.facet_id, r.name_length, r.code FROM catalogue_hit AS r WHERE r.tokens @@ %s::tsquery AND "
    clause, values = narrowed
    return (
        " UNION ALL ".join(f"{columns}{condition} AND {clause}" for condition, _ in branches),
        [value for _, given in branches for value in (*given, *values)],
    )


def _browse(found: Branch, order: str, size: int, offset: int) -> tuple[dict[int, int], list[str]]:
    """Count what a condition leaves by combination of facets, from an index alone, and give the codes of one page."""
    clause, values = found
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT array_agg(facet_id), array_agg(number)
                  FROM (SELECT r.facet_id, count(*)::int AS number FROM catalogue_resource AS r WHERE {clause}
                         GROUP BY r.facet_id) AS counted""",
            values,
        )
        counts = _counted(*cursor.fetchone())
        if sum(counts.values()) <= offset:
            return counts, []
        cursor.execute(
            f"SELECT r.code FROM catalogue_resource AS r WHERE {clause} ORDER BY {order} LIMIT %s OFFSET %s",
            [*values, size, offset],
        )
        return counts, [row[0] for row in cursor.fetchall()]


def _counted(numbers: list[int] | None, counts: list[int] | None) -> dict[int, int]:
    return dict(zip(numbers or (), counts or (), strict=True))


def _search(sight: Sight, words: str, narrowed: Branch, size: int, offset: int) -> tuple[dict[int, int], list[str]]:
    """Count and give a page as `_browse` does, the nearest names first.

    Of few hits the names are read and compared. Very many are not read at all: the code that was typed comes first, then those
    that have all words in their name, which is a query of its own, then the others, the shortest names first in each.
    The planner thinks that matching tokens is cheap and would read every row's, which lie out of line; so it is told not to.
    """
    narrow, wide = tsquery(words, sight.level), tsquery(words, Audience.OWNER)
    hits, values = _found_by(sight, narrow, wide, narrowed)
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL work_mem = '32MB'; SET LOCAL jit = off")
        counts, codes = _counted_or_found(cursor, hits, values, words, narrowed, size, offset)
        total = sum(counts.values())
        if codes is None and total <= offset:
            codes = []
        elif codes is None and total <= COMMON:
            codes = _nearest(cursor, hits, values, words, size, offset)
        elif codes is None:
            named = name_query(words)
            codes = _in_turn(
                cursor,
                words,
                [
                    _found_by(sight, narrow, wide, _both(narrowed, ("r.code = %s", [words]))),
                    _found_by(sight, named, named, _both(narrowed, ("r.code <> %s", [words]))),
                    _found_by(
                        sight,
                        f"({narrow}) & !({named})",
                        f"({wide}) & !({named})",
                        _both(narrowed, ("r.code <> %s", [words])),
                    ),
                ],
                size,
                offset,
            )
        cursor.execute("SET LOCAL enable_seqscan = on; RESET work_mem; RESET jit")
    return counts, codes


def _counted_or_found(
    cursor: Any, hits: str, values: list[Any], words: str, narrowed: Branch, size: int, offset: int
) -> tuple[dict[int, int], list[str] | None]:
    """Count the hits; where few are to be expected, keep them meanwhile and give the page too, unless they are many after all."""
    counted = "SELECT facet_id, count(*)::int AS number FROM r GROUP BY facet_id"
    if len(terms_of(words)) == 1 and narrowed[0] == "TRUE":
        cursor.execute(
            f"SELECT array_agg(facet_id), array_agg(number) FROM ({counted.replace('FROM r', f'FROM ({hits}) AS r')}) AS c",
            values,
        )
        return _counted(*cursor.fetchone()), None
    order, given = _order(words)
    cursor.execute(
        f"""WITH r AS MATERIALIZED ({hits}), c AS MATERIALIZED ({counted})
            SELECT array_agg(facet_id), array_agg(number),
                   CASE WHEN sum(number) <= {COMMON} THEN ARRAY({_PAGE.format(hits="r", order=order)}) END FROM c""",
        [*values, *given, size, offset],
    )
    numbers, sums, codes = cursor.fetchone()
    return _counted(numbers, sums), codes


_PAGE = """SELECT t.code FROM {hits} CROSS JOIN LATERAL (
                SELECT code, number, name_zh, name_en FROM catalogue_resource WHERE code = r.code OFFSET 0) AS t
          ORDER BY {order} LIMIT %s OFFSET %s"""


def _nearest(cursor: Any, hits: str, values: list[Any], words: str, size: int, offset: int) -> list[str]:
    order, given = _order(words)
    cursor.execute(_PAGE.format(hits=f"({hits}) AS r", order=order), [*values, *given, size, offset])
    return [row[0] for row in cursor.fetchall()]


def _in_turn(cursor: Any, words: str, groups: list[Branch], size: int, offset: int) -> list[str]:
    """Give a page of groups that follow each other, each the shortest names first; only a group that is passed is counted."""
    codes: list[str] = []
    if not _CODE.fullmatch(words):
        groups = groups[1:]
    for number, (hits, values) in enumerate(groups):
        cursor.execute(
            f"SELECT r.code FROM ({hits}) AS r ORDER BY r.name_length, r.code LIMIT %s OFFSET %s",
            [*values, size - len(codes), offset],
        )
        found = [row[0] for row in cursor.fetchall()]
        codes += found
        if len(codes) == size or number == len(groups) - 1:
            break
        if found or not offset:
            offset = 0
        else:
            cursor.execute(f"SELECT count(*) FROM ({hits}) AS r", values)
            offset -= min(offset, int(cursor.fetchone()[0]))
    return codes


def _rows(codes: list[str]) -> list[Any]:
    """Read the lines of a page in its order; what is long is read for them only."""
    if not codes:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT {_LINE} FROM catalogue_resource AS r WHERE r.code = ANY(%s)
                 ORDER BY array_position(%s::text[], r.code::text)""",
            [codes, codes],
        )
        return list(cursor.fetchall())


def _order(words: str) -> Branch:
    """Give the order (of ``t``) by how near names are to what was typed: the name or code itself, most pieces, the shortest."""
    pieces = words.split()[:4]
    in_name = " + ".join(
        f"(strpos({'lower(t.name_en)' if piece.isascii() else 't.name_zh'}, %s) > 0)::int" for piece in pieces
    )
    return (
        f"(t.name_zh = %s OR t.code = %s OR t.number = %s) DESC, {in_name} DESC, length(t.name_zh), t.code",
        [words, words, words, *(one.lower() for one in pieces)],
    )


def _by_codes(codes: Iterable[str], sight: Sight) -> tuple[ResourceLine, ...]:
    wanted = list(codes)
    if not wanted:
        return ()
    condition, params = visible(sight)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT {_LINE} FROM catalogue_resource AS r WHERE r.code = ANY(%s) AND {condition}
                 ORDER BY r.name_pinyin, r.code""",
            [wanted, *params],
        )
        rows = cursor.fetchall()
    combinations = facets.known(row[5] for row in rows)
    return tuple(_line(row, combinations, sight) for row in rows)


def _fold(counts: Mapping[int, int], combinations: Mapping[int, tuple[str, ...]]) -> dict[str, dict[str, int]]:
    every = [(combinations[number], count) for number, count in counts.items()]
    found: dict[str, dict[str, int]] = {}
    for place, name in enumerate(FACETS):
        values: dict[str, int] = defaultdict(int)
        for row, count in every:
            values[row[place]] += count
        found[name] = dict(sorted(values.items(), key=lambda one: (-one[1], one[0])))
    return found


def _line(row: Any, combinations: Mapping[int, tuple[str, ...]], sight: Sight) -> ResourceLine:
    """Make a line of a row. Others than its owners learn neither how many items are hidden nor that a change is under way."""
    facet = dict(zip(FACETS, combinations[row[5]], strict=True))
    owner = sight.owns(organization_id=row[14], division_code=row[15])
    seen = row[11] if owner else row[12] if sight.level is Audience.STAFF else row[13]
    return ResourceLine(
        code=row[0],
        number=row[1],
        name={"zh": row[2], "en": row[3]},
        summary=_json(row[4]),
        items=seen,
        published_on=row[6],
        publish_state=PublishState(row[7]) if owner else PublishState.PUBLISHED,
        online_state=OnlineState(row[8]) if owner else OnlineState.ONLINE,
        review_due_on=row[9] if owner else None,
        version=row[10],
        **facet,
    )


def _item(row: Any) -> ItemView:
    detail = _json(row[5])
    return ItemView(
        code=row[0],
        name={"zh": row[1], "en": row[2]},
        type=row[3],
        length=row[4],
        elements=tuple(detail["elements"]),
        source_of=tuple(detail["source_of"]),
        sensitivity=detail["sensitivity"],
        sharing=detail["sharing"],
        openness=detail["openness"],
        own_sharing=detail["own_sharing"],
        own_openness=detail["own_openness"],
        key=detail["key"],
        nullable=detail["nullable"],
        note=detail["note"],
    )


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str | bytes) else value
