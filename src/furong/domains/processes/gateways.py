"""Gateways: which flows a token takes, and when tokens that meet go on as one (BPMN 2.0, 13.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from furong.domains.processes.errors import StuckError
from furong.domains.processes.scopes import LogKind, Token
from furong.domains.processes.values.graph import Flow, Node

if TYPE_CHECKING:
    from furong.domains.processes.interpreter import Run


def _is_true(run: Run, flow: Flow, scope: int) -> bool:
    if flow.condition is None:
        return True
    found = run.evaluate(flow.condition, flow.id, scope)
    if found is True:
        return True
    if found is False:
        return False
    # A missing variable makes a condition null. Taking the default then would misroute a case in silence.
    raise StuckError("condition_not_boolean", f"The condition of {flow.id} is neither true nor false.")


def exclusive(run: Run, token: Token, node: Node) -> None:
    """Take the first flow whose condition holds, or the default."""
    taken: Flow | None = None
    if len(node.outgoing) == 1:
        taken = node.outgoing[0]
    else:
        for flow in node.outgoing:
            if flow.id != node.default and _is_true(run, flow, token.scope):
                taken = flow
                break
        else:
            taken = next((flow for flow in node.outgoing if flow.id == node.default), None)
    if taken is None:
        raise StuckError("no_way_taken", f"No condition of {node.id} is true, and it has no default.")
    run.passed(token, node)
    run.move_along(token, taken)


def parallel(run: Run, token: Token, node: Node) -> None:
    """Wait for a token along each flow, and send one out along each."""
    if len(node.incoming) > 1 and not _join_all(run, token, node):
        return
    run.passed(token, node)
    run.go_on(token, node)


def _join_all(run: Run, token: Token, node: Node) -> bool:
    """Take one token of each incoming flow into ``token``; False while a flow lacks one."""
    first: dict[str, Token] = {}
    for other in run.held(token.scope):
        if other.element == node.id:
            best = first.get(other.arrived_by)
            if best is None or other.number < best.number:
                first[other.arrived_by] = other
    if len(first) < len(node.incoming):
        return False
    first[token.arrived_by] = token
    _merge(run, [other for other in first.values() if other is not token], node)
    return True


def _merge(run: Run, others: list[Token], node: Node) -> None:
    for other in others:
        run.changes.log.append((LogKind.MERGED, node.id, other.arrived_by, other.number))
        run.drop(other)


def inclusive(run: Run, token: Token, node: Node) -> None:
    """Take every flow whose condition holds; a join waits until `release_inclusive` lets it go on."""
    if len(node.incoming) > 1:
        return  # `release_inclusive` looks at it once nothing else can move
    _split_inclusive(run, token, node)


def release_inclusive(run: Run) -> bool:
    """Fire the inclusive joins that no other token can still reach along an empty flow (BPMN 2.0, 13.4.3)."""
    for name in run.definition.reach:
        scopes = {t.scope for t in run.tokens.values() if t.element == name}
        released = [_release_in(run, name, scope) for scope in sorted(scopes)]
        if any(released):
            return True
    return False


def _release_in(run: Run, name: str, scope: int) -> bool:
    reach = run.definition.reach[name]
    here = run.held(scope)
    waiting = [t for t in here if t.element == name]
    if any(token.stuck for token in waiting):
        return False
    full = {token.arrived_by for token in waiting}
    others = (reach.get(t.element, frozenset()) for t in here if t.element != name)
    if any(ways - full and not ways & full for ways in others):
        return False
    node = run.definition.nodes[name]
    first: dict[str, Token] = {}
    for token in sorted(waiting, key=lambda t: t.number):
        first.setdefault(token.arrived_by, token)
    token, *rest = first.values()
    try:
        _split_inclusive(run, token, node, merge=rest)
    except StuckError as exc:
        run.stop(token, node, exc)
    return True


def _split_inclusive(run: Run, token: Token, node: Node, merge: list[Token] | None = None) -> None:
    flows = node.outgoing
    if len(flows) > 1 or (flows and node.hidden):
        taken = [f for f in flows if f.id != node.default and _is_true(run, f, token.scope)]
        flows = tuple(taken) or tuple(f for f in flows if f.id == node.default)
        if not flows:
            raise StuckError("no_way_taken", f"No condition of {node.id} is true, and it has no default.")
    _merge(run, merge or [], node)
    run.passed(token, node)
    run.move_along(token, flows[0])
    for flow in flows[1:]:
        run.ready.append(run.new_token(flow.target, flow.id, token.scope))
