"""The walk of markings in every order in which people and clocks may act.

An inclusive join asks what other tokens could still bring, so when it fires depends on the order of things, and walking one order
is not enough. Between two acts everything moves at once that need not wait, as in the interpreter.
"""

from __future__ import annotations

from itertools import permutations

from furong.domains.processes.values.elements import NodeKind
from furong.domains.processes.values.graph import Node, ProcessDefinition
from furong.domains.processes.values.markings import JOINS, Walk, less, more, put, without
from furong.domains.processes.values.parts import Part

# Behind the host of boundary events those that happened already without interrupting it.
_FIRED = "|"
_MOST_TOKENS = 2


class Interleaving(Walk):
    """A token that waits is in the place "@id"; "@id|event" when an event of its host has happened, which it does once here."""

    pruned = False  # whether markings with many tokens in one place were left out

    def at(self, place: str) -> Node:
        """Give the element at which a place is."""
        return super().at(place.partition(_FIRED)[0])

    def _after(self, marking: dict[str, int]) -> list[dict[str, int]] | None:
        if not marking:
            return None
        if max(marking.values()) > _MOST_TOKENS:
            self.pruned = True  # the other walk has seen whether they grow without end
            return []
        joins: dict[str, Node] = {}
        waiting: list[str] = []
        for place in sorted(marking, key=self._rank):
            node = self.at(place)
            if place[0] == "@":
                waiting.append(place)
            elif place[0] != "^" and node.kind in JOINS and len(node.incoming) > 1:
                joins[node.id] = node
                if node.kind is NodeKind.PARALLEL and all(flow.id in marking for flow in node.incoming):
                    return [more(without(marking, node.incoming), node.outgoing)]
            else:
                return self._enter(less(marking, place), node)
        for node in joins.values():
            if node.kind is NodeKind.INCLUSIVE and self._inclusive_is_ready(marking, node):
                return self._choices(without(marking, node.incoming), node)
        if not waiting:
            self._stuck(marking, joins.values())
            return []
        return [one for place in waiting for one in self._acts(marking, place)]

    def _enter(self, marking: dict[str, int], node: Node) -> list[dict[str, int]]:
        return [put(marking, f"@{node.id}")] if node.waits else super()._enter(marking, node)

    def _acts(self, marking: dict[str, int], place: str) -> list[dict[str, int]]:
        """Give what may happen to a token that waits."""
        node, left = self.at(place), less(marking, place)
        if node.kind is NodeKind.EVENT_GATEWAY:
            return [more(left, self.nodes[flow.target].outgoing) for flow in node.outgoing]
        found = [more(left, node.outgoing)]
        fired = place.split(_FIRED)[1:]
        for name in node.boundary:
            event = self.nodes.get(name)
            if event is None:
                continue
            if event.interrupting:
                found.append(more(left, event.outgoing))
            elif name not in fired:
                again = _FIRED.join([f"@{node.id}", *sorted([*fired, name])])
                found.append(more(put(left, again), event.outgoing))
        return found


# --- whether order can matter -----------------------------------------------------------------------------------------------


def order_matters(definition: ProcessDefinition, part: Part) -> bool:
    """Say whether an inclusive join may fire while a token is on its way that could come along several of its flows.

    Only then does it matter who acts first (such a token is not waited for once one of its flows has a token, 13.4.3). For each
    two tokens that may be on their way at once: can one be at the join while the other is at such an element?
    """
    joins = [node for node in part.nodes.values() if node.kind is NodeKind.INCLUSIVE and len(node.incoming) > 1]
    pairs = [pair for several in _at_once(part) for pair in permutations(several, 2)] if joins else []
    return any(_may_overtake(join, one, other, definition, part) for join in joins for one, other in pairs)


def _at_once(part: Part) -> list[list[set[str]]]:
    """Give for each place where tokens part the elements at which each of them begins."""
    found: list[list[set[str]]] = [] if part.is_process else [[{start} for start in part.starts]]
    for node in part.nodes.values():
        if node.kind not in {NodeKind.EXCLUSIVE, NodeKind.EVENT_GATEWAY} and len(node.outgoing) > 1:
            found.append([{flow.target} for flow in node.outgoing])
        events = [part.nodes[name] for name in node.boundary if name in part.nodes]
        found += [[{flow.target for flow in one.outgoing}, {node.id}] for one in events if not one.interrupting]
    return found


def _may_overtake(join: Node, one: set[str], other: set[str], definition: ProcessDefinition, part: Part) -> bool:
    near = _reached(one, {join.id}, part)
    if join.id not in near:
        return False
    # A join to which the first token comes only through this one lets the second past only after that.
    waits = {
        node.id for node in part.nodes.values() if node.kind in JOINS and len(node.incoming) > 1 and node.id not in near
    }
    reach = definition.reach[join.id]
    return any(len(reach.get(name, ())) > 1 for name in _reached(other, {join.id, *waits}, part) - {join.id})


def _reached(starts: set[str], closed: set[str], part: Part) -> set[str]:
    """Give what can be come to without passing ``closed``, which themselves may be come to."""
    seen: set[str] = set()
    todo = list(starts)
    while todo:
        here = todo.pop()
        if here not in seen:
            seen.add(here)
            if here not in closed:
                todo.extend(part.follows(part.nodes[here]))
    return seen
