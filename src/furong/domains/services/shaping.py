"""Items as they are in force: completed by their shapes, with the forms that are built from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from furong.domains.catalogue.queries import get_dictionary
from furong.domains.services.errors import ItemMissing
from furong.domains.services.values.forms import Form
from furong.domains.services.values.items import Item
from furong.domains.services.values.shapes import Shape, build_form, complete
from furong.foundation.packs import queries as packs
from furong.foundation.packs.values import Release


class Items(Mapping[str, Item]):
    """The basic items in force on a day by code, each read when it is first asked for."""

    def __init__(self, on: date) -> None:
        self._on = on
        self._releases: dict[str, Release] = {r.code: r for r in packs.list_current_releases(kind="item", on=on)}
        self._read: dict[str, Item] = {}

    def __getitem__(self, code: str) -> Item:
        found = self._read.get(code)
        if found is None:
            found = self._read[code] = completed(
                packs.get_value(kind="item", digest=self._releases[code].digest), self._on
            )
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._releases)

    def __len__(self) -> int:
        return len(self._releases)

    def __contains__(self, code: object) -> bool:
        return code in self._releases


def items_on(on: date) -> Items:
    """Give the basic items in force on the local day ``on``; kept until the next publication."""
    return packs.derive("services.items", on=on, make=lambda: Items(on))


def completed(item: Item, on: date) -> Item:
    """Give a basic item with what its shape, as in force on the local day ``on``, adds. Raises `ItemMissing` without it."""
    return item if item.shape is None else complete(item, shape_of(item, on))


def shape_of(item: Item, on: date) -> Shape:
    """Give the shape in force on the local day ``on`` that an item names. Raises `ItemMissing` when there is none."""
    release = packs.find_release(kind="shape", code=str(item.shape), on=on)
    if release is None:
        raise ItemMissing(item=item.code)
    shape: Shape = packs.get_value(kind="shape", digest=release.digest)
    return shape


def built_form(item: Item, on: date) -> Form:
    """Give the form that is built for a completed item with a shape; it costs about 0.1 ms."""
    return build_form(item, shape_of(item, on), get_dictionary(on=on))


def pinned_item(digest: str, shape_digest: str) -> Item:
    """Give a basic item by its digest, completed by the shape it was pinned with. Raises `DefinitionMissing`."""
    item: Item = packs.get_value(kind="item", digest=digest)
    return complete(item, packs.get_value(kind="shape", digest=shape_digest)) if shape_digest else item
