"""A network of its own for a cluster, and the cable to it, which can be pulled: nobody is told, packets are simply lost.

Linux's network namespaces, where this machine allows them; elsewhere clusters share the machine's network.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import time
from pathlib import Path

import psycopg

from furong.entrypoints.postgres import Cluster

_TOOLS = ("ip", "nsenter", "setpriv", "unshare")


class Wire:
    """A cable to a network in which a cluster alone is. Ends with `close`, or with the process that made it."""

    def __init__(self, number: int) -> None:
        pid = os.getpid()
        self.near = f"fw{pid % 1_000_000}-{number}"  # fifteen characters at most
        self._far = f"{self.near}f"
        # Four addresses for each cable; no other process of this machine has this one's key.
        net = f"10.{100 + (pid >> 8) % 100}.{pid & 255}"
        ours, self.address = f"{net}.{4 * number + 1}", f"{net}.{4 * number + 2}"
        self.holder = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "sleep", "infinity"],
            stdin=subprocess.DEVNULL,
        )
        self._wait_for_network()
        inside = str(self.holder.pid)
        _run("ip", "link", "add", self.near, "type", "veth", "peer", "name", self._far)
        _run("ip", "link", "set", self._far, "netns", inside)
        _run("ip", "addr", "add", f"{ours}/30", "dev", self.near)
        _run("ip", "link", "set", self.near, "up")
        for words in (
            f"ip addr add {self.address}/30 dev {self._far}",
            f"ip link set {self._far} up",
            "ip link set lo up",
        ):
            _run(*self.within, *words.split())

    @property
    def within(self) -> list[str]:
        """The words to put before a program that is to be in this network."""
        return ["nsenter", f"--net=/proc/{self.holder.pid}/ns/net"]

    def pull(self) -> None:
        """Pull the cable out at the far end."""
        _run(*self.within, "ip", "link", "set", self._far, "down")

    def mend(self) -> None:
        """Put it in again."""
        _run(*self.within, "ip", "link", "set", self._far, "up")

    def close(self) -> None:
        """Take the network away, and the cable with it."""
        self.holder.kill()
        self.holder.wait(10)

    def _wait_for_network(self) -> None:
        own, until = Path("/proc/self/ns/net").readlink(), time.monotonic() + 10
        while Path(f"/proc/{self.holder.pid}/ns/net").readlink() == own:
            if self.holder.poll() is not None or time.monotonic() > until:
                raise OSError("this machine makes no networks")
            time.sleep(0.01)


@functools.cache
def are_allowed() -> bool:
    """Say whether this machine lets us make networks."""
    if not Path("/proc/self/ns/net").exists() or os.geteuid() != 0 or not all(map(shutil.which, _TOOLS)):
        return False
    try:
        Wire(63).close()
    except (OSError, subprocess.SubprocessError):
        return False
    return True


class WiredCluster(Cluster):
    """A cluster in a network of its own."""

    def __init__(self, folder: Path, wire: Wire) -> None:
        super().__init__(folder)
        self.wire = wire

    @property
    def before(self) -> list[str]:
        return self.wire.within

    def url(self, database: str) -> str:
        return f"postgresql://furong:{self.password}@{self.wire.address}:{self.port}/{database}"

    def _answers(self) -> bool:
        """Ask by the socket in its folder, which needs no cable."""
        try:
            psycopg.connect(super().url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def start(self, *, settings: dict[str, str] | None = None, timeout_seconds: float = 60) -> None:
        """Start it, listening where the cable ends."""
        access, line = self.data / "pg_hba.conf", "host all all 10.0.0.0/8 scram-sha-256\n"
        if line not in access.read_text():
            with access.open("a") as rules:
                rules.write(line)
        super().start(settings={**(settings or {}), "listen_addresses": "*"}, timeout_seconds=timeout_seconds)


def _run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True, timeout=20)
