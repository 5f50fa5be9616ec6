"""The map of the exchange and its hour as drawings: where members stand, and how thick each flow is. Numbers only, no markup."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import cos, hypot, log10, pi, sin
from typing import Any

from furong.domains.exchange.nodes.values import Cascade, NodeView
from furong.domains.exchange.values import Flow, Monitor, added
from furong.sites.workbench.words_exchange import WARNINGS

WIDTH, HEIGHT, RADIUS = 720, 440, 30
_TONES = ("ok", "late", "over")
_BARS_HEIGHT = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A member on the map. ``tone``: how its worst gateway is; wait when it has none."""

    code: str
    name: Mapping[str, str]
    x: int
    y: int
    tone: str


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


def draw_nodes(monitor: Monitor) -> tuple[Node, ...]:
    """Place the members on an ellipse, the first at the left."""
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
                y=round(HEIGHT / 2 - 20 + 150 * sin(angle)),
                tone="over" if one.state.value == "suspended" else tones.get(one.code, "wait"),
            )
        )
    return tuple(found)


def draw_arcs(monitor: Monitor, nodes: Sequence[Node]) -> tuple[Arc, ...]:
    """Draw a curve from each member to each that it asked, whatever the services; both ways between two bend apart."""
    places = {one.code: one for one in nodes}
    pairs: dict[tuple[str, str], Flow] = {}
    for flow in monitor.flows:
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
    share = (RADIUS + gap) / length
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
