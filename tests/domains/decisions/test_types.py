"""Item definitions: what conforms, what is converted, and how JSON's texts become dates (DMN 1.5, 7.3.2, 10.3.2.9.4)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest

from furong.foundation.feel import YearsMonths
from tests.domains.decisions.test_values import decision, inputs, literal, model, plain, requires, run, table

TYPES = """
<itemDefinition name="tNumbers" isCollection="true"><typeRef>number</typeRef></itemDefinition>
<itemDefinition name="tSmall"><typeRef>number</typeRef><allowedValues><text>[0..9]</text></allowedValues></itemDefinition>
<itemDefinition name="tSmalls" isCollection="true"><typeRef>tSmall</typeRef></itemDefinition>
<itemDefinition name="tFew" isCollection="true"><typeRef>number</typeRef>
  <typeConstraint><text>count(?) &lt; 3</text></typeConstraint></itemDefinition>
<itemDefinition name="tPerson"><itemComponent name="name"><typeRef>string</typeRef></itemComponent>
  <itemComponent name="born"><typeRef>date</typeRef></itemComponent></itemDefinition>
<itemDefinition name="tPeople" isCollection="true"><typeRef>tPerson</typeRef></itemDefinition>
<itemDefinition name="tVisit"><itemComponent name="at"><typeRef>date and time</typeRef></itemComponent>
  <itemComponent name="people"><typeRef>tPeople</typeRef></itemComponent>
  <itemComponent name="spans" isCollection="true"><typeRef>days and time duration</typeRef></itemComponent></itemDefinition>
<itemDefinition name="tTest"><functionItem outputTypeRef="boolean">
  <parameters name="a" typeRef="number"/><parameters name="b" typeRef="number"/></functionItem></itemDefinition>
"""
ADA = "{name: \"a\", born: date('2020-01-01')}".replace("'", '"')


@pytest.mark.parametrize(
    ("type_ref", "text", "expected"),
    [
        ("number", "[1]", 1),
        ("number", "[[1]]", None),
        ("number", "[1, 2]", None),
        ("number", '"1"', None),
        ("tNumbers", "1", [1]),
        ("tNumbers", "[1, null]", [1, None]),
        ("tNumbers", '[1, "x"]', None),
        ("tNumbers", "null", None),
        ("tSmall", "9", 9),
        ("tSmall", "10", None),
        ("tSmalls", "[1, 10]", None),
        ("tSmalls", "[1, 9]", [1, 9]),
        ("tFew", "[1, 2]", [1, 2]),
        ("tFew", "[1, 2, 3]", None),
        ("tPerson", "{name: null, born: null, more: 1}", {"name": None, "born": None, "more": 1}),
        ("tPerson", "{name: null}", None),
        ("tPerson", "{name: 1, born: null}", None),
        ("tTest", "(function(a, b) a > b)(2, 1)", None),
        ("date and time", 'date("2026-01-02")', datetime(2026, 1, 2, tzinfo=UTC)),
        ("date", 'date and time("2026-01-02T00:00:00Z")', None),
        ("Any", '"x"', "x"),
        ("feel:number", "1", 1),
    ],
)
def test_a_result_is_converted_to_its_type_or_null(type_ref: str, text: str, expected: object) -> None:
    result = run(TYPES + decision(literal(text), type_ref=type_ref), {})
    assert plain(result.value) == expected
    assert bool(result.errors) is (expected is None and text != "null")


def test_a_function_conforms_by_the_number_of_its_parameters() -> None:
    body = TYPES + decision(
        "<context><contextEntry><variable name='f' typeRef='tTest'/>"
        + literal("function(a, b) a > b")
        + "</contextEntry><contextEntry><variable name='g' typeRef='tTest'/>"
        + literal("function(a) a")
        + "</contextEntry><contextEntry>"
        + literal("[f(2, 1), g]")
        + "</contextEntry></context>"
    )
    result = run(body, {})
    assert result.value == [True, None]
    assert [one.code for one in result.errors] == ["decisions.type"]


@pytest.mark.parametrize(
    "logic",
    [
        '<literalExpression typeRef="number"><text>"x"</text></literalExpression>',
        f'<list typeRef="number">{literal("1")}{literal("2")}</list>',
        f'<context><contextEntry><variable name="a" typeRef="number"/>{literal("[2, 3]")}</contextEntry>'
        f"<contextEntry>{literal('a')}</contextEntry></context>",
        f'<conditional typeRef="date"><if>{literal("true")}</if><then>{literal("1")}</then><else>{literal("2")}</else>'
        "</conditional>",
    ],
)
def test_every_box_has_the_type_that_it_names(logic: str) -> None:
    result = run(decision(logic), {})
    assert result.value is None
    assert [one.code for one in result.errors] == ["decisions.type"]


@pytest.mark.parametrize(
    ("logic", "expected"),
    [
        (f'<conditional><if>{literal(chr(34) + "x" + chr(34))}</if><then>{literal("1")}</then><else>{literal("2")}</else>'
         "</conditional>", None),
        (f"<conditional><if>{literal('null')}</if><then>{literal('1')}</then><else>{literal('2')}</else></conditional>", 2),
        (f"<filter><in>{literal('[1, 2]')}</in><match>{literal('if item = 1 then true else 7 + item')}</match></filter>",
         None),
        (f'<some iteratorVariable="i"><in>{literal("[1, 2]")}</in><satisfies>{literal("if i = 2 then true else i")}'
         "</satisfies></some>", None),
    ],
)  # fmt: skip
def test_a_boxed_condition_that_is_no_boolean_makes_null(logic: str, expected: object) -> None:
    result = run(decision(logic), {})
    assert plain(result.value) == expected
    assert bool(result.told()) is (expected is None)


def test_texts_of_json_become_what_the_declared_type_says_at_any_depth() -> None:
    given = {
        "at": "2026-03-01T10:00:00+08:00",
        "people": [{"name": "2020-01-01", "born": "2020-01-01"}],
        "spans": ["PT36H", "-P1D"],
    }
    body = TYPES + inputs(v="tVisit") + decision(literal("v"), needs=requires("v"))
    value = model(body).evaluate("d", {"v": given}, from_json=True).value
    assert isinstance(value, dict)
    assert value["at"] == datetime(2026, 3, 1, 2, tzinfo=UTC)
    assert value["people"] == [{"name": "2020-01-01", "born": date(2020, 1, 1)}]
    assert value["spans"] == [timedelta(hours=36), timedelta(days=-1)]
    # A caller who has dates says so; texts stay texts, and do not fit.
    assert [one.code for one in model(body).evaluate("d", {"v": given}).errors] == ["decisions.input_type"]


@pytest.mark.parametrize(
    ("type_ref", "text", "expected"),
    [
        ("time", "10:00:00", time(10)),
        ("yearMonthDuration", "P1Y2M", YearsMonths(14)),
        ("years and months duration", "P14M", YearsMonths(14)),
        ("dayTimeDuration", "PT1H", timedelta(hours=1)),
        ("dateTime", "2026-01-01T00:00:00Z", datetime(2026, 1, 1, tzinfo=UTC)),
        ("string", "2026-01-01", "2026-01-01"),
        ("Any", "2026-01-01", "2026-01-01"),
        ("", "2026-01-01", "2026-01-01"),
        ("date", "2026-02-30", None),
        ("days and time duration", "P1Y", None),
    ],
)
def test_each_temporal_type_reads_its_text(type_ref: str, text: str, expected: object) -> None:
    body = inputs(x=type_ref) + decision(literal("x"), needs=requires("x"))
    result = model(body).evaluate("d", {"x": text}, from_json=True)
    assert result.value == expected
    assert bool(result.errors) is (expected is None)


def test_priorities_come_from_the_allowed_values_of_the_outputs_type() -> None:
    types = (
        '<itemDefinition name="tRisk"><typeRef>string</typeRef><allowedValues><text>"high","low"</text></allowedValues>'
        "</itemDefinition>"
    )
    logic = table([], ['<output name="o" typeRef="tRisk"/>'], [['"low"'], ['"high"']], 'hitPolicy="PRIORITY"')
    assert run(types + decision(logic), {}).value == "high"


def test_instance_of_asks_for_the_shape_and_not_for_the_allowed_values() -> None:
    text = '[99 instance of tSmall, "x" instance of tSmall, [1] instance of tNumbers, null instance of tSmall]'
    assert run(TYPES + decision(literal(text)), {}).value == [True, False, True, False]


def test_numbers_are_never_rounded_on_the_way_through() -> None:
    body = inputs(x="number") + decision(literal("x"), needs=requires("x"))
    digits = Decimal("0.1234567890123456789012345678901234")
    assert model(body).evaluate("d", {"x": digits}).value == digits
