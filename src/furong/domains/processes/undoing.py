"""Compensation (BPMN 2.0, 13.5.5): what is done is remembered where it can be undone, and undone in the reverse order."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from furong.domains.processes import nesting
from furong.domains.processes.scopes import LogKind, PartlyLoadedError, Scope, ScopeKind, Token
from furong.domains.processes.values.elements import NodeKind
from furong.domains.processes.values.graph import Node

if TYPE_CHECKING:
    from furong.domains.processes.interpreter import Run

# Elements at which a token waits while others are undone.
WAITS = frozenset({NodeKind.THROW_COMPENSATION, NodeKind.COMPENSATION_END})


def remember(run: Run, token: Token, node: Node) -> None:
    """Note that an activity is done and could be undone."""
    nesting.open_scope(run, parent=token.scope, element=node.id, kind=ScopeKind.UNDOABLE).done = True


def keep_or_remove(run: Run, scope: Scope) -> None:
    """Take away a scope that is over, unless something in it could still be undone and nothing undoes it as a whole."""
    inside = run.definition.compensates and any(one.done for one in run.scopes.inside(scope.number))
    if inside and not run.definition.nodes[scope.element].compensation:
        scope.done = scope.changed = True
        scope.data["ended"] = run.number()
        scope.host = 0
    else:
        nesting.remove(run, scope.number)


def _order(scope: Scope) -> int:
    return cast(int, scope.data.get("ended", scope.number))


def _undoable(run: Run, scope: int, element: str) -> list[int]:
    """Give what was done directly in a scope, last first; of a sub-process that is over, what was done inside it."""
    here = [
        one
        for one in run.scopes.inside(scope)
        if one.done and not one.data.get("undoing") and (not element or one.element == element)
    ]
    found: list[int] = []
    for one in sorted(here, key=_order, reverse=True):
        if one.kind is ScopeKind.UNDOABLE:
            found.append(one.number)
        elif one.kind in {ScopeKind.INSIDE, ScopeKind.CALLED}:
            found += _undoable(run, one.number, "")
    return found


def everything(run: Run) -> list[Scope]:
    """Give all that was done and is not undone yet, last first."""
    found = [one for one in run.scopes.values() if one.kind is ScopeKind.UNDOABLE]
    return sorted(found, key=_order, reverse=True)


def throw(run: Run, token: Token, node: Node) -> None:
    """Undo what was done in the scope of a compensation event (or the one activity it names), then go on or end."""
    if not run.whole:
        raise PartlyLoadedError
    around = run.scopes.get(token.scope)
    scope = token.scope
    if around is not None and run.definition.nodes[around.element].kind is NodeKind.EVENT_SUB_PROCESS:
        scope = around.parent  # an event sub-process undoes what was done around it
    queue = _undoable(run, scope, node.compensates)
    if not queue:
        _go_on(run, token, node, waited=False)
        return
    run.entered(token, node)
    found = nesting.open_scope(
        run, parent=token.scope, element=node.id, kind=ScopeKind.UNDOING, host=token.number, data={"queue": queue}
    )
    go_on(run, found)


def withdraw(run: Run, done: list[Scope], reason: str) -> None:
    """Undo everything before the instance ends; its tokens are gone already."""
    run.scopes.clear()
    for scope in done:
        scope.parent, scope.changed = 0, True
        scope.data.pop("undoing", None)
        run.scopes.add(scope)
    # It waits at the start, where nothing can wake it but the end of what it waits for.
    token = run.new_token(run.definition.start, "", 0)
    data: dict[str, object] = {"queue": [scope.number for scope in done], "reason": reason}
    element = run.definition.start
    go_on(
        run,
        nesting.open_scope(run, parent=0, element=element, kind=ScopeKind.WITHDRAWAL, host=token.number, data=data),
    )


def go_on(run: Run, scope: Scope) -> None:
    """Run what undoes the next activity; when there is none left, let the one who asked go on.

    An activity counts as done until what undoes it has ended: who cuts that short leaves it to be undone by another.
    """
    queue = cast("list[int]", scope.data["queue"])
    scope.changed = True
    run.scopes.take(cast(int, scope.data.pop("now", 0)))
    while queue:
        done = run.scopes.get(queue.pop(0))
        if done is None:
            continue
        scope.data["now"] = done.number
        done.data["undoing"] = done.changed = True
        handler = run.definition.nodes[done.element].compensation
        token = run.new_token(handler, "", scope.number)
        run.changes.log.append((LogKind.COMPENSATED, done.element, "", token.number))
        run.ready.append(token)
        return
    run.scopes.take(scope.number)
    host = run.tokens[scope.host]
    if scope.kind is ScopeKind.WITHDRAWAL:
        run.ending, run.reason = "cancelled", str(scope.data.get("reason", ""))
        run.drop(host)
        return
    node = run.definition.nodes[host.element]
    run.leave(host, node, completed=True)
    _go_on(run, host, node, waited=True)


def cut_short(run: Run, scope: Scope) -> None:
    """Note that what undoes an activity is cancelled with the scope in which it runs."""
    done = run.scopes.get(cast(int, scope.data.get("now", 0)))
    if done is not None:
        done.data.pop("undoing", None)
        done.changed = True


def _go_on(run: Run, token: Token, node: Node, *, waited: bool) -> None:
    if not waited:
        run.passed(token, node)
    if node.kind is NodeKind.COMPENSATION_END:
        run.drop(token)
        nesting.look_at(run, token.scope)
    else:
        run.done(token, node)
