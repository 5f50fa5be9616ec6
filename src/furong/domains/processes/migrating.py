"""Taking a running instance to another version of its process: what becomes of each token, and what stands in the way. Pure.

BPMN says nothing of it. The rules here: a token stays at an element of the same kind in the same (mapped) sub-process; one that
waits at a join keeps the flow it came by; and from where the tokens are, every join that one of them can reach can still fire.
Whatever breaks a rule is a `Hindrance`, and then nothing of the instance is changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from furong.domains.processes.scopes import Scope, ScopeKind, Token
from furong.domains.processes.values.elements import BOUNDARY, NodeKind
from furong.domains.processes.values.graph import Node, ProcessDefinition

_JOINS = frozenset({NodeKind.PARALLEL, NodeKind.INCLUSIVE})


@dataclass(frozen=True, slots=True)
class Hindrance:
    """Why an instance cannot be taken to the other version: a stable reason, and the element it is about."""

    element: str
    reason: str


@dataclass(slots=True)
class Plan:
    """Where every token and scope goes; of use only without hindrances."""

    tokens: dict[int, tuple[str, str]] = field(default_factory=dict)  # number → (element, arrived by)
    scopes: dict[int, str] = field(default_factory=dict)  # number → element
    hindrances: list[Hindrance] = field(default_factory=list)


def plan(
    old: ProcessDefinition,
    new: ProcessDefinition,
    nodes: Mapping[str, str],
    *,
    tokens: Iterable[Token],
    scopes: Mapping[int, Scope],
) -> Plan:
    """Plan the move of one instance. ``nodes`` maps elements of ``old`` to those of ``new``; one that it lacks keeps its id."""
    found = Plan()
    held = list(tokens)
    for scope in scopes.values():
        found.scopes[scope.number] = nodes.get(scope.element, scope.element)
        _check_scope(scope, old, new, found)
    for token in held:
        _place(token, old, new, nodes, found)
    if not found.hindrances:
        _check_joins(held, new, found)
    return found


def _check_scope(scope: Scope, old: ProcessDefinition, new: ProcessDefinition, found: Plan) -> None:
    target = new.nodes.get(found.scopes[scope.number])
    source = old.nodes.get(scope.element)
    if target is None or source is None:
        found.hindrances.append(Hindrance(scope.element, "element_gone"))
    elif not _same(source, target):
        found.hindrances.append(Hindrance(scope.element, "kind_differs"))
    elif scope.kind is ScopeKind.UNDOABLE and not target.compensation:
        found.hindrances.append(Hindrance(scope.element, "compensation_gone"))


def _same(source: Node, target: Node) -> bool:
    """Say whether a token that waits at one may wait at the other."""
    if source.kind is not target.kind or (source.loop is None) != (target.loop is None):
        return False
    if source.loop is None or target.loop is None:
        return True
    kept = (source.loop.sequential, source.loop.is_standard, bool(source.loop.output))
    return kept == (target.loop.sequential, target.loop.is_standard, bool(target.loop.output))


def _place(token: Token, old: ProcessDefinition, new: ProcessDefinition, nodes: Mapping[str, str], found: Plan) -> None:
    source = old.nodes.get(token.element)
    target = new.nodes.get(nodes.get(token.element, token.element))
    if source is None or target is None:
        found.hindrances.append(Hindrance(token.element, "element_gone"))
        return
    if not _same(source, target):
        found.hindrances.append(Hindrance(token.element, "kind_differs"))
        return
    if nodes.get(source.parent, source.parent) != target.parent:
        found.hindrances.append(Hindrance(token.element, "parent_differs"))
        return
    arrived = _flow(token.arrived_by, old, new, nodes)
    if target.kind in _JOINS and len(target.incoming) > 1 and not arrived:
        found.hindrances.append(Hindrance(token.element, "join_way_gone"))
        return
    found.tokens[token.number] = (target.id, arrived)


def _flow(name: str, old: ProcessDefinition, new: ProcessDefinition, nodes: Mapping[str, str]) -> str:
    """Give the flow of the new version by which a token came; "" when there is none."""
    before = old.flows.get(name)
    if before is None:
        return ""
    source, target = nodes.get(before.source, before.source), nodes.get(before.target, before.target)
    for one in (new.flows.get(nodes.get(name, name)), *new.flows.values()):
        if one is not None and one.target == target and one.source == source:
            return one.id
    kept = new.flows.get(nodes.get(name, name))
    return kept.id if kept is not None and kept.target == target else ""


def _check_joins(tokens: list[Token], new: ProcessDefinition, found: Plan) -> None:
    by_scope: dict[int, list[Token]] = {}
    for token in tokens:
        by_scope.setdefault(token.scope, []).append(token)
    for group in by_scope.values():
        arrived: dict[str, set[str]] = {}
        starts: list[str] = []
        for token in group:
            element, by = found.tokens[token.number]
            node = new.nodes[element]
            if node.kind in _JOINS and len(node.incoming) > 1:
                arrived.setdefault(element, set()).add(by)
            else:
                starts.append(element)
        reached = _reached(starts, arrived, new)
        for node in new.nodes.values():
            if node.kind is not NodeKind.PARALLEL or len(node.incoming) < 2:
                continue
            full = arrived.get(node.id, set()) | {flow.id for flow in node.incoming if flow.id in reached}
            if full and len(full) < len(node.incoming):
                found.hindrances.append(Hindrance(node.id, "join_never"))


def _reached(starts: list[str], arrived: Mapping[str, set[str]], new: ProcessDefinition) -> set[str]:
    """Give the flows that a token can still come along: from where the tokens stand, and from the joins they wait at."""
    flows: set[str] = set()
    todo, seen = [*starts, *arrived], set[str]()
    while todo:
        here = todo.pop()
        if here in seen:
            continue
        seen.add(here)
        node = new.nodes[here]
        out = list(node.outgoing)
        for name in node.boundary:
            out += new.nodes[name].outgoing
        if node.kind is NodeKind.EVENT_GATEWAY:
            out += [flow for way in node.outgoing for flow in new.nodes[way.target].outgoing]
        for flow in out:
            flows.add(flow.id)
            if new.nodes[flow.target].kind not in BOUNDARY:
                todo.append(flow.target)
    return flows


def events_at(node: Node, definition: ProcessDefinition) -> list[Node]:
    """Give the timers and messages that may wake a token at a node: its own, on its border, behind an event gateway."""
    own = [node, *(definition.nodes[name] for name in node.boundary)]
    if node.kind is NodeKind.EVENT_GATEWAY:
        own += [definition.nodes[flow.target] for flow in node.outgoing]
    waits = {NodeKind.CATCH_MESSAGE, NodeKind.RECEIVE_TASK, NodeKind.BOUNDARY_MESSAGE, NodeKind.EVENT_START}
    return [one for one in own if one.timer is not None or (one.message is not None and one.kind in waits)]
