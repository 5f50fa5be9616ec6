"""One PostgreSQL cluster a test run, a migrated template, and a copy of it for each worker and each test that wants one.

Commits are real: what a test sees is what production sees. The cluster belongs to the process that starts the run; workers of
pytest-xdist inherit its address through the environment.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from furong.entrypoints.postgres import Cluster

TEMPLATES = {"default": "furong_template", "population": "furong_population_template"}
# What a test needs of durability is that commits are ordered; the faults suite starts a durable cluster of its own.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}
# The twin of a production worker: "gw0" and so on, or "main" without pytest-xdist.
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "main")

# Databases are copied for each test: in memory that takes a third of the time. Nothing here must survive the run.
MEMORY, ENOUGH_BYTES = Path("/dev/shm"), 4 * 1024**3  # noqa: S108 - a folder of our own is made in it

# Tables that migrations fill and tests must keep.
_KEPT = ("django_migrations", "django_content_type", "auth_permission")

# Empties every table of a database.
EMPTY_TABLES = """
DO $$
DECLARE t record; has_rows boolean; names text := '';
BEGIN
  FOR t IN SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
           WHERE schemaname = 'public' AND tablename <> ALL ('{{{kept}}}') LOOP
    EXECUTE 'SELECT EXISTS (SELECT 1 FROM ' || t.name || ')' INTO has_rows;
    IF has_rows THEN names := names || ',' || t.name; END IF;
  END LOOP;
  IF names <> '' THEN
    -- the audit's guard against TRUNCATE is a trigger; a test's clean-up steps round it on purpose
    SET LOCAL session_replication_role = replica;
    EXECUTE 'TRUNCATE ' || substr(names, 2) || ' RESTART IDENTITY CASCADE';
  END IF;
END $$
""".format(kept=",".join(_KEPT))

_started: Cluster | None = None
_folder: Path | None = None


def start() -> None:
    """Start the run's cluster, once, and tell the workers through the environment."""
    global _started, _folder
    if "FURONG_TEST_PORT" in os.environ:
        return
    in_memory = MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ENOUGH_BYTES
    _folder = Path(tempfile.mkdtemp(prefix="furong-test-", dir=MEMORY if in_memory else None))
    _started = Cluster(_folder)
    _started.make()
    _started.start(settings=FAST)
    os.environ["FURONG_TEST_PORT"] = str(_started.port)
    os.environ["FURONG_TEST_CLUSTER"] = str(_folder)


def stop() -> None:
    """Stop the cluster if this process started it, and remove its folder."""
    if _started is not None and _folder is not None:
        _started.stop()
        shutil.rmtree(_folder, ignore_errors=True)


def cluster() -> Cluster:
    """Give the run's cluster (not started by this object where a worker asks)."""
    return Cluster(Path(os.environ["FURONG_TEST_CLUSTER"]), port=int(os.environ["FURONG_TEST_PORT"]))


def names(suffix: str = WORKER) -> dict[str, str]:
    """Give the database name of each alias for this worker."""
    return {"default": f"furong_{suffix}", "population": f"furong_population_{suffix}"}


def environment(databases: dict[str, str]) -> dict[str, str]:
    """Give the environment that points a process at ``databases`` of this cluster."""
    here = cluster()
    return {
        "FURONG_DATABASE_URL": here.url(databases["default"]),
        "FURONG_POPULATION_DATABASE_URL": here.url(databases["population"]),
    }
