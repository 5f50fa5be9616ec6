"""Whether this machine can serve: its databases answer, their tables are of this version, and a worker lives."""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connections
from django.db.migrations.executor import MigrationExecutor

WORKER_SILENT_AFTER_SECONDS = 90

_migrated: set[str] = set()  # databases found up to date; a process never sees older code


def look() -> dict[str, Any]:
    """Look at each part and say ``ok`` or what is wrong, without names of hosts or databases' own words."""
    parts: dict[str, Any] = {}
    for alias in settings.OWN_DATABASES:
        parts[f"database.{alias}"] = _database(alias)
    parts["worker"] = _worker() if parts["database.default"]["status"] == "ok" else {"status": "unknown"}
    good = all(part["status"] in {"ok", "none"} for part in parts.values())
    return {"status": "ok" if good else "failing", "parts": parts}


def _database(alias: str) -> dict[str, Any]:
    started = time.perf_counter()
    try:
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT 1")
        if alias not in _migrated:
            executor = MigrationExecutor(connections[alias])
            plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
            if plan:
                return {"status": "failing", "reason": "migrations are waiting", "count": len(plan)}
            _migrated.add(alias)
    except DatabaseError:
        connections[alias].close()
        return {"status": "failing", "reason": "does not answer"}
    return {"status": "ok", "ms": round((time.perf_counter() - started) * 1000, 1)}


def _worker() -> dict[str, Any]:
    # procrastinate's workers write a heartbeat each ten seconds.
    try:
        with connections["default"].cursor() as cursor:
            cursor.execute(
                "SELECT count(*), extract(epoch FROM now() - max(last_heartbeat)) FROM procrastinate_workers"
            )
            count, silent = cursor.fetchone() or (0, None)
    except DatabaseError:
        return {"status": "unknown"}
    if not count:
        return {"status": "failing", "reason": "no worker has started"}
    if silent is None or silent > WORKER_SILENT_AFTER_SECONDS:
        return {"status": "failing", "reason": "silent", "seconds": round(float(silent or 0))}
    return {"status": "ok", "count": count}
