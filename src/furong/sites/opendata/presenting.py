"""What the pages show, made of what the catalogue gives. Holds no rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from furong.domains.catalogue.data import Column, Table
from furong.domains.catalogue.published import Published, PublishedFound
from furong.foundation.web import texts
from furong.sites.opendata import words
from furong.sites.opendata.asking import FACETS, PAGE_SIZE, Asked

PREVIEW_ROWS = 10
_MOST_VALUES = 12
Names = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A value of a facet as a link: adding it, or taking it away when it is chosen."""

    label: str
    count: int
    href: str
    is_chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FacetView:
    name: str
    label: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LineView:
    """A dataset in the list of what was found."""

    name: str
    title: Mapping[str, str]
    summary: Mapping[str, str]
    provider: str
    openness: str
    cycle: str
    formats: tuple[str, ...]
    items: int
    is_harvested: bool
    line: Published


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewView:
    """The first rows as text, with each column's share of filled cells."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    filled: tuple[float, ...]
    total: int


def facet_views(
    found: PublishedFound, asked: Asked, departments: Names, sources: Mapping[str, object]
) -> list[FacetView]:
    """Give the facets that divide what was found, and those that are chosen."""
    views = []
    for name, facet in FACETS.items():
        counts = dict(found.facets.get(facet, {}))
        chosen = asked.chosen.get(name, "")
        if len(counts) < 2 and not chosen:
            continue
        if chosen:
            counts.setdefault(chosen, 0)
        values = sorted(counts.items(), key=lambda one: (one[0] != chosen, -one[1], one[0]))[:_MOST_VALUES]
        choices = tuple(
            Choice(
                label=words.value_words(facet, value, departments, sources),
                count=count,
                href=asked.link(**{name: "" if value == chosen else value}),
                is_chosen=value == chosen,
            )
            for value, count in values
        )
        views.append(FacetView(name=name, label=str(words.FACETS[facet]), choices=choices))
    return views


def line_view(line: Published, departments: Names, sources: Mapping[str, object]) -> LineView:
    """Give a dataset as the list shows it."""
    return LineView(
        name=line.name,
        title=line.title,
        summary=line.summary,
        provider=words.value_words("department", line.department, departments, sources),
        openness=line.openness,
        cycle=line.cycle,
        formats=line.formats,
        items=line.items,
        is_harvested=bool(line.origin),
        line=line,
    )


def pages_of(found: PublishedFound, asked: Asked) -> dict[str, Any]:
    """Give what the parts' pagination takes."""
    last = max(1, -(-found.total // PAGE_SIZE))
    return {
        "previous": asked.link(page=asked.page - 1) if asked.page > 1 else None,
        "next": asked.link(page=asked.page + 1) if asked.page < last else None,
        "now": asked.page,
        "total": last,
    }


def preview_of(table: Table) -> PreviewView:
    """Give the first rows of a table as people read them."""
    return PreviewView(
        columns=table.columns,
        rows=tuple(tuple(shown(value) for value in row) for row in table.rows[:PREVIEW_ROWS]),
        filled=tuple(table.filled(place) for place in range(len(table.columns))),
        total=len(table.rows),
    )


def shown(value: Any) -> str:
    """Write a value of a row for people; a dash for nothing."""
    if value in (None, ""):
        return "—"
    if isinstance(value, float):
        return f"{value:g}"
    return texts.fact(value)


__all__ = [
    "Choice",
    "FacetView",
    "LineView",
    "PreviewView",
    "facet_views",
    "line_view",
    "pages_of",
    "preview_of",
    "shown",
]
