"""Reading what is inside a process or a sub-process: nodes, flows, and what begins when it begins.

All nodes of a process stand in one table, those of a sub-process with its id as their ``parent``. A called process stands there
too, its ids after the call activity's and a slash.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from furong.domains.processes.values.declarations import F, M, local
from furong.domains.processes.values.details import Details
from furong.domains.processes.values.elements import (
    BOUNDARY,
    CONTAINERS,
    DRAWN,
    EVENT_TAGS,
    GATEWAYS,
    LANE_ATTRIBUTES,
    MODEL,
    REFUSED,
    STARTS,
    TASKS,
    NodeKind,
)
from furong.domains.processes.values.graph import Container, Expression, Flow, Literal, Node, ProcessDefinition
from furong.domains.processes.values.standard import ELEMENTS

# Behind a task whose flows have conditions the reader puts the choice that BPMN implies (13.3.1); its id ends so.
CHOICE = "~choice"
_MOST_NESTED = 20
_OF_THE_CONTAINER = frozenset(
    {"multiInstanceLoopCharacteristics", "standardLoopCharacteristics", "incoming", "outgoing"}
)


@dataclass(slots=True)
class Contents:
    """Collects the nodes, flows and containers of one process."""

    details: Details
    call: Callable[[Node], ProcessDefinition | None]
    nodes: dict[str, Node] = field(default_factory=dict)
    flows: dict[str, Flow] = field(default_factory=dict)
    containers: dict[str, Container] = field(default_factory=dict)
    lanes: dict[str, tuple[str, dict[str, str]]] = field(default_factory=dict)

    def read(self, process: Any) -> None:
        """Read a process with everything inside; what is wrong goes into the findings."""
        self._read_lanes(process)
        self._inside(process, "", depth=0, in_event=False)
        self._attach()
        self._compensation()

    # --- elements -----------------------------------------------------------------------------------------------------------

    def _read_lanes(self, process: Any) -> None:
        findings = self.details.findings
        for lane in process.iter(f"{M}lane"):
            said = {key.removeprefix(F): value.strip() for key, value in lane.attrib.items() if key.startswith(F)}
            for name in said.keys() - set(LANE_ATTRIBUTES):
                findings.add(
                    "furong.attribute_unknown", line=lane.sourceline or 0, element=lane.get("id", ""), name=name
                )
            for ref in lane.findall(f"{M}flowNodeRef"):
                before = self.lanes.get((ref.text or "").strip(), ("", {}))[1]
                self.lanes[(ref.text or "").strip()] = (lane.get("name") or lane.get("id", ""), {**before, **said})

    def _inside(self, container: Any, parent: str, *, depth: int, in_event: bool) -> None:
        findings = self.details.findings
        flow_elements: list[Any] = []
        own: list[str] = []
        # Elements that were refused are remembered, so that a flow to one is not called dangling too.
        known: set[str] = set()
        for element in container:
            namespace, tag = local(element)
            if tag == "dataObject":
                own.append(self.details.declared.data.get(element.get("id", ""), ""))
            if namespace != MODEL or tag in DRAWN or tag in _OF_THE_CONTAINER:
                continue
            line, name = element.sourceline or 0, element.get("id") or ""
            if not name and tag == "sequenceFlow":  # BPMN lets a flow go without
                name = f"{element.get('sourceRef', '')}-{element.get('targetRef', '')}"
                name = f"{name}-{line}" if name in known else name
                element.set("id", name)
            if not name:
                findings.add("bpmn.id_missing", line=line, element=tag, tag=tag)
                continue
            known.add(name)
            if tag == "sequenceFlow":
                flow_elements.append(element)
            elif tag in REFUSED:
                findings.add("bpmn.element_refused", line=line, element=name, tag=tag, clause=REFUSED[tag])
            elif tag in TASKS or tag in EVENT_TAGS:
                self._node(element, tag, parent, depth, in_event)
            else:
                rule = "bpmn.element_misplaced" if tag in ELEMENTS else "bpmn.element_unknown"
                findings.add(rule, line=line, element=name, tag=tag, parent=local(container)[1])
        self._flows(flow_elements, known)
        self._links(parent)
        self._begin(parent, tuple(own), in_event)

    def _node(self, element: Any, tag: str, parent: str, depth: int, in_event: bool) -> None:
        name = element.get("id", "")
        lane = self.lanes.get(name) or self.lanes.get(parent) or ("", {})
        node = self.details.node(element, tag, parent=parent, in_event=in_event, lane=lane[1])
        if node is None:
            return
        self.nodes[name] = replace(node, lane=lane[0])
        if node.kind not in CONTAINERS:
            return
        if depth >= _MOST_NESTED:
            self.details.findings.add("bpmn.nested_deep", line=node.line, element=name, most=_MOST_NESTED)
            return
        if node.kind is NodeKind.CALL_ACTIVITY:
            called = self.call(node)
            if called is not None:
                self._inline(name, called)
            return
        if lane[1]:
            self.lanes.setdefault(name, lane)
        self._inside(element, name, depth=depth + 1, in_event=node.kind is NodeKind.EVENT_SUB_PROCESS)

    def _inline(self, name: str, called: ProcessDefinition) -> None:
        """Put a called process inside its call activity."""
        put = _Prefix(f"{name}/")
        for flow in called.flows.values():
            self.flows[put.name(flow.id)] = put.flow(flow)
        for node in called.nodes.values():
            moved = put.node(node)
            self.nodes[moved.id] = replace(moved, parent=moved.parent or name)
        for key, container in called.containers.items():
            self.containers[put.name(key) if key else name] = replace(
                container,
                starts=tuple(put.name(one) for one in container.starts),
                events=tuple(put.name(one) for one in container.events),
            )

    # --- flows --------------------------------------------------------------------------------------------------------------

    def _flows(self, elements: list[Any], known: set[str]) -> None:
        findings = self.details.findings
        for element in elements:
            name, line = element.get("id", ""), element.sourceline or 0
            ends = {"sourceRef": element.get("sourceRef", ""), "targetRef": element.get("targetRef", "")}
            lost = [(end, ref) for end, ref in ends.items() if ref not in known]
            for end, ref in lost:
                elsewhere = ref and any(one.get("id") == ref for one in element.getroottree().iter(f"{M}*"))
                rule = "bpmn.flow_crosses" if elsewhere else "bpmn.flow_dangling"
                findings.add(rule, line=line, element=name, end=end, ref=ref or "–")
            condition: Expression | None = None
            written = element.find(f"{M}conditionExpression")
            if written is not None and (text := "".join(written.itertext()).strip()):
                condition = self.details.feel(text, "condition", written.sourceline or line, name) or Literal(text)
            if not lost and all(ref in self.nodes for ref in ends.values()):
                self.flows[name] = Flow(
                    id=name,
                    source=ends["sourceRef"],
                    target=ends["targetRef"],
                    name=element.get("name", ""),
                    line=line,
                    condition=condition,
                )

    def _links(self, parent: str) -> None:
        """Let a thrown link go on at the caught link of its name (10.5.5): a flow that is not drawn."""
        here = [node for node in self.nodes.values() if node.parent == parent and node.trigger == "link"]
        caught = {node.code: node for node in here if node.tag == "intermediateCatchEvent"}
        for node in here:
            if node.tag != "intermediateThrowEvent":
                continue
            target = caught.get(node.code)
            if target is None:
                self.details.findings.add("bpmn.link_missing", line=node.line, element=node.id, name=node.code or "–")
                continue
            name = f"{node.id}~link"
            self.flows[name] = Flow(id=name, source=node.id, target=target.id, line=node.line)

    def _begin(self, parent: str, own: tuple[str, ...], in_event: bool) -> None:
        here = [node for node in self.nodes.values() if node.parent == parent]
        entered = {flow.target for flow in self.flows.values()}
        starts = tuple(node.id for node in here if node.kind in STARTS or node.kind is NodeKind.EVENT_START)
        if parent and not starts:
            starts = tuple(
                node.id
                for node in here
                if node.id not in entered
                and node.kind not in BOUNDARY
                and node.kind is not NodeKind.EVENT_SUB_PROCESS
                and not node.for_compensation
            )
        host = self.nodes.get(parent)
        if host is not None and (not starts or (in_event and len(starts) != 1)):
            rule = "bpmn.event_sub_start" if in_event else "bpmn.sub_empty"
            self.details.findings.add(rule, line=host.line, element=parent)
        if not parent:
            starts = tuple(node.id for node in here if node.kind is NodeKind.START)[:1]
        events = tuple(node.id for node in here if node.kind is NodeKind.EVENT_SUB_PROCESS)
        self.containers[parent] = Container(starts=starts, events=events, own=tuple(name for name in own if name))

    def _attach(self) -> None:
        """Give each node its flows, its boundary events and, where its flows have conditions, its choice."""
        self._choices()
        incoming: dict[str, list[Flow]] = {}
        outgoing: dict[str, list[Flow]] = {}
        boundary: dict[str, list[str]] = {}
        for flow in self.flows.values():
            outgoing.setdefault(flow.source, []).append(flow)
            incoming.setdefault(flow.target, []).append(flow)
        for node in self.nodes.values():
            if node.attached_to and node.kind is not NodeKind.BOUNDARY_COMPENSATION:
                boundary.setdefault(node.attached_to, []).append(node.id)
        for name, node in self.nodes.items():
            self.nodes[name] = replace(
                node,
                incoming=tuple(incoming.get(name, ())),
                outgoing=tuple(outgoing.get(name, ())),
                boundary=tuple(boundary.get(name, ())),
            )

    def _choices(self) -> None:
        chooses = GATEWAYS | BOUNDARY | STARTS
        by_source: dict[str, list[Flow]] = {}
        for flow in self.flows.values():
            by_source.setdefault(flow.source, []).append(flow)
        for source, flows in by_source.items():
            node = self.nodes[source]
            if node.kind in chooses or node.id.endswith(CHOICE) or all(flow.condition is None for flow in flows):
                continue
            name = source + CHOICE
            kind = NodeKind.INCLUSIVE
            self.nodes[name] = Node(
                id=name,
                kind=kind,
                tag="inclusiveGateway",
                line=node.line,
                default=node.default,
                parent=node.parent,
                hidden=True,
            )
            self.nodes[source] = replace(node, default=None)
            for flow in flows:
                self.flows[flow.id] = replace(flow, source=name)
            self.flows[f"{name}~flow"] = Flow(id=f"{name}~flow", source=source, target=name, line=node.line)

    def _compensation(self) -> None:
        findings, associated = self.details.findings, self.details.declared.associated
        for event in list(self.nodes.values()):
            if event.kind is not NodeKind.BOUNDARY_COMPENSATION or "/" in event.id:
                continue
            handlers = [
                name
                for name in associated.get(event.id, ())
                if name in self.nodes and self.nodes[name].for_compensation
            ]
            host = self.nodes.get(event.attached_to or "")
            if host is None or len(handlers) != 1:
                findings.add("bpmn.compensation_handler", line=event.line, element=event.id)
                continue
            self.nodes[host.id] = replace(host, compensation=handlers[0])


@dataclass(frozen=True, slots=True)
class _Prefix:
    """Moves a called process under the id of its call activity."""

    text: str

    def name(self, name: str) -> str:
        return self.text + name

    def _maybe(self, name: str) -> str:
        return self.text + name if name else name

    def flow(self, flow: Flow) -> Flow:
        return replace(flow, id=self.name(flow.id), source=self.name(flow.source), target=self.name(flow.target))

    def node(self, node: Node) -> Node:
        return replace(
            node,
            id=self.name(node.id),
            incoming=tuple(self.flow(flow) for flow in node.incoming),
            outgoing=tuple(self.flow(flow) for flow in node.outgoing),
            default=self._maybe(node.default or "") or None,
            attached_to=self._maybe(node.attached_to or "") or None,
            boundary=tuple(self.name(name) for name in node.boundary),
            parent=self._maybe(node.parent),
            compensation=self._maybe(node.compensation),
            compensates=self._maybe(node.compensates),
        )


def lanes_of(nodes: Mapping[str, Node]) -> dict[str, str]:
    """Give the name of each node's lane."""
    return {node.id: node.lane for node in nodes.values() if node.lane}
