"""What a check looks at: the pack with its dictionary, and how findings are made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from furong.domains.catalogue.kinds import dictionary_of
from furong.domains.catalogue.resources.reading import Catalog, catalog_of
from furong.domains.catalogue.values import Dictionary
from furong.domains.services.values.clusters import Cluster
from furong.domains.services.values.forms import Form
from furong.domains.services.values.implementations import Body, Override
from furong.domains.services.values.items import Item
from furong.domains.services.values.life_events import LifeEvent
from furong.domains.services.values.shapes import Shape, build_form, complete
from furong.foundation.organizations.loading import expand
from furong.foundation.organizations.values import Level
from furong.foundation.packs.values import Finding, Pack, Severity, Text, both

# Findings that a file of the dictionary which could not be read would cause everywhere.
_FOLLOW_FROM_THE_DICTIONARY = frozenset(
    {"element.unknown", "feel.name", "feel.element", "process.element_unknown", "material.source"}
)
_known_handlers: list[Callable[[], Iterable[str]]] = []


def use_handlers(names: Callable[[], Iterable[str]] | None) -> None:
    """Tell the checks which handlers exist (`entrypoints.wiring` does); without it handlers are not checked."""
    _known_handlers[:] = [] if names is None else [names]


def known_handlers() -> frozenset[str] | None:
    """Give the names of the handlers that processes may call, None when nobody said."""
    return frozenset(_known_handlers[0]()) if _known_handlers else None


@dataclass
class Scope:
    """A pack under check. Findings gather in ``findings``."""

    pack: Pack
    findings: list[Finding] = field(default_factory=list)

    @cached_property
    def dictionary(self) -> Dictionary:
        return dictionary_of(self.pack)

    @cached_property
    def catalog(self) -> Catalog:
        """The information resources of the pack, and who supplies which element."""
        return catalog_of(self.pack)

    @cached_property
    def dictionary_is_whole(self) -> bool:
        """Whether every file of the dictionary could be read."""
        return all(f.value is not None for f in self.pack.files if f.kind == "data_element")

    @cached_property
    def roles(self) -> frozenset[str]:
        """The first parts of all element codes: ``mother``, ``newborn`` …"""
        return frozenset(code.split(".")[0] for code in self.dictionary)

    @cached_property
    def items(self) -> Mapping[str, Item]:
        """The items, completed by their shapes."""
        found: dict[str, Item] = self.pack.values("item")
        return {
            code: complete(item, self.shapes[item.shape])
            if item.shape is not None and item.shape in self.shapes
            else item
            for code, item in found.items()
        }

    @cached_property
    def by_basic_code(self) -> Mapping[str, list[Item]]:
        found: dict[str, list[Item]] = {}
        for _, item in sorted(self.items.items()):
            found.setdefault(item.basic_code, []).append(item)
        return found

    @cached_property
    def shapes(self) -> Mapping[str, Shape]:
        return self.pack.values("shape")

    @cached_property
    def clusters(self) -> Mapping[str, Cluster]:
        return self.pack.values("cluster")

    @cached_property
    def forms(self) -> Mapping[str, Form]:
        """The forms of files, and those that shapes build."""
        return {**self._built, **self.pack.values("form")}

    @cached_property
    def _built(self) -> Mapping[str, Form]:
        return {
            code: build_form(item, self.shapes[item.shape], self.dictionary, file=self.shown("item", code))
            for code, item in self.items.items()
            if item.shape is not None and item.shape in self.shapes
        }

    @cached_property
    def bodies(self) -> Mapping[str, tuple[Body, ...]]:
        """The organisations that the pack's patterns give, by department."""
        lines = [line for f in self.pack.of("division").values() for line in f.value]
        found: dict[str, list[Body]] = {}
        for one in expand(departments=self.pack.values("organization"), divisions=lines):
            found.setdefault(one.department, []).append(
                Body(code=one.code, department=one.department, division_code=one.division_code, level=str(one.level))
            )
        return {department: tuple(some) for department, some in found.items()}

    @cached_property
    def events(self) -> Mapping[str, LifeEvent]:
        return self.pack.values("life_event")

    @cached_property
    def overrides(self) -> Mapping[str, Override]:
        return self.pack.values("implementation")

    @cached_property
    def _shown(self) -> Mapping[tuple[str, str], str]:
        return {(f.kind, f.code): f.shown for f in self.pack.files if f.value is not None}

    @cached_property
    def provinces(self) -> frozenset[str]:
        """The pack's divisions at the top: who speaks for one of them speaks for all."""
        lines = [line for f in self.pack.of("division").values() for line in f.value]
        return frozenset(line.code for line in lines if line.level <= Level.PROVINCE)

    def is_local(self, override: Override) -> bool:
        """Say whether an override speaks for a part only, which may set what the province allows."""
        where = override.where
        return where.organization is not None or (where.division is not None and where.division not in self.provinces)

    def shown(self, kind: str, code: str) -> str:
        """Give the file of a definition; a form that a shape builds is its item's."""
        found = self._shown.get((kind, code)) or (self._shown.get(("item", code)) if kind == "form" else None)
        return found or self.pack.frame.code

    @cached_property
    def _events_by_item(self) -> Mapping[str, list[LifeEvent]]:
        found: dict[str, list[LifeEvent]] = {}
        for event in self.events.values():
            for code in event.item_codes():
                found.setdefault(code, []).append(event)
        return found

    def events_with(self, item_code: str) -> list[LifeEvent]:
        return self._events_by_item.get(item_code, [])

    def add(
        self,
        file: str,
        line: int,
        element: str,
        rule: str,
        message: tuple[str, str],
        mend: tuple[str, str],
        *,
        severity: Severity = Severity.ERROR,
    ) -> None:
        if rule in _FOLLOW_FROM_THE_DICTIONARY and not self.dictionary_is_whole:
            return
        text: Text = both(*message)
        self.findings.append(
            Finding(file=file, line=line, element=element, rule=rule, message=text, mend=both(*mend), severity=severity)
        )
