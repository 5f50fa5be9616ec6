"""Rooms above that depend on resources say so here, so that a change can be shown to those it touches before it is published."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

from furong.foundation.packs.values import Pack, Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Affected:
    """Something that a change touches. ``kind``: form, item, life_event, resource, grant …; ``elements``: by which."""

    kind: str
    code: str
    name: Text
    elements: tuple[str, ...] = ()


Dependents = Callable[[Pack, frozenset[str]], Iterable[Affected]]
_dependents: dict[str, Dependents] = {}


def register_dependents(name: str, find: Dependents) -> None:
    """Add a function that finds what of a room depends on data elements; a second one of the same name replaces it."""
    _dependents[name] = find


def dependents(pack: Pack, elements: frozenset[str]) -> list[Affected]:
    """Give everything of the rooms above that depends on the elements."""
    return [one for name in sorted(_dependents) for one in _dependents[name](pack, elements)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceName:
    """A service item that data may be asked for: its code, name and the department that handles it."""

    code: str
    name: Text
    department: str


Services = Callable[[date], Iterable[ServiceName]]
_services: list[Services] = []


def name_services_by(find: Services) -> None:
    """Let ``find`` list the service items in force on a day; the room above knows."""
    _services[:] = [find]


def services_of(*, department: str, on: date) -> tuple[ServiceName, ...]:
    """Give the service items of a department in force on the local day ``on``, by code; none while no room offers services."""
    every = [one for find in _services for one in find(on)]
    return tuple(sorted((one for one in every if one.department == department), key=lambda one: one.code))
