"""Generated diagrams that nest, repeat and interrupt: against SpiffWorkflow, and the rows against the memory."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from furong.domains.processes import definitions, engine, ports, store
from furong.domains.processes.interpreter import Run
from furong.domains.processes.store import Loaded
from furong.domains.processes.values import parse_bpmn
from furong.domains.processes.values.graph import Node
from tests.domains.processes.memory import Memory
from tests.domains.processes.nested_blocks import Block, DrawnNested, draw_nested, nested_blocks
from tests.domains.processes.oracle import compare
from tests.domains.processes.support import LIVE_TABLES, NOW, invariants, publish, rows, state_is_empty

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]
MOST_STEPS = 40
MANY = int(os.environ.get("FURONG_EXAMPLES", "60"))


@settings(max_examples=MANY, deadline=None, suppress_health_check=SLOW)
@given(block=nested_blocks(oracle=True), data=st.data())
def test_generated_nested_diagrams_run_as_in_spiffworkflow(block: Block, data: Any) -> None:
    drawn = draw_nested(block, lambda n: data.draw(st.integers(0, n - 1)))
    compare(drawn.xml, drawn.variables, lambda now: data.draw(st.sampled_from(now)), most=200)


def _nothing(call: ports.ServiceCall) -> None:
    """Stands for the handler; the test itself says how its work ends."""


# --- what can happen to an instance, in memory and on rows ------------------------------------------------------------------


def empty() -> None:
    """Take away what an example that failed left, so that the next one does not fail for it."""
    for table in reversed(LIVE_TABLES):
        rows(f"WITH gone AS (DELETE FROM processes_{table}) SELECT 1")
    rows("WITH gone AS (DELETE FROM processes_job) SELECT 1")


class Rows:
    """The same instance on rows, with only what lies around a token read, and the same stimuli."""

    def __init__(self, drawn: DrawnNested) -> None:
        published = definitions.by_digest(publish(drawn.xml).digest)
        self.step = engine.start(definition=published, business_key="memory", variables=drawn.variables, now=NOW)
        self.instance: UUID = self.step.instance_id
        self.now = NOW

    def row(self, table: str, token: int, element: str) -> UUID:
        found = rows(
            f"SELECT id FROM processes_{table} WHERE instance_id = %s AND token = %s AND element_id = %s",
            self.instance,
            token,
            element,
        )
        assert len(found) == 1, (table, token, element)
        return UUID(str(found[0][0]))

    def complete(self, token: int, element: str, variables: dict[str, object]) -> None:
        self.step = engine.complete_task(task_id=self.row("task", token, element), variables=variables, now=NOW)

    def fire(self, token: int, element: str) -> None:
        self.now += timedelta(days=10)
        step, _ = engine.fire_timer(timer_id=self.row("timer", token, element), now=self.now)
        assert step is not None
        self.step = step

    def send(self, token: int, element: str) -> None:
        step = engine.deliver(subscription_id=self.row("subscription", token, element), payload={}, now=NOW, by=None)
        assert step is not None
        self.step = step

    def job(self, token: int, element: str, error: str) -> bool:
        def move(run: Run, node: Node, found: Loaded) -> bool:
            if error:
                return run.error(token, error, {"error_code": error})
            run.complete(token, {})
            return True

        step = engine.with_job(job_id=self.row("job", token, element), now=NOW, move=move)
        self.step = step or self.step
        return step is not None

    def cancel(self, *, undo: bool) -> None:
        self.step = engine.cancel(instance_id=self.instance, reason="withdrawn", now=NOW, by=None, undo=undo)


def same(memory: Memory, on_rows: Rows) -> None:
    """Tokens, scopes, what waits, variables and the log are the same."""
    invariants()
    instance = on_rows.instance
    log = rows(
        "SELECT kind, element_id, arrived_by, token FROM processes_log WHERE instance_id = %s ORDER BY id", instance
    )
    assert log == [(int(kind), *rest) for kind, *rest in memory.log]
    tokens = rows(
        "SELECT number, element_id, scope, stuck FROM processes_token WHERE instance_id = %s ORDER BY 1", instance
    )
    assert tokens == [(t.number, t.element, t.scope, t.stuck) for _, t in sorted(memory.tokens.items())]
    scopes = rows(
        "SELECT number, parent, kind, host, done FROM processes_scope WHERE instance_id = %s ORDER BY 1", instance
    )
    assert scopes == [(s.number, s.parent, int(s.kind), s.host, s.done) for _, s in sorted(memory.scopes.items())]
    for table, mine in (
        ("task", [(token, element) for token, element in memory.open.items()]),
        ("timer", [(t.token, t.element) for t in memory.timers]),
        ("subscription", [(s.token, s.element) for s in memory.subscriptions]),
        ("job", [(j.token, j.element) for j in memory.jobs]),
    ):
        found = rows(f"SELECT token, element_id FROM processes_{table} WHERE instance_id = %s", instance)
        assert sorted(found) == sorted(mine), table
    if memory.ended:
        assert on_rows.step.ending == memory.ending
        state_is_empty()
        kept = rows("SELECT variables::text FROM processes_instance_ended WHERE id = %s", instance)
    else:
        kept = rows("SELECT variables::text FROM processes_instance WHERE id = %s", instance)
    assert store.variable_values.load(kept[0][0]) == memory.variables


def act(memory: Memory, on_rows: Rows, drawn: DrawnNested, done: dict[str, int], data: Any) -> None:
    """Let one thing happen to both."""
    now: list[tuple[Any, ...]] = [("complete", token, element) for token, element in memory.open.items()]
    now += [("fire", timer.token, timer.element) for timer in memory.timers]
    now += [("send", one.token, one.element) for one in memory.subscriptions]
    now += [("job", one.token, one.element) for one in memory.jobs if one.kind == "handler"]
    if not now:
        now = [("cancel", 0, "")]
    verb, token, element = data.draw(st.sampled_from(now))
    if verb == "complete":
        done[element] = done.get(element, 0) + 1
        given: dict[str, object] = {"last": element}
        if element in drawn.rounds:
            given[f"again_{element}"] = done[element] <= drawn.rounds[element]
        memory.complete(token, **given)
        on_rows.complete(token, element, given)
    elif verb == "fire":
        memory.fire_token(token, element)
        on_rows.fire(token, element)
    elif verb == "send":
        memory.send_token(token, element)
        on_rows.send(token, element)
    elif verb == "job":
        error = data.draw(st.sampled_from(["", "", "E1"]))
        if not error:
            memory.complete(token)
            assert on_rows.job(token, element, "")
        else:
            assert memory.fail(token, error) == on_rows.job(token, element, error)
    else:
        memory.cancel()
        on_rows.cancel(undo=False)


@pytest.mark.usefixtures("database")
@settings(max_examples=MANY, deadline=None, suppress_health_check=SLOW)
@given(block=nested_blocks(), data=st.data())
def test_rows_read_in_part_do_what_the_memory_does(block: Block, data: Any) -> None:
    ports.register_handler("x.y", _nothing)
    empty()
    drawn = draw_nested(block, lambda n: data.draw(st.integers(0, n - 1)))
    definition = parse_bpmn(drawn.xml)
    memory, on_rows = Memory(definition, dict(drawn.variables)), Rows(drawn)
    memory.start()
    same(memory, on_rows)
    done: dict[str, int] = {}
    withdrawn_after = data.draw(st.integers(0, MOST_STEPS))
    for step in range(MOST_STEPS):
        if memory.ended:
            break
        if step == withdrawn_after:
            undo = data.draw(st.booleans())
            memory.cancel(undo=undo)
            on_rows.cancel(undo=undo)
        else:
            act(memory, on_rows, drawn, done, data)
        same(memory, on_rows)
    if not memory.ended:
        memory.cancel()
        on_rows.cancel(undo=False)
        same(memory, on_rows)
