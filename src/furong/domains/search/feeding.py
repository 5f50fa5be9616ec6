"""The platform's own sources: services and life events with their questions, and offices; the catalogue's are beside."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from uuid import UUID

from django.utils import timezone

from furong.domains.search.sources import register_source
from furong.domains.search.values import Document, Kind
from furong.domains.services import queries as services
from furong.domains.services.values.items import Item
from furong.domains.services.values.life_events import LifeEvent
from furong.foundation.access.values import Actor
from furong.foundation.organizations import following as organizations
from furong.foundation.organizations import queries as places
from furong.foundation.organizations.values import Level, Organization
from furong.foundation.packs import queries as packs
from furong.foundation.packs.values import Text

_BETWEEN = {"zh": "", "en": ", "}  # a law and its clause
_MANY = 20  # places: from here on all names are read together


class Services:
    """Life events, items, and the questions that an item answers. Definitions are content: a publication shows at once."""

    prefix = "service"
    every_seconds = 1.0

    def __init__(self) -> None:
        self._seen: object = None

    def looks_unchanged(self) -> bool:
        """Say that nothing was published since, and that it is the same day."""
        on = timezone.localdate()
        state = packs.derive("search.services", on=on, make=lambda: _state(on))
        unchanged = state == self._seen
        self._seen = state
        return unchanged

    def stamps(self) -> Mapping[str, str]:
        """Return the digests of what is in force."""
        on = timezone.localdate()
        self._seen = packs.derive("search.services", on=on, make=lambda: _state(on))
        return _stamps(on)

    def keys(self) -> Iterator[str]:
        """Give the keys of everything in force today."""
        yield from self.stamps()

    def documents(self, keys: Sequence[str]) -> Mapping[str, Document]:
        """Return the documents of these keys as they are in force today."""
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
        """Say which of these are in force: everybody may read them."""
        on = timezone.localdate()
        return packs.derive("search.service_keys", on=on, make=lambda: frozenset(_stamps(on))) & set(keys)


def _state(on: date) -> tuple[object, ...]:
    kinds = ("item", "life_event", "implementation")
    return tuple((one.code, one.digest) for kind in kinds for one in packs.list_current_releases(kind=kind, on=on))


def _stamps(on: date) -> dict[str, str]:
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


def _in(text: Text | None, language: str) -> str:
    """A text in a language, empty when it is not written in it; the pack's own language counts as Chinese."""
    if text is None:
        return ""
    return text.primary if language == "zh" else text.as_dict().get(language, "")


def _both(one: Text | None, other: Text | None, language: str) -> list[str]:
    return [said for said in (_in(one, language), _in(other, language)) if said]


def _sentences(parts: Iterable[str], language: str) -> str:
    """Parts as a reader of a snippet reads them: each ends, where it does not by itself."""
    end = "。" if language == "zh" else "."
    return "\n".join(one if one[-1] in "。！？；.!?;" else one + end for one in parts if one)


def _event(key: str, event: LifeEvent, items: Mapping[str, Item], departments: Mapping[str, str]) -> Document:
    own = [items[code] for code in event.item_codes() if code in items]

    def text(language: str, head: str, between: str) -> str:
        names = [name for item in own if (name := _in(item.name, language))]
        parts = [
            _in(event.summary, language),
            f"{head}{between.join(names)}" if names else "",
            *(_in(item.summary, language) for item in own),
        ]
        return _sentences(parts, language)

    return Document(
        key=key,
        kind=Kind.SERVICE,
        title=event.name.primary,
        title_en=_in(event.name, "en"),
        address=f"/life/{event.code}",
        text=text("zh", "包括：", "、"),
        text_en=text("en", "Includes: ", ", "),
        department=departments.get(event.lead, ""),
        audience=(event.audience,),
        keywords=tuple(name for item in own for name in item.name.as_dict().values()),
        boost=2.0,
    )


def _item(key: str, item: Item, departments: Mapping[str, str]) -> Document:
    def text(language: str, materials: str, result: str, between: str) -> str:
        names = [name for one in item.materials if (name := _in(one.name, language))]
        ends = _in(item.result.name, language)
        parts = [
            _in(item.summary, language),
            *(_in(one, language) for one in item.acceptance_conditions),
            f"{materials}{between.join(names)}" if names else "",
            f"{result}{ends}" if ends else "",
            *(_BETWEEN[language].join(_both(one.law, one.clause, language)) for one in item.legal_basis),
            *(" ".join(_both(one.name, one.address, language)) for one in item.places),
        ]
        return _sentences(parts, language)

    return Document(
        key=key,
        kind=Kind.SERVICE,
        title=item.name.primary,
        title_en=_in(item.name, "en"),
        address=f"/guide/{item.code}",
        text=text("zh", "需要的材料：", "办理结果：", "、"),
        text_en=text("en", "You need: ", "You get: ", ", "),
        department=departments.get(item.department, ""),
        audience=tuple(str(one) for one in item.service_objects),
        keywords=tuple(item.result.name.as_dict().values()),
        numbers=(item.basic_code, *(one.blank_form for one in item.materials if one.blank_form)),
        boost=1.7,
    )


def _question(key: str, item: Item, place: int, departments: Mapping[str, str]) -> Document:
    asked = item.questions[place]
    return Document(
        key=key,
        kind=Kind.QUESTION,
        title=asked.question.primary,
        title_en=_in(asked.question, "en"),
        address=f"/guide/{item.code}#questions",
        text=f"{asked.answer.primary}\n{item.name.primary}",
        text_en=_in(asked.answer, "en"),
        department=departments.get(item.department, ""),
        audience=tuple(str(one) for one in item.service_objects),
    )


class Offices:
    """Open organisations with the place they are in."""

    prefix = "office"
    every_seconds = 2.0

    def __init__(self) -> None:
        self._seen: object = None

    def looks_unchanged(self) -> bool:
        """Compare the number of organisations and the time of the last change."""
        state = organizations.last_change()
        unchanged = state == self._seen
        self._seen = state
        return unchanged

    def stamps(self) -> Mapping[str, str]:
        """Return when each open organisation changed."""
        return {f"office:{one}": at.isoformat() for one, at in organizations.list_ids_and_changes().items()}

    def keys(self) -> Iterator[str]:
        """Give the keys of the open organisations."""
        yield from self.stamps()

    def documents(self, keys: Sequence[str]) -> Mapping[str, Document]:
        """Return the documents of these keys."""
        departments = {one.code: one.name.zh for one in places.list_departments()}
        ids = [found for key in keys if (found := _uuid(key)) is not None]
        open_ones = organizations.find_organizations(organization_ids=ids)
        names = _place_names() if len(open_ones) > _MANY else {}
        return {f"office:{one.id}": _office(one, departments, names) for one in open_ones.values()}

    def visible(self, keys: Collection[str], *, actor: Actor) -> Collection[str]:
        """Say which of these are open."""
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
        title_en=one.name.en or "",
        address=f"/office/{one.id}",
        text="\n".join(v for v in (f"{names[place]} {label}", one.address, one.phone) if v),
        department=label,
        divisions=(place,),
        keywords=(one.short_zh,) if one.short_zh else (),
        numbers=(one.code,) if one.code else (),
        boost=0.9,
    )


def _uuid(key: str) -> UUID | None:
    try:
        return UUID(key.partition(":")[2])
    except ValueError:
        return None


def bind() -> None:
    """Register the sources and follow what they announce. Calling it again changes nothing."""
    from furong.domains.search import feeding_catalogue
    from furong.domains.search.store.source import PageSource

    for source in (Services(), Offices(), PageSource()):
        register_source(source)
    feeding_catalogue.bind()
