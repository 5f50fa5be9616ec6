"""What a page of results shows: cards of services for the reader's place, lines, facets. Holds no rules."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from furong.domains.search.queries import Results
from furong.domains.search.values import FacetValue, Hit, Kind, Marked
from furong.domains.services import queries as services
from furong.domains.services.errors import ItemMissing, LifeEventMissing
from furong.foundation.organizations import queries as organizations
from furong.foundation.organizations.values import Organization
from furong.sites.portal import queries
from furong.sites.portal.asking_search import PAGE_SIZE, Asked
from furong.sites.portal.values import AUDIENCES, Audience, EventCard

KINDS: Mapping[str, Promise] = {
    Kind.SERVICE.value: pgettext_lazy("kind of result", "Services"),
    Kind.PAGE.value: pgettext_lazy("kind of result", "Pages"),
    Kind.DOCUMENT.value: pgettext_lazy("kind of result", "Documents"),
    Kind.RESOURCE.value: pgettext_lazy("kind of result", "Data"),
    Kind.OFFICE.value: pgettext_lazy("kind of result", "Offices"),
    Kind.QUESTION.value: pgettext_lazy("kind of result", "Questions"),
    Kind.DEMAND.value: pgettext_lazy("kind of result", "Demands for data"),
}
FACETS: Mapping[str, Promise] = {
    "department": _("Department"),
    "site": _("Site"),
    "audience": _("Who is it for"),
    "year": _("Year"),
    "language": _("Language"),
}
LANGUAGES: Mapping[str, Promise] = {"zh": _("Chinese"), "en": _("English"), "und": _("other")}
_MOST_VALUES = 10
_INNER = "/work/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A value of a facet as a link: adding it, or taking it away when it is chosen."""

    label: object
    count: int
    href: str
    is_chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FacetView:
    """A facet with its values."""

    name: str
    label: object
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LineView:
    """One result. ``href`` counts that it was opened and leads there."""

    title: Marked
    snippet: Marked
    kind: object
    kind_code: str
    href: str
    address: str
    site: str
    department: object
    published_on: dt.date | None
    is_inner: bool  # shown to those whose work it is, not to the public


@dataclass(frozen=True, slots=True, kw_only=True)
class CardView:
    """A service that answers, as the organisation of the reader's place does it."""

    title: Marked
    summary: object
    href: str
    start: str
    event: EventCard | None = None
    days: int | None = None
    is_free: bool | None = None
    is_online: bool = False
    department: object = ""
    office: Organization | None = None


def lines(found: Results, asked: Asked, *, host: str) -> list[LineView]:
    """Give the results as lines."""
    before = (asked.page - 1) * PAGE_SIZE + len(found.cards)
    return [_line(hit, found.token, before + place, host) for place, hit in enumerate(found.page.hits, start=1)]


def _line(hit: Hit, token: str, place: int, host: str) -> LineView:
    return LineView(
        title=hit.marked_title,
        snippet=hit.snippet,
        kind=KINDS[hit.kind.value],
        kind_code=hit.kind.value,
        href=opening(hit.key, token, place),
        address=_shown_address(hit.address, host),
        site=hit.site,
        department=department(hit.department),
        published_on=hit.published_on,
        is_inner=hit.address.startswith(_INNER),
    )


def opening(key: str, token: str, place: int) -> str:
    """Give the address that counts and leads on. It says nothing of what was asked."""
    return f"{reverse('portal:search_open', kwargs={'key': key})}?of={token}&n={place}"


def _shown_address(address: str, host: str) -> str:
    if address.startswith("/"):
        return ""
    shown = address.partition("://")[2]
    return shown if len(shown) <= 70 else shown[:67] + "…"


def cards(found: Results, *, place: str, on: dt.date) -> list[CardView]:
    """Give the cards of the services that answer, with the office of the reader's place."""
    views = []
    for number, hit in enumerate(found.cards, start=1):
        what, _dot, code = hit.key.partition(":")[2].partition(".")
        href = opening(hit.key, found.token, number)
        view = _event(hit, code, href, on) if what == "event" else _item(hit, code, href, place, on)
        if view is not None:
            views.append(view)
    return views


def _event(hit: Hit, code: str, href: str, on: dt.date) -> CardView | None:
    try:
        event = services.get_life_event(code=code, on=on).event
    except LifeEventMissing:
        return None
    card = queries.event_card(event=event, on=on)
    return CardView(
        title=hit.marked_title,
        summary=card.summary,
        href=href,
        start=reverse("portal:start", kwargs={"code": code}),
        event=card,
        days=card.working_days,
        is_online=card.fully_online,
        department=department(hit.department),
    )


def _item(hit: Hit, code: str, href: str, place: str, on: dt.date) -> CardView | None:
    try:
        item = services.get_item(code=code, division_code=place, on=on).item
    except ItemMissing:
        return None
    office = None
    if place:
        office = organizations.find_responsible(department=item.department, division_code=place)
        href += f"&division={place}"
    return CardView(
        title=hit.marked_title,
        summary=item.summary,
        href=href,
        start="",
        days=item.clock.effective.days if item.clock is not None else None,
        is_free=not item.fee.charged,
        is_online="online" in item.handling_forms,
        department=department(hit.department),
        office=office,
    )


def tabs(found: Results, asked: Asked) -> list[tuple[object, str, bool]]:
    """Give the kinds of results as neighbouring views, each with its number."""
    counts = {one.value: one.count for one in found.page.facets.get("kind", ())}
    if not asked.value("kind"):
        counts[Kind.SERVICE.value] = counts.get(Kind.SERVICE.value, 0) + len(found.cards)
    chosen = asked.value("kind")
    views: list[tuple[object, str, bool]] = [(_("All"), asked.with_value("kind", ""), not chosen)]
    for kind, label in KINDS.items():
        if counts.get(kind) or kind == chosen:
            views.append(((label, counts.get(kind, 0)), asked.with_value("kind", kind), kind == chosen))
    return views


def facets(found: Results, asked: Asked) -> list[FacetView]:
    """Give the facets that divide what was found, and those that are chosen."""
    views = []
    for name, label in FACETS.items():
        values = list(found.page.facets.get(name, ()))
        chosen = asked.value(name)
        if len(values) < 2 and not chosen:
            continue
        if chosen and all(one.value != chosen for one in values):
            values.insert(0, FacetValue(value=chosen, count=0))
        if name == "year":
            values.sort(key=lambda one: one.value, reverse=True)
        values.sort(key=lambda one: one.value != chosen)
        choices = tuple(
            Choice(
                label=_label(name, one.value),
                count=one.count,
                href=asked.with_value(name, "" if one.value == chosen else one.value),
                is_chosen=one.value == chosen,
            )
            for one in values[:_MOST_VALUES]
        )
        views.append(FacetView(name=name, label=label, choices=choices))
    return views


def department(label: str) -> object:
    """Give a department by its label in the index, in the reader's language where the platform knows it."""
    return next((name for name in queries.department_names().values() if str(name) == label), label)


def _label(facet: str, value: str) -> object:
    if facet == "department":
        return department(value)
    if facet == "audience" and value in set(Audience):
        return _(AUDIENCES[Audience(value)])
    if facet == "language":
        return LANGUAGES.get(value, value)
    return value
