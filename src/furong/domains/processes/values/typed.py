"""Expressions against the variables: what each may hold is gathered from the whole process, then every expression is typed.

Variables are JSON values, so a date that a script computes is a text when the next element reads it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from furong.domains.processes.values.choices import asked_of
from furong.domains.processes.values.elements import NodeKind
from furong.domains.processes.values.graph import Expression, Literal, Node, ProcessDefinition
from furong.domains.processes.values.parts import CALLED, drawn
from furong.domains.processes.values.rules import Findings
from furong.domains.processes.values.variables import Variable, together
from furong.foundation.feel import FeelType, Inferred, TypeFinding, infer
from furong.foundation.feel.functions import BUILTINS

ANY = FeelType("any")
_BOOLEAN, _NUMBER, _STRING = FeelType("boolean"), FeelType("number"), FeelType("string")
_MOMENTS = frozenset({"date", "time", "date and time", "days and time duration", "years and months duration"})
_COUNTS = ("numberOfInstances", "numberOfCompletedInstances", "numberOfActiveInstances", "numberOfTerminatedInstances")
_TIMES = frozenset({"string", "date", "date and time", "days and time duration", "years and months duration"})
_ZH = {
    "feel.not_boolean": "条件是 {found}，不是布尔值",
    "feel.not_comparable": "{left} 与 {right} 不能用 {sign} 比较",
    "feel.no_operator": "{left} 与 {right} 不能用 {sign} 运算",
    "feel.unknown_entry": "{found} 中没有 {name}",
    "feel.no_entries": "{found} 没有成员，因此没有 {name}",
    "feel.not_a_function": "{found} 不是函数",
    "feel.argument_type": "{name}() 的参数不能是 {given}",
    "feel.arguments": "{name}() 的参数个数或名称不对",
    "feel.unknown_function": "没有函数 {name}",
    "feel.result_type": "结果是 {found}，应为 {expected}",
}


_Kinds = frozenset[str]
_ANYTHING: _Kinds = frozenset()
_KEY = frozenset({"string", "number", "boolean", *_MOMENTS})


@dataclass(frozen=True, slots=True)
class _Asked:
    """An expression with where it stands, what it must give, and the variables that only it sees."""

    expression: Expression
    what: str
    line: int
    element: str
    expected: _Kinds
    own: Mapping[str, FeelType] = field(default_factory=dict)


def check_expressions(
    definition: ProcessDefinition,
    findings: Findings,
    *,
    declared: Mapping[str, Variable],
    decisions: Mapping[tuple[str, str], FeelType] | None = None,
    data: Iterable[str] = (),
) -> None:
    """Type every expression of a process.

    ``declared`` are the variables it declares, ``decisions`` what decisions give, ``data`` names of data that are drawn.
    """
    _Typing(definition, findings, declared, decisions or {}, data).run()


class _Typing:
    def __init__(
        self,
        definition: ProcessDefinition,
        findings: Findings,
        declared: Mapping[str, Variable],
        decisions: Mapping[tuple[str, str], FeelType],
        data: Iterable[str],
    ) -> None:
        self.definition = definition
        self.nodes = [node for node in definition.nodes.values() if CALLED not in node.id]
        self.findings = findings
        self.declared = declared
        self.decisions = decisions
        self.variables: dict[str, Variable] = dict(declared)
        self.data = data
        self.told: set[str] = set()

    def run(self) -> None:
        # A script may read what another script gives, so that types are known after a few rounds.
        for _ in range(3):
            self._gather()
        for asked in self._all():
            self._check(asked)
        for node in self.nodes:
            self._check_choices(node)

    # --- variables ----------------------------------------------------------------------------------------------------------

    def _gather(self) -> None:
        found: dict[str, list[Variable]] = {name: [one] for name, one in self.declared.items()}
        for node in self.nodes:
            for name, variable in self._given(node):
                found.setdefault(name, []).append(variable)
        for name in self.data:
            found.setdefault(name, []).append(Variable(ANY))
        self.variables = {name: together(several) for name, several in found.items()}

    def _given(self, node: Node) -> Iterator[tuple[str, Variable]]:
        rule = node.loop
        if rule is not None and rule.output:
            yield rule.output, Variable(FeelType("list"))
        if node.trigger in {"error", "escalation"}:
            yield f"{node.trigger}_code", Variable(_STRING)
        if node.kind is NodeKind.USER_TASK:
            if node.result and node.work is not None:
                yield node.result, Variable(_STRING, frozenset(node.work.outcomes) or None)
        elif node.kind is NodeKind.SCRIPT_TASK:
            given = ANY if node.script is None else self._infer(node.script, self._own(node)).type
            yield from _spread(node, plain(given))
        elif node.kind is NodeKind.BUSINESS_RULE_TASK:
            yield from _spread(node, plain(self.decisions.get(node.decision or ("", ""), ANY)))
        elif node.result:
            yield node.result, Variable(ANY)
        if node.kind is NodeKind.CALL_ACTIVITY and not node.result:
            inner = [one for one in self.definition.nodes.values() if one.id.startswith(node.id + CALLED)]
            for one in inner:
                if one.result:
                    yield one.result, Variable(ANY)
            if node.output is not None:
                yield from _spread(node, plain(self._infer(node.output, {}).type))

    def _own(self, node: Node) -> dict[str, FeelType]:
        """Give the variables that a repeated activity, or one around it, has for itself."""
        found: dict[str, FeelType] = {}
        here: Node | None = node
        while here is not None:
            rule = here.loop
            if rule is not None:
                found.setdefault("loopCounter", _NUMBER)
                if rule.element:
                    given = ANY if rule.collection is None else self._infer(rule.collection, {}).type
                    found.setdefault(rule.element, plain(given.item or ANY) if given.kind == "list" else ANY)
            here = self.definition.nodes.get(here.parent)
        return found

    def _infer(self, expression: Expression, own: Mapping[str, FeelType]) -> Inferred:
        # A variable may be named as a function is (date, count); the names of an expression are those of variables.
        named = {name: ANY for name in getattr(expression, "names", ()) if name in BUILTINS}
        types = {**named, **{name: one.type for name, one in self.variables.items()}, **own}
        return infer(expression.text, types=types)

    # --- expressions --------------------------------------------------------------------------------------------------------

    def _all(self) -> Iterator[_Asked]:
        condition, number = frozenset({"boolean"}), frozenset({"number"})
        for node in self.nodes:
            own = self._own(node)
            name = drawn(node.id)
            for flow in node.outgoing:
                if flow.condition is not None:
                    yield _Asked(flow.condition, "condition", flow.line, flow.id, condition, own)
            for expression, what, expected in (
                (node.input, "furong:input", frozenset({"context"})),
                (node.script, "script", _ANYTHING),
                (node.message.correlation if node.message else None, "furong:correlation", _KEY),
                (node.timer.value if node.timer else None, "timer", _TIMES),
            ):
                if expression is not None:
                    yield _Asked(expression, what, node.line, name, expected, own)
            if node.work is not None:
                for expression, what in (
                    (node.work.kind, "furong:kind"),
                    (node.work.department, "furong:department"),
                    (node.work.division, "furong:division"),
                    (node.work.right, "furong:post_right"),
                    (node.work.item, "furong:item"),
                ):
                    yield _Asked(expression, what, node.line, name, _ANYTHING, own)
            if node.loop is not None:
                around = self.definition.nodes.get(node.parent)
                outside = self._own(around) if around is not None else {}
                for expression, what, expected, seen in (
                    (node.loop.cardinality, "loopCardinality", number, outside),
                    (node.loop.collection, "collection", frozenset({"list"}), outside),
                    (node.loop.while_, "loopCondition", condition, own),
                    (node.loop.until, "completionCondition", condition, {**own, **dict.fromkeys(_COUNTS, _NUMBER)}),
                    (node.loop.result, "output_element", _ANYTHING, own),
                ):
                    if expression is not None:
                        yield _Asked(expression, what, node.line, name, expected, seen)

    def _check(self, asked: _Asked) -> None:
        if isinstance(asked.expression, Literal):
            return
        text = asked.expression.text
        found = self._infer(asked.expression, asked.own)
        for one in found.findings:
            self._report(one, asked)
        kind = found.type.kind
        if asked.expected and not found.type.is_open and kind not in asked.expected and not found.findings:
            expected = " / ".join(sorted(asked.expected))
            rule = "bpmn.condition_type" if asked.expected == {"boolean"} else "bpmn.expression_type"
            zh, en = f"结果是 {found.type}，应为 {expected}", f"it gives {found.type} where {expected} is wanted"
            self.findings.add(rule, line=asked.line, element=asked.element, what=asked.what, why_zh=zh, why_en=en)
        for choice in asked_of(text):
            variable = self.variables.get(choice.name)
            if choice.name in asked.own or variable is None or variable.texts is None:
                continue
            for value in choice.texts:
                if value not in variable.texts:
                    self.findings.add(
                        "bpmn.outcome_unknown",
                        line=asked.line,
                        element=asked.element,
                        name=choice.name,
                        value=value,
                        known=", ".join(sorted(variable.texts)),
                    )

    def _report(self, one: TypeFinding, asked: _Asked) -> None:
        if one.code in {"feel.syntax", "feel.not_feel", "feel.too_large", "feel.unsupported"}:
            return  # said where it was compiled
        if one.code == "feel.unknown_name":
            name = one.values.get("name", "")
            if name not in self.told:
                self.told.add(name)
                rule = "bpmn.variable_undeclared" if self.declared else "bpmn.variable_unknown"
                self.findings.add(rule, line=asked.line, element=asked.element, name=name, what=asked.what)
            return
        template = _ZH.get(one.code, "")
        try:
            zh = template.format(**one.values) or one.message
        except KeyError:
            zh = one.message
        self.findings.add(
            "bpmn.condition_type" if one.code == "feel.not_boolean" else "bpmn.expression_type",
            line=asked.line,
            element=asked.element,
            what=asked.what,
            why_zh=zh,
            why_en=one.message.rstrip("."),
        )

    # --- choices ------------------------------------------------------------------------------------------------------------

    def _check_choices(self, node: Node) -> None:
        """Find the outcome for which a gateway has no way, when every way asks for outcomes of one task."""
        ways = node.outgoing
        if node.kind not in {NodeKind.EXCLUSIVE, NodeKind.INCLUSIVE} or node.default or len(ways) < 2:
            return
        asked = [asked_of(flow.condition.text) if flow.condition is not None else [] for flow in ways]
        if not all(len(one) == 1 and one[0].is_all for one in asked):
            return
        names = {one[0].name for one in asked}
        variable = self.variables.get(next(iter(names)))
        if len(names) != 1 or variable is None or variable.texts is None:
            return
        left = variable.texts - {text for one in asked for text in one[0].texts}
        if left:
            self.findings.add(
                "bpmn.outcome_open",
                line=node.line,
                element=drawn(node.id),
                name=next(iter(names)),
                values=", ".join(sorted(left)),
            )


def _spread(node: Node, given: FeelType) -> Iterator[tuple[str, Variable]]:
    """Give what a result becomes: one variable, or each entry of a context."""
    if node.result:
        yield node.result, Variable(given)
    elif given.kind == "context" and given.fields is not None:
        for name, inner in given.fields:
            yield name, Variable(inner)


def plain(given: FeelType) -> FeelType:
    """Give the type that a value has once it was a JSON value: moments and durations are texts."""
    if given.kind in _MOMENTS:
        return _STRING
    if given.kind == "list":
        inner = None if given.item is None else plain(given.item)
        return FeelType("list", item=None if inner is None or inner.is_open else inner)
    if given.kind == "context" and given.fields is not None:
        return FeelType.context({name: plain(inner) for name, inner in given.fields})
    return given if given.kind in {"number", "string", "boolean", "context"} else ANY
