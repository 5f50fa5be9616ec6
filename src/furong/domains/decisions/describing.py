"""Decision tables as people read them: the texts of a file, in its order. Nothing here runs."""

from __future__ import annotations

from dataclasses import dataclass

from furong.domains.decisions.reading import Element, Findings, child, children, read_xml, tag, text_of
from furong.domains.decisions.values import HitPolicy

__all__ = ["DecisionText", "RuleText", "describe_dmn"]

_AGGREGATIONS = {"SUM": "C+", "MIN": "C<", "MAX": "C>", "COUNT": "C#"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleText:
    """A row: its conditions, its results, and what its author noted beside it."""

    number: int
    conditions: tuple[str, ...]
    results: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionText:
    """One decision: a table, or (``rules`` empty) an expression whose text stands in ``expression``."""

    element_id: str
    name: str
    description: str
    policy: HitPolicy | None
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    note_names: tuple[str, ...]
    rules: tuple[RuleText, ...]
    expression: str


def describe_dmn(data: bytes, *, file: str) -> tuple[DecisionText, ...]:
    """Return the decisions of a DMN 1.1 to 1.5 file as texts. Raises ``DecisionRefused`` for no such file."""
    root = read_xml(data, Findings(file))
    return tuple(_decision(one) for one in children(root, "decision", "businessKnowledgeModel"))


def _decision(element: Element) -> DecisionText:
    table = child(element, "decisionTable")
    rules: list[RuleText] = []
    policy: HitPolicy | None = None
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    if table is not None:
        given = table.get("hitPolicy", "UNIQUE").replace(" ", "_")
        policy = HitPolicy[given]
        if aggregation := table.get("aggregation"):
            policy = HitPolicy(_AGGREGATIONS[aggregation])
        inputs = tuple(
            one.get("label") or (text_of(child(one, "inputExpression")) or "").strip()
            for one in children(table, "input")
        )
        outputs = tuple(
            one.get("label") or one.get("name") or element.get("name") or "" for one in children(table, "output")
        )
        notes = tuple(one.get("name", "") for one in children(table, "annotation"))
        for number, rule in enumerate(children(table, "rule"), 1):
            rules.append(
                RuleText(
                    number=number,
                    conditions=tuple(text_of(one).strip() for one in children(rule, "inputEntry")),
                    results=tuple(text_of(one).strip() for one in children(rule, "outputEntry")),
                    notes=tuple(text_of(one).strip() for one in children(rule, "annotationEntry")),
                )
            )
    return DecisionText(
        element_id=element.get("id", ""),
        name=element.get("name", ""),
        description=_description(element),
        policy=policy,
        inputs=inputs,
        outputs=outputs,
        note_names=notes,
        rules=tuple(rules),
        expression="" if table is not None else _expression(element),
    )


def _expression(element: Element) -> str:
    """The texts of a decision without a table: an expression, or the entries of a context, one a line."""
    literal = child(element, "literalExpression")
    if literal is not None:
        return text_of(literal).strip()
    context = child(element, "context")
    lines = []
    for entry in children(context, "contextEntry") if context is not None else ():
        variable, inner = child(entry, "variable"), child(entry, "literalExpression")
        name = variable.get("name", "") if variable is not None else ""
        words = text_of(inner).strip() if inner is not None else "…"
        lines.append(f"{name} = {words}" if name else words)
    return "\n".join(lines)


def _description(element: Element) -> str:
    for one in element:
        if isinstance(one.tag, str) and tag(one) == "description":
            return "".join(str(part) for part in one.itertext()).strip()
    return ""
