"""Decision tables to closures: inputs and their types, the rules that match, the hit policies (DMN 1.5, clause 8)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from furong.domains.decisions.closures import fit
from furong.domains.decisions.indexing import Column, RuleIndex
from furong.domains.decisions.item_types import ItemType
from furong.domains.decisions.values import FiredRule, HitPolicy
from furong.foundation.feel.functions import BUILTINS
from furong.foundation.feel.loops import run_builtin
from furong.foundation.feel.operators import Env, Fn, run_of
from furong.foundation.feel.parser import Site
from furong.foundation.feel.unary import Test
from furong.foundation.feel.values import equal

__all__ = ["Input", "Output", "Rule", "Table", "compile_table"]


@dataclass(frozen=True, slots=True)
class Input:
    """A column of conditions; ``allowed`` is None where every value is."""

    label: str
    fn: Fn
    type: ItemType | None
    allowed: Test | None
    line: int


@dataclass(frozen=True, slots=True)
class Output:
    """A column of results; ``order`` are its values from the highest priority down."""

    name: str
    type: ItemType | None
    order: tuple[object, ...]
    default: Fn | None
    line: int


@dataclass(frozen=True, slots=True)
class Rule:
    """A row's results; what it tests is in the table's columns."""

    number: int
    rule_id: str
    line: int
    results: tuple[Fn, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A decision table, ready to be made into a closure."""

    decision: str
    policy: HitPolicy
    inputs: tuple[Input, ...]
    columns: tuple[Column, ...]
    outputs: tuple[Output, ...]
    rules: tuple[Rule, ...]
    line: int


_AGGREGATES = {HitPolicy.COLLECT_SUM: "sum", HitPolicy.COLLECT_MIN: "min", HitPolicy.COLLECT_MAX: "max"}
_SINGLE = frozenset((HitPolicy.UNIQUE, HitPolicy.ANY, HitPolicy.PRIORITY, HitPolicy.FIRST))


def compile_table(table: Table) -> Fn:
    """Return the closure that evaluates ``table`` in an environment.

    It appends a ``FiredRule`` for each rule that counts to the run's trace, and notes breaches of the table as
    problems whose code begins with ``decisions.``. Costs one look-up a column, and one test for each distinct cell
    that is neither constants nor ranges.
    """
    index = RuleIndex(table.columns, len(table.rules))
    inputs = table.inputs
    rules = table.rules
    first_only = table.policy is HitPolicy.FIRST
    resolve = _resolver(table)
    cost = 1 + sum(sum(cell.pieces is None for cell in column.cells) for column in table.columns) // 10

    def evaluate(env: Env) -> object:
        run = run_of(env)
        run.spend(cost)
        values: list[object] = []
        for column in inputs:
            value = column.fn(env)
            if column.type is not None:
                value, fits = fit(column.type, value)
                if not fits:
                    message = f"The input {column.label} is no {column.type.name}."
                    run.problem("decisions.input_type", message, column.line)
                    return None
            if column.allowed is not None and value is not None and column.allowed(env, value) is not True:
                run.problem("decisions.input_not_allowed", f"The value of {column.label} is not allowed.", column.line)
                return None
            values.append(value)
        matched = index.match(env, values)
        if not matched:
            return _default(env, table)
        if first_only:
            return resolve(env, [rules[(matched & -matched).bit_length() - 1]])
        return resolve(env, [rules[at] for at in _bits(matched)])

    return evaluate


def _bits(mask: int) -> list[int]:
    if mask & (mask - 1) == 0:
        return [mask.bit_length() - 1]
    found: list[int] = []
    while mask:
        low = mask & -mask
        found.append(low.bit_length() - 1)
        mask ^= low
    return found


def _fire(env: Env, table: Table, rules: Sequence[Rule]) -> None:
    run_of(env).trace.extend(FiredRule(table.decision, rule.number, rule.rule_id, rule.line) for rule in rules)


def _default(env: Env, table: Table) -> object:
    if table.policy is HitPolicy.COLLECT_COUNT:
        return Decimal(0)
    if all(output.default is None for output in table.outputs):
        return None
    made = [None if output.default is None else output.default(env) for output in table.outputs]
    value = _together(table, made)
    # The default of a table that collects is what it gives, not one more item of a list; a single one is its list.
    if table.policy in _SINGLE or table.policy in _AGGREGATES or isinstance(value, list):
        return value
    return [value]


def _together(table: Table, results: Sequence[object]) -> object:
    if len(table.outputs) == 1:
        return results[0]
    return {output.name: result for output, result in zip(table.outputs, results, strict=True)}


def _result(env: Env, table: Table, rule: Rule) -> object:
    results: list[object] = []
    for output, fn in zip(table.outputs, rule.results, strict=True):
        value = fn(env)
        if output.type is not None:
            value, fits = fit(output.type, value)
            if not fits:
                message = f"The result of rule {rule.number} is no {output.type.name}."
                run_of(env).problem("decisions.output_type", message, rule.line)
        results.append(value)
    return _together(table, results)


def _resolver(table: Table) -> Callable[[Env, list[Rule]], object]:
    policy = table.policy
    site = Site(table.line, 1)

    def single(env: Env, matched: list[Rule]) -> object:
        _fire(env, table, matched[:1])
        return _result(env, table, matched[0])

    def unique(env: Env, matched: list[Rule]) -> object:
        if len(matched) > 1:
            numbers = _numbers(matched)
            run_of(env).problem("decisions.not_unique", f"The rules {numbers} match at once.", table.line)
            return None
        return single(env, matched)

    def any_(env: Env, matched: list[Rule]) -> object:
        results = [_result(env, table, rule) for rule in matched]
        if not all(equal(results[0], one) for one in results):
            numbers = _numbers(matched)
            run_of(env).problem("decisions.not_any", f"The rules {numbers} match and differ.", table.line)
            return None
        _fire(env, table, matched)
        return results[0]

    def collect(env: Env, matched: list[Rule]) -> object:
        run_of(env).spend(len(matched))
        _fire(env, table, matched)
        return [_result(env, table, rule) for rule in matched]

    def ordered(env: Env, matched: list[Rule]) -> list[tuple[Rule, object]]:
        ranked = [(rule, _result(env, table, rule)) for rule in matched]
        return sorted(ranked, key=lambda one: _rank(table, one[1]))

    def priority(env: Env, matched: list[Rule]) -> object:
        rule, result = ordered(env, matched)[0]
        _fire(env, table, (rule,))
        return result

    def output_order(env: Env, matched: list[Rule]) -> object:
        ranked = ordered(env, matched)
        _fire(env, table, [rule for rule, _ in ranked])
        return [result for _, result in ranked]

    def count(env: Env, matched: list[Rule]) -> object:
        _fire(env, table, matched)
        return Decimal(len(matched))

    def aggregate(env: Env, matched: list[Rule]) -> object:
        name = _AGGREGATES[policy]
        overload = BUILTINS[name].overloads[0]
        return run_builtin(run_of(env), name, overload, (collect(env, matched),), site)

    return {
        HitPolicy.UNIQUE: unique,
        HitPolicy.ANY: any_,
        HitPolicy.FIRST: single,
        HitPolicy.PRIORITY: priority,
        HitPolicy.RULE_ORDER: collect,
        HitPolicy.OUTPUT_ORDER: output_order,
        HitPolicy.COLLECT: collect,
        HitPolicy.COLLECT_COUNT: count,
    }.get(policy, aggregate)


def _numbers(rules: Sequence[Rule]) -> str:
    told = ", ".join(str(rule.number) for rule in rules[:20])
    return told if len(rules) <= 20 else f"{told} and {len(rules) - 20} more"


def _rank(table: Table, result: object) -> tuple[int, ...]:
    """A result's place among the output values, column by column from the left; unlisted values come last."""
    parts = [result] if len(table.outputs) == 1 else [result[o.name] for o in table.outputs]  # type: ignore[index]
    return tuple(
        next((i for i, value in enumerate(output.order) if equal(value, part)), len(output.order))
        for output, part in zip(table.outputs, parts, strict=True)
    )
