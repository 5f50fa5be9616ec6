"""What wakes a token from outside: timers and messages, its own, on the border of its activity, or behind an event gateway."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from furong.domains.processes import nesting
from furong.domains.processes.errors import StuckError
from furong.domains.processes.scopes import OpenedSubscription, OpenedTimer, Token
from furong.domains.processes.values.elements import NodeKind
from furong.domains.processes.values.graph import Node, TimerRule

if TYPE_CHECKING:
    from furong.domains.processes.interpreter import Run


def arm(run: Run, token: Token, node: Node) -> None:
    """Open the rows that can wake a token from outside while it waits at ``node``; of a repeated one its host has them."""
    if node.boundary and not (node.loop is not None and nesting.is_one_run(run, token)):
        for name in node.boundary:
            listen(run, token, run.definition.nodes[name])


def listen(run: Run, token: Token, event: Node) -> None:
    """Open the row of one event."""
    run.opened.add(token.number)
    if event.timer is not None:
        due_at = due(run, event.timer, token.scope)
        repeats = _repeats(run, event, token.scope)
        run.changes.timers.append(OpenedTimer(token.number, event.id, due_at, repeats=repeats))
    elif event.message is not None:
        key = correlation(run, event, token.scope)
        run.changes.subscriptions.append(OpenedSubscription(token.number, event.id, event.message.name, key))


def due(run: Run, rule: TimerRule, scope: int) -> datetime:
    """Say when a timer fires; `StuckError` when its expression gives no time."""
    try:
        return rule.due_at(variables=run.context(scope), now=run.now, calendar=run.host.calendar)
    except (ValueError, OverflowError) as exc:
        raise StuckError("timer_invalid", str(exc)) from exc


def _repeats(run: Run, event: Node, scope: int) -> int | None:
    rule = event.timer
    if rule is None or not rule.is_cycle or event.kind is NodeKind.CATCH_TIMER or event.interrupting:
        return 0
    cycle = rule.cycle(run.context(scope), now=run.now, calendar=run.host.calendar)
    return None if cycle.times is None else max(cycle.times - 1, 0)


def rearm(run: Run, token: Token, event: Node, due_at: datetime | None, repeats: int | None) -> None:
    """Let an event that does not interrupt happen again: a message at any time, a timer as often as its cycle says."""
    if event.interrupting:
        return
    if event.message is not None:
        with suppress(StuckError):  # its correlation no longer gives a key
            listen(run, token, event)
    elif event.timer is not None and repeats != 0:
        again = run.changes.timers
        try:
            cycle = event.timer.cycle(run.context(token.scope), now=run.now, calendar=run.host.calendar)
            following = event.timer.after(cycle.every, due_at or run.now, calendar=run.host.calendar)
        except (ValueError, OverflowError):
            return
        left = None if repeats is None else repeats - 1
        run.opened.add(token.number)
        again.append(OpenedTimer(token.number, event.id, following, repeats=left))


def correlation(run: Run, node: Node, scope: int) -> str:
    """Give the key of a message: what the diagram says, or the business key; `StuckError` when that is none."""
    rule = node.message
    if rule is None or rule.correlation is None:
        return run.host.business_key
    found = run.evaluate(rule.correlation, node.id, scope)
    if found is None or isinstance(found, dict | list):
        raise StuckError("correlation_missing", f"The correlation of {node.id} gives no key.")
    return str(found)
