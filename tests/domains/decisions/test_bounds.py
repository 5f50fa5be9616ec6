"""Files made to do harm: bounded in depth, size, steps and time, and told as findings or errors, never as a trace."""

from __future__ import annotations

import time

import pytest

from furong.domains.decisions import DecisionRefused, parse_dmn
from tests.domains.decisions.test_graphs import knowledge
from tests.domains.decisions.test_values import (
    decision,
    definitions,
    findings,
    inputs,
    literal,
    model,
    requires,
    run,
    table,
)


@pytest.mark.parametrize("depth", [50, 200, 20_000])
def test_boxes_within_boxes_end_somewhere(depth: int) -> None:
    told = findings(decision("<list>" * depth + literal("1") + "</list>" * depth))
    assert {rule for _, _, rule in told} <= {"decisions.too_deep", "decisions.xml"}


def test_types_within_types_end_somewhere() -> None:
    nested = "".join(
        f'<itemDefinition name="T{n}"><itemComponent name="a"><typeRef>T{n + 1}</typeRef></itemComponent></itemDefinition>'
        for n in range(300)
    )
    body = nested + '<itemDefinition name="T300"><typeRef>number</typeRef></itemDefinition>' + decision(literal("1"))
    assert {rule for _, _, rule in findings(body)} == {"decisions.too_deep"}


def test_a_value_that_holds_itself_a_billion_times_is_not_walked() -> None:
    types = "".join(
        f'<itemDefinition name="T{n}"><itemComponent name="a"><typeRef>T{n + 1}</typeRef></itemComponent>'
        f'<itemComponent name="b"><typeRef>T{n + 1}</typeRef></itemComponent></itemDefinition>'
        for n in range(30)
    )
    types += '<itemDefinition name="T30"><typeRef>number</typeRef></itemDefinition>'
    value = "{x0: 1, " + ", ".join(f"x{n}: {{a: x{n - 1}, b: x{n - 1}}}" for n in range(1, 31)) + "}.x30"
    inner = f'<context><contextEntry><variable name="q" typeRef="T0"/>{literal(value)}</contextEntry></context>'
    for logic in (literal(value), inner):
        start = time.perf_counter()
        result = run(types + decision(logic, type_ref="Any" if logic is inner else "T0"), {})
        assert time.perf_counter() - start < 5
        assert result.value is None
        assert [one.code for one in result.errors] == ["feel.limit"]


def test_a_chain_of_decisions_does_not_use_up_the_stack() -> None:
    chain = decision(literal("1"), name="d0") + "".join(
        decision(literal(f"d{n - 1} + 1"), name=f"d{n}", needs=requires(decisions=(f"d{n - 1}",)))
        for n in range(1, 1_200)
    )
    assert model(chain).evaluate("d1199", {}).value == 1_200


def test_calls_that_multiply_are_stopped() -> None:
    fib = knowledge("fib", ("n",), literal("if n < 2 then n else fib(n - 1) + fib(n - 2)"))
    result = run(fib + decision(literal("fib(60)"), needs=requires(knowledge=("fib",))), {})
    assert [one.code for one in result.errors] == ["feel.limit"]


def test_an_input_that_is_nested_too_deep_is_an_error() -> None:
    value: object = 1
    for _ in range(2_000):
        value = {"a": value}
    result = run(inputs(x="") + decision(literal("x"), needs=requires("x")), {"x": value})
    assert [one.code for one in result.errors] == ["decisions.input_type"]


def test_a_file_that_is_too_large_or_has_too_many_elements_is_refused() -> None:
    with pytest.raises(DecisionRefused, match="larger than"):
        parse_dmn(b" " * 5_000_001, file="x.dmn")
    many = "".join(f'<inputData id="i{n}" name="n{n}"/>' for n in range(10_001))
    assert "decisions.too_large" in [rule for _, _, rule in findings(many)]


@pytest.mark.parametrize("cell", ["<" * 3_000, '"' * 3_001, "(" * 3_000, "1," * 20_000 + "nowhere", "[1.." * 500])
def test_a_cell_made_to_confuse_is_refused_at_once(cell: str) -> None:
    start = time.perf_counter()
    body = inputs(x="number") + decision(table(["x"], ["o"], [[cell, "1"]]), needs=requires("x"))
    assert findings(body)
    assert time.perf_counter() - start < 5


def test_nothing_of_python_is_reached_from_any_place_of_a_file() -> None:
    for text in ("x.__class__", "__import__", "x.real", '"{0.__class__}".format(x)', "().__class__.__mro__"):
        body = inputs(x="number") + decision(literal(text), needs=requires("x"))
        try:
            value = parse_dmn(definitions(body), file="x.dmn", lenient=True).evaluate("d", {"x": 1}).value
        except DecisionRefused:
            continue
        assert value is None
