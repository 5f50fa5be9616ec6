"""Gateways that can wait for ever, and branches that nothing joins: found by walking the markings that tokens can reach.

The net is free-choice (a choice never depends on another token), so it is enough to move one token at a time and branch over its
own alternatives only: the walk grows with the choices of a diagram, not with the orders in which parallel work may happen.
A sub-process is one element here: what is inside has a walk of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from furong.domains.processes.values.elements import ENDS, NodeKind
from furong.domains.processes.values.graph import Flow, Node, ProcessDefinition
from furong.domains.processes.values.parts import Part, order_of

# More tokens than this in one place may mean that a cycle makes them.
_MOST_TOKENS = 4
# Of a choice with more ways than this not every combination is tried.
_MOST_WAYS = 6

# How many tokens are in each place, sorted, so that equals are equal. A place is a flow, "^id" for a token about to enter an
# element, "@id" for one in the host of boundary events, "!id" for one at an element that is not to be passed.
_Marking = tuple[tuple[str, int], ...]
_OVER_ALL = frozenset({NodeKind.TERMINATE_END, NodeKind.ERROR_END})
JOINS = frozenset({NodeKind.PARALLEL, NodeKind.INCLUSIVE})


class Walk:
    """Walks the markings of one part of a definition. ``passes`` says which elements a token gets past; all when not given."""

    def __init__(
        self, definition: ProcessDefinition, part: Part, *, passes: Callable[[Node], bool] | None = None
    ) -> None:
        self.definition = definition
        self.nodes = part.nodes
        self.part = part
        self.passes = passes
        self.stuck: dict[str, set[str]] = {}
        self.doubled: set[str] = set()
        self.multiplied: set[str] = set()
        self.entered: set[str] = set()
        self.ends = False  # whether a marking without tokens was reached
        self.whole = True  # whether all markings were walked
        self._seen: set[_Marking] = set()
        self._before: dict[_Marking, list[_Marking]] = {}
        self._over: list[_Marking] = []
        self._order = order_of(part)

    def run(self, most: int) -> None:
        """Walk up to ``most`` markings."""
        starts = [(one,) for one in self.part.starts] if self.part.is_process else [self.part.starts]
        todo = [{f"^{name}": 1 for name in names} for names in starts if names]
        seen = self._seen
        while todo:
            marking = todo.pop()
            key = tuple(sorted(marking.items()))
            if key in seen:
                continue
            seen.add(key)
            if len(seen) > most:
                self.whole = False
                return
            following = self._after(marking)
            if following is None:
                self.ends = True
                self._over.append(key)
                continue
            for one in following:
                self._before.setdefault(tuple(sorted(one.items())), []).append(key)
            todo.extend(following)

    def endless(self) -> Node | None:
        """Give an element at which tokens are when the end can no longer be reached, though each element has a way to one."""
        can_end: set[_Marking] = set()
        todo = list(self._over)
        while todo:
            key = todo.pop()
            if key not in can_end:
                can_end.add(key)
                todo.extend(self._before.get(key, ()))
        without = [key for key in self._seen if key not in can_end]
        if not without:
            return None

        def how_far(key: _Marking) -> tuple[bool, int, tuple[int, str]]:
            return any(p[0] == "^" for p, _ in key), len(key), min(self._rank(place) for place, _ in key)

        fewest = min(without, key=how_far)
        return min((self.at(place) for place, _ in fewest), key=lambda node: (node.line, node.id))

    # --- one step -----------------------------------------------------------------------------------------------------------

    def at(self, place: str) -> Node:
        """Give the element at which a place is."""
        return self.nodes[place[1:] if place[0] in "@^!" else self.definition.flows[place].target]

    def _rank(self, place: str) -> tuple[int, str]:
        return self._order.get(self.at(place).id, 0), place

    def _after(self, marking: dict[str, int]) -> list[dict[str, int]] | None:
        """Give the markings after one token has moved; an empty list when stuck, None when all is over.

        The token furthest back moves first, so that tokens which nothing joins are seen to meet.
        """
        if not marking:
            return None
        if self._multiplies(marking):
            return []
        joins: list[Node] = []
        for place in sorted((p for p in marking if p[0] != "!"), key=self._rank):
            node = self.at(place)
            if place[0] == "@":
                return self._leave(marking, node)
            if place[0] != "^" and node.kind in JOINS and len(node.incoming) > 1:
                joins.append(node)
                continue
            return self._enter(less(marking, place), node)
        for node in joins:
            if node.kind is NodeKind.PARALLEL and all(flow.id in marking for flow in node.incoming):
                return [more(without(marking, node.incoming), node.outgoing)]
        for node in joins:
            if node.kind is NodeKind.INCLUSIVE and self._inclusive_is_ready(marking, node):
                return self._choices(without(marking, node.incoming), node)
        self._stuck(marking, joins)
        return []

    def _multiplies(self, marking: Mapping[str, int]) -> bool:
        """Say whether tokens grow without end: the same tokens and more came of a marking before."""
        many = [place for place, count in marking.items() if count > 1]
        self.doubled.update(many)
        if all(marking[place] <= _MOST_TOKENS for place in many):
            return False
        here: _Marking | None = tuple(sorted(marking.items()))
        seen: set[_Marking] = set()
        while here is not None and here not in seen:
            seen.add(here)
            here = next(iter(self._before.get(here, ())), None)
            if here is not None and here not in seen and all(marking.get(place, 0) >= count for place, count in here):
                self.multiplied.update(many)
                return True
        return False

    def _stuck(self, marking: Mapping[str, int], joins: Iterable[Node]) -> None:
        for node in joins:
            missing = {flow.id for flow in node.incoming if flow.id not in marking}
            self.stuck.setdefault(node.id, set()).update(missing)

    def _inclusive_is_ready(self, marking: Mapping[str, int], node: Node) -> bool:
        reach = self.definition.reach[node.id]
        full = {flow.id for flow in node.incoming if flow.id in marking}
        for place in marking:
            at = self.at(place).id
            if at == node.id:
                continue
            ways = reach.get(at, frozenset())
            if ways - full and not ways & full:
                return False
        return True

    def _enter(self, marking: dict[str, int], node: Node) -> list[dict[str, int]]:
        self.entered.add(node.id)
        if node.kind is NodeKind.ERROR_END and self.passes is not None:
            return []  # what is around it does not go on as if it were done
        if node.kind in _OVER_ALL:
            return [{}]
        if node.kind in ENDS:
            return [marking]
        if self.passes is not None and not self.passes(node):
            return [put(marking, f"!{node.id}")]
        if node.boundary and self.passes is None:
            return [put(marking, f"@{node.id}")]
        if node.kind is NodeKind.EVENT_GATEWAY:
            return [more(marking, (flow,)) for flow in node.outgoing]
        return self._choices(marking, node)

    def _leave(self, marking: dict[str, int], node: Node) -> list[dict[str, int]]:
        left = less(marking, f"@{node.id}")
        found = [more(left, node.outgoing)]
        for name in node.boundary:
            event = self.nodes.get(name)
            if event is None:
                continue
            # An event that does not interrupt is let fire once, together with the end of its host.
            after = more(left, event.outgoing)
            found.append(after if event.interrupting else more(after, node.outgoing))
        return found

    def _choices(self, marking: dict[str, int], node: Node) -> list[dict[str, int]]:
        flows = node.outgoing
        if node.kind is NodeKind.EXCLUSIVE:
            return [more(marking, (flow,)) for flow in flows]
        if node.kind is not NodeKind.INCLUSIVE or (len(flows) == 1 and not node.hidden):
            return [more(marking, flows)]
        always = tuple(f for f in flows if f.condition is None and f.id != node.default)
        maybe = tuple(f for f in flows if f.condition is not None and f.id != node.default)
        default = tuple(f for f in flows if f.id == node.default)
        if len(maybe) > _MOST_WAYS:  # 2^n choices; all and each alone show what matters
            chosen = [maybe, *((flow,) for flow in maybe)]
        else:
            chosen = [tuple(f for bit, f in enumerate(maybe) if one >> bit & 1) for one in range(1, 1 << len(maybe))]
        none = always or default
        return [*(more(marking, (*always, *some)) for some in chosen), *([more(marking, none)] if none else [])]


def less(marking: Mapping[str, int], place: str) -> dict[str, int]:
    """Take a token away from a place."""
    left = dict(marking)
    if left[place] == 1:
        del left[place]
    else:
        left[place] -= 1
    return left


def without(marking: Mapping[str, int], flows: tuple[Flow, ...]) -> dict[str, int]:
    """Take one token from each of ``flows`` that has one."""
    left = dict(marking)
    for flow in flows:
        if flow.id in left:
            left = less(left, flow.id)
    return left


def put(marking: Mapping[str, int], place: str) -> dict[str, int]:
    """Put a token into a place."""
    return {**marking, place: marking.get(place, 0) + 1}


def more(marking: Mapping[str, int], flows: tuple[Flow, ...]) -> dict[str, int]:
    """Put a token on each of ``flows``."""
    grown = dict(marking)
    for flow in flows:
        grown[flow.id] = grown.get(flow.id, 0) + 1
    return grown
