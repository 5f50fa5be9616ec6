"""Processes and decision tables against their item: elements, decisions, handlers."""

from __future__ import annotations

from collections.abc import Iterator

from furong.domains.decisions import DecisionModel
from furong.domains.processes.values.graph import Expression, Literal, Node, ProcessDefinition
from furong.domains.services.checks.decisions import expressions_of
from furong.domains.services.checks.paths import keys_of, syntax_problem, unknown_elements
from furong.domains.services.checks.scope import Scope, known_handlers

# The handler by which a process says what its item has produced.
SET_OUTPUT = "cases.set_output"


def check_flows(scope: Scope) -> None:
    """Find elements that the item does not declare, decisions that do not exist, handlers that nobody registered."""
    handlers = known_handlers()
    of_items = [(code, file, True) for code, file in scope.pack.of("process").items()]
    of_shapes = [(code, file, False) for code, file in scope.pack.of("shape_process").items()]
    for code, file, is_items in [*of_items, *of_shapes]:
        process: ProcessDefinition = file.value
        item = scope.items.get(code) if is_items else None
        shape = None if is_items else scope.shapes.get(code)
        decision = scope.pack.find("decision", code) if is_items else None
        model: DecisionModel | None = decision.value if decision is not None else None
        results = {n.result for n in process.nodes.values() if n.result}
        known: frozenset[str] | None = None
        if item is not None:
            known = frozenset(str(e) for e in (*item.inputs, *item.outputs))
        elif shape is not None:
            known = frozenset(str(e) for e in (*shape.person, *shape.enterprise))
        if known is not None:
            for line, element, expression in _expressions(process):
                _elements(scope, file.shown, line, element, expression, known, results)
        for node in process.nodes.values():
            if node.decision is not None and not (decision is None and scope.pack.knows("decision", code)):
                resource, wanted = node.decision
                if resource != "rules" or model is None or model.find_decision(wanted) is None:
                    scope.add(
                        file.shown,
                        node.line,
                        node.id,
                        "process.decision_unknown",
                        (
                            f"rules.dmn 中没有决策 {resource}#{wanted}。",
                            f"There is no decision {resource}#{wanted} in rules.dmn.",
                        ),
                        ("请改正 furong:decision。", "Correct furong:decision."),
                    )
            if item is not None and node.service is not None and node.service.handler == SET_OUTPUT and node.input:
                _outputs(scope, file.shown, node, {str(e) for e in item.outputs})
            if handlers is not None and node.service is not None and node.service.handler not in handlers:
                scope.add(
                    file.shown,
                    node.line,
                    node.id,
                    "process.handler_unknown",
                    (
                        f"平台没有处理程序 {node.service.handler}。",
                        f"The platform has no handler {node.service.handler}.",
                    ),
                    (f"可用：{'、'.join(sorted(handlers))}。", f"Use one of {', '.join(sorted(handlers))}."),
                )
    for code, file in scope.pack.of("decision").items():
        item = scope.items.get(code)
        process_file = scope.pack.find("process", code)
        results = (
            {n.result for n in process_file.value.nodes.values() if n.result} if process_file is not None else set()
        )
        if item is None:
            continue
        known = frozenset(str(e) for e in (*item.inputs, *item.outputs))
        for line, element, text in expressions_of(file.content):
            _elements(scope, file.shown, line, element, text, known, results)


def _outputs(scope: Scope, file: str, node: Node, outputs: set[str]) -> None:
    if node.input is None or syntax_problem(node.input.text):
        return
    for key in keys_of(node.input.text):
        if key not in outputs:
            scope.add(
                file,
                node.line,
                key,
                "process.output_unknown",
                (f"事项的 outputs 没有列出 {key}。", f"The item does not list {key} among its outputs."),
                ("请改正代码，或列入 item.yaml 的 outputs。", "Correct it, or list it among the outputs in item.yaml."),
            )


def _expressions(process: ProcessDefinition) -> Iterator[tuple[int, str, str]]:
    for flow in process.flows.values():
        if flow.condition is not None:
            yield flow.line, flow.id, flow.condition.text
    for node in process.nodes.values():
        found: list[Expression | None] = [node.input]
        if node.timer is not None:
            found.append(node.timer.value)
        if node.message is not None:
            found.append(node.message.correlation)
        if node.work is not None:
            work = node.work
            found += [work.kind, work.department, work.division, work.right, work.item]
            found += [rule.value for rule in (work.due, work.escalate_after) if rule is not None]
        for expression in found:
            if expression is not None and not isinstance(expression, Literal):
                yield node.line, node.id, expression.text


def _elements(
    scope: Scope, file: str, line: int, element: str, text: str, known: frozenset[str], results: set[str]
) -> None:
    if syntax_problem(text):
        return  # the reader of the file has said so
    for path in unknown_elements(text, known=known, roles=scope.roles - results):
        scope.add(
            file,
            line,
            path,
            "process.element_unknown",
            (
                f"{element} 使用的 {path} 不在事项的 inputs 和 outputs 中。",
                f"{element} uses {path}, which is neither an input nor an output of the item.",
            ),
            ("请改正代码，或列入 item.yaml 的 inputs。", "Correct the code, or list it among the inputs in item.yaml."),
        )
