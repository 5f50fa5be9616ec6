"""What of services depends on data elements, for those who change the resources that supply them."""

from __future__ import annotations

from collections.abc import Iterable

from furong.domains.catalogue.ports import Affected, register_dependents
from furong.domains.services.values.forms import Form
from furong.domains.services.values.items import Item
from furong.domains.services.values.life_events import LifeEvent
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


register_dependents("services", dependents_of)
