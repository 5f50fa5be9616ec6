"""The engine beside SpiffWorkflow: one connection each to one PostgreSQL, every step a durable transaction of its own.

Cases of the two alternate. SpiffWorkflow keeps its state alone as one row of JSON, its parsed specification is shared, and it
commits as often as we do. CPU is the client's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from benchmarks.processes_diagram import DIAGRAM
from benchmarks.processes_ground import STEPS_PER_CASE, Meter, our_case, publish


class Spiff:
    """SpiffWorkflow with its state alone as JSON in a row; the specification is parsed once and shared."""

    def __init__(self, url: str) -> None:
        import psycopg
        from lxml import etree
        from SpiffWorkflow.bpmn import BpmnWorkflow
        from SpiffWorkflow.bpmn.parser import BpmnParser
        from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer
        from SpiffWorkflow.bpmn.serializer.config import DEFAULT_CONFIG
        from SpiffWorkflow.bpmn.serializer.default.workflow import BpmnWorkflowConverter, WorkflowConverter

        parser = BpmnParser()
        parser.add_bpmn_xml(etree.fromstring(DIAGRAM), filename="bench.bpmn")
        self.spec = spec = parser.get_spec("bench")
        self.workflow = BpmnWorkflow

        class StateOnly(BpmnWorkflowConverter):  # type: ignore[misc]
            def to_dict(self, workflow: Any) -> Any:
                found = WorkflowConverter.to_dict(self, workflow)
                found["bpmn_events"] = self.registry.convert(workflow.bpmn_events)
                return found

            def from_dict(self, dct: Any) -> Any:
                workflow = self.target_class(spec, {}, deserializing=True)
                workflow.tasks = self.mapping_from_dict(dct["tasks"], UUID, workflow=workflow)
                workflow.task_tree = workflow.tasks.get(UUID(dct["root"]))
                self.set_default_attributes(workflow, dct)
                workflow.bpmn_events = self.registry.restore(dct.pop("bpmn_events", []))
                return workflow

        config = {**DEFAULT_CONFIG, BpmnWorkflow: StateOnly}
        self.serializer = BpmnWorkflowSerializer(registry=BpmnWorkflowSerializer.configure(config))
        self.connection = psycopg.connect(url)
        self.connection.execute("CREATE TABLE spiff (id bigint PRIMARY KEY, state text NOT NULL)")
        self.connection.commit()

    def case(self, number: int) -> None:
        """Run one case, each step its own transaction."""
        from SpiffWorkflow.util.task import TaskState

        workflow = self.workflow(self.spec)
        workflow.task_tree.data["number"] = number
        workflow.do_engine_steps()
        self.connection.execute(
            "INSERT INTO spiff (id, state) VALUES (%s, %s)", [number, self.serializer.serialize_json(workflow)]
        )
        self.connection.commit()
        while True:
            row = self.connection.execute("SELECT state FROM spiff WHERE id = %s FOR UPDATE", [number]).fetchone()
            assert row is not None
            workflow = self.serializer.deserialize_json(row[0])
            ready = workflow.get_tasks(state=TaskState.READY, manual=True)
            task = ready[0]
            task.data.update({"score": 80} if task.task_spec.name == "decide" else {task.task_spec.name: True})
            task.run()
            workflow.do_engine_steps()
            self.connection.execute(
                "UPDATE spiff SET state = %s WHERE id = %s", [self.serializer.serialize_json(workflow), number]
            )
            self.connection.commit()
            if workflow.is_completed():
                return


def compare(url: str, *, rounds: int, cases: int) -> tuple[Meter, Meter]:
    """Run both, a few cases of one and then of the other, after a warm-up of each."""
    definition = publish()
    peer = Spiff(url)
    ours, theirs = Meter(), Meter()
    numbers = iter(range(1, 10**9))
    for _ in range(8):
        our_case(definition, next(numbers))
        peer.case(next(numbers))
    for turn in range(rounds):
        sides: list[tuple[Meter, Callable[[int], None]]] = [
            (ours, lambda n: our_case(definition, n)),
            (theirs, peer.case),
        ]
        for meter, case in sides if turn % 2 else reversed(sides):
            with meter.running(cases * STEPS_PER_CASE):
                for _ in range(cases):
                    case(next(numbers))
    peer.connection.close()
    return ours, theirs
