"""A province and one centre with its own node, each on a cluster of its own: the province can be killed under the counter.

    python -m tests.faults.counter_house settle

What the province's platform runs is its worker; the node runs its web server and worker as `furong centre` starts them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import psycopg

from furong.entrypoints.counter import Node, database_of, set_up
from furong.entrypoints.demo import DATABASES
from furong.entrypoints.postgres import Cluster, free_port
from tests.cluster import EMPTY_TABLES
from tests.faults.centres import DATABASE, PLATFORM, SMALL, end, migrated_cluster
from tests.faults.house import DURABLE, ROOT, filled_house

CITY = "4302"
STORE = DATABASES["FURONG_POPULATION_DATABASE_URL"]


class CounterHouse:
    """The platform and the province's store on one cluster, the centre's register and its node's database on another."""

    def __init__(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="furong-counter-"))
        self.province = Cluster(self.home / "cluster")
        self.centre = Cluster(self.home / "centre")
        self.worker: subprocess.Popen[bytes] | None = None
        self.node: Node | None = None
        self.family: dict[str, str] = {}
        self.environment: dict[str, str] = {}

    def start(self) -> None:
        """Start both sides and the node, with a couple in the city and a man in no city's register but the platform's."""
        subprocess.run(["cp", "-a", "--", f"{filled_house(16, 200)}/.", str(self.home)], check=True)
        subprocess.run(["cp", "-a", "--", str(migrated_cluster()), str(self.centre.folder)], check=True)
        self.province.start(settings=DURABLE | SMALL)
        self.centre.start(settings=DURABLE | SMALL)
        with psycopg.connect(self.province.url(STORE), autocommit=True) as store:
            store.execute(EMPTY_TABLES)  # migrated as the filled house has it, and without its people
        self.centre.clone_database(template=PLATFORM, name=database_of(CITY))
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("FURONG_")}
        self.environment = {
            **inherited,
            "FURONG_DATABASE_URL": self.province.url(PLATFORM),
            "FURONG_POPULATION_DATABASE_URL": self.province.url(STORE),
            "FURONG_POPULATION_CENTRES": f"{CITY}={self.centre.url(DATABASE)}",
            "FURONG_HOME": str(self.home),
            "FURONG_SECRET_KEY": (self.home / "secret").read_text(),
            "DJANGO_SETTINGS_MODULE": "furong.entrypoints.settings",
            "PYTHONUNBUFFERED": "1",
            "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}",
        }
        port = free_port()
        told = json.loads(self.run("settle", str(port)).splitlines()[-1])
        self.family = told["family"]
        self.start_worker()
        self.node = Node(told["environment"], host="127.0.0.1", port=port)
        self.node.start()
        self.node.wait_until_ready()

    def run(self, *words: str) -> str:
        """Run this module's program on the platform; give what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "tests.faults.counter_house", *words],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=240,
        )
        assert done.returncode == 0, f"{words}: {done.stdout[-2000:]}\n{done.stderr[-3000:]}"
        return done.stdout

    def start_worker(self) -> None:
        """Start the platform's worker."""
        with (self.home / "worker.log").open("ab") as log:
            self.worker = subprocess.Popen(
                [sys.executable, "-m", "furong.entrypoints.cli", "worker", "--die-with-parent"],
                env=self.environment,
                stdout=log,
                stderr=log,
            )

    def kill_province(self) -> None:
        """Kill the platform's databases and its worker."""
        for process in (self.worker, self.province.process):
            assert process is not None
            process.kill()
            process.wait(30)

    def raise_province(self) -> None:
        """Start both again."""
        self.province.start(settings=DURABLE | SMALL)
        self.start_worker()

    def rows(self, side: Cluster, database: str, text: str, *params: object) -> list[tuple[Any, ...]]:
        """Read by plain SQL."""
        with psycopg.connect(side.url(database), autocommit=True, connect_timeout=5) as connection:
            return connection.execute(text, list(params)).fetchall()  # type: ignore[arg-type]

    def stop(self) -> None:
        """Stop everything and remove the folder (kept when ``FURONG_FAULTS_KEEP`` is set)."""
        for child in self.node.children.values() if self.node is not None else ():
            child.kill()
            child.wait(20)
        if self.worker is not None and self.worker.poll() is None:
            self.worker.kill()
            self.worker.wait(20)
        end(self.province, self.centre)
        if "FURONG_FAULTS_KEEP" not in os.environ:
            shutil.rmtree(self.home, ignore_errors=True)


def settle(port: int) -> None:
    """Divide the register, register a couple in the city, and set the node up."""
    import django

    django.setup()
    from furong.entrypoints import dividing
    from tests.registries.population import people

    dividing.divide([CITY])
    couple = people.couple()
    with psycopg.connect(
        dict(one.split("=", 1) for one in os.environ["FURONG_POPULATION_CENTRES"].split())[CITY]
    ) as there:
        numbers = dict(there.execute("SELECT person_id, number FROM population_identity_number").fetchall())
        household = there.execute("SELECT number FROM population_household").fetchone()
    assert household is not None
    environment = set_up(city=CITY, home=Path(os.environ["FURONG_HOME"]), port=port)
    family = {
        "mother": str(couple.mother),
        "mother_number": numbers[couple.mother],
        "father_number": numbers[couple.father],
        "household": household[0],
    }
    sys.stdout.write(
        json.dumps({"environment": {**environment, "PYTHONPATH": os.environ["PYTHONPATH"]}, "family": family})
    )


if __name__ == "__main__" and sys.argv[1] == "settle":
    settle(int(sys.argv[2]))
