"""What of a provider's answer a grant lets through: rows in scope, fields kept or masked, everything else removed. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from furong_link.errors import Refusal


def mask_name(text: str) -> str:
    """Keep the first character: 周芷沅 → 周**."""
    return text[:1] + "*" * max(len(text) - 1, 1)


def mask_number(text: str) -> str:
    """Keep three characters in front and four behind of a long number; of a short one nothing."""
    return text[:3] + "*" * (len(text) - 7) + text[-4:] if len(text) >= 12 else "*" * max(len(text), 1)


def mask_phone(text: str) -> str:
    """Keep three digits in front and four behind of eleven: 138****0000."""
    digits = re.sub(r"\D", "", text)
    return f"{digits[:3]}****{digits[-4:]}" if len(digits) >= 11 else "*" * max(len(text), 1)


def mask_address(text: str) -> str:
    """Keep the address down to the county; of one without a county, nothing."""
    found = re.match(r".{2,12}?[县区旗](?!.{0,2}[县区旗])|.{2,8}?[州市]", text)
    return (found[0] if found else "") + "****"


MASKS: dict[str, Callable[[str], str]] = {
    "name": mask_name,
    "number": mask_number,
    "phone": mask_phone,
    "address": mask_address,
}
KEEP = "keep"
RULES = frozenset({KEEP, *MASKS})


@dataclass(frozen=True, slots=True)
class RowScope:
    """A row is in scope when the text at ``path`` is one of ``values`` or begins with one of ``prefixes``."""

    path: tuple[str, ...]
    values: frozenset[str] = frozenset()
    prefixes: tuple[str, ...] = ()

    def holds(self, row: Mapping[str, Any]) -> bool:
        found: Any = row
        for part in self.path:
            found = found.get(part) if isinstance(found, Mapping) else None
        if isinstance(found, bool) or not isinstance(found, str | int):
            return False  # what does not say where it belongs is outside
        text = str(found)
        return text in self.values or bool(self.prefixes and text.startswith(self.prefixes))


# A tree of field names: a rule's name at the leaves.
FieldTree = dict[str, "str | FieldTree"]


def field_tree(rules: Mapping[str, str]) -> FieldTree:
    """Give the tree of rules such as ``{"child.name": "name", "born_on": "keep"}``. Raises ValueError for an unknown
    rule, and for a rule below a field that has one itself.
    """
    tree: FieldTree = {}
    for path, rule in rules.items():
        if rule not in RULES:
            raise ValueError(f"{rule} is no rule for a field.")
        *parents, last = path.split(".")
        branch = tree
        for part in parents:
            below = branch.setdefault(part, {})
            if isinstance(below, str):
                raise ValueError(f"{path}: a field above has a rule itself.")
            branch = below
        if not last or last in branch:
            raise ValueError(f"{path}: two rules for one field.")
        branch[last] = rule
    return tree


def _masked(value: Any, mask: Callable[[str], str]) -> Any:
    if value is None:
        return None
    if isinstance(value, list):
        return [_masked(part, mask) for part in value]
    if isinstance(value, str):
        return mask(value)
    # A number or an object where a text was meant: nothing of it is known to be harmless.
    return "****"


def _filtered(value: Any, tree: FieldTree) -> Any:
    if isinstance(value, list):
        return [_filtered(part, tree) for part in value if isinstance(part, dict | list)]
    if not isinstance(value, dict):
        return None  # the rules speak of fields below; a bare value here has none of them
    kept = {}
    for name, rule in tree.items():
        if name not in value:
            continue
        found = value[name]
        if isinstance(rule, str):
            kept[name] = found if rule == KEEP else _masked(found, MASKS[rule])
        else:
            kept[name] = _filtered(found, rule)
    return kept


def apply_terms(answer: Any, *, rows_at: str, tree: FieldTree, scope: tuple[RowScope, ...]) -> tuple[Any, int]:
    """Give what of ``answer`` (parsed JSON) may pass, and how many rows that is.

    ``rows_at`` names the field that holds the rows; empty when the answer is itself one row or a list of them. Beside the
    rows nothing of the answer passes. Every element of ``scope`` must hold. Refuses an answer without rows where they
    should be, and a single row that is outside the scope.
    """
    rows = answer
    if rows_at:
        rows = answer.get(rows_at) if isinstance(answer, dict) else None
    if isinstance(rows, dict):
        if not all(part.holds(rows) for part in scope):
            raise Refusal("row_out_of_scope")
        kept: Any = _filtered(rows, tree)
        count = 1
    elif isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
        kept = [_filtered(row, tree) for row in rows if all(part.holds(row) for part in scope)]
        count = len(kept)
    else:
        raise Refusal("provider_not_filterable")
    return ({rows_at: kept} if rows_at else kept), count
