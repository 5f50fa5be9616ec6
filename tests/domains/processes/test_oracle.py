"""The same diagrams in SpiffWorkflow: at every step the same tasks are open, and at the end the same work was done.

SpiffWorkflow (LGPL, tests only) evaluates conditions as Python, so the conditions here are names of true or false variables,
which read the same in FEEL.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.bpmn.parser import BpmnParser
from SpiffWorkflow.util.task import TaskState

from furong.domains.processes.values import parse_bpmn
from tests.domains.processes.blocks import Block, blocks, draw
from tests.domains.processes.diagrams import bpmn
from tests.domains.processes.memory import Memory

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


class Oracle:
    """SpiffWorkflow with the same stimuli."""

    def __init__(self, content: bytes, variables: dict[str, object]) -> None:
        parser = BpmnParser()
        parser.add_bpmn_xml(etree.fromstring(content), filename="x.bpmn")
        self.workflow = BpmnWorkflow(parser.get_spec("p"))
        self.workflow.task_tree.data.update(variables)
        self.workflow.do_engine_steps()
        self._pass()

    def _ready(self) -> list[Any]:
        return list(self.workflow.get_tasks(state=TaskState.READY, manual=True))

    def _pass(self) -> None:
        """Manual tasks wait there and pass here."""
        while passing := [task for task in self._ready() if task.task_spec.name.startswith("m")]:
            for task in passing:
                task.run()
            self.workflow.do_engine_steps()

    @property
    def waiting(self) -> Counter[str]:
        return Counter(task.task_spec.name for task in self._ready())

    def complete(self, element: str) -> None:
        next(task for task in self._ready() if task.task_spec.name == element).run()
        self.workflow.do_engine_steps()
        self._pass()

    @property
    def ended(self) -> bool:
        return bool(self.workflow.is_completed())


def compare(content: bytes, variables: dict[str, object], choose: Any) -> Counter[str]:
    """Run both to the end with the same choices; give what was done."""
    oracle = Oracle(content, variables)
    memory = Memory(parse_bpmn(content), dict(variables))
    memory.start()
    done: Counter[str] = Counter()
    while True:
        assert memory.waiting == oracle.waiting, f"after {dict(done)}"
        assert memory.ended == oracle.ended
        if memory.ended:
            return done
        element = choose(sorted(memory.waiting))
        done[element] += 1
        memory.complete_element(element)
        oracle.complete(element)


@pytest.mark.parametrize("name", DIAGRAMS)
@pytest.mark.parametrize("last", [False, True], ids=["first task first", "last task first"])
def test_the_same_tasks_open_as_in_spiffworkflow(name: str, last: bool) -> None:
    content, cases = DIAGRAMS[name]
    for variables in cases:
        done = compare(content, variables, lambda waiting: waiting[-1 if last else 0])
        assert sum(done.values()) >= 1


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(block=blocks(inclusive=False, loops=False), data=st.data())
def test_generated_diagrams_run_as_in_spiffworkflow(block: Block, data: Any) -> None:
    drawn = draw(block, lambda n: data.draw(st.integers(0, n - 1)))
    done = compare(drawn.xml, drawn.variables, lambda waiting: data.draw(st.sampled_from(waiting)))
    assert done == drawn.expected
