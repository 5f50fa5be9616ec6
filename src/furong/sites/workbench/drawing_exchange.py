"""The map of the exchange and its hour as drawings: where members stand, and how thick each flow is. Numbers only, no markup."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import cos, hypot, log10, pi, sin
from typing import Any

from furong.domains.exchange.nodes.values import Abroad, Cascade, NodeView, Relation
from furong.domains.exchange.values import Flow, Monitor, added
from furong.sites.workbench.words_exchange import NODE_WARNINGS, WARNINGS

WIDTH, OWN_HEIGHT, RADIUS, SMALL = 720, 440, 30, 20
_TONES = ("ok", "late", "over")
_BARS_HEIGHT = 100
# Other nodes stand in boxes above and below this node's members: a row is this high, a member this wide.
_ROW, _SEAT, _GAP = 132, 100, 12
MOST_ABROAD = 7  # members drawn of one node; those with traffic come first


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A member on the map. ``tone``: how its worst gateway is; wait when it has none. ``of``: another node's code."""

    code: str
    name: Mapping[str, str]
    x: int
    y: int
    tone: str
    of: str = ""

    @property
    def radius(self) -> int:
        """How large it stands: another node's is smaller."""
        return SMALL if self.of else RADIUS


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """Another node on the map, around its members. ``more``: how many members of it are not drawn."""

    code: str
    name: Mapping[str, str]
    x: int
    y: int
    width: int
    height: int
    tone: str
    more: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """The whole map."""

    width: int
    height: int
    nodes: tuple[Node, ...]
    boxes: tuple[Box, ...]
    arcs: tuple[Arc, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arc:
    """A flow from who asks to who answers: a curve, its width, and where its label stands."""

    flow: Flow
    path: str
    width: float
    tone: str
    x: int
    y: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A minute: how high its messages and its errors stand, of 100."""

    x: int
    at: datetime
    messages: int
    errors: int
    height: float
    error_height: float


def tone_of(warnings: Sequence[str]) -> str:
    """Give the gravest tone of warnings: ok, late or over."""
    return max((WARNINGS[one][1] for one in warnings), key=_TONES.index, default="ok")


def draw_map(monitor: Monitor) -> Chart:
    """Place this node's members on an ellipse, other nodes' in boxes above and below it, and the hour's flows between them."""
    busy = {code for flow in monitor.flows for code in (flow.consumer, flow.provider)}
    above = [one for one in monitor.abroad if one.relation is Relation.UPPER and one.members]
    below = [one for one in monitor.abroad if one.relation is Relation.LOWER and one.members]
    upper, upper_nodes, top = _seat(above, busy, 0)
    own = _own(monitor, top)
    lower, lower_nodes, bottom = _seat(below, busy, top + OWN_HEIGHT)
    nodes = (*upper_nodes, *own, *lower_nodes)
    height = bottom if own or nodes else OWN_HEIGHT
    return Chart(width=WIDTH, height=height, nodes=nodes, boxes=(*upper, *lower), arcs=draw_arcs(monitor.flows, nodes))


def _own(monitor: Monitor, top: int) -> list[Node]:
    """This node's members, the first at the left."""
    tones: dict[str, str] = {}
    for gateway in monitor.gateways:
        if gateway.is_live:
            tones[gateway.member] = max(tones.get(gateway.member, "ok"), tone_of(gateway.warnings), key=_TONES.index)
    count = max(1, len(monitor.members))
    found = []
    for number, one in enumerate(monitor.members):
        angle = pi + 2 * pi * number / count
        found.append(
            Node(
                code=one.code,
                name=one.name,
                x=round(WIDTH / 2 + 250 * cos(angle)),
                y=round(top + OWN_HEIGHT / 2 - 20 + 150 * sin(angle)),
                tone="over" if one.state.value == "suspended" else tones.get(one.code, "wait"),
            )
        )
    return found


def _seat(abroad: Iterable[Abroad], busy: set[str], top: int) -> tuple[list[Box], list[Node], int]:
    """Seat other nodes' members in boxes, row by row from ``top``; give boxes, members, and where the next thing may stand."""
    rows: list[list[tuple[Abroad, list[tuple[str, Mapping[str, str], bool]], int]]] = [[]]
    room = WIDTH
    for one in abroad:
        shown = sorted(one.members, key=lambda member: (member[0] not in busy, member[0]))[:MOST_ABROAD]
        width = max(2, len(shown)) * _SEAT
        if width + _GAP > room and rows[-1]:
            rows.append([])
            room = WIDTH
        rows[-1].append((one, shown, width))
        room -= width + _GAP
    boxes: list[Box] = []
    nodes: list[Node] = []
    for row in (row for row in rows if row):
        x = (WIDTH - sum(width for *_, width in row) - _GAP * (len(row) - 1)) // 2
        for one, shown, width in row:
            tone = max((NODE_WARNINGS[code][1] for code in one.warnings), key=_TONES.index, default="ok")
            more = len(one.members) - len(shown)
            boxes.append(
                Box(code=one.node, name=one.name, x=x, y=top + 2, width=width, height=_ROW - 10, tone=tone, more=more)
            )
            first = x + (width - len(shown) * _SEAT) // 2 + _SEAT // 2
            nodes += [
                Node(
                    code=code,
                    name=name,
                    x=first + seat * _SEAT,
                    y=top + 54,
                    tone="over" if is_suspended else tone,
                    of=one.node,
                )
                for seat, (code, name, is_suspended) in enumerate(shown)
            ]
            x += width + _GAP
        top += _ROW
    return boxes, nodes, top


def draw_arcs(flows: Iterable[Flow], nodes: Sequence[Node]) -> tuple[Arc, ...]:
    """Draw a curve from each member to each that it asked, whatever the services; both ways between two bend apart."""
    places = {one.code: one for one in nodes}
    pairs: dict[tuple[str, str], Flow] = {}
    for flow in flows:
        pair = (flow.consumer, flow.provider)
        pairs[pair] = _joined(pairs[pair], flow) if pair in pairs else flow
    found = []
    for flow in pairs.values():
        start, end = places.get(flow.consumer), places.get(flow.provider)
        if start is None or end is None or start is end:
            continue
        length = hypot(end.x - start.x, end.y - start.y) or 1
        bend = min(60.0, length / 4)
        middle = (
            (start.x + end.x) / 2 + (start.y - end.y) / length * bend,
            (start.y + end.y) / 2 + (end.x - start.x) / length * bend,
        )
        first, last = _edge(start, middle), _edge(end, middle, gap=9)
        found.append(
            Arc(
                flow=flow,
                path=f"M{first[0]:.0f} {first[1]:.0f}Q{middle[0]:.0f} {middle[1]:.0f} {last[0]:.0f} {last[1]:.0f}",
                width=round(1.5 + 2 * log10(1 + flow.messages), 1),
                tone="over" if flow.errors * 10 > flow.messages else "late" if flow.errors else "ok",
                x=round((first[0] + 2 * middle[0] + last[0]) / 4),
                y=round((first[1] + 2 * middle[1] + last[1]) / 4),
            )
        )
    return tuple(found)


def _joined(one: Flow, other: Flow) -> Flow:
    return replace(
        one,
        service=one.service
        if one.service == other.service or not other.service
        else other.service
        if not one.service
        else "",
        messages=one.messages + other.messages,
        errors=one.errors + other.errors,
        buckets=tuple(added(one.buckets, other.buckets)),
    )


def _edge(node: Node, towards: tuple[float, float], *, gap: int = 4) -> tuple[float, float]:
    """The point at the rim of a node on the way to another."""
    length = hypot(towards[0] - node.x, towards[1] - node.y) or 1
    share = (node.radius + gap) / length
    return node.x + (towards[0] - node.x) * share, node.y + (towards[1] - node.y) * share


def draw_bars(monitor: Monitor) -> tuple[Bar, ...]:
    """Draw the sixty minutes, the highest to the top."""
    most = max((messages for _, messages, _ in monitor.per_minute), default=0) or 1
    return tuple(
        Bar(
            x=number * 12,
            at=minute,
            messages=messages,
            errors=errors,
            height=round(_BARS_HEIGHT * messages / most, 1),
            error_height=round(_BARS_HEIGHT * errors / most, 1),
        )
        for number, (minute, messages, errors) in enumerate(monitor.per_minute)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """A node in the tree: how deep it stands, and, when it meets this one, how it is."""

    code: str
    name: Mapping[str, str]
    level: str
    depth: int
    is_own: bool
    view: NodeView | None


def draw_tree(found: Cascade) -> tuple[Branch, ...]:
    """Order the nodes from the top down, each with its depth: those above, this one, those below and what is below them."""
    if found.own is None:
        return ()
    branches: list[Branch] = []
    depth = 0
    if found.upper is not None:
        above = [dict(one) for one in found.upper.beneath] or [_plain(found.upper)]
        # A document from above names its sender first, then those above it.
        for one in reversed(above):
            is_next = one.get("code") == found.upper.code
            branches.append(_branch(one, depth, found.upper if is_next else None))
            depth += 1
    own = {"code": found.own.code, "name": found.own.name, "level": found.own.level}
    branches.append(replace(_branch(own, depth, None), is_own=True))
    for node in found.lower:
        depths = {node.code: depth + 1}
        branches.append(_branch(_plain(node), depth + 1, node))
        for one in node.beneath[1:]:
            code = str(one.get("code"))
            depths[code] = depths.get(str(one.get("above")), depth + 1) + 1
            branches.append(_branch(one, depths[code], None))
    return tuple(branches)


def _plain(node: NodeView) -> dict[str, Any]:
    return {"code": node.code, "name": node.name, "level": node.level}


def _branch(one: Mapping[str, Any], depth: int, view: NodeView | None) -> Branch:
    name = one.get("name")
    return Branch(
        code=str(one.get("code", "")),
        name=name if isinstance(name, dict) else {},
        level=str(one.get("level", "")),
        depth=min(depth, 8),
        is_own=False,
        view=view,
    )
