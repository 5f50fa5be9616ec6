"""Moves tokens. Pure: given a definition, the tokens of an instance and one stimulus, it says what changes; it knows no database.

A token stands at one element. A stimulus (start, a task done, an event, an error) moves it, and it runs on until every
token waits: at an element that a row will wake, at a join that lacks tokens, or at an incident. One call is one step; the
caller makes it durable.
Every element kind has one behaviour in `_ENTER`, which is where the rest of BPMN is added.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Protocol

from furong.domains.processes.errors import EngineError, StuckError
from furong.domains.processes.values.elements import NodeKind
from furong.domains.processes.values.graph import Expression, Flow, Node, ProcessDefinition
from furong.domains.processes.variables import as_json
from furong.foundation.calendar.values import Calendar
from furong.foundation.feel import FeelLimitReached

# A diagram cannot loop without a wait, so only a very large one comes near this in one step.
MOST_MOVES = 100_000


class LogKind(IntEnum):
    """What the event log says of an element; kept in rows, so a number never changes its meaning."""

    ENTERED = 1
    COMPLETED = 2
    CANCELLED = 3
    PASSED = 4  # entered and completed in one moment
    STUCK = 5
    MERGED = 6  # a token that a join took into another
    STARTED = 7  # the instance
    ENDED = 8  # the instance


@dataclass(slots=True)
class Token:
    """Where an instance stands. ``number`` is its own within the instance; ``scope`` 0 is the process itself."""

    number: int
    element: str
    arrived_by: str = ""
    scope: int = 0
    stuck: bool = False  # an incident holds it until it is retried


@dataclass(slots=True)
class OpenedTask:
    token: int
    node: Node


@dataclass(slots=True)
class OpenedTimer:
    token: int
    element: str
    due_at: datetime
    escalates: bool = False


@dataclass(slots=True)
class OpenedSubscription:
    token: int
    element: str
    message: str
    correlation: str


@dataclass(slots=True)
class OpenedJob:
    """Work for a worker: a handler's call, a message to send, or (``reason``) an element that is stuck until it is retried."""

    token: int | None
    element: str
    kind: str  # "handler", "message" or "element"
    message: str = ""
    correlation: str = ""
    payload: Mapping[str, object] | None = None
    reason: str = ""
    detail: str = ""


@dataclass(slots=True)
class Changes:
    """What one step did, for the store to write."""

    tasks: list[OpenedTask] = field(default_factory=list)
    timers: list[OpenedTimer] = field(default_factory=list)
    subscriptions: list[OpenedSubscription] = field(default_factory=list)
    jobs: list[OpenedJob] = field(default_factory=list)
    left: dict[int, tuple[Node, bool]] = field(default_factory=dict)  # token → (the element it left, completed?)
    unstuck: set[int] = field(default_factory=set)  # tokens whose incident is over
    log: list[tuple[LogKind, str, str, int]] = field(default_factory=list)  # kind, element, arrived by, token
    variables: dict[str, object] = field(default_factory=dict)


class Host(Protocol):
    """What the interpreter asks of its surroundings; nothing in it writes."""

    @property
    def business_key(self) -> str: ...

    def decide(self, resource: str, decision: str, context: Mapping[str, object], now: datetime) -> object: ...

    def calendar(self) -> Calendar: ...


class Run:
    """One step of one instance, in memory. Make one, give it one stimulus, read ``tokens`` and ``changes``."""

    __slots__ = ("_moves", "_next", "_ready", "changes", "definition", "host", "now", "tokens", "variables")

    def __init__(
        self,
        definition: ProcessDefinition,
        *,
        tokens: dict[int, Token],
        next_token: int,
        variables: dict[str, object],
        now: datetime,
        host: Host,
    ) -> None:
        self.definition = definition
        self.tokens = tokens
        self.variables = variables
        self.now = now
        self.host = host
        self.changes = Changes()
        self._next = next_token
        self._ready: deque[Token] = deque()
        self._moves = 0

    # --- stimuli ------------------------------------------------------------------------------------------------------------

    @property
    def next_token(self) -> int:
        return self._next

    @property
    def ended(self) -> bool:
        return not self.tokens

    def start(self, element: str | None = None) -> None:
        """Put the first token on the start event (or on ``element``, a message start) and run."""
        self.changes.log.append((LogKind.STARTED, self.definition.code, "", 0))
        self._ready.append(self._new_token(element or self.definition.start, ""))
        self._advance()

    def complete(self, number: int, variables: Mapping[str, object]) -> None:
        """End the work at which token ``number`` waits, with what it gave, and run on."""
        token, node = self._at(number)
        self._assign(variables)
        self._leave(token, node, completed=True)
        self._go_on(token, node)
        self._advance()

    def fire(self, number: int, element: str, variables: Mapping[str, object]) -> None:
        """Let the event ``element`` (own, boundary, or behind an event gateway) happen to token ``number``, and run on."""
        token, host = self._at(number)
        self._assign(variables)
        if element == token.element:
            self._leave(token, host, completed=True)
            self._go_on(token, host)
        elif host.kind is NodeKind.EVENT_GATEWAY:
            self._leave(token, host, completed=True)
            self._catch(token, self.definition.nodes[element])
        else:
            event = self.definition.nodes[element]
            if event.interrupting:
                self._leave(token, host, completed=False)
            else:
                token = self._new_token(element, "")
            self._catch(token, event)
        self._advance()

    def error(self, number: int, code: str, variables: Mapping[str, object]) -> bool:
        """Let the work of token ``number`` end in a business error; False when no boundary event catches it."""
        _token, host = self._at(number)
        events = [self.definition.nodes[name] for name in host.boundary]
        errors = [event for event in events if event.kind is NodeKind.BOUNDARY_ERROR]
        caught = next((event for event in errors if event.error_code == code), None)
        caught = caught or next((event for event in errors if event.error_code is None), None)
        if caught is None:
            return False
        self.fire(number, caught.id, variables)
        return True

    def retry(self, number: int) -> None:
        """Let token ``number``, stuck at its element, try it again."""
        token, _ = self._at(number)
        self._free(token)
        self._ready.append(token)
        self._advance()

    def skip(self, number: int, variables: Mapping[str, object]) -> None:
        """Let token ``number``, stuck or with failed work, go on as if its element were done, along its first or default flow."""
        token, node = self._at(number)
        self._assign(variables)
        self._leave(token, node, completed=False)
        if node.kind in {NodeKind.EXCLUSIVE, NodeKind.INCLUSIVE} and len(node.outgoing) > 1:
            flow = next((f for f in node.outgoing if f.id == node.default), node.outgoing[0])
            self._move(token, flow)
        else:
            self._go_on(token, node)
        self._advance()

    def cancel(self) -> None:
        """Take all tokens away; what they waited for is cancelled."""
        for token in list(self.tokens.values()):
            self._leave(token, self.definition.nodes[token.element], completed=False)
            del self.tokens[token.number]
        self._finish()

    # --- the loop -----------------------------------------------------------------------------------------------------------

    def _at(self, number: int) -> tuple[Token, Node]:
        token = self.tokens.get(number)
        if token is None:
            raise EngineError(f"There is no token {number}.")
        node = self.definition.nodes.get(token.element)
        if node is None:
            raise EngineError(f"A token stands at {token.element}, which the definition lacks.")
        return token, node

    def _new_token(self, element: str, arrived_by: str) -> Token:
        token = Token(self._next, element, arrived_by)
        self.tokens[token.number] = token
        self._next += 1
        return token

    def _assign(self, variables: Mapping[str, object]) -> None:
        if variables:
            plain = as_json(variables)  # as the next step will read them
            self.variables.update(plain)
            self.changes.variables.update(plain)

    def _advance(self) -> None:
        ready, nodes = self._ready, self.definition.nodes
        while True:
            while ready:
                token = ready.popleft()
                if token.number not in self.tokens:
                    continue  # a terminate end took it
                self._moves += 1
                if self._moves > MOST_MOVES:
                    raise EngineError(f"One step of {self.definition.code} passed {MOST_MOVES} moves.")
                node = nodes[token.element]
                try:
                    _ENTER[node.kind](self, token, node)
                except StuckError as exc:
                    self._stop(token, node, exc)
            if not self.definition.reach or not self._release_inclusive():
                break
        if not self.tokens:
            self._finish()

    def _finish(self) -> None:
        self.changes.log.append((LogKind.ENDED, self.definition.code, "", 0))

    def _stop(self, token: Token, node: Node, why: StuckError) -> None:
        """Park a token at the element it could not pass; an administrator mends the cause and retries."""
        self._forget(token.number)
        token.stuck = True
        self.changes.log.append((LogKind.STUCK, node.id, token.arrived_by, token.number))
        self.changes.jobs.append(OpenedJob(token.number, node.id, "element", reason=why.reason, detail=str(why)[:500]))

    def _move(self, token: Token, flow: Flow) -> None:
        token.element = flow.target
        token.arrived_by = flow.id
        self._ready.append(token)

    def _go_on(self, token: Token, node: Node) -> None:
        """Send a token out along every outgoing flow; it goes itself along the first."""
        flows = node.outgoing
        self._move(token, flows[0])
        for flow in flows[1:]:
            self._ready.append(self._new_token(flow.target, flow.id))

    def _passed(self, token: Token, node: Node) -> None:
        self.changes.log.append((LogKind.PASSED, node.id, token.arrived_by, token.number))

    def _entered(self, token: Token, node: Node) -> None:
        self.changes.log.append((LogKind.ENTERED, node.id, token.arrived_by, token.number))

    def _catch(self, token: Token, event: Node) -> None:
        token.element, token.arrived_by = event.id, ""
        self._passed(token, event)
        self._go_on(token, event)

    def _leave(self, token: Token, node: Node, *, completed: bool) -> None:
        """Note that a token leaves where it waited, so that all rows that could wake it there go too."""
        changes, number = self.changes, token.number
        kind = LogKind.COMPLETED if completed else LogKind.CANCELLED
        changes.log.append((kind, node.id, token.arrived_by, number))
        changes.left[number] = (node, completed)
        self._forget(number)
        self._free(token)

    def _free(self, token: Token) -> None:
        if token.stuck:
            token.stuck = False
            self.changes.unstuck.add(token.number)

    def _forget(self, number: int) -> None:
        """Drop what was opened in this very step and is cut short in it: it never becomes a row."""
        changes = self.changes
        changes.tasks = [t for t in changes.tasks if t.token != number]
        changes.timers = [t for t in changes.timers if t.token != number]
        changes.subscriptions = [s for s in changes.subscriptions if s.token != number]
        changes.jobs = [j for j in changes.jobs if j.token != number]

    # --- behaviours ---------------------------------------------------------------------------------------------------------

    def _pass(self, token: Token, node: Node) -> None:
        self._passed(token, node)
        self._go_on(token, node)

    def _arm(self, token: Token, node: Node) -> None:
        """Open the rows that can wake a token from outside while it waits at ``node``."""
        for name in node.boundary:
            self._listen(token, self.definition.nodes[name])

    def _listen(self, token: Token, event: Node) -> None:
        if event.timer is not None:
            try:
                due_at = event.timer.due_at(variables=self.variables, now=self.now, calendar=self.host.calendar)
            except (ValueError, OverflowError) as exc:
                raise StuckError("timer_invalid", str(exc)) from exc
            self.changes.timers.append(OpenedTimer(token.number, event.id, due_at))
        elif event.message is not None:
            key = self._correlation(event)
            self.changes.subscriptions.append(OpenedSubscription(token.number, event.id, event.message.name, key))

    def _correlation(self, node: Node) -> str:
        rule = node.message
        if rule is None or rule.correlation is None:
            return self.host.business_key
        found = self._evaluate(rule.correlation, node.id)
        if found is None or isinstance(found, dict | list):
            raise StuckError("correlation_missing", f"The correlation of {node.id} gives no key.")
        return str(found)

    def _user_task(self, token: Token, node: Node) -> None:
        self._arm(token, node)
        work = node.work
        if work is not None and work.escalate_after is not None:
            try:
                due_at = work.escalate_after.due_at(variables=self.variables, now=self.now, calendar=self.host.calendar)
            except (ValueError, OverflowError) as exc:
                raise StuckError("timer_invalid", str(exc)) from exc
            self.changes.timers.append(OpenedTimer(token.number, node.id, due_at, escalates=True))
        self._entered(token, node)
        self.changes.tasks.append(OpenedTask(token.number, node))

    def _service_task(self, token: Token, node: Node) -> None:
        payload = self._input(node)
        self._arm(token, node)
        self._entered(token, node)
        self.changes.jobs.append(OpenedJob(token.number, node.id, "handler", payload=payload))

    def _send_task(self, token: Token, node: Node) -> None:
        if node.service is not None:
            self._service_task(token, node)
            return
        self._arm(token, node)
        self._send(token.number, node)
        self._entered(token, node)

    def _throw_message(self, token: Token, node: Node) -> None:
        self._send(None, node)
        self._pass(token, node)

    def _send(self, number: int | None, node: Node) -> None:
        name = node.message.name if node.message else ""
        self.changes.jobs.append(
            OpenedJob(
                number,
                node.id,
                "message",
                message=name,
                correlation=self._correlation(node),
                payload=self._input(node) or {},
            )
        )

    def _input(self, node: Node) -> dict[str, object] | None:
        """Evaluate ``furong:input``; None when the element has none and takes all variables."""
        if node.input is None:
            return None
        found = self._evaluate(node.input, node.id)
        if not isinstance(found, dict):
            raise StuckError("input_no_context", f"The input of {node.id} is not a context.")
        return found

    def _evaluate(self, expression: Expression, element: str) -> object:
        try:
            return expression.evaluate(self.variables, now=self.now)
        except FeelLimitReached as exc:
            raise StuckError("expression_failed", f"{element}: {exc}") from exc

    def _wait_event(self, token: Token, node: Node) -> None:
        self._listen(token, node)
        self._arm(token, node)
        self._entered(token, node)

    def _event_gateway(self, token: Token, node: Node) -> None:
        for flow in node.outgoing:
            self._listen(token, self.definition.nodes[flow.target])
        self._entered(token, node)

    def _business_rule(self, token: Token, node: Node) -> None:
        resource, decision = node.decision or ("", "")
        context = self._input(node)
        given = self.variables if context is None else context
        found = self.host.decide(resource, decision, given, self.now)
        if node.result:
            self._assign({node.result: found})
        elif isinstance(found, dict):
            self._assign(found)
        self._pass(token, node)

    def _is_true(self, flow: Flow) -> bool:
        if flow.condition is None:
            return True
        found = self._evaluate(flow.condition, flow.id)
        if found is True:
            return True
        if found is False:
            return False
        # A missing variable makes a condition null. Taking the default then would misroute a case in silence.
        raise StuckError("condition_not_boolean", f"The condition of {flow.id} is neither true nor false.")

    def _exclusive(self, token: Token, node: Node) -> None:
        taken: Flow | None = None
        if len(node.outgoing) == 1:
            taken = node.outgoing[0]
        else:
            for flow in node.outgoing:
                if flow.id != node.default and self._is_true(flow):
                    taken = flow
                    break
            else:
                taken = next((flow for flow in node.outgoing if flow.id == node.default), None)
        if taken is None:
            raise StuckError("no_way_taken", f"No condition of {node.id} is true, and it has no default.")
        self._passed(token, node)
        self._move(token, taken)

    def _parallel(self, token: Token, node: Node) -> None:
        if len(node.incoming) > 1 and not self._join_all(token, node):
            return
        self._pass(token, node)

    def _join_all(self, token: Token, node: Node) -> bool:
        """Take one token of each incoming flow into ``token``; False while a flow lacks one."""
        first: dict[str, Token] = {}
        for other in self.tokens.values():
            if other.element == node.id and other.scope == token.scope:
                best = first.get(other.arrived_by)
                if best is None or other.number < best.number:
                    first[other.arrived_by] = other
        if len(first) < len(node.incoming):
            return False
        first[token.arrived_by] = token
        self._merge(token, [other for other in first.values() if other is not token], node)
        return True

    def _merge(self, token: Token, others: list[Token], node: Node) -> None:
        for other in others:
            self.changes.log.append((LogKind.MERGED, node.id, other.arrived_by, other.number))
            del self.tokens[other.number]

    def _inclusive(self, token: Token, node: Node) -> None:
        if len(node.incoming) > 1:
            return  # `_release_inclusive` looks at it once nothing else can move
        self._split_inclusive(token, node)

    def _release_inclusive(self) -> bool:
        """Fire the inclusive joins that no other token can still reach along an empty flow (BPMN 2.0, 13.4.3)."""
        for name, reach in self.definition.reach.items():
            waiting = [t for t in self.tokens.values() if t.element == name]
            if not waiting or any(token.stuck for token in waiting):
                continue
            full = {token.arrived_by for token in waiting}
            others = (reach.get(t.element, frozenset()) for t in self.tokens.values() if t.element != name)
            if any(ways - full and not ways & full for ways in others):
                continue
            node = self.definition.nodes[name]
            first: dict[str, Token] = {}
            for token in sorted(waiting, key=lambda t: t.number):
                first.setdefault(token.arrived_by, token)
            token, *rest = first.values()
            try:
                self._split_inclusive(token, node, merge=rest)
            except StuckError as exc:
                self._stop(token, node, exc)
            return True
        return False

    def _split_inclusive(self, token: Token, node: Node, merge: list[Token] | None = None) -> None:
        flows = node.outgoing
        if len(flows) > 1:
            taken = [f for f in flows if f.id != node.default and self._is_true(f)]
            flows = tuple(taken) or tuple(f for f in flows if f.id == node.default)
            if not flows:
                raise StuckError("no_way_taken", f"No condition of {node.id} is true, and it has no default.")
        self._merge(token, merge or [], node)
        self._passed(token, node)
        self._move(token, flows[0])
        for flow in flows[1:]:
            self._ready.append(self._new_token(flow.target, flow.id))

    def _end(self, token: Token, node: Node) -> None:
        self._passed(token, node)
        del self.tokens[token.number]

    def _message_end(self, token: Token, node: Node) -> None:
        self._send(None, node)
        self._end(token, node)

    def _terminate(self, token: Token, node: Node) -> None:
        self._end(token, node)
        for other in list(self.tokens.values()):
            if other not in self._ready:
                self._leave(other, self.definition.nodes[other.element], completed=False)
            del self.tokens[other.number]


_ENTER: dict[NodeKind, Callable[[Run, Token, Node], None]] = {
    NodeKind.START: Run._pass,
    NodeKind.MESSAGE_START: Run._pass,
    NodeKind.PASS: Run._pass,
    NodeKind.USER_TASK: Run._user_task,
    NodeKind.SERVICE_TASK: Run._service_task,
    NodeKind.SEND_TASK: Run._send_task,
    NodeKind.RECEIVE_TASK: Run._wait_event,
    NodeKind.CATCH_TIMER: Run._wait_event,
    NodeKind.CATCH_MESSAGE: Run._wait_event,
    NodeKind.BUSINESS_RULE_TASK: Run._business_rule,
    NodeKind.EXCLUSIVE: Run._exclusive,
    NodeKind.PARALLEL: Run._parallel,
    NodeKind.INCLUSIVE: Run._inclusive,
    NodeKind.EVENT_GATEWAY: Run._event_gateway,
    NodeKind.THROW_MESSAGE: Run._throw_message,
    NodeKind.END: Run._end,
    NodeKind.MESSAGE_END: Run._message_end,
    NodeKind.TERMINATE_END: Run._terminate,
}
