"""Checks of structure: what a drawing tool lets pass and an engine must not.

Deadlocks and missing joins are found by walking the markings that tokens can reach, not by comparing shapes. The net is
free-choice (a choice never depends on another token), so it is enough to move one token at a time and branch over its own
alternatives only: the walk grows with the choices of a diagram, not with the orders in which parallel work may happen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from furong.domains.processes.values.elements import (
    BOUNDARY,
    CAN_FAIL,
    ENDS,
    GATEWAYS,
    HOSTS,
    WAITING,
    NodeKind,
)
from furong.domains.processes.values.graph import Flow, Node, ProcessDefinition
from furong.domains.processes.values.rules import Findings

# Past so many markings the walk stops and says nothing; a diagram that large is beyond what people read.
MOST_MARKINGS = 20_000
# More tokens than this on one flow mean that a cycle makes them.
_MOST_TOKENS = 4

_AFTER_EVENT_GATEWAY = frozenset({NodeKind.CATCH_TIMER, NodeKind.CATCH_MESSAGE, NodeKind.RECEIVE_TASK})


def check_structure(definition: ProcessDefinition, findings: Findings) -> None:
    """Check flows, gateways, boundary events and cycles of a process that was read; what is wrong goes into ``findings``."""
    for node in definition.nodes.values():
        _check_node(node, definition, findings)
    if not any(n.kind in ENDS for n in definition.nodes.values()):
        first = definition.nodes.get(definition.start)
        findings.add("bpmn.end_missing", line=first.line if first else 1, element=definition.code)
    _check_reach(definition, findings)
    _check_cycles(definition, findings)
    if not findings.has_errors:
        _check_markings(definition, findings)


def _check_node(node: Node, definition: ProcessDefinition, findings: Findings) -> None:
    nodes = definition.nodes
    if node.kind in {NodeKind.START, NodeKind.MESSAGE_START} and node.incoming:
        findings.add("bpmn.start_entered", line=node.incoming[0].line, element=node.incoming[0].id)
    if node.kind in ENDS:
        if node.outgoing:
            findings.add("bpmn.end_left", line=node.outgoing[0].line, element=node.outgoing[0].id)
    elif not node.outgoing:
        findings.add("bpmn.no_way_out", line=node.line, element=node.id)
    if node.kind in BOUNDARY:
        host = nodes.get(node.attached_to or "")
        fits = host is not None and host.kind in (CAN_FAIL if node.kind is NodeKind.BOUNDARY_ERROR else HOSTS)
        if not fits:
            words = f"{host.tag} {host.id}" if host else (node.attached_to or "–")
            findings.add("bpmn.boundary_host", line=node.line, element=node.id, host=words)
        if node.incoming:
            findings.add("bpmn.boundary_entered", line=node.incoming[0].line, element=node.incoming[0].id)
    _check_flows_of(node, findings)
    if node.kind is NodeKind.EVENT_GATEWAY:
        for flow in node.outgoing:
            target = nodes[flow.target]
            if target.kind not in _AFTER_EVENT_GATEWAY or len(target.incoming) > 1 or target.boundary:
                findings.add("bpmn.event_gateway", line=flow.line, element=flow.id, target=target.id)


def _check_flows_of(node: Node, findings: Findings) -> None:
    own = {flow.id for flow in node.outgoing}
    if node.default is not None and node.default not in own:
        findings.add("bpmn.default_unknown", line=node.line, element=node.id, ref=node.default)
    chooses = node.kind in {NodeKind.EXCLUSIVE, NodeKind.INCLUSIVE}
    for flow in node.outgoing:
        if chooses and flow.id == node.default:
            if flow.condition is not None:
                findings.add("bpmn.condition_on_default", line=flow.line, element=flow.id)
        elif chooses and flow.condition is None and len(node.outgoing) > 1:
            findings.add("bpmn.condition_missing", line=flow.line, element=flow.id)
        elif not chooses and flow.condition is not None:
            findings.add("bpmn.condition_misplaced", line=flow.line, element=flow.id)


def _next(node: Node, nodes: Mapping[str, Node]) -> Iterator[str]:
    for flow in node.outgoing:
        yield flow.target
    for name in node.boundary:
        if name in nodes:
            yield name


def _walk(starts: list[str], steps: Mapping[str, list[str]]) -> set[str]:
    seen: set[str] = set()
    todo = list(starts)
    while todo:
        here = todo.pop()
        if here not in seen:
            seen.add(here)
            todo.extend(steps.get(here, ()))
    return seen


def _check_reach(definition: ProcessDefinition, findings: Findings) -> None:
    nodes = definition.nodes
    forward = {node.id: list(_next(node, nodes)) for node in nodes.values()}
    backward: dict[str, list[str]] = {}
    for source, targets in forward.items():
        for target in targets:
            backward.setdefault(target, []).append(source)
    starts = [n.id for n in nodes.values() if n.kind in {NodeKind.START, NodeKind.MESSAGE_START}]
    reached = _walk(starts, forward)
    ending = _walk([n.id for n in nodes.values() if n.kind in ENDS], backward)
    for node in nodes.values():
        if node.id not in reached:
            if not (node.kind in BOUNDARY and node.attached_to not in nodes):  # its host was already called wrong
                findings.add("bpmn.unreachable", line=node.line, element=node.id)
        elif node.id not in ending and node.outgoing:
            findings.add("bpmn.never_ends", line=node.line, element=node.id)


def _check_cycles(definition: ProcessDefinition, findings: Findings) -> None:
    """Find cycles of elements at which no token ever stops (Tarjan's strongly connected components)."""
    nodes = {n.id: n for n in definition.nodes.values() if n.kind not in WAITING}
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()

    for root in nodes:
        if root in order:
            continue
        work: list[tuple[str, Iterator[str]]] = []
        _open(root, nodes, order, low, stack, on_stack, work)
        while work:
            here, targets = work[-1]
            for target in targets:
                if target not in nodes:
                    continue
                if target not in order:
                    _open(target, nodes, order, low, stack, on_stack, work)
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
                    _report_cycle(group, nodes, findings)


def _open(
    name: str,
    nodes: Mapping[str, Node],
    order: dict[str, int],
    low: dict[str, int],
    stack: list[str],
    on_stack: set[str],
    work: list[tuple[str, Iterator[str]]],
) -> None:
    order[name] = low[name] = len(order)
    stack.append(name)
    on_stack.add(name)
    work.append((name, iter([flow.target for flow in nodes[name].outgoing])))


def _report_cycle(group: list[str], nodes: Mapping[str, Node], findings: Findings) -> None:
    loops = len(group) > 1 or any(flow.target == group[0] for flow in nodes[group[0]].outgoing)
    if not loops:
        return
    first = min((nodes[name] for name in group), key=lambda n: (n.line, n.id))
    inside = set(group)
    path, here = [first.id], first
    while True:
        following = next(f.target for f in here.outgoing if f.target in inside)
        path.append(following)
        if following in path[:-1]:
            break
        here = nodes[following]
    findings.add("bpmn.cycle_without_wait", line=first.line, element=first.id, path=" → ".join(path))


# A marking: how many tokens are on each flow, and in which hosts of boundary events (as "@id"). Sorted, so that equals are equal.
_Marking = tuple[tuple[str, int], ...]


def _order(definition: ProcessDefinition) -> dict[str, int]:
    """Number the elements so that those further on come later, whatever leads back (reverse postorder)."""
    nodes = definition.nodes
    done: dict[str, int] = {}
    seen: set[str] = set()
    for root in nodes.values():
        if root.kind not in {NodeKind.START, NodeKind.MESSAGE_START} or root.id in seen:
            continue
        seen.add(root.id)
        work = [(root.id, _next(root, nodes))]
        while work:
            here, targets = work[-1]
            target = next((name for name in targets if name not in seen), None)
            if target is None:
                done[here] = -len(done)
                work.pop()
            else:
                seen.add(target)
                work.append((target, _next(nodes[target], nodes)))
    return done


class _Walk:
    """Walks the markings of one definition."""

    def __init__(self, definition: ProcessDefinition, findings: Findings) -> None:
        self.definition = definition
        self.nodes = definition.nodes
        self.findings = findings
        self.stuck: dict[str, set[str]] = {}
        self.doubled: set[str] = set()
        self.multiplied: set[str] = set()
        self.order = _order(definition)

    def run(self) -> None:
        seen: set[_Marking] = set()
        before: dict[_Marking, list[_Marking]] = {}
        over: list[_Marking] = []
        todo = [
            {flow.id: 1 for flow in node.outgoing}
            for node in self.nodes.values()
            if node.kind in {NodeKind.START, NodeKind.MESSAGE_START}
        ]
        while todo:
            marking = todo.pop()
            key = tuple(sorted(marking.items()))
            if key in seen:
                continue
            seen.add(key)
            if len(seen) > MOST_MARKINGS:
                return
            following = self._after(marking)
            if following is None:
                over.append(key)
                continue
            for one in following:
                before.setdefault(tuple(sorted(one.items())), []).append(key)
            todo.extend(following)
        self._report()
        if not self.findings.has_errors:
            self._report_endless(seen, before, over)

    def _report_endless(
        self, seen: set[_Marking], before: Mapping[_Marking, list[_Marking]], over: list[_Marking]
    ) -> None:
        """Find markings from which the end cannot be reached, though each single element has a way to an end."""
        can_end: set[_Marking] = set()
        todo = list(over)
        while todo:
            key = todo.pop()
            if key not in can_end:
                can_end.add(key)
                todo.extend(before.get(key, ()))
        endless = [key for key in seen if key not in can_end]
        if endless:
            fewest = min(endless, key=lambda key: (len(key), key))
            names = {place[1:] if place.startswith("@") else self.definition.flows[place].target for place, _ in fewest}
            first = min((self.nodes[name] for name in names), key=lambda node: (node.line, node.id))
            self.findings.add("bpmn.never_ends", line=first.line, element=first.id)

    def _rank(self, place: str) -> tuple[int, str]:
        return self.order[place[1:] if place.startswith("@") else self.definition.flows[place].target], place

    def _after(self, marking: dict[str, int]) -> list[dict[str, int]] | None:
        """Give the markings after one token has moved; an empty list when stuck, None when all is over.

        The token furthest back moves first, so that tokens which nothing joins are seen to meet.
        """
        if not marking:
            return None
        many = [place for place, count in marking.items() if count > 1]
        self.doubled.update(place for place in many if not place.startswith("@"))
        if any(marking[place] > _MOST_TOKENS for place in many):
            self.multiplied.update(place for place in many if not place.startswith("@"))
            return []
        joins: list[Node] = []
        for place in sorted(marking, key=self._rank):
            if place.startswith("@"):
                return self._leave(marking, self.nodes[place[1:]])
            node = self.nodes[self.definition.flows[place].target]
            if node.kind in {NodeKind.PARALLEL, NodeKind.INCLUSIVE} and len(node.incoming) > 1:
                joins.append(node)
                continue
            return self._enter(_less(marking, place), node)
        for node in joins:
            if node.kind is NodeKind.PARALLEL and all(flow.id in marking for flow in node.incoming):
                left = dict(marking)
                for flow in node.incoming:
                    left = _less(left, flow.id)
                return [_more(left, node.outgoing)]
        for node in joins:
            if node.kind is NodeKind.INCLUSIVE and self._inclusive_is_ready(marking, node):
                left = dict(marking)
                for flow in node.incoming:
                    if flow.id in left:
                        left = _less(left, flow.id)
                return self._choices(left, node)
        for node in joins:
            missing = {flow.id for flow in node.incoming if flow.id not in marking}
            self.stuck.setdefault(node.id, set()).update(missing)
        return []

    def _inclusive_is_ready(self, marking: Mapping[str, int], node: Node) -> bool:
        reach = self.definition.reach[node.id]
        full = {flow.id for flow in node.incoming if flow.id in marking}
        for place in marking:
            at = self.definition.flows[place].target
            if at == node.id:
                continue
            ways = reach.get(at, frozenset())
            if ways - full and not ways & full:
                return False
        return True

    def _enter(self, marking: dict[str, int], node: Node) -> list[dict[str, int]]:
        if node.kind is NodeKind.TERMINATE_END:
            return [{}]
        if node.kind in ENDS:
            return [marking]
        if node.boundary:
            place = f"@{node.id}"
            return [{**marking, place: marking.get(place, 0) + 1}]
        if node.kind is NodeKind.EVENT_GATEWAY:
            return [_more(marking, (flow,)) for flow in node.outgoing]
        return self._choices(marking, node)

    def _leave(self, marking: dict[str, int], node: Node) -> list[dict[str, int]]:
        left = _less(marking, f"@{node.id}")
        found = [_more(left, node.outgoing)]
        for name in node.boundary:
            event = self.nodes[name]
            # An event that does not interrupt is let fire once, together with the end of its host.
            found.append(
                _more(left, event.outgoing) if event.interrupting else _more(_more(left, event.outgoing), node.outgoing)
            )
        return found

    def _choices(self, marking: dict[str, int], node: Node) -> list[dict[str, int]]:
        if node.kind is NodeKind.EXCLUSIVE:
            return [_more(marking, (flow,)) for flow in node.outgoing]
        if node.kind is NodeKind.INCLUSIVE and len(node.outgoing) > 1:
            flows = node.outgoing
            if len(flows) > 6:  # 2^n choices; all and each alone show what matters
                return [_more(marking, flows), *(_more(marking, (flow,)) for flow in flows)]
            return [
                _more(marking, tuple(flow for bit, flow in enumerate(flows) if chosen >> bit & 1))
                for chosen in range(1, 1 << len(flows))
            ]
        return [_more(marking, node.outgoing)]

    def _report(self) -> None:
        for name, missing in self.stuck.items():
            node = self.nodes[name]
            words = ", ".join(sorted(missing)) or "–"
            self.findings.add("bpmn.join_never", line=node.line, element=name, missing=words)
        for place in sorted(self.multiplied):
            flow = self.definition.flows[place]
            self.findings.add("bpmn.tokens_multiply", line=flow.line, element=place)
        if self.multiplied or self.stuck:
            return
        for place in sorted(self.doubled):
            flow = self.definition.flows[place]
            source = self.nodes[flow.source]
            # Said once, where the branches meet, and not again for everything behind it.
            if source.kind in GATEWAYS and len(source.incoming) > 1:
                self.findings.add("bpmn.not_synchronised", line=source.line, element=source.id)


def _less(marking: Mapping[str, int], place: str) -> dict[str, int]:
    left = dict(marking)
    if left[place] == 1:
        del left[place]
    else:
        left[place] -= 1
    return left


def _more(marking: Mapping[str, int], flows: tuple[Flow, ...]) -> dict[str, int]:
    grown = dict(marking)
    for flow in flows:
        grown[flow.id] = grown.get(flow.id, 0) + 1
    return grown


def _check_markings(definition: ProcessDefinition, findings: Findings) -> None:
    _Walk(definition, findings).run()
