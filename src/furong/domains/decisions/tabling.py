"""From the XML of a decision table to a ``Table``: columns of distinct cells, outputs with their order, rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from furong.domains.decisions.cells import Cell, constant_of, pieces_of, tested_later
from furong.domains.decisions.indexing import Column
from furong.domains.decisions.item_types import ItemType
from furong.domains.decisions.reading import Element, child, children, line_of, name_of, text_of
from furong.domains.decisions.tables import Input, Output, Rule, Table, compile_table
from furong.domains.decisions.values import HitPolicy
from furong.foundation.feel import operators
from furong.foundation.feel.compiler import Scope
from furong.foundation.feel.operators import Fn

if TYPE_CHECKING:
    from furong.domains.decisions.boxed import BoxedCompiler

__all__ = ["AGGREGATIONS", "POLICIES", "compile_decision_table"]

POLICIES = {
    "UNIQUE": HitPolicy.UNIQUE, "ANY": HitPolicy.ANY, "PRIORITY": HitPolicy.PRIORITY, "FIRST": HitPolicy.FIRST,
    "RULE ORDER": HitPolicy.RULE_ORDER, "OUTPUT ORDER": HitPolicy.OUTPUT_ORDER, "COLLECT": HitPolicy.COLLECT,
}  # fmt: skip
AGGREGATIONS = {
    "SUM": HitPolicy.COLLECT_SUM, "MIN": HitPolicy.COLLECT_MIN, "MAX": HitPolicy.COLLECT_MAX,
    "COUNT": HitPolicy.COLLECT_COUNT,
}  # fmt: skip

Scopes = tuple[Scope, ...]


def compile_decision_table(boxed: BoxedCompiler, element: Element, scopes: Scopes) -> Fn:
    """Compile a decision table; what is wrong with it becomes findings of ``boxed``."""
    policy = _policy(boxed, element)
    inputs = tuple(_input(boxed, one, scopes) for one in children(element, "input"))
    outputs = tuple(_output(boxed, one, scopes, element) for one in children(element, "output"))
    if not outputs:
        return boxed.refuse(element, "no_output", "The table has no output.", "Add a column of results.")
    if len(outputs) > 1:
        names = [one.name for one in outputs]
        if "" in names or len(set(names)) != len(names):
            boxed.findings.add(element, "output_name", "Several outputs need a name each.", "Name every output.")
        if policy in (HitPolicy.COLLECT_SUM, HitPolicy.COLLECT_MIN, HitPolicy.COLLECT_MAX):
            message = "Several outputs are not summed, or ranked as one (8.2.10)."
            mend = "Keep one output, or collect without an aggregation."
            return boxed.refuse(element, "aggregation", message, mend)
    if policy in (HitPolicy.PRIORITY, HitPolicy.OUTPUT_ORDER) and not any(one.order for one in outputs):
        message = "Priorities come from the output values, and none are listed."
        return boxed.refuse(element, "output_values", message, "List the output values from the highest down.")
    rows = list(children(element, "rule"))
    rules = tuple(_rule(boxed, number, one, scopes, len(outputs)) for number, one in enumerate(rows, 1))
    columns = _columns(boxed, rows, scopes, len(inputs))
    return compile_table(Table(boxed.decision, policy, inputs, columns, outputs, rules, line_of(element)))


def _policy(boxed: BoxedCompiler, element: Element) -> HitPolicy:
    written, aggregation = element.get("hitPolicy", "UNIQUE"), element.get("aggregation")
    policy = POLICIES.get(written)
    if policy is None:
        message = f"There is no hit policy {written!r}."
        boxed.findings.add(element, "hit_policy", message, "Use one of DMN's seven.")
        return HitPolicy.UNIQUE
    if aggregation is None:
        return policy
    if policy is not HitPolicy.COLLECT or aggregation not in AGGREGATIONS:
        message = f"The aggregation {aggregation!r} does not go with {written}."
        boxed.findings.add(element, "aggregation", message, "Use COLLECT with SUM, MIN, MAX or COUNT.")
        return policy
    return AGGREGATIONS[aggregation]


def _input(boxed: BoxedCompiler, element: Element, scopes: Scopes) -> Input:
    expression = child(element, "inputExpression")
    line = line_of(element)
    if expression is None:
        fn = boxed.refuse(element, "empty", "The input has no expression.", "Write the variable it tests.")
        return Input("", fn, None, None, line)
    label = element.get("label") or " ".join(text_of(expression).split())[:60]
    values = child(element, "inputValues")
    allowed = boxed.tests(values, scopes) if values is not None else None
    return Input(
        label, boxed.text(expression, scopes), boxed.type_of(expression), allowed[0] if allowed else None, line
    )


def _output(boxed: BoxedCompiler, element: Element, scopes: Scopes, table: Element) -> Output:
    order: tuple[object, ...] = ()
    found: ItemType | None = boxed.type_of(element)
    values = child(element, "outputValues")
    if values is not None:
        tests = boxed.tests(values, scopes)
        # Only constants have a place in the order; ranges and the like merely allow.
        order = (tests[1] or ()) if tests else ()
    elif found is not None:
        order = found.order
    default = child(element, "defaultOutputEntry")
    return Output(
        name=name_of(element),
        type=found,
        order=order,
        default=None if default is None else boxed.text(default, scopes),
        line=line_of(element),
    )


def _rule(boxed: BoxedCompiler, number: int, element: Element, scopes: Scopes, outputs: int) -> Rule:
    results = list(children(element, "outputEntry"))
    if len(results) != outputs:
        message = f"Rule {number} has {len(results)} results."
        boxed.findings.add(element, "columns", message, f"The table has {outputs} outputs.")
    return Rule(
        number=number,
        rule_id=element.get("id") or "",
        line=line_of(element),
        results=tuple(_entry(boxed, one, scopes) for one in results),
    )


def _entry(boxed: BoxedCompiler, element: Element, scopes: Scopes) -> Fn:
    known = constant_of(text_of(element)) if element.get("expressionLanguage") is None else None
    return boxed.text(element, scopes) if known is None else operators.constant(known[0])


def _columns(boxed: BoxedCompiler, rows: list[Element], scopes: Scopes, inputs: int) -> tuple[Column, ...]:
    any_masks = [0] * inputs
    masks: list[dict[str, int]] = [{} for _ in range(inputs)]
    firsts: list[dict[str, Element]] = [{} for _ in range(inputs)]
    for at, row in enumerate(rows):
        entries = list(children(row, "inputEntry"))
        if len(entries) != inputs:
            message = f"Rule {at + 1} has {len(entries)} conditions."
            boxed.findings.add(row, "columns", message, f"The table has {inputs} inputs.")
            continue
        for column, entry in enumerate(entries):
            text = text_of(entry).strip()
            if text in ("", "-"):
                any_masks[column] |= 1 << at
                continue
            masks[column][text] = masks[column].get(text, 0) | 1 << at
            firsts[column].setdefault(text, entry)
    return tuple(
        Column([_cell(boxed, firsts[at][text], text, mask, scopes) for text, mask in masks[at].items()], any_masks[at])
        for at in range(inputs)
    )


def _cell(boxed: BoxedCompiler, element: Element, text: str, mask: int, scopes: Scopes) -> Cell:
    pieces = pieces_of(text)
    if pieces is not None:
        return Cell(tested_later(text), mask, pieces)
    tests = boxed.tests(element, scopes)
    return Cell(_never if tests is None else tests[0], mask, None)


def _never(env: operators.Env, value: object) -> bool:
    return False
