"""Implementation lists: a basic item, an organisation selector, and what the organisation sets for itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from furong.domains.services.values.items import LEVELS, LOCAL, OVERRIDABLE, Item
from furong.foundation.packs.values import (
    CODE,
    MapOf,
    OneOf,
    Parsed,
    Ref,
    RefTo,
    Report,
    Str,
    both,
    optional,
    record,
    required,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """For which organisations: of a division and all below it, of a level, of a department's role, or one by its code."""

    division: str | None = None
    department: str | None = None
    organization: str | None = None
    level: str | None = None
    line: int = field(default=0, compare=False)

    def matches(self, *, division_code: str, department: str, organization_code: str, level: str = "") -> bool:
        """Say whether an organisation is meant. One of unknown level is never meant by level."""
        return (
            (self.level is None or self.level == level)
            and (self.division is None or is_within(division_code, self.division))
            and (self.department is None or self.department == department)
            and (self.organization is None or self.organization == organization_code)
        )

    @property
    def rank(self) -> tuple[int, int, int, int]:
        """Order of laying over: wider divisions first, then levels, departments, then single organisations."""
        return (
            int(self.organization is not None),
            len(_stem(self.division or "")),
            int(self.level is not None),
            int(self.department is not None),
        )


def _stem(division_code: str) -> str:
    """The digits of a division code (GB/T 2260, or 9 and 12 digits) that its divisions share: 430200 gives 4302."""
    code = division_code
    while len(code) > 6 and code.endswith("000"):
        code = code[:-3]
    while len(code) > 0 and len(code) <= 6 and len(code) % 2 == 0 and code.endswith("00"):
        code = code[:-2]
    return code


def is_within(division_code: str, ancestor: str) -> bool:
    """Say whether a division is ``ancestor`` or lies in it."""
    return division_code.startswith(_stem(ancestor))


# What an organisation may set for all its items at once: where they are handled, and how one gets there.
GENERAL = ("places", "consult", "complaint", "appointment", "self_service", "express")


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """A file ``implementations/CODE.yaml``: what organisations set for an item, or without one for all of theirs.

    Absent keys follow the basic item.
    """

    code: str
    where: Selector
    set: dict[str, Any]
    item: Ref | None = None
    line: int = field(default=0, compare=False)
    lines: dict[str, int] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """An organisation that may do items, as implementation lists need it."""

    code: str
    department: str
    division_code: str
    level: str


def does(item: Item, body: Body) -> bool:
    """Say whether a body does an item: of its department, at one of its levels, in one of its divisions."""
    return (
        body.department == item.department
        and body.level in item.levels
        and (not item.divisions or any(is_within(body.division_code, one) for one in item.divisions))
    )


def lists_of(item: Item, bodies: Mapping[str, Sequence[Body]]) -> Iterator[Body]:
    """Give the bodies that do an item, of all bodies by department: each is one implementation list."""
    return (body for body in bodies.get(item.department, ()) if does(item, body))


@dataclass(frozen=True, slots=True, kw_only=True)
class ImplementationList:
    """An item as one organisation does it: the basic item with overrides laid over it, the narrowest winning.

    ``applied`` names the overrides; ``own`` says which override set each field.
    """

    item: Item
    division_code: str
    department: str
    organization_code: str = ""
    level: str = ""
    applied: tuple[str, ...] = ()
    own: tuple[tuple[str, str], ...] = ()


def allowed_to(item: Item) -> tuple[str, ...]:
    """Give what the province lets lower bodies set for an item."""
    return LOCAL if item.local is None else item.local


def implement(
    item: Item,
    overrides: Iterable[Override],
    *,
    division_code: str,
    organization_code: str = "",
    department: str | None = None,
    level: str = "",
) -> ImplementationList:
    """Lay the overrides that concern an organisation over a basic item.

    A wider division's is laid first, so that a county's own setting stays when the province or the basic item changes the field.
    """
    department = department or item.department
    matching = sorted(
        (
            o
            for o in overrides
            if (o.item is None or o.item == item.code)
            and o.where.matches(
                division_code=division_code, department=department, organization_code=organization_code, level=level
            )
        ),
        key=lambda o: (o.where.rank, o.item is not None, o.code),
    )
    own: dict[str, str] = {}
    changes: dict[str, Any] = {}
    for override in matching:
        for name, value in override.set.items():
            if override.item is None and name not in allowed_to(item):
                continue
            changes[name] = value
            own[name] = override.code
    if not changes:
        return ImplementationList(
            item=item,
            division_code=division_code,
            department=department,
            organization_code=organization_code,
            level=level,
        )
    promised = changes.pop("promised", None)
    if promised is not None and item.clock is not None:
        changes["clock"] = replace(item.clock, promised=promised)
    known = {f.name for f in fields(Item)}
    changed = replace(item, **{k: v for k, v in changes.items() if k in known})
    return ImplementationList(
        item=changed,
        division_code=division_code,
        department=department,
        organization_code=organization_code,
        level=level,
        applied=tuple(o.code for o in matching),
        own=tuple(sorted(own.items())),
    )


def _check_selector(parsed: Parsed, report: Report, path: str) -> None:
    if not any(parsed.get(k) for k in ("division", "department", "organization", "level")):
        report.add(
            parsed.line,
            path,
            "implementation.no_selector",
            both("没有写明适用的机关。", "It does not say for which organisations it is."),
            both(
                "请写明 division、level、department 或 organization。",
                "Name a division, a level, a department or an organization.",
            ),
        )


def _build(parsed: Parsed) -> Override:
    chosen: Parsed = parsed["set"]
    values = {
        k: tuple(v) if isinstance(v, list) else v for k, v in chosen.items() if k in chosen.lines and v is not None
    }
    made: Override = record(Override)(Parsed({**parsed, "set": values}, line=parsed.line, lines=parsed.lines))
    return made


OVERRIDE = MapOf(
    {
        "code": required(Str(pattern=r"[a-z0-9][a-z0-9_.-]{0,63}")),
        "item": optional(RefTo(pattern=r"[a-z][a-z0-9_]*")),
        "where": required(
            MapOf(
                {
                    "division": optional(Str(pattern=r"[0-9A-Za-z.-]{1,20}")),
                    "department": optional(CODE),
                    "organization": optional(Str(max_length=40)),
                    "level": optional(OneOf(values=tuple(LEVELS))),
                },
                check=_check_selector,
                build=record(Selector),
            )
        ),
        "set": required(MapOf(OVERRIDABLE)),
    },
    build=_build,
)
