"""The platform's own sources: services and life events with their questions, resources of the public catalogue, offices."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from urllib.parse import quote
from uuid import UUID

from django.utils import timezone

from furong.domains.catalogue import published
from furong.domains.catalogue.events import ResourceOffline, ResourceOnline, ResourcePublished
from furong.domains.search.commands import touch
from furong.domains.search.sources import register_source
from furong.domains.search.values import Document, Kind
from furong.domains.services import queries as services
from furong.domains.services.values.items import Item
from furong.domains.services.values.life_events import LifeEvent
from furong.foundation.access.values import Actor
from furong.foundation.events.commands import subscribe
from furong.foundation.events.values import Delivery
from furong.foundation.organizations import following as organizations
from furong.foundation.organizations import queries as places
from furong.foundation.organizations.values import Level, Organization
from furong.foundation.packs import queries as packs
from furong.foundation.packs.values import Text

_RESOURCES = 1_000  # read at once
_MANY = 20  # places: from here on all names are read together


class Services:
    """Life events, items, and the questions that an item answers. Definitions are content: a publication shows at once."""

    prefix = "service"
    every_seconds = 1.0

    def __init__(self) -> None:
        self._seen: object = None

    def looks_unchanged(self) -> bool:
        """This function will say that nothing was published since, and that it is the same day."""
        on = timezone.localdate()
        state = packs.derive("search.services", on=on, make=lambda: _state(on))
        unchanged = state == self._seen
        self._seen = state
        return unchanged

    def stamps(self) -> Mapping[str, str]:
        """This function will return the digests of what is in force."""
        on = timezone.localdate()
        self._seen = _state(on)
        stamps: dict[str, str] = {}
        digests = {one.code: one.digest[:24] for one in packs.list_current_releases(kind="item", on=on)}
        for item in services.list_items(on=on):
            stamps[f"service:item.{item.code}"] = digests.get(item.code, "")
            for place in range(len(item.questions)):
                stamps[f"service:question.{item.code}.{place}"] = digests.get(item.code, "")
        events = {one.code: one.digest[:24] for one in packs.list_current_releases(kind="life_event", on=on)}
        for event in services.list_life_events(on=on):
            own = "".join(digests.get(code, "")[:6] for code in event.item_codes())
            stamps[f"service:event.{event.code}"] = f"{events.get(event.code, '')}{own}"[:100]
        return stamps

    def keys(self) -> Iterator[str]:
        """This function will give the keys of everything in force today."""
        yield from self.stamps()

    def documents(self, keys: Sequence[str]) -> Mapping[str, Document]:
        """This function will return the documents of these keys as they are in force today."""
        on = timezone.localdate()
        items = {item.code: item for item in services.list_items(on=on)}
        events = {event.code: event for event in services.list_life_events(on=on)}
        departments = {one.code: one.name.zh for one in places.list_departments()}
        found: dict[str, Document] = {}
        for key in keys:
            what, _, rest = key.partition(":")[2].partition(".")
            if what == "event" and rest in events:
                found[key] = _event(key, events[rest], items, departments)
            elif what == "item" and rest in items:
                found[key] = _item(key, items[rest], departments)
            elif what == "question":
                code, _, place = rest.rpartition(".")
                if code in items and place.isdecimal() and int(place) < len(items[code].questions):
                    found[key] = _question(key, items[code], int(place), departments)
        return found

    def visible(self, keys: Collection[str], *, actor: Actor) -> Collection[str]:
        """This function will say which of these are in force: everybody may read them."""
        return set(self.stamps()) & set(keys)


def _state(on: date) -> tuple[object, ...]:
    kinds = ("item", "life_event", "implementation")
    return tuple((one.code, one.digest) for kind in kinds for one in packs.list_current_releases(kind=kind, on=on))


def _both(text: Text | None) -> str:
    return "" if text is None else "\n".join(text.as_dict().values())


def _event(key: str, event: LifeEvent, items: Mapping[str, Item], departments: Mapping[str, str]) -> Document:
    own = [items[code] for code in event.item_codes() if code in items]
    text = "\n".join(
        [
            event.summary.primary,
            "包括：" + "、".join(item.name.primary for item in own) + "。",
            *(_both(item.summary) for item in own),
            *(value for language, value in event.summary.as_dict().items() if language != "zh"),
        ]
    )
    return Document(
        key=key,
        kind=Kind.SERVICE,
        title=event.name.primary,
        address=f"/life/{event.code}",
        text=text,
        department=departments.get(event.lead, ""),
        audience=(event.audience,),
        keywords=(*(v for k, v in event.name.as_dict().items() if k != "zh"), *(_both(item.name) for item in own)),
        boost=2.0,
    )


def _item(key: str, item: Item, departments: Mapping[str, str]) -> Document:
    parts = [
        _both(item.summary),
        *(_both(one) for one in item.acceptance_conditions),
        "需要的材料：" + "、".join(one.name.primary for one in item.materials) if item.materials else "",
        "办理结果：" + _both(item.result.name),
        *(f"{one.law.primary}{one.clause.primary if one.clause is not None else ''}" for one in item.legal_basis),
        *(_both(one.name) + " " + _both(one.address) for one in item.places),
    ]
    return Document(
        key=key,
        kind=Kind.SERVICE,
        title=item.name.primary,
        address=f"/guide/{item.code}",
        text="\n".join(one for one in parts if one),
        department=departments.get(item.department, ""),
        audience=tuple(str(one) for one in item.service_objects),
        keywords=(*(v for k, v in item.name.as_dict().items() if k != "zh"), *item.result.name.as_dict().values()),
        numbers=(item.basic_code,),
        boost=1.7,
    )


def _question(key: str, item: Item, place: int, departments: Mapping[str, str]) -> Document:
    asked = item.questions[place]
    return Document(
        key=key,
        kind=Kind.QUESTION,
        title=asked.question.primary,
        address=f"/guide/{item.code}#questions",
        text=f"{_both(asked.answer)}\n{item.name.primary}",
        department=departments.get(item.department, ""),
        audience=tuple(str(one) for one in item.service_objects),
        keywords=tuple(v for k, v in asked.question.as_dict().items() if k != "zh"),
    )


class Resources:
    """Resources of the public catalogue, as a stranger sees them: followed by events, and compared every few minutes."""

    prefix = "resource"
    every_seconds = 300.0

    def looks_unchanged(self) -> bool:
        """This function will not know cheaply: what a stranger sees also depends on the day."""
        return False

    def stamps(self) -> Mapping[str, str]:
        """This function will return the versions of everything that a stranger sees."""
        stamps: dict[str, str] = {}
        start = 0
        while True:
            wanted = published.Wanted(sort="name asc", start=start, rows=_RESOURCES)
            page = published.search_published(wanted=wanted)
            for line in page.lines:
                changed = line.changed_at.isoformat(timespec="seconds") if line.changed_at else ""
                stamps[f"resource:{line.name}"] = f"{line.version}/{changed}/{line.openness}/{int(line.has_data)}"
            start += _RESOURCES
            if start >= page.total or not page.lines:
                return stamps

    def keys(self) -> Iterator[str]:
        """This function will give the keys of everything that a stranger sees."""
        yield from self.stamps()

    def documents(self, keys: Sequence[str]) -> Mapping[str, Document]:
        """This function will return the documents of these keys."""
        departments = {one.code: one.name.zh for one in places.list_departments()}
        return {
            f"resource:{line.name}": _resource(line, departments)
            for line in published.list_published(names=[key.partition(":")[2] for key in keys])
        }

    def visible(self, keys: Collection[str], *, actor: Actor) -> Collection[str]:
        """This function will say which of these a stranger sees now."""
        lines = published.list_published(names=[key.partition(":")[2] for key in keys])
        return {f"resource:{line.name}" for line in lines}


def _resource(line: published.Published, departments: Mapping[str, str]) -> Document:
    title = line.title.get("zh") or next(iter(line.title.values()), line.name)
    return Document(
        key=f"resource:{line.name}",
        kind=Kind.RESOURCE,
        title=title,
        address=f"/opendata/datasets/{quote(line.name)}",
        text="\n".join(sorted(line.summary.values(), key=str.isascii)),
        department=departments.get(line.department, ""),
        keywords=(*line.tags, *(v for k, v in line.title.items() if k != "zh")),
        numbers=(line.name,),
        published_on=line.changed_at.date() if line.changed_at else line.issued_on,
        boost=1.0 if line.has_data else 0.9,
    )


class Offices:
    """Open organisations with the place they are in."""

    prefix = "office"
    every_seconds = 2.0

    def __init__(self) -> None:
        self._seen: object = None

    def looks_unchanged(self) -> bool:
        """This function will compare the number of organisations and the time of the last change."""
        state = organizations.last_change()
        unchanged = state == self._seen
        self._seen = state
        return unchanged

    def stamps(self) -> Mapping[str, str]:
        """This function will return when each open organisation changed."""
        return {f"office:{one}": at.isoformat() for one, at in organizations.list_ids_and_changes().items()}

    def keys(self) -> Iterator[str]:
        """This function will give the keys of the open organisations."""
        yield from self.stamps()

    def documents(self, keys: Sequence[str]) -> Mapping[str, Document]:
        """This function will return the documents of these keys."""
        departments = {one.code: one.name.zh for one in places.list_departments()}
        ids = [found for key in keys if (found := _uuid(key)) is not None]
        open_ones = organizations.find_organizations(organization_ids=ids)
        names = _place_names() if len(open_ones) > _MANY else {}
        return {f"office:{one.id}": _office(one, departments, names) for one in open_ones.values()}

    def visible(self, keys: Collection[str], *, actor: Actor) -> Collection[str]:
        """This function will say which of these are open."""
        ids = [found for key in keys if (found := _uuid(key)) is not None]
        return {f"office:{one}" for one in organizations.find_organizations(organization_ids=ids)}


def _place_names() -> dict[str, str]:
    """The names of all places with those around them below the province: one read for each level."""
    names: dict[str, str] = {}
    for level in (Level.PROVINCE, Level.CITY, Level.COUNTY, Level.TOWN):
        for one in places.list_divisions(level=level):
            above = names.get(one.parent_code, "")
            names[one.code] = "" if level is Level.PROVINCE else f"{above}{one.name.zh}"
    return names


def _office(one: Organization, departments: Mapping[str, str], names: dict[str, str]) -> Document:
    place = one.division_code
    if place not in names:
        names[place] = "".join(step.name.zh for step in places.path_of_division(code=place)[1:])
    label = departments.get(one.department, "")
    return Document(
        key=f"office:{one.id}",
        kind=Kind.OFFICE,
        title=one.name.zh,
        address=f"/office/{one.id}",
        text="\n".join(v for v in (f"{names[place]} {label}", one.address, one.phone) if v),
        department=label,
        divisions=(place,),
        keywords=tuple(v for v in (one.short_zh, one.name.en) if v),
        numbers=(one.code,) if one.code else (),
        boost=0.9,
    )


def _uuid(key: str) -> UUID | None:
    try:
        return UUID(key.partition(":")[2])
    except ValueError:
        return None


def _resource_changed(event: ResourcePublished | ResourceOnline | ResourceOffline, delivery: Delivery) -> None:
    touch(keys=[f"resource:{event.code}"], now=delivery.now)


def bind() -> None:
    """This function will register the sources and follow what they announce. Calling it again changes nothing."""
    from furong.domains.search.store.source import PageSource

    for source in (Services(), Resources(), Offices(), PageSource()):
        register_source(source)
    for event, name in (
        (ResourcePublished, "search.resource_published"),
        (ResourceOnline, "search.resource_online"),
        (ResourceOffline, "search.resource_offline"),
    ):
        subscribe(event, _resource_changed, name=name)
