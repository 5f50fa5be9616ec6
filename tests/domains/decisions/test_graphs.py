"""Decision services, knowledge models that call each other, imports, and one bad expression among good ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from furong.domains.decisions import DecisionRefused, UnknownDecision, parse_dmn, read_dmn
from tests.domains.decisions.test_values import (
    DMN_15,
    decision,
    definitions,
    findings,
    inputs,
    literal,
    model,
    plain,
    requires,
    run,
    table,
)


def service(
    name: str,
    outputs: tuple[str, ...],
    *,
    decisions: tuple[str, ...] = (),
    data: tuple[str, ...] = (),
    type_ref: str = "",
) -> str:
    parts = [f'<outputDecision href="#{one}"/>' for one in outputs]
    parts += [f'<inputDecision href="#{one}"/>' for one in decisions]
    parts += [f'<inputData href="#i_{one}"/>' for one in data]
    typed = f' typeRef="{type_ref}"' if type_ref else ""
    return (
        f'<decisionService id="{name}" name="{name}"><variable name="{name}"{typed}/>{"".join(parts)}</decisionService>'
    )


def knowledge(name: str, parameters: tuple[str, ...], logic: str, *, needs: str = "", type_ref: str = "") -> str:
    taken = "".join(f'<formalParameter name="{one}"/>' for one in parameters)
    typed = f' typeRef="{type_ref}"' if type_ref else ""
    return (
        f'<businessKnowledgeModel id="{name}" name="{name}"><variable name="{name}"{typed}/>'
        f"<encapsulatedLogic>{taken}{logic}</encapsulatedLogic>{needs}</businessKnowledgeModel>"
    )


GRAPH = (
    inputs(x="number")
    + decision(literal("100"), name="base", type_ref="number")
    + decision(literal("base + x"), name="total", needs=requires("x", decisions=("base",)))
    + decision(literal("base * 2"), name="double", needs=requires(decisions=("base",)))
    + service("sum", ("total",), decisions=("base",), data=("x",))
    + service("both", ("total", "double"), decisions=("base",), data=("x",))
)


# --- services ---------------------------------------------------------------------------------------------------


def test_a_service_runs_with_its_input_decisions_given() -> None:
    result = model(GRAPH).evaluate("sum", {"base": 1, "x": 2})
    assert plain(dict(result.outputs)) == {"total": 3}
    assert result.errors == ()
    assert plain(dict(model(GRAPH).evaluate("both", {"base": 1, "x": 2}).outputs)) == {"total": 3, "double": 2}


def test_an_input_decision_of_a_service_is_never_run_and_must_be_given() -> None:
    result = model(GRAPH).evaluate("sum", {"x": 2})
    assert result.value is None
    assert [one.code for one in result.errors] == ["decisions.input_missing"]
    assert "base" not in result.decisions


def test_a_service_is_called_by_position_data_first_and_by_name() -> None:
    needs = '<knowledgeRequirement><requiredKnowledge href="#sum"/></knowledgeRequirement>'
    for call in ("sum(2, 1)", "sum(base: 1, x: 2)"):
        assert plain(model(GRAPH + decision(literal(call), needs=needs)).evaluate("d", {}).value) == 3
    needs = needs.replace("sum", "both")
    both = model(GRAPH + decision(literal("both(2, 1).double"), needs=needs))
    assert plain(both.evaluate("d", {}).value) == 2


def test_a_call_of_a_service_leaves_the_callers_decisions_alone() -> None:
    needs = requires("x", decisions=("base",))
    needs += '<knowledgeRequirement><requiredKnowledge href="#sum"/></knowledgeRequirement>'
    found = model(GRAPH + decision(literal("[sum(2, 1), base, x]"), needs=needs))
    assert plain(found.evaluate("d", {"x": 7}).value) == [3, 100, 7]


@pytest.mark.parametrize("call", ["sum()", "sum(1)", "sum(1, 2, 3)", 'sum("a", 1)', "sum(y: 1)"])
def test_a_wrong_call_of_a_service_is_null_with_a_reason(call: str) -> None:
    needs = '<knowledgeRequirement><requiredKnowledge href="#sum"/></knowledgeRequirement>'
    result = model(GRAPH + decision(literal(call), needs=needs)).evaluate("d", {})
    assert result.value is None
    assert result.told()


def test_what_a_service_gives_is_checked_against_its_type() -> None:
    types = '<itemDefinition name="tText"><functionItem outputTypeRef="string"/></itemDefinition>'
    body = types + decision(literal("1"), name="one") + service("s", ("one",), type_ref="tText")
    result = model(body).evaluate("s", {})
    assert result.value is None
    assert [one.code for one in result.errors] == ["decisions.output_type"]


def test_a_service_may_be_given_to_a_function() -> None:
    needs = '<knowledgeRequirement><requiredKnowledge href="#twice"/></knowledgeRequirement>'
    body = (
        inputs(n="number")
        + decision(literal("n * 2"), name="product", needs=requires("n"))
        + service("twice", ("product",), data=("n",))
        + decision(literal("sort([1, 2], function(a, b) twice(a) > twice(b))"), needs=needs)
    )
    assert plain(model(body).evaluate("d", {}).value) == [2, 1]


# --- knowledge --------------------------------------------------------------------------------------------------


def test_a_knowledge_model_may_call_itself_and_another_that_calls_it() -> None:
    fact = knowledge("fact", ("n",), literal("if n <= 1 then 1 else n * fact(n - 1)"))
    needs = requires(knowledge=("fact",))
    assert (
        plain(model(fact + decision(literal("fact(20)"), needs=needs)).evaluate("d", {}).value) == 2432902008176640000
    )
    even = knowledge("even", ("n",), literal("if n = 0 then true else odd(n - 1)"), needs=requires(knowledge=("odd",)))
    odd = knowledge("odd", ("n",), literal("if n = 0 then false else even(n - 1)"), needs=requires(knowledge=("even",)))
    both = model(even + odd + decision(literal("even(10)"), needs=requires(knowledge=("even",))))
    assert both.evaluate("d", {}).value is True


def test_a_knowledge_model_that_never_ends_is_stopped_and_told() -> None:
    body = knowledge("f", ("n",), literal("f(n + 1)")) + decision(literal("f(1)"), needs=requires(knowledge=("f",)))
    result = model(body).evaluate("d", {})
    assert result.value is None
    assert [one.code for one in result.errors] == ["feel.limit"]


def test_the_type_of_a_knowledge_model_is_that_of_what_it_gives() -> None:
    needs = requires(knowledge=("k",))
    body = knowledge("k", ("a",), literal("a"), type_ref="number")
    assert plain(model(body + decision(literal("k([3])"), needs=needs)).evaluate("d", {}).value) == 3
    wrong = model(body + decision(literal('k("x")'), needs=needs)).evaluate("d", {})
    assert wrong.value is None
    assert [one.code for one in wrong.errors] == ["decisions.type"]


@pytest.mark.parametrize("kind", ["Java", "PMML"])
def test_functions_outside_of_feel_are_refused_by_name(kind: str) -> None:
    logic = f'<functionDefinition kind="{kind}">{literal("1")}</functionDefinition>'
    with pytest.raises(DecisionRefused) as refused:
        model(decision(logic))
    (finding,) = refused.value.findings
    assert finding.rule == "decisions.function_kind"
    assert kind in finding.message
    assert "FEEL" in finding.mend


def test_a_service_that_its_own_decision_calls_is_a_circle() -> None:
    needs = '<knowledgeRequirement><requiredKnowledge href="#s"/></knowledgeRequirement>'
    body = service("s", ("d",)) + decision(literal("s()"), needs=needs)
    assert "decisions.requirement_cycle" in [rule for _, _, rule in findings(body)]
    through = knowledge("k", (), literal("s()"), needs=needs)
    body = through + service("s", ("d",)) + decision(literal("k()"), needs=requires(knowledge=("k",)))
    assert "decisions.requirement_cycle" in [rule for _, _, rule in findings(body)]


# --- imports ----------------------------------------------------------------------------------------------------


def write(folder: Path, name: str, namespace: str, body: str) -> Path:
    path = folder / name
    path.write_bytes(definitions(body).replace(b'namespace="urn:test"', f'namespace="{namespace}"'.encode()))
    return path


def imported(name: str, namespace: str, location: str = "") -> str:
    where = f' locationURI="{location}"' if location else ""
    return f'<import name="{name}" namespace="{namespace}" importType="{DMN_15}"{where}/>'


BASE = (
    '<itemDefinition name="tPerson"><itemComponent name="age"><typeRef>number</typeRef></itemComponent>'
    "</itemDefinition>"
    + inputs(rate="number")
    + decision(literal("rate * 10"), name="Base fee", needs=requires("rate"))
    + knowledge("older", ("p",), literal("p.age + 1"))
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path, "base.dmn", "urn:base", BASE)
    middle = decision(
        literal("lib.Base fee + 1"),
        name="fee",
        needs='<informationRequirement><requiredDecision href="urn:base#Base fee"/></informationRequirement>',
    )
    write(tmp_path, "middle.dmn", "urn:middle", imported("lib", "urn:base") + middle)
    return tmp_path


def test_types_knowledge_and_decisions_of_an_import_have_its_name_before_them(folder: Path) -> None:
    needs = requires("who", knowledge=("older",)).replace('"#older"', '"urn:base#older"')
    needs += '<informationRequirement><requiredDecision href="urn:base#Base fee"/></informationRequirement>'
    body = (
        imported("the lib", "urn:base")
        + inputs(who="the lib.tPerson")
        + decision(literal("the lib.older(who) + the lib.Base fee"), needs=needs)
    )
    found = read_dmn(write(folder, "main.dmn", "urn:main", body))
    assert [one.name for one in found.required_inputs("d")] == ["rate", "who"]
    for given in ({"rate": 2}, {"the lib.rate": 2}, {"the lib": {"rate": 2}}):
        assert plain(found.evaluate("d", {"who": {"age": 3}, **given}).value) == 24
    assert plain(dict(found.evaluate("the lib.Base fee", {"rate": 5}).outputs)) == {"Base fee": 50}
    assert found.find_decision("the lib.older") is None
    wrong = found.evaluate("d", {"who": {"age": "x"}, "rate": 1})
    assert [one.code for one in wrong.errors] == ["decisions.input_type"]


def test_an_import_of_an_import_runs_once_and_is_reached_by_both_names(folder: Path) -> None:
    needs = (
        '<informationRequirement><requiredDecision href="urn:middle#fee"/></informationRequirement>'
        '<informationRequirement><requiredDecision href="urn:base#Base fee"/></informationRequirement>'
    )
    body = imported("m", "urn:middle", "middle.dmn") + imported("b", "urn:base")
    found = read_dmn(write(folder, "main.dmn", "urn:main", body + decision(literal("m.fee + b.Base fee"), needs=needs)))
    for given in ({"rate": 1}, {"m.lib.rate": 1}, {"b": {"rate": 1}}):
        assert plain(found.evaluate("d", given).value) == 21


def test_an_input_of_this_file_is_not_taken_for_that_of_an_import(folder: Path) -> None:
    needs = requires("rate")
    needs += '<informationRequirement><requiredDecision href="urn:base#Base fee"/></informationRequirement>'
    body = imported("lib", "urn:base") + inputs(rate="number") + decision(literal("rate + lib.Base fee"), needs=needs)
    found = read_dmn(write(folder, "main.dmn", "urn:main", body))
    assert plain(found.evaluate("d", {"rate": 1, "lib.rate": 5}).value) == 51
    assert [one.code for one in found.evaluate("d", {"rate": 1}).errors] == ["decisions.input_missing"]


def test_an_import_without_a_name_brings_its_names_as_they_are(folder: Path) -> None:
    needs = '<informationRequirement><requiredDecision href="urn:base#Base fee"/></informationRequirement>'
    body = imported("", "urn:base") + inputs(w="tPerson") + decision(literal("Base fee"), needs=needs)
    found = read_dmn(write(folder, "main.dmn", "urn:main", body))
    assert plain(found.evaluate("d", {"rate": 3}).value) == 30


def test_an_import_that_is_not_there_or_leads_back_is_refused(folder: Path) -> None:
    lost = write(folder, "lost.dmn", "urn:lost", imported("x", "urn:nowhere") + decision(literal("1")))
    with pytest.raises(DecisionRefused, match="No file with the namespace"):
        read_dmn(lost)
    one = write(folder, "one.dmn", "urn:one", imported("two", "urn:two") + decision(literal("1")))
    write(folder, "two.dmn", "urn:two", imported("one", "urn:one") + decision(literal("1")))
    with pytest.raises(DecisionRefused, match="circle"):
        read_dmn(one)


def test_an_import_never_leaves_the_folder(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    outside = write(tmp_path, "base.dmn", "urn:base", BASE)
    for location in ("../base.dmn", str(outside), f"file://{outside}", "http://192.0.2.1/base.dmn"):
        main = write(inner, "main.dmn", "urn:main", imported("x", "urn:base", location) + decision(literal("1")))
        with pytest.raises(DecisionRefused, match="No file"):
            read_dmn(main)


def test_a_finding_in_an_imported_file_names_that_file(folder: Path) -> None:
    write(folder, "bad.dmn", "urn:bad", decision(literal("1 +"), name="wrong"))
    main = write(folder, "main.dmn", "urn:main", imported("x", "urn:bad") + decision(literal("1")))
    with pytest.raises(DecisionRefused) as refused:
        read_dmn(main)
    assert [one.file for one in refused.value.findings] == ["bad.dmn"]


# --- one bad part -----------------------------------------------------------------------------------------------


def test_a_lenient_model_runs_what_can_be_run() -> None:
    body = (
        inputs(x="number")
        + decision(literal("1 +"), name="bad")
        + '<decision id="none" name="none"/>'
        + decision(table(["x"], ["o"], [["1", '"one"'], ["< ", '"two"'], ["3", '"three"']]), needs=requires("x"))
    )
    found = parse_dmn(definitions(body), file="rules.dmn", lenient=True)
    assert found.evaluate("d", {"x": 3}).value == "three"
    assert [one.code for one in found.evaluate("bad", {}).errors] == ["decisions.feel"]
    assert [one.code for one in found.evaluate("none", {}).errors] == ["decisions.no_logic"]
    assert [one.rule for one in found.faults] == ["decisions.feel", "decisions.no_logic", "decisions.feel"]
    with pytest.raises(DecisionRefused):
        parse_dmn(definitions(body), file="rules.dmn")


def test_every_decision_is_run_when_none_is_named() -> None:
    result = model(GRAPH).evaluate_all({"x": 1})
    assert plain(dict(result.outputs)) == {"base": 100, "total": 101, "double": 200}
    with pytest.raises(UnknownDecision):
        model(GRAPH).evaluate("sums", {})


def test_why_a_decision_is_null_is_told_and_other_notes_are_not() -> None:
    assert [one.code for one in run(decision(literal('1 + "x"')), {}).told()] == ["feel.type"]
    assert run(decision(literal('[1 + "x"]')), {}).told() == ()
