"""The same diagrams in SpiffWorkflow: at every step the same tasks are open, and at the end the same work was done.

Here gateways and ends, drawn by hand and generated; `test_oracle_nested` has what nests, repeats and interrupts, and
`test_oracle_apart` what SpiffWorkflow does otherwise than BPMN 2.0 says.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.domains.processes.blocks import Block, blocks, draw
from tests.domains.processes.diagrams import bpmn
from tests.domains.processes.oracle import compare

ENDS = '<startEvent id="s"/>\n<endEvent id="e"/>'
TASKS = "".join(f'\n<userTask id="{name}" name="{name}"/>' for name in "abcd")

DIAGRAMS: dict[str, tuple[bytes, list[dict[str, object]]]] = {
    "sequence": (bpmn(ENDS + TASKS, "s -> a\na -> b\nb -> c\nc -> d\nd -> e"), [{}]),
    "exclusive": (
        bpmn(
            ENDS + TASKS + '\n<exclusiveGateway id="g"/>\n<exclusiveGateway id="m"/>',
            "s -> a\na -> g\ng -> b if x\ng -> c if y\nb -> m\nc -> m\nm -> d\nd -> e",
        ),
        [{"x": True, "y": True}, {"x": False, "y": True}],
    ),
    "default": (
        bpmn(
            ENDS + TASKS + '\n<exclusiveGateway id="g" default="g-c"/>\n<endEvent id="e2"/>',
            "s -> a\na -> g\ng -> b if x\ng -> c\nb -> d\nd -> e\nc -> e2",
        ),
        [{"x": True}, {"x": False}],
    ),
    "parallel": (
        bpmn(
            ENDS + TASKS + '\n<parallelGateway id="f"/>\n<parallelGateway id="j"/>',
            "s -> f\nf -> a\nf -> b\nf -> c\na -> j\nb -> j\nc -> j\nj -> d\nd -> e",
        ),
        [{}],
    ),
    "nested parallel": (
        bpmn(
            ENDS
            + TASKS
            + '\n<parallelGateway id="f"/>\n<parallelGateway id="j"/>\n<parallelGateway id="f2"/>\n<parallelGateway id="j2"/>',
            "s -> f\nf -> a\nf -> f2\nf2 -> b\nf2 -> c\nb -> j2\nc -> j2\nj2 -> d\nd -> j\na -> j\nj -> e",
        ),
        [{}],
    ),
    "inclusive": (
        bpmn(
            ENDS + TASKS + '\n<inclusiveGateway id="f"/>\n<inclusiveGateway id="j"/>',
            "s -> f\nf -> a if x\nf -> b if y\nf -> c if z\na -> j\nb -> j\nc -> j\nj -> d\nd -> e",
        ),
        [{"x": x, "y": y, "z": z} for x in (True, False) for y in (True, False) for z in (True, False) if x or y or z],
    ),
    "inclusive default": (
        bpmn(
            ENDS + TASKS + '\n<inclusiveGateway id="f" default="f-c"/>\n<inclusiveGateway id="j"/>',
            "s -> f\nf -> a if x\nf -> b if y\nf -> c\na -> j\nb -> j\nc -> j\nj -> d\nd -> e",
        ),
        [{"x": True, "y": False}, {"x": False, "y": False}, {"x": True, "y": True}],
    ),
    "exclusive in parallel": (
        bpmn(
            ENDS
            + TASKS
            + '\n<parallelGateway id="f"/>\n<parallelGateway id="j"/>\n<exclusiveGateway id="g" default="g-b"/>'
            '\n<exclusiveGateway id="m"/>',
            "s -> f\nf -> a\nf -> g\ng -> b\ng -> c if x\nb -> m\nc -> m\nm -> j\na -> j\nj -> d\nd -> e",
        ),
        [{"x": True}, {"x": False}],
    ),
    "two ends": (
        bpmn(
            ENDS + TASKS + '\n<parallelGateway id="f"/>\n<endEvent id="e2"/>',
            "s -> a\na -> f\nf -> b\nf -> c\nb -> d\nd -> e\nc -> e2",
        ),
        [{}],
    ),
    "terminate": (
        bpmn(
            ENDS + TASKS + '\n<parallelGateway id="f"/>\n<endEvent id="stop"><terminateEventDefinition/></endEvent>',
            "s -> f\nf -> a\nf -> b\na -> stop\nb -> c\nc -> d\nd -> e",
        ),
        [{}],
    ),
    "manual and abstract tasks pass": (
        bpmn(
            ENDS + '\n<userTask id="a" name="a"/>\n<intermediateThrowEvent id="n"/>\n<userTask id="b" name="b"/>',
            "s -> a\na -> n\nn -> b\nb -> e",
        ),
        [{}],
    ),
    "meeting without a join": (
        bpmn(
            ENDS + TASKS + '\n<parallelGateway id="f"/>\n<exclusiveGateway id="m"/>',
            "s -> f\nf -> a\nf -> b\na -> m\nb -> m\nm -> c\nc -> d\nd -> e",
        ),
        [{}],
    ),
}


@pytest.mark.parametrize("name", DIAGRAMS)
@pytest.mark.parametrize("last", [False, True], ids=["first task first", "last task first"])
def test_the_same_tasks_open_as_in_spiffworkflow(name: str, last: bool) -> None:
    content, cases = DIAGRAMS[name]
    for variables in cases:
        _, happened = compare(content, variables, lambda now: now[-1 if last else 0])
        assert happened


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(block=blocks(inclusive=False, loops=False), data=st.data())
def test_generated_diagrams_run_as_in_spiffworkflow(block: Block, data: Any) -> None:
    drawn = draw(block, lambda n: data.draw(st.integers(0, n - 1)))
    _, happened = compare(drawn.xml, drawn.variables, lambda now: data.draw(st.sampled_from(now)))
    assert Counter(name for _, name in happened) == drawn.expected
