"""Keeps the closures of items and life events as definitions, so that a case pinned to one can always be read."""

from __future__ import annotations

from datetime import date

from furong.domains.services.values.closures import CLOSURE_MEDIA_TYPE, PART_KINDS, Closure, EventClosure
from furong.foundation.packs import queries as packs
from furong.foundation.packs.values import ImportContext


def closures_on(on: date) -> tuple[dict[str, Closure], dict[str, EventClosure]]:
    """Give the closures of all items and life events in force on the local day ``on``, by code; made once a publication."""
    return packs.derive("services.closures", on=on, make=lambda: _closures_on(on))


def _closures_on(on: date) -> tuple[dict[str, Closure], dict[str, EventClosure]]:
    parts = {kind: {r.code: r.digest for r in packs.list_current_releases(kind=kind, on=on)} for kind in PART_KINDS}
    items = {
        code: Closure(
            item_code=code,
            item=digest,
            form=parts["form"].get(code, ""),
            process=parts["process"].get(code, ""),
            decision=parts["decision"].get(code, ""),
        )
        for code, digest in parts["item"].items()
    }
    events = {}
    for release in packs.list_current_releases(kind="life_event", on=on):
        event = packs.get_value(kind="life_event", digest=release.digest)
        used = ((c, items[c].digest) for c in event.item_codes() if c in items)
        events[release.code] = EventClosure(event_code=release.code, event=release.digest, items=tuple(sorted(used)))
    return items, events


def store_closures(context: ImportContext) -> None:
    """Keep every closure that is or will be in force on some day."""
    for day in packs.list_days_in_force(kinds=(*PART_KINDS, "life_event")):
        items, events = closures_on(day)
        pinned: list[Closure | EventClosure] = [*items.values(), *events.values()]
        for closure in pinned:
            context.store(closure.content, CLOSURE_MEDIA_TYPE)
