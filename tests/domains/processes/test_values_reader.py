"""What a file may hold, and what is refused: each with its line, its element and its mend."""

from __future__ import annotations

import pytest

from furong.domains.processes.errors import DefinitionRefused
from furong.domains.processes.values import NodeKind, parse_bpmn, read_bpmn
from furong.domains.processes.values.rules import RULES
from tests.domains.processes.diagrams import DEPARTMENTS, HEAD, SEQUENCE, bpmn

ENDS = '<startEvent id="s"/>\n<endEvent id="e"/>'
ONE = "s -> a\na -> e"


def found(content: bytes, **kwargs: object) -> set[tuple[str, int, str]]:
    """Give (rule, line, element) of every finding, but for variables, which these small files do not declare."""
    reading = read_bpmn(content, file="x.bpmn", **kwargs)  # type: ignore[arg-type]
    for finding in reading.findings:
        assert finding.file == "x.bpmn"
        assert finding.message.pick("zh")
        assert finding.message.pick("en")
        assert finding.mend.pick("zh")
        assert finding.mend.pick("en")
    assert (reading.definition is None) == any(f.is_error for f in reading.findings)
    return {(f.rule, f.line, f.element) for f in reading.findings if f.rule != "bpmn.variable_unknown"}


def test_a_sound_file_gives_a_definition_with_flows_lanes_and_rules() -> None:
    definition = parse_bpmn(SEQUENCE)
    assert definition.code == "p"
    assert definition.start == "s"
    task = definition.nodes["b"]
    assert task.kind is NodeKind.USER_TASK
    assert task.name == "决定"
    assert task.result == "decision"
    assert task.work is not None
    assert task.work.outcomes == ("approve", "reject")
    assert [flow.target for flow in definition.nodes["a"].outgoing] == ["b"]
    assert definition.xml == SEQUENCE


def test_a_gateway_keeps_its_conditions_and_its_default() -> None:
    node = parse_bpmn(DEPARTMENTS).nodes["choice"]
    assert node.default == "choice-reject"
    condition = next(flow.condition for flow in node.outgoing if flow.id == "choice-approve")
    assert condition is not None
    assert condition.evaluate({"score": 60}) is True
    assert condition.evaluate({"score": 59}) is False


def test_the_drawing_and_foreign_extensions_are_kept_as_they_are() -> None:
    drawing = (
        '<bpmndi:BPMNDiagram xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI" id="d">'
        '<bpmndi:BPMNPlane id="plane" bpmnElement="p"/></bpmndi:BPMNDiagram>'
    )
    content = bpmn(
        ENDS
        + '\n<userTask id="a" xmlns:z="http://example.org/z" z:odd="1"><extensionElements><z:thing/></extensionElements>'
        "<documentation>why</documentation></userTask>"
        '\n<textAnnotation id="note"><text>x</text></textAnnotation>'
        '\n<laneSet id="ls"><lane id="l1" name="公安"><flowNodeRef>a</flowNodeRef></lane></laneSet>',
        ONE,
    ).replace(b"</definitions>", drawing.encode() + b"</definitions>")
    definition = parse_bpmn(content)
    assert definition.xml == content
    assert definition.has_drawing
    assert definition.lanes == {"a": "公安"}


@pytest.mark.parametrize(
    ("elements", "flows", "expected"),
    [
        ('<startEvent id="s"/>\n<scriptTask id="a"/>\n<endEvent id="e"/>', ONE, {("bpmn.feel", 4, "a")}),
        ('<startEvent id="s"/>\n<subProcess id="a"/>\n<endEvent id="e"/>', ONE, {("bpmn.sub_empty", 4, "a")}),
        ('<startEvent id="s"/>\n<transaction id="a"/>\n<endEvent id="e"/>', ONE, {("bpmn.element_refused", 4, "a")}),
        ('<startEvent id="s"/>\n<callActivity id="a"/>\n<endEvent id="e"/>', ONE, {("bpmn.call_unknown", 4, "a")}),
        (
            '<startEvent id="s"/>\n<userTask id="a"><multiInstanceLoopCharacteristics/></userTask>\n<endEvent id="e"/>',
            ONE,
            {("bpmn.loop_uncounted", 4, "a")},
        ),
        (
            '<startEvent id="s"/>\n<intermediateCatchEvent id="a"><signalEventDefinition/></intermediateCatchEvent>'
            '\n<endEvent id="e"/>',
            ONE,
            {("bpmn.event_refused", 4, "a")},
        ),
        (
            '<startEvent id="s"/>\n<endEvent id="a"><errorEventDefinition/></endEvent>',
            "s -> a",
            {("bpmn.error_missing", 4, "a")},
        ),
        ('<startEvent id="s"/>\n<robotTask id="a"/>\n<endEvent id="e"/>', ONE, {("bpmn.element_unknown", 4, "a")}),
        (ENDS + '\n<userTask id="a"/>', "s -> a\na -> nowhere", {("bpmn.flow_dangling", 7, "a-nowhere")}),
        ('<userTask id="a"/>\n<endEvent id="e"/>', "a -> e", {("bpmn.start_missing", 2, "p")}),
        (
            ENDS + '\n<startEvent id="s2"/>\n<userTask id="a"/>',
            "s -> a\ns2 -> a\na -> e",
            {("bpmn.start_many", 5, "s2")},
        ),
        (ENDS + '\n<userTask id="a"/>', "s -> a\na -> e\na -> s", {("bpmn.start_entered", 8, "a-s")}),
        (ENDS + '\n<userTask id="a"/>', "s -> a\na -> e\ne -> a", {("bpmn.end_left", 8, "e-a")}),
        (
            '<startEvent id="s"/>\n<userTask id="a"/>',
            "s -> a",
            {("bpmn.implicit_end", 4, "a")},
        ),
        (
            ENDS + '\n<userTask id="a"/>\n<userTask id="alone"/>',
            ONE,
            {("bpmn.unreachable", 6, "alone")},
        ),
        (
            ENDS + '\n<userTask id="a"/>\n<userTask id="b"/>\n<exclusiveGateway id="g"/>',
            "s -> g\ng -> e if x\ng -> a if y\na -> b\nb -> a",
            {("bpmn.never_ends", 5, "a"), ("bpmn.never_ends", 6, "b")},
        ),
        (ENDS + '\n<userTask id="a"/>\n<userTask id="a"/>', ONE, {("bpmn.id_twice", 6, "a")}),
        ("<startEvent/>\n" + ENDS, "s -> e", {("bpmn.id_missing", 3, "startEvent")}),
        (
            ENDS + '\n<exclusiveGateway id="a"/>\n<userTask id="b"/>',
            "s -> a\na -> b\na -> e if x\nb -> e",
            {("bpmn.condition_missing", 8, "a-b")},
        ),
        (
            ENDS + '\n<userTask id="a"/>\n<parallelGateway id="g"/>',
            "s -> g\ng -> a if x > 1\na -> e",
            {("bpmn.condition_misplaced", 8, "g-a")},
        ),
        (
            ENDS + '\n<exclusiveGateway id="a" default="zz"/>',
            "s -> a\na -> e if true",
            {("bpmn.default_unknown", 5, "a")},
        ),
        (
            ENDS + '\n<exclusiveGateway id="a" default="a-e"/>',
            "s -> a\na -> e if true",
            {("bpmn.condition_on_default", 7, "a-e")},
        ),
    ],
)
def test_what_cannot_run_is_refused_with_its_line_and_element(
    elements: str, flows: str, expected: set[tuple[str, int, str]]
) -> None:
    assert expected <= found(bpmn(elements, flows))


def test_a_condition_that_reaches_for_python_is_refused_as_no_feel() -> None:
    content = bpmn(
        ENDS + '\n<exclusiveGateway id="g" default="g-e"/>\n<userTask id="a"/>',
        "s -> g\ng -> a if __import__('os').system('true')\ng -> e\na -> e",
    )
    assert found(content) == {("bpmn.feel", 8, "g-a")}


@pytest.mark.parametrize("condition", ["x >", "if x then", "x = = 2", "lambda: 1", "[i for i in x]", "x.__class__"])
def test_a_condition_that_is_not_feel_is_refused(condition: str) -> None:
    content = bpmn(
        ENDS + '\n<exclusiveGateway id="g" default="g-e"/>\n<userTask id="a"/>',
        f"s -> g\ng -> a if {condition}\ng -> e\na -> e",
    )
    assert ("bpmn.feel", 8, "g-a") in found(content)


def test_every_finding_of_a_file_is_told_at_once_in_order_of_line() -> None:
    content = bpmn(
        '<startEvent id="s"/>\n<complexGateway id="a"/>\n<serviceTask id="b"/>'
        '\n<userTask id="c" furong:colour="red"/>\n<endEvent id="e"/>',
        "s -> a\na -> b\nb -> c\nc -> nowhere",
    )
    reading = read_bpmn(content)
    assert [(f.rule, f.line) for f in reading.findings] == [
        ("bpmn.element_refused", 4),
        ("furong.handler_missing", 5),
        ("furong.attribute_unknown", 6),
        ("bpmn.flow_dangling", 11),
    ]
    with pytest.raises(DefinitionRefused) as refused:
        parse_bpmn(content)
    assert refused.value.findings == reading.findings
    assert "process.bpmn:4: a: bpmn.element_refused" in str(refused.value)


# --- structure ------------------------------------------------------------------------------------------------------------------


def test_a_cycle_without_a_wait_is_refused_with_its_path() -> None:
    content = bpmn(
        ENDS + '\n<exclusiveGateway id="g"/>\n<manualTask id="m"/>\n<exclusiveGateway id="x" default="x-m"/>',
        "s -> g\ng -> m\nm -> x\nx -> e if done\nx -> m",
    )
    reading = read_bpmn(content)
    cycle = [f for f in reading.findings if f.rule == "bpmn.cycle_without_wait"]
    assert [(f.line, f.element) for f in cycle] == [(6, "m")]
    assert "m → x → m" in cycle[0].message.pick("en")


def test_a_cycle_through_a_user_task_is_sound() -> None:
    content = bpmn(
        ENDS + '\n<userTask id="m"/>\n<exclusiveGateway id="x" default="x-m"/>',
        "s -> m\nm -> x\nx -> e if done\nx -> m",
    )
    assert found(content) == set()


def test_a_parallel_join_behind_an_exclusive_split_can_never_join() -> None:
    content = bpmn(
        ENDS + '\n<exclusiveGateway id="g"/>\n<userTask id="a"/>\n<userTask id="b"/>\n<parallelGateway id="j"/>',
        "s -> g\ng -> a if x\ng -> b if y\na -> j\nb -> j\nj -> e",
    )
    assert found(content) == {("bpmn.join_never", 8, "j")}


def test_a_join_of_one_branch_with_a_branch_that_may_end_elsewhere_is_found() -> None:
    content = bpmn(
        ENDS + '\n<parallelGateway id="p1"/>\n<userTask id="a"/>\n<exclusiveGateway id="x" default="x-e2"/>'
        '\n<endEvent id="e2"/>\n<parallelGateway id="j"/>',
        "s -> p1\np1 -> a\np1 -> x\na -> j\nx -> j if ok\nx -> e2\nj -> e",
    )
    assert found(content) == {("bpmn.join_never", 9, "j")}


def test_parallel_branches_that_meet_without_a_join_are_warned_of_and_run() -> None:
    content = bpmn(
        ENDS
        + '\n<parallelGateway id="p1"/>\n<userTask id="a"/>\n<userTask id="b"/>\n<exclusiveGateway id="m"/>\n<userTask id="c"/>',
        "s -> p1\np1 -> a\np1 -> b\na -> m\nb -> m\nm -> c\nc -> e",
    )
    reading = read_bpmn(content)
    assert [(f.rule, f.element, f.is_error) for f in reading.findings] == [("bpmn.not_synchronised", "m", False)]
    assert reading.definition is not None


def test_a_split_inside_a_cycle_that_makes_tokens_without_end_is_refused() -> None:
    content = bpmn(
        ENDS + '\n<exclusiveGateway id="m"/>\n<userTask id="a"/>\n<parallelGateway id="f"/>\n<userTask id="b"/>',
        "s -> m\nm -> a\na -> f\nf -> m\nf -> b\nb -> e",
    )
    assert "bpmn.tokens_multiply" in {rule for rule, _, _ in found(content)}


def test_a_loop_that_a_split_keeps_alive_for_ever_is_refused() -> None:
    content = bpmn(
        ENDS + '\n<userTask id="a"/>\n<inclusiveGateway id="f"/>\n<userTask id="b"/>\n<parallelGateway id="p1"/>',
        "s -> a\na -> p1\np1 -> f\np1 -> b\nf -> a if again\nf -> e if done\nb -> e",
    )
    assert "bpmn.tokens_multiply" in {rule for rule, _, _ in found(content)}
    endless = bpmn(
        ENDS + '\n<userTask id="a"/>\n<userTask id="b"/>\n<parallelGateway id="p1"/>',
        "s -> a\na -> p1\np1 -> b\np1 -> e\nb -> a",
    )
    assert {rule for rule, _, _ in found(endless)} == {"bpmn.never_ends"}


def test_nested_parallel_blocks_with_loops_and_boundary_events_are_sound() -> None:
    content = bpmn(
        ENDS
        + """
        <parallelGateway id="p1"/>
        <parallelGateway id="p2"/>
        <userTask id="a"/>
        <boundaryEvent id="late" attachedToRef="a"><timerEventDefinition>
        <timeDuration>P3D</timeDuration></timerEventDefinition></boundaryEvent>
        <userTask id="urge"/>
        <userTask id="b"/>
        <userTask id="c"/>
        <exclusiveGateway id="x" default="x-c"/>
        <exclusiveGateway id="y"/>
        <parallelGateway id="j2"/>
        <parallelGateway id="j1"/>
        """,
        "s -> p1\np1 -> p2\np2 -> a\np2 -> b\na -> y\nlate -> urge\nurge -> y\ny -> j2\nb -> j2\nj2 -> j1\np1 -> c\n"
        "c -> x\nx -> j1 if ok\nx -> c\nj1 -> e",
    )
    assert found(content) == set()


def test_a_diagram_with_many_choices_is_checked_within_its_bound() -> None:
    elements = [ENDS]
    flows = []
    before = "s"
    for n in range(30):
        elements += [f'<exclusiveGateway id="x{n}" default="x{n}-b{n}"/>', f'<userTask id="a{n}"/>']
        elements += [f'<userTask id="b{n}"/>', f'<exclusiveGateway id="m{n}"/>']
        flows += [f"{before} -> x{n}", f"x{n} -> a{n} if v", f"x{n} -> b{n}", f"a{n} -> m{n}", f"b{n} -> m{n}"]
        before = f"m{n}"
    flows.append(f"{before} -> e")
    assert found(bpmn("\n".join(elements), "\n".join(flows))) == set()


# --- events, messages, timers ---------------------------------------------------------------------------------------------------


def timer(text: str, attributes: str = "") -> bytes:
    return bpmn(
        ENDS + f'\n<intermediateCatchEvent id="a" {attributes}><timerEventDefinition>{text}'
        "</timerEventDefinition></intermediateCatchEvent>",
        ONE,
    )


@pytest.mark.parametrize(
    "text",
    [
        "<timeDuration>P3D</timeDuration>",
        "<timeDuration>PT12H30M</timeDuration>",
        "<timeDuration>P2W</timeDuration>",
        "<timeDuration>=waiting</timeDuration>",
        "<timeDate>2026-03-01</timeDate>",
        "<timeDate>2026-03-01T09:00:00+08:00</timeDate>",
    ],
)
def test_a_timer_is_a_duration_or_a_date(text: str) -> None:
    assert found(timer(text)) == set()


@pytest.mark.parametrize(
    "text",
    [
        "<timeDuration>three days</timeDuration>",
        "<timeDuration>P</timeDuration>",
        "<timeDuration>PT</timeDuration>",
        "<timeDuration>P99999Y</timeDuration>",
        "<timeDuration/>",
        "",
        "<timeDate>2026-13-01</timeDate>",
    ],
)
def test_a_timer_that_is_neither_is_refused(text: str) -> None:
    assert found(timer(text)) == {("bpmn.timer", 5, "a")}


@pytest.mark.parametrize("text", ["R3/PT1H", "R/P1D", "R2/2026-03-01T09:00:00+08:00/P1W", "=again"])
def test_a_timer_may_repeat(text: str) -> None:
    assert found(timer(f"<timeCycle>{text}</timeCycle>")) == set()
    assert found(timer("<timeCycle>often</timeCycle>")) == {("bpmn.timer", 5, "a")}


def test_working_days_want_whole_days() -> None:
    assert found(timer("<timeDuration>P3D</timeDuration>", 'furong:calendar="working"')) == set()
    assert found(timer("<timeDuration>PT5H</timeDuration>", 'furong:calendar="working"')) == {("bpmn.timer", 5, "a")}
    assert found(timer("<timeDuration>P3D</timeDuration>", 'furong:calendar="lunar"')) == {
        ("furong.attribute_value", 5, "a")
    }


def test_a_message_must_be_defined() -> None:
    content = bpmn(ENDS + '\n<receiveTask id="a" messageRef="m1"/>', ONE)
    assert found(content) == {("bpmn.ref_unknown", 5, "a")}
    assert found(bpmn(ENDS + '\n<receiveTask id="a"/>', ONE)) == {("bpmn.message_missing", 5, "a")}
    assert (
        found(
            bpmn(ENDS + '\n<receiveTask id="a" messageRef="m1"/>', ONE, more='<message id="m1" name="consent"/>'),
            messages=["consent"],
        )
        == set()
    )


def boundary(host: str, event: str, more: str = "") -> bytes:
    return bpmn(
        f'{ENDS}\n{host}\n<boundaryEvent id="b" attachedToRef="a">{event}</boundaryEvent>\n<endEvent id="e2"/>',
        "s -> a\na -> e\nb -> e2",
        more=more,
    )


ERROR = '<errorEventDefinition errorRef="er"/>'
DEFINED = '<error id="er" errorCode="no_house"/>'
SERVICE = '<serviceTask id="a" furong:handler="x.y"/>'


def test_an_error_event_sits_on_work_that_can_fail() -> None:
    assert found(boundary(SERVICE, ERROR, DEFINED)) == set()
    assert found(boundary(SERVICE, ERROR)) == {("bpmn.error_missing", 6, "b")}
    assert found(boundary('<manualTask id="a"/>', ERROR, DEFINED)) == {("bpmn.boundary_never", 6, "b")}
    assert found(boundary('<exclusiveGateway id="a"/>', ERROR, DEFINED)) == {("bpmn.boundary_host", 6, "b")}
    assert found(boundary('<userTask id="a"/>', ERROR, DEFINED)) == {("bpmn.boundary_never", 6, "b")}


def test_only_waits_follow_an_event_gateway() -> None:
    content = bpmn(
        ENDS + '\n<eventBasedGateway id="g"/>\n<userTask id="u"/>\n<receiveTask id="r" messageRef="m"/>',
        "s -> g\ng -> u\ng -> r\nu -> e\nr -> e",
        more='<message id="m" name="m"/>',
    )
    assert found(content, messages=["m"]) == {("bpmn.event_gateway", 9, "g-u")}


# --- the file -------------------------------------------------------------------------------------------------------------------


def test_entities_and_doctypes_are_refused_and_never_expanded() -> None:
    bomb = b'<!DOCTYPE d [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + SEQUENCE.replace("受理".encode(), b"&b;")
    assert found(bomb) == {("bpmn.doctype", 1, "")}
    outside = b'<!DOCTYPE d SYSTEM "file:///etc/hostname">' + SEQUENCE
    assert found(outside) == {("bpmn.doctype", 1, "")}


def test_what_is_not_xml_or_not_bpmn_is_refused() -> None:
    assert {rule for rule, _, _ in found(b"not xml")} == {"bpmn.xml"}
    assert found(SEQUENCE.replace(b"</process>", b"")) == {("bpmn.xml", 11, "")}
    assert found(b"<svg/>") == {("bpmn.root", 1, "")}
    assert found(HEAD.encode() + b"</definitions>") == {("bpmn.no_process", 1, "")}


def test_of_several_executable_processes_one_must_be_named() -> None:
    two = SEQUENCE.replace(
        b"</definitions>",
        b'<process id="q" isExecutable="true"><startEvent id="s9"/></process></definitions>',
    )
    assert {rule for rule, _, _ in found(two)} == {"bpmn.many_processes"}
    assert parse_bpmn(two, process_id="p").code == "p"
    pool = two.replace(b'<process id="q" isExecutable="true">', b'<process id="q">')
    assert parse_bpmn(pool).code == "p"


# --- attributes -----------------------------------------------------------------------------------------------------------------


def task(attributes: str, tag: str = "userTask") -> bytes:
    return bpmn(f'{ENDS}\n<{tag} id="a" {attributes}/>', ONE)


@pytest.mark.parametrize(
    ("attributes", "rule"),
    [
        ('furong:due="soon"', "furong.attribute_value"),
        ('furong:due="P3D" furong:due_calendar="moon"', "furong.attribute_value"),
        ('furong:yellow="x"', "furong.attribute_value"),
        ('furong:escalate_after="x"', "furong.attribute_value"),
        ('furong:priority="-1"', "furong.attribute_value"),
        ('furong:department="=if x"', "bpmn.feel"),
        ('furong:handler="x"', "furong.attribute_unknown"),
    ],
)
def test_an_attribute_that_says_nothing_is_refused(attributes: str, rule: str) -> None:
    assert found(task(attributes)) == {(rule, 5, "a")}


def test_handlers_and_decisions_are_checked_against_those_that_are_known() -> None:
    service = task('furong:handler="population.register_birth"', "serviceTask")
    assert found(service) == set()
    assert found(service, handlers=["population.register_birth"]) == set()
    assert found(service, handlers=["licences.issue"]) == {("furong.handler_unknown", 5, "a")}
    rule = task('furong:decision="rules#benefit"', "businessRuleTask")
    assert found(rule, decisions=[("rules", "benefit")]) == set()
    assert found(rule, decisions=[("rules", "other")]) == {("furong.decision_unknown", 5, "a")}
    assert found(task('furong:decision="rules"', "businessRuleTask")) == {("furong.attribute_value", 5, "a")}
    assert found(task("", "businessRuleTask")) == {("furong.decision_missing", 5, "a")}


def test_every_rule_has_all_its_texts() -> None:
    for code, rule in RULES.items():
        assert code.startswith(("bpmn.", "furong."))
        assert rule.zh
        assert rule.en
        assert rule.mend_zh
        assert rule.mend_en
        assert not rule.zh.isascii()
        assert not rule.mend_zh.isascii()
