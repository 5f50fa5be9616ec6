"""Reading BPMN 2.0 XML, with neither entities nor network; everything wrong is said at once, with its line."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from lxml import etree

from furong.domains.processes.values.checker import Known, check_definition
from furong.domains.processes.values.contents import Contents, lanes_of
from furong.domains.processes.values.declarations import Declarations, M, bare, flag, local
from furong.domains.processes.values.details import Details
from furong.domains.processes.values.elements import DRAWING, MODEL, NodeKind
from furong.domains.processes.values.graph import Node, ProcessDefinition, reach_of
from furong.domains.processes.values.rules import INCOMPLETE, Findings
from furong.domains.processes.values.schema import check_schema
from furong.domains.processes.values.variables import declared_variables
from furong.foundation.feel import FeelType
from furong.foundation.packs.values.findings import Finding, in_order


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
    calls: Mapping[str, bytes] | None = None,
    departments: Iterable[str] | None = None,
    messages: Iterable[str] = (),
    decision_types: Mapping[tuple[str, str], FeelType] | None = None,
    check: bool = True,
    to_publish: bool = False,
) -> Reading:
    """Read one executable process of a BPMN 2.0 file and check it.

    ``process_id`` picks one of several. With ``handlers`` and ``decisions`` given, names that are not among them are refused.
    ``calls`` holds, by the id of a process, the files of processes that call activities name and this file lacks.
    With ``departments`` given, kinds of departments that are not among them are refused; ``messages`` are sent from outside, and
    ``decision_types`` say what decisions give, for the types of expressions.
    ``check=False`` leaves out the checks of structure, for a definition that was checked when it was published.
    With ``to_publish`` what only publication wants (handlers, decisions, messages) is an error and not a warning.
    Raises nothing: what is wrong is in ``findings``. Cost: about 10 ms for twenty elements, 2 ms without checks, at most seconds.
    """
    findings = Findings(file, to_publish=to_publish)
    reader = _Reader(
        findings,
        None if handlers is None else frozenset(handlers),
        None if decisions is None else frozenset(decisions),
        calls or {},
        check=check,
        known=Known(
            sent=frozenset(messages),
            departments=None if departments is None else frozenset(departments),
            decisions=decision_types or {},
        ),
    )
    definition = reader.read(content, process_id)
    found = tuple(in_order(findings.found))
    return Reading(None if findings.has_errors else definition, found)


def list_processes(content: bytes) -> tuple[tuple[str, bool], ...]:
    """Give the processes of a file in its order: id, and whether it may be run on its own; none when it cannot be read."""
    reader = _Reader(Findings(""), None, None, {}, check=False)
    root = reader.parse(content)
    found = [] if root is None else root.findall(f"{M}process")
    marked = len(found) > 1
    return tuple((p.get("id", ""), flag(p, "isExecutable", default=not marked)) for p in found)


def list_calls(content: bytes) -> tuple[str, ...]:
    """Give the ids of the processes that a file's call activities call and that it does not hold itself."""
    root = _Reader(Findings(""), None, None, {}, check=False).parse(content)
    if root is None:
        return ()
    own = {p.get("id", "") for p in root.findall(f"{M}process")}
    called = {bare(one.get("calledElement", "")) for one in root.iter(f"{M}callActivity")}
    return tuple(sorted(called - own - {""}))


class _Reader:
    def __init__(
        self,
        findings: Findings,
        handlers: frozenset[str] | None,
        decisions: frozenset[tuple[str, str]] | None,
        calls: Mapping[str, bytes],
        *,
        check: bool,
        known: Known | None = None,
    ) -> None:
        self.findings = findings
        self.known = known or Known()
        self.handlers = handlers
        self.decisions = decisions
        self.calls = calls
        self.check = check
        self.calling: tuple[str, ...] = ()

    def read(self, content: bytes, process_id: str | None) -> ProcessDefinition | None:
        root = self.parse(content)
        if root is None:
            return None
        self._note_ids(root)
        process = self._choose(root, process_id)
        return None if process is None else self._process(root, process, content)

    def _process(self, root: Any, process: Any, content: bytes) -> ProcessDefinition:
        code, line = process.get("id", ""), process.sourceline or 0
        declared = Declarations.read(root)
        if self.check:
            check_schema(root, process, self.findings)
        before, self.calling = self.calling, (*self.calling, code)

        def call(node: Node) -> ProcessDefinition | None:
            return self._called(root, node, content)

        contents = Contents(Details(self.findings, declared, self.handlers, self.decisions), call)
        contents.read(process)
        self.calling = before
        nodes = contents.nodes
        own = [node for node in nodes.values() if not node.parent]
        starts = [n for n in own if n.kind is NodeKind.START]
        message_starts = tuple(n.id for n in own if n.kind is NodeKind.MESSAGE_START)
        timer_starts = tuple(n.id for n in own if n.kind is NodeKind.TIMER_START)
        if not starts and not message_starts and not timer_starts:
            self.findings.add("bpmn.start_missing", line=line, element=code)
        for extra in starts[1:]:
            self.findings.add("bpmn.start_many", line=extra.line, element=extra.id)
        definition = ProcessDefinition(
            code=code,
            name=process.get("name") or declared.participants.get(code) or code,
            file=self.findings.file,
            digest=hashlib.sha256(content).hexdigest(),
            xml=content,
            start=starts[0].id if starts else next(iter((*message_starts, *timer_starts)), ""),
            nodes=nodes,
            flows=contents.flows,
            containers=contents.containers,
            message_starts=message_starts,
            timer_starts=timer_starts,
            compensates=any(n.compensation for n in nodes.values()),
            has_drawing=root.find(f"{{{DRAWING}}}BPMNDiagram") is not None,
            lanes=lanes_of(nodes),
            reach={
                n.id: reach_of(n, nodes) for n in nodes.values() if n.kind is NodeKind.INCLUSIVE and len(n.incoming) > 1
            },
        )
        if self.check and not any(one.is_error and one.rule in INCOMPLETE for one in self.findings.found):
            self._check(root, process, definition, declared)
        return definition

    def _check(self, root: Any, process: Any, definition: ProcessDefinition, declared: Declarations) -> None:
        variables = declared_variables(process, self.findings)
        calls = {bare(one.get("calledElement", "")) for one in root.iter(f"{M}callActivity")}
        known = replace(
            self.known,
            sent=self.known.sent | declared.sent(root),
            is_called=len(self.calling) > 0 or definition.code in calls,
            variables={name: variable for name, (_, variable) in variables.items()},
            data=frozenset(declared.data.values()),
        )
        check_definition(process, definition, self.findings, known)

    def _called(self, root: Any, node: Node, content: bytes) -> ProcessDefinition | None:
        """Read the process that a call activity calls: of the same file, or of those that were given."""
        name, line = node.calls, node.line
        if name in self.calling:
            self.findings.add("bpmn.call_recursive", line=line, element=node.id, name=name or "–")
            return None
        here = next((p for p in root.findall(f"{M}process") if p.get("id") == name), None)
        if here is not None:
            return self._process(root, here, content)
        given = self.calls.get(name)
        if not name or given is None:
            self.findings.add("bpmn.call_unknown", line=line, element=node.id, name=name or "–")
            return None
        inner = Findings(f"{name}.bpmn", to_publish=self.findings.to_publish)
        mine, self.findings = self.findings, inner
        try:
            ids = [one for one, _ in list_processes(given)]
            called = self.read(given, name if name in ids else None)
        finally:
            self.findings = mine
            mine.found += inner.found
        return None if inner.has_errors else called

    # --- the file -----------------------------------------------------------------------------------------------------------

    def parse(self, content: bytes) -> Any | None:
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
        if local(root) != (MODEL, "definitions"):
            self.findings.add("bpmn.root", line=root.sourceline or 1, element="", tag=local(root)[1])
            return None
        return root

    def _note_ids(self, root: Any) -> None:
        seen: dict[str, int] = {}
        for element in root.iter():
            name, line = element.get("id") if isinstance(element.tag, str) else None, element.sourceline or 0
            if not name or local(element)[0] != MODEL:
                continue
            if name in seen:
                self.findings.add("bpmn.id_twice", line=line, element=name, id=name, first=seen[name])
            seen.setdefault(name, line)

    def _choose(self, root: Any, process_id: str | None) -> Any | None:
        processes = root.findall(f"{M}process")
        if process_id is not None:
            processes = [p for p in processes if p.get("id") == process_id]
        elif len(processes) > 1:
            processes = [p for p in processes if flag(p, "isExecutable")]
        if not processes:
            self.findings.add("bpmn.no_process", line=root.sourceline or 1, element="")
            return None
        if len(processes) > 1:
            names = ", ".join(p.get("id", "?") for p in processes)
            self.findings.add("bpmn.many_processes", line=processes[1].sourceline or 1, element=names, names=names)
            return None
        return processes[0]
