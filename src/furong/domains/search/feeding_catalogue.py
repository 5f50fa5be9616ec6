"""The catalogue's sources: resources, those of the public face and those that staff share, and demands with their two sides."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from urllib.parse import quote
from uuid import UUID

from django.utils import timezone

from furong.domains.catalogue import following, published
from furong.domains.catalogue.events import ResourceOffline, ResourceOnline, ResourcePublished
from furong.domains.catalogue.needs import following as demands
from furong.domains.catalogue.needs.events import DemandAnswered, DemandFiled
from furong.domains.catalogue.sight import EDIT, REVIEW
from furong.domains.catalogue.views import Words
from furong.domains.search.commands import touch
from furong.domains.search.labels import labels_of_row, labels_of_scope
from furong.domains.search.sources import register_source
from furong.domains.search.values import STAFF, Document, Kind
from furong.foundation.access import queries as access
from furong.foundation.access.values import Actor
from furong.foundation.events.commands import subscribe
from furong.foundation.events.values import Delivery
from furong.foundation.organizations import queries as places

_AT_ONCE = 1_000  # resources read
_ANYWAY_SECONDS = 300.0  # what no event and no release tells of


class Resources:
    """Live resources: followed by events and by releases, and compared every few minutes besides.

    Those that everybody may know of are public and lead to the open data; those that staff share lead to the workbench. What
    only provider and data authority know is not indexed: the workbench's own list finds it.
    """

    prefix = "resource"
    every_seconds = 2.0

    def __init__(self) -> None:
        self._seen: object = None
        self._looked_at = 0.0

    def looks_unchanged(self) -> bool:
        """Compare releases and harvests; after some minutes it does not know, for the day counts too."""
        return self._seen == _state() and time.monotonic() - self._looked_at < _ANYWAY_SECONDS

    def stamps(self) -> Mapping[str, str]:
        """Return the versions of everything that a stranger or all staff may know of."""
        self._seen, self._looked_at = _state(), time.monotonic()
        stamps = {f"resource:{code}": f"staff {stamp}" for code, stamp in following.list_shared_stamps().items()}
        start = 0
        while True:
            wanted = published.Wanted(sort="name asc", start=start, rows=_AT_ONCE)
            page = published.search_published(wanted=wanted)
            for line in page.lines:
                changed = line.changed_at.isoformat(timespec="seconds") if line.changed_at else ""
                stamps[f"resource:{line.name}"] = f"{line.version}/{changed}/{line.openness}/{int(line.has_data)}"
            start += _AT_ONCE
            if start >= page.total or not page.lines:
                return stamps

    def keys(self) -> Iterator[str]:
        """Give the keys of all of them."""
        yield from self.stamps()

    def documents(self, keys: Sequence[str]) -> Mapping[str, Document]:
        """Return the documents of these keys."""
        departments = _departments()
        names = _names(keys)
        found = {f"resource:{one.name}": _public(one, departments) for one in published.list_published(names=names)}
        left = [name for name in names if f"resource:{name}" not in found]
        if left:
            found |= {f"resource:{one.code}": _shared(one, departments) for one in following.list_shared(codes=left)}
        return found

    def visible(self, keys: Collection[str], *, actor: Actor) -> Collection[str]:
        """Say which of these the actor may know of now."""
        names = _names(keys)
        found = {f"resource:{one.name}" for one in published.list_published(names=names)}
        left = [name for name in names if f"resource:{name}" not in found]
        if left and actor.is_staff:
            found |= {f"resource:{one.code}" for one in following.list_shared(codes=left)}
        return found


def _state() -> object:
    return following.latest_release(), following.latest_harvest()


def _names(keys: Iterable[str]) -> list[str]:
    return [key.partition(":")[2] for key in keys]


def _departments() -> dict[str, str]:
    return {one.code: one.name.zh for one in places.list_departments()}


def _titled(words: Words, otherwise: str) -> str:
    return words.get("zh") or next(iter(words.values()), otherwise)


def _public(line: published.Published, departments: Mapping[str, str]) -> Document:
    return Document(
        key=f"resource:{line.name}",
        kind=Kind.RESOURCE,
        title=_titled(line.title, line.name),
        title_en=line.title.get("en", ""),
        address=f"/opendata/datasets/{quote(line.name)}",
        text=_titled(line.summary, ""),
        text_en=line.summary.get("en", ""),
        department=departments.get(line.department, ""),
        keywords=line.tags,
        numbers=(line.name,),
        published_on=line.changed_at.date() if line.changed_at else line.issued_on,
        boost=1.0 if line.has_data else 0.9,
    )


def _shared(one: following.Shared, departments: Mapping[str, str]) -> Document:
    return Document(
        key=f"resource:{one.code}",
        kind=Kind.RESOURCE,
        title=_titled(one.name, one.code),
        title_en=one.name.get("en", ""),
        address=f"/work/resources/{quote(one.code)}",
        text="\n".join(part for part in (_titled(one.summary, ""), "、".join(one.items)) if part),
        text_en=one.summary.get("en", ""),
        department=departments.get(one.department, ""),
        keywords=one.keywords,
        numbers=(one.code,),
        published_on=one.published_on,
        rights=(STAFF,),
        boost=0.9,
    )


class Demands:
    """What departments need and nobody supplies: found by both sides and by the data authority over the one that answers."""

    prefix = "demand"
    every_seconds = 2.0

    def __init__(self) -> None:
        self._seen: object = None

    def looks_unchanged(self) -> bool:
        """Compare how many there are, and how often they changed."""
        return self._seen == demands.last_change()

    def stamps(self) -> Mapping[str, str]:
        """Return the version of each."""
        self._seen = demands.last_change()
        return {f"demand:{one}": stamp for one, stamp in demands.list_stamps().items()}

    def keys(self) -> Iterator[str]:
        """Give the key of each."""
        yield from self.stamps()

    def documents(self, keys: Sequence[str]) -> Mapping[str, Document]:
        """Return the documents of these keys."""
        found = demands.list_demands(demand_ids=_ids(keys), now=timezone.now())
        names = places.labels_of_organizations(organization_ids={one.provider_organization_id for one in found})
        return {
            f"demand:{one.id}": _demand(one, name.zh if (name := names.get(one.provider_organization_id)) else "")
            for one in found
        }

    def visible(self, keys: Collection[str], *, actor: Actor) -> Collection[str]:
        """Say which of these the actor may read."""
        return {f"demand:{one}" for one in demands.list_visible(demand_ids=_ids(keys), actor=actor)}

    def labels(self, *, actor: Actor) -> frozenset[str]:
        """Give the labels that the actor's rights in the catalogue bring."""
        edits, reviews = access.scope(actor=actor, right=EDIT), access.scope(actor=actor, right=REVIEW)
        return labels_of_scope(right=EDIT, scope=edits) | labels_of_scope(right=REVIEW, scope=reviews)


def _demand(one: demands.DemandFacts, provider: str) -> Document:
    own = labels_of_row(right=EDIT, organization_id=one.organization_id, division_code=one.division_code)
    theirs = [
        label
        for right in (EDIT, REVIEW)
        for label in labels_of_row(
            right=right, organization_id=one.provider_organization_id, division_code=one.provider_division_code
        )
    ]
    return Document(
        key=f"demand:{one.id}",
        kind=Kind.DEMAND,
        title=_titled(one.title, one.number),
        title_en=one.title.get("en", ""),
        address=f"/work/demands/{one.id}",
        text="\n".join(part for part in (one.words, one.purpose, provider) if part),
        numbers=(one.number,),
        published_on=timezone.localdate(one.filed_at),
        rights=tuple(dict.fromkeys((*own, *theirs))),
    )


def _ids(keys: Iterable[str]) -> list[UUID]:
    found = []
    for key in keys:
        try:
            found.append(UUID(key.partition(":")[2]))
        except ValueError:
            continue
    return found


def _resource_changed(event: ResourcePublished | ResourceOnline | ResourceOffline, delivery: Delivery) -> None:
    touch(keys=[f"resource:{event.code}"], now=delivery.now)


def _demand_changed(event: DemandFiled | DemandAnswered, delivery: Delivery) -> None:
    touch(keys=[f"demand:{event.demand_id}"], now=delivery.now)


def bind() -> None:
    """Register the sources and follow what they announce. Calling it again changes nothing."""
    register_source(Resources())
    register_source(Demands())
    for event, name in (
        (ResourcePublished, "search.resource_published"),
        (ResourceOnline, "search.resource_online"),
        (ResourceOffline, "search.resource_offline"),
    ):
        subscribe(event, _resource_changed, name=name)
    for told, name in ((DemandFiled, "search.demand_filed"), (DemandAnswered, "search.demand_answered")):
        subscribe(told, _demand_changed, name=name)
