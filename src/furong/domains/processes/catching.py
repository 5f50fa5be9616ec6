"""What is thrown inside an activity and caught around it: errors, escalations, and events that start an event sub-process.

BPMN 2.0, 13.5.3 and 13.5.4: from the inside out, first the event sub-processes of a scope, then the boundary events of its
activity.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from furong.domains.processes import nesting, waits
from furong.domains.processes.errors import StuckError
from furong.domains.processes.scopes import PartlyLoadedError, ScopeKind, Token
from furong.domains.processes.values.elements import NodeKind
from furong.domains.processes.values.graph import Node

if TYPE_CHECKING:
    from furong.domains.processes.interpreter import Run

_BOUNDARY = {"error": NodeKind.BOUNDARY_ERROR, "escalation": NodeKind.BOUNDARY_ESCALATION}


@dataclass(frozen=True, slots=True)
class _Catcher:
    """Who catches: a boundary event on the activity of ``host``, or (``host`` None) an event sub-process of a scope."""

    event: Node
    host: Token | None
    scope: int


def throw(run: Run, token: Token, node: Node, trigger: str, code: str, variables: Mapping[str, object]) -> bool:
    """Let what ``token`` throws be caught around it; False when nothing does."""
    catcher = _find(run, token, node, trigger, code)
    if catcher is not None:
        _catch(run, catcher, variables)
    return catcher is not None


def _catch(run: Run, catcher: _Catcher, variables: Mapping[str, object]) -> None:
    host = catcher.host
    if host is None:
        run.assign(variables, catcher.scope)
        _start(run, catcher.scope, catcher.event)
        return
    run.assign(variables, host.scope)
    if catcher.event.interrupting:
        interrupt(run, host, run.definition.nodes[host.element], catcher.event)
    else:
        run.catch(run.new_token(catcher.event.id, "", host.scope), catcher.event)


def interrupt(run: Run, host: Token, node: Node, event: Node) -> None:
    """Cut short the activity of ``host`` and let it go on from its boundary event."""
    nesting.cancel_inside(run, host, node)
    run.leave(host, node, completed=False)
    run.catch(host, event)


def _find(run: Run, token: Token, node: Node, trigger: str, code: str) -> _Catcher | None:
    nodes = run.definition.nodes
    here: Token | None = token
    while True:
        scope = token.scope if here is None else here.scope
        if here is not None:
            own = nodes[here.element]
            repeated = own.loop is not None and nesting.is_one_run(run, here)
            if own.boundary and not repeated:
                events = [nodes[name] for name in own.boundary if nodes[name].kind is _BOUNDARY[trigger]]
                found = _matching(events, code)
                if found is not None:
                    return _Catcher(found, here, scope)
        outside, catcher = _find_in_scopes(run, scope, trigger, code, here)
        if catcher is not None or outside is None:
            return catcher
        here = outside


def _find_in_scopes(
    run: Run, number: int, trigger: str, code: str, thrower: Token | None
) -> tuple[Token | None, _Catcher | None]:
    """Look at the event sub-processes of a scope; give the host to look at next, or who catches."""
    while True:
        scope = run.scopes.get(number)
        container = "" if scope is None else scope.element
        if scope is None or scope.kind in {ScopeKind.INSIDE, ScopeKind.CALLED}:
            at = "" if thrower is None else thrower.element
            starts = [
                run.definition.nodes[run.definition.containers[name].starts[0]]
                for name in run.definition.containers[container].events
                if name != at  # what an event sub-process throws it does not catch itself
            ]
            found = _matching([start for start in starts if start.trigger == trigger], code)
            if found is not None:
                return None, _Catcher(found, None, number)
        if scope is None:
            return None, None
        if scope.host:
            return run.tokens[scope.host], None
        number = scope.parent


def _matching(events: list[Node], code: str) -> Node | None:
    exact = next((event for event in events if event.code == code), None)
    return exact or next((event for event in events if event.code is None), None)


# --- elements that throw ----------------------------------------------------------------------------------------------------


def end_in_error(run: Run, token: Token, node: Node) -> None:
    """End in an error that something around catches; nothing does: an incident, for what would follow is not drawn."""
    code = node.code or ""
    catcher = _find(run, token, node, "error", code)
    if catcher is None:
        raise StuckError("error_uncaught", code)
    run.passed(token, node)
    run.drop(token)
    _catch(run, catcher, {"error_code": code})
    nesting.look_at(run, token.scope)


def escalate(run: Run, token: Token, node: Node) -> None:
    """Throw an escalation and go on (or end); one that nobody catches changes nothing (13.5.4)."""
    code = node.code or ""
    catcher = _find(run, token, node, "escalation", code)
    run.passed(token, node)
    ends = node.kind is NodeKind.ESCALATION_END or (catcher is not None and catcher.event.interrupting)
    if ends:
        run.drop(token)
    if catcher is not None:
        _catch(run, catcher, {"escalation_code": code})
    if ends:
        nesting.look_at(run, token.scope)
    else:
        run.done(token, node)


# --- event sub-processes ----------------------------------------------------------------------------------------------------


def arm_event_subs(run: Run, scope: int, container: str) -> None:
    """Let a scope that begins listen for the messages and timers that start its event sub-processes."""
    for name in run.definition.containers[container].events if run.definition.containers else ():
        start = run.definition.nodes[run.definition.containers[name].starts[0]]
        if start.trigger in {"timer", "message"}:
            token = run.new_token(start.id, "", scope)
            try:
                waits.listen(run, token, start)
            except StuckError as exc:
                run.stop(token, start, exc)


def start_event_sub(run: Run, token: Token, start: Node) -> None:
    """Start the event sub-process for which ``token`` listens."""
    scope = token.scope
    if start.interrupting or not _is_armed(run, token):
        run.silence(token)
    _start(run, scope, start)


def _is_armed(run: Run, token: Token) -> bool:
    changes = run.changes
    opened = [one.token for one in changes.timers] + [one.token for one in changes.subscriptions]
    return token.number in opened


def _start(run: Run, scope: int, start: Node) -> None:
    if start.interrupting:
        if not run.whole:
            raise PartlyLoadedError
        nesting.cancel_scopes(run, [scope], silently=run.ready)
    host = run.new_token(start.parent, "", scope)
    run.ready.append(host)
