from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.db import connection, connections, transaction

from furong.foundation.access.values import Actor, Basis
from furong.foundation.audit import commands
from furong.foundation.audit.commands import command, current
from furong.foundation.codes.errors import Refusal
from furong.foundation.codes.ids import new_id

NOW = datetime(2026, 11, 3, 8, 30, tzinfo=UTC)
pytestmark = pytest.mark.usefixtures("database")


class Closed(Refusal):
    code = "test.closed"


def rows(sql: str, params: list[object] | None = None, alias: str = "default") -> list[tuple[object, ...]]:
    with connections[alias].cursor() as cursor:
        cursor.execute(sql, params or [])
        return cursor.fetchall()


@command("test.put_file")
def put_file(*, digest: str, actor: Actor, now: datetime, refuse: bool = False) -> str:
    current().object("file", digest)
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO storage_file VALUES (%s, 1, 'text/plain', %s)", [digest, now])
    if refuse:
        raise Closed
    return digest


def test_a_commands_entry_commits_with_it() -> None:
    put_file(digest="a" * 64, actor=Actor.system("test"), now=NOW)
    assert rows("SELECT name, outcome, object_id FROM audit_entry") == [("test.put_file", "done", "a" * 64)]
