"""Small BPMN files for tests: elements as they are, flows as `source -> target if condition`."""

from __future__ import annotations

from xml.sax.saxutils import escape

HEAD = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:furong="https://furong.example/bpmn" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'targetNamespace="https://furong.example/tests">'
)


def bpmn(elements: str, flows: str, *, code: str = "p", more: str = "") -> bytes:
    """Make a file. Line 1 is the head, line 2 the process; each element and each flow has a line of its own after that.

    ``flows`` has a flow a line: ``a -> b`` or ``a -> b if x > 1``; its id is ``a-b``.
    """
    lines = [HEAD + more, f'<process id="{code}" name="Test" isExecutable="true">']
    lines += [line.strip() for line in elements.strip().splitlines() if line.strip()]
    for line in flows.strip().splitlines():
        way, _, condition = line.partition(" if ")
        source, target = (part.strip() for part in way.split("->"))
        inside = ""
        if condition.strip():
            inside = (
                f'<conditionExpression xsi:type="tFormalExpression">{escape(condition.strip())}</conditionExpression>'
            )
        lines.append(
            f'<sequenceFlow id="{source}-{target}" sourceRef="{source}" targetRef="{target}">{inside}</sequenceFlow>'
        )
    lines += ["</process>", "</definitions>"]
    return "\n".join(lines).encode()


SEQUENCE = bpmn(
    """
    <startEvent id="s"/>
    <userTask id="a" name="受理" furong:kind="acceptance" furong:department="police" furong:post_right="cases.handle"/>
    <userTask id="b" name="决定" furong:kind="decision" furong:result="decision" furong:outcomes="approve reject"/>
    <endEvent id="e"/>
    """,
    """
    s -> a
    a -> b
    b -> e
    """,
)

DEPARTMENTS = bpmn(
    """
    <startEvent id="s"/>
    <parallelGateway id="split"/>
    <userTask id="t1" furong:department="police"/>
    <userTask id="t2" furong:department="health"/>
    <userTask id="t3" furong:department="medical_insurance"/>
    <userTask id="t4" furong:department="human_resources"/>
    <parallelGateway id="join"/>
    <exclusiveGateway id="choice" default="choice-reject"/>
    <userTask id="approve"/>
    <userTask id="issue"/>
    <userTask id="reject"/>
    <endEvent id="done"/>
    <endEvent id="refused"/>
    """,
    """
    s -> split
    split -> t1
    split -> t2
    split -> t3
    split -> t4
    t1 -> join
    t2 -> join
    t3 -> join
    t4 -> join
    join -> choice
    choice -> approve if score >= 60
    choice -> reject
    approve -> issue
    issue -> done
    reject -> refused
    """,
)
