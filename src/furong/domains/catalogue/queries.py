"""Reads of the catalogue: the dictionary in force on a day, and information resources as far as the actor may see them."""

from __future__ import annotations

from datetime import date

from furong.domains.catalogue.collecting import burdens, list_duties, months_of, occasions
from furong.domains.catalogue.errors import ElementMissing
from furong.domains.catalogue.kinds import dictionary_of
from furong.domains.catalogue.lookup import (
    count_waiting,
    get_resource,
    list_history,
    list_lines,
    list_resources,
    list_suppliers,
    sources_of,
)
from furong.domains.catalogue.values import DataElement, Dictionary
from furong.foundation.packs import queries as packs

__all__ = [
    "burdens",
    "count_waiting",
    "dictionary_of",
    "get_dictionary",
    "get_element",
    "get_resource",
    "list_duties",
    "list_elements",
    "list_history",
    "list_lines",
    "list_resources",
    "list_suppliers",
    "months_of",
    "occasions",
    "sources_of",
]


def get_dictionary(*, on: date) -> Dictionary:
    """Give the data elements in force on the local day ``on``; kept in memory while the releases stay the same."""

    def make() -> Dictionary:
        releases = packs.list_current_releases(kind="data_element", on=on)
        groups = [packs.get_value(kind="data_element", digest=release.digest) for release in releases]
        return Dictionary(element for group in groups for element in group.elements)

    return packs.derive("catalogue.dictionary", on=on, make=make)


def get_element(*, code: str, on: date) -> DataElement:
    """Give a data element. Raises `ElementMissing`."""
    found = get_dictionary(on=on).get(code)
    if found is None:
        raise ElementMissing(element=code)
    return found


def list_elements(*, on: date, owner: str | None = None) -> list[DataElement]:
    """List the data elements, of one owner's role when given, sorted by code."""
    elements = get_dictionary(on=on).values()
    return sorted((e for e in elements if owner is None or e.owner == owner), key=lambda e: e.code)
