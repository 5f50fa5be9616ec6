"""Where documents come from. Each source knows one prefix of keys, asks its own room, and says what an actor may see."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from furong.domains.search.values import PUBLIC, STAFF, Document
from furong.foundation.access.values import Actor


class Source(Protocol):
    """A source of documents. Its keys are ``prefix:rest``."""

    prefix: str

    def documents(self, keys: Sequence[str]) -> Mapping[str, Document]:
        """Return the documents of these keys as the database has them now; what is gone is left out."""
        ...

    def keys(self) -> Iterator[str]:
        """Give the keys of everything that can be found."""
        ...

    def visible(self, keys: Collection[str], *, actor: Actor) -> Collection[str]:
        """Say which of these the actor may read now."""
        ...


class LabellingSource(Source, Protocol):
    """A source whose documents carry labels of their own (`labels`), and that knows which of them an actor brings."""

    def labels(self, *, actor: Actor) -> frozenset[str]:
        """Give the labels that a member of staff brings; it is asked of nobody else."""
        ...


class StampedSource(Source, Protocol):
    """A source that sends no events for all of its changes, and says instead how its documents look."""

    every_seconds: float

    def looks_unchanged(self) -> bool:
        """Say, cheaply, that nothing changed since `stamps` was asked last."""
        ...

    def stamps(self) -> Mapping[str, str]:
        """Return, by key, a short text that differs when the document does."""
        ...


_SOURCES: dict[str, Source] = {}


def register_source(source: Source) -> None:
    """Make a source known; a second of the same prefix takes the first one's place."""
    _SOURCES[source.prefix] = source


def sources() -> tuple[Source, ...]:
    """List the sources."""
    return tuple(_SOURCES.values())


def source_of(key: str) -> Source | None:
    """Find the source of a key, None for a stranger."""
    return _SOURCES.get(key.partition(":")[0])


def documents_of(keys: Iterable[str]) -> dict[str, Document]:
    """Return the documents of these keys, one question to each source."""
    found: dict[str, Document] = {}
    for source, own in _by_source(keys):
        found.update(source.documents(own))
    return found


def visible(keys: Iterable[str], *, actor: Actor) -> set[str]:
    """Say which of these the actor may read now: one question to each source that is concerned."""
    found: set[str] = set()
    for source, own in _by_source(keys):
        found.update(source.visible(own, actor=actor))
    return found


def _by_source(keys: Iterable[str]) -> list[tuple[Source, list[str]]]:
    grouped: dict[str, list[str]] = {}
    for key in keys:
        grouped.setdefault(key.partition(":")[0], []).append(key)
    return [(_SOURCES[prefix], own) for prefix, own in grouped.items() if prefix in _SOURCES]


def rights_of(actor: Actor) -> frozenset[str]:
    """Give the labels that an actor may read: the public one, and for staff their own."""
    rights = {PUBLIC}
    if actor.is_staff:
        rights.add(STAFF)
        if actor.organization_id is not None:
            rights.add(f"organization:{actor.organization_id}")
        for source in _SOURCES.values():
            if hasattr(source, "labels"):
                labelling: LabellingSource = source  # type: ignore[assignment]
                rights |= labelling.labels(actor=actor)
    return frozenset(rights)
