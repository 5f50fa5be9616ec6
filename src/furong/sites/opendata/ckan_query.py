"""What ``q``, ``fq`` and ``sort`` of CKAN's ``package_search`` ask for, as a search of the catalogue. Pure.

CKAN hands these to Solr; of Solr's language that is understood what catalogues' clients send: words, phrases, ``field:value``,
``field:"value"``, ``field:(a OR b)``, ``field:[from TO until]`` for days, signs, NOT, AND, and OR between clauses of one field.
What is not understood is refused as CKAN refuses it, never left out in silence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from furong.domains.catalogue.published import OWN_FORMATS

# CKAN's fields and what they are here.
FIELDS = {
    "organization": "department",
    "owner_org": "department",
    "groups": "class_item",
    "tags": "tag",
    "res_format": "format",
    "name": "name",
    "id": "name",
    "update_cycle": "cycle",
    "openness": "openness",
    "harvest_source_id": "origin",
}
# Fields whose only value everything here has; another value finds nothing.
CONSTANT = {
    "state": "active",
    "capacity": "public",
    "private": "false",
    "type": "dataset",
    "dataset_type": "dataset",
    "entity_type": "package",
}
_DAYS = {"metadata_modified", "metadata_created"}
_TEXTS = {"title", "notes", "text"}
_SORTS = {
    "score desc": "relevance",
    "relevance asc": "relevance",
    "name asc": "slug",
    "name desc": "slug desc",
    "id asc": "slug",
    "title asc": "name",
    "title desc": "name desc",
    "title_string asc": "name",
    "title_string desc": "name desc",
    "metadata_modified desc": "changed",
    "metadata_modified asc": "changed asc",
    "metadata_created desc": "changed",
    "metadata_created asc": "changed asc",
    "views_recent desc": "relevance",
}
MAX_LENGTH = 2000
_PIECE = re.compile(
    r"""\s*(?:
        (?P<word_op>AND|OR|NOT)(?=\s|$)
      | (?P<sign>[+-])?(?P<field>[A-Za-z_]+):(?P<value>"(?:[^"\\]|\\.)*"|\([^()]*\)|[\[{][^\]}]*[\]}]|(?:[^\s"()\\]|\\.)+)
      | (?P<not>[+-])?(?P<phrase>"(?:[^"\\]|\\.)*")
      | (?P<word>[^\s"()]+)
    )""",
    re.VERBOSE,
)


class QueryRefusedError(Exception):
    """The query is not understood."""


@dataclass(slots=True)
class Query:
    """What was asked for, gathered."""

    words: list[str] = field(default_factory=list)
    only: list[tuple[str, frozenset[str]]] = field(default_factory=list)
    without: list[tuple[str, frozenset[str]]] = field(default_factory=list)
    changed_from: datetime | None = None
    changed_until: datetime | None = None
    finds_nothing: bool = False
    licences: list[tuple[frozenset[str], bool]] = field(default_factory=list)  # codes, and whether they are excluded

    def narrow_to_licences(self, own: str, others: str) -> None:
        """Turn what was asked of licences into where datasets come from: ours all carry ``own``, harvested ones ``others``."""
        for values, no in self.licences:
            ours, theirs = ((code.lower() in values) != no for code in (own, others))
            if not ours and not theirs:
                self.finds_nothing = True
            elif not theirs:
                self.only.append(("origin", frozenset({""})))
            elif not ours:
                self.without.append(("origin", frozenset({""})))


def group_name(class_item: str) -> str:
    """Give the name of a subject as CKAN allows names: ``theme.health`` becomes ``theme-health``."""
    return class_item.replace(".", "-", 1)


def class_item_of(name: str) -> str:
    """Give the subject of a group's name."""
    return name.replace("-", ".", 1)


def sort_of(given: str) -> str:
    """Give the order of the catalogue's search for CKAN's ``sort``; its first part counts, the others only break ties."""
    first = given.split(",")[0].strip()
    if not first:
        return "relevance"
    name, _space, way = first.partition(" ")
    found = _SORTS.get(f"{name} {(way.strip() or 'asc').lower()}")
    if found is None:
        raise QueryRefusedError(f"cannot sort by {first[:60]!r}")
    return found


def parse(texts: Iterable[str]) -> Query:
    """Read ``q`` and every ``fq``, which all hold together. Raises `QueryRefusedError`."""
    query = Query()
    for text in texts:
        _read(query, text)
    return query


def _read(query: Query, text: str) -> None:
    if len(text) > MAX_LENGTH:
        raise QueryRefusedError(f"longer than {MAX_LENGTH} characters")
    place, negated, either, last = 0, False, False, ""
    text = text.strip()
    while place < len(text):
        found = _PIECE.match(text, place)
        if found is None:
            raise QueryRefusedError(f"cannot read {text[place : place + 40]!r}")
        place = found.end()
        if found["word_op"]:
            negated = negated or found["word_op"] == "NOT"
            either = found["word_op"] == "OR"
            continue
        no = negated or found["sign"] == "-" or found["not"] == "-"
        if found["field"]:
            name = found["field"]
            if either and (no or name != last):
                raise QueryRefusedError("OR stands only between clauses of one field")
            _clause(query, name, found["value"], no, either)
            last = name
        else:
            if either or no:
                raise QueryRefusedError("OR and NOT stand only before field:value")
            word = _plain(found["phrase"] or found["word"])
            if word not in {"*:*", "*", ""}:
                query.words.append(word)
            last = ""
        negated = either = False
    if negated or either:
        raise QueryRefusedError("the query ends too early")


def _clause(query: Query, name: str, given: str, no: bool, either: bool) -> None:
    if given[0] in "[{":
        if name not in _DAYS or no or either:
            raise QueryRefusedError(f"{name} takes no range")
        _range(query, given)
        return
    if given[0] == "(":
        if re.search(r"\bAND\b|\bNOT\b|[+-]", re.sub(r'"[^"]*"', "", given)) and name not in {*FIELDS, "license_id"}:
            raise QueryRefusedError(f"cannot read {given[:40]!r}")
        joined = " AND " in given
        values = [_plain(one) for one in re.findall(r'"(?:[^"\\]|\\.)*"|[^\s()]+', given) if one not in {"OR", "AND"}]
        if joined and not no:
            for value in values:
                _take(query, name, frozenset({value}), no, False)
            return
    else:
        values = [_plain(given)]
    _take(query, name, frozenset(values), no, either)


def _take(query: Query, name: str, values: frozenset[str], no: bool, either: bool) -> None:
    if name in CONSTANT:
        if (CONSTANT[name] in {value.lower() for value in values}) == no:
            query.finds_nothing = True
        return
    if name == "license_id":
        codes = frozenset(value.lower() for value in values)
        if values == {"*"}:
            query.finds_nothing = query.finds_nothing or no
        elif either and query.licences:
            query.licences[-1] = (query.licences[-1][0] | codes, no)
        else:
            query.licences.append((codes, no))
        return
    if name in _TEXTS:
        if no:
            raise QueryRefusedError(f"NOT {name} is not supported")
        query.words += [value for value in values if value != "*"]
        return
    facet = FIELDS.get(name)
    if facet is None:
        raise QueryRefusedError(f"undefined field {name[:40]}")
    if values == {"*"}:
        if facet == "format":
            facet, values = "has_data", frozenset({"true"})
        elif facet in {"tag", "origin"}:
            raise QueryRefusedError(f"{name}:* is not supported")
        else:
            query.finds_nothing = query.finds_nothing or no
            return
    if any("*" in value or "?" in value for value in values):
        raise QueryRefusedError("wildcards inside values are not supported")
    if facet == "class_item":
        values = frozenset(map(class_item_of, values))
    elif facet == "format":
        values = values | {one for value in values for one in OWN_FORMATS if one.lower() == value.lower()}
    chosen = query.without if no else query.only
    if either and chosen and chosen[-1][0] == facet:
        chosen[-1] = (facet, chosen[-1][1] | values)
    else:
        chosen.append((facet, values))


def _range(query: Query, given: str) -> None:
    start, _to, end = given[1:-1].partition(" TO ")
    query.changed_from = _moment(start.strip())
    until = _moment(end.strip())
    if until is not None and given[-1] == "]":
        until += timedelta(microseconds=1)
    query.changed_until = until


def _moment(text: str) -> datetime | None:
    if text in {"*", ""}:
        return None
    if text == "NOW":
        return None
    try:
        found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError as error:
        raise QueryRefusedError(f"{text[:40]!r} is no day") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _plain(value: str) -> str:
    if value.startswith('"') and value.endswith('"') and len(value) > 1:
        value = value[1:-1]
    return re.sub(r"\\(.)", r"\1", value)
