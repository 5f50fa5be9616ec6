"""Reads of services: items as an organisation does them, life events, their forms, and what registers fill in."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, TypeVar
from uuid import UUID

from furong.domains.catalogue.queries import get_dictionary
from furong.domains.catalogue.values import DataElement, SourceKind
from furong.domains.services.closures import closures_on
from furong.domains.services.errors import FormMissing, ItemMissing, LifeEventMissing
from furong.domains.services.forms.compile import CompiledForm, Divisions, compile_form
from furong.domains.services.shaping import items_on, pinned_item
from furong.domains.services.values.closures import Closure, EventClosure, read_closure
from furong.domains.services.values.clusters import Cluster
from furong.domains.services.values.forms import Form
from furong.domains.services.values.implementations import ImplementationList, Override, implement
from furong.domains.services.values.items import Item
from furong.domains.services.values.life_events import (
    Composition,
    LifeEvent,
    compose,
    in_order_of_needs,
    needs_of,
)
from furong.domains.services.values.prefill import Prefilled, Subject, prefill_sources
from furong.foundation.access.values import Actor, Basis
from furong.foundation.packs import queries as packs
from furong.foundation.packs.errors import DefinitionMissing

T = TypeVar("T")
_kept: OrderedDict[Hashable, Any] = OrderedDict()


def _keep(key: Hashable, make: Callable[[], T]) -> T:
    """Keep what depends on immutable definitions only; the key holds their digests."""
    found = _kept.get(key)
    if found is None:
        found = _kept[key] = make()
        while len(_kept) > 1024:
            _kept.popitem(last=False)
    result: T = found
    return result


@dataclass(frozen=True, slots=True, kw_only=True)
class LifeEventInForce:
    """A life event with its items and the order in which they wait for each other. ``digest`` is what a draft keeps."""

    event: LifeEvent
    items: Mapping[str, Item]
    closures: Mapping[str, Closure]
    needs: Mapping[str, tuple[str, ...]]
    order: tuple[str, ...]
    digest: str


# --- items ----------------------------------------------------------------------------------------------------------


def get_item(
    *, code: str, division_code: str = "", organization_code: str = "", level: str = "", on: date
) -> ImplementationList:
    """Give an item as the organisation of a division does it on the local day ``on``: basic item, shape and overrides.

    ``level`` is the organisation's (1 state to 6 village), for overrides that are for a level.

    Raises `ItemMissing`.
    """
    items = items_on(on)
    if code not in items:
        raise ItemMissing(item=code)
    return implement(
        items[code],
        overrides_on(on),
        division_code=division_code,
        organization_code=organization_code,
        level=level,
    )


def overrides_on(on: date) -> list[Override]:
    """List what organisations set for items on the local day ``on``."""

    def make() -> list[Override]:
        releases = packs.list_current_releases(kind="implementation", on=on)
        return [packs.get_value(kind="implementation", digest=r.digest) for r in releases]

    return packs.derive("services.overrides", on=on, make=make)


def list_items(*, on: date, department: str | None = None) -> list[Item]:
    """List the basic items in force on the local day ``on``, of one department's role when given, sorted by code."""
    return [i for i in items_on(on).values() if department is None or i.department == department]


def get_closure(*, code: str, on: date) -> Closure:
    """Give what a case of this item that starts on ``on`` is pinned to. Raises `ItemMissing`."""
    found = closures_on(on)[0].get(code)
    if found is None:
        raise ItemMissing(item=code)
    return found


def get_pinned(*, digest: str) -> Closure:
    """Give the closure that a case was pinned to. Raises `DefinitionMissing`."""
    found = read_closure(packs.get_definition(digest=digest).content)
    if not isinstance(found, Closure):
        raise DefinitionMissing
    return found


def get_pinned_item(*, digest: str) -> Item:
    """Give the basic item of a closure. Raises `DefinitionMissing`."""
    closure = get_pinned(digest=digest)
    return pinned_item(closure.item, closure.shape)


# --- clusters ---------------------------------------------------------------------------------------------------------


def list_clusters(*, on: date, audience: str | None = None) -> list[Cluster]:
    """List the clusters in force on the local day ``on`` in their order, those of one audience when given."""
    releases = packs.list_current_releases(kind="cluster", on=on)
    clusters: list[Cluster] = [packs.get_value(kind="cluster", digest=r.digest) for r in releases]
    return sorted((c for c in clusters if audience is None or audience in c.audiences), key=lambda c: (c.order, c.code))


def items_by_cluster(*, on: date) -> dict[str, list[Item]]:
    """Give the items of each cluster in force on the local day ``on``, by basic code; kept until the next publication."""

    def make() -> dict[str, list[Item]]:
        found: dict[str, list[Item]] = {c.code: [] for c in list_clusters(on=on)}
        for item in sorted(list_items(on=on), key=lambda i: i.basic_code):
            for code in item.clusters:
                found.setdefault(code, []).append(item)
        return found

    return packs.derive("services.clusters", on=on, make=make)


# --- life events ------------------------------------------------------------------------------------------------------


def list_life_events(*, on: date, audience: str | None = None) -> list[LifeEvent]:
    """List the life events in force on the local day ``on`` in their order, for persons or enterprises when given."""
    releases = packs.list_current_releases(kind="life_event", on=on)
    events: list[LifeEvent] = [packs.get_value(kind="life_event", digest=r.digest) for r in releases]
    return sorted((e for e in events if audience is None or e.audience == audience), key=lambda e: (e.order, e.code))


def get_life_event(*, code: str, on: date) -> LifeEventInForce:
    """Give a life event as it is in force on the local day ``on``. Raises `LifeEventMissing`."""

    def make() -> LifeEventInForce:
        items, events = closures_on(on)
        closure = events.get(code)
        if closure is None:
            raise LifeEventMissing(event=code)
        return _event_in_force(closure, {c: items[c] for c, _ in closure.items}, on)

    return packs.derive(("services.life_event", code), on=on, make=make)


def get_pinned_life_event(*, digest: str, on: date) -> LifeEventInForce:
    """Give the life event that a draft was begun with; ``on`` chooses the dictionary. Raises `DefinitionMissing`."""
    closure = read_closure(packs.get_definition(digest=digest).content)
    if not isinstance(closure, EventClosure):
        raise DefinitionMissing
    used = {code: get_pinned(digest=d) for code, d in closure.items}
    return _keep(("event", digest, on), lambda: _event_in_force(closure, used, on))


def _event_in_force(closure: EventClosure, used: Mapping[str, Closure], on: date) -> LifeEventInForce:
    event: LifeEvent = packs.get_value(kind="life_event", digest=closure.event)
    items: dict[str, Item] = {c: pinned_item(u.item, u.shape) for c, u in used.items()}
    needs = needs_of(event, items, get_dictionary(on=on))
    return LifeEventInForce(
        event=event,
        items=items,
        closures=used,
        needs=needs,
        order=tuple(in_order_of_needs(needs)),
        digest=closure.digest,
    )


def get_needs(*, event: LifeEventInForce, chosen: Iterable[str] | None, on: date) -> dict[str, tuple[str, ...]]:
    """Give which items wait for which when only some were chosen."""
    return needs_of(event.event, event.items, get_dictionary(on=on), chosen)


# --- forms ------------------------------------------------------------------------------------------------------------


def get_form(*, digest: str) -> Form:
    """Give a form's definition by its digest. Raises `FormMissing`."""
    try:
        form: Form | None = packs.get_value(kind="form", digest=digest)
    except DefinitionMissing:
        raise FormMissing from None
    if form is None:
        raise FormMissing
    return form


def get_compiled_form(*, digest: str, divisions: Divisions | None = None) -> CompiledForm:
    """Give an item's form, compiled to Django forms, by its definition's digest. Raises `FormMissing`."""
    return _keep(
        ("form", digest, divisions),
        lambda: compile_form(get_form(digest=digest), digest=digest, divisions=divisions),
    )


def get_item_form(*, code: str, on: date, divisions: Divisions | None = None) -> CompiledForm:
    """Give the form of a single item in force on the local day ``on``, its file's or its shape's, compiled to Django forms.

    Raises `ItemMissing`, and `FormMissing` for an item that asks nothing by itself.
    """
    return get_compiled_form(digest=get_closure(code=code, on=on).form, divisions=divisions)


def get_composition(*, event: LifeEventInForce, chosen: Iterable[str] | None = None) -> Composition:
    """Give the merged form of a life event for the required and the ``chosen`` items (all without it)."""
    codes = event.event.item_codes(chosen)

    def make() -> Composition:
        forms = {c: get_form(digest=u.form) for c, u in event.closures.items() if u.form and c in codes}
        return compose(event.event, forms, codes)

    return _keep(("composition", event.digest, codes), make)


def get_life_event_form(
    *,
    event: LifeEventInForce,
    chosen: Iterable[str] | None = None,
    divisions: Divisions | None = None,
) -> CompiledForm:
    """Give the one form of a life event, compiled to Django forms; its digest is the event's."""
    codes = event.event.item_codes(chosen)
    return _keep(
        ("event form", event.digest, codes, divisions),
        lambda: compile_form(get_composition(event=event, chosen=codes).form, digest=event.digest, divisions=divisions),
    )


def prefill(
    *,
    elements: Iterable[str],
    subject: Subject,
    actor: Actor,
    basis: Basis,
    on: date,
    now: datetime,
) -> dict[str, Prefilled]:
    """Ask the registers for what they hold of ``elements``, each for what it is the source of.

    Elements ``ROLE.person_id`` are asked for first, and what they say is in ``subject.persons`` when the rest is asked for.
    Elements that a person declares, and those whose source is not bound, are left out. The registers record the read; whoever is
    read for the applicant's sake (the other parent) learns which body looked, and nothing of the applicant's affair.
    """
    if basis.about is None:
        basis = replace(basis, about=subject.applicant_person_id)
    dictionary = get_dictionary(on=on)
    wanted = [dictionary[c] for c in dict.fromkeys(elements) if c in dictionary and dictionary[c].source.is_held]
    result: dict[str, Prefilled] = {}
    # Who the others are comes first: a marriage names the father, and only then can his own facts be asked for.
    for persons in (True, False):
        for name, some in _by_register(e for e in wanted if e.code.endswith(PERSON) is persons):
            source = prefill_sources().get(name)
            if source is None:
                continue
            found = source.prefill(elements=some, subject=subject, actor=actor, basis=basis, now=now)
            asked = {e.code for e in some}
            result.update({c: p for c, p in found.items() if c in asked})
            named = {c.removesuffix(PERSON): p.value for c, p in found.items() if c.endswith(PERSON) and p.value}
            persons_known = {role: _uuid(value) for role, value in named.items()}
            subject = replace(subject, persons={**subject.persons, **persons_known})
    return result


PERSON = ".person_id"


def _uuid(value: Any) -> UUID:
    return value if isinstance(value, UUID) else UUID(str(value))


def _by_register(elements: Iterable[DataElement]) -> list[tuple[str, list[DataElement]]]:
    found: dict[str, list[DataElement]] = {}
    for element in elements:
        name = "licences" if element.source.kind is SourceKind.ITEM else element.source.name
        found.setdefault(name, []).append(element)
    return list(found.items())
