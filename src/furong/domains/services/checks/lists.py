"""Implementation lists: each item is done by somebody, and nobody sets for themselves what the province keeps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from furong.domains.services.checks.limits import promised_within
from furong.domains.services.checks.scope import Scope
from furong.domains.services.values.implementations import GENERAL, Body, Override, allowed_to, implement, lists_of
from furong.domains.services.values.items import LEVELS, Item
from furong.foundation.packs.values import Severity


def check_lists(scope: Scope) -> None:
    """Find items that no body does, settings that the province does not allow, and settings for bodies that are none.

    Each implementation list is computed; those that the same settings make are checked once. About 1 s for 30,000 lists.
    """
    used: set[str] = set()
    by_item: dict[str | None, list[Override]] = {}
    for override in scope.overrides.values():
        by_item.setdefault(None if override.item is None else str(override.item), []).append(override)
    general = {
        body.code: tuple(_matching(body, by_item.get(None, ()))) for some in scope.bodies.values() for body in some
    }
    for code, item in scope.items.items():
        own = by_item.get(code, [])
        for override in own:
            _allowed(scope, item, override)
        _lists(scope, item, own, general, used)
    for code, override in scope.overrides.items():
        _override(scope, code, override, used)


def _lists(
    scope: Scope, item: Item, own: list[Override], general: Mapping[str, tuple[Override, ...]], used: set[str]
) -> None:
    if not scope.bodies:
        return
    file, made = scope.shown("item", item.code), 0
    seen: set[tuple[str, ...]] = set()
    for body in lists_of(item, scope.bodies):
        made += 1
        matching = (*general[body.code], *_matching(body, own)) if own else general[body.code]
        if (codes := tuple(o.code for o in matching)) not in seen:
            seen.add(codes)
            used.update(codes)
            _one(scope, item, body, matching, file)
    if not made and item.department in scope.pack.of("organization"):
        levels = "、".join(LEVELS[level].pick("zh") for level in item.levels)
        scope.add(
            file,
            item.line_of("levels"),
            "levels",
            "item.nobody",
            (
                f"{levels}没有 {item.department} 的机关，事项无人实施。",
                f"No body of {item.department} is at the levels {', '.join(item.levels)}; nobody does the item.",
            ),
            ("请改正 levels、department 或 divisions。", "Correct levels, department or divisions."),
        )


def _matching(body: Body, overrides: Iterable[Override]) -> Iterator[Override]:
    for one in overrides:
        if one.where.matches(
            division_code=body.division_code, department=body.department, organization_code=body.code, level=body.level
        ):
            yield one


def _one(scope: Scope, item: Item, body: Body, matching: tuple[Override, ...], file: str) -> None:
    """One list of those that the same settings make: its clock as it comes out."""
    found = implement(
        item, matching, division_code=body.division_code, organization_code=body.code, level=body.level
    ).item
    if found.clock is not None and found.clock.promised is not None and item.clock is not None:
        own = next((o for o in reversed(matching) if "promised" in o.set), None)
        if own is not None and item.clock.promised is not None and scope.is_local(own):
            mine, common = found.clock.promised, item.clock.promised
            if mine.certainly_exceeds(common):
                scope.add(
                    scope.shown("implementation", own.code),
                    mine.line,
                    "set.promised",
                    "implementation.promised_longer",
                    (
                        f"承诺 {mine.days} 日比全省承诺的 {common.days} 日长（{file}）。",
                        f"{mine.days} days is longer than the {common.days} that the province promises ({file}).",
                    ),
                    ("请缩短承诺时限。", "Promise no longer than the province does."),
                )


def _allowed(scope: Scope, item: Item, override: Override) -> None:
    """A part of the province sets only what the basic item leaves to it (an override for all items skips the others)."""
    if override.item is None or not scope.is_local(override):
        return
    fee = override.set.get("fee")
    for key in override.set:
        if key in allowed_to(item) or (key == "fee" and fee is not None and fee.charged and not item.fee.charged):
            continue
        scope.add(
            scope.shown("implementation", override.code),
            override.lines.get("set", override.line),
            f"set.{key}",
            "implementation.not_allowed",
            (
                f"省级事项 {item.code} 没有允许下级自行规定 {key}。",
                f"The province does not let others set {key} of the item {item.code}.",
            ),
            (
                f"请删除；可以规定：{'、'.join(allowed_to(item)) or '无'}。",
                f"Remove it; what may be set: {', '.join(allowed_to(item)) or 'nothing'}.",
            ),
        )


def _override(scope: Scope, code: str, override: Override, used: set[str]) -> None:
    file = scope.shown("implementation", code)
    item = scope.items.get(override.item) if override.item is not None else None
    if override.item is None:
        for key in override.set:
            if key not in GENERAL:
                scope.add(
                    file,
                    override.lines.get("set", override.line),
                    f"set.{key}",
                    "implementation.not_general",
                    (f"{key} 只能逐个事项规定。", f"{key} is set item by item."),
                    (
                        f"请写明 item:；对全部事项可以规定：{'、'.join(GENERAL)}。",
                        f"Name the item:; for all items there are {', '.join(GENERAL)}.",
                    ),
                )
    elif item is None:
        if not scope.pack.knows("item", override.item):
            scope.add(
                file,
                override.item.line,
                "item",
                "implementation.item_unknown",
                (f"没有事项 {override.item}。", f"There is no item {override.item}."),
                ("请改正事项代码。", "Correct the item's code."),
            )
        return
    if item is not None:
        _values(scope, file, item, override)
    if scope.bodies and code not in used:
        scope.add(
            file,
            override.where.line,
            "where",
            "implementation.matches_nobody",
            ("没有机关符合这个范围。", "No body is meant by it."),
            ("请改正 where:。", "Correct where:."),
            severity=Severity.WARNING,
        )


def _values(scope: Scope, file: str, item: Item, override: Override) -> None:
    promised = override.set.get("promised")
    if promised is not None and item.clock is not None:
        promised_within(scope, promised, item.clock.statutory, file, "set.promised")
    fee = override.set.get("fee")
    if fee is not None and fee.charged and not item.fee.charged:
        scope.add(
            file,
            fee.line,
            "set.fee",
            "implementation.fee",
            (
                "基本事项不收费，下级不得设立收费。",
                "The basic item is free; an organisation may not charge for it.",
            ),
            ("请删除收费。", "Remove the fee."),
        )
