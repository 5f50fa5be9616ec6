"""What a pack says about its invented residents: names, places and people, read from its folder ``demo``."""

from __future__ import annotations

import csv
from bisect import bisect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Any

import yaml

from ..errors import DemoContentError

GENERATIONS = ("born_until_1965", "born_until_1985", "born_until_2005", "born_later")


@dataclass(frozen=True, slots=True)
class Weighted:
    """Values to draw from by weight."""

    values: tuple[str, ...]
    bounds: tuple[float, ...]

    @classmethod
    def of(cls, weights: Mapping[str, float]) -> Weighted:
        """Take values with their weights."""
        return cls(tuple(weights), tuple(accumulate(float(one) for one in weights.values())))

    def draw(self, random: Random) -> str:
        """Draw one value."""
        return self.values[bisect(self.bounds, random.random() * self.bounds[-1])]


@dataclass(frozen=True, slots=True)
class Place:
    """A village or community: its 12-digit code, its address up to itself, and how addresses there end."""

    code: str
    address: str
    endings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedPerson:
    """A person whom the demo's accounts and stories know by a key."""

    key: str
    name: str
    sex: str
    ethnicity: str
    born_on: date
    spouse: str = ""
    married_on: date | None = None
    mother: str = ""
    father: str = ""
    children: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NamedHousehold:
    """A household of named people, the head first."""

    division: str
    address: str
    members: tuple[NamedPerson, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """All that residents are made of."""

    surnames: Mapping[str, Weighted]  # by ethnic group; "default" for the others
    given: Mapping[str, Mapping[str, str]]  # by generation and sex: single characters
    ethnicities: Mapping[str, Weighted]  # by prefix of the division
    places: Sequence[Place]
    households: Sequence[NamedHousehold] = field(repr=False)

    def ethnicities_of(self, division: str) -> Weighted:
        """Return the shares of the longest prefix that the pack knows."""
        for length in range(len(division), 0, -1):
            if division[:length] in self.ethnicities:
                return self.ethnicities[division[:length]]
        return self.ethnicities["default"]


def read_content(pack: Path) -> Content:
    """Read ``demo/names.yaml``, ``demo/places.csv`` and ``demo/people.yaml``. Raises `DemoContentError`."""
    folder = pack / "demo"
    try:
        names = yaml.safe_load((folder / "names.yaml").read_text("utf-8"))
        people = yaml.safe_load((folder / "people.yaml").read_text("utf-8"))
        places = _places(folder / "places.csv", names["addresses"])
        return Content(
            surnames={str(k): Weighted.of(v) for k, v in names["surnames"].items()},
            given=names["given"],
            ethnicities={str(k): Weighted.of(v) for k, v in names["ethnicities"].items()},
            places=places,
            households=_households(people["households"], {place.code: place for place in places}),
        )
    except (OSError, KeyError, TypeError, ValueError, yaml.YAMLError) as exc:
        raise DemoContentError(f"The pack's demo folder cannot be read: {type(exc).__name__}: {exc}") from exc


def _places(path: Path, endings: Mapping[str, Sequence[str]]) -> list[Place]:
    places: list[Place] = []
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            for village in row["villages"].split("|"):
                kind = "community" if village.endswith("社区") else "village"
                places.append(Place(row["town"] + village[:3], row["address"] + village[3:], tuple(endings[kind])))
    return places


def _households(found: Sequence[Mapping[str, Any]], places: Mapping[str, Place]) -> list[NamedHousehold]:
    households = []
    for one in found:
        place = places.get(str(one["division"]))
        if place is None:
            raise ValueError(f"people.yaml names the division {one['division']}, which places.csv lacks")
        members = tuple(
            _named_person({k: tuple(v) if isinstance(v, list) else v for k, v in member.items()})
            for member in one["members"]
        )
        households.append(NamedHousehold(place.code, f"{place.address}{one['address']}", members))
    return households


def _named_person(fields: dict[str, Any]) -> NamedPerson:
    return NamedPerson(**fields)
