"""What a new version of a resource changes, and whom that touches. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from furong.domains.catalogue.grants.touching import touched_grants
from furong.domains.catalogue.ports import Affected, dependents
from furong.domains.catalogue.resources.reading import Catalog, ResolvedItem, ResolvedResource
from furong.foundation.packs.values import Pack


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that differs: ``what`` is a key of the resource, or of the item ``item``; with its values before and after."""

    what: str
    item: str = ""
    before: str = ""
    after: str = ""
    hurts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change with everything it touches; ``elements`` are those that readers lose or get otherwise."""

    differences: tuple[Difference, ...]
    elements: frozenset[str]
    affected: tuple[Affected, ...]


def compare(before: ResolvedResource, after: ResolvedResource) -> tuple[tuple[Difference, ...], frozenset[str]]:
    """Give what differs between two versions, and the elements that whoever uses the resource would miss or get otherwise.

    It hurts when an item goes, changes its type or length, or carries another element, and when terms become narrower.
    """
    found: list[Difference] = []
    lost: set[str] = set()
    old, new = before.resource, after.resource
    narrower = new.sharing.type.rank > old.sharing.type.rank
    for what, was, now, hurts in (
        ("name", old.name.primary, new.name.primary, False),
        ("summary", old.summary.primary, new.summary.primary, False),
        ("number", before.number, after.number, False),
        ("provider", before.provider.department, after.provider.department, True),
        ("sharing", old.sharing.type.value, new.sharing.type.value, narrower),
        ("condition", str(old.sharing.condition or ""), str(new.sharing.condition or ""), True),
        ("methods", "、".join(old.sharing.methods), "、".join(new.sharing.methods), True),
        ("openness", old.openness.type.value, new.openness.type.value, new.openness.type.rank > old.openness.type.rank),
        ("cycle", old.cycle.value, new.cycle.value, _slower(old.cycle.rank, new.cycle.rank)),
        ("format", old.format.format, new.format.format, False),
    ):
        if was != now:
            found.append(Difference(what=what, before=was, after=now, hurts=hurts))
            if hurts and what in {"provider", "sharing", "condition", "methods"}:
                lost |= {code for item in before.items for code in item.elements}
    items = {item.code: item for item in after.items}
    for item in before.items:
        same = items.pop(item.code, None)
        if same is None:
            found.append(Difference(what="removed", item=item.code, before=item.name.primary, hurts=True))
            lost |= set(item.elements)
            continue
        for one in _of_item(item, same):
            found.append(one)
            if one.hurts:
                lost |= set(item.elements)
    found += [Difference(what="added", item=code, after=item.name.primary) for code, item in items.items()]
    return tuple(found), frozenset(lost)


def _slower(before: int | None, after: int | None) -> bool:
    return after is None or (before is not None and after > before)


def _of_item(before: ResolvedItem, after: ResolvedItem) -> Iterable[Difference]:
    for what, was, now, hurts in (
        ("name", before.name.primary, after.name.primary, False),
        ("type", before.type.value, after.type.value, True),
        ("length", str(before.length or ""), str(after.length or ""), (after.length or 0) < (before.length or 0)),
        (
            "elements",
            "、".join(before.elements),
            "、".join(after.elements),
            not set(before.elements) <= set(after.elements),
        ),
        ("source", "、".join(before.source_of), "、".join(after.source_of), False),
        (
            "sharing",
            before.sharing.type.value,
            after.sharing.type.value,
            after.sharing.type.rank > before.sharing.type.rank,
        ),
        (
            "openness",
            before.openness.type.value,
            after.openness.type.value,
            after.openness.type.rank > before.openness.type.rank,
        ),
    ):
        if was != now:
            yield Difference(what=what, item=before.code, before=was, after=now, hurts=hurts)


def affected_by(*, pack: Pack, catalog: Catalog, before: ResolvedResource, after: ResolvedResource) -> Change:
    """Give what a change of a resource would touch: forms and services by their elements, grants, other resources.

    ``pack`` and ``catalog`` hold everything as it would be. Resources are touched when they are related, refer to an element
    whose source it is, or come from the same register.
    """
    differences, lost = compare(before, after)
    if not differences:
        return Change(differences=(), elements=frozenset(), affected=())
    touched: dict[str, tuple[str, ...]] = {}
    sources = {code for item in before.items for code in item.source_of}
    for code, other in catalog.resources.items():
        if code == after.code:
            continue
        shared = sorted({e for item in other.items for e in item.elements if e in lost and e in sources})
        is_related = after.code in {str(one) for one in other.resource.related}
        if shared or (is_related and any(one.hurts for one in differences)):
            touched[code] = tuple(shared)
    resources = [
        Affected(kind="resource", code=code, name=catalog.resources[code].resource.name, elements=elements)
        for code, elements in sorted(touched.items())
    ]
    above = dependents(pack, lost & frozenset(sources)) if lost else []
    hurt = [one for one in differences if one.hurts]
    grants = touched_grants(
        resource_code=after.code, items=[one.item for one in hurt], whole=any(not one.item for one in hurt)
    )
    return Change(differences=differences, elements=lost, affected=(*above, *grants, *resources))
