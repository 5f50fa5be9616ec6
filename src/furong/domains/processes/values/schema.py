"""What BPMN's schema asks of a file and a lenient reading lets pass: attributes, references, what may stand where.

Elements and attributes of other namespaces belong to other tools and are never looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lxml import etree

from furong.domains.processes.values.declarations import F, M, bare, local
from furong.domains.processes.values.elements import (
    DRAWING,
    EVENT_TAGS,
    FURONG,
    MODEL,
    TASKS,
)
from furong.domains.processes.values.rules import Findings
from furong.domains.processes.values.standard import ATTRIBUTES_OF, CHILDREN, ELEMENTS, FLAGS, INERT

_CONTAINERS = frozenset({"process", "subProcess", "transaction", "adHocSubProcess"})
# Elements whose furong attributes are read with them.
_READ = frozenset({*TASKS, *EVENT_TAGS, "lane", "multiInstanceLoopCharacteristics"})
# What the process's extension elements may hold of ours.
_OURS = {"variable": frozenset({"process"})}


def check_schema(root: Any, process: Any, findings: Findings) -> None:
    """Check a process with everything in it, the pools of its file, and the references of its drawing."""
    _Schema(root, findings).check(process)


def inside(element: Any) -> Iterator[Any]:
    """Give an element and the elements of BPMN in it, without what other tools put there."""
    yield element
    for child in element:
        namespace, tag = local(child)
        if namespace == MODEL and tag != "extensionElements":
            yield from inside(child)


class _Schema:
    def __init__(self, root: Any, findings: Findings) -> None:
        self.root = root
        self.findings = findings
        self.by_id: dict[str, Any] = {}
        for element in root.iter(f"{{{MODEL}}}*"):
            self.by_id.setdefault(element.get("id", ""), element)
        self.by_id.pop("", None)

    def check(self, process: Any) -> None:
        for element in inside(process):
            self._element(element)
        self._lanes(process)
        for collaboration in self.root.findall(f"{M}collaboration"):
            self._pools(collaboration)
        self._drawing()

    def _add(self, rule: str, element: Any, **words: object) -> None:
        name = element.get("id") or self._around(element)
        self.findings.add(rule, line=element.sourceline or 0, element=name, **words)

    @staticmethod
    def _around(element: Any) -> str:
        """Give the id of the nearest element around that has one."""
        here = element
        while here is not None and not here.get("id"):
            here = here.getparent()
        return "" if here is None else str(here.get("id"))

    # --- one element --------------------------------------------------------------------------------------------------------

    def _element(self, element: Any) -> None:
        tag = local(element)[1]
        name = element.get("id", "")
        if any(sign in name for sign in "/~ \t\n"):
            self._add("bpmn.id_invalid", element, id=name)
        self._attributes(element, tag)
        self._children(element, tag)
        if tag == "association":
            self._refers(element, "sourceRef", "bpmn.ref_lost")
            self._refers(element, "targetRef", "bpmn.ref_lost")
        elif tag == "dataObjectReference":
            self._refers(element, "dataObjectRef", "bpmn.ref_lost")
        elif tag == "compensateEventDefinition":
            self._refers(element, "activityRef", "bpmn.ref_unknown")
        elif tag in _READ or tag == "exclusiveGateway":
            self._flow_texts(element)

    def _attributes(self, element: Any, tag: str) -> None:
        known = ATTRIBUTES_OF.get(tag)
        for key, value in element.attrib.items():
            if key.startswith(F) and tag not in _READ:
                self._add("furong.attribute_unknown", element, name=key.removeprefix(F))
            if key.startswith("{"):
                continue
            if key in FLAGS and value not in {"true", "false", "1", "0"}:
                self._add("bpmn.attribute_value", element, attribute=key, value=value, allowed="true, false")
            elif key in INERT and value not in INERT[key]:
                self._add("bpmn.attribute_refused", element, attribute=key, value=value)
            elif known is not None and key not in known:
                self._add("bpmn.attribute_unknown", element, attribute=key, tag=tag)

    def _children(self, element: Any, tag: str) -> None:
        allowed = CHILDREN.get(tag)
        for child in element:
            namespace, name = local(child)
            if (namespace, name) == (MODEL, "extensionElements"):
                self._ours(child, tag)
            elif namespace == MODEL and name == "complexBehaviorDefinition":
                self._add("bpmn.element_refused", child, tag=name, clause="10.3.7")
            elif namespace == MODEL and allowed is not None and name not in allowed:
                rule = "bpmn.element_misplaced" if name in ELEMENTS else "bpmn.element_unknown"
                self._add(rule, child, tag=name, parent=tag)

    def _ours(self, extensions: Any, tag: str) -> None:
        for child in extensions:
            namespace, name = local(child)
            if namespace == FURONG and tag not in _OURS.get(name, ()):
                self._add("furong.element_unknown", child, name=name, tag=tag)

    def _refers(self, element: Any, attribute: str, rule: str) -> None:
        ref = bare(element.get(attribute, ""))
        if ref and ref not in self.by_id:
            self._add(rule, element, attribute=attribute, ref=ref)

    def _flow_texts(self, node: Any) -> None:
        """Compare what an element says of its flows with what the flows say."""
        for tag, end in (("incoming", "targetRef"), ("outgoing", "sourceRef")):
            for written in node.findall(f"{M}{tag}"):
                ref = bare((written.text or "").strip())
                flow = self.by_id.get(ref)
                if flow is None or flow.get(end) != node.get("id"):
                    self._add("bpmn.flow_text", written, tag=tag, ref=ref or "–")

    # --- lanes, pools, drawing ----------------------------------------------------------------------------------------------

    def _lanes(self, process: Any) -> None:
        for lane_set in process.iter(f"{M}laneSet", f"{M}childLaneSet"):
            seen: dict[str, str] = {}
            for lane in lane_set.findall(f"{M}lane"):
                for written in lane.findall(f"{M}flowNodeRef"):
                    ref = bare((written.text or "").strip())
                    if ref not in self.by_id:
                        self._add("bpmn.ref_lost", written, attribute="flowNodeRef", ref=ref or "–")
                    elif ref in seen:
                        self._add("bpmn.lane_twice", written, ref=ref, first=seen[ref])
                    seen.setdefault(ref, lane.get("name") or lane.get("id", ""))

    def _pools(self, collaboration: Any) -> None:
        for participant in collaboration.findall(f"{M}participant"):
            self._refers(participant, "processRef", "bpmn.ref_lost")
        for flow in collaboration.findall(f"{M}messageFlow"):
            pools = []
            for end in ("sourceRef", "targetRef"):
                ref = bare(flow.get(end, ""))
                found = self.by_id.get(ref)
                if found is None:
                    self._add("bpmn.message_flow_end", flow, end=end, ref=ref or "–")
                    continue
                pools.append(self._pool(found))
            if len(pools) == 2 and pools[0] and pools[0] == pools[1]:
                self._add("bpmn.message_flow_inside", flow, pool=pools[0])

    def _pool(self, element: Any) -> str:
        if local(element)[1] == "participant":
            return bare(element.get("processRef", ""))
        here = element
        while here is not None and local(here)[1] != "process":
            here = here.getparent()
        return "" if here is None else str(here.get("id", ""))

    def _drawing(self) -> None:
        for shape in self.root.iter(f"{{{DRAWING}}}BPMNShape", f"{{{DRAWING}}}BPMNEdge"):
            ref = bare(shape.get("bpmnElement", ""))
            if ref and ref not in self.by_id:
                tag = etree.QName(shape).localname
                self.findings.add("bpmn.shape_lost", line=shape.sourceline or 0, element=ref, tag=tag)
