"""DMN files: what each construct gives, and what is refused with file, line and mend. No input or output."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from furong.domains.decisions import (
    DecisionModel,
    DecisionRefused,
    DecisionResult,
    UnknownDecision,
    parse_dmn,
)

DMN_15 = "https://www.omg.org/spec/DMN/20230324/MODEL/"


def definitions(body: str, *, namespace: str = DMN_15, head: str = "") -> bytes:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n{head}'
        f'<definitions xmlns="{namespace}" id="m" name="model" namespace="urn:test">\n{body}\n</definitions>'
    ).encode()


def model(body: str, **options: str) -> DecisionModel:
    return parse_dmn(definitions(body, **options), file="rules.dmn")


def inputs(**types: str) -> str:
    return "\n".join(
        f'<inputData id="i_{name}" name="{name}"><variable name="{name}"{f" typeRef={chr(34)}{kind}{chr(34)}" if kind else ""}/>'
        "</inputData>"
        for name, kind in types.items()
    )


def requires(*names: str, decisions: tuple[str, ...] = (), knowledge: tuple[str, ...] = ()) -> str:
    parts = [f'<informationRequirement><requiredInput href="#i_{name}"/></informationRequirement>' for name in names]
    parts += [
        f'<informationRequirement><requiredDecision href="#{name}"/></informationRequirement>' for name in decisions
    ]
    parts += [f'<knowledgeRequirement><requiredKnowledge href="#{name}"/></knowledgeRequirement>' for name in knowledge]
    return "".join(parts)


def literal(text: str) -> str:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;")
    return f"<literalExpression><text>{escaped}</text></literalExpression>"


def decision(logic: str, *, name: str = "d", needs: str = "", type_ref: str = "") -> str:
    variable = f'<variable name="{name}" typeRef="{type_ref}"/>' if type_ref else f'<variable name="{name}"/>'
    return f'<decision id="{name}" name="{name}">{variable}{needs}\n{logic}\n</decision>'


def table(columns: list[str], outputs: list[str], rows: list[list[str]], attributes: str = "") -> str:
    def cell(kind: str, text: str) -> str:
        return f"<{kind}><text>{text.replace('<', '&lt;')}</text></{kind}>"

    head = "".join(f"<input><inputExpression><text>{c}</text></inputExpression></input>\n" for c in columns)
    results = "".join(f"{o}\n" if o.startswith("<") else f'<output name="{o}"/>\n' for o in outputs)
    rules = "".join(
        f'<rule id="r{i}">'
        + "".join(cell("inputEntry", text) for text in row[: len(columns)])
        + "".join(cell("outputEntry", text) for text in row[len(columns) :])
        + "</rule>\n"
        for i, row in enumerate(rows, 1)
    )
    return f"<decisionTable {attributes}>\n{head}{results}{rules}</decisionTable>"


def run(body: str, values: Mapping[str, object], name: str | None = "d") -> DecisionResult:
    return model(body).evaluate(name, values)


def plain(value: object) -> object:
    if isinstance(value, Decimal):
        return int(value) if value == int(value) else str(value)
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    return value


# --- hit policies -----------------------------------------------------------------------------------------------

ROWS = [["< 10", '"low"'], ["[5..20]", '"mid"'], ["> 3", '"high"'], ["7", '"mid"']]
ORDERED = '<output name="o"><outputValues><text>"high","mid","low"</text></outputValues></output>'
NUMBERS = [["< 10", "1"], ["[5..20]", "2.5"], ["> 3", "4"], ["7", "2.5"]]

POLICIES: list[tuple[str, str, list[list[str]], int, object, list[int]]] = [
    ('hitPolicy="UNIQUE"', "o", ROWS, 2, "low", [1]),
    ("", "o", ROWS, 30, "high", [3]),
    ('hitPolicy="FIRST"', "o", ROWS, 7, "low", [1]),
    ('hitPolicy="PRIORITY"', ORDERED, ROWS, 7, "high", [3]),
    ('hitPolicy="ANY"', "o", [["< 10", '"x"'], ["< 20", '"x"']], 5, "x", [1, 2]),
    ('hitPolicy="RULE ORDER"', "o", ROWS, 7, ["low", "mid", "high", "mid"], [1, 2, 3, 4]),
    ('hitPolicy="OUTPUT ORDER"', ORDERED, ROWS, 7, ["high", "mid", "mid", "low"], [3, 2, 4, 1]),
    ('hitPolicy="COLLECT"', "o", ROWS, 4, ["low", "high"], [1, 3]),
    ('hitPolicy="COLLECT" aggregation="SUM"', "o", NUMBERS, 7, 10, [1, 2, 3, 4]),
    ('hitPolicy="COLLECT" aggregation="MIN"', "o", NUMBERS, 7, 1, [1, 2, 3, 4]),
    ('hitPolicy="COLLECT" aggregation="MAX"', "o", NUMBERS, 7, 4, [1, 2, 3, 4]),
    ('hitPolicy="COLLECT" aggregation="COUNT"', "o", NUMBERS, 7, 4, [1, 2, 3, 4]),
]


@pytest.mark.parametrize(("attributes", "output", "rows", "given_value", "expected", "fired"), POLICIES)
def test_each_hit_policy_makes_its_result(
    attributes: str, output: str, rows: list[list[str]], given_value: int, expected: object, fired: list[int]
) -> None:
    body = inputs(x="number") + decision(table(["x"], [output], rows, attributes), needs=requires("x"))
    result = run(body, {"x": given_value})
    assert plain(result.value) == expected
    assert [rule.number for rule in result.rules_fired] == fired
    assert result.rules_fired[0].rule_id == f"r{fired[0]}"
    assert result.errors == ()


def test_two_rules_of_a_unique_table_are_an_error_and_null() -> None:
    result = run(inputs(x="number") + decision(table(["x"], ["o"], ROWS), needs=requires("x")), {"x": 7})
    assert result.value is None
    assert [one.code for one in result.errors] == ["decisions.not_unique"]
    assert "1, 2, 3, 4" in result.errors[0].message
    assert result.rules_fired == ()


def test_rules_of_an_any_table_that_differ_are_an_error() -> None:
    rows = [["< 10", '"x"'], ["< 20", '"y"']]
    result = run(
        inputs(x="number") + decision(table(["x"], ["o"], rows, 'hitPolicy="ANY"'), needs=requires("x")), {"x": 1}
    )
    assert result.value is None
    assert [one.code for one in result.errors] == ["decisions.not_any"]


def test_no_rule_gives_the_default_or_null() -> None:
    default = '<output name="o"><defaultOutputEntry><text>"none"</text></defaultOutputEntry></output>'
    head = inputs(x="number")
    assert run(head + decision(table(["x"], [default], [["1", '"a"']]), needs=requires("x")), {"x": 2}).value == "none"
    assert run(head + decision(table(["x"], ["o"], [["1", '"a"']]), needs=requires("x")), {"x": 2}).value is None
    count = table(["x"], ["o"], [["1", "1"]], 'hitPolicy="COLLECT" aggregation="COUNT"')
    assert run(head + decision(count, needs=requires("x")), {"x": 2}).value == Decimal(0)


def test_several_outputs_make_a_context() -> None:
    rows = [['"a"', "1", "x + 1"], ["-", "2", "null"]]
    body = inputs(k="string", x="number") + decision(
        table(["k"], ["one", "two"], rows, 'hitPolicy="FIRST"'), needs=requires("k", "x")
    )
    assert plain(run(body, {"k": "a", "x": 4}).value) == {"one": 1, "two": 5}
    assert plain(run(body, {"k": "b", "x": 4}).value) == {"one": 2, "two": None}


def test_priorities_go_column_by_column() -> None:
    outputs = [
        '<output name="a"><outputValues><text>"high","low"</text></outputValues></output>',
        '<output name="b"><outputValues><text>1,2</text></outputValues></output>',
    ]
    rows = [["-", '"low"', "1"], ["-", '"high"', "2"], ["-", '"high"', "1"]]
    body = inputs(x="") + decision(table(["x"], outputs, rows, 'hitPolicy="OUTPUT ORDER"'), needs=requires("x"))
    assert plain(run(body, {"x": 0}).value) == [{"a": "high", "b": 1}, {"a": "high", "b": 2}, {"a": "low", "b": 1}]


def test_what_the_caller_does_not_know_matches_only_a_dash_or_null() -> None:
    rows = [["< 10", '"low"'], ["null", '"unknown"'], [">= 10", '"high"']]
    body = inputs(x="number") + decision(table(["x"], ["o"], rows), needs=requires("x"))
    assert run(body, {"x": None}).value == "unknown"


def test_an_input_that_is_not_allowed_is_an_error() -> None:
    logic = table(["k"], ["o"], [["-", "1"]]).replace(
        "</inputExpression>", '</inputExpression><inputValues><text>"a","b"</text></inputValues>'
    )
    body = inputs(k="string") + decision(logic, needs=requires("k"))
    assert plain(run(body, {"k": "a"}).value) == 1
    result = run(body, {"k": "c"})
    assert result.value is None
    assert [one.code for one in result.errors] == ["decisions.input_not_allowed"]
    assert '"c"' not in result.errors[0].message


CELL = st.sampled_from(["-", "1", "2", "3", "1, 2", "< 2", "> 1", "not(2)", "[1..2]", '"1"', "null", "y"])


@given(st.lists(CELL, min_size=1, max_size=8), st.sampled_from([0, 1, 2, 3, "1", None, True]))
def test_the_index_on_the_first_column_changes_nothing(cells: list[str], given_value: object) -> None:
    # The same table with an idle first column has no index to go by.
    rows = [[cell, str(i)] for i, cell in enumerate(cells)]
    idle = [["-", cell, str(i)] for i, cell in enumerate(cells)]
    attributes = 'hitPolicy="RULE ORDER"'
    head = inputs(x="", y="")
    values = {"x": given_value, "y": 3}
    indexed = run(head + decision(table(["x"], ["o"], rows, attributes), needs=requires("x", "y")), values)
    plain_one = run(head + decision(table(["y", "x"], ["o"], idle, attributes), needs=requires("x", "y")), values)
    assert indexed.value == plain_one.value
    assert [r.number for r in indexed.rules_fired] == [r.number for r in plain_one.rules_fired]


# --- requirements and types -------------------------------------------------------------------------------------


def test_decisions_run_after_those_they_require_and_once() -> None:
    body = (
        inputs(x="number")
        + decision(literal("b + c"), name="a", needs=requires(decisions=("b", "c")))
        + decision(literal("c * 2"), name="b", needs=requires(decisions=("c",)))
        + decision(table(["x"], ["o"], [["-", "x + 1"]]), name="c", needs=requires("x"))
        + decision(literal("1"), name="alone")
    )
    found = model(body)
    result = found.evaluate(None, {"x": 1})
    assert plain(dict(result.outputs)) == {"a": 6, "alone": 1}
    assert len(result.rules_fired) == 1
    assert plain(dict(result.decisions)) == {"c": 2, "b": 4, "a": 6, "alone": 1}
    assert plain(dict(found.evaluate("b", {"x": 1}).decisions)) == {"c": 2, "b": 4}
    assert [one.name for one in found.required_inputs("a")] == ["x"]
    assert found.required_inputs("alone") == ()
    with pytest.raises(UnknownDecision):
        found.evaluate("nowhere", {})


def test_names_may_have_spaces_and_be_chinese() -> None:
    body = (
        '<inputData id="i1" name="Monthly Salary"/><inputData id="i2" name="户籍地"/>'
        '<decision id="d1" name="补贴 金额"><informationRequirement><requiredInput href="#i1"/></informationRequirement>'
        '<informationRequirement><requiredInput href="#i2"/></informationRequirement>'
        + literal('if 户籍地 = "本市" then Monthly Salary * 0.1 else 0')
        + "</decision>"
    )
    found = model(body)
    assert plain(found.evaluate("补贴 金额", {"Monthly Salary": 5000, "户籍地": "本市"}).value) == 500
    assert plain(found.evaluate("d1", {"Monthly Salary": 5000, "户籍地": "他市"}).value) == 0


TYPES = """<itemDefinition name="tSex"><typeRef>string</typeRef>
  <allowedValues><text>"male","female"</text></allowedValues></itemDefinition>
<itemDefinition name="tChild"><itemComponent name="full name"><typeRef>string</typeRef></itemComponent>
  <itemComponent name="sex"><typeRef>tSex</typeRef></itemComponent></itemDefinition>
<itemDefinition name="tChildren" isCollection="true"><typeRef>tChild</typeRef></itemDefinition>
"""


def test_inputs_are_checked_against_their_item_definitions() -> None:
    body = (
        TYPES
        + inputs(c="tChild", s="tSex", many="tChildren")
        + decision(literal("c.full name + s + string(count(many))"), needs=requires("c", "s", "many"))
    )
    child = {"full name": "甲", "sex": "male"}
    good = run(body, {"c": child, "s": "female", "many": [child, child]})
    assert (good.value, good.errors) == ("甲female2", ())
    # One value stands for a list of one.
    assert run(body, {"c": child, "s": "female", "many": child}).value == "甲female1"
    bad = run(body, {"c": {"full name": 3}, "s": "other", "many": []})
    assert bad.value is None
    assert [one.code for one in bad.errors] == ["decisions.input_type", "decisions.input_type"]
    missing = run(body, {"c": child, "s": "female"})
    assert [one.code for one in missing.errors] == ["decisions.input_missing"]


def test_results_are_checked_against_their_types() -> None:
    assert run(decision(literal('"x"'), type_ref="number"), {}).errors[0].code == "decisions.output_type"
    assert plain(run(decision(literal("[3]"), type_ref="number"), {}).value) == 3
    typed = table(["x"], ['<output name="o" typeRef="number"/>'], [["-", '"x"']])
    result = run(inputs(x="") + decision(typed, needs=requires("x")), {"x": 1})
    assert [one.code for one in result.errors] == ["decisions.output_type"]


def test_the_clock_is_the_callers() -> None:
    body = decision(literal("today()"))
    assert model(body).evaluate("d", {}, now=datetime(2026, 2, 3, tzinfo=UTC)).value == date(2026, 2, 3)
    without = model(body).evaluate("d", {})
    assert without.value is None
    assert [one.code for one in without.notes] == ["feel.function"]


def test_a_decision_that_runs_on_is_stopped_and_told() -> None:
    result = run(decision(literal("count(for i in 1..10000000 return i)")), {})
    assert result.value is None
    assert [one.code for one in result.errors] == ["feel.limit"]


# --- boxed expressions ------------------------------------------------------------------------------------------

BOXES: list[tuple[str, object]] = [
    (
        f'<context><contextEntry><variable name="a b"/>{literal("x + 1")}</contextEntry>'
        f'<contextEntry><variable name="c"/>{literal("a b * 2")}</contextEntry></context>',
        {"a b": 4, "c": 8},
    ),
    (
        f'<context><contextEntry><variable name="a"/>{literal("x + 1")}</contextEntry>'
        f"<contextEntry>{literal('a * 10')}</contextEntry></context>",
        40,
    ),
    (f"<list>{literal('x')}{literal('x * x')}</list>", [3, 9]),
    (
        f'<relation><column name="k"/><column name="v"/><row>{literal("1")}{literal("x")}</row></relation>',
        [{"k": 1, "v": 3}],
    ),
    (
        "<conditional><if>" + literal("x > 2") + "</if><then>" + literal('"big"') + "</then><else>" + literal("null")
        + "</else></conditional>",
        "big",
    ),
    (
        '<for iteratorVariable="i"><in>' + literal("[1, 2, 3]") + "</in><return>" + literal("i * x") + "</return></for>",
        [3, 6, 9],
    ),
    (
        '<some iteratorVariable="i"><in>' + literal("[1, 2]") + "</in><satisfies>" + literal("i > x")
        + "</satisfies></some>",
        False,
    ),
    (
        '<every iteratorVariable="i"><in>' + literal("[1, 2]") + "</in><satisfies>" + literal("i < x")
        + "</satisfies></every>",
        True,
    ),
    ("<filter><in>" + literal("[1, 5, 9]") + "</in><match>" + literal("item > x") + "</match></filter>", [5, 9]),
    (
        "<context><contextEntry><variable name=\"f\"/><functionDefinition><formalParameter name=\"n\" typeRef=\"number\"/>"
        + literal("n + x") + "</functionDefinition></contextEntry><contextEntry>" + literal("f(10)")
        + "</contextEntry></context>",
        13,
    ),
]  # fmt: skip


@pytest.mark.parametrize(("logic", "expected"), BOXES)
def test_each_box_gives_its_value(logic: str, expected: object) -> None:
    result = run(inputs(x="number") + decision(logic, needs=requires("x")), {"x": 3})
    assert plain(result.value) == expected
    assert result.errors == ()


def test_a_knowledge_model_is_invoked_by_box_and_by_call() -> None:
    knowledge = (
        '<businessKnowledgeModel id="k" name="grade"><variable name="grade"/><encapsulatedLogic>'
        '<formalParameter name="score" typeRef="number"/>'
        + table(["score"], ["o"], [[">= 60", '"pass"'], ["< 60", '"fail"']])
        + "</encapsulatedLogic></businessKnowledgeModel>"
    )
    invocation = (
        f'<invocation>{literal("grade")}<binding><parameter name="score"/>{literal("x * 10")}</binding></invocation>'
    )
    body = inputs(x="number") + knowledge + decision(invocation, needs=requires("x", knowledge=("k",)))
    result = run(body, {"x": 7})
    assert result.value == "pass"
    assert [(rule.decision, rule.number) for rule in result.rules_fired] == [("grade", 1)]
    called = (
        inputs(x="number")
        + knowledge
        + decision(literal("grade(x) + grade(score: 1)"), needs=requires("x", knowledge=("k",)))
    )
    assert run(called, {"x": 99}).value == "passfail"


# --- refusals ---------------------------------------------------------------------------------------------------


def findings(body: str, **options: str) -> list[tuple[int, str, str]]:
    with pytest.raises(DecisionRefused) as refused:
        model(body, **options)
    for one in refused.value.findings:
        assert one.file == "rules.dmn"
        assert one.message
        assert one.mend
    return [(one.line, one.element, one.rule) for one in refused.value.findings]


REFUSED: list[tuple[str, str]] = [
    ("", "no_decision"),
    ('<decision id="d" name="d"/>', "no_logic"),
    (decision(literal("")), "empty"),
    (decision(literal("1 +")), "feel"),
    (decision(literal("x + 1")), "feel"),
    (decision(literal("a.__class__")), "feel"),
    (decision(literal("1")) + decision(literal("2")), "name_twice"),
    (decision(literal("1"), needs=requires("nobody")), "requirement"),
    (
        '<decision id="d" name="d"><informationRequirement><requiredDecision href="other.dmn#x"/>'
        "</informationRequirement>" + literal("1") + "</decision>",
        "requirement",
    ),
    (decision(literal("1"), name="a", needs=requires(decisions=("a",))), "requirement_cycle"),
    (inputs(x="") + decision(literal("1"), needs=requires(decisions=("i_x",))), "requirement_kind"),
    (inputs(x="tNowhere") + decision(literal("1")), "type_unknown"),
    ('<itemDefinition name="t"><typeRef>t</typeRef></itemDefinition>' + decision(literal("1")), "item_cycle"),
    (decision(table([], [], [])), "no_output"),
    (decision(table([], ["o"], [["1", "2"]])), "columns"),
    (decision(table([], ["o"], [["1"]], 'hitPolicy="BEST"')), "hit_policy"),
    (decision(table([], ["o"], [["1"]], 'hitPolicy="FIRST" aggregation="SUM"')), "aggregation"),
    (decision(table([], ["o", "p"], [["1", "2"]], 'hitPolicy="COLLECT" aggregation="SUM"')), "aggregation"),
    (decision(table([], ["o", "o"], [["1", "2"]])), "output_name"),
    (decision(table([], ["o"], [["1"]], 'hitPolicy="PRIORITY"')), "output_values"),
    ('<import name="x" namespace="y" importType="z"/>' + decision(literal("1")), "import"),
    (
        decision('<functionDefinition kind="Java">' + literal("1") + "</functionDefinition>"),
        "function_kind",
    ),
    (
        decision('<literalExpression expressionLanguage="urn:groovy"><text>1</text></literalExpression>'),
        "language",
    ),
]


@pytest.mark.parametrize(("body", "rule"), REFUSED)
def test_what_cannot_be_run_is_refused(body: str, rule: str) -> None:
    assert f"decisions.{rule}" in [found for _, _, found in findings(body)]


def test_every_finding_is_told_at_once_with_its_line() -> None:
    body = (
        inputs(x="number")
        + "\n"
        + decision(table(["x"], ["o"], [["1", '"a"'], ["< ", '"b"'], ["3", "\n\n y"]]), needs=requires("x"))
    )
    found = findings(body)
    assert [rule for _, _, rule in found] == ["decisions.feel", "decisions.feel"]
    lines = definitions(body).decode().splitlines()
    assert "r2" in lines[found[0][0] - 1]
    assert lines[found[1][0] - 1].strip().startswith("y")
    assert [element for _, element, _ in found] == ["inputEntry of r2", "outputEntry of r3"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not xml",
        b"<definitions",
        b"\xff\xfe\x00",
        b"<a/>",
        b'<definitions xmlns="http://www.omg.org/spec/DMN/20180521/MODEL/"/>',
    ],
)
def test_what_is_no_dmn_is_refused(data: bytes) -> None:
    with pytest.raises(DecisionRefused):
        parse_dmn(data, file="rules.dmn")


def test_entities_and_document_types_are_refused_and_nothing_is_read() -> None:
    bombs = [
        '<!DOCTYPE d [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>\n',
        '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/hostname">]>\n',
        '<!DOCTYPE d SYSTEM "http://192.0.2.1/evil.dtd">\n',
    ]
    for head in bombs:
        found = findings(decision(literal("1")), head=head)
        assert [rule for _, _, rule in found] == ["decisions.doctype"]


def test_models_of_each_version_run() -> None:
    for namespace, version in (
        ("http://www.omg.org/spec/DMN/20151101/dmn.xsd", "1.1"),
        ("http://www.omg.org/spec/DMN/20180521/MODEL/", "1.2"),
        ("https://www.omg.org/spec/DMN/20191111/MODEL/", "1.3"),
        ("https://www.omg.org/spec/DMN/20211108/MODEL/", "1.4"),
        ("https://www.omg.org/spec/DMN/20230324/MODEL/", "1.5"),
    ):
        body = inputs(x="feel:number").replace(
            "<inputData", '<inputData xmlns:feel="http://www.omg.org/spec/FEEL/20140401"', 1
        )
        found = model(body + decision(literal("x + 1"), needs=requires("x")), namespace=namespace)
        assert found.version == version
        assert plain(found.evaluate("d", {"x": 1}).value) == 2


def test_equal_bytes_are_compiled_once() -> None:
    body = decision(literal("41 + 1"))
    assert model(body) is model(body)
    assert model(body) is not model(decision(literal("41 + 2")))


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    with pytest.raises(DecisionRefused):
        parse_dmn(data, file="rules.dmn")
