"""FEEL: what each construct gives, what is null, what is refused. No input or output."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from furong.foundation import feel
from furong.foundation.feel import FeelLimitReached, FeelProblem, FeelSyntaxError, YearsMonths
from furong.foundation.feel.functions import BUILTINS

NOW = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
CONTEXT: dict[str, object] = {
    "age": 12,
    "household": "mother",
    "born": date(2024, 2, 29),
    "yes": True,
    "no": False,
    "nothing": None,
    "人": {"姓名": "甲", "年龄": 30, "地址": {"市": "乙"}},
    "people": [{"name": "a", "age": 10}, {"name": "b", "age": 20}, {"name": "c", "age": 30}],
    "numbers": [3, 1, 2],
    "limit": 15,
}


def value(text: str, **more: object) -> object:
    """The value of an expression, with numbers as text for short tables."""
    return plain(feel.compile_expression(text).evaluate({**CONTEXT, **more}, now=NOW))


def plain(found: object) -> object:
    if isinstance(found, Decimal):
        return int(found) if found == found.to_integral_value() else str(found)
    if isinstance(found, list):
        return [plain(one) for one in found]
    if isinstance(found, dict):
        return {key: plain(one) for key, one in found.items()}
    return found


def problems(text: str) -> list[str]:
    kept: list[FeelProblem] = []
    feel.compile_expression(text).evaluate(CONTEXT, problems=kept)
    return [one.code for one in kept]


def refusal(text: str, known: set[str] | None = None) -> FeelSyntaxError:
    with pytest.raises(FeelSyntaxError) as refused:
        feel.compile_expression(text, known_names=known)
    return refused.value


EXPRESSIONS: list[tuple[str, object]] = [
    # arithmetic
    ("1 + 2 * 3", 7),
    ("(1 + 2) * 3", 9),
    ("10 / 4", "2.5"),
    ("2 ** 3 ** 2", 64),
    ("-2 ** 2", 4),
    ("0.1 + 0.2 = 0.3", True),
    ("1 / 3 * 3", "0.9999999999999999999999999999999999"),
    (".5 + 1e2", "100.5"),
    ('"a" + "b"', "ab"),
    ("7 - -2", 9),
    # comparison and three-valued logic
    ("age < 18", True),
    ('household = "mother" and age < 18', True),
    ("null = null", True),
    ("age = null", False),
    ("nothing != null", False),
    ('age = "12"', None),
    ('age < "18"', None),
    ("true and null", None),
    ("false and null", False),
    ("null and false", False),
    ("true or null", True),
    ("null or false", None),
    ("true and true and false", False),
    ("true and null and true", None),
    ("not(true)", False),
    ("not(null)", None),
    ("[1, 2] = [1, 2]", True),
    ("{a: 1} = {a: 1.0}", True),
    ("18 > age", True),
    ("age between 10 and 12", True),
    ("age between 13 and nothing", False),
    ("age between 10 and nothing", None),
    # in
    ("age in (10, 11, 12)", True),
    ("age in [10..12)", False),
    ("age in (10..12]", True),
    ("age in ]11..13[", True),
    ("age in (< 5, > 11)", True),
    ("age in [1, 2, 3]", False),
    ("age in >= 12", True),
    ('household in ("father", "mother")', True),
    # if
    ("if age < 18 then 1 else 2", 1),
    ("if null then 1 else 2", 2),
    ("1 + (if yes then 1 else 2)", 2),
    # names and paths
    ("人.姓名", "甲"),
    ("人.地址.市", "乙"),
    ("人.没有", None),
    ("nothing.a.b", None),
    ("people.name", ["a", "b", "c"]),
    # filters
    ("people[age > limit].name", ["b", "c"]),
    ("people[1].name", "a"),
    ("people[-1].name", "c"),
    ("people[4]", None),
    ("people[item.age >= 20].name", ["b", "c"]),
    ("numbers[item > 1]", [3, 2]),
    ("numbers[count(numbers)]", 2),
    ("age[1]", 12),
    ("nothing[1]", None),
    ("nothing[item > 1]", []),
    ("numbers[false]", []),
    ("[[1, 2], [3]][1][2]", 2),
    # for, some, every
    ("for i in 1..3 return i * 2", [2, 4, 6]),
    ("for i in 3..1 return i", [3, 2, 1]),
    ("for i in [1..3) return i", [1, 2]),
    ("for x in [1, 2], y in [x, 10] return x * y", [1, 10, 4, 20]),
    ("for i in 1..5 return if i = 1 then 1 else i * partial[-1]", [1, 2, 6, 24, 120]),
    ('count(for d in @"2024-02-28"..@"2024-03-01" return d)', 3),
    ("some p in people satisfies p.age > 25", True),
    ("every p in people satisfies p.age > 5", True),
    ("every p in people satisfies p.age > 15", False),
    ("some x in [] satisfies true", False),
    ("every x in [] satisfies false", True),
    ("some x in [1, null] satisfies x > 1", None),
    ("some x in [1, 2], y in [3] satisfies x + y = 5", True),
    ("some x in nothing satisfies true", None),
    # contexts and functions
    ('{a: 1, b: a + 1, "c d": b}', {"a": 1, "b": 2, "c d": 2}),
    ("{full name: 1, x: full name + 1}.x", 2),
    ("{add: function(a, b) a + b, r: add(1, 2)}.r", 3),
    ('{f: function(a: number) a, r: f("x")}.r', None),
    ("{f: function(a, b) a - b, r: f(b: 1, a: 5)}.r", 4),
    ("sort(numbers, function(x, y) x > y)", [3, 2, 1]),
    # instance of
    ("age instance of number", True),
    ("age instance of string", False),
    ("nothing instance of Any", False),
    ("numbers instance of list<number>", True),
    ("numbers instance of list<string>", False),
    ("人 instance of context<姓名: string, 年龄: number>", True),
    ("born instance of date", True),
    ("[1..2] instance of range<number>", True),
    ("(function(x) x) instance of function<number> -> number", True),
    # strings
    (r'"a\"b\n\u4e2d"', 'a"b\n中'),
    (r'"\uD83D\uDE00"', "😀"),
    ('string length("中文")', 2),
    ('substring("foobar", 3)', "obar"),
    ('substring("foobar", -2, 1)', "a"),
    ('substring("foobar", 0)', None),
    ('upper case("aB4")', "AB4"),
    ('substring before("foobar", "bar")', "foo"),
    ('substring before("foobar", "x")', ""),
    ('substring after("foobar", "ob")', "ar"),
    ('replace("abcd", "(ab)|(a)", "[1=$1][2=$2]")', "[1=ab][2=]cd"),
    ('contains("foobar", "of")', False),
    ('starts with("foobar", "fo")', True),
    ('ends with("foobar", "r")', True),
    ('matches("foobar", "^fo*b")', True),
    ('split("John Doe", "\\s")', ["John", "Doe"]),
    (r'split("John Doe", "\s")', ["John", "Doe"]),
    (r'matches("a1", "\d$")', True),
    ('string join(["a", "b", null], "-")', "a-b"),
    ('contains(match: "o", string: "foo")', True),
    ("string(1.10)", "1.1"),
    ('string([1, "a", {b: null}])', '[1, "a", {b: null}]'),
    ("string(true)", "true"),
    # numbers
    ('number("1,000.5", ",", ".")', "1000.5"),
    ('number("x")', None),
    ("decimal(1/3, 2)", "0.33"),
    ("decimal(2.5, 0)", 2),
    ("decimal(1234.5, -2)", 1200),
    ("floor(-1.5)", -2),
    ("ceiling(1.56, 1)", "1.6"),
    ("round up(5.5, 0)", 6),
    ("round half up(-2.5, 0)", -3),
    ("round half down(5.5, 0)", 5),
    ("round down(-1.9, 0)", -1),
    ("modulo(-12, 5)", 3),
    ("modulo(12, -5)", -3),
    ("modulo(1, 0)", None),
    ("sqrt(16)", 4),
    ("sqrt(-1)", None),
    ("abs(-3)", 3),
    ("odd(5)", True),
    ("even(5)", False),
    ("decimal(exp(1), 3)", "2.718"),
    ("log(1)", 0),
    # lists
    ("count([1, 2, null])", 3),
    ("min(numbers)", 1),
    ("max(1, 5, 3)", 5),
    ("sum(1, 2, 3)", 6),
    ("sum([])", None),
    ("mean([1, 2, 6])", 3),
    ("median(8, 2, 5, 3)", 4),
    ("mode([6, 3, 9, 6, 6, 3, 3])", [3, 6]),
    ("stddev(2, 4, 6, 8)", "2.581988897471611256786176933188266"),
    ("product([2, 3])", 6),
    ("all([true, null])", None),
    ("any([true, null])", True),
    ("all([])", True),
    ("sublist([4, 5, 6], 1, 2)", [4, 5]),
    ("append([1], 2, 3)", [1, 2, 3]),
    ("concatenate([1, 2], [3])", [1, 2, 3]),
    ("concatenate([[1], [2]])", [[1], [2]]),
    ("insert before([1, 3], 1, 2)", [2, 1, 3]),
    ("remove([1, 2, 3], 2)", [1, 3]),
    ("list replace([2, 4, 7], 3, 6)", [2, 4, 6]),
    ("list replace([2, 4, 7, 8], function(item, newItem) item < newItem, 5)", [5, 5, 7, 8]),
    ("reverse([1, 2])", [2, 1]),
    ("index of([1, 2, 3, 2], 2)", [2, 4]),
    ("union([1, 2], [2, 3])", [1, 2, 3]),
    ('distinct values([1, 2, 1, "1"])', [1, 2, "1"]),
    ("flatten([[1, 2], [[3]], 4])", [1, 2, 3, 4]),
    ("list contains([1, null], null)", True),
    ("sort([3, 1, 2])", [1, 2, 3]),
    # contexts
    ('get value({a: 1}, "a")', 1),
    ("get entries({a: 1})", [{"key": "a", "value": 1}]),
    ('context([{key: "a", value: 1}])', {"a": 1}),
    ('context put({a: {b: 1}}, ["a", "c"], 2)', {"a": {"b": 1, "c": 2}}),
    ("context merge([{a: 1}, {a: 2, b: 3}])", {"a": 2, "b": 3}),
    # ranges
    ("before([1..5), [5..9])", True),
    ("overlaps([1..5], [5..9])", True),
    ("overlaps([1..5), [5..9])", False),
    ("includes([1..5], 5)", True),
    ("during(5, [1..5))", False),
    ("starts(1, [1..5])", True),
    ("meets([1..5], [5..9])", True),
    ("finished by([1..5], 5)", True),
    ("coincides([1..5], [1..5])", True),
    ("overlaps before([1..5], [3..8])", True),
    ("[1..5].end included", True),
    ("(1..5).start", 1),
    # dates and times
    ("born.year", 2024),
    ("born.weekday", 4),
    ('date("2024-02-30")', None),
    ("date(2024, 2, 29) = born", True),
    ('born + duration("P1Y")', date(2025, 2, 28)),
    ('born + duration("P1D")', date(2024, 3, 1)),
    ('date("2024-03-31") - duration("P1M")', date(2024, 2, 29)),
    ('@"2024-03-01" - born', timedelta(days=1)),
    ('(@"2024-03-01" - born).days', 1),
    ('date and time("2024-01-01T10:00:00Z") = date and time("2024-01-01T18:00:00+08:00")', True),
    ('is(@"2024-01-01T10:00:00Z", @"2024-01-01T18:00:00+08:00")', False),
    ('date and time("2024-01-01T10:00:00") < date and time("2024-01-01T18:00:00Z")', None),
    ('@"10:15:00" + @"PT30M"', time(10, 45)),
    ('@"23:30:00" + @"PT1H"', time(0, 30)),
    ('duration("P1Y2M").months', 2),
    ('duration("-P1DT2H").hours', -2),
    ('duration("P1Y") + duration("P2M")', YearsMonths(14)),
    ('duration("P1Y") + duration("P2D")', None),
    ('duration("PT1H") * 1.5', timedelta(minutes=90)),
    ('duration("P1D") / duration("PT1H")', 24),
    ('years and months duration(@"2020-02-29", @"2024-02-28")', YearsMonths(47)),
    ('string(@"P1DT2H3M4.5S")', "P1DT2H3M4.5S"),
    ('string(@"2024-01-01T08:00:00@Asia/Shanghai")', "2024-01-01T08:00:00@Asia/Shanghai"),
    ('@"2024-01-01T08:00:00@Asia/Shanghai" = @"2024-01-01T00:00:00Z"', True),
    ('time("10:00:00+08:00").time offset', timedelta(hours=8)),
    ("time(1, 2, 3.5)", time(1, 2, 3, 500000)),
    ("day of week(born)", "Thursday"),
    ("month of year(born)", "February"),
    ("day of year(born)", 60),
    ("week of year(born)", 9),
    ("today()", date(2026, 2, 3)),
    ('now() = @"2026-02-03T04:05:06Z"', True),
    ("// a comment\n1 /* and another */ + 1", 2),
]


@pytest.mark.parametrize(("text", "expected"), EXPRESSIONS, ids=[text for text, _ in EXPRESSIONS])
def test_an_expression_gives_its_value(text: str, expected: object) -> None:
    found = value(text)
    assert found == expected
    assert type(found) is type(expected)


def test_what_is_null_for_a_reason_is_told() -> None:
    assert problems('age < "18"') == ["feel.type"]
    assert problems("1 / 0") == ["feel.type"]
    assert problems("10 ** 6000 * 10 ** 6000") == ["feel.arithmetic"]
    assert problems('date("x")') == ["feel.function"]
    assert problems("unheard_of + 1") == ["feel.unknown_name", "feel.type"]
    assert problems("numbers[9]") == ["feel.index"]
    assert problems("now()") == ["feel.function"]
    assert problems("人.没有") == ["feel.unknown_entry"]
    assert problems("age < 18") == []
    kept: list[FeelProblem] = []
    feel.compile_expression('1 +\n  "secret"').evaluate({}, problems=kept)
    assert (kept[0].line, kept[0].column) == (1, 1)
    assert "secret" not in kept[0].message


def test_names_are_the_roots_of_free_variables() -> None:
    assert feel.compile_expression("a.b + c[d > 1] + count(e)").names == {"a", "c", "d", "e"}
    assert feel.compile_expression("for x in xs return x + y").names == {"xs", "y"}
    assert feel.compile_expression("{a: 1, b: a}").names == frozenset()


def test_known_names_may_hold_spaces_and_signs_and_others_are_refused() -> None:
    known = {"Monthly Salary", "profit-loss", "date of birth", "time in force"}
    context = {"Monthly Salary": 5, "profit-loss": 2, "date of birth": date(2000, 1, 1), "time in force": 3}

    def run(text: str) -> object:
        return plain(feel.compile_expression(text, known_names=known).evaluate(context))

    assert run("Monthly Salary * 12") == 60
    assert run("profit-loss - 1") == 1
    assert run("date of birth.year") == 2000
    assert run("time in force + Monthly  Salary") == 8
    refused = refusal("Monthly Salary + bonus", known)
    assert (refused.code, refused.line, refused.column) == ("feel.unknown_name", 1, 18)


REFUSED: list[tuple[str, str]] = [
    ("a.__class__", "feel.not_feel"),
    ("().__subclasses__()", "feel.not_feel"),
    ('__import__("os")', "feel.not_feel"),
    ('"".__class__.__mro__', "feel.not_feel"),
    ("import os", "feel.not_feel"),
    ("lambda x: x", "feel.not_feel"),
    ('eval("1")', "feel.unknown_function"),
    ('open("/etc/passwd")', "feel.unknown_function"),
    ('getattr(a, "b")', "feel.unknown_function"),
    ("a; b", "feel.syntax"),
    ("1 +", "feel.syntax"),
    ("", "feel.syntax"),
    ("   ", "feel.syntax"),
    ("(1", "feel.syntax"),
    ("1)", "feel.syntax"),
    ('"abc', "feel.syntax"),
    ("1 2", "feel.syntax"),
    ("1..2", "feel.syntax"),
    ("age （1）", "feel.syntax"),
    ("a == b", "feel.syntax"),
    ("x % 2", "feel.syntax"),
    ("{a: 1, a: 2}", "feel.syntax"),
    ('@"2024-13-01"', "feel.syntax"),
    ("function(a, a) a", "feel.syntax"),
    ("function(a) external {java: 1}", "feel.unsupported"),
    ("substring()", "feel.arguments"),
    ('contains(strin: "a", match: "b")', "feel.arguments"),
    ("a instance of integer", "feel.syntax"),
    ("(" * 70 + "1" + ")" * 70, "feel.too_large"),
    ("-" * 300 + "1", "feel.too_large"),
    ("1" + "+1" * 400, "feel.too_large"),
    ("a" * 60_000, "feel.too_large"),
    ("1" * 60, "feel.too_large"),
]


@pytest.mark.parametrize(("text", "code"), REFUSED, ids=[text[:30] for text, _ in REFUSED])
def test_what_is_not_feel_is_refused_before_it_runs(text: str, code: str) -> None:
    refused = refusal(text)
    assert refused.code == code
    assert refused.line >= 1
    assert refused.column >= 1


def test_a_refusal_points_at_the_place() -> None:
    refused = refusal("age < 18 and\n  (household = ")
    assert (refused.line, refused.column) == (2, 3)
    assert refusal("if a then b").message.startswith("The expression ends too early")
    assert "full-width" in refusal("count（a）").message


class Reach:
    """What a context must never let through: it would have attributes to reach for."""

    secret = 1


def test_a_python_object_in_the_context_is_null_and_told() -> None:
    kept: list[FeelProblem] = []
    assert feel.compile_expression("thing.secret").evaluate({"thing": Reach()}, problems=kept) is None
    assert kept[0].code == "feel.type"
    assert feel.compile_expression("thing").evaluate({"thing": float("nan")}) is None


def test_a_context_takes_the_types_that_python_has() -> None:
    class Colour(StrEnum):
        RED = "red"

    def run(text: str, **context: object) -> object:
        return feel.compile_expression(text).evaluate(context)

    assert run('c = "red"', c=Colour.RED) is True
    assert run("a + 0.2", a=0.1) == Decimal("0.3")
    assert run("count(a)", a=(1, 2)) == 2
    assert run("a.b[1]", a={"b": (1,)}) == 1
    assert run("b", b=True) is True


LIMITED = [
    "for i in 1..1000000000 return i",
    "every x in 1..10000000 satisfies true",
    "for a in 1..1000, b in 1..1000, c in 1..1000 return 1",
    "{f: function(g) g(g), r: f(f)}",
    'for i in 1..40 return if i = 1 then "xxxxxxxxxx" else partial[-1] + partial[-1]',
    "{" + "a0: [1, 1], " + ", ".join(f"a{i}: [a{i - 1}, a{i - 1}]" for i in range(1, 50)) + "}.a49",
    "{" + "a0: [1, 1], " + ", ".join(f"a{i}: [a{i - 1}, a{i - 1}]" for i in range(1, 50)) + ", b: a49 = a49}.b",
    "{" + "a0: [1, 1], " + ", ".join(f"a{i}: [a{i - 1}, a{i - 1}]" for i in range(1, 50)) + ", b: string(a49)}.b",
    'replace(string join(for i in 1..5000 return "xxxxxxxxxx"), "x", string join(for i in 1..5000 return "yyyyyyyyyy"))',
    'string join(for i in 1..50000 return "", string join(for i in 1..50000 return "yyyyyyyyyy"))',
    "flatten(for i in 1..900 return for j in 1..900 return j)",
]


@pytest.mark.parametrize("text", LIMITED)
def test_what_would_run_on_and_on_reaches_its_limit(text: str) -> None:
    with pytest.raises(FeelLimitReached):
        feel.compile_expression(text).evaluate({})


def test_no_caller_can_change_a_compiled_expression() -> None:
    compiled = feel.compile_expression("{a: [1, 2], b: [1, 2]}")
    first = compiled.evaluate({})
    assert isinstance(first, dict)
    first["a"].append(3)
    assert plain(compiled.evaluate({})) == {"a": [1, 2], "b": [1, 2]}


# --- unary tests ------------------------------------------------------------------------------------------------

TESTS: list[tuple[str, object, bool]] = [
    ("-", None, True),
    ("< 18", 12, True),
    ("< 18", None, False),
    (">= 18", 12, False),
    ("[1..3]", 3, True),
    ("(1..3), > 10", 11, True),
    ("(1..3), > 10", 3, False),
    ('"a", "b"', "b", True),
    ('"a", "b"', "c", False),
    ('not("a", "b")', "c", True),
    ('not("a", "b")', "a", False),
    ("not(< 5)", 5, True),
    ("null", None, True),
    ("null", 1, False),
    ("true", True, True),
    ("true", False, False),
    ("false", False, True),
    ("limit", 15, True),
    ("limit + 1", 15, False),
    ("numbers", 3, True),
    ("? > limit", 16, True),
    ("? > limit", 15, False),
    ('starts with(?, "ab")', "abc", True),
    ("string length(?) = 3", "ab", False),
    ("yes", "anything", True),
    ('@"2024-01-01"', date(2024, 1, 1), True),
    ('>= date("2024-01-01")', date(2024, 1, 2), True),
    ("= 3", 3, True),
    ("!= 3", 3, False),
    ("-1", -1, True),
    ("12.0", 12, True),
    ('"12"', 12, False),
    ("not(yes) or no", "x", False),
    ("some n in numbers satisfies n = ?", 2, True),
]


@pytest.mark.parametrize(("text", "given_value", "passes"), TESTS, ids=[f"{t}|{v}" for t, v, _ in TESTS])
def test_a_cell_passes_what_it_says(text: str, given_value: object, passes: bool) -> None:
    assert feel.compile_unary_tests(text).matches(given_value, CONTEXT) is passes


def test_a_cell_of_constants_tells_them_for_an_index() -> None:
    assert feel.compile_unary_tests('"a", "b"').constants == ("a", "b")
    assert feel.compile_unary_tests("12").constants == (Decimal(12),)
    assert feel.compile_unary_tests("< 3").constants is None
    assert feel.compile_unary_tests('"a", x').constants is None
    assert feel.compile_unary_tests('not("a")').constants is None
    assert feel.compile_unary_tests("-").constants is None


# --- properties -------------------------------------------------------------------------------------------------

NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=4)


@given(NUMBERS, NUMBERS)
def test_arithmetic_is_that_of_decimals(one: Decimal, other: Decimal) -> None:
    found = feel.compile_expression("[a + b, a - b, a < b, a = b, a * b = b * a]").evaluate({"a": one, "b": other})
    assert found == [one + other, one - other, one < other, one == other, True]


@given(st.sampled_from([True, False, None]), st.sampled_from([True, False, None]))
def test_logic_is_kleenes(one: bool | None, other: bool | None) -> None:
    def least(values: list[bool | None]) -> bool | None:
        return False if False in values else (None if None in values else True)

    def most(values: list[bool | None]) -> bool | None:
        return True if True in values else (None if None in values else False)

    found = feel.compile_expression("[a and b, a or b, not(a and b)]").evaluate({"a": one, "b": other})
    both = least([one, other])
    assert found == [both, most([one, other]), None if both is None else not both]


@given(st.text(max_size=60))
def test_no_text_breaks_the_parser(text: str) -> None:
    for compile_text in (feel.compile_expression, feel.compile_unary_tests):
        try:
            compile_text(text)
        except FeelSyntaxError as refused:
            assert refused.line >= 1  # noqa: PT017  both outcomes are allowed


WORDS = st.lists(
    st.sampled_from(
        [
            *("a", "b", "x.y", "item", "partial", "?", "1", "2.5", '"s"', "true", "null", "count", "sum", "number"),
            *("(", ")", "[", "]", "{", "}", ",", ".", "..", ":", "+", "-", "*", "/", "**", "<", "<=", "=", "!="),
            *("and", "or", "not", "in", "if", "then", "else", "for", "return", "some", "satisfies", "between"),
            *("instance", "of", "function", "[1..3]", '@"2024-01-01"'),
        ]
    ),
    max_size=14,
).map(" ".join)


@given(WORDS)
def test_what_parses_also_runs_or_says_why(text: str) -> None:
    context: dict[str, Any] = {"a": 1, "b": [1, {"y": 2}], "x": {"y": [3]}}
    try:
        feel.compile_expression(text).evaluate(context)
    except (FeelSyntaxError, FeelLimitReached) as refused:
        assert str(refused)  # noqa: PT017  both outcomes are allowed


@given(
    st.one_of(
        st.dates(),
        st.datetimes().map(lambda at: at.replace(tzinfo=timezone(timedelta(hours=8)))),
        st.datetimes(),
        st.times(),
        st.timedeltas(min_value=timedelta(days=-9999), max_value=timedelta(days=9999)),
        st.integers(min_value=-9999, max_value=9999).map(YearsMonths),
    )
)
def test_a_temporal_value_reads_back_as_it_was_written(written: object) -> None:
    text = feel.compile_expression("string(v)").evaluate({"v": written})
    found = feel.compile_expression(f'@"{text}"').evaluate({})
    if written == timedelta():
        assert found == timedelta()
    else:
        assert found == written or written == YearsMonths(0)


@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), NUMBERS, st.text(max_size=5)), lambda inner: st.lists(inner, max_size=4)
    )
)
def test_a_value_equals_itself(written: object) -> None:
    assert feel.compile_expression("v = v").evaluate({"v": written}) is True


@given(st.lists(st.integers(-50, 50), max_size=20))
def test_filters_and_loops_agree(numbers: list[int]) -> None:
    found = feel.compile_expression(
        "[count(ns[item > 0]), sum(for n in concatenate([0], ns) return n), some n in ns satisfies n > 0]"
    ).evaluate({"ns": numbers})
    assert found == [sum(n > 0 for n in numbers), sum(numbers), any(n > 0 for n in numbers)]


def test_every_function_of_the_standard_is_there() -> None:
    standard = """date|date and time|time|number|string|duration|years and months duration|not|substring|string length
    |upper case|lower case|substring before|substring after|replace|contains|starts with|ends with|matches|split
    |string join|list contains|count|min|max|sum|mean|all|any|sublist|append|concatenate|insert before|remove
    |list replace|reverse|index of|union|distinct values|flatten|product|median|stddev|mode|decimal|floor|ceiling
    |round up|round down|round half up|round half down|abs|modulo|sqrt|log|exp|odd|even|is|before|after|meets|met by
    |overlaps|overlaps before|overlaps after|finishes|finished by|includes|during|starts|started by|coincides
    |day of year|day of week|month of year|week of year|sort|get value|get entries|context|context put|context merge
    |now|today"""
    wanted = {name.strip() for name in standard.replace("\n", "").split("|")}
    assert wanted - set(BUILTINS) == set()
