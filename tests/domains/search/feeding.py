"""A source of documents that a test holds in its hands."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from furong.domains.search.values import Document, Kind
from furong.foundation.access.values import Actor


@dataclass
class HeldSource:
    """Documents by key; ``refused`` are those that the database shows to nobody, whatever the index says."""

    prefix: str = "held"
    held: dict[str, Document] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)

    def put(self, name: str, title: str, text: str = "", **more: object) -> str:
        """Hold a page and give its key."""
        key = f"{self.prefix}:{name}"
        facts = {"key": key, "kind": Kind.PAGE, "title": title, "text": text, "address": f"/{name}", **more}
        self.held[key] = Document(**facts)  # type: ignore[arg-type]
        return key

    def documents(self, keys: Sequence[str]) -> Mapping[str, Document]:
        return {key: self.held[key] for key in keys if key in self.held}

    def keys(self) -> Iterator[str]:
        yield from list(self.held)

    def visible(self, keys: Collection[str], *, actor: Actor) -> Collection[str]:
        return {key for key in keys if key in self.held and key not in self.refused}
