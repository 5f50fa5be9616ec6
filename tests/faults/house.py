"""A whole platform of its own for a fault test: a durable cluster, the web server and the worker, as child processes.

It starts what `furong demo` starts, by the same code, in a folder and on ports of its own; what is killed is started again as the
demo does it. Nothing here uses the Django of the tests' process, which points elsewhere: what is looked up afterwards is read by
plain SQL.
"""

from __future__ import annotations

import fcntl
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
# A house that is only filled is made anew when that is cut off.
RELAXED = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class House:
    """One platform, alive between `start` and `stop`."""

    def __init__(self, home: Path | None = None) -> None:
        self.home = home or Path(tempfile.mkdtemp(prefix="furong-faults-"))
        self.cluster = Cluster(self.home / "cluster")
        self.demo = Demo(home=self.home, port=free_port(), cluster=self.cluster, database_settings=DURABLE)

    def start(self, *, couples: int = 16, residents: int = 200, extra: dict[str, str] | None = None) -> None:
        """Start everything as a copy of a filled house (`filled_house`), and wait until pages answer."""
        filled = filled_house(couples, residents)
        subprocess.run(["cp", "-a", "--", f"{filled}/.", str(self.home)], check=True)
        self._point_to(self.home, extra or {})
        self.cluster.start(settings=DURABLE)
        for name in ("web", "worker"):
            self.demo.start_child(name)
        self.demo.wait_until_ready()

    def fill(self, couples: int, residents: int) -> None:
        """Make the databases, fill them, and stop the server cleanly, so that the folder can be copied."""
        self.cluster.make()
        self.cluster.start(settings=RELAXED)
        try:
            for database in DATABASES.values():
                self.cluster.ensure_database(database)
            (self.home / "secret").write_text(secrets.token_urlsafe(48))
            self._point_to(self.home, {})
            self.run("-m", "tests.faults.filling", str(couples), str(residents))
        finally:
            self.cluster.stop()

    def _point_to(self, home: Path, extra: dict[str, str]) -> None:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("FURONG_")}
        self.demo.environment = {
            **inherited,
            **{variable: self.cluster.url(name) for variable, name in DATABASES.items()},
            "FURONG_HOME": str(home),
            "FURONG_SECRET_KEY": (home / "secret").read_text(),
            "DJANGO_SETTINGS_MODULE": "tests.faults.settings",
            "PYTHONUNBUFFERED": "1",
            "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}",
            **extra,
        }

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


def filled_house(couples: int, residents: int) -> Path:
    """Give the folder of a house that is filled and stopped; made once a test run, whichever worker asks first."""
    folder = Path(os.environ["FURONG_TEST_CLUSTER"]) / f"house-{couples}-{residents}"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            making = folder.with_suffix(".making")
            shutil.rmtree(making, ignore_errors=True)
            making.mkdir()
            House(making).fill(couples, residents)
            making.rename(folder)
    return folder


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
