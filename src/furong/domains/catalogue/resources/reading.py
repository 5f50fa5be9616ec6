"""The resources of a pack read together with its dictionary: what each item is, and who supplies which element."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from furong.domains.catalogue.resources.builtin import providers_of
from furong.domains.catalogue.resources.values import (
    TYPES_OF,
    ClassItem,
    ClassKind,
    ClassList,
    ItemType,
    Openness,
    OpenTerms,
    Provider,
    Resource,
    ResourceItem,
    Sharing,
    SharingType,
)
from furong.domains.catalogue.values import DataElement, Dictionary, ElementGroup, Sensitivity
from furong.foundation.packs.values import Frame, Pack, Text

Fields = Mapping[tuple[str, str], tuple[DataElement, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedItem:
    """An item with what its element and its resource say about it."""

    item: ResourceItem
    name: Text
    type: ItemType
    length: int | None
    elements: tuple[str, ...]
    source_of: tuple[str, ...]
    sensitivity: Sensitivity
    sharing: Sharing
    openness: OpenTerms

    @property
    def code(self) -> str:
        return self.item.code

    @property
    def is_sensitive(self) -> bool:
        """Whether it tells something about a person."""
        return self.sensitivity in {Sensitivity.PERSONAL, Sensitivity.SENSITIVE}


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedResource:
    """A resource with its provider bound and its items resolved; ``number`` is empty when its class is unknown."""

    resource: Resource
    provider: Provider
    number: str
    items: tuple[ResolvedItem, ...]

    @property
    def code(self) -> str:
        return self.resource.code


@dataclass(frozen=True, slots=True)
class Supply:
    """One item that carries an element; ``is_source`` when it is the element's authoritative source."""

    resource: ResolvedResource
    item: ResolvedItem
    is_source: bool


class Catalog:
    """All resources of a pack. Reading it is pure; about 20 ms for a thousand resources."""

    def __init__(
        self,
        *,
        frame: Frame,
        resources: Mapping[str, Resource],
        classes: Iterable[ClassList],
        dictionary: Dictionary,
    ) -> None:
        self.dictionary = dictionary
        self.class_items: dict[tuple[ClassKind, str], ClassItem] = {
            (ClassKind(one.code), item.item): item for one in classes for item in one.items
        }
        self._providers = providers_of(frame)
        self._fields = _fields_of(dictionary)
        self.resources: dict[str, ResolvedResource] = {
            code: self.resolve(resource) for code, resource in sorted(resources.items())
        }
        self.supply: dict[str, list[Supply]] = {}
        for resolved in self.resources.values():
            for item in resolved.items:
                for element in item.elements:
                    self.supply.setdefault(element, []).append(Supply(resolved, item, element in item.source_of))

    def resolve(self, resource: Resource) -> ResolvedResource:
        """Give a resource with its provider bound and its items resolved against the dictionary."""
        provider = self._providers.get(resource.provider.role, resource.provider)
        return ResolvedResource(
            resource=resource,
            provider=provider,
            number=self.number_of(resource),
            items=tuple(self._item(resource, provider, item) for item in resource.items),
        )

    def number_of(self, resource: Resource) -> str:
        """Give the derived resource code, empty when class or group is not known."""
        found = self.class_items.get((resource.class_.kind, resource.class_.item))
        if found is None or not any(group.code == resource.class_.group for group in found.groups):
            return ""
        return resource.class_.number(found.number)

    def sources(self, element: str) -> list[Supply]:
        """List the items that are the source of an element; more than one is refused by the check."""
        return [one for one in self.supply.get(element, []) if one.is_source]

    def _item(self, resource: Resource, provider: Provider, item: ResourceItem) -> ResolvedItem:
        elements: dict[str, DataElement | None] = {str(code): self.dictionary.get(str(code)) for code in item.elements}
        if resource.register:
            for element in self._fields.get((resource.register, item.field or item.code), ()):
                elements.setdefault(element.code, element)
        known = [element for element in elements.values() if element is not None]
        first = known[0] if known else None
        name = item.name or (first.name if first is not None else Text((("zh", item.code),)))
        type_ = item.type or (TYPES_OF[first.type][0] if first is not None else ItemType.TEXT)
        sensitivity = max((e.sensitivity for e in known), key=list(Sensitivity).index, default=Sensitivity.INTERNAL)
        if item.sensitive is True:
            sensitivity = max(sensitivity, Sensitivity.PERSONAL, key=list(Sensitivity).index)
        elif item.sensitive is False and not known:
            sensitivity = Sensitivity.PUBLIC
        return ResolvedItem(
            item=item,
            name=name,
            type=type_,
            length=item.length or (first.max_length if first is not None else None),
            elements=tuple(elements),
            source_of=tuple(e.code for e in known if _is_source(item, provider, e)),
            sensitivity=sensitivity,
            sharing=item.sharing or resource.sharing,
            openness=item.openness or resource.openness,
        )


def _is_source(item: ResourceItem, provider: Provider, element: DataElement) -> bool:
    if item.source is not None:
        return item.source
    return element.source.is_held and element.owner == provider.department


def _fields_of(dictionary: Dictionary) -> Fields:
    found: dict[tuple[str, str], list[DataElement]] = {}
    for element in dictionary.values():
        if element.source.kind in {"register", "platform"}:
            found.setdefault((element.source.name, element.source.field), []).append(element)
    return {key: tuple(elements) for key, elements in found.items()}


_kept: list[tuple[Pack, Catalog]] = []


def catalog_of(pack: Pack) -> Catalog:
    """Give the catalogue of a pack that was read; the last one is kept, for several checks ask for it."""
    if _kept and _kept[0][0] is pack:
        return _kept[0][1]
    groups: Mapping[str, ElementGroup] = pack.values("data_element")
    found = Catalog(
        frame=pack.frame,
        resources=pack.values("resource"),
        classes=pack.values("resource_class").values(),
        dictionary=Dictionary(e for _, group in sorted(groups.items()) for e in group.elements),
    )
    _kept[:] = [(pack, found)]
    return found


def narrower_sharing(item: SharingType, resource: SharingType) -> bool:
    """Say whether an item's own sharing type is narrower than its resource's, or the same."""
    return item.rank >= resource.rank


def narrower_openness(item: Openness, resource: Openness) -> bool:
    """Say whether an item's own openness is narrower than its resource's, or the same."""
    return item.rank >= resource.rank
