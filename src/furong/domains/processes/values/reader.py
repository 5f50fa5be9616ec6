"""Reading BPMN 2.0 XML, with neither entities nor network; everything wrong is said at once, with its line."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC
from typing import Any

from lxml import etree

from furong.domains.processes.values.checker import check_structure
from furong.domains.processes.values.elements import (
    ATTRIBUTES,
    DRAWING,
    DRAWN,
    EVENT_DEFINITIONS,
    EVENT_TAGS,
    EVENTS,
    FURONG,
    MODEL,
    REFUSED,
    REFUSED_WITHIN,
    TASKS,
    NodeKind,
)
from furong.domains.processes.values.expressions import compile_feel, compile_text
from furong.domains.processes.values.graph import (
    Expression,
    Flow,
    Literal,
    MessageRule,
    Node,
    ProcessDefinition,
    ServiceRule,
    TimerRule,
    WorkRule,
    reach_of,
)
from furong.domains.processes.values.rules import Findings
from furong.domains.processes.values.times import DayCounting, Duration, parse_moment
from furong.foundation.packs.values.findings import Finding, in_order

_M = f"{{{MODEL}}}"
_F = f"{{{FURONG}}}"
_NOTHING = Literal("")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file gave: the definition unless an error stands in its way, and every finding in order of line."""

    definition: ProcessDefinition | None
    findings: tuple[Finding, ...]


def read_bpmn(
    content: bytes,
    *,
    file: str = "process.bpmn",
    process_id: str | None = None,
    handlers: Iterable[str] | None = None,
    decisions: Iterable[tuple[str, str]] | None = None,
    check: bool = True,
) -> Reading:
    """Read one executable process of a BPMN 2.0 file and check it.

    ``process_id`` picks one of several. With ``handlers`` and ``decisions`` given, names that are not among them are refused.
    ``check=False`` leaves out the checks of structure, for a definition that was checked when it was published. Raises nothing:
    what is wrong is in ``findings``. Cost: about 1 ms for twenty elements.
    """
    findings = Findings(file)
    reader = _Reader(
        findings,
        None if handlers is None else frozenset(handlers),
        None if decisions is None else frozenset(decisions),
    )
    definition = reader.read(content, process_id)
    if definition is not None and check and not findings.has_errors:
        check_structure(definition, findings)
    found = tuple(in_order(findings.found))
    return Reading(None if findings.has_errors else definition, found)


def _local(element: Any) -> tuple[str, str]:
    """Give namespace and name of an element; comments and processing instructions have neither."""
    if not isinstance(element.tag, str):
        return "", ""
    name = etree.QName(element)
    return name.namespace or "", name.localname


class _Reader:
    def __init__(
        self,
        findings: Findings,
        handlers: frozenset[str] | None,
        decisions: frozenset[tuple[str, str]] | None,
    ) -> None:
        self.findings = findings
        self.handlers = handlers
        self.decisions = decisions
        self.messages: dict[str, str] = {}
        self.errors: dict[str, str] = {}

    def read(self, content: bytes, process_id: str | None) -> ProcessDefinition | None:
        root = self._parse(content)
        if root is None:
            return None
        self._note_ids(root)
        for message in root.findall(f"{_M}message"):
            self.messages[message.get("id", "")] = message.get("name") or message.get("id", "")
        for error in root.findall(f"{_M}error"):
            self.errors[error.get("id", "")] = error.get("errorCode") or error.get("id", "")
        process = self._choose(root, process_id)
        if process is None:
            return None
        nodes, flows = self._contents(process)
        starts = [n for n in nodes.values() if n.kind is NodeKind.START]
        message_starts = tuple(n.id for n in nodes.values() if n.kind is NodeKind.MESSAGE_START)
        line = process.sourceline or 0
        code = process.get("id", "")
        if not starts and not message_starts:
            self.findings.add("bpmn.start_missing", line=line, element=code)
        for extra in starts[1:]:
            self.findings.add("bpmn.start_many", line=extra.line, element=extra.id)
        return ProcessDefinition(
            code=code,
            name=process.get("name") or code,
            file=self.findings.file,
            digest=hashlib.sha256(content).hexdigest(),
            xml=content,
            start=starts[0].id if starts else (message_starts[0] if message_starts else ""),
            nodes=nodes,
            flows=flows,
            message_starts=message_starts,
            has_drawing=root.find(f"{{{DRAWING}}}BPMNDiagram") is not None,
            lanes={n.id: n.lane for n in nodes.values() if n.lane},
            reach={
                n.id: reach_of(n, nodes) for n in nodes.values() if n.kind is NodeKind.INCLUSIVE and len(n.incoming) > 1
            },
        )

    # --- the file -----------------------------------------------------------------------------------------------------------

    def _parse(self, content: bytes) -> Any | None:
        root: Any
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
        try:
            root = etree.fromstring(content, parser)
        except etree.XMLSyntaxError as exc:
            self.findings.add("bpmn.xml", line=exc.lineno or 1, element="", why=exc.msg or "")
            return None
        if root.getroottree().docinfo.doctype:
            self.findings.add("bpmn.doctype", line=1, element="")
            return None
        if _local(root) != (MODEL, "definitions"):
            self.findings.add("bpmn.root", line=root.sourceline or 1, element="", tag=_local(root)[1])
            return None
        return root

    def _note_ids(self, root: Any) -> None:
        seen: dict[str, int] = {}
        for element in root.iter():
            name, line = element.get("id") if isinstance(element.tag, str) else None, element.sourceline or 0
            if not name or _local(element)[0] != MODEL:
                continue
            if name in seen:
                self.findings.add("bpmn.id_twice", line=line, element=name, id=name, first=seen[name])
            seen.setdefault(name, line)

    def _choose(self, root: Any, process_id: str | None) -> Any | None:
        processes = root.findall(f"{_M}process")
        if process_id is not None:
            processes = [p for p in processes if p.get("id") == process_id]
        elif len(processes) > 1:
            processes = [p for p in processes if p.get("isExecutable") == "true"]
        if not processes:
            self.findings.add("bpmn.no_process", line=root.sourceline or 1, element="")
            return None
        if len(processes) > 1:
            names = ", ".join(p.get("id", "?") for p in processes)
            self.findings.add("bpmn.many_processes", line=processes[1].sourceline or 1, element=names, names=names)
            return None
        return processes[0]

    # --- the process --------------------------------------------------------------------------------------------------------

    def _contents(self, process: Any) -> tuple[dict[str, Node], dict[str, Flow]]:
        nodes: dict[str, Node] = {}
        flow_elements: list[Any] = []
        # Elements that were refused are remembered, so that a flow to one is not called dangling too.
        known: set[str] = set()
        for element in process:
            namespace, tag = _local(element)
            if namespace != MODEL or tag in DRAWN:
                continue
            line, name = element.sourceline or 0, element.get("id") or ""
            if not name:
                self.findings.add("bpmn.id_missing", line=line, element=tag, tag=tag)
                continue
            known.add(name)
            if tag == "sequenceFlow":
                flow_elements.append(element)
            elif tag in REFUSED:
                self.findings.add("bpmn.element_refused", line=line, element=name, tag=tag, clause=REFUSED[tag])
            elif tag in TASKS or tag in EVENT_TAGS:
                node = self._node(element, tag)
                if node is not None:
                    nodes[name] = node
            else:
                self.findings.add("bpmn.element_unknown", line=line, element=name, tag=tag)
        flows = self._flows(flow_elements, nodes, known)
        self._attach(nodes, flows, process)
        return nodes, flows

    def _flows(self, elements: list[Any], nodes: Mapping[str, Node], known: set[str]) -> dict[str, Flow]:
        flows: dict[str, Flow] = {}
        for element in elements:
            name, line = element.get("id", ""), element.sourceline or 0
            ends = {"sourceRef": element.get("sourceRef", ""), "targetRef": element.get("targetRef", "")}
            lost = [(end, ref) for end, ref in ends.items() if ref not in known]
            for end, ref in lost:
                self.findings.add("bpmn.flow_dangling", line=line, element=name, end=end, ref=ref or "–")
            condition: Expression | None = None
            written = element.find(f"{_M}conditionExpression")
            if written is not None and (text := "".join(written.itertext()).strip()):
                # An "=" before the expression is how other FEEL modellers mark it.
                condition = self._feel(text.removeprefix("="), "condition", written.sourceline or line, name)
            if not lost and all(ref in nodes for ref in ends.values()):
                flows[name] = Flow(
                    id=name,
                    source=ends["sourceRef"],
                    target=ends["targetRef"],
                    name=element.get("name", ""),
                    line=line,
                    condition=condition,
                )
        return flows

    def _attach(self, nodes: dict[str, Node], flows: Mapping[str, Flow], process: Any) -> None:
        """Give each node its flows, its boundary events and its lane."""
        incoming: dict[str, list[Flow]] = {}
        outgoing: dict[str, list[Flow]] = {}
        boundary: dict[str, list[str]] = {}
        lanes: dict[str, str] = {}
        for flow in flows.values():
            outgoing.setdefault(flow.source, []).append(flow)
            incoming.setdefault(flow.target, []).append(flow)
        for node in nodes.values():
            if node.attached_to:
                boundary.setdefault(node.attached_to, []).append(node.id)
        for lane in process.iter(f"{_M}lane"):
            for ref in lane.findall(f"{_M}flowNodeRef"):
                lanes[(ref.text or "").strip()] = lane.get("name") or lane.get("id", "")
        for name, node in nodes.items():
            nodes[name] = replace(
                node,
                incoming=tuple(incoming.get(name, ())),
                outgoing=tuple(outgoing.get(name, ())),
                boundary=tuple(boundary.get(name, ())),
                lane=lanes.get(name, ""),
            )

    # --- a node -------------------------------------------------------------------------------------------------------------

    def _node(self, element: Any, tag: str) -> Node | None:
        name, line = element.get("id", ""), element.sourceline or 0
        for child in element:
            inner = _local(child)[1]
            if inner in REFUSED_WITHIN:
                self.findings.add(
                    "bpmn.element_refused",
                    line=child.sourceline or line,
                    element=name,
                    tag=inner,
                    clause=REFUSED_WITHIN[inner],
                )
        definition: Any | None = None
        if tag in EVENT_TAGS:
            found = [child for child in element if _local(child)[1] in EVENT_DEFINITIONS]
            if len(found) > 1:
                self.findings.add("bpmn.event_many", line=line, element=name)
                return None
            definition = found[0] if found else None
            trigger = _local(definition)[1] if definition is not None else ""
            kind = EVENTS.get((tag, trigger))
            if kind is None:
                self.findings.add("bpmn.event_refused", line=line, element=name, tag=tag, definition=trigger or "–")
                return None
        else:
            kind = TASKS[tag]
        if element.get("instantiate") == "true" or element.get("isForCompensation") == "true":
            self.findings.add("bpmn.element_refused", line=line, element=name, tag=tag, clause="10.3.3.3")
            return None
        return self._details(element, definition, kind, tag)

    def _details(self, element: Any, definition: Any | None, kind: NodeKind, tag: str) -> Node:
        name, line = element.get("id", ""), element.sourceline or 0
        own = self._attributes(element, kind)
        node = Node(
            id=name,
            kind=kind,
            tag=tag,
            name=" ".join(element.get("name", "").split()),
            line=line,
            default=element.get("default"),
            attached_to=element.get("attachedToRef"),
            interrupting=element.get("cancelActivity", "true") != "false",
            attributes=own,
            result=own.get("result", ""),
            input=self._feel(own["input"], "furong:input", line, name) if "input" in own else None,
        )
        if kind is NodeKind.USER_TASK:
            node = replace(node, work=self._work(own, line, name))
        elif kind is NodeKind.BUSINESS_RULE_TASK:
            node = replace(node, decision=self._decision(own, line, name))
        elif kind is NodeKind.SERVICE_TASK or (kind is NodeKind.SEND_TASK and own.get("handler")):
            node = replace(node, service=self._service(own, line, name))
        elif kind in {NodeKind.CATCH_TIMER, NodeKind.BOUNDARY_TIMER}:
            node = replace(node, timer=self._timer(definition, own, line, name))
        elif kind is NodeKind.BOUNDARY_ERROR and definition is not None:
            if ref := definition.get("errorRef"):
                if ref not in self.errors:
                    self.findings.add("bpmn.error_missing", line=line, element=name, ref=ref)
                node = replace(node, error_code=self.errors.get(ref, ref))
        elif kind in ATTRIBUTES["correlation"]:
            node = replace(
                node, message=self._message(definition if definition is not None else element, own, line, name)
            )
        return node

    def _attributes(self, element: Any, kind: NodeKind) -> dict[str, str]:
        found: dict[str, str] = {}
        for key, value in element.attrib.items():
            if not key.startswith(_F):
                continue
            name = key.removeprefix(_F)
            if kind not in ATTRIBUTES.get(name, ()):
                self.findings.add(
                    "furong.attribute_unknown",
                    line=element.sourceline or 0,
                    element=element.get("id", ""),
                    name=name,
                )
            found[name] = value.strip()
        return found

    def _feel(self, text: str, what: str, line: int, element: str) -> Expression | None:
        try:
            return compile_feel(text.strip())
        except ValueError as exc:
            self.findings.add("bpmn.feel", line=line, element=element, what=what, why=str(exc))
            return None

    def _text(self, own: Mapping[str, str], name: str, line: int, element: str) -> Expression:
        text = own.get(name, "")
        try:
            return compile_text(text) if text else _NOTHING
        except ValueError as exc:
            self.findings.add("bpmn.feel", line=line, element=element, what=f"furong:{name}", why=str(exc))
            return _NOTHING

    def _bad(self, name: str, own: Mapping[str, str], line: int, element: str, why: str) -> None:
        self.findings.add(
            "furong.attribute_value", line=line, element=element, name=name, value=own.get(name, ""), why=why
        )

    def _whole(self, name: str, own: Mapping[str, str], line: int, element: str, default: int, top: int) -> int:
        text = own.get(name)
        if text is None:
            return default
        if not (text.isascii() and text.isdigit() and int(text) <= top):
            self._bad(name, own, line, element, f"a whole number from 0 to {top} is meant")
            return default
        return int(text)

    def _counting(
        self, name: str, own: Mapping[str, str], line: int, element: str, default: DayCounting
    ) -> DayCounting:
        try:
            return DayCounting(own[name]) if own.get(name) else default
        except ValueError:
            self._bad(name, own, line, element, "it may be working or natural")
            return default

    def _work(self, own: Mapping[str, str], line: int, element: str) -> WorkRule:
        counting = self._counting("due_calendar", own, line, element, DayCounting.WORKING)
        yellow: Duration | None = None
        if "yellow" in own:
            try:
                yellow = Duration.parse(own["yellow"])
            except ValueError as exc:
                self._bad("yellow", own, line, element, str(exc))
        return WorkRule(
            kind=self._text({"kind": "task", **own}, "kind", line, element),
            department=self._text(own, "department", line, element),
            division=self._text(own, "division", line, element),
            right=self._text(own, "post_right", line, element),
            item=self._text(own, "item", line, element),
            priority=self._whole("priority", own, line, element, 0, 100),
            outcomes=tuple(own.get("outcomes", "").split()),
            due=self._period("due", own, counting, line, element),
            yellow=yellow,
            escalate_after=self._period("escalate_after", own, counting, line, element),
        )

    def _period(
        self, name: str, own: Mapping[str, str], counting: DayCounting, line: int, element: str
    ) -> TimerRule | None:
        if not own.get(name):
            return None
        value = self._text(own, name, line, element)
        if isinstance(value, Literal):
            try:
                Duration.parse(value.text)
            except ValueError as exc:
                self._bad(name, own, line, element, str(exc))
        return TimerRule(value=value, counting=counting)

    def _service(self, own: Mapping[str, str], line: int, element: str) -> ServiceRule:
        handler = own.get("handler", "")
        if not handler:
            self.findings.add("furong.handler_missing", line=line, element=element)
        elif self.handlers is not None and handler not in self.handlers:
            known = ", ".join(sorted(self.handlers)) or "–"
            self.findings.add("furong.handler_unknown", line=line, element=element, name=handler, known=known)
        backoff = ServiceRule(handler="").backoff
        if "backoff" in own:
            try:
                backoff = Duration.parse(own["backoff"])
            except ValueError as exc:
                self._bad("backoff", own, line, element, str(exc))
        return ServiceRule(handler=handler, retries=self._whole("retries", own, line, element, 5, 100), backoff=backoff)

    def _decision(self, own: Mapping[str, str], line: int, element: str) -> tuple[str, str] | None:
        resource, mark, decision = own.get("decision", "").partition("#")
        if not (resource and mark and decision):
            self.findings.add("furong.decision_missing", line=line, element=element)
            return None
        if self.decisions is not None and (resource, decision) not in self.decisions:
            known = ", ".join(f"{r}#{d}" for r, d in sorted(self.decisions)) or "–"
            name = f"{resource}#{decision}"
            self.findings.add("furong.decision_unknown", line=line, element=element, name=name, known=known)
        return resource, decision

    def _message(self, source: Any, own: Mapping[str, str], line: int, element: str) -> MessageRule | None:
        ref = source.get("messageRef", "")
        if ref not in self.messages:
            self.findings.add("bpmn.message_missing", line=line, element=element, ref=ref or "–")
            return None
        correlation = self._text(own, "correlation", line, element) if own.get("correlation") else None
        return MessageRule(name=self.messages[ref], correlation=correlation)

    def _timer(self, definition: Any | None, own: Mapping[str, str], line: int, element: str) -> TimerRule | None:
        counting = self._counting("calendar", own, line, element, DayCounting.CLOCK)
        written = None
        for child in definition if definition is not None else ():
            tag = _local(child)[1]
            if tag == "timeCycle":
                self.findings.add(
                    "bpmn.event_refused",
                    line=child.sourceline or line,
                    element=element,
                    tag="timer",
                    definition=tag,
                )
                return None
            if tag in {"timeDuration", "timeDate"}:
                written = (tag, "".join(child.itertext()).strip(), child.sourceline or line)
        if written is None or not written[1]:
            self.findings.add("bpmn.timer", line=line, element=element, why="timeDuration / timeDate ?")
            return None
        tag, text, line = written
        try:
            value = compile_text(text)
        except ValueError as exc:
            self.findings.add("bpmn.feel", line=line, element=element, what=tag, why=str(exc))
            return None
        if isinstance(value, Literal):
            try:
                if tag == "timeDate":
                    parse_moment(text, zone=UTC)
                elif not Duration.parse(text).is_whole_days and counting is DayCounting.WORKING:
                    raise ValueError(f"{text}: working days are whole days")
            except ValueError as exc:
                self.findings.add("bpmn.timer", line=line, element=element, why=str(exc))
                return None
        return TimerRule(value=value, is_date=tag == "timeDate", counting=counting)
