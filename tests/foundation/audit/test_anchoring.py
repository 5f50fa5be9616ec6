from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connections

from furong.foundation.access.errors import AccessRefused
from furong.foundation.access.values import Actor
from furong.foundation.audit import sealer
from furong.foundation.audit.anchoring import EVERY, anchor
from furong.foundation.audit.commands import record_refusal

pytestmark = pytest.mark.usefixtures("database")
NOW = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)


def grow(now: datetime) -> None:
    record_refusal(actor=Actor.system("tests"), what="tests.look", refusal=AccessRefused(), now=now)
    sealer.seal_once("default", now=now)


def noted() -> list[dict[str, object]]:
    with connections["population"].cursor() as cursor:
        cursor.execute(
            "SELECT d.content FROM audit_entry e JOIN audit_detail d ON d.entry_id = e.id "
            "WHERE e.name = 'audit.anchor_head' ORDER BY e.seq"
        )
        return [json.loads(row[0])["detail"] for row in cursor.fetchall()]


def test_a_logs_head_is_noted_in_another_as_it_grows_and_a_rewritten_one_is_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert not anchor(source="default", into="population", now=NOW), "nothing is sealed yet"
    grow(NOW)
    assert anchor(source="default", into="population", now=NOW)
    grow(NOW)
    assert not anchor(source="default", into="population", now=NOW + EVERY / 2), "once a minute"
    later = NOW + EVERY + timedelta(seconds=1)
    assert anchor(source="default", into="population", now=later)
    assert not anchor(source="default", into="population", now=later + 2 * EVERY), "it did not grow"
    assert [one["size"] for one in noted()] == [1, 2]
    with connections["default"].cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")  # somebody who owns the server rewrites the log
        cursor.execute("UPDATE audit_head SET root = decode(repeat('00', 32), 'hex') WHERE size = 2")
        cursor.execute("SET session_replication_role = DEFAULT")
    grow(later)
    caplog.set_level(logging.CRITICAL, "furong.audit")
    logging.getLogger("furong.audit").propagate = True
    assert anchor(source="default", into="population", now=later + 2 * EVERY)
    assert [one["contradicts"] for one in noted()] == [False, False, True]
