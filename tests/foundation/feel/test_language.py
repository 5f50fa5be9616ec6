"""FEEL beyond everyday use: ranges as values, conversions, dates of any year, recursion, masks, lenient programs."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from importlib.resources import files
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lark import Tree

from furong.foundation import feel
from furong.foundation.feel import FeelLimitReached, FeelProblem, FeelRange, FeelSyntaxError, WideDate, YearsMonths
from furong.foundation.feel.compiler import Program
from furong.foundation.feel.functions import BUILTINS
from furong.foundation.feel.parser import parse
from furong.foundation.feel.types import convert, type_check
from furong.foundation.feel.wide import make_day, moved_day, ordinal
from tests.foundation.feel.test_values import EXPRESSIONS as EVERYDAY
from tests.foundation.feel.test_values import TESTS, plain

EXPRESSIONS: list[tuple[str, object]] = [
    # ranges as values (10.3.2.7)
    ("(< 18)", FeelRange(None, Decimal(18), False, False, "<")),
    ("17 in (< 18)", True),
    ("(>= 18) = (>= 18)", True),
    ("(< 18) = (<= 18)", False),
    ("(< 18).end", 18),
    ("(< 18).start", None),
    ("(> 18).start included", False),
    ("(= 18).end included", True),
    ("(= 18) = [18..18]", False),
    ("(!= 18) = (!= 18)", True),
    ("{limit: (< 18), r: 5 in limit}.r", True),
    ("{limit: (!= 18), r: [18 in limit, 17 in limit]}.r", [False, True]),
    ("5 in [null..10]", None),
    ("[null..10]", None),
    ("(< [1])", None),
    ("[1..5] = [1..5]", True),
    ("[1..5] = [1..5)", False),
    ("[1..5] instance of range<number>", True),
    ('["a".."c"] instance of range<number>', False),
    ("for i in [1..4) return i", [1, 2, 3]),
    ("for i in [3..1] return i", None),
    ("for i in 3..1 return i", [3, 2, 1]),
    ('for i in "a".."c" return i', None),
    ("[1..5].start + (1..7].end", 8),
    # range()
    ('range("[1..5)") = [1..5)', True),
    ('range(" ( 1 .. 5 ] ") = (1..5]', True),
    ('range("]1..5[") = (1..5)', True),
    (r'range("[\"a\"..\"c\"]") = ["a".."c"]', True),
    (r'range("[@\"2024-01-01\"..date(\"2024-02-01\")]") = [@"2024-01-01"..@"2024-02-01"]', True),
    ('range("(..5]") = (<= 5)', True),
    ('range("[5..)") = (>= 5)', True),
    ('range("[5..1]")', None),
    ('range("[..5]")', None),
    ('range("[x..5]")', None),
    ('range("5")', None),
    # functions over ranges with one end
    ("before((< 3), 5)", True),
    ("after(9, (< 5))", True),
    ("overlaps((< 5), (> 3))", True),
    ("overlaps((< 3), (> 5))", False),
    ("includes((> 3), [4..9])", True),
    ("before((!= 3), 5)", None),
    ("met by([5..9], [1..5])", True),
    ("overlaps after([3..8], [1..5])", True),
    ("finishes(5, [1..5])", True),
    ("started by([1..5], 1)", True),
    ("during([2..3], [1..5])", True),
    ("coincides(5, 5)", True),
    ("after([5..9], 1)", True),
    # functions: recursion, closures, higher order, conversions of arguments
    ("{f: function(n) if n <= 1 then 1 else n * f(n - 1), r: f(5)}.r", 120),
    ("{fib: function(n) if n < 2 then n else fib(n - 1) + fib(n - 2), r: fib(12)}.r", 144),
    ("{add: function(a) function(b) a + b, r: add(2)(3)}.r", 5),
    ("{twice: function(f, x) f(f(x)), r: twice(function(x) x * 3, 2)}.r", 18),
    ("for f in [floor, ceiling] return f(1.5)", [1, 2]),
    ("(function(n: number) n)([7])", 7),
    ("(function(ns: list<number>) count(ns))(7)", 1),
    ('(function(at: date and time) at)(@"2024-01-02")', datetime(2024, 1, 2, tzinfo=UTC)),
    ('(function(n: number) n)("7")', None),
    # conditions that are no conditions
    ('if "yes" then 1 else 2', None),
    ('[1, 2, 3]["yes"]', None),
    ("[1, 2, 3][if item = 2 then null else true]", [1, 3]),
    ('some x in [1, 2] satisfies "yes"', None),
    ("every x in [] satisfies null", True),
    # lists of one and missing arguments
    ("is(value1: null)", True),
    ("list contains(list: [null])", True),
    ("floor(1.5, null)", None),
    ('number("1.000,5", ".", ",")', "1000.5"),
    ('number(from: "1,5", decimal separator: ",")', "1.5"),
    ('number("1", ".", ".")', None),
    ('string length(["abc"])', 3),
    ("decimal(1/3, 2.9)", "0.33"),
    ("round up(1.1, -6112)", None),
    ('substring("foobar", 3, 2.9)', "ob"),
    ("list replace([1, 2, 3], 2.5, 9)", [1, 9, 3]),
    ('context put(context: {a: 1}, key: "b", value: 2)', {"a": 1, "b": 2}),
    ('context put(context: {a: {b: 1}}, keys: ["a", "b"], value: 2)', {"a": {"b": 2}}),
    ('context put(context: {a: 1}, key: ["a"], value: 2)', {"a": 2}),
    ('context put(context: {a: {b: 1}}, key: ["a", "b"], value: 2)', None),
    ('string join(["a", null, "b"], null)', "ab"),
    ("duplicate values([1, 2, 1, 3, 3])", [1, 3]),
    ('last day of month(@"2024-02-10")', 29),
    # instance of
    ("{a: null} instance of context<a: string>", True),
    ("{} instance of context<a: string>", False),
    ("[[1]] instance of list<list<number>>", True),
    ('{a: [{b: @"P1D"}]} instance of context<a: list<context<b: days and time duration>>>', True),
    ("(function(a: number) a) instance of function<number> -> Any", True),
    ("null instance of Any", False),
    ("null instance of Null", True),
    # masks
    ('string("%s: %.2f", "a", 1 / 3)', "a: 0.33"),
    ('string("%,d|%5d|%-5d|%05d|%+d", 1234567, 42, 42, 42, 42)', "1,234,567|   42|42   |00042|+42"),
    ('string("100%%%n%S", "a")', "100%\nA"),
    ('string("%d", 1.5)', None),
    ('string("%d %d", 1)', None),
    # names
    ('{🌸: "芙蓉"}.🌸', "芙蓉"),
    ('{a+b: 1, "c d": 2}', {"a+b": 1, "c d": 2}),
    ("[{item: 1}, {item: 2}][item = 2]", [{"item": 2}]),
    # dates and times
    ('@"12024-02-10" - @"12024-02-09"', timedelta(days=1)),
    ('string(@"9999-12-31" + @"P1D")', "10000-01-01"),
    ('string(@"-0044-03-15" + @"P1M")', "-0044-04-15"),
    ('string(@"-2021-03-31T10:00:00+08:00" - @"P1M")', "-2021-02-28T10:00:00+08:00"),
    ('@"-0044-03-15" < @"2024-01-01"', True),
    ('@"12024-02-10" = @"12024-02-10"', True),
    ('@"12024-02-10" = @"2024-02-10"', False),
    ('@"12024-02-10T08:00:00Z" > @"2024-02-10T08:00:00Z"', True),
    ('[@"12024-02-10".year, @"12024-02-10".weekday, week of year(@"12024-02-10")]', [12024, 6, 6]),
    ('date("0000-01-01")', None),
    ("date(0, 1, 1)", None),
    ("string(date(-5, 2, 3))", "-0005-02-03"),
    ('@"12024-02-10" instance of date', True),
    ('string(@"08:00:00.123456789")', "08:00:00.123456789"),
    ('@"08:00:00.123456789".second', "0.123456789"),
    ('string(@"08:00:00.999999999" + @"PT1S")', "08:00:01.999999999"),
    (
        'string(date and time(@"2024-01-01", @"08:00:00.123456789@Asia/Shanghai"))',
        "2024-01-01T08:00:00.123456789@Asia/Shanghai",
    ),
    ('@"08:00:00.1" = @"08:00:00.2"', True),  # "=" asks to the second
    ('is(@"08:00:00.1", @"08:00:00.2")', False),  # is() to the fraction
    ('is(@"2024-06-01T08:00:00@Asia/Shanghai", @"2024-06-01T08:00:00+08:00")', False),
    ('@"2024-02-10T24:00:00"', datetime(2024, 2, 11)),  # noqa: DTZ001
    ('@"23:00:50@Etc/GMT" = @"23:00:50Z"', True),
    ('duration("PT0.S")', timedelta()),
    ('date and time("2024-01-01T08:00:00").time', None),
    ('date(@"2024-01-01T08:00:00")', date(2024, 1, 1)),
    ('time(@"2024-01-01T08:00:00")', time(8)),
    ("time(8, 30, 0, null)", time(8, 30)),
    ('years and months duration(@"-0002-01-01", @"0002-01-01")', YearsMonths(48)),
    ('string(@"9999-12-31T23:00:00@Asia/Shanghai" + @"PT20H")', "10000-01-01T19:00:00@Asia/Shanghai"),
    ('@"2024-03-10T01:30:00@America/New_York" + @"PT1H" = @"2024-03-10T07:30:00Z"', True),
    # the ends of the numbers
    ("0 ** -1", None),
    ("0 ** 0", 1),
    ('number("1e9999")', None),
    ("[odd(1e40), even(1e40), odd(-3), even(1.5)]", [False, True, True, False]),
    ("10 ** 6000 * 10 ** 6000", None),
    # comparisons of comparisons
    ("1 < 2 = true", True),
    ("3 in [1..5] = false", False),
    ("1 between 0 and 2 = true and true", True),
    # sums of what has none
    ("sum([true])", None),
    ("sum(null)", None),
    ('sum([@"P1D", @"PT12H"])', timedelta(hours=36)),
    # the rest of the built-in functions
    ('[lower case("AB"), odd(3), even(3)]', ["ab", True, False]),
]


@pytest.mark.parametrize(("text", "expected"), EXPRESSIONS, ids=[text for text, _ in EXPRESSIONS])
def test_an_expression_gives_its_value(text: str, expected: object) -> None:
    found = plain(feel.compile_expression(text).evaluate({}))
    assert found == expected
    assert type(found) is type(expected)


def test_every_function_has_an_example() -> None:
    called = set()
    for text, _ in (*EXPRESSIONS, *EVERYDAY):
        called |= {name for name in BUILTINS if re.search(rf"(?<![\w ]){re.escape(name)}\(", text)}
    assert set(BUILTINS) - called == set()


def test_every_rule_of_the_grammar_has_an_example() -> None:
    grammar = files("furong.foundation.feel").joinpath("grammar.lark").read_text("utf-8")
    rules = set(re.findall(r"^([a-z_]+):", grammar, re.MULTILINE)) | set(re.findall(r"-> ([a-z_]+)", grammar))
    seen: set[str] = set()
    for text, _ in (*EXPRESSIONS, *EVERYDAY):
        seen |= {tree.data for tree in parse(text).iter_subtrees()}
    for text, _, _ in TESTS:
        seen |= {tree.data for tree in parse(text, unary=True).iter_subtrees()}
    assert isinstance(parse("1"), Tree)
    assert rules - seen == set()


def test_a_function_that_never_ends_reaches_its_limit() -> None:
    with pytest.raises(FeelLimitReached):
        feel.compile_expression("{f: function(n) f(n + 1), r: f(1)}.r").evaluate({})


@pytest.mark.parametrize(
    "text",
    [
        "for i in 1..100000 return [" + ", ".join(["i"] * 2_000) + "]",
        "every i in 1..100000 satisfies " + " and ".join(["i > 0"] * 1_000),
        "count((for i in 1..1000 return i)[" + " and ".join(["item > 0"] * 2_400) + "])",
        '{t: string join(for i in 1..20000 return "xxxxxxxxxx"), r: for i in 1..50000 return contains(t, "y")}.r',
        "{t: for i in 1..20000 return i, r: for i in 1..50000 return sublist(t, 2)}.r",
    ],
    ids=["for", "every", "filter", "text", "list"],
)
def test_large_bodies_and_large_values_count_for_more(text: str) -> None:
    started = process_time()
    with pytest.raises(FeelLimitReached):
        feel.compile_expression(text).evaluate({})
    assert process_time() - started < 10


def test_a_lenient_program_gives_null_and_says_why() -> None:
    for text, code in (
        ("nobody", "feel.unknown_name"),
        ("nobody(1)", "feel.unknown_name"),
        ("floor()", "feel.arguments"),
        ("floor(x: 1)", "feel.arguments"),
        ("floor(n: 1, n: 2)", "feel.arguments"),
    ):
        program = Program(known_names=(), lenient=True)
        fn = program.expression(text)
        problems: list[FeelProblem] = []
        assert fn(program.environment({}, None, problems)) is None
        assert problems[0].code == code
        with pytest.raises(FeelSyntaxError):
            Program(known_names=()).expression(text)


def test_types_of_a_model_are_found_by_name() -> None:
    def resolve(name: str) -> object:
        return (lambda value: value == Decimal(5)) if name == "a five" else None

    program = Program(spellings=("a five",), resolve=resolve)  # type: ignore[arg-type]
    fns = [program.expression(text) for text in ("5 instance of a five", "[6] instance of list<a five>")]
    env = program.environment({}, None, [])
    assert [fn(env) for fn in fns] == [True, False]
    with pytest.raises(FeelSyntaxError):
        program.expression("5 instance of a six")


def test_values_convert_as_the_standard_says() -> None:
    number, numbers = type_check("number"), type_check("list<number>")
    assert convert([Decimal(1)], number) == (Decimal(1), True)
    assert convert(Decimal(1), numbers) == ([Decimal(1)], True)
    assert convert(None, number) == (None, True)
    assert convert("1", number) == ("1", False)
    assert convert(date(2024, 1, 1), type_check("date and time")) == (datetime(2024, 1, 1, tzinfo=UTC), True)


@given(st.integers(-365_000_000, 365_000_000))
def test_days_count_without_gaps(number: int) -> None:
    day = moved_day(date(1, 1, 1), number)
    assert ordinal(day) == number + 1
    assert ordinal(moved_day(day, 1)) == number + 2
    if isinstance(day, WideDate):
        assert make_day(day.year, day.month, day.day) == day


@given(st.dates(), st.integers(-1_000, 1_000))
def test_wide_days_have_the_calendar_of_four_hundred_years_before(day: date, eras: int) -> None:
    far = day.year + 400 * eras
    if day.year and far and (day.month, day.day) != (2, 29):
        assert make_day(far, day.month, day.day).isoweekday() == day.isoweekday()


@given(st.integers(-999_999, 999_999).filter(bool), st.integers(1, 12), st.integers(1, 28))
def test_a_date_of_any_year_reads_back_as_it_was_written(year: int, month: int, day: int) -> None:
    written = feel.compile_expression("string(date(y, m, d))").evaluate({"y": year, "m": month, "d": day})
    assert isinstance(written, str)
    found = feel.compile_expression("date(t)").evaluate({"t": written})
    assert found == make_day(year, month, day)


@given(st.integers(-50, 50), st.integers(-50, 50), st.integers(-60, 60), st.booleans(), st.booleans())
def test_a_range_read_from_text_includes_what_its_literal_does(
    one: int, other: int, value: int, left: bool, right: bool
) -> None:
    low, high = sorted((one, other))
    text = f"{'[' if left else '('}{low}..{high}{']' if right else ')'}"
    found = feel.compile_expression(f"[v in range(t), v in {text}]").evaluate({"v": value, "t": text})
    wanted = (low < value or (left and low == value)) and (value < high or (right and value == high))
    assert found == [wanted, wanted]
