"""The engine on a real PostgreSQL, without rights, audit or news."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction

from furong.domains.processes import definitions, engine, publishing
from tests.domains.processes.diagrams import SEQUENCE

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _fresh(database: object) -> Iterator[None]:
    definitions.forget()
    yield
    definitions.forget()


def rows(sql: str, *params: object) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


def open_tasks(instance: UUID) -> dict[str, UUID]:
    return {e: t for t, e in rows("SELECT id, element_id FROM processes_task WHERE instance_id = %s", instance)}


def begin(xml: bytes, **variables: object) -> engine.Step:
    with transaction.atomic():
        published = publishing.publish(xml=xml, file="test.bpmn", code="test", now=NOW)
        return engine.start(definition=published, business_key="case-1", variables=variables, now=NOW)


def finish(task_id: UUID, **kwargs: Any) -> engine.Step:
    with transaction.atomic():
        return engine.complete_task(task_id=task_id, variables=kwargs.pop("variables", {}), now=NOW, **kwargs)


def test_a_sequence_of_user_tasks_runs_to_its_end() -> None:
    step = begin(SEQUENCE, applicant="x")
    tasks = open_tasks(step.instance_id)
    assert list(tasks) == ["a"]
    finish(tasks["a"], variables={"accepted": True})
    tasks = open_tasks(step.instance_id)
    assert list(tasks) == ["b"]
    last = finish(tasks["b"], outcome="approve")
    assert last.ending == "completed"
    assert last.variables == {"applicant": "x", "accepted": True, "decision": "approve"}
    assert rows("SELECT count(*) FROM processes_instance") == [(0,)]
    assert rows("SELECT count(*) FROM processes_token") == [(0,)]
    assert rows("SELECT element_id, outcome, ending FROM processes_task_closed ORDER BY id") == [
        ("a", "", "completed"),
        ("b", "approve", "completed"),
    ]
