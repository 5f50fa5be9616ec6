"""A process and each sub-process on its own: checks of structure look at one at a time, with what nests as single elements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from furong.domains.processes.values.elements import BOUNDARY, ENDS, STARTS, NodeKind
from furong.domains.processes.values.graph import Flow, Node, ProcessDefinition

# What the reader adds to a drawing (a choice behind a task, the way from link to link) is named after its element and this.
HIDDEN = "~"
# What a called process holds is named after the call activity and this.
CALLED = "/"


def drawn(name: str) -> str:
    """Give the element of the drawing for which ``name`` stands."""
    return name.partition(HIDDEN)[0]


@dataclass(frozen=True, slots=True)
class Part:
    """The elements directly in a process ("" as ``id``), a sub-process or a called process, and where it begins.

    Of a process one of ``starts`` begins, of the others all of them at once.
    """

    id: str
    nodes: Mapping[str, Node]
    starts: tuple[str, ...]

    @property
    def is_process(self) -> bool:
        return not self.id

    @property
    def first(self) -> Node | None:
        """Give the element that is first in the file."""
        return min(self.nodes.values(), key=lambda node: (node.line, node.id), default=None)

    def follows(self, node: Node) -> Iterator[str]:
        """Give the elements to which a token can come from ``node``: along its flows, and by its boundary events."""
        for flow in node.outgoing:
            yield flow.target
        for name in node.boundary:
            if name in self.nodes:
                yield name

    def ends(self) -> list[Node]:
        """Give the elements at which a token ends: end events, and whatever no flow leaves."""
        return [n for n in self.nodes.values() if n.kind in ENDS or (not n.outgoing and not is_aside(n))]


def is_aside(node: Node) -> bool:
    """Say whether flows have nothing to do with ``node``: it starts by an event, or undoes what others did."""
    return node.for_compensation or node.kind in {NodeKind.EVENT_SUB_PROCESS, NodeKind.BOUNDARY_COMPENSATION}


def part_of(definition: ProcessDefinition, name: str) -> Part:
    """Give the part inside the activity ``name``; "" is the process."""
    nodes = {node.id: node for node in definition.nodes.values() if node.parent == name}
    container = definition.containers.get(name)
    if not name:
        return Part(name, nodes, tuple(n.id for n in nodes.values() if n.kind in STARTS))
    return Part(name, nodes, tuple(one for one in (container.starts if container else ()) if one in nodes))


def drawn_parts(definition: ProcessDefinition) -> list[Part]:
    """Give the parts that are drawn in this process; those of called processes are checked where they are drawn."""
    names = [
        name
        for name in definition.containers
        if CALLED not in name and (not name or definition.nodes[name].kind is not NodeKind.CALL_ACTIVITY)
    ]
    return [part_of(definition, name) for name in names]


def flows_of(part: Part) -> Iterator[Flow]:
    """Give the flows of a part."""
    for node in part.nodes.values():
        yield from node.outgoing


def order_of(part: Part) -> dict[str, int]:
    """Number the elements so that those further on come later, whatever leads back (reverse postorder)."""
    done: dict[str, int] = {}
    seen: set[str] = set()
    for root in part.starts:
        if root in seen:
            continue
        seen.add(root)
        work = [(root, part.follows(part.nodes[root]))]
        while work:
            here, targets = work[-1]
            target = next((name for name in targets if name not in seen), None)
            if target is None:
                done[here] = -len(done)
                work.pop()
            else:
                seen.add(target)
                work.append((target, part.follows(part.nodes[target])))
    return done


def reached(starts: list[str], steps: Mapping[str, list[str]]) -> set[str]:
    """Give all that can be come to from ``starts``."""
    seen: set[str] = set()
    todo = list(starts)
    while todo:
        here = todo.pop()
        if here not in seen:
            seen.add(here)
            todo.extend(steps.get(here, ()))
    return seen


def is_boundary(node: Node) -> bool:
    """Say whether ``node`` sits on an activity."""
    return node.kind in BOUNDARY
