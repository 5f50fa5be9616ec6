"""`furong centre`: a city centre's own node, on which the police counter works whether or not the province answers.

The node's database stands beside the centre's register on the centre's server. It has the platform's tables; those that a
counter asks are copies (`foundation.replicas`), the others its own: sessions, audit, events, limits.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from furong.entrypoints.children import Children, NotStartedError, furong
from furong.entrypoints.lifeline import die_with_parent

DEFAULT_PORT = 8100


def add_centre(commands: argparse._SubParsersAction[argparse.ArgumentParser], run: Callable[..., int]) -> None:
    """Describe the command to the parser."""
    text = "run a city centre's own node for its police counter, or set one up"
    sub = commands.add_parser("centre", help=text, description=text)
    sub.add_argument(
        "action",
        nargs="?",
        default="run",
        choices=["run", "publish", "join", "status", "part"],
        help="run: serve it (beside a running demo it is set up first); publish: at the platform, print the node's key; "
        "join: at the node; status: how old its copies are; part: end it",
    )
    sub.add_argument("--city", default=os.environ.get("FURONG_CENTRE", ""), help="the city's four digits")
    sub.add_argument("--platform", default="", help="join, part: how the node's server reaches the platform's database")
    sub.add_argument("--host", default="127.0.0.1")
    sub.add_argument(
        "--port", type=int, default=DEFAULT_PORT, help=f"run: the web address's port (default {DEFAULT_PORT})"
    )
    sub.set_defaults(run=run)


def centre(args: argparse.Namespace) -> int:
    """Do what was asked; say in one line what is missing."""
    if not (len(args.city) == 4 and args.city.isdigit()):
        print("furong centre: name the --city by its four digits, as 4302", file=sys.stderr)
        return 2
    if args.action == "join" and not args.platform:
        print("furong centre join: name the --platform's database", file=sys.stderr)
        return 2
    here = os.environ.get("FURONG_CENTRE", "")
    if args.action in ("join", "status") and here != args.city:
        print(f"furong centre {args.action}: set FURONG_CENTRE={args.city} and its databases", file=sys.stderr)
        return 2
    if args.action == "publish":
        return _publish(args.city)
    if args.action == "join":
        return _join(args.city, args.platform)
    if args.action == "status":
        return _status(args.city)
    if args.action == "part":
        return _part(args.city, args.platform)
    return _run(args, is_set_up=here == args.city)


# --- setting up ---------------------------------------------------------------------------------------------------------


def publish(city: str) -> str:
    """Publish at the platform what the counter of a city needs; give the key of its staff's second factors.

    Needs Django with the platform's settings.
    """
    from django.utils import timezone

    from furong.foundation.events.connections import connect
    from furong.foundation.identity import counters
    from furong.foundation.replicas import joining, tasks

    now = timezone.now()
    counters.refresh(cities=[city], now=now)
    tasks.beat(now=now)
    with connect("default") as platform:
        joining.publish(platform, city)
    return counters.key_of(city)


def _publish(city: str) -> int:
    import django

    django.setup()
    key = publish(city)
    print(f"FURONG_CENTRE_KEY={key}")
    print("Keep it in the node's environment file and nowhere else; it opens the second factors of this city's staff.")
    return 0


def _join(city: str, platform_address: str) -> int:
    import django
    import psycopg

    django.setup()
    from furong.entrypoints.loading import migrate
    from furong.foundation.events.connections import connect
    from furong.foundation.replicas import joining
    from furong.foundation.signing import queries as signing

    migrate(aliases=["default"])
    with psycopg.connect(platform_address, autocommit=True, connect_timeout=10) as platform, connect("default") as node:
        fresh = joining.subscribe(platform, node, city=city, address=platform_address)
        if not fresh:
            joining.refresh(node, city)
        joining.wait_until_copied(node, city)
    print(f"{city}: {'joined' if fresh else 'was joined before'}; the copies are here")
    print(f"The node's log is sealed by {signing.public_key(purpose='audit').as_text()}")
    return 0


def _status(city: str) -> int:
    import django

    django.setup()
    from django.utils import timezone

    from furong.foundation.replicas import queries
    from furong.foundation.replicas.values import Grade

    state = queries.copy_state(now=timezone.now())
    heard = "never" if state.as_of is None else timezone.localtime(state.as_of).strftime("%Y-%m-%d %H:%M:%S")
    print(f"{city}: {state.grade.value}; the platform was last heard at {heard}")
    return 0 if state.grade is Grade.LIVE else 1


def _part(city: str, platform_address: str) -> int:
    import django
    import psycopg

    django.setup()
    from furong.foundation.events.connections import connect
    from furong.foundation.replicas import joining

    with contextlib.ExitStack() as held:
        platform = None
        if platform_address:
            platform = held.enter_context(psycopg.connect(platform_address, autocommit=True, connect_timeout=10))
        joining.part(held.enter_context(connect("default")), platform, city=city)
    print(f"{city}: parted; the node's own rows stay")
    return 0


# --- beside a running demo ----------------------------------------------------------------------------------------------


class NodeError(NotStartedError):
    """The node cannot be set up here."""


def environment_of(*, city: str, home: Path, port: int, platform: str, centre: str, key: str) -> dict[str, str]:
    """Give the environment of a node beside the platform: its own home, secret, database; the city's register."""
    own = home / f"centre-{city}"
    own.mkdir(parents=True, exist_ok=True, mode=0o700)
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("FURONG_")}
    kept = {k: v for k, v in os.environ.items() if k in {"FURONG_ENV", "FURONG_REQUIRE_TOTP", "FURONG_LOG_LEVEL"}}
    return {
        **inherited,
        **kept,
        "FURONG_CENTRE": city,
        "FURONG_CENTRE_KEY": key,
        "FURONG_DATABASE_URL": _with_database(centre, database_of(city)),
        "FURONG_POPULATION_DATABASE_URL": centre,
        "FURONG_HOME": str(own),
        "FURONG_PUBLIC_URL": f"http://127.0.0.1:{port}/",
        "FURONG_SECRET_KEY": _secret(own),
        "DJANGO_SETTINGS_MODULE": "furong.entrypoints.settings",
        "PYTHONUNBUFFERED": "1",
    }


def database_of(city: str) -> str:
    """Give the name of a node's own database."""
    return f"furong_counter_{city}"


def _with_database(address: str, name: str) -> str:
    from psycopg.conninfo import make_conninfo

    return make_conninfo(address, dbname=name)


def _secret(home: Path) -> str:
    path = home / "secret"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(48))
    return path.read_text().strip()


def set_up(*, city: str, home: Path, port: int) -> dict[str, str]:
    """Set up a node beside the platform of this process's settings, and give its environment. Repeatable.

    Raises `NodeError`. The first time takes some seconds: the node's tables are made and filled.
    """
    import django

    django.setup()
    from django.conf import settings

    platform = os.environ.get("FURONG_DATABASE_URL") or _of_run_file(home, "FURONG_DATABASE_URL")
    if not platform or city not in settings.POPULATION_CENTRES:
        raise NodeError(
            f"No centre {city} is named by FURONG_POPULATION_CENTRES, nor by a demo that runs on {home}. "
            "Start the demo, or set FURONG_CENTRE and its databases."
        )
    named = os.environ.get("FURONG_POPULATION_CENTRES") or _of_run_file(home, "FURONG_POPULATION_CENTRES")
    centre_address = dict(one.split("=", 1) for one in named.split())[city]
    key = publish(city)
    environment = environment_of(city=city, home=home, port=port, platform=platform, centre=centre_address, key=key)
    _ensure_database(centre_address, database_of(city))
    _trust(home / "keys", Path(environment["FURONG_HOME"]) / "keys", "platform-audit.pub")
    done = subprocess.run(
        [sys.executable, "-m", "furong.entrypoints.cli", "centre", "join", "--city", city, "--platform", platform],
        env=environment,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise NodeError(f"The node of {city} could not be set up: {(done.stderr or done.stdout).strip()[-500:]}")
    _trust(Path(environment["FURONG_HOME"]) / "keys", home / "keys", f"centre-{city}-audit.pub")
    return environment


def _of_run_file(home: Path, name: str) -> str:
    try:
        return str(json.loads((home / "run.json").read_text()).get(name, ""))
    except (OSError, ValueError):
        return ""


def _ensure_database(address: str, name: str) -> None:
    import psycopg
    from psycopg import sql

    with psycopg.connect(address, autocommit=True, connect_timeout=10) as server:
        if server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
            server.execute(
                sql.SQL("CREATE DATABASE {} ENCODING 'UTF8' LOCALE 'C' TEMPLATE template0").format(sql.Identifier(name))
            )


def _trust(source: Path, target: Path, name: str) -> None:
    """Have one side know by which key the other seals its log, so that either can verify what both have sealed."""
    if (source / "audit.pub").exists():
        target.mkdir(parents=True, exist_ok=True, mode=0o700)
        shutil.copyfile(source / "audit.pub", target / name)


# --- running ------------------------------------------------------------------------------------------------------------


class Node(Children):
    """A node that runs: its web server and its worker, children of this process, started again when they end."""

    def __init__(self, environment: dict[str, str], *, host: str, port: int) -> None:
        self.environment, self.host, self.port = environment, host, port
        self.home = Path(environment["FURONG_HOME"])
        self.children: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def address(self) -> str:
        """Where its pages are."""
        return f"http://{self.host}:{self.port}/"

    def words_of(self, name: str) -> Sequence[str]:
        """Give the words that start the web server (one process: a counter has few desks) or the worker."""
        if name == "web":
            return furong("web", "--host", self.host, "--port", str(self.port), "--workers", "1")
        return furong("worker", "--die-with-parent")

    def start(self) -> None:
        """Start both."""
        self.start_children(("web", "worker"))

    def wait_until_ready(self) -> None:
        """Wait until the pages answer. Raises `NotStartedError` with where to look."""
        self.wait_until_answered(f"http://127.0.0.1:{self.port}/account/sign-in")


def _run(args: argparse.Namespace, *, is_set_up: bool) -> int:
    from furong.entrypoints.postgres import port_is_free

    if not port_is_free(args.port):
        print(f"furong centre: port {args.port} is in use; choose another with --port.", file=sys.stderr)
        return 1
    if "MAKELEVEL" in os.environ:
        die_with_parent()
    home = Path(os.environ.get("FURONG_HOME", ".furong")).resolve()
    node: Node | None = None
    try:
        environment = dict(os.environ) if is_set_up else set_up(city=args.city, home=home, port=args.port)
        environment.setdefault("FURONG_HOME", str(home))
        node = Node(environment, host=args.host, port=args.port)
        node.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        signal.signal(signal.SIGTERM, _interrupt)
        node.start()
        node.wait_until_ready()
        print(f"Counter of {args.city} 柜台节点 {node.address}work/    logs: {node.home}    stop: Ctrl-C", flush=True)
        while True:
            node.tend_children()
            time.sleep(0.3)
    except NotStartedError as missing:
        print(f"furong centre: {missing}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    finally:
        if node is not None:
            node.stop_children()


def _interrupt(number: int, frame: Any) -> None:
    raise KeyboardInterrupt
