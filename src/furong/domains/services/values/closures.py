"""What a case is pinned to: the definitions of an item as they were on a day, under one digest."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from furong.foundation.packs.values import digest_of

PART_KINDS = ("item", "form", "process", "decision")
# What an item's closure may take from its shape.
SHAPE_KINDS = ("shape", "shape_process")
CLOSURE_MEDIA_TYPE = "application/vnd.furong.closure+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Closure:
    """An item's closure: the digests of its item, form, process and decision tables (empty when it has none).

    Of an item with a shape, ``shape`` is the shape's, ``form`` the one built from both, ``process`` the shape's process.
    """

    item_code: str
    item: str
    form: str = ""
    process: str = ""
    decision: str = ""
    shape: str = ""

    @property
    def content(self) -> bytes:
        """The closure's canonical bytes, which are kept as a definition."""
        kinds = (*PART_KINDS, "shape")
        parts = {"item_code": self.item_code, **{k: getattr(self, k) for k in kinds if getattr(self, k)}}
        return canonical({"closure": "item", **parts})

    @property
    def digest(self) -> str:
        return digest_of(self.content)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventClosure:
    """A life event's closure: its own digest and those of its items' closures, by item code."""

    event_code: str
    event: str
    items: tuple[tuple[str, str], ...]

    @property
    def content(self) -> bytes:
        return canonical(
            {
                "closure": "life_event",
                "event_code": self.event_code,
                "event": self.event,
                "items": dict(self.items),
            }
        )

    @property
    def digest(self) -> str:
        return digest_of(self.content)


def canonical(value: Mapping[str, Any]) -> bytes:
    """Write JSON in one way only (RFC 8785 for strings and objects): sorted keys, no spaces, UTF-8."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def read_closure(content: bytes) -> Closure | EventClosure:
    """Read a closure back from its bytes."""
    found = json.loads(content)
    kind = found.pop("closure")
    if kind == "item":
        return Closure(**found)
    return EventClosure(
        event_code=found["event_code"], event=found["event"], items=tuple(sorted(found["items"].items()))
    )
