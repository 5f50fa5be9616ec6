"""Moves tokens. Pure: given a definition, the tokens of an instance and one stimulus, it says what changes; it knows no database.

A token stands at one element. A stimulus (start, a task done, an event, an error) moves it, and it runs on until every
token waits: at an element that a row will wake, at an activity inside which others run, at a join that lacks tokens, or at an
incident. One call is one step; the caller makes it durable.
Every element kind has one behaviour in `_ENTER`. Gateways are in ``gateways``, timers and messages in ``waits``, what nests in
``nesting``, what is thrown and caught in ``catching``, what is undone in ``undoing``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol

from furong.domains.processes import catching, gateways, nesting, undoing, waits
from furong.domains.processes.errors import EngineError, StuckError
from furong.domains.processes.scopes import (
    Changes,
    LogKind,
    OpenedJob,
    OpenedTask,
    OpenedTimer,
    PartlyLoadedError,
    Scope,
    ScopeKind,
    Scopes,
    Token,
)
from furong.domains.processes.values.elements import CONTAINERS, NodeKind
from furong.domains.processes.values.graph import Expression, Flow, Node, ProcessDefinition
from furong.domains.processes.variables import as_json
from furong.foundation.calendar.values import Calendar
from furong.foundation.feel import FeelLimitReached

__all__ = ["Changes", "Host", "LogKind", "OpenedJob", "OpenedTask", "Run", "Scope", "ScopeKind", "Token"]

# A diagram cannot loop without a wait, so only a very large one comes near this in one step. What is left then stands as an
# incident, and goes on when an administrator retries it.
MOST_MOVES = 500_000


class Host(Protocol):
    """What the interpreter asks of its surroundings; nothing in it writes."""

    @property
    def business_key(self) -> str: ...

    def decide(self, resource: str, decision: str, context: Mapping[str, object], now: datetime) -> object: ...

    def calendar(self) -> Calendar: ...


class Run:
    """One step of one instance, in memory. Make one, give it one stimulus, read ``tokens``, ``scopes`` and ``changes``.

    ``whole`` says whether all tokens and scopes were given, or only those around the token that is woken and its scopes. A step
    that needs more raises `PartlyLoadedError`; then nothing of this run may be used.
    """

    __slots__ = (
        "_contexts",
        "_held",
        "_listening",
        "_moves",
        "_next",
        "changes",
        "definition",
        "ending",
        "host",
        "now",
        "opened",
        "ready",
        "reason",
        "scopes",
        "tokens",
        "variables",
        "whole",
    )

    def __init__(
        self,
        definition: ProcessDefinition,
        *,
        tokens: dict[int, Token],
        next_token: int,
        variables: dict[str, object],
        now: datetime,
        host: Host,
        scopes: dict[int, Scope] | None = None,
        whole: bool = True,
    ) -> None:
        self.definition = definition
        self.tokens = tokens
        self.scopes = Scopes(scopes.values() if scopes else ())
        self.variables = variables
        self.now = now
        self.host = host
        self.whole = whole
        self.changes = Changes()
        self.ready: deque[Token] = deque()
        self.ending = "completed"
        self.reason = ""
        self._next = next_token
        self._moves = 0
        self._listening = any(container.events for container in definition.containers.values())
        self._contexts: dict[int, dict[str, object]] = {}
        self.opened: set[int] = set()  # tokens for which this step opened something
        self._held: dict[int, dict[int, Token]] = {}  # by scope
        for token in tokens.values():
            self._held.setdefault(token.scope, {})[token.number] = token

    # --- stimuli ------------------------------------------------------------------------------------------------------------

    @property
    def next_token(self) -> int:
        return self._next

    @property
    def ended(self) -> bool:
        return not self.tokens

    def start(self, element: str | None = None) -> None:
        """Put the first token on the start event (or on ``element``, a message or timer start) and run."""
        self.changes.log.append((LogKind.STARTED, self.definition.code, "", 0))
        catching.arm_event_subs(self, 0, "")
        self.ready.append(self.new_token(element or self.definition.start, "", 0))
        self.advance()

    def complete(self, number: int, variables: Mapping[str, object]) -> None:
        """End the work at which token ``number`` waits, with what it gave, and run on."""
        token, node = self.at(number)
        self.assign(variables, token.scope)
        self.leave(token, node, completed=True)
        self.done(token, node)
        self.advance()

    def fire(
        self,
        number: int,
        element: str,
        variables: Mapping[str, object],
        *,
        due_at: datetime | None = None,
        repeats: int | None = 0,
    ) -> None:
        """Let the event ``element`` (own, boundary, behind an event gateway, of an event sub-process) happen to token ``number``.

        Of a timer ``due_at`` says when it was due and ``repeats`` how often again it fires (None: without end).
        """
        token, host = self.at(number)
        event = self.definition.nodes[element]
        self.assign(variables, token.scope)
        if event.kind is NodeKind.EVENT_START:
            waits.rearm(self, token, event, due_at, repeats)
            catching.start_event_sub(self, token, event)
        elif element == token.element:
            self.leave(token, host, completed=True)
            self.done(token, host)
        elif host.kind is NodeKind.EVENT_GATEWAY:
            self.leave(token, host, completed=True)
            self.catch(token, event)
        elif event.interrupting:
            catching.interrupt(self, token, host, event)
        else:
            waits.rearm(self, token, event, due_at, repeats)
            self.catch(self.new_token(element, "", token.scope), event)
        self.advance()

    def error(self, number: int, code: str, variables: Mapping[str, object]) -> bool:
        """Let the work of token ``number`` end in a business error; False when nothing around it catches it."""
        token, node = self.at(number)
        if not catching.throw(self, token, node, "error", code, variables):
            return False
        self.advance()
        return True

    def retry(self, number: int) -> None:
        """Let token ``number``, stuck at its element, try it again."""
        token, _ = self.at(number)
        self._free(token)
        self.ready.append(token)
        self.advance()

    def skip(self, number: int, variables: Mapping[str, object]) -> None:
        """Let token ``number``, stuck or with failed work, go on as if its element were done, along its first or default flow."""
        token, node = self.at(number)
        self.assign(variables, token.scope)
        self.leave(token, node, completed=False)
        if node.kind in {NodeKind.EXCLUSIVE, NodeKind.INCLUSIVE} and len(node.outgoing) > 1:
            flow = next((f for f in node.outgoing if f.id == node.default), node.outgoing[0])
            self.move_along(token, flow)
        else:
            self.done(token, node)
        self.advance()

    def move(self, number: int, element: str) -> None:
        """Take token ``number`` away from where it waits and let it enter ``element`` of the same scope."""
        token, node = self.at(number)
        nesting.cancel_inside(self, token, node)
        self.leave(token, node, completed=False)
        self.changes.log.append((LogKind.MOVED, element, "", number))
        token.element, token.arrived_by = element, ""
        self.ready.append(token)
        self.advance()

    def cancel(self, *, reason: str = "", undo: bool = False) -> None:
        """Take all tokens away; what they waited for is cancelled. With ``undo`` what can be undone is undone first.

        One that is being undone already goes on being undone.
        """
        if not self.whole:
            raise PartlyLoadedError
        if undo and any(one.kind is ScopeKind.WITHDRAWAL for one in self.scopes.values()):
            return
        self.ending, self.reason = "cancelled", reason
        undone = undoing.everything(self) if undo else []
        nesting.cancel_scopes(self, [0])
        if undone:
            undoing.withdraw(self, undone, reason)
            self.advance()
        else:
            self._finish()

    # --- tokens -------------------------------------------------------------------------------------------------------------

    def at(self, number: int) -> tuple[Token, Node]:
        """Give token ``number`` and where it stands."""
        token = self.tokens.get(number)
        if token is None:
            raise EngineError(f"There is no token {number}.")
        node = self.definition.nodes.get(token.element)
        if node is None:
            raise EngineError(f"A token stands at {token.element}, which the definition lacks.")
        return token, node

    def number(self) -> int:
        """Give the next number of the sequence that tokens and scopes share."""
        self._next += 1
        return self._next - 1

    def new_token(self, element: str, arrived_by: str, scope: int) -> Token:
        token = Token(self.number(), element, arrived_by, scope)
        self.tokens[token.number] = token
        self._held.setdefault(scope, {})[token.number] = token
        return token

    def drop(self, token: Token) -> None:
        """Take a token away."""
        del self.tokens[token.number]
        del self._held[token.scope][token.number]

    def held(self, scope: int) -> list[Token]:
        """Give the tokens that stand directly in a scope, in the order in which they came."""
        return list(self._held.get(scope, {}).values())

    def listens(self, token: Token) -> bool:
        """Say whether a token only holds the events that would start an event sub-process."""
        if not self._listening:
            return False
        node = self.definition.nodes[token.element]
        if node.kind is not NodeKind.EVENT_START:
            return False
        scope = self.scopes.get(token.scope)
        return scope is None or scope.element != node.parent  # inside the event sub-process it is on its way

    def is_one_run(self, token: Token) -> bool:
        """Say whether a token is one run of a repeated activity."""
        return nesting.is_one_run(self, token)

    def busy(self, scope: int) -> bool:
        """Say whether a token is still on its way in a scope."""
        held = self._held.get(scope)
        if not held or not self._listening:
            return bool(held)
        return any(not self.listens(token) for token in held.values())

    # --- variables ----------------------------------------------------------------------------------------------------------

    def context(self, scope: int) -> Mapping[str, object]:
        """Give the variables that are seen in a scope: its own over those around it, up to a called process's."""
        if not self.scopes or not scope:
            return self.variables
        found = self._contexts.get(scope)
        if found is None:
            here = self.scopes[scope]
            around = {} if here.kind is ScopeKind.CALLED else self.context(here.parent)
            found = dict(around) if here.variables is None else {**around, **here.variables}
            self._contexts[scope] = found
        return found

    def assign(self, variables: Mapping[str, object], scope: int) -> None:
        """Set variables: each where it is already known, else in the nearest run or called process, else in the instance."""
        if not variables:
            return
        plain = as_json(variables)  # as the next step will read them
        if not scope:
            self.variables.update(plain)
            self.changes.variables.update(plain)
            return
        self._contexts.clear()
        for name, value in plain.items():
            here = scope
            while here:
                one = self.scopes[here]
                own = one.variables
                if own is not None and (name in own or one.kind in {ScopeKind.ONE, ScopeKind.CALLED}):
                    own[name] = value
                    one.changed = True
                    break
                here = one.parent
            else:
                self.variables[name] = value
                self.changes.variables[name] = value

    def evaluate(self, expression: Expression, element: str, scope: int) -> object:
        """Evaluate FEEL in a scope; `StuckError` when it takes too much."""
        try:
            return expression.evaluate(self.context(scope), now=self.now)
        except FeelLimitReached as exc:
            raise StuckError("expression_failed", f"{element}: {exc}") from exc

    def ask(self, expression: Expression, scope: int, **more: object) -> object:
        """Evaluate FEEL where a step cannot stop; null when it takes too much."""
        try:
            return expression.evaluate({**self.context(scope), **more}, now=self.now)
        except FeelLimitReached:
            return None

    # --- the loop -----------------------------------------------------------------------------------------------------------

    def advance(self) -> None:
        """Let every token that can move run on."""
        ready, nodes = self.ready, self.definition.nodes
        while True:
            while ready:
                token = ready.popleft()
                if token.number not in self.tokens:
                    continue  # a terminate end or an event took it
                self._moves += 1
                node = nodes[token.element]
                try:
                    if self._moves > MOST_MOVES:
                        raise StuckError("moves_too_many", f"One step may pass {MOST_MOVES} elements.")
                    if node.loop is not None and not nesting.is_one_run(self, token):
                        nesting.repeat(self, token, node)
                    else:
                        _ENTER[node.kind](self, token, node)
                except StuckError as exc:
                    self.stop(token, node, exc)
            if not self.definition.reach or not gateways.release_inclusive(self):
                break
        if not self.busy(0):
            for token in self.held(0):
                self.silence(token)
            if self.tokens:
                raise EngineError(f"{self.definition.code} ended with tokens inside.")
            self._finish()

    def _finish(self) -> None:
        self.scopes.clear()
        self.changes.log.append((LogKind.ENDED, self.definition.code, "", 0))

    def stop(self, token: Token, node: Node, why: StuckError) -> None:
        """Park a token at the element it could not pass; an administrator mends the cause and retries."""
        self._forget(token.number)
        self.opened.add(token.number)
        token.stuck = True
        self.changes.log.append((LogKind.STUCK, node.id, token.arrived_by, token.number))
        self.changes.jobs.append(OpenedJob(token.number, node.id, "element", reason=why.reason, detail=str(why)[:500]))

    def move_along(self, token: Token, flow: Flow) -> None:
        """Take a token to where a flow leads."""
        token.element = flow.target
        token.arrived_by = flow.id
        self.ready.append(token)

    def go_on(self, token: Token, node: Node) -> None:
        """Send a token out along every outgoing flow; it goes itself along the first, and ends where there is none."""
        flows = node.outgoing
        if not flows:
            self.drop(token)
            nesting.look_at(self, token.scope)
            return
        self.move_along(token, flows[0])
        for flow in flows[1:]:
            self.ready.append(self.new_token(flow.target, flow.id, token.scope))

    def done(self, token: Token, node: Node) -> None:
        """Go on behind an activity that was completed, or count one more of its runs."""
        if node.loop is not None and nesting.is_one_run(self, token):
            nesting.end_run(self, token, node)
            return
        if node.compensation:
            undoing.remember(self, token, node)
        self.go_on(token, node)

    def passed(self, token: Token, node: Node) -> None:
        if not node.hidden:
            self.changes.log.append((LogKind.PASSED, node.id, token.arrived_by, token.number))

    def entered(self, token: Token, node: Node) -> None:
        self.changes.log.append((LogKind.ENTERED, node.id, token.arrived_by, token.number))

    def catch(self, token: Token, event: Node) -> None:
        """Let a token leave from an event that happened."""
        token.element, token.arrived_by = event.id, ""
        self.passed(token, event)
        self.go_on(token, event)

    def leave(self, token: Token, node: Node, *, completed: bool) -> None:
        """Note that a token leaves where it waited, so that all rows that could wake it there go too."""
        changes, number = self.changes, token.number
        if node.loop is None or nesting.is_one_run(self, token):
            kind = LogKind.COMPLETED if completed else LogKind.CANCELLED
            changes.log.append((kind, node.id, token.arrived_by, number))
        # What it left first is what has rows; where it came to since has none yet.
        changes.left.setdefault(number, (node, completed))
        self._forget(number)
        self._free(token)

    def silence(self, token: Token) -> None:
        """Take away a token that listens for an event sub-process."""
        self.changes.left.setdefault(token.number, (self.definition.nodes[token.element], False))
        self._forget(token.number)
        self._free(token)
        self.drop(token)

    def _free(self, token: Token) -> None:
        if token.stuck:
            token.stuck = False
            self.changes.unstuck.add(token.number)

    def _forget(self, number: int) -> None:
        """Drop what was opened in this very step and is cut short in it: it never becomes a row."""
        if number not in self.opened:
            return
        self.opened.discard(number)
        changes = self.changes
        if changes.tasks:
            changes.tasks = [t for t in changes.tasks if t.token != number]
        if changes.timers:
            changes.timers = [t for t in changes.timers if t.token != number]
        if changes.subscriptions:
            changes.subscriptions = [s for s in changes.subscriptions if s.token != number]
        if changes.jobs:
            changes.jobs = [j for j in changes.jobs if j.token != number]

    # --- behaviours: activities and events ----------------------------------------------------------------------------------

    def _pass(self, token: Token, node: Node) -> None:
        self.passed(token, node)
        self.done(token, node)

    def _user_task(self, token: Token, node: Node) -> None:
        waits.arm(self, token, node)
        self.opened.add(token.number)
        work = node.work
        if work is not None and work.escalate_after is not None:
            due_at = waits.due(self, work.escalate_after, token.scope)
            self.changes.timers.append(OpenedTimer(token.number, node.id, due_at, escalates=True))
        self.entered(token, node)
        self.changes.tasks.append(OpenedTask(token.number, node))

    def _service_task(self, token: Token, node: Node) -> None:
        payload = self.input(node, token.scope)
        if payload is None and token.scope:
            payload = dict(self.context(token.scope))
        waits.arm(self, token, node)
        self.entered(token, node)
        self.opened.add(token.number)
        self.changes.jobs.append(OpenedJob(token.number, node.id, "handler", payload=payload))

    def _send_task(self, token: Token, node: Node) -> None:
        if node.service is not None:
            self._service_task(token, node)
            return
        waits.arm(self, token, node)
        self.opened.add(token.number)
        self._send(token.number, node, token.scope)
        self.entered(token, node)

    def _throw_message(self, token: Token, node: Node) -> None:
        self._send(None, node, token.scope)
        self._pass(token, node)

    def _send(self, number: int | None, node: Node, scope: int) -> None:
        name = node.message.name if node.message else ""
        key, payload = waits.correlation(self, node, scope), self.input(node, scope) or {}
        self.changes.jobs.append(OpenedJob(number, node.id, "message", message=name, correlation=key, payload=payload))

    def input(self, node: Node, scope: int) -> dict[str, object] | None:
        """Evaluate ``furong:input``; None when the element has none and takes all variables."""
        if node.input is None:
            return None
        found = self.evaluate(node.input, node.id, scope)
        if not isinstance(found, dict):
            raise StuckError("input_no_context", f"The input of {node.id} is not a context.")
        return found

    def _wait_event(self, token: Token, node: Node) -> None:
        waits.listen(self, token, node)
        waits.arm(self, token, node)
        self.entered(token, node)

    def _event_gateway(self, token: Token, node: Node) -> None:
        for flow in node.outgoing:
            waits.listen(self, token, self.definition.nodes[flow.target])
        self.entered(token, node)

    def _business_rule(self, token: Token, node: Node) -> None:
        if node.decision is None:
            raise StuckError("decision_missing", f"{node.id} names no decision.")
        resource, decision = node.decision
        context = self.input(node, token.scope)
        found = self.host.decide(
            resource, decision, self.context(token.scope) if context is None else context, self.now
        )
        self._give(token, node, found)

    def _script(self, token: Token, node: Node) -> None:
        if node.script is None:
            raise StuckError("script_missing", f"{node.id} has no script.")
        self._give(token, node, self.evaluate(node.script, node.id, token.scope))

    def _give(self, token: Token, node: Node, found: object) -> None:
        if node.result:
            self.assign({node.result: found}, token.scope)
        elif isinstance(found, dict):
            self.assign(found, token.scope)
        self._pass(token, node)

    # --- behaviours: ends ---------------------------------------------------------------------------------------------------

    def end(self, token: Token, node: Node) -> None:
        """Let a token end."""
        self.passed(token, node)
        self.drop(token)
        nesting.look_at(self, token.scope)

    def _message_end(self, token: Token, node: Node) -> None:
        self._send(None, node, token.scope)
        self.end(token, node)

    def _terminate(self, token: Token, node: Node) -> None:
        """End at once the process, sub-process or called process it lies in (13.5.6)."""
        self.passed(token, node)
        self.drop(token)
        scope = token.scope
        nesting.cancel_scopes(self, [scope], silently=self.ready)
        nesting.look_at(self, scope)


_ENTER: dict[NodeKind, Callable[[Run, Token, Node], None]] = {
    NodeKind.START: Run._pass,
    NodeKind.MESSAGE_START: Run._pass,
    NodeKind.TIMER_START: Run._pass,
    NodeKind.EVENT_START: Run._pass,
    NodeKind.PASS: Run._pass,
    NodeKind.USER_TASK: Run._user_task,
    NodeKind.SERVICE_TASK: Run._service_task,
    NodeKind.SEND_TASK: Run._send_task,
    NodeKind.RECEIVE_TASK: Run._wait_event,
    NodeKind.CATCH_TIMER: Run._wait_event,
    NodeKind.CATCH_MESSAGE: Run._wait_event,
    NodeKind.BUSINESS_RULE_TASK: Run._business_rule,
    NodeKind.SCRIPT_TASK: Run._script,
    NodeKind.EXCLUSIVE: gateways.exclusive,
    NodeKind.PARALLEL: gateways.parallel,
    NodeKind.INCLUSIVE: gateways.inclusive,
    NodeKind.EVENT_GATEWAY: Run._event_gateway,
    NodeKind.THROW_MESSAGE: Run._throw_message,
    NodeKind.THROW_ESCALATION: catching.escalate,
    NodeKind.THROW_COMPENSATION: undoing.throw,
    NodeKind.END: Run.end,
    NodeKind.MESSAGE_END: Run._message_end,
    NodeKind.TERMINATE_END: Run._terminate,
    NodeKind.ERROR_END: catching.end_in_error,
    NodeKind.ESCALATION_END: catching.escalate,
    NodeKind.COMPENSATION_END: undoing.throw,
    **dict.fromkeys(CONTAINERS, nesting.go_inside),
}
