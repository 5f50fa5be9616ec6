"""Shape: where flows lead, what each element must have, and what no token can come to or get away from."""

from __future__ import annotations

from collections.abc import Mapping

from furong.domains.processes.values.elements import (
    ACTIVITIES,
    BOUNDARY,
    CAN_ESCALATE,
    CAN_FAIL,
    ENDS,
    GATEWAYS,
    HOSTS,
    STARTS,
    NodeKind,
)
from furong.domains.processes.values.graph import Node, ProcessDefinition
from furong.domains.processes.values.parts import Part, drawn, is_aside, reached
from furong.domains.processes.values.rules import Findings

_AFTER_EVENT_GATEWAY = frozenset({NodeKind.CATCH_TIMER, NodeKind.CATCH_MESSAGE, NodeKind.RECEIVE_TASK})
_BEGINS = STARTS | {NodeKind.EVENT_START}
# Where it is no end, but a mistake, that no flow leaves; or where none should.
_NO_END = ENDS | GATEWAYS | BOUNDARY | _BEGINS
_CAN = {
    NodeKind.BOUNDARY_ERROR: CAN_FAIL,
    NodeKind.BOUNDARY_ESCALATION: CAN_ESCALATE,
    NodeKind.BOUNDARY_COMPENSATION: ACTIVITIES,
}


def check_shape(definition: ProcessDefinition, part: Part, findings: Findings) -> None:
    """Check each element of a part with its flows, and what can be reached."""
    for node in part.nodes.values():
        _check_node(node, part, findings)
    _check_begin(part, findings)
    if not part.ends() and part.nodes:
        first = part.first
        name = part.id or definition.code
        findings.add("bpmn.end_missing", line=first.line if first else 1, element=name)
    _check_reach(part, findings)


def _check_begin(part: Part, findings: Findings) -> None:
    """Of several starts without a trigger nobody can say which begins; the process's own were looked at by the reader."""
    if part.is_process:
        return
    starts = [node for node in part.nodes.values() if node.kind is NodeKind.START]
    for extra in starts[1:]:
        findings.add("bpmn.start_many", line=extra.line, element=extra.id)


def _check_node(node: Node, part: Part, findings: Findings) -> None:
    if is_aside(node):
        _check_aside(node, findings)
    elif node.kind in _BEGINS and node.incoming:
        findings.add("bpmn.start_entered", line=node.incoming[0].line, element=node.incoming[0].id)
    if node.kind in ENDS:
        if node.outgoing:
            findings.add("bpmn.end_left", line=node.outgoing[0].line, element=node.outgoing[0].id)
    elif not node.outgoing and not is_aside(node):
        _check_no_way_out(node, findings)
    if node.kind in BOUNDARY:
        _check_boundary(node, part, findings)
    _check_flows_of(node, findings)
    if node.kind is NodeKind.EVENT_GATEWAY:
        for flow in node.outgoing:
            target = part.nodes[flow.target]
            if target.kind not in _AFTER_EVENT_GATEWAY or len(target.incoming) > 1 or target.boundary:
                findings.add("bpmn.event_gateway", line=flow.line, element=flow.id, target=target.id)


def _check_aside(node: Node, findings: Findings) -> None:
    """What starts by an event or undoes others has no flows (BPMN 2.0, 10.3.5.2 and 10.7.2)."""
    for flow in (*node.incoming, *node.outgoing)[:1]:
        rule = "bpmn.event_sub_flow" if node.kind is NodeKind.EVENT_SUB_PROCESS else "bpmn.compensation_flow"
        findings.add(rule, line=flow.line, element=drawn(flow.id), node=node.id)


def _check_no_way_out(node: Node, findings: Findings) -> None:
    if node.kind in BOUNDARY:
        findings.add("bpmn.boundary_no_path", line=node.line, element=node.id)
    elif node.kind in GATEWAYS or node.kind in _BEGINS:
        findings.add("bpmn.no_way_out", line=node.line, element=node.id)


def _check_boundary(node: Node, part: Part, findings: Findings) -> None:
    host = part.nodes.get(node.attached_to or "")
    if host is None or host.kind not in ACTIVITIES:
        words = f"{host.tag} {host.id}" if host else (node.attached_to or "–")
        findings.add("bpmn.boundary_host", line=node.line, element=node.id, host=words)
    elif host.kind not in _CAN.get(node.kind, HOSTS):
        findings.add("bpmn.boundary_never", line=node.line, element=node.id, host=f"{host.tag} {host.id}")
    if node.incoming:
        findings.add("bpmn.boundary_entered", line=node.incoming[0].line, element=node.incoming[0].id)


def _check_flows_of(node: Node, findings: Findings) -> None:
    own = {flow.id for flow in node.outgoing}
    if node.default is not None and node.default not in own:
        findings.add("bpmn.default_unknown", line=node.line, element=drawn(node.id), ref=node.default)
    chooses = node.kind in {NodeKind.EXCLUSIVE, NodeKind.INCLUSIVE}
    for flow in node.outgoing:
        if chooses and flow.id == node.default:
            if flow.condition is not None:
                findings.add("bpmn.condition_on_default", line=flow.line, element=flow.id)
        elif chooses and flow.condition is None and len(node.outgoing) > 1 and not node.hidden:
            findings.add("bpmn.condition_missing", line=flow.line, element=flow.id)
        elif not chooses and flow.condition is not None:
            findings.add("bpmn.condition_misplaced", line=flow.line, element=flow.id)


def _check_reach(part: Part, findings: Findings) -> None:
    nodes = part.nodes
    forward = {node.id: list(part.follows(node)) for node in nodes.values()}
    backward: dict[str, list[str]] = {}
    for source, targets in forward.items():
        for target in targets:
            backward.setdefault(target, []).append(source)
    there = reached([*part.starts, *_begin_aside(nodes)], forward)
    ending = reached([n.id for n in part.ends()], backward)
    # A sub-process may leave out both start and end events; then every last activity is meant to be one (10.5.3).
    events = part.is_process or any(n.kind in ENDS or n.kind in _BEGINS for n in nodes.values())
    for node in nodes.values():
        if node.hidden or (
            node.kind in BOUNDARY and node.attached_to not in nodes
        ):  # its host was called wrong already
            continue
        if node.id not in there and not (node.kind is NodeKind.BOUNDARY_COMPENSATION and node.attached_to in there):
            findings.add("bpmn.unreachable", line=node.line, element=node.id)
        elif ending and node.id not in ending and node.outgoing:
            findings.add("bpmn.never_ends", line=node.line, element=node.id)
        elif events and not node.outgoing and node.kind not in _NO_END and not is_aside(node):
            findings.add("bpmn.implicit_end", line=node.line, element=node.id)


def _begin_aside(nodes: Mapping[str, Node]) -> list[str]:
    """Give what no flow leads to and what runs all the same: event sub-processes, and what undoes others."""
    handlers = {node.compensation for node in nodes.values() if node.compensation}
    return [n.id for n in nodes.values() if n.kind is NodeKind.EVENT_SUB_PROCESS or n.id in handlers]
