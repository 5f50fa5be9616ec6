"""What the tests of the engine share: a clean registry, staff that may, and looking into tables."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from furong.domains.processes import commands, engine, publishing
from furong.foundation.access.commands import set_post_rights
from furong.foundation.access.values import Actor, ActorKind, PostRight
from furong.foundation.codes.ids import new_id

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
SYSTEM = Actor.system("tests")


def rows(sql: str, *params: object) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


def open_tasks(instance: UUID) -> dict[str, UUID]:
    return {e: t for t, e in rows("SELECT id, element_id FROM processes_task WHERE instance_id = %s", instance)}


def publish(xml: bytes, code: str = "test", resources: dict[str, bytes] | None = None) -> Any:
    with transaction.atomic():
        return publishing.publish(xml=xml, file=f"{code}.bpmn", code=code, resources=resources, now=NOW)


def begin(xml: bytes, code: str = "test", resources: dict[str, bytes] | None = None, **variables: object) -> UUID:
    """Publish a process and start an instance with the key ``case-1``."""
    published = publish(xml, code, resources)
    return commands.start_process(
        definition_digest=published.digest, business_key="case-1", variables=variables, actor=SYSTEM, now=NOW
    )


def finish(instance: UUID, element: str, *, now: datetime = NOW, outcome: str = "", **variables: object) -> None:
    """Complete the open task of an element."""
    commands.complete_task(
        task_id=open_tasks(instance)[element], outcome=outcome, variables=variables, actor=SYSTEM, now=now
    )


def staff(organization_id: UUID | None, *rights: str) -> Actor:
    """Give a member of staff whose post has rights over an organization (over everything when it is None)."""
    post_id, account_id = new_id(), new_id()
    given = [
        PostRight(right=right, organization_id=organization_id, everywhere=organization_id is None) for right in rights
    ]
    set_post_rights(post_id=post_id, rights=given, now=NOW)
    return Actor(
        kind=ActorKind.STAFF, account_id=account_id, post_id=post_id, organization_id=organization_id, label="post"
    )


STATE_TABLES = (
    "processes_instance",
    "processes_instance_ended",
    "processes_token",
    "processes_scope",
    "processes_task",
    "processes_task_closed",
    "processes_timer",
    "processes_subscription",
    "processes_job",
    "processes_log",
)


def whole_state() -> dict[str, list[tuple[Any, ...]]]:
    """Give every row of every table that a step writes."""
    return {table: sorted(rows(f"SELECT to_jsonb(t)::text FROM {table} t")) for table in STATE_TABLES}


def invariants() -> None:
    """Check what must hold between any two steps."""
    assert (
        rows(
            """SELECT k.element_id FROM processes_token k
           WHERE NOT k.stuck
             AND NOT EXISTS (SELECT 1 FROM processes_task t WHERE (t.instance_id, t.token) = (k.instance_id, k.number))
             AND NOT EXISTS (SELECT 1 FROM processes_timer t WHERE (t.instance_id, t.token) = (k.instance_id, k.number))
             AND NOT EXISTS (SELECT 1 FROM processes_subscription t WHERE (t.instance_id, t.token) = (k.instance_id, k.number))
             AND NOT EXISTS (SELECT 1 FROM processes_job t WHERE (t.instance_id, t.token) = (k.instance_id, k.number))
             AND NOT EXISTS (SELECT 1 FROM processes_scope s WHERE (s.instance_id, s.host) = (k.instance_id, k.number))
             AND k.element_id NOT LIKE 'join%%'"""
        )
        == []
    ), "a token waits and no row wakes it"
    for table in ("task", "timer", "subscription"):
        assert (
            rows(
                f"""SELECT t.element_id FROM processes_{table} t LEFT JOIN processes_token k
                ON (k.instance_id, k.number) = (t.instance_id, t.token) WHERE k.number IS NULL"""
            )
            == []
        ), f"a {table} has no token"
    assert (
        rows(
            """SELECT s.element_id FROM processes_scope s
           WHERE NOT s.done
             AND NOT EXISTS (SELECT 1 FROM processes_token k WHERE (k.instance_id, k.scope) = (s.instance_id, s.number))
             AND NOT EXISTS (SELECT 1 FROM processes_scope i WHERE (i.instance_id, i.parent) = (s.instance_id, s.number)
                                                               AND NOT i.done)"""
        )
        == []
    ), "a scope in which nothing runs"
    assert (
        rows(
            """SELECT k.element_id FROM processes_token k WHERE k.scope > 0 AND NOT EXISTS
           (SELECT 1 FROM processes_scope s WHERE (s.instance_id, s.number) = (k.instance_id, k.scope))"""
        )
        == []
    ), "a token in a scope that is not there"
    assert (
        rows(
            """SELECT i.id FROM processes_instance i
           WHERE NOT EXISTS (SELECT 1 FROM processes_token k WHERE k.instance_id = i.id)"""
        )
        == []
    ), "an instance without tokens has not ended"


LIVE_TABLES = ("instance", "token", "scope", "task", "timer", "subscription")


def state_is_empty() -> None:
    """Check that instances that are over left no row behind; jobs may stay only as messages that nobody waits for."""
    for table in LIVE_TABLES:
        assert rows(f"SELECT * FROM processes_{table}") == [], f"{table}: a row is left"
    assert rows("SELECT * FROM processes_job WHERE token IS NOT NULL") == [], "a job is left"


__all__ = ["NOW", "SYSTEM", "engine"]
