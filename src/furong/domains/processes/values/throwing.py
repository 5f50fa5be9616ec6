"""What is thrown and who catches it: errors, escalations, messages, compensation, and events that can never happen."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from furong.domains.processes.values.cycles import Passing
from furong.domains.processes.values.elements import CAN_ESCALATE, CAN_FAIL, CONTAINERS, NodeKind
from furong.domains.processes.values.graph import Node, ProcessDefinition
from furong.domains.processes.values.parts import CALLED
from furong.domains.processes.values.rules import Findings

_CAUGHT_BY = {"error": NodeKind.BOUNDARY_ERROR, "escalation": NodeKind.BOUNDARY_ESCALATION}
_ESCALATES = frozenset({NodeKind.THROW_ESCALATION, NodeKind.ESCALATION_END})
_CATCHES = {NodeKind.BOUNDARY_ERROR: CAN_FAIL, NodeKind.BOUNDARY_ESCALATION: CAN_ESCALATE}
_UNDOES = frozenset({NodeKind.THROW_COMPENSATION, NodeKind.COMPENSATION_END})
_RECEIVES = frozenset({NodeKind.RECEIVE_TASK, NodeKind.CATCH_MESSAGE, NodeKind.BOUNDARY_MESSAGE, NodeKind.EVENT_START})
_INSIDE = frozenset({NodeKind.SUB_PROCESS, NodeKind.CALL_ACTIVITY})


def check_throwing(
    definition: ProcessDefinition,
    passing: Passing,
    findings: Findings,
    *,
    sent: AbstractSet[str],
    is_called: bool,
) -> None:
    """Check what is thrown in a process and what waits for it.

    ``sent`` holds the names of messages that somebody sends, and the ids of elements to which a message flow leads; ``is_called``
    says that another process calls this one and may catch what it throws.
    """
    catching = _Catching(definition)
    unnamed = {one.element for one in findings.found if one.rule == "bpmn.message_missing"}
    hit: set[str] = set()
    for node in definition.nodes.values():
        caught, surely = catching.of(node)
        hit |= caught
        if node.kind is NodeKind.ERROR_END and not surely and not is_called and not caught:
            name = node.id.partition(CALLED)[0]
            line = definition.nodes[name].line
            findings.add("bpmn.error_uncaught", line=line, element=name, code=node.code or "–")
    for node in definition.nodes.values():
        if CALLED in node.id:
            continue  # checked in the process that is called
        _check_catcher(node, definition, passing, hit, findings)
        name = node.message.name if node.message is not None and node.kind in _RECEIVES else ""
        if name and node.id not in unnamed and not {name, node.id} & sent:
            findings.add("bpmn.message_unsent", line=node.line, element=node.id, name=name)
        if node.kind in _UNDOES and not _something_to_undo(node, definition):
            findings.add("bpmn.compensation_nothing", line=node.line, element=node.id)


def _check_catcher(
    node: Node, definition: ProcessDefinition, passing: Passing, hit: AbstractSet[str], findings: Findings
) -> None:
    nodes = definition.nodes
    thrown = node.trigger in _CAUGHT_BY
    if node.kind is NodeKind.EVENT_START:
        around = nodes[node.parent].parent
        happens = node.id in hit if thrown else passing.waits_inside(around)
    elif node.kind in _CATCHES:
        host = nodes.get(node.attached_to or "")
        happens = host is None or host.kind not in _CATCHES[node.kind] or node.id in hit
    elif node.kind in {NodeKind.BOUNDARY_TIMER, NodeKind.BOUNDARY_MESSAGE}:
        host = nodes.get(node.attached_to or "")
        happens = host is None or host.kind not in _INSIDE or passing.waits_inside(host.id)
    else:
        return
    if not happens:
        rule = "bpmn.never_thrown" if thrown else "bpmn.never_waits"
        findings.add(rule, line=node.line, element=node.id, code=node.code or "–")


@dataclass(slots=True)
class _Catching:
    """Finds who catches what an element throws, as the interpreter does while it runs."""

    definition: ProcessDefinition

    def of(self, node: Node) -> tuple[set[str], bool]:
        """Give the events that may catch what ``node`` throws, and whether one surely does."""
        if node.kind is NodeKind.ERROR_END:
            return self._find(node, "error", node.code)
        if node.kind in _ESCALATES:
            return self._find(node, "escalation", node.code or "")
        if node.service is not None:
            return self._find(node, "error", None)  # a handler may fail with any code
        return set(), True

    def _find(self, node: Node, trigger: str, code: str | None) -> tuple[set[str], bool]:
        nodes, containers = self.definition.nodes, self.definition.containers
        found: set[str] = set()
        here = node
        while True:
            own = [nodes[name] for name in here.boundary if name in nodes]
            container = containers.get(here.parent)
            subs = [containers[name].starts for name in (container.events if container else ()) if name != here.id]
            starts = [nodes[one[0]] for one in subs if one and one[0] in nodes]
            for events in (
                [event for event in own if event.kind is _CAUGHT_BY[trigger]],
                [event for event in starts if event.trigger == trigger],
            ):
                every = [event.id for event in events if event.code is None]
                if code is None:
                    found |= {event.id for event in events}
                    if every:
                        return found, True
                    continue
                exact = [event.id for event in events if event.code == code]
                if exact or every:
                    return {*found, (exact or every)[0]}, True
            if not here.parent or here.parent not in nodes:
                return found, False
            here = nodes[here.parent]


def _something_to_undo(node: Node, definition: ProcessDefinition) -> bool:
    nodes = definition.nodes
    around = node.parent
    if around and nodes[around].kind is NodeKind.EVENT_SUB_PROCESS:
        around = nodes[around].parent  # an event sub-process undoes what was done around it
    return any(
        _can_undo(one, definition)
        for one in nodes.values()
        if one.parent == around and (not node.compensates or one.id == node.compensates)
    )


def _can_undo(node: Node, definition: ProcessDefinition) -> bool:
    if node.compensation:
        return True
    return node.kind in CONTAINERS and any(
        _can_undo(one, definition) for one in definition.nodes.values() if one.parent == node.id
    )
