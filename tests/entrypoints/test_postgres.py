"""The embedded cluster: found, made, started, and never left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from furong.entrypoints.postgres import Cluster, PostgresError, find_server, port_is_free

START_AND_WAIT = """
import sys, time
from pathlib import Path
from furong.entrypoints.postgres import Cluster
cluster = Cluster(Path(sys.argv[1]))
cluster.make()
cluster.start(settings={"fsync": "off"})
print(cluster.port, flush=True)
time.sleep(600)
"""


def test_a_server_is_found_and_is_new_enough() -> None:
    assert find_server().major >= 15


def test_an_unknown_preference_is_named_in_one_line() -> None:
    with pytest.raises(PostgresError, match="may be 'system' or 'wheel'"):
        find_server("oracle")


def test_the_wheel_serves_with_what_comes_later_switched_on(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path / "c", server=find_server("wheel"))
    cluster.make()
    cluster.start(settings={"fsync": "off"})
    try:
        with psycopg.connect(cluster.url("postgres")) as connection:
            wal_level = connection.execute("SHOW wal_level").fetchone()
            prepared = connection.execute("SHOW max_prepared_transactions").fetchone()
            slots = connection.execute("SHOW max_replication_slots").fetchone()
        assert wal_level == ("logical",)
        assert prepared is not None
        assert int(prepared[0]) >= 15
        assert slots is not None
        assert int(slots[0]) >= 30
    finally:
        cluster.stop()
    assert port_is_free(cluster.port)


@pytest.mark.skipif(sys.platform != "linux", reason="the parent-death signal is Linux's")
def test_kill_9_of_the_parent_leaves_no_server(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", START_AND_WAIT, str(tmp_path / "c")], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    port = int(parent.stdout.readline())
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 20
    while not port_is_free(port) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert port_is_free(port)


def test_a_cluster_of_another_version_gets_one_clear_line(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path / "c")
    cluster.make()
    (cluster.data / "PG_VERSION").write_text("11\n")
    with pytest.raises(PostgresError, match="made by PostgreSQL 11"):
        Cluster(tmp_path / "c").make()


def test_a_broken_cluster_says_why_and_how_to_start_anew(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path / "c")
    cluster.make()
    (cluster.data / "global" / "pg_control").unlink()
    with pytest.raises(PostgresError, match="--reset"):
        cluster.start()
