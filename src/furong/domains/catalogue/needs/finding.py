"""Finding for a need: resources that are live for the asking staff, with what they carry. Reads only what the reader may see."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection

from furong.domains.catalogue import lookup
from furong.domains.catalogue.needs import matching
from furong.domains.catalogue.needs.matching import Described, Match
from furong.domains.catalogue.needs.values import Hit
from furong.domains.catalogue.queries import get_dictionary
from furong.domains.catalogue.searching import tsquery
from furong.domains.catalogue.sight import sight_of
from furong.domains.catalogue.states import Audience
from furong.domains.catalogue.values import Dictionary
from furong.domains.catalogue.views import Words
from furong.foundation.access.values import Actor
from furong.foundation.packs import queries as packs

MOST_HITS = 12
_CANDIDATES = 60
# A word that more resources have than this tells them apart no longer.
_COMMON = 3000


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """A live resource whose item carries an element and is shared."""

    element: str
    code: str
    organization_id: UUID | None
    is_source: bool


def find_for(
    *, actor: Actor, words: str, chosen: Sequence[str], on: date, organization_id: UUID | None, limit: int = MOST_HITS
) -> tuple[Hit, ...]:
    """Give the live, shared resources that may carry a need, the best first, each with its reasons.

    ``organization_id``: who asks; what it provides itself is marked. Empty when nothing is near enough. Cost: five statements;
    candidates come from the index of words, one reading for each of at most 48 words.
    """
    dictionary = get_dictionary(on=on)
    meant = frozenset(meant_elements(words, on=on)) - frozenset(chosen)
    wanted = frozenset(code for code in chosen if code in dictionary)
    # What is not shared at all is never offered, whatever else the reader sees.
    level = min(sight_of(actor=actor).level, Audience.STAFF)
    counts, codes = _candidates(matching.pieces(words), level)
    codes |= {one.code for one in carriers(actor=actor, elements=wanted | meant)}
    if not codes:
        return ()
    weighed = matching.weights(counts)
    described = _described(codes, level)
    names = {code: _named(dictionary, code) for code in wanted | meant}
    found = [
        matching.match(one, text=words, weighed=weighed, chosen=wanted, meant=meant, names=names) for one in described
    ]
    return _hits(matching.ranked(found)[:limit], actor=actor, organization_id=organization_id)


def meant_elements(words: str, *, on: date) -> list[str]:
    """Give the elements of the dictionary whose name or synonym stands in a text."""

    def make() -> dict[str, tuple[str, ...]]:
        return {
            code: (*(text for _, text in one.name.values), *one.synonyms) for code, one in get_dictionary(on=on).items()
        }

    return matching.read_out(words, packs.derive("catalogue.needs.names", on=on, make=make))


def carriers(*, actor: Actor, elements: Iterable[str]) -> list[Carrier]:
    """List the live resources whose items carry one of the elements and are shared: sources first, then by code."""
    wanted = sorted(set(elements))
    if not wanted:
        return []
    level = min(sight_of(actor=actor).level, Audience.STAFF)
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT DISTINCT c.element, r.code, r.organization_id, bool_or(c.is_source)
                 FROM catalogue_carried AS c JOIN catalogue_resource AS r ON r.code = c.resource_id
                WHERE c.element = ANY(%s) AND c.audience <= %s AND r.live AND r.audience <= %s
                GROUP BY c.element, r.code, r.organization_id ORDER BY c.element, 4 DESC, r.code LIMIT 1000""",
            [wanted, int(level), int(level)],
        )
        return [
            Carrier(element=row[0], code=row[1], organization_id=row[2], is_source=row[3]) for row in cursor.fetchall()
        ]


def _named(dictionary: Dictionary, code: str) -> Words:
    return dictionary[code].name.as_dict()


def _candidates(words: Sequence[str], level: Audience) -> tuple[dict[str, int], set[str]]:
    """Count how many live resources have each word, and give the codes of those that have the weightiest."""
    queries = [(number, query) for number, word in enumerate(words) if (query := tsquery(word, level))]
    if not queries:
        return {}, set()
    each = " UNION ALL ".join(
        "(SELECT %s::int AS word, h.code FROM catalogue_hit AS h WHERE h.tokens @@ %s::tsquery"
        f" AND h.live AND h.audience <= %s LIMIT {_COMMON})"
        for _ in queries
    )
    values = [value for number, query in queries for value in (number, query, int(level))]
    with connection.cursor() as cursor:
        cursor.execute(
            f"""WITH hits AS MATERIALIZED ({each}),
                     counted AS MATERIALIZED (SELECT word, count(*)::int AS number FROM hits GROUP BY word),
                     best AS (SELECT h.code FROM hits AS h JOIN counted AS c USING (word) WHERE c.number < {_COMMON}
                               GROUP BY h.code ORDER BY sum(1 / ln(2 + c.number)) DESC, h.code LIMIT {_CANDIDATES})
                SELECT word, number, NULL FROM counted UNION ALL SELECT NULL, NULL, code FROM best""",
            values,
        )
        rows = cursor.fetchall()
    counts = dict.fromkeys(words, 0) | {words[row[0]]: row[1] for row in rows if row[2] is None}
    return (
        {word: count for word, count in counts.items() if count < _COMMON},
        {row[2] for row in rows if row[2] is not None},
    )


def _described(codes: Iterable[str], level: Audience) -> list[Described]:
    wanted = list(codes)
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT code, name_zh, name_en, detail -> 'summary', detail -> 'keywords' FROM catalogue_resource
                WHERE code = ANY(%s) AND live AND audience <= %s""",
            [wanted, int(level)],
        )
        rows = cursor.fetchall()
        cursor.execute(
            """SELECT resource_id, code, name_zh, name_en, detail -> 'elements', detail -> 'source_of'
                 FROM catalogue_item WHERE resource_id = ANY(%s) AND audience <= %s ORDER BY resource_id, position""",
            [wanted, int(level)],
        )
        items: dict[str, list[tuple[str, Words, tuple[str, ...]]]] = {}
        sources: dict[str, set[str]] = {}
        for resource, code, zh, en, elements, source_of in cursor.fetchall():
            items.setdefault(resource, []).append((code, {"zh": zh, "en": en}, tuple(_json(elements))))
            sources.setdefault(resource, set()).update(_json(source_of))
    return [
        Described(
            code=code,
            name={"zh": zh, "en": en},
            summary=_json(summary) or {},
            keywords=tuple(_json(keywords) or ()),
            items=tuple(items.get(code, ())),
            source_of=frozenset(sources.get(code, ())),
        )
        for code, zh, en, summary, keywords in rows
    ]


def _hits(found: Sequence[Match], *, actor: Actor, organization_id: UUID | None) -> tuple[Hit, ...]:
    codes = [one.code for one in found]
    lines = {line.code: line for line in lookup.list_lines(actor=actor, codes=codes)}
    owners, requests, grants = _going(codes, organization_id)
    return tuple(
        Hit(
            line=lines[one.code],
            score=one.score,
            reasons=one.reasons,
            elements=one.elements,
            is_own=organization_id is not None and owners.get(one.code) == organization_id,
            request_id=requests.get(one.code),
            grant_id=grants.get(one.code),
        )
        for one in found
        if one.code in lines
    )


def _going(
    codes: Sequence[str], organization_id: UUID | None
) -> tuple[Mapping[str, UUID | None], Mapping[str, UUID], Mapping[str, UUID]]:
    """Who provides the resources, and what the asking organisation has going for them: open requests, grants not over."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT code, organization_id FROM catalogue_resource WHERE code = ANY(%s)", [list(codes)])
        owners: dict[str, UUID | None] = dict(cursor.fetchall())
        if organization_id is None:
            return owners, {}, {}
        cursor.execute(
            """SELECT resource_code, id FROM catalogue_request WHERE organization_id = %s AND resource_code = ANY(%s)
                  AND state NOT IN ('supplied', 'refused', 'withdrawn') ORDER BY submitted_at""",
            [organization_id, list(codes)],
        )
        requests: dict[str, UUID] = dict(cursor.fetchall())
        cursor.execute(
            """SELECT resource_code, id FROM catalogue_grant WHERE organization_id = %s AND resource_code = ANY(%s)
                  AND state NOT IN ('revoked', 'expired') ORDER BY offered_at""",
            [organization_id, list(codes)],
        )
        return owners, requests, dict(cursor.fetchall())


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str | bytes) else value
