"""Loops in which no token ever stops: they would run for ever within one step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from furong.domains.processes.values.elements import WAITING, NodeKind
from furong.domains.processes.values.graph import Node, ProcessDefinition
from furong.domains.processes.values.markings import Walk
from furong.domains.processes.values.parts import Part, drawn, part_of
from furong.domains.processes.values.rules import Findings

_MOST_MARKINGS = 2_000
_INSIDE = frozenset({NodeKind.SUB_PROCESS, NodeKind.CALL_ACTIVITY})
_COMPUTES = frozenset({NodeKind.SCRIPT_TASK, NodeKind.BUSINESS_RULE_TASK})
_THROWS = {
    NodeKind.BOUNDARY_ERROR: frozenset({NodeKind.ERROR_END}),
    NodeKind.BOUNDARY_ESCALATION: frozenset({NodeKind.ESCALATION_END, NodeKind.THROW_ESCALATION}),
}


@dataclass(slots=True)
class Passing:
    """Knows which elements a token can get past without stopping. Remembers what it found."""

    definition: ProcessDefinition
    _walks: dict[str, Walk] = field(default_factory=dict)

    def passes(self, node: Node) -> bool:
        """Say whether a token can get past ``node`` at once."""
        if node.kind in _INSIDE:
            return self._walk(node.id).ends
        return node.kind not in WAITING

    def follows(self, node: Node) -> list[str]:
        """Give the elements to which a token can come from ``node`` at once."""
        found = [flow.target for flow in node.outgoing] if self.passes(node) else []
        if node.kind in _INSIDE and node.boundary:
            thrown = {self.definition.nodes[name].kind for name in self._walk(node.id).entered}
            events = [self.definition.nodes[name] for name in node.boundary if name in self.definition.nodes]
            found += [event.id for event in events if thrown & _THROWS.get(event.kind, frozenset())]
        return found

    def computes(self, node: Node) -> bool:
        """Say whether ``node`` may change a variable that a condition asks."""
        if node.kind not in _INSIDE:
            return node.kind in _COMPUTES
        return any(self.computes(one) for one in part_of(self.definition, node.id).nodes.values())

    def waits_inside(self, name: str) -> bool:
        """Say whether tokens can stop inside the activity ``name``, or in the process for ""."""
        return any(
            node.kind in WAITING or (node.kind in _INSIDE and self.waits_inside(node.id))
            for node in part_of(self.definition, name).nodes.values()
        )

    def _walk(self, name: str) -> Walk:
        if name not in self._walks:
            walk = Walk(self.definition, part_of(self.definition, name), passes=self.passes)
            walk.run(_MOST_MARKINGS)
            self._walks[name] = walk
        return self._walks[name]


def check_cycles(definition: ProcessDefinition, part: Part, passing: Passing, findings: Findings) -> None:
    """Find cycles of elements at which no token ever stops, and repeated activities that never stop either."""
    steps = {name: passing.follows(node) for name, node in part.nodes.items()}
    for group in _components(steps):
        if len(group) > 1 or group[0] in steps[group[0]]:
            _report(group, steps, part, passing, findings)
    for node in part.nodes.values():
        rule = node.loop
        if rule is None or not rule.is_standard or rule.most is not None or not passing.passes(node):
            continue
        if "loopCounter" in getattr(rule.while_, "names", ()):
            continue
        rule_name = "bpmn.cycle_computes" if passing.computes(node) else "bpmn.cycle_without_wait"
        findings.add(rule_name, line=node.line, element=node.id, path=f"{node.id} → {node.id}")


def _report(group: list[str], steps: dict[str, list[str]], part: Part, passing: Passing, findings: Findings) -> None:
    inside = set(group)
    members = [part.nodes[name] for name in group]
    first = min(members, key=lambda node: (node.line, node.id))
    path, here = [first.id], first.id
    while True:
        here = next(name for name in steps[here] if name in inside)
        path.append(here)
        if here in path[:-1]:
            break
    leaves = any(target not in inside for name in group for target in steps[name])
    computes = leaves and any(passing.computes(node) for node in members)
    findings.add(
        "bpmn.cycle_computes" if computes else "bpmn.cycle_without_wait",
        line=first.line,
        element=drawn(first.id),
        path=" → ".join(name for name in path if name == drawn(name)),
    )


def _components(steps: dict[str, list[str]]) -> Iterator[list[str]]:
    """Give the strongly connected components (Tarjan), without recursion."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    work: list[tuple[str, Iterator[str]]] = []

    def enter(name: str) -> None:
        order[name] = low[name] = len(order)
        stack.append(name)
        on_stack.add(name)
        work.append((name, iter([target for target in steps[name] if target in steps])))

    for root in steps:
        if root in order:
            continue
        enter(root)
        while work:
            here, targets = work[-1]
            for target in targets:
                if target not in order:
                    enter(target)
                    break
                if target in on_stack:
                    low[here] = min(low[here], order[target])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[here])
                if low[here] == order[here]:
                    group = []
                    while True:
                        one = stack.pop()
                        on_stack.discard(one)
                        group.append(one)
                        if one == here:
                            break
                    yield group
