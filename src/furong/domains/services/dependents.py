"""What of services depends on data elements, and which services there are, for the catalogue below."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from furong.domains.catalogue.ports import Affected, ServiceName, name_services_by, register_dependents
from furong.domains.services.values.forms import Form
from furong.domains.services.values.items import Item
from furong.domains.services.values.life_events import LifeEvent
from furong.foundation.packs import queries as packs
from furong.foundation.packs.values import Pack


def dependents_of(pack: Pack, elements: frozenset[str]) -> Iterable[Affected]:
    """Give the forms that show one of the elements, the items that have one as input, and the life events with such items."""
    items: dict[str, Item] = pack.values("item")
    forms: dict[str, Form] = pack.values("form")
    events: dict[str, LifeEvent] = pack.values("life_event")
    touched: dict[str, None] = {}
    for code, form in sorted(forms.items()):
        shown = sorted({str(one.element) for one in form.fields() if str(one.element) in elements and not one.is_asked})
        if shown:
            touched[code] = None
            yield Affected(kind="form", code=code, name=form.title, elements=tuple(shown))
    for code, item in sorted(items.items()):
        used = sorted({str(one) for one in item.inputs if str(one) in elements})
        if used:
            touched[code] = None
            yield Affected(kind="item", code=code, name=item.name, elements=tuple(used))
    for code, event in sorted(events.items()):
        if touched.keys() & set(event.item_codes()):
            yield Affected(kind="life_event", code=code, name=event.name)


def services_in_force(on: date) -> Iterable[ServiceName]:
    """Give the service items in force on a day, for which data may be asked for."""
    for release in packs.list_current_releases(kind="item", on=on):
        item: Item = packs.get_value(kind="item", digest=release.digest)
        yield ServiceName(code=item.code, name=item.name, department=item.department)


register_dependents("services", dependents_of)
name_services_by(services_in_force)
