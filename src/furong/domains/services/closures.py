"""Keeps the closures of items and life events as definitions, so that a case pinned to one can always be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from furong.domains.services import shaping
from furong.domains.services.values.closures import (
    CLOSURE_MEDIA_TYPE,
    PART_KINDS,
    SHAPE_KINDS,
    Closure,
    EventClosure,
)
from furong.domains.services.values.shapes import form_content
from furong.foundation.packs import queries as packs
from furong.foundation.packs.values import YAML, ImportContext, digest_of


class Closures(Mapping[str, Closure]):
    """The closures of the items in force on a day by code, each made when it is first asked for."""

    def __init__(self, on: date) -> None:
        self._on = on
        self._items = shaping.items_on(on)
        self._parts = {
            kind: {r.code: r.digest for r in packs.list_current_releases(kind=kind, on=on)}
            for kind in (*PART_KINDS, *SHAPE_KINDS)
        }
        self._made: dict[str, Closure] = {}

    def __getitem__(self, code: str) -> Closure:
        found = self._made.get(code)
        if found is None:
            found = self._made[code] = self._make(code)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, code: object) -> bool:
        return code in self._items

    def _make(self, code: str) -> Closure:
        own = {kind: self._parts[kind].get(code, "") for kind in PART_KINDS}
        shape = ""
        if not (own["form"] and own["process"]) and (named := self._items[code].shape) is not None:
            shape = self._parts["shape"].get(named, "")
            own["process"] = own["process"] or self._parts["shape_process"].get(named, "")
            own["form"] = own["form"] or digest_of(self.form_content(code))
        return Closure(item_code=code, shape=shape, **own)

    def form_content(self, code: str) -> bytes:
        """Give the bytes of the form that is built for an item with a shape."""
        return form_content(shaping.built_form(self._items[code], self._on))

    def is_built(self, code: str) -> bool:
        """Say whether an item's form is built by its shape."""
        return code not in self._parts["form"] and self._items[code].shape is not None


def closures_on(on: date) -> tuple[Closures, dict[str, EventClosure]]:
    """Give the closures of all items and life events in force on the local day ``on``, by code; made once a publication."""
    return packs.derive("services.closures", on=on, make=lambda: _closures_on(on))


def _closures_on(on: date) -> tuple[Closures, dict[str, EventClosure]]:
    items = Closures(on)
    events = {}
    for release in packs.list_current_releases(kind="life_event", on=on):
        event = packs.get_value(kind="life_event", digest=release.digest)
        used = ((c, items[c].digest) for c in event.item_codes() if c in items)
        events[release.code] = EventClosure(event_code=release.code, event=release.digest, items=tuple(sorted(used)))
    return items, events


def store_closures(context: ImportContext) -> None:
    """Keep every closure that is or will be in force on some day, and the forms that shapes build."""
    kept: list[tuple[bytes, str]] = []
    for day in packs.list_days_in_force(kinds=(*PART_KINDS, *SHAPE_KINDS, "data_element", "life_event")):
        items, events = closures_on(day)
        kept += [(items.form_content(code), YAML) for code in items if items.is_built(code)]
        pinned: list[Closure | EventClosure] = [*items.values(), *events.values()]
        kept += [(closure.content, CLOSURE_MEDIA_TYPE) for closure in pinned]
    context.store_all(kept)
