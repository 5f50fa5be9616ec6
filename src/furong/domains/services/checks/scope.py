"""What a check looks at: the pack with its dictionary, and how findings are made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from furong.domains.catalogue.kinds import dictionary_of
from furong.domains.catalogue.resources.reading import Catalog, catalog_of
from furong.domains.catalogue.values import Dictionary
from furong.domains.services.values.forms import Form
from furong.domains.services.values.implementations import Override
from furong.domains.services.values.items import Item
from furong.domains.services.values.life_events import LifeEvent
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
        return self.pack.values("item")

    @cached_property
    def forms(self) -> Mapping[str, Form]:
        return self.pack.values("form")

    @cached_property
    def events(self) -> Mapping[str, LifeEvent]:
        return self.pack.values("life_event")

    @cached_property
    def overrides(self) -> Mapping[str, Override]:
        return self.pack.values("implementation")

    def shown(self, kind: str, code: str) -> str:
        found = self.pack.find(kind, code)
        return found.shown if found is not None else self.pack.frame.code

    def events_with(self, item_code: str) -> list[LifeEvent]:
        return [e for e in self.events.values() if item_code in e.item_codes()]

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
