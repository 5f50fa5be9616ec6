"""Life events: items that exist, needs that do not go round, one form without conflict."""

from __future__ import annotations

from furong.domains.services.checks.scope import Scope
from furong.domains.services.values.life_events import LifeEvent, compose, find_cycle, needs_of
from furong.foundation.packs.values import Severity


def check_life_events(scope: Scope) -> None:
    """Find unknown items, items that wait for each other, and forms that cannot be merged."""
    for code, event in scope.events.items():
        file = scope.shown("life_event", code)
        for one in event.items:
            if not scope.pack.knows("item", one.item):
                scope.add(
                    file,
                    one.item.line,
                    one.item,
                    "life_event.item_unknown",
                    (f"没有事项 {one.item}。", f"There is no item {one.item}."),
                    ("请改正事项代码。", "Correct the item's code."),
                )
            for needed in one.needs:
                if needed not in event.item_codes():
                    scope.add(
                        file,
                        needed.line,
                        needed,
                        "life_event.needs_unknown",
                        (f"本件事没有事项 {needed}。", f"The life event has no item {needed}."),
                        ("请改正 needs:。", "Correct needs:."),
                    )
        _needs(scope, event, file)
        composed = compose(event, scope.forms)
        for conflict in composed.conflicts:
            first, second = conflict.first, conflict.second
            scope.add(
                second.file,
                second.line,
                second.element,
                "life_event.merge_conflict",
                (
                    f"与 {first.file}:{first.line} 的 {conflict.what} 不一致，无法合并为一次填写。",
                    f"Its {conflict.what} differs from {first.file}:{first.line}, so it cannot be asked once.",
                ),
                ("请使两个表单一致。", "Make the two forms agree."),
            )


def _needs(scope: Scope, event: LifeEvent, file: str) -> None:
    needs = needs_of(event, scope.items, scope.dictionary)
    lines = {str(e.item): e.item.line for e in event.items}
    if cycle := find_cycle(needs):
        path = " → ".join(cycle)
        scope.add(
            file,
            lines[cycle[0]],
            cycle[0],
            "life_event.cycle",
            (f"事项互相等待：{path}。", f"The items wait for each other: {path}."),
            ("请去掉其中一个前置关系（needs 或 inputs）。", "Remove one of the needs or inputs."),
        )
    required = {str(e.item) for e in event.items if e.required}
    for code in sorted(required):
        for needed in needs.get(code, ()):
            if needed not in required:
                scope.add(
                    file,
                    lines[code],
                    code,
                    "life_event.needs_optional",
                    (
                        f"必办事项需要可选事项 {needed} 的结果。",
                        f"A required item needs the result of {needed}, which may be left out.",
                    ),
                    ("请把它也设为必办。", "Make that one required too."),
                    severity=Severity.WARNING,
                )
