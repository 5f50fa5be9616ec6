"""Bringing databases up to date and filling them: migrations, packs, invented residents."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

ALIASES = ("default", "population")
Progress = Callable[[str, float | None], None]


def migrate(*, verbosity: int = 0) -> None:
    """Bring every database's tables up to date. About two seconds the first time, a third of one after that."""
    from django.core.management import call_command

    for alias in ALIASES:
        call_command("migrate", database=alias, verbosity=verbosity, interactive=False)


def digest_of(pack: Path) -> str:
    """Give the digest of all of a pack's files, names and contents."""
    seen = hashlib.sha256()
    for path in sorted(p for p in pack.rglob("*") if p.is_file()):
        seen.update(f"{path.relative_to(pack)}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return seen.hexdigest()


def demo_accounts(pack: Path) -> Iterator[dict[str, Any]]:
    """Give the demo accounts the pack names, as they stand in ``demo/accounts.yaml``."""
    found = yaml.safe_load((pack / "demo" / "accounts.yaml").read_text())
    yield from found["accounts"]


def demo_password(pack: Path) -> str:
    """Give the password that all demo accounts share."""
    return str(yaml.safe_load((pack / "demo" / "accounts.yaml").read_text())["password"])


def demo_roles(pack: Path) -> Iterator[tuple[str, str]]:
    """Give user name and role (zh and en) of each demo account."""
    for account in demo_accounts(pack):
        role = account["role"]
        yield str(account["username"]), f"{role['zh']} · {role.get('en', '')}".rstrip(" ·")


def close_connections() -> None:
    """Close this process's database connections, so that nothing holds the databases while children run."""
    from django.db import connections

    connections.close_all()
