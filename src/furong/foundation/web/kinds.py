"""The kind of definitions that the frame owns: ``sites/CODE.yaml``, what a site is called. A place's name is pack content."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from furong.foundation.packs.values import (
    CODE,
    Kind,
    MapOf,
    Text,
    Texts,
    optional,
    record,
    register_kind,
    required,
    yaml_parse,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What a site is called, and the line under its name."""

    code: str
    name: Text
    tagline: Text | None = None
    notice: Text | None = None  # shown on every page, for example that all data are invented
    line: int = field(default=0, compare=False)


SITE = MapOf(
    {
        "code": required(CODE),
        "name": required(Texts(max_length=60)),
        "tagline": optional(Texts(max_length=60)),
        "notice": optional(Texts(max_length=300)),
    },
    build=record(Site),
)

register_kind(
    Kind(name="site", folder="sites", parse=yaml_parse(SITE), in_force_from=lambda _site: date(2000, 1, 1), order=20)
)
