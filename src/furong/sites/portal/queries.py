"""Gathers what a page shows from the domains' queries. Reads only, returns values."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.utils import timezone
from django.utils.functional import lazy

from furong.domains.cases import queries as cases
from furong.domains.cases.values.views import AnswerView, DraftView
from furong.domains.catalogue import queries as catalogue
from furong.domains.catalogue.wording import told
from furong.domains.services import queries as services
from furong.domains.services.errors import FormMissing, ItemMissing, LifeEventMissing
from furong.domains.services.forms.showing import show
from furong.domains.services.values.clusters import AUDIENCE_OF, Cluster
from furong.domains.services.values.forms import FormField
from furong.domains.services.values.items import Item, ProjectType
from furong.domains.services.values.life_events import LifeEvent
from furong.foundation.audit import queries as audit
from furong.foundation.audit.values import ReadOfPerson
from furong.foundation.codes.leases import Leased
from furong.foundation.organizations import queries as organizations
from furong.foundation.organizations.values import Level
from furong.foundation.packs import queries as packs
from furong.foundation.packs.values import Text
from furong.foundation.packs.values.releases import Release
from furong.foundation.web import texts
from furong.sites.portal.river import river
from furong.sites.portal.values import (
    STAGES,
    AskedOnce,
    Audience,
    ClusterCard,
    ClusterPage,
    EventCard,
    EventItemRow,
    EventPage,
    Fact,
    Figures,
    Home,
    Station,
)

FIGURES_KEPT_SECONDS = 30.0
FIGURES_DAYS = 90
READS_A_PAGE = 30
READ_AT_ONCE = 100
MOST_ROUNDS = 5

_figures_kept: Leased[Figures] = Leased(seconds=FIGURES_KEPT_SECONDS)
_divisions_kept: Leased[tuple[DivisionGroup, ...]] = Leased(seconds=60.0)
_departments_kept: Leased[dict[str, object]] = Leased(seconds=60.0)


def home_content(*, audience: Audience, stage_code: str, now: dt.datetime) -> Home:
    """Gather the home page for one audience with the stage ``stage_code`` open (the first with events when unknown)."""
    on = timezone.localdate(now)
    events = [] if audience is Audience.OFFICIAL else services.list_life_events(on=on, audience=audience.value)
    cards = {event.code: event_card(event=event, on=on) for event in events}
    by_stage: dict[str, list[EventCard]] = {}
    for event in events:
        by_stage.setdefault(event.stage, []).append(cards[event.code])
    stages = STAGES[audience] or STAGES[Audience.PERSON]
    current = next((s for s in stages if s.code == stage_code), None)
    current = current or next((s for s in stages if by_stage.get(s.code)), stages[0])
    shown = tuple(by_stage.get(current.code, ()))
    return Home(
        audience=audience,
        stations=tuple(
            Station(stage=s, events=len(by_stage.get(s.code, ())), is_current=s.code == current.code) for s in stages
        ),
        river=river(len(stages)),
        stage=current,
        events=shown,
        single=item_rows(code=shown[0].code, on=on) if shown else (),
        popular=tuple(cards.values())[:5],
        asked=asked_once(code=shown[0].code, on=on) if shown else None,
        figures=_figures_kept.get(now.date(), lambda: _figures(now)),
        clusters=cluster_cards(audience=audience, on=on),
    )


def event_card(*, event: LifeEvent, on: dt.date) -> EventCard:
    """Give a life event as lists show it."""
    found = services.get_life_event(code=event.code, on=on)
    items = [found.items[code] for code in found.event.item_codes() if code in found.items]
    return EventCard(
        code=event.code,
        name=event.name.as_dict(),
        summary=event.summary.as_dict(),
        items=tuple(item.name.as_dict() for item in items),
        departments=len({item.department for item in items}),
        working_days=_longest(items, found.needs),
        fully_online=all(item.on_site_visits == 0 and item.online_depth == "whole" for item in items),
    )


def _longest(items: list[Item], needs: Mapping[str, tuple[str, ...]]) -> int | None:
    """The promised days along the longest chain of items that wait for each other."""
    by_code = {item.code: item for item in items}

    def until(code: str) -> int:
        clock = by_code[code].clock
        own = clock.effective.days if clock is not None else 0
        return own + max((until(n) for n in needs.get(code, ()) if n in by_code), default=0)

    return max((until(code) for code in by_code), default=0) or None


def asked_once(*, code: str, on: dt.date) -> AskedOnce | None:
    """Count what a life event's form asks of a person and what departments supply; None when it has no form."""
    try:
        event = services.get_life_event(code=code, on=on)
    except LifeEventMissing:
        return None
    fields = list(services.get_composition(event=event).form.fields())
    asked = sum(1 for one in fields if one.is_asked)
    # A fact that several items need stands once in the merged form; on paper each item's form would ask for it again.
    wanted = {str(element) for item in event.items.values() for element in item.inputs}
    supplied = len(wanted - {str(one.element) for one in fields if one.is_asked})
    return AskedOnce(asked=asked, supplied=supplied) if fields else None


def _figures(now: dt.datetime) -> Figures:
    on = timezone.localdate(now)
    found = cases.service_figures(from_on=on - dt.timedelta(days=FIGURES_DAYS), until_on=on)
    return Figures(
        on_time_share=_share(found.in_time_percent),
        mean_working_days=found.mean_used_days,
        faster_share=_share(found.faster_than_promised_percent),
        finished=found.decided,
        rated=found.ratings,
        satisfied_share=_share(found.satisfied_percent),
        items=count_items(on=on),
        organizations=organizations.count_rows()["organizations"],
    )


def _share(percent: float | None) -> float | None:
    return None if percent is None else percent / 100


def life_event_page(*, code: str, now: dt.datetime) -> EventPage | None:
    """Gather the page *what you need* of a life event; None when there is none in force."""
    on = timezone.localdate(now)
    try:
        found = services.get_life_event(code=code, on=on)
    except LifeEventMissing:
        return None
    form = services.get_composition(event=found).form
    materials = {m.code: m for item in found.items.values() for m in item.materials}
    return EventPage(
        card=event_card(event=found.event, on=on),
        rows=item_rows(code=code, on=on),
        asked=tuple(one.label.as_dict() for one in form.fields() if one.is_asked),
        to_bring=tuple(m.name.as_dict() for m in materials.values() if m.source.channel == "applicant"),
        fetched=tuple(
            (m.name.as_dict(), m.source.note.as_dict() if m.source.note is not None else {})
            for m in materials.values()
            if m.source.channel != "applicant"
        ),
        counted=asked_once(code=code, on=on),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DivisionGroup:
    """A city with its counties, for a choice."""

    code: str
    name: object
    counties: tuple[tuple[str, object], ...]


def division_groups() -> tuple[DivisionGroup, ...]:
    """List the cities with their counties; kept for a minute, because divisions change once in years."""
    return _divisions_kept.get("", _division_groups)


def _division_groups() -> tuple[DivisionGroup, ...]:
    counties: dict[str, list[tuple[str, object]]] = {}
    for county in organizations.list_divisions(level=Level.COUNTY):
        counties.setdefault(county.parent_code, []).append((county.code, county.name))
    return tuple(
        DivisionGroup(code=city.code, name=city.name, counties=tuple(counties.get(city.code, ())))
        for city in organizations.list_divisions(level=Level.CITY)
    )


def division_choices() -> list[tuple[str, object]]:
    """List counties as *city county* for fields of forms; labels follow the reader's language."""
    return [(code, _joined(group.name, name)) for group in division_groups() for code, name in group.counties]


def _join(city: object, county: object) -> str:
    return f"{texts.text(city)} {texts.text(county)}"


_joined = lazy(_join, str)


def department_names() -> dict[str, object]:
    """Give each kind of department its name; kept for a minute."""
    return _departments_kept.get("", lambda: {d.code: d.name for d in organizations.list_departments()})


def life_event_names(*, now: dt.datetime) -> dict[str, object]:
    """Give the names of the life events in force by code."""
    return {event.code: event.name for event in services.list_life_events(on=timezone.localdate(now))}


def draft_titles(*, drafts: Iterable[DraftView], now: dt.datetime) -> dict[UUID, object]:
    """Give what each draft is for: its life event's name, or its single item's."""
    on = timezone.localdate(now)
    events = life_event_names(now=now)
    found: dict[UUID, object] = {}
    for draft in drafts:
        title = events.get(draft.life_event_code)
        if title is None and draft.item_codes:
            try:
                title = services.get_item(code=draft.item_codes[0], on=on).item.name
            except ItemMissing:
                title = draft.life_event_code or draft.item_codes[0]
        found[draft.id] = title or draft.life_event_code
    return found


def cluster_cards(*, audience: Audience, on: dt.date) -> tuple[ClusterCard, ...]:
    """List the clusters for one audience with the number of its services in each; empty ones are left out."""

    def count() -> list[tuple[Cluster, int]]:
        by_cluster = services.items_by_cluster(on=on)
        counted = (
            (cluster, sum(1 for item in by_cluster.get(cluster.code, ()) if serves(item, audience)))
            for cluster in services.list_clusters(on=on, audience=audience.value)
        )
        return [(cluster, number) for cluster, number in counted if number]

    departments = department_names()
    counted = packs.derive(("portal.clusters", audience), on=on, make=count)
    return tuple(_cluster_card(cluster, number, departments) for cluster, number in counted)


def _cluster_card(cluster: Cluster, count: int, departments: Mapping[str, object]) -> ClusterCard:
    return ClusterCard(
        code=cluster.code,
        sign=cluster.sign,
        name=cluster.name.as_dict(),
        summary=cluster.summary.as_dict(),
        owner=departments.get(cluster.owner, cluster.owner),
        services=count,
    )


def serves(item: Item, audience: Audience) -> bool:
    """Say whether an item is for one of the three audiences."""
    return any(AUDIENCE_OF[one].value == audience.value for one in item.service_objects)


def clusters_of(*, item: Item, on: dt.date) -> list[Cluster]:
    """List the clusters that an item lies in, in its own order."""
    known = {cluster.code: cluster for cluster in services.list_clusters(on=on)}
    return [known[code] for code in item.clusters if code in known]


def count_items(*, on: dt.date) -> int:
    """Count the services in force."""
    return len(packs.list_current_releases(kind="item", on=on))


def can_start(item: Item) -> bool:
    """Say whether an item may be applied for by itself: its form is whole, that of an item of a life event is not."""
    if item.shape is not None:
        return True
    events = services.list_life_events(on=timezone.localdate())
    return not any(item.code in event.item_codes() for event in events)


def cluster_page(*, code: str, audience: Audience | None, now: dt.datetime) -> ClusterPage | None:
    """Gather a cluster's services by department, those for one audience when given; None when there is no such cluster."""
    on = timezone.localdate(now)
    cluster = next((c for c in services.list_clusters(on=on) if c.code == code), None)
    if cluster is None:
        return None
    departments = department_names()
    items = services.items_by_cluster(on=on).get(code, [])
    own = tuple(Audience(one.value) for one in cluster.audiences)
    shown = [item for item in items if audience is None or serves(item, audience)]
    groups: dict[str, list[EventItemRow]] = {}
    # The owner's services first: they are what the cluster is about.
    for item in sorted(shown, key=lambda one: (one.department != cluster.owner, one.department, one.basic_code)):
        groups.setdefault(item.department, []).append(_row(item, departments))
    return ClusterPage(
        card=_cluster_card(cluster, len(shown), departments),
        audiences=own,
        audience=audience,
        groups=tuple((departments.get(one, one), tuple(rows)) for one, rows in groups.items()),
        events=tuple(
            event_card(event=event, on=on)
            for event in services.list_life_events(on=on)
            if any(code in item.clusters for item in items if item.code in event.item_codes())
        ),
    )


def _row(item: Item, departments: Mapping[str, object]) -> EventItemRow:
    clock = item.clock.effective if item.clock is not None and item.project_type is ProjectType.PROMISED else None
    return EventItemRow(
        code=item.code,
        name=item.name.as_dict(),
        summary=item.summary.as_dict() if item.summary is not None else {},
        department=departments.get(item.department, item.department),
        days=clock.days if clock is not None else None,
        natural_days=clock is not None and clock.unit == "natural",
        needs=(),
        result=item.result.name.as_dict(),
        required=True,
        charged=item.fee.charged,
        visits=item.on_site_visits,
    )


def element_labels(*, now: dt.datetime) -> dict[str, object]:
    """Give the names of data elements by code: a form says *name*, the dictionary says whose."""
    on = timezone.localdate(now)
    labels: dict[str, object] = packs.derive(
        "portal.labels", on=on, make=lambda: {code: one.name for code, one in catalogue.get_dictionary(on=on).items()}
    )
    return labels


def read_labels(*, now: dt.datetime) -> Mapping[str, Text]:
    """Give the names of what a read can disclose: data elements, and the fields of certificates."""

    on = timezone.localdate(now)

    def gather() -> dict[str, Text]:
        types = [packs.get_value(kind="licence_type", digest=r.digest) for r in _licence_types(on)]
        found = {one.code: one.name for kind in types for one in kind.fields}
        return found | {code: one.name for code, one in catalogue.get_dictionary(on=on).items()}

    return packs.derive("portal.read_labels", on=on, make=gather)


def _licence_types(on: dt.date) -> Iterable[Release]:
    return packs.list_current_releases(kind="licence_type", on=on)


def facts_of(
    *,
    answers: Iterable[AnswerView],
    code: str,
    now: dt.datetime,
    objectable: frozenset[str] = frozenset(),
    item_code: str = "",
) -> list[Fact]:
    """Write an application's facts for people: the dictionary's names, labels of codes, dates; keys of things are left out.

    ``objectable`` are the elements that the reader may say to be wrong.
    """
    dictionary = catalogue.get_dictionary(on=timezone.localdate(now))
    fields = fields_of_event(code=code, now=now, item_code=item_code)
    facts = []
    for answer in answers:
        element, one = dictionary.get(answer.element), fields.get(answer.element)
        if element is not None and element.type == "id":
            continue
        words = show(one, answer.value) if one is not None else told(element, answer.value)
        facts.append(
            Fact(
                element=answer.element if answer.element in objectable else "",
                term=element.name if element is not None else answer.element,
                value=words,
                source=answer.source_label,
                is_own=answer.source in {"applicant", "supplement"},
            )
        )
    return sorted(facts, key=lambda fact: not fact.is_own)


def fields_of_event(*, code: str, now: dt.datetime, item_code: str = "") -> dict[str, FormField]:
    """Give the fields of a life event's merged form, or of a single item's, by element; empty when it is no longer in force."""
    try:
        if not code and item_code:
            form = services.get_item_form(code=item_code, on=timezone.localdate(now)).form
            return {str(one.element): one for one in form.fields()}
    except (ItemMissing, FormMissing):
        return {}
    try:
        event = services.get_life_event(code=code, on=timezone.localdate(now))
    except LifeEventMissing:
        return {}
    return {str(one.element): one for one in services.get_composition(event=event).form.fields()}


def item_rows(*, code: str, on: dt.date) -> tuple[EventItemRow, ...]:
    """Give the services of a life event in its order. Raises `LifeEventMissing`."""
    found = services.get_life_event(code=code, on=on)
    departments = department_names()
    rows = []
    for entry in found.event.items:
        item = found.items.get(str(entry.item))
        if item is None:
            continue
        clock = item.clock.effective if item.clock is not None else None
        rows.append(
            EventItemRow(
                code=item.code,
                name=item.name.as_dict(),
                summary=item.summary.as_dict() if item.summary is not None else {},
                department=departments.get(item.department, item.department),
                days=clock.days if clock is not None else None,
                natural_days=clock is not None and clock.unit == "natural",
                needs=tuple(found.items[n].name.as_dict() for n in found.needs.get(item.code, ()) if n in found.items),
                result=item.result.name.as_dict(),
                required=entry.required,
                charged=item.fee.charged,
                visits=item.on_site_visits,
            )
        )
    return tuple(rows)


def reads_page(*, person_id: UUID | None, before: dt.datetime | None, with_own: bool) -> tuple[list[ReadOfPerson], str]:
    """Give a page of who read a person's data, newest first, and the time that asks for the next page (empty at the end).

    A person's own looks are many: without them, the log is read on until a page of others' is full, at most some hundred lines.
    """
    if person_id is None:
        return [], ""
    shown: list[ReadOfPerson] = []
    for _round in range(MOST_ROUNDS):
        found = audit.list_reads_of_person(person_id=person_id, limit=READ_AT_ONCE, before=before)
        for read in found:
            if with_own or not read.by_self:
                shown.append(read)
            before = read.at
            if len(shown) == READS_A_PAGE:
                return shown, before.isoformat() if read is not found[-1] or len(found) == READ_AT_ONCE else ""
        if len(found) < READ_AT_ONCE:
            return shown, ""
    return shown, before.isoformat() if before is not None else ""
