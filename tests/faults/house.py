"""A whole platform of its own for a fault test: a durable cluster, the web server and the worker, as child processes.

It starts what `furong demo` starts, by the same code, in a folder and on ports of its own; what is killed is started again as the
demo does it. Nothing here uses the Django of the tests' process, which points elsewhere: what is looked up afterwards is read by
plain SQL.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from furong.entrypoints.demo import DATABASES, Demo
from furong.entrypoints.postgres import Cluster, free_port

ROOT = Path(__file__).resolve().parents[2]
# Nothing is relaxed: what was acknowledged must survive `kill -9`.
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}


class House:
    """One platform, alive between `start` and `stop`."""

    def __init__(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="furong-faults-"))
        self.cluster = Cluster(self.home / "cluster")
        self.demo = Demo(home=self.home, port=free_port(), cluster=self.cluster, database_settings=DURABLE)

    def start(self, *, couples: int, residents: int = 1000, extra: dict[str, str] | None = None) -> None:
        """Make, fill and start everything, and wait until pages answer."""
        self.cluster.make()
        self.cluster.start(settings=DURABLE)
        for database in DATABASES.values():
            self.cluster.ensure_database(database)
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("FURONG_")}
        self.demo.environment = {
            **inherited,
            **{variable: self.cluster.url(name) for variable, name in DATABASES.items()},
            "FURONG_HOME": str(self.home),
            "FURONG_SECRET_KEY": secrets.token_urlsafe(48),
            "DJANGO_SETTINGS_MODULE": "furong.entrypoints.settings",
            "PYTHONUNBUFFERED": "1",
            "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}",
            **(extra or {}),
        }
        self.run("-m", "tests.faults.filling", str(couples), str(residents))
        for name in ("web", "worker"):
            self.demo.start_child(name)
        self.demo.wait_until_ready()

    @property
    def address(self) -> str:
        return self.demo.address

    def run(self, *words: str, timeout_seconds: float = 280) -> str:
        """Run Python with ``words`` in the house's environment; give what it printed. Fails the test when it fails."""
        done = subprocess.run(
            [sys.executable, *words],
            cwd=ROOT,
            env=self.demo.environment,
            capture_output=True,
            text=True,
            timeout=timeout_seconds,
        )
        assert done.returncode == 0, f"{words}: {done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        return done.stdout

    def stop(self) -> None:
        """Stop everything and remove the folder (kept when ``FURONG_FAULTS_KEEP`` is set)."""
        self.demo.stop()
        if "FURONG_FAULTS_KEEP" not in os.environ:
            shutil.rmtree(self.home, ignore_errors=True)

    # --- faults ---------------------------------------------------------------------------------------------------------------

    def kill(self, victim: str) -> bool:
        """Send SIGKILL to ``web`` (the master), ``web-worker`` (the process that answers), ``worker`` or ``postgres``; say
        whether there was one to kill.
        """
        if victim == "postgres":
            process = self.cluster.process
            pid = process.pid if process is not None and process.poll() is None else None
        else:
            child = self.demo.children.get(victim.removesuffix("-worker") if victim.startswith("web") else victim)
            pid = child.pid if child is not None and child.poll() is None else None
            if pid is not None and victim == "web-worker":
                pid = next(iter(_children_of(pid)), None)
        if pid is None:
            return False
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True

    def tend(self) -> None:
        """Start again what has ended, as the demo does; call it often, from the thread that started the house."""
        self.demo.tend()

    # --- looking ---------------------------------------------------------------------------------------------------------------

    def rows(self, sql: str, parameters: list[Any] | None = None, *, database: str = "furong") -> list[tuple[Any, ...]]:
        """Read by plain SQL from the platform's database or ``furong_population``."""
        with psycopg.connect(self.cluster.url(database), autocommit=True, connect_timeout=5) as connection:
            return connection.execute(sql, parameters).fetchall()  # type: ignore[call-overload,no-any-return]

    def count(self, sql: str, parameters: list[Any] | None = None, *, database: str = "furong") -> int:
        return int(self.rows(sql, parameters, database=database)[0][0])

    def until(self, look: Callable[[], bool], what: str, *, seconds: float) -> None:
        """Tend the house until ``look`` is satisfied. Fails the test, saying ``what`` was waited for."""
        deadline = time.monotonic() + seconds
        while True:
            self.tend()
            try:
                if look():
                    return
            except psycopg.OperationalError:
                pass  # the server is being started again
            assert time.monotonic() < deadline, f"waited {seconds:.0f} s in vain: {what}"
            time.sleep(0.1)


def _children_of(pid: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(words[1]) == pid:
            found.append(int(path.parent.name))
    return found
