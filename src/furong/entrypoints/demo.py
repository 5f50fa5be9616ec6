"""`furong demo`: the whole platform on one machine, with invented residents, under one folder (``.furong``)."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from furong.entrypoints import dividing
from furong.entrypoints.children import READY_SECONDS, RESTART_PAUSE_SECONDS, Children, NotStartedError, furong
from furong.entrypoints.lifeline import die_with_parent
from furong.entrypoints.postgres import Cluster, PostgresError, free_port, port_is_free

if TYPE_CHECKING:
    from furong.entrypoints.exchanging import Exchange

PACK = Path(__file__).resolve().parents[3] / "packs" / "hunan"
DATABASES = {"FURONG_DATABASE_URL": "furong", "FURONG_POPULATION_DATABASE_URL": "furong_population"}
DEFAULT_PORT = 8000
MOST_FAILED_STARTS = 20


class DemoError(NotStartedError):
    """The demo cannot start."""


@dataclass
class Demo(Children):
    """One running demo: the cluster, the web server, the worker and the exchange's gateways, all children of this process."""

    home: Path
    port: int
    cluster: Cluster
    environment: dict[str, str] = field(default_factory=dict)
    children: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    lock: IO[str] | None = None
    database_settings: dict[str, str] = field(default_factory=dict)  # over the cluster's own, also after a restart
    failed_starts: int = 0
    exchange: Exchange | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def words_of(self, name: str) -> Sequence[str]:
        """Give the words that start a child: the web server, the worker, or one of the exchange."""
        own = {"web": ["web", "--port", str(self.port)], "worker": ["worker", "--die-with-parent"]}
        if name in own:
            return furong(*own[name])
        return self.exchange.children[name] if self.exchange else []

    def start(self) -> None:
        """Start everything, side by side."""
        self.start_children(("web", "worker", *(self.exchange.children if self.exchange else ())))

    def wait_until_ready(self, timeout_seconds: float = READY_SECONDS) -> None:
        """Wait until the pages answer. Raises `NotStartedError` with where to look."""
        self.wait_until_answered(
            f"{self.address}healthz",
            also=lambda: self.exchange is None or self.exchange.is_ready(),
            timeout_seconds=timeout_seconds,
        )

    def keep_running(self) -> None:
        """Start again what ends, until somebody stops us."""
        while True:
            self.tend()
            time.sleep(0.3)

    def tend(self) -> None:
        """Start again what has ended: the databases first. Raises `PostgresError` when they do not come up in several tries."""
        if self.cluster.process is not None and self.cluster.process.poll() is not None:
            try:
                self.cluster.start(settings=self.database_settings)
                self.failed_starts = 0
            except PostgresError:
                # After kill -9 the server's own children may still hold its memory for a moment.
                self.failed_starts += 1
                if self.failed_starts >= MOST_FAILED_STARTS:
                    raise
                time.sleep(RESTART_PAUSE_SECONDS)
        self.tend_children()

    def stop(self) -> None:
        """Stop the web server and the worker, then the databases."""
        self.stop_children()
        self.cluster.stop()
        with contextlib.suppress(OSError):
            (self.home / "run.json").unlink()
        if self.lock is not None:
            self.lock.close()


def prepare(*, home: Path, port: int, residents: int, reset: bool = False, console: Console | None = None) -> Demo:
    """Make or open the demo in ``home`` and bring it up to date; nothing serves yet.

    Raises `DemoError` or `PostgresError` with one clear line: a busy port, another demo on this folder, a broken cluster.
    """
    console = console or Console(quiet=True)
    home.mkdir(parents=True, exist_ok=True)
    lock = (home / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as exc:
        raise DemoError(f"A demo already runs on {home}{_running_at(home)}.") from exc
    if not port_is_free(port):
        raise DemoError(f"Port {port} is in use; choose another, for example --port {free_port()}.")
    if reset:
        for name in ("cluster", "files", "keys", "exchange", "loaded.json", "centres.json", "static"):
            path = home / name
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
    with _steps(console) as step:
        cluster = Cluster(home / "cluster")
        fresh = not cluster.is_made
        step("PostgreSQL" + (" · initdb" if fresh else ""))
        cluster.make()
        cluster.start()
        try:
            for database in DATABASES.values():
                cluster.ensure_database(database)
            demo = Demo(home=home, port=port, cluster=cluster, lock=lock)
            demo.environment = {
                **os.environ,
                **{variable: cluster.url(name) for variable, name in DATABASES.items()},
                "FURONG_HOME": str(home),
                "FURONG_PUBLIC_URL": demo.address,
                "FURONG_SECRET_KEY": _secret(home),
                "DJANGO_SETTINGS_MODULE": "furong.entrypoints.settings",
                "PYTHONUNBUFFERED": "1",
            }
            centres = _centres(home)
            addresses = dividing.make_databases(cluster, centres)
            if addresses:
                demo.environment["FURONG_POPULATION_CENTRES"] = " ".join(f"{c}={a}" for c, a in addresses.items())
            os.environ.update(demo.environment)
            _make_tables(home, cluster, centres, step)
            demo.exchange = _fill(home, residents, step, demo.address, is_usual=port == DEFAULT_PORT)
            demo.environment.update(demo.exchange.environment)
        except BaseException:
            cluster.stop()
            raise
    return demo


def _centres(home: Path) -> tuple[str, ...]:
    """The population register's city centres: as the folder was made with, all of the pack's for a new one.

    ``FURONG_DEMO_CENTRES=none`` keeps one register for all.
    """
    marker = home / "centres.json"
    if marker.exists():
        return tuple(json.loads(marker.read_text())["codes"])
    if (home / "loaded.json").exists():  # made when there were none
        return ()
    return () if os.environ.get("FURONG_DEMO_CENTRES") == "none" else dividing.cities_of(PACK)


def _make_tables(home: Path, cluster: Cluster, centres: tuple[str, ...], step: _Step) -> None:
    """Bring all databases up to date; new centres are copies of the first."""
    import django

    django.setup()
    from furong.entrypoints import loading

    marker = home / "centres.json"
    step("Tables · migrate")
    if not marker.exists():
        loading.migrate(aliases=["default", "population", *(f"centre_{code}" for code in centres[:1])])
        for code in centres[1:]:
            cluster.clone_database(template=dividing.database_of(centres[0]), name=dividing.database_of(code))
        marker.write_text(json.dumps({"codes": centres, "shape": ""}))
    else:
        loading.migrate()
    if centres:
        step(f"Population · {len(centres)} city centres")
        shape = dividing.shape_digest()
        dividing.divide(centres, is_shaped=json.loads(marker.read_text())["shape"] == shape)
        marker.write_text(json.dumps({"codes": centres, "shape": shape}))


def _fill(home: Path, residents: int, step: _Step, address: str, *, is_usual: bool) -> Exchange:
    from furong.entrypoints import exchanging, loading

    wanted = {"pack": loading.digest_of(PACK), "residents": residents}
    marker = home / "loaded.json"
    loaded = json.loads(marker.read_text()) if marker.exists() else {}
    if loaded != wanted:
        if loaded.get("residents") == residents:
            step("Pack · packs/hunan changed")
            loading.load_pack(PACK, allow_older=True)  # the checkout may go back as well as on
        else:
            loading.load_everything(pack=PACK, residents=residents, progress=step)
        marker.write_text(json.dumps(wanted))
    step("Exchange · gateways")
    exchange = exchanging.prepare(
        pack=PACK, home=home, centre=address, first_port=exchanging.FIRST_PORT if is_usual else None
    )
    step("Front-end files")
    from furong.entrypoints.static import collected_static

    collected_static()
    loading.close_connections()
    return exchange


def run(*, port: int | None, reset: bool, residents: int) -> int:
    """Run the demo until Ctrl-C. Returns the exit code."""
    console = Console(stderr=False, highlight=False)
    if "MAKELEVEL" in os.environ:  # started by make: if make is killed, so are we, and with us all children
        die_with_parent()
    # A shell that starts it behind its back (`furong demo &`) has SIGINT ignored, and Python would leave it so.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # under nohup it is to go on
        signal.signal(signal.SIGHUP, _interrupt)
    home = Path(os.environ.get("FURONG_HOME", ".furong")).resolve()
    demo: Demo | None = None
    try:
        demo = prepare(home=home, port=port or DEFAULT_PORT, residents=residents, reset=reset, console=console)
        demo.start()
        demo.wait_until_ready()
        _write_run_file(demo)
        print_welcome(console, demo)
        demo.keep_running()
    except (NotStartedError, PostgresError) as exc:
        print(f"furong: {exc}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        console.print("\nStopping … 正在停止 …")
    finally:
        if demo is not None:
            demo.stop()
    return 0


def print_welcome(console: Console, demo: Demo) -> None:
    """Print the one screen: the address, the accounts by role, and what to try."""
    from furong.entrypoints import loading

    console.print()
    console.print(f"  [bold red]芙蓉 Furong[/]  is running at  [bold underline]{demo.address}[/]")
    console.print(f"  工作台 workbench    [underline]{demo.address}work/[/]")
    console.print()
    console.print(f"  Demo accounts 演示账号    password 密码  [bold]{loading.demo_password(PACK)}[/]")
    accounts = Table.grid(padding=(0, 1))
    accounts.add_column(no_wrap=True, style="bold")
    accounts.add_column()
    for username, role in loading.demo_roles(PACK):
        accounts.add_row(username, role)
    console.print(Padding(accounts, (0, 0, 0, 4)))
    console.print()
    for line in (
        "Try: sign in as the mother, open 新生儿出生, fill in four facts, submit; then sign in as each department in the "
        "workbench and decide; see the child and the certificates in her folder. All people are invented.",
        "试一试：以母亲身份登录，办理“新生儿出生”，再以各部门身份在工作台办理，最后查看证照。人物均为虚构。",
    ):
        console.print(Padding(line, (0, 0, 0, 2)))
    console.print()
    console.print(f"  Data and logs: {demo.home}    Stop: Ctrl-C    Begin anew: make demo ARGS=--reset")


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _write_run_file(demo: Demo) -> None:
    path = demo.home / "run.json"
    path.touch(mode=0o600)
    names = (*DATABASES, "FURONG_POPULATION_CENTRES", "FURONG_SECRET_KEY")
    path.write_text(
        json.dumps({**{n: demo.environment[n] for n in names if n in demo.environment}, "address": demo.address})
    )


def _running_at(home: Path) -> str:
    try:
        return f", at {json.loads((home / 'run.json').read_text())['address']}"
    except (OSError, ValueError, KeyError):
        return ""


def _secret(home: Path) -> str:
    path = home / "secret"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(48))
    return path.read_text().strip()


class _Step:
    """Names what is being done; with a number, how far it is (0 to 1)."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=None)

    def __call__(self, text: str, done: float | None = None) -> None:
        if done is None:
            self._progress.reset(self._task, total=None, description=text)
        else:
            self._progress.update(self._task, description=text, total=1.0, completed=done)


@contextlib.contextmanager
def _steps(console: Console) -> Iterator[_Step]:
    columns = (SpinnerColumn(), TextColumn("{task.description:<44}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        yield _Step(progress)
