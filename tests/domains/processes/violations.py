"""For every rule of the checker a diagram that breaks it and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.domains.processes.diagrams import HEAD, bpmn

S, E, A = '<startEvent id="s"/>', '<endEvent id="e"/>', '<userTask id="a"/>'
B = '<userTask id="b"/>'
SAE = "s -> a\na -> e"
MESSAGE = '<message id="m1" name="answer" furong:sender="post"/>'
TIMER = "<timerEventDefinition><timeDuration>P1D</timeDuration></timerEventDefinition>"


@dataclass(frozen=True)
class Broken:
    """``element`` is where the rule is broken; the line is the first that holds ``line``."""

    content: bytes
    element: str
    line: str
    kwargs: Mapping[str, object] = field(default_factory=dict)

    @property
    def number(self) -> int:
        lines = self.content.decode().splitlines()
        return next(number for number, text in enumerate(lines, 1) if self.line in text)


def broken(
    elements: str, flows: str, element: str, line: str = "", *, more: str = "", variables: str = "", **kwargs: object
) -> Broken:
    """Draw elements and flows between a head and a foot; ``variables`` go into the process's extension elements."""
    own = "".join(f"<furong:variable {one}/>" for one in variables.split("|") if one)
    first = f"<extensionElements>{own}</extensionElements>\n" if own else ""
    return Broken(bpmn(first + elements, flows, more=more), element, line or f'id="{element}"', kwargs)


def at(element: str, rest: str = "") -> str:
    return f"{S}\n{element}\n{E}{chr(10) if rest else ''}{rest}"


def sub(inside: str, attributes: str = "") -> str:
    return f'<subProcess id="a" {attributes}>\n{inside}\n</subProcess>'


def flow(name: str, source: str, target: str) -> str:
    return f'<sequenceFlow id="{name}" sourceRef="{source}" targetRef="{target}"/>'


def two(condition: str, outcomes: str = "") -> str:
    """A task with outcomes, a choice behind it."""
    return f'{S}\n<userTask id="a" furong:result="decision" furong:outcomes="approve reject"/>\n{condition}\n{B}\n{E}'


XOR, XOR_DEFAULT = '<exclusiveGateway id="x"/>', '<exclusiveGateway id="x" default="x-e"/>'
INNER = (
    f'<startEvent id="s1"/>\n<userTask id="u"/>\n<endEvent id="e1"/>\n{flow("f1", "s1", "u")}\n{flow("f2", "u", "e1")}'
)
FAILS = (
    '<startEvent id="s1"/>\n<endEvent id="fails"><errorEventDefinition errorRef="er"/></endEvent>\n'
    f'{flow("f1", "s1", "u")}\n<userTask id="u"/>\n{flow("f2", "u", "fails")}'
)
ERROR = '<error id="er" errorCode="no"/><error id="er2" errorCode="other"/>'
POOLS = '\n<collaboration id="co">\n<participant id="us" processRef="p"/>\n<participant id="them"/>\n{flows}\n</collaboration>\n'
CALLED = (
    '<process id="q"><startEvent id="qs"/><callActivity id="qc" calledElement="{target}"/><endEvent id="qe"/>'
    '<sequenceFlow id="q1" sourceRef="qs" targetRef="qc"/><sequenceFlow id="q2" sourceRef="qc" targetRef="qe"/></process>'
)
UNDO = (
    '<userTask id="a"/>\n<boundaryEvent id="c" attachedToRef="a"><compensateEventDefinition/></boundaryEvent>\n'
    '<userTask id="undo" isForCompensation="true"/>\n<association id="as" sourceRef="c" targetRef="undo"/>'
)
NESTED = "".join(f'<subProcess id="n{n}">' for n in range(22)) + '<userTask id="deep"/>' + "</subProcess>" * 22

BROKEN: dict[str, Broken] = {
    # --- the file -----------------------------------------------------------------------------------------------------------
    "bpmn.xml": Broken(bpmn(at(A), SAE).replace(b"</process>", b""), "", "</definitions>"),
    "bpmn.doctype": Broken(b"<!DOCTYPE d>" + bpmn(at(A), SAE), "", "<!DOCTYPE"),
    "bpmn.root": Broken(b"<svg/>", "", "<svg"),
    "bpmn.no_process": Broken(f"{HEAD}</definitions>".encode(), "", "<definitions"),
    "bpmn.many_processes": Broken(
        bpmn(at(A), SAE).replace(b"</definitions>", b'<process id="q" isExecutable="true"/></definitions>'),
        "p, q",
        'id="q"',
    ),
    "bpmn.id_missing": broken(at("<userTask/>"), "s -> e", "userTask", "<userTask/>"),
    "bpmn.id_twice": broken(at(A, '<userTask  id="a"/>'), SAE, "a", "<userTask  id"),
    "bpmn.id_invalid": broken(at(A, '<textAnnotation id="a/b"/>'), SAE, "a/b"),
    "bpmn.element_refused": broken(at('<transaction id="a"/>'), SAE, "a"),
    "bpmn.element_unknown": broken(at('<robotTask id="a"/>'), SAE, "a"),
    "bpmn.element_misplaced": broken(at(f'<exclusiveGateway id="a">{TIMER}</exclusiveGateway>'), SAE, "a"),
    "bpmn.event_refused": broken(
        at('<intermediateCatchEvent id="a"><signalEventDefinition/></intermediateCatchEvent>'), SAE, "a"
    ),
    "bpmn.event_many": broken(at(f'<intermediateCatchEvent id="a">{TIMER}{TIMER}</intermediateCatchEvent>'), SAE, "a"),
    "bpmn.attribute_unknown": broken(at('<userTask id="a" assignee="me"/>'), SAE, "a"),
    "bpmn.attribute_value": broken(at('<userTask id="a" isForCompensation="no"/>'), SAE, "a"),
    "bpmn.attribute_refused": broken(at('<userTask id="a" startQuantity="2"/>'), SAE, "a"),
    "bpmn.ref_unknown": broken(at('<receiveTask id="a" messageRef="m9"/>'), SAE, "a"),
    "bpmn.ref_lost": broken(at(A, '<association id="as" sourceRef="a" targetRef="note"/>'), SAE, "as"),
    "bpmn.shape_lost": Broken(
        bpmn(at(A), SAE).replace(
            b"</definitions>",
            b'<d:BPMNDiagram xmlns:d="http://www.omg.org/spec/BPMN/20100524/DI"><d:BPMNPlane>\n'
            b'<d:BPMNShape bpmnElement="gone"/></d:BPMNPlane></d:BPMNDiagram></definitions>',
        ),
        "gone",
        "BPMNShape",
    ),
    "bpmn.flow_dangling": broken(at(A), "s -> a\na -> nowhere\na -> e", "a-nowhere"),
    "bpmn.flow_crosses": broken(at(sub(INNER)), "s -> a\ns -> u\na -> e", "s-u"),
    "bpmn.flow_text": broken(at('<userTask id="a">\n<incoming>s-e</incoming></userTask>'), SAE, "a", "<incoming>"),
    "bpmn.lane_twice": broken(
        at(
            '<userTask id="a" furong:department="police"/>',
            '<laneSet id="ls">\n<lane id="l1"><flowNodeRef>a</flowNodeRef></lane>\n'
            '<lane id="l2"><flowNodeRef>a</flowNodeRef></lane></laneSet>',
        ),
        SAE,
        "l2",
    ),
    "bpmn.message_flow_end": broken(
        at(A), SAE, "mf", more=POOLS.format(flows='<messageFlow id="mf" sourceRef="them" targetRef="gone"/>')
    ),
    "bpmn.message_flow_inside": broken(
        at('<receiveTask id="a" messageRef="m1"/>'),
        SAE,
        "mf",
        more=MESSAGE + POOLS.format(flows='<messageFlow id="mf" sourceRef="e" targetRef="a"/>'),
    ),
    "bpmn.timer": broken(
        at(
            '<intermediateCatchEvent id="a"><timerEventDefinition><timeDuration>soon</timeDuration>'
            "</timerEventDefinition></intermediateCatchEvent>"
        ),
        SAE,
        "a",
    ),
    "bpmn.message_missing": broken(at('<receiveTask id="a"/>'), SAE, "a"),
    "bpmn.error_missing": broken(
        at(
            '<serviceTask id="a" furong:handler="x.y"/>',
            '<boundaryEvent id="b" attachedToRef="a"><errorEventDefinition errorRef="er"/></boundaryEvent>',
        ),
        f"{SAE}\nb -> e",
        "b",
    ),
    "bpmn.escalation_missing": broken(
        at('<intermediateThrowEvent id="a"><escalationEventDefinition escalationRef="x"/></intermediateThrowEvent>'),
        SAE,
        "a",
    ),
    "bpmn.script_language": broken(
        at('<scriptTask id="a" scriptFormat="javascript"><script>1</script></scriptTask>'), SAE, "a"
    ),
    "bpmn.loop_uncounted": broken(at('<userTask id="a"><multiInstanceLoopCharacteristics/></userTask>'), SAE, "a"),
    "bpmn.loop_endless": broken(at('<userTask id="a"><standardLoopCharacteristics/></userTask>'), SAE, "a"),
    "bpmn.call_unknown": broken(at('<callActivity id="a" calledElement="q"/>'), SAE, "a"),
    "bpmn.call_recursive": Broken(
        bpmn(at('<callActivity id="a" calledElement="q"/>'), SAE).replace(
            b"</definitions>", CALLED.format(target="p").encode() + b"</definitions>"
        ),
        "qc",
        'id="qc"',
    ),
    "bpmn.nested_deep": broken(at(NESTED), "s -> n0\nn0 -> e", "n20"),
    "bpmn.sub_empty": broken(at(sub("")), SAE, "a"),
    "bpmn.event_sub_start": broken(
        at(A, f'<subProcess id="ev" triggeredByEvent="true">{B}<userTask id="c"/></subProcess>'), SAE, "ev"
    ),
    "bpmn.link_missing": broken(
        at(f'<intermediateThrowEvent id="a"><linkEventDefinition name="L"/></intermediateThrowEvent>\n{B}'),
        "s -> a\ns -> b\nb -> e",
        "a",
    ),
    "bpmn.compensation_handler": broken(
        at(A, '<boundaryEvent id="c" attachedToRef="a"><compensateEventDefinition/></boundaryEvent>'), SAE, "c"
    ),
    # --- shape --------------------------------------------------------------------------------------------------------------
    "bpmn.start_missing": broken(f"{A}\n{E}", "a -> e", "p"),
    "bpmn.start_many": broken(f'{S}\n<startEvent id="s2"/>\n{A}\n{E}', f"{SAE}\ns2 -> a", "s2"),
    "bpmn.start_entered": broken(at(A, XOR_DEFAULT), "s -> a\na -> x\nx -> s if again\nx -> e", "x-s"),
    "bpmn.end_left": broken(at(A, '<endEvent id="e2"/>'), f"{SAE}\ne -> e2", "e-e2"),
    "bpmn.end_missing": broken(f"{S}\n{A}\n{B}", "s -> a\na -> b\nb -> a", "p", 'id="s"'),
    "bpmn.no_way_out": broken(at(A, '<parallelGateway id="g"/>'), f"{SAE}\na -> g", "g"),
    "bpmn.implicit_end": broken(at(A, B), f"{SAE}\na -> b", "b"),
    "bpmn.unreachable": broken(at(A, B), f"{SAE}\nb -> e", "b"),
    "bpmn.never_ends": broken(at(A, f'{B}\n<parallelGateway id="g"/>'), "s -> a\na -> g\ng -> b\ng -> e\nb -> a", "a"),
    "bpmn.condition_missing": broken(at(A, XOR), "s -> a\na -> x\nx -> a if again\nx -> e", "x-e"),
    "bpmn.condition_misplaced": broken(at(A, '<parallelGateway id="g"/>'), "s -> g\ng -> a if again\na -> e", "g-a"),
    "bpmn.condition_on_default": broken(at(A, XOR_DEFAULT), "s -> a\na -> x\nx -> a if again\nx -> e if true", "x-e"),
    "bpmn.default_unknown": broken(at('<exclusiveGateway id="a" default="zz"/>'), SAE, "a"),
    "bpmn.boundary_host": broken(
        at(A, f'<boundaryEvent id="b" attachedToRef="s">{TIMER}</boundaryEvent>'), f"{SAE}\nb -> e", "b"
    ),
    "bpmn.boundary_never": broken(
        at('<manualTask id="a"/>', f'<boundaryEvent id="b" attachedToRef="a">{TIMER}</boundaryEvent>'),
        f"{SAE}\nb -> e",
        "b",
    ),
    "bpmn.boundary_entered": broken(
        at(f"{A}\n{B}", f'<boundaryEvent id="t" attachedToRef="a">{TIMER}</boundaryEvent>'),
        "s -> a\na -> b\nb -> e\nb -> t\nt -> e",
        "b-t",
    ),
    "bpmn.boundary_no_path": broken(
        at(A, f'<boundaryEvent id="b" attachedToRef="a">{TIMER}</boundaryEvent>'), SAE, "b"
    ),
    "bpmn.event_gateway": broken(at(A, '<eventBasedGateway id="g"/>'), "s -> g\ng -> a\na -> e", "g-a"),
    "bpmn.event_sub_flow": broken(
        at(
            A,
            f'<subProcess id="ev" triggeredByEvent="true"><startEvent id="s2">{TIMER}</startEvent><endEvent id="e2"/>'
            f"{flow('f9', 's2', 'e2')}</subProcess>",
        ),
        f"{SAE}\na -> ev",
        "a-ev",
    ),
    "bpmn.compensation_flow": broken(at(UNDO), f"{SAE}\nundo -> e", "undo-e"),
    # --- tokens -------------------------------------------------------------------------------------------------------------
    "bpmn.cycle_without_wait": broken(
        at('<manualTask id="a"/>', XOR_DEFAULT), "s -> a\na -> x\nx -> a if again\nx -> e", "a"
    ),
    "bpmn.cycle_computes": broken(
        at('<scriptTask id="a" furong:result="n"><script>1</script></scriptTask>', XOR_DEFAULT),
        "s -> a\na -> x\nx -> a if n &lt; 3\nx -> e".replace("&lt;", "<"),
        "a",
    ),
    "bpmn.join_never": broken(
        at(f"{A}\n{B}", '<exclusiveGateway id="x" default="x-b"/>\n<parallelGateway id="j"/>'),
        "s -> x\nx -> a if yes\nx -> b\na -> j\nb -> j\nj -> e",
        "j",
    ),
    "bpmn.not_synchronised": broken(
        at(f'{A}\n{B}\n<userTask id="c"/>', '<parallelGateway id="g"/>\n<exclusiveGateway id="m"/>'),
        "s -> g\ng -> a\ng -> b\na -> m\nb -> m\nm -> c\nc -> e",
        "m",
    ),
    "bpmn.tokens_multiply": broken(
        at(A, '<parallelGateway id="g"/>'), "s -> a\na -> g\ng -> a\ng -> e", "g-e", 'id="g-e"'
    ),
    "bpmn.markings_many": broken(
        "\n".join(
            [S, E, '<parallelGateway id="g"/>', '<parallelGateway id="j"/>']
            + [
                f'<userTask id="t{n}"/>\n<exclusiveGateway id="x{n}" default="x{n}-j"/>\n<endEvent id="o{n}"/>'
                for n in range(1)
            ]
        ),
        "s -> g\ng -> j\ng -> t0\nt0 -> x0\nx0 -> j\nx0 -> o0 if v\nj -> e",
        "p",
        'id="s"',
    ),
    # --- events -------------------------------------------------------------------------------------------------------------
    "bpmn.message_unsent": broken(
        at('<receiveTask id="a" messageRef="m"/>'), SAE, "a", more='<message id="m" name="answer"/>'
    ),
    "bpmn.error_uncaught": broken(
        f'{S}\n{A}\n<endEvent id="e"><errorEventDefinition errorRef="er"/></endEvent>', SAE, "e", more=ERROR
    ),
    "bpmn.never_thrown": broken(
        at(
            sub(FAILS),
            '<boundaryEvent id="b" attachedToRef="a"><errorEventDefinition errorRef="er"/></boundaryEvent>\n'
            '<boundaryEvent id="b2" attachedToRef="a"><errorEventDefinition errorRef="er2"/></boundaryEvent>',
        ),
        f"{SAE}\nb -> e\nb2 -> e",
        "b2",
        more=ERROR,
    ),
    "bpmn.never_waits": broken(
        at(
            sub(
                '<startEvent id="s1"/><manualTask id="u"/><endEvent id="e1"/>'
                + flow("f1", "s1", "u")
                + flow("f2", "u", "e1")
            ),
            f'<boundaryEvent id="b" attachedToRef="a">{TIMER}</boundaryEvent>',
        ),
        f"{SAE}\nb -> e",
        "b",
    ),
    "bpmn.compensation_nothing": broken(
        at(f'{A}\n<intermediateThrowEvent id="c"><compensateEventDefinition/></intermediateThrowEvent>'),
        "s -> a\na -> c\nc -> e",
        "c",
    ),
    # --- expressions --------------------------------------------------------------------------------------------------------
    "bpmn.feel": broken(at(A, XOR_DEFAULT), "s -> a\na -> x\nx -> a if x >\nx -> e", "x-a"),
    "bpmn.expression_language": broken(at(A, XOR_DEFAULT), "s -> a\na -> x\nx -> a if ${again}\nx -> e", "x-a"),
    "bpmn.condition_type": broken(
        at(A, XOR_DEFAULT), "s -> a\na -> x\nx -> a if score + 1\nx -> e", "x-a", variables='name="score" type="number"'
    ),
    "bpmn.expression_type": broken(
        at(A, XOR_DEFAULT),
        's -> a\na -> x\nx -> a if score > "high"\nx -> e',
        "x-a",
        variables='name="score" type="number"',
    ),
    "bpmn.variable_unknown": broken(at(A, XOR_DEFAULT), "s -> a\na -> x\nx -> a if again\nx -> e", "x-a"),
    "bpmn.variable_undeclared": broken(
        at(A, XOR_DEFAULT), "s -> a\na -> x\nx -> a if agian\nx -> e", "x-a", variables='name="again" type="boolean"'
    ),
    "bpmn.outcome_unknown": broken(
        two(XOR_DEFAULT), 's -> a\na -> x\nx -> b if decision = "aprove"\nx -> e\nb -> e', "x-b"
    ),
    "bpmn.outcome_open": broken(
        two(XOR), 's -> a\na -> x\nx -> b if decision = "approve"\nx -> e if decision in ["approve"]\nb -> e', "x"
    ),
    "furong.variable": broken(at(A), SAE, "score", 'name="score"', variables='name="score" type="numer"'),
    # --- extensions, people, time -------------------------------------------------------------------------------------------
    "furong.attribute_unknown": broken(at('<userTask id="a" furong:colour="red"/>'), SAE, "a"),
    "furong.attribute_value": broken(at('<userTask id="a" furong:due="soon"/>'), SAE, "a"),
    "furong.element_unknown": broken(
        at('<userTask id="a"><extensionElements><furong:form/></extensionElements></userTask>'), SAE, "a"
    ),
    "furong.handler_missing": broken(at('<serviceTask id="a"/>'), SAE, "a"),
    "furong.handler_unknown": broken(at('<serviceTask id="a" furong:handler="x.y"/>'), SAE, "a", handlers=["x.z"]),
    "furong.decision_missing": broken(at('<businessRuleTask id="a"/>'), SAE, "a"),
    "furong.decision_unknown": broken(
        at('<businessRuleTask id="a" furong:decision="rules#x"/>'), SAE, "a", decisions=[("rules", "y")]
    ),
    "bpmn.lane_empty": broken(at(A, '<laneSet id="ls"><lane id="l1"/></laneSet>'), SAE, "l1"),
    "furong.lane_holder": broken(
        at(A, '<laneSet id="ls"><lane id="l1"><flowNodeRef>a</flowNodeRef></lane></laneSet>'), SAE, "l1"
    ),
    "furong.department_unknown": broken(
        at('<userTask id="a" furong:department="polise"/>'), SAE, "a", departments=["police"]
    ),
    "furong.task_clock": broken(at('<userTask id="a" furong:kind="decision"/>'), SAE, "a"),
}
