"""A divided population register for fault tests: each centre and the province a durable cluster of its own, on its own port and,
where the machine allows it, each centre in a network of its own.

What works on it (`tests.faults.citizens`) are child processes, which are killed and started again; what is looked up afterwards
is read by plain SQL, past all of the platform's code.
"""

from __future__ import annotations

import fcntl
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from furong.entrypoints.postgres import Cluster, PostgresError, free_port
from tests.cluster import ENOUGH_BYTES, MEMORY
from tests.faults.house import DURABLE, RELAXED, ROOT
from tests.faults.wires import Wire, WiredCluster, are_allowed

SMALL = {"shared_buffers": "16MB", "max_wal_size": "128MB", "min_wal_size": "32MB", "wal_buffers": "1MB"}
PROVINCE = "province"
DATABASE = "furong_population"
PLATFORM = "furong"


class Province:
    """The clusters of some centres and of their province, alive between `start` and `stop`."""

    def __init__(self, codes: Sequence[str], *, in_memory: bool) -> None:
        self.codes = tuple(codes)
        # A killed process loses nothing that lies in memory either; a disk that others use makes each restart take seconds.
        in_memory = in_memory and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ENOUGH_BYTES
        self.home = Path(tempfile.mkdtemp(prefix="furong-centres-", dir=MEMORY if in_memory else None))
        # Each centre in a network of its own where the machine allows it, so that a link can be cut as a digger cuts it.
        self.wires = {code: Wire(number) for number, code in enumerate(self.codes)} if are_allowed() else {}
        self.clusters: dict[str, Cluster] = {
            code: WiredCluster(self.home / code, self.wires[code]) if self.wires else Cluster(self.home / code)
            for code in self.codes
        }
        self.clusters[PROVINCE] = Cluster(self.home / PROVINCE)
        self.children: dict[str, tuple[list[str], subprocess.Popen[bytes]]] = {}
        self.environment: dict[str, str] = {}
        self.cut: dict[str, float] = {}  # links that are disabled, and until when

    def start(self, *, people: int) -> None:
        """Start the clusters, each a copy of a migrated one, divide the register among them, and settle ``people`` in each."""
        migrated = migrated_cluster()
        for cluster in self.clusters.values():
            subprocess.run(["cp", "-a", "--", str(migrated), str(cluster.folder)], check=True)
            cluster.start(settings=DURABLE | SMALL)
        self.environment = _environment(self.clusters[PROVINCE], self.home) | {
            "FURONG_POPULATION_CENTRES": " ".join(f"{code}={self.clusters[code].url(DATABASE)}" for code in self.codes)
        }
        self.run("settle", str(people))

    def run(self, *words: str, timeout_seconds: float = 600) -> str:
        """Run the citizens' program with ``words`` to its end; give what it printed. Fails the test when it fails."""
        return _run(self.environment, *words, timeout_seconds=timeout_seconds)

    def child(self, name: str, *words: str) -> None:
        """Start the citizens' program with ``words`` as a process that is started again when it is killed."""
        with (self.home / f"{name}.log").open("ab") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.citizens", *words],
                cwd=ROOT,
                env=self.environment,
                stdout=out,
                stderr=out,
            )
        self.children[name] = (list(words), process)

    def stop(self) -> None:
        """Stop everything and remove the folder (kept when ``FURONG_FAULTS_KEEP`` is set)."""
        self.dismiss(*self.children)
        end(*self.clusters.values())
        for wire in self.wires.values():
            wire.close()
        if "FURONG_FAULTS_KEEP" not in os.environ:
            shutil.rmtree(self.home, ignore_errors=True)

    def dismiss(self, *names: str) -> None:
        """End children for good."""
        for name in names:
            _, process = self.children.pop(name)
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)

    # --- faults ---------------------------------------------------------------------------------------------------------------

    def kill(self, victim: str) -> bool:
        """Send SIGKILL to a cluster's first process or to a child; say whether there was one to kill."""
        process = self.clusters[victim].process if victim in self.clusters else self.children[victim][1]
        if process is None or process.poll() is not None:
            return False
        os.kill(process.pid, signal.SIGKILL)
        return True

    def cut_link(self, code: str, seconds: float) -> bool:
        """Pull a centre's cable for a while, or disable its subscription; say whether that could be done."""
        if code in self.cut:
            return False
        if self.wires:
            self.wires[code].pull()
        elif not self._alter(code, "DISABLE"):
            return False
        self.cut[code] = time.monotonic() + seconds
        return True

    def _mend(self, code: str) -> bool:
        if not self.wires:
            return self._alter(code, "ENABLE")
        self.wires[code].mend()
        return True

    def _alter(self, code: str, what: str) -> bool:
        name = sql.Identifier(f"furong_{code}")
        try:
            with self.connect(PROVINCE) as province:
                province.execute("SET lock_timeout = '2s'")
                province.execute(sql.SQL("ALTER SUBSCRIPTION {} " + what).format(name))
        except psycopg.OperationalError:
            return False
        return True

    def tend(self) -> None:
        """Start again what was killed and mend links whose time has come; call it from the thread that started the clusters."""
        for cluster in self.clusters.values():
            if cluster.process is not None and cluster.process.poll() is not None:
                for attempt in range(40):
                    try:
                        cluster.start(settings=DURABLE | SMALL)
                        break
                    except (
                        PostgresError
                    ):  # after kill -9 the server's own children may still hold its memory for a moment
                        if attempt == 39:
                            raise
                        time.sleep(0.25)
        for name, (words, process) in list(self.children.items()):
            if process.poll() is not None and process.returncode != 0:
                assert process.returncode == -signal.SIGKILL, f"{name}: {self.log(name)}"
                self.child(name, *words)
        for code, until in list(self.cut.items()):
            if time.monotonic() > until and self._mend(code):
                del self.cut[code]

    def is_done(self, name: str) -> bool:
        """Say whether a child came to its end by itself."""
        return self.children[name][1].poll() == 0

    def log(self, name: str) -> str:
        return (self.home / f"{name}.log").read_text(errors="replace")[-3000:]

    # --- looking ---------------------------------------------------------------------------------------------------------------

    def connect(self, name: str, database: str = DATABASE) -> psycopg.Connection[Any]:
        return psycopg.connect(self.clusters[name].url(database), autocommit=True, connect_timeout=5)

    def rows(self, name: str, statement: str, *params: object) -> list[tuple[Any, ...]]:
        """Read by plain SQL from a centre or the province."""
        with self.connect(name) as connection:
            connection.execute("SET search_path = public")
            return connection.execute(statement, list(params)).fetchall()  # type: ignore[call-overload,no-any-return]

    def until(self, look: Callable[[], object], what: str, *, seconds: float) -> None:
        """Tend until ``look`` finds nothing left. Fails the test, saying what was left."""
        deadline = time.monotonic() + seconds
        while True:
            self.tend()
            try:
                left = look()
            except psycopg.OperationalError:
                left = "a server that starts"
            if not left:
                return
            assert time.monotonic() < deadline, f"waited {seconds:.0f} s in vain: {what}: {left}"
            time.sleep(0.1)


class Trouble:
    """Kills and cuts at random moments, drawn from a seed; every kind has had its turn before one comes again."""

    def __init__(
        self, province: Province, *, every: tuple[float, float], most: int, seed: int, workers: Sequence[str]
    ) -> None:
        self.province, self.every, self.dice = province, every, random.Random(seed)
        self.made: dict[str, int] = dict.fromkeys(("centre", "province", "link", "worker", "keeper"), 0)
        self.workers, self.most = tuple(workers), most
        self.next_at = time.monotonic() + self.dice.uniform(*every)

    def look(self) -> None:
        """Make trouble when the moment has come."""
        if time.monotonic() < self.next_at:
            return
        self.next_at = time.monotonic() + self.dice.uniform(*self.every)
        fewest = min(self.made.values())
        if fewest >= self.most:
            return
        kind = self.dice.choice([one for one, times in self.made.items() if times == fewest])
        code = self.dice.choice(self.province.codes)
        if kind == "centre":
            done = self.province.kill(code)
        elif kind == "province":
            done = self.province.kill(PROVINCE)
        elif kind == "link":
            # Some cuts are longer than a connection waits for its other end.
            done = self.province.cut_link(code, self.dice.uniform(*self.every) * self.dice.choice((1, 1, 4)))
        else:
            done = self.province.kill("keeper" if kind == "keeper" else self.dice.choice(self.workers))
        self.made[kind] += done


def end(*clusters: Cluster) -> None:
    """Stop clusters: at once when nobody will look at them again, in order when they are kept."""
    for cluster in clusters:
        if cluster.process is not None and cluster.process.poll() is None and "FURONG_FAULTS_KEEP" not in os.environ:
            cluster.process.send_signal(signal.SIGQUIT)
    for cluster in clusters:
        cluster.stop()


def _environment(cluster: Cluster, home: Path) -> dict[str, str]:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("FURONG_")}
    return {
        **inherited,
        "FURONG_DATABASE_URL": cluster.url(PLATFORM),
        "FURONG_POPULATION_DATABASE_URL": cluster.url(DATABASE),
        "FURONG_HOME": str(home),
        "FURONG_SECRET_KEY": "tests-only-" + "0" * 40,
        "DJANGO_SETTINGS_MODULE": "furong.entrypoints.settings",
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}",
    }


def _run(environment: dict[str, str], *words: str, timeout_seconds: float = 600) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.citizens", *words],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=timeout_seconds,
    )
    assert done.returncode == 0, f"{words}: {done.stdout[-2000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def migrated_cluster() -> Path:
    """Give the folder of a stopped cluster whose databases are migrated and empty; made once a test run."""
    folder = Path(os.environ["FURONG_TEST_CLUSTER"]) / "migrated-centre"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            making = folder.with_suffix(".making")
            shutil.rmtree(making, ignore_errors=True)
            making.mkdir()
            cluster = Cluster(making, port=free_port())
            cluster.make()
            cluster.start(settings=RELAXED | SMALL)
            try:
                for name in (PLATFORM, DATABASE):
                    cluster.ensure_database(name)
                _run(_environment(cluster, making), "migrate")
            finally:
                cluster.stop()
            making.rename(folder)
    return folder


def journals(home: Path) -> list[dict[str, Any]]:
    """Give everything that was acknowledged, in the order of each worker's journal."""
    found = []
    for path in sorted(home.glob("journal-*.jsonl")):
        for line in path.read_text().splitlines():
            try:
                one = json.loads(line)
            except json.JSONDecodeError:  # its writer was killed in the middle: nobody was told
                continue
            if "ack" in one:
                found.append(one)
    return found
