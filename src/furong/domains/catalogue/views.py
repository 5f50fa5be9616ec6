"""What queries of resources return. Frozen; texts as ``{zh, en}`` mappings for the page's ``text`` filter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from furong.domains.catalogue.states import Act, OnlineState, PublishState

FACETS = ("class_kind", "class_item", "department", "sharing", "openness", "cycle", "format_kind")
Words = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What a list is narrowed by; empty means not at all."""

    text: str = ""
    class_kind: str = ""
    class_item: str = ""  # with its class: theme.health
    department: str = ""
    sharing: str = ""
    openness: str = ""
    cycle: str = ""
    format_kind: str = ""
    state: str = ""  # "waiting": for the data authority's decision; "draft", "offline": not live

    def facets(self) -> dict[str, str]:
        """Give the facets that are chosen."""
        return {name: value for name in FACETS if (value := str(getattr(self, name)))}


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceLine:
    """A resource in a list."""

    code: str
    number: str
    name: Words
    summary: Words
    department: str
    class_kind: str
    class_item: str
    sharing: str
    openness: str
    cycle: str
    format_kind: str
    items: int
    published_on: date | None
    publish_state: PublishState
    online_state: OnlineState
    review_due_on: date | None
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A page of resources. ``facets`` counts what the filter leaves, by facet and value; ``total`` is their sum."""

    lines: tuple[ResourceLine, ...]
    total: int
    number: int
    size: int
    facets: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.total // self.size))


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemView:
    """An information item as a reader may see it."""

    code: str
    name: Words
    type: str
    length: int | None
    elements: tuple[str, ...]
    source_of: tuple[str, ...]
    sensitivity: str
    sharing: Mapping[str, Any]
    openness: Mapping[str, Any]
    own_sharing: bool
    own_openness: bool
    key: bool
    nullable: bool
    note: Words | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceView:
    """A resource's page. ``items`` are those the reader may see; ``may`` the acts that reader and states allow."""

    line: ResourceLine
    detail: Mapping[str, Any]
    items: tuple[ItemView, ...]
    related: tuple[ResourceLine, ...]
    organization_id: UUID | None
    division_code: str
    digest: str
    is_live: bool
    is_owner: bool
    pending_digest: str
    reason: str
    update_due_on: date | None
    is_update_extended: bool
    may: frozenset[Act]


@dataclass(frozen=True, slots=True, kw_only=True)
class Supplier:
    """A resource that carries an element, in which item, and whether it is the element's source."""

    resource: ResourceLine
    item_code: str
    element: str
    is_source: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewEntry:
    """One act in the life of a resource."""

    act: str
    publish_state: str
    online_state: str
    reason: str
    by: str
    at: datetime
