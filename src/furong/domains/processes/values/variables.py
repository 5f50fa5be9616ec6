"""The variables of a process as it declares them, and as its elements give them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from furong.domains.processes.values.declarations import F, M
from furong.domains.processes.values.rules import Findings
from furong.foundation.feel import FeelType, parse_type
from furong.foundation.feel.shapes import together as types_together

_ATTRIBUTES = frozenset({"name", "type", "values"})


@dataclass(frozen=True, slots=True)
class Variable:
    """What a variable may hold; ``texts`` are the only texts it may be, None when any."""

    type: FeelType
    texts: frozenset[str] | None = None


def together(several: Iterable[Variable]) -> Variable:
    """Give what a variable may hold that several elements give."""
    found = list(several)
    kinds = {one.type for one in found}
    texts: frozenset[str] | None = frozenset()
    for one in found:
        texts = None if texts is None or one.texts is None else texts | one.texts
    if any(kind.is_open for kind in kinds):
        return Variable(FeelType("any"), None)
    return Variable(types_together(kinds), texts)


def declared_variables(process: Any, findings: Findings) -> dict[str, tuple[str, Variable]]:
    """Read ``furong:variable`` elements of a process: by name, the type as it is written, and what it means."""
    found: dict[str, tuple[str, Variable]] = {}
    for one in process.findall(f"{M}extensionElements/{F}variable"):
        name, line = " ".join(one.get("name", "").split()), one.sourceline or 0
        written = one.get("type", "Any")
        why = ""
        if not name:
            why = "name?"
        elif name in found:
            why = f"{name} twice"
        elif unknown := sorted(key for key in one.attrib if key not in _ATTRIBUTES and not key.startswith("{")):
            why = ", ".join(unknown) + "?"
        try:
            type_ = parse_type(written)
        except ValueError as exc:
            why, type_ = str(exc), FeelType("any")
        texts = frozenset(one.get("values", "").split()) or None
        if texts and type_.kind not in {"any", "string"}:
            why = f"values of {written}?"
        if why:
            findings.add("furong.variable", line=line, element=name or process.get("id", ""), name=name or "–", why=why)
            continue
        found[name] = written, Variable(FeelType("string") if texts else type_, texts)
    return found
