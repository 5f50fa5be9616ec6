"""The index of a table's cells gives what every cell, asked by itself, gives; and large tables are fast and small."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from furong.domains.decisions import DecisionModel, cells, tables
from furong.domains.decisions.cells import constant_of, pieces_of
from furong.domains.decisions.indexing import Column, match_plainly
from furong.foundation.feel import YearsMonths
from furong.foundation.feel.operators import Env
from tests.domains.decisions.test_values import decision, inputs, model, requires, table

KINDS = {
    "numbers": (["0", "1", "2", "2.0", "2.5"], [Decimal(0), Decimal("1.5"), Decimal(1), Decimal("2.00"), Decimal(3)]),
    "texts": (['"a"', '"b"', '""', '"ab"'], ["a", "b", "", "aa", "c"]),
    "days": (['date("2026-01-01")', '@"2026-02-01"'], [date(2026, 1, 1), date(2026, 1, 2), date(2026, 2, 1)]),
    "spans": (['duration("P1D")', '@"PT36H"'], [timedelta(days=1), timedelta(hours=36), timedelta(hours=30)]),
    "months": (['@"P1Y"', 'duration("P13M")'], [YearsMonths(12), YearsMonths(13), YearsMonths(14)]),
}
OTHERS = [None, True, False, [Decimal(1)], ["a", "b"], {"a": 1}, datetime(2026, 2, 1, tzinfo=UTC), "1", Decimal(7)]


@st.composite
def tables_and_values(draw: st.DrawFn) -> tuple[list[tuple[str, str]], list[tuple[object, object]]]:
    """Rows of two cells and values to ask with; each column is mostly of one kind, so that ends and values meet."""
    kinds = [draw(st.sampled_from(sorted(KINDS))) for _ in range(2)]
    rows = [tuple(_cell(draw, kind) for kind in kinds) for _ in range(draw(st.integers(1, 8)))]
    asked = [
        tuple(draw(st.sampled_from([*KINDS[kind][1], *KINDS[kind][1], *OTHERS])) for kind in kinds)
        for _ in range(draw(st.integers(1, 6)))
    ]
    return rows, asked  # type: ignore[return-value]


def _cell(draw: st.DrawFn, kind: str) -> str:
    if draw(st.integers(0, 5)) == 0:
        whole = ["-", "-", "not(2)", 'not("a", "b")', "null", "true", "y", "? = y", "< y", "[1..y]", "]1..2[", "]1..2]"]
        return draw(st.sampled_from(whole))
    return ", ".join(_piece(draw, kind) for _ in range(draw(st.integers(1, 3))))


def _piece(draw: st.DrawFn, kind: str) -> str:
    if draw(st.integers(0, 9)) == 0:
        kind = draw(st.sampled_from(sorted(KINDS)))
    end = st.sampled_from(KINDS[kind][0])
    form = draw(st.sampled_from(["one", "sign", "range", "range"]))
    if form == "one":
        return draw(end)
    if form == "sign":
        return f"{draw(st.sampled_from(['<', '<=', '>', '>=']))} {draw(end)}"
    return f"{draw(st.sampled_from('[(]'))}{draw(end)}..{draw(end)}{draw(st.sampled_from('])'))}"


class _Plainly:
    """Stands for the index: asks every cell of every rule."""

    def __init__(self, columns: Sequence[Column], rules: int) -> None:
        self._columns, self._rules = columns, rules

    def match(self, env: Env, values: Sequence[object]) -> int:
        return match_plainly(self._columns, self._rules, env, values)


def _model(rows: list[list[str]], *, mark: str = "") -> DecisionModel:
    needs = requires("a", "b", "y")
    body = inputs(a="", b="", y="") + decision(table(["a", "b"], ["o"], rows, 'hitPolicy="RULE ORDER"'), needs=needs)
    return model(body + mark)


@settings(max_examples=300, deadline=None)
@given(tables_and_values())
def test_the_index_and_plain_evaluation_agree(
    made: tuple[list[tuple[str, str]], list[tuple[object, object]]],
) -> None:
    rows, asked = made
    written = [[one, other, str(at)] for at, (one, other) in enumerate(rows)]
    indexed = _model(written)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "RuleIndex", _Plainly)
        # The cache knows models by their bytes.
        plain = _model(written, mark="\n")
        for one, other in asked:
            values = {"a": one, "b": other, "y": Decimal(2)}
            assert indexed.evaluate("d", values).value == plain.evaluate("d", values).value, values


@pytest.mark.parametrize(
    "text",
    ["1", "-1.50", '"a"', "< 3", ">= 2, 5", "[1..2]", "(1..2)", '@"P1D"', 'date("2026-01-01")', '"a","b"'],
)
def test_constants_and_ranges_are_seen_without_feel(text: str) -> None:
    assert pieces_of(text)


@pytest.mark.parametrize(
    "text",
    ["", "-", "x", "1,", "not(1)", "[2..1]", '[1.."a"]', "1 + 1", '"a\\n"', "true", "null", "1 2", "< x", 'date("x")',
     '@"2026-01-01T00:00:00"', "function(a) a", "[1..2", "1..2",
     "]1..2["],
)  # fmt: skip
def test_anything_else_is_left_to_feel(text: str) -> None:
    assert pieces_of(text) is None


def test_a_plain_result_is_a_constant_and_nothing_else_is() -> None:
    assert [constant_of(one) for one in ("1.50", '"a b"', "true", " null ")] == [
        (Decimal("1.50"),), ("a b",), (True,), (None,),
    ]  # fmt: skip
    assert [constant_of(one) for one in ('"a\\u4e00"', "x", "1 + 1", "", '"a" + "b"', "1" * 40)] == [None] * 6


def test_a_large_table_costs_what_a_small_one_does() -> None:
    def took(rules: int) -> float:
        rows = [[f'"C{n}"', f"[{n}..{n + 10}]", str(n)] for n in range(rules)]
        needs = requires("a", "b")
        body = inputs(a="string", b="number") + decision(table(["a", "b"], ["o"], rows), needs=needs)
        found = model(body)
        last = {"a": f"C{rules - 1}", "b": Decimal(rules + 2)}
        assert found.evaluate("d", last).value == rules - 1
        assert found.evaluate("d", {"a": "C0", "b": Decimal(11)}).value is None
        best = 1.0
        for _ in range(20):
            start = time.perf_counter()
            found.evaluate("d", last)
            best = min(best, time.perf_counter() - start)
        return best

    # Linear would be a hundred times as long; the best of twenty is not the machine's other work.
    assert took(5_000) < 10 * took(50)


def test_equal_cells_are_compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    real = cells.pieces_of

    def counted(text: str) -> object:
        seen.append(text)
        return real(text)

    monkeypatch.setattr("furong.domains.decisions.tabling.pieces_of", counted)
    rows = [["< 5", f"{n}"] for n in range(100)]
    model(inputs(x="") + decision(table(["x"], ["once"], rows, 'hitPolicy="COLLECT"'), needs=requires("x")))
    assert seen == ["< 5"]
