"""An instance in memory: the interpreter without a database, for properties and for the comparison with SpiffWorkflow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from furong.domains.processes import nesting
from furong.domains.processes.interpreter import LogKind, Run, Token
from furong.domains.processes.scopes import OpenedJob, OpenedSubscription, OpenedTimer, Scope, ScopeKind
from furong.domains.processes.values import NodeKind, ProcessDefinition
from furong.domains.processes.values.elements import CONTAINERS
from furong.foundation.calendar.values import Calendar
from tests.domains.processes.conftest import CALENDAR

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
JOINS = frozenset({NodeKind.PARALLEL, NodeKind.INCLUSIVE})


@dataclass(frozen=True)
class Surroundings:
    business_key: str = "memory"

    def decide(self, resource: str, decision: str, context: Mapping[str, object], now: datetime) -> object:
        raise AssertionError("no decision is asked here")

    def calendar(self) -> Calendar:
        return CALENDAR


@dataclass
class Memory:
    """Runs a definition step by step; ``open`` maps the tokens that wait at a user task to its element.

    After each step it checks what must hold between any two. What waits besides is in ``timers``, ``subscriptions``, ``jobs``.
    """

    definition: ProcessDefinition
    variables: dict[str, Any]
    tokens: dict[int, Token] = field(default_factory=dict)
    scopes: dict[int, Scope] = field(default_factory=dict)
    next_token: int = 1
    open: dict[int, str] = field(default_factory=dict)
    timers: list[OpenedTimer] = field(default_factory=list)
    subscriptions: list[OpenedSubscription] = field(default_factory=list)
    jobs: list[OpenedJob] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)
    log: list[tuple[LogKind, str, str, int]] = field(default_factory=list)
    ended: bool = False
    ending: str = ""
    incidents: list[str] = field(default_factory=list)

    # --- stimuli ------------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        self._step(lambda run: run.start())

    def complete(self, token: int, **given: object) -> None:
        self._step(lambda run: run.complete(token, given))

    def complete_element(self, element: str, **given: object) -> None:
        self.complete(min(token for token, name in self.open.items() if name == element), **given)

    def fire(self, element: str) -> None:
        """Let the oldest timer of an element fire."""
        self.fire_token(next(one.token for one in self.timers if one.element == element), element)

    def fire_token(self, token: int, element: str) -> None:
        """Let the timer of an element at which a token waits fire."""
        timer = next(one for one in self.timers if (one.token, one.element) == (token, element))
        self.timers.remove(timer)
        self._step(lambda run: run.fire(timer.token, element, {}, due_at=timer.due_at, repeats=timer.repeats))

    def send(self, message: str) -> None:
        """Give a message to the one that waits longest."""
        waiting = next(one for one in self.subscriptions if one.message == message)
        self.send_token(waiting.token, waiting.element)

    def send_token(self, token: int, element: str) -> None:
        """Give a token the message for which it waits at an element."""
        waiting = next(one for one in self.subscriptions if (one.token, one.element) == (token, element))
        self.subscriptions.remove(waiting)
        self._step(lambda run: run.fire(token, element, {}))

    def fail(self, token: int, code: str) -> bool:
        """Let the service task at which a token waits end in an error; False when nothing catches it."""
        caught: list[bool] = []
        self._step(lambda run: caught.append(run.error(token, code, {"error_code": code})))
        return caught[0]

    def retry(self, element: str) -> None:
        """Let the token that is stuck at an element try again."""
        job = next(one for one in self.jobs if one.element == element and one.kind == "element")
        self.jobs.remove(job)
        self._step(lambda run: run.retry(job.token))

    def cancel(self, *, undo: bool = False) -> None:
        self._step(lambda run: run.cancel(reason="withdrawn", undo=undo))

    @property
    def waiting(self) -> Counter[str]:
        return Counter(self.open.values())

    # --- one step -----------------------------------------------------------------------------------------------------------

    def _step(self, stimulus: Callable[[Run], object]) -> None:
        assert not self.ended
        run = Run(
            self.definition,
            tokens={n: replace(token) for n, token in self.tokens.items()},
            scopes=deepcopy(self.scopes),
            next_token=self.next_token,
            variables=deepcopy(self.variables),
            now=NOW,
            host=Surroundings(),
        )
        stimulus(run)
        changes = run.changes
        gone = changes.left.keys() | changes.unstuck
        for token in gone:
            self.open.pop(token, None)
        self.timers = [one for one in self.timers if one.token not in gone] + changes.timers
        self.subscriptions = [one for one in self.subscriptions if one.token not in gone] + changes.subscriptions
        self.jobs = [one for one in self.jobs if one.token is None or one.token not in gone] + changes.jobs
        for task in changes.tasks:
            assert task.token not in self.open, "two tasks for one token"
            self.open[task.token] = task.node.id
        self.incidents += [job.element for job in changes.jobs if job.kind == "element"]
        for kind, element, _, _ in changes.log:
            if kind in {LogKind.COMPLETED, LogKind.PASSED}:
                self.done[element] += 1
        self.log += changes.log
        self.tokens, self.next_token, self.variables = run.tokens, run.next_token, run.variables
        self.ended, self.ending = run.ended, run.ending if run.ended else ""
        self.scopes = dict(run.scopes)
        self._check(run)

    def _check(self, run: Run) -> None:
        """Token conservation: every token waits for a row, for a scope, or at a join that lacks others; nothing is left over."""
        rows = [*self.open, *(t.token for t in self.timers), *(s.token for s in self.subscriptions)]
        rows += [job.token for job in self.jobs if job.token is not None]
        assert self.ended == (not self.tokens)
        assert set(rows) <= set(self.tokens), "a row whose token is gone"
        if self.ended:
            assert not self.scopes
            return
        hosts = {one.host for one in self.scopes.values() if one.host and not one.done}
        assert hosts <= set(self.tokens), "a scope whose host is gone"
        for number, token in self.tokens.items():
            node = self.definition.nodes[token.element]
            assert not token.scope or token.scope in self.scopes, f"{token} stands in no scope"
            if number in hosts:
                assert number not in self.open, "a task whose runs are inside"
                assert node.kind in CONTAINERS or node.loop is not None or self._undoes(number), token
            elif number in self.open:
                assert node.kind is NodeKind.USER_TASK
            elif number in rows:
                assert node.kind not in CONTAINERS or token.stuck
            else:
                self._check_join(token)
        self._check_scopes(run)

    def _undoes(self, host: int) -> bool:
        return any(
            one.host == host and one.kind in {ScopeKind.UNDOING, ScopeKind.WITHDRAWAL} for one in self.scopes.values()
        )

    def _check_join(self, token: Token) -> None:
        node = self.definition.nodes[token.element]
        assert node.kind in JOINS, f"nothing wakes {token}"
        assert len(node.incoming) > 1
        here = [t for t in self.tokens.values() if t.element == token.element and t.scope == token.scope]
        if node.kind is NodeKind.PARALLEL:
            assert len({t.arrived_by for t in here}) < len(node.incoming), "a join that could fire did not"

    def _check_scopes(self, run: Run) -> None:
        """Each scope lies in one that is there, and something goes on in it unless it is over."""
        for one in self.scopes.values():
            around = self.scopes.get(one.parent)
            assert not one.parent or around is not None, f"{one} lies in no scope"
            if one.done:
                continue
            inside = [other for other in self.scopes.values() if other.parent == one.number and not other.done]
            tokens = [t for t in self.tokens.values() if t.scope == one.number and not run.listens(t)]
            assert inside or tokens, f"nothing runs in {one}"
            if one.kind is ScopeKind.ONE:
                assert tokens, "a run without its token"
                assert [nesting.is_one_run(run, token) for token in tokens] == [True]
            if one.kind is ScopeKind.SEVERAL:
                runs = [other for other in inside if other.kind is ScopeKind.ONE]
                assert len(runs) == one.data["begun"] - one.data["done"], "runs are not counted"  # type: ignore[operator]
