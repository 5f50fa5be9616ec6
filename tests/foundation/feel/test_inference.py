"""What is wrong with an expression, told before it runs, and never where it could be right."""

from __future__ import annotations

import pytest
from hypothesis import given

from furong.foundation import feel
from furong.foundation.feel import FeelLimitReached, FeelProblem, FeelSyntaxError, FeelType
from furong.foundation.feel.functions import BUILTINS
from furong.foundation.feel.returns import result_of
from furong.foundation.feel.shapes import ANY, BOOLEAN, NUMBER, STRING, parse_type
from furong.foundation.feel.values import kind
from tests.foundation.feel.test_values import CONTEXT, EXPRESSIONS, NOW, WORDS

TYPES: dict[str, FeelType] = {
    "age": NUMBER,
    "name": STRING,
    "approved": BOOLEAN,
    "born on": FeelType("date"),
    "anything": ANY,
    "applicant": FeelType.context({"name": STRING, "address": FeelType.context({"division": STRING})}),
    "lines": FeelType.list_of(FeelType.context({"amount": NUMBER, "kind": STRING})),
    "tax": FeelType.function((NUMBER,), NUMBER),
    "loose": FeelType("context"),
}

MISTAKES: list[tuple[str, str, int]] = [
    ("agee > 3", "feel.unknown_name", 1),
    ('age > "3"', "feel.not_comparable", 1),
    ("3 < age and name = 5", "feel.not_comparable", 13),
    ("approved < true", "feel.not_comparable", 1),
    ("age and approved", "feel.not_boolean", 1),
    ("if age then 1 else 2", "feel.not_boolean", 4),
    ("lines[name]", "feel.not_boolean", 7),
    ("some x in lines satisfies x.amount", "feel.not_boolean", 27),
    ("flor(age)", "feel.unknown_function", 1),
    ("floor()", "feel.arguments", 1),
    ("floor(age, 1, 2)", "feel.arguments", 1),
    ("floor(x: age)", "feel.arguments", 1),
    ("tax(1, 2)", "feel.arguments", 1),
    ("tax(name)", "feel.argument_type", 5),
    ("floor(name)", "feel.argument_type", 7),
    ("string length(age)", "feel.argument_type", 15),
    ("age(1)", "feel.not_a_function", 1),
    ("age.years", "feel.no_entries", 5),
    ("applicant.nam", "feel.unknown_entry", 11),
    ("applicant.address.division.x", "feel.no_entries", 28),
    ("lines.amounts", "feel.unknown_entry", 7),
    ("lines[amount > kind]", "feel.not_comparable", 7),
    ("born on.hours", "feel.unknown_entry", 9),
    ("age + name", "feel.no_operator", 1),
    ("-name", "feel.no_operator", 1),
    ("born on + age", "feel.no_operator", 1),
    ("age between 1 and name", "feel.not_comparable", 1),
    ('age in (1, "b")', "feel.not_comparable", 12),
    ('age in ["a".."b"]', "feel.not_comparable", 8),
    ("for x in lines return x.amont", "feel.unknown_entry", 25),
    ("for x in lines, y in x return z", "feel.unknown_name", 31),
    ("{a: 1, b: a + name}", "feel.no_operator", 11),
    ("{f: function(n) n, r: f(1, 2)}", "feel.arguments", 23),
    ("function(a: nonsense) a", "feel.syntax", 13),
    ("1 +", "feel.syntax", 4),
    ("function(a, a) a", "feel.syntax", 1),
]


@pytest.mark.parametrize(("text", "code", "column"), MISTAKES, ids=[text for text, _, _ in MISTAKES])
def test_a_mistake_is_found_where_it_stands(text: str, code: str, column: int) -> None:
    findings = feel.check_expression(text, types=TYPES)
    assert [(one.code, one.line, one.column) for one in findings] == [(code, 1, column)]
    assert findings[0].message
    assert "%(" not in findings[0].message


RIGHT: list[tuple[str, str]] = [
    ("age > 3", "boolean"),
    ("age > anything", "boolean"),
    ('applicant.name = null or anything.x.y = "z"', "boolean"),
    ('sum(lines[kind = "x"].amount) * 2', "number"),
    ("lines[1].amount", "number"),
    ("lines.amount", "list<number>"),
    ("lines[amount > 5]", "list<context<amount: number, kind: string>>"),
    ("for x in lines return x.kind", "list<string>"),
    ("for i in 1..3 return partial[-1]", "list"),
    ("if approved then age else null", "number"),
    ('if approved then age else "none"', "Any"),
    ('born on + @"P1D"', "date"),
    ("born on.year", "number"),
    ("(born on - born on).days", "number"),
    ("anything - born on", "days and time duration"),
    ("age in [1..5]", "boolean"),
    ("age in (1, > 5, [7..9])", "boolean"),
    ("age in lines.amount", "boolean"),
    ("tax(age) + 1", "number"),
    ("{a: 1, b: a + 1}.b", "number"),
    ("{f: function(n: number) n + 1, r: f(1)}.r", "number"),
    ("{f: function(n) if n = 0 then 0 else f(n - 1), r: f(1)}.r", "Any"),
    ("loose.whatever.at.all", "Any"),
    ("loose[x > 1]", "list<context>"),
    ("max(1, 2)", "number"),
    ("append(lines.amount, 3)", "list<number>"),
    ("concatenate([1], [2])", "list<number>"),
    ("floor(n: age)", "number"),
    ("string length([name])", "number"),
    ("count(age)", "number"),
    ("[1..5].start", "number"),
    ("(< 5).end included", "boolean"),
    ("age instance of list<number>", "boolean"),
    ("not(approved)", "boolean"),
    ("sort(lines, function(a, b) a.amount < b.amount)", "list<context<amount: number, kind: string>>"),
]


@pytest.mark.parametrize(("text", "expected"), RIGHT, ids=[text for text, _ in RIGHT])
def test_what_is_right_has_no_findings_and_a_type(text: str, expected: str) -> None:
    found = feel.infer(text, types=TYPES)
    assert found.findings == ()
    assert str(found.type) == expected


def test_a_condition_must_be_boolean() -> None:
    assert feel.check_expression("approved", types=TYPES, expected=BOOLEAN) == []
    assert feel.check_expression("anything", types=TYPES, expected=BOOLEAN) == []
    (finding,) = feel.check_expression("age + 1", types=TYPES, expected=BOOLEAN)
    assert (finding.code, finding.type) == ("feel.result_type", NUMBER)
    assert finding.message == "The expression gives number, where boolean is wanted."


def test_several_mistakes_are_all_told_in_the_order_of_the_text() -> None:
    findings = feel.check_expression("agee > 3 and\n  nam = 4", types=TYPES)
    assert [(one.line, one.column) for one in findings] == [(1, 1), (2, 3)]


def test_the_cells_of_a_table_are_checked_against_their_input() -> None:
    def codes(text: str, input_type: FeelType) -> list[str]:
        return [one.code for one in feel.check_unary_tests(text, input_type=input_type, types=TYPES)]

    assert codes("< 18, [20..30]", NUMBER) == []
    assert codes("-", NUMBER) == []
    assert codes('not("a", "b")', STRING) == []
    assert codes("string length(?) = 18", STRING) == []
    assert codes("age > 18", STRING) == []
    assert codes("lines.kind", STRING) == []
    assert codes("< 18", STRING) == ["feel.not_comparable"]
    assert codes('"a"', NUMBER) == ["feel.not_comparable"]
    assert codes("string length(?) = 18", NUMBER) == ["feel.argument_type"]
    assert codes("nobody", NUMBER) == ["feel.unknown_name"]


def test_types_are_read_from_text_and_from_examples() -> None:
    for text in (
        "list<context<a: number, b: list<date and time>>>",
        "function<number, string> -> boolean",
        "range<date>",
    ):
        assert str(parse_type(text)) == text
    for text in ("list<", "nonsense", "number<string>", "list<number> x"):
        with pytest.raises(ValueError, match=r"."):
            parse_type(text)
    assert str(parse_type("list<Money>", lambda name: NUMBER if name == "Money" else None)) == "list<number>"
    example = feel.to_feel({"a": [1, 2], "b": None, "c": {"d": "x"}})
    assert str(feel.type_of(example)) == "context<a: list<number>, b: Any, c: context<d: string>>"


def test_every_function_has_a_result_or_none_that_can_be_told() -> None:
    given = (FeelType.list_of(NUMBER),) * 3
    unknown = {name for name in BUILTINS if result_of(name, given).kind == "any"}
    assert unknown == {"abs", "duration", "get value"}


@pytest.mark.parametrize("text", [text for text, _ in EXPRESSIONS])
def test_what_runs_without_a_problem_has_no_findings(text: str) -> None:
    types = {name: feel.type_of(feel.to_feel(value)) for name, value in CONTEXT.items()}
    problems: list[FeelProblem] = []
    value = feel.compile_expression(text).evaluate(CONTEXT, now=NOW, problems=problems)
    found = feel.infer(text, types=types)
    if not problems:
        assert found.findings == ()
    assert value is None or found.type.kind in ("any", kind(value))


@given(WORDS)
def test_whatever_compiles_is_checked_without_a_fault(text: str) -> None:
    context: dict[str, object] = {"a": 1, "b": [1, {"y": 2}], "x": {"y": [3]}}
    types = {name: feel.type_of(feel.to_feel(value)) for name, value in context.items()}
    found = feel.infer(text, types=types)
    if found.findings:
        return
    try:
        value = feel.compile_expression(text, known_names=set(context)).evaluate(context)
    except (FeelSyntaxError, FeelLimitReached) as refused:
        assert isinstance(refused, FeelLimitReached)  # noqa: PT017  what has no findings compiles
    else:
        assert value is None or found.type.kind in ("any", kind(value))
