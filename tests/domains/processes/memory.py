"""An instance in memory: the interpreter without a database, for properties and for the comparison with SpiffWorkflow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from furong.domains.processes.interpreter import LogKind, Run, Token
from furong.domains.processes.values import NodeKind, ProcessDefinition
from furong.foundation.calendar.values import Calendar
from tests.domains.processes.conftest import CALENDAR

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Surroundings:
    business_key: str = "memory"

    def decide(self, resource: str, decision: str, context: Mapping[str, object], now: datetime) -> object:
        raise AssertionError("no decision is asked here")

    def calendar(self) -> Calendar:
        return CALENDAR


@dataclass
class Memory:
    """Runs a definition step by step; ``open`` maps element to the tokens that wait there at a user task."""

    definition: ProcessDefinition
    variables: dict[str, Any]
    tokens: dict[int, Token] = field(default_factory=dict)
    next_token: int = 1
    open: dict[int, str] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)
    ended: bool = False
    incidents: list[str] = field(default_factory=list)

    def start(self) -> None:
        self._step(lambda run: run.start())

    def complete(self, token: int, **given: object) -> None:
        self._step(lambda run: run.complete(token, given))

    def complete_element(self, element: str) -> None:
        self.complete(min(token for token, name in self.open.items() if name == element))

    @property
    def waiting(self) -> Counter[str]:
        return Counter(self.open.values())

    def _step(self, stimulus: Any) -> None:
        assert not self.ended
        copies = {n: Token(t.number, t.element, t.arrived_by, t.scope, t.stuck) for n, t in self.tokens.items()}
        run = Run(
            self.definition,
            tokens=copies,
            next_token=self.next_token,
            variables=dict(self.variables),
            now=NOW,
            host=Surroundings(),
        )
        stimulus(run)
        for token in run.changes.left:
            self.open.pop(token, None)
        for task in run.changes.tasks:
            assert task.token not in self.open, "two tasks for one token"
            self.open[task.token] = task.node.id
        self.incidents += [job.element for job in run.changes.jobs if job.kind == "element"]
        for kind, element, _, _ in run.changes.log:
            if kind in {LogKind.COMPLETED, LogKind.PASSED}:
                self.done[element] += 1
        self.tokens, self.next_token, self.variables, self.ended = (
            run.tokens,
            run.next_token,
            run.variables,
            run.ended,
        )
        self._check()

    def _check(self) -> None:
        """Token conservation: every token waits at an open task or at a join that lacks others; none is anywhere else."""
        assert self.ended == (not self.tokens)
        assert set(self.open) <= set(self.tokens)
        for number, token in self.tokens.items():
            node = self.definition.nodes[token.element]
            if number in self.open:
                assert node.kind is NodeKind.USER_TASK
            else:
                assert node.kind in {NodeKind.PARALLEL, NodeKind.INCLUSIVE}
                assert len(node.incoming) > 1
                arrived = {t.arrived_by for t in self.tokens.values() if t.element == token.element}
                if node.kind is NodeKind.PARALLEL:
                    assert len(arrived) < len(node.incoming), "a join that could fire did not"
