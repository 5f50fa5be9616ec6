"""Reading one flow node: what its tag, its definitions and its attributes say of how it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC
from typing import Any

from furong.domains.processes.values.declarations import Declarations, F, M, bare, flag, local, text_of
from furong.domains.processes.values.elements import (
    ACTIVITIES,
    ATTRIBUTES,
    EVENT_DEFINITIONS,
    EVENT_STARTS,
    EVENT_TAGS,
    EVENTS,
    LANE_ATTRIBUTES,
    LOOP_ATTRIBUTES,
    TASKS,
    NodeKind,
)
from furong.domains.processes.values.expressions import compile_feel, compile_text
from furong.domains.processes.values.graph import (
    Expression,
    Literal,
    LoopRule,
    MessageRule,
    Node,
    ServiceRule,
    TimerRule,
    WorkRule,
)
from furong.domains.processes.values.rules import Findings
from furong.domains.processes.values.times import Cycle, DayCounting, Duration, parse_moment

_NOTHING = Literal("")
_TIMERS = frozenset({NodeKind.CATCH_TIMER, NodeKind.BOUNDARY_TIMER, NodeKind.TIMER_START})
_FEEL_FORMATS = frozenset({"", "feel", "text/feel", "application/feel"})


@dataclass(slots=True)
class Details:
    """Reads nodes; what is wrong goes into ``findings``."""

    findings: Findings
    declared: Declarations
    handlers: frozenset[str] | None
    decisions: frozenset[tuple[str, str]] | None

    def node(self, element: Any, tag: str, *, parent: str, in_event: bool, lane: Mapping[str, str]) -> Node | None:
        """Read a flow node; None when it is refused. ``in_event``: whether it lies directly in an event sub-process."""
        name, line = element.get("id", ""), element.sourceline or 0
        definition: Any | None = None
        trigger = ""
        if tag in EVENT_TAGS:
            found = [child for child in element if local(child)[1] in EVENT_DEFINITIONS]
            for shared in element.findall(f"{M}eventDefinitionRef"):
                ref = bare(text_of(shared))
                if ref not in self.declared.events:
                    self.findings.add(
                        "bpmn.ref_unknown", line=line, element=name, attribute="eventDefinitionRef", ref=ref or "–"
                    )
                    return None
                found.append(self.declared.events[ref])
            if len(found) > 1:
                self.findings.add("bpmn.event_many", line=line, element=name)
                return None
            definition = found[0] if found else None
            trigger = local(definition)[1] if definition is not None else ""
            kind = EVENTS.get((tag, trigger))
            if tag == "startEvent":
                kind = self._start(kind, trigger, parent, in_event)
            if kind is None:
                self.findings.add("bpmn.event_refused", line=line, element=name, tag=tag, definition=trigger or "–")
                return None
        else:
            kind = TASKS[tag]
            if tag == "subProcess" and flag(element, "triggeredByEvent"):
                kind = NodeKind.EVENT_SUB_PROCESS
        if flag(element, "instantiate"):
            self.findings.add("bpmn.element_refused", line=line, element=name, tag=tag, clause="10.3.3.3")
            return None
        return self._details(element, definition, kind, tag, trigger, parent, lane)

    @staticmethod
    def _start(kind: NodeKind | None, trigger: str, parent: str, in_event: bool) -> NodeKind | None:
        if in_event:
            return NodeKind.EVENT_START if trigger in EVENT_STARTS else None
        return kind if not parent or kind is NodeKind.START else None

    def _details(
        self, element: Any, definition: Any | None, kind: NodeKind, tag: str, trigger: str, parent: str, lane: Any
    ) -> Node:
        name, line = element.get("id", ""), element.sourceline or 0
        own = self._attributes(element, kind)
        attribute = "isInterrupting" if tag == "startEvent" else "cancelActivity"
        node = Node(
            id=name,
            kind=kind,
            tag=tag,
            name=" ".join(element.get("name", "").split()),
            line=line,
            default=element.get("default"),
            attached_to=element.get("attachedToRef"),
            interrupting=flag(element, attribute, default=True),
            attributes=own,
            result=own.get("result", ""),
            input=self.feel(own["input"], "furong:input", line, name) if "input" in own else None,
            parent=parent,
            for_compensation=flag(element, "isForCompensation"),
            loop=self._loop(element, kind, line, name),
        )
        if kind is NodeKind.USER_TASK:
            given = {key: lane[key] for key in LANE_ATTRIBUTES if key in lane}
            return replace(node, work=self._work({**given, **own}, line, name))
        if kind is NodeKind.BUSINESS_RULE_TASK:
            return replace(node, decision=self._decision(own, line, name))
        if kind is NodeKind.SCRIPT_TASK:
            return replace(node, script=self._script(element, line, name))
        if kind is NodeKind.CALL_ACTIVITY:
            output = self.feel(own["output"], "furong:output", line, name) if "output" in own else None
            return replace(node, calls=bare(element.get("calledElement", "")), output=output)
        if kind is NodeKind.SERVICE_TASK or (kind is NodeKind.SEND_TASK and own.get("handler")):
            return replace(node, service=self._service(own, line, name))
        if definition is not None:
            return self._event(node, definition, trigger, own)
        if kind in ATTRIBUTES["correlation"] and kind is not NodeKind.EVENT_START:
            return replace(node, message=self._message(element, own, line, name))
        return node

    def _event(self, node: Node, definition: Any, trigger: str, own: Mapping[str, str]) -> Node:
        line, name = node.line, node.id
        if trigger == "timerEventDefinition":
            return replace(node, trigger="timer", timer=self._timer(definition, own, line, name, node.kind))
        if trigger == "messageEventDefinition":
            return replace(node, trigger="message", message=self._message(definition, own, line, name))
        if trigger == "errorEventDefinition":
            code = self._code(definition.get("errorRef"), self.declared.errors, "bpmn.error_missing", line, name)
            if node.kind is NodeKind.ERROR_END and code is None:
                self.findings.add("bpmn.error_missing", line=line, element=name, ref="–")
            return replace(node, trigger="error", code=code)
        if trigger == "escalationEventDefinition":
            ref = definition.get("escalationRef")
            code = self._code(ref, self.declared.escalations, "bpmn.escalation_missing", line, name)
            return replace(node, trigger="escalation", code=code)
        if trigger == "compensateEventDefinition":
            return replace(node, trigger="compensation", compensates=bare(definition.get("activityRef", "")))
        if trigger == "linkEventDefinition":
            return replace(node, trigger="link", code=definition.get("name") or node.name)
        return node

    def _code(self, ref: str | None, known: Mapping[str, str], rule: str, line: int, name: str) -> str | None:
        if not ref:
            return None
        ref = bare(ref)
        if ref not in known:
            self.findings.add(rule, line=line, element=name, ref=ref)
        return known.get(ref, ref)

    # --- attributes ---------------------------------------------------------------------------------------------------------

    def _attributes(self, element: Any, kind: NodeKind) -> dict[str, str]:
        found: dict[str, str] = {}
        for key, value in element.attrib.items():
            if not key.startswith(F):
                continue
            name = key.removeprefix(F)
            if kind not in ATTRIBUTES.get(name, ()):
                self.findings.add(
                    "furong.attribute_unknown",
                    line=element.sourceline or 0,
                    element=element.get("id", ""),
                    name=name,
                )
            found[name] = value.strip()
        return found

    def feel(self, text: str, what: str, line: int, element: str) -> Expression | None:
        """Compile FEEL, which other tools mark with an ``=`` before it; None (and a finding) when it is not valid."""
        try:
            return compile_feel(text.strip().removeprefix("=").strip())
        except ValueError as exc:
            self._not_feel(text, what, line, element, str(exc))
            return None

    def _not_feel(self, text: str, what: str, line: int, element: str, why: str) -> None:
        if text.strip().startswith(("${", "#{")):
            self.findings.add("bpmn.expression_language", line=line, element=element, what=what, language="JUEL")
        else:
            self.findings.add("bpmn.feel", line=line, element=element, what=what, why=why)

    def _text(self, own: Mapping[str, str], name: str, line: int, element: str) -> Expression:
        text = own.get(name, "")
        try:
            return compile_text(text) if text else _NOTHING
        except ValueError as exc:
            self._not_feel(text, f"furong:{name}", line, element, str(exc))
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

    # --- work ---------------------------------------------------------------------------------------------------------------

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
        resource, _, decision = own.get("decision", "").partition("#")
        if not own.get("decision"):
            self.findings.add("furong.decision_missing", line=line, element=element)
            return None
        if not (resource and decision):
            self._bad("decision", own, line, element, "rules#decision")
            return None
        if self.decisions is not None and (resource, decision) not in self.decisions:
            known = ", ".join(f"{r}#{d}" for r, d in sorted(self.decisions)) or "–"
            name = f"{resource}#{decision}"
            self.findings.add("furong.decision_unknown", line=line, element=element, name=name, known=known)
        return resource, decision

    def _script(self, element: Any, line: int, name: str) -> Expression | None:
        written = element.find(f"{M}script")
        language = element.get("scriptFormat", "").strip().lower()
        if language not in _FEEL_FORMATS:
            self.findings.add("bpmn.script_language", line=line, element=name, language=language)
            return None
        text = text_of(written)
        if not text:
            self.findings.add("bpmn.feel", line=line, element=name, what="script", why="–")
            return None
        return self.feel(text, "script", (written.sourceline if written is not None else 0) or line, name)

    # --- events -------------------------------------------------------------------------------------------------------------

    def _message(self, source: Any, own: Mapping[str, str], line: int, element: str) -> MessageRule:
        ref = bare(source.get("messageRef", ""))
        name = self.declared.messages.get(ref) or ("" if ref else self.declared.message_flows.get(element, ""))
        if not name and ref:
            self.findings.add("bpmn.ref_unknown", line=line, element=element, attribute="messageRef", ref=ref)
        elif not name:
            self.findings.add("bpmn.message_missing", line=line, element=element)
        correlation = self._text(own, "correlation", line, element) if own.get("correlation") else None
        return MessageRule(name=name or element, correlation=correlation)

    def _timer(
        self, definition: Any, own: Mapping[str, str], line: int, element: str, kind: NodeKind
    ) -> TimerRule | None:
        counting = self._counting("calendar", own, line, element, DayCounting.CLOCK)
        written = None
        for child in definition:
            tag = local(child)[1]
            if tag in {"timeDuration", "timeDate", "timeCycle"}:
                written = (tag, text_of(child), child.sourceline or line)
        if written is None or not written[1]:
            self.findings.add("bpmn.timer", line=line, element=element, why="timeDuration / timeDate / timeCycle ?")
            return None
        tag, text, line = written
        try:
            value = compile_text(text)
        except ValueError as exc:
            self._not_feel(text, tag, line, element, str(exc))
            return None
        if text.startswith(("${", "#{")):
            self._not_feel(text, tag, line, element, "")
            return None
        if isinstance(value, Literal):
            try:
                if tag == "timeDate":
                    parse_moment(text, zone=UTC)
                elif tag == "timeCycle":
                    Cycle.parse(text, zone=UTC)
                elif not Duration.parse(text).is_whole_days and counting is DayCounting.WORKING:
                    raise ValueError(f"{text}: working days are whole days")
            except ValueError as exc:
                self.findings.add("bpmn.timer", line=line, element=element, why=str(exc))
                return None
        return TimerRule(value=value, is_date=tag == "timeDate", is_cycle=tag == "timeCycle", counting=counting)

    # --- repetition ---------------------------------------------------------------------------------------------------------

    def _loop(self, element: Any, kind: NodeKind, line: int, name: str) -> LoopRule | None:
        several = element.find(f"{M}multiInstanceLoopCharacteristics")
        again = element.find(f"{M}standardLoopCharacteristics")
        found = several if several is not None else again
        if found is None:
            return None
        line = found.sourceline or line
        if kind not in ACTIVITIES:
            self.findings.add("bpmn.element_refused", line=line, element=name, tag=local(found)[1], clause="13.3.7")
            return None
        return self._several(found, line, name) if several is not None else self._again(found, line, name)

    def _again(self, found: Any, line: int, name: str) -> LoopRule | None:
        text = text_of(found.find(f"{M}loopCondition"))
        most = found.get("loopMaximum", "")
        if not text and not most.isdigit():
            self.findings.add("bpmn.loop_endless", line=line, element=name)
            return None
        return LoopRule(
            sequential=True,
            while_=self.feel(text, "loopCondition", line, name) if text else None,
            test_before=flag(found, "testBefore"),
            most=int(most) if most.isdigit() else None,
        )

    def _several(self, found: Any, line: int, name: str) -> LoopRule | None:
        own = {key.removeprefix(F): value.strip() for key, value in found.attrib.items() if key.startswith(F)}
        for key in own.keys() - set(LOOP_ATTRIBUTES):
            self.findings.add("furong.attribute_unknown", line=line, element=name, name=key)
        cardinality = text_of(found.find(f"{M}loopCardinality"))
        collection = own.get("collection", "") or self._data(text_of(found.find(f"{M}loopDataInputRef")))
        until = text_of(found.find(f"{M}completionCondition"))
        if not cardinality and not collection:
            self.findings.add("bpmn.loop_uncounted", line=line, element=name)
            return None
        output = own.get("output_collection", "") or self._data(text_of(found.find(f"{M}loopDataOutputRef")))
        result = own.get("output_element", "") or self._item(found, "outputDataItem")
        return LoopRule(
            sequential=flag(found, "isSequential"),
            cardinality=self.feel(cardinality, "loopCardinality", line, name) if not collection else None,
            collection=self.feel(collection, "collection", line, name) if collection else None,
            element=own.get("element", "") or self._item(found, "inputDataItem"),
            output=output,
            result=self.feel(result, "output_element", line, name) if output and result else None,
            until=self.feel(until, "completionCondition", line, name) if until else None,
        )

    def _data(self, ref: str) -> str:
        return self.declared.data.get(ref, ref)

    @staticmethod
    def _item(found: Any, tag: str) -> str:
        item = found.find(f"{M}{tag}")
        return "" if item is None else str(item.get("name") or item.get("id") or "")
