"""`furong population import`: people from a CSV or Parquet file into the register."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path


def add_population(commands: argparse._SubParsersAction[argparse.ArgumentParser], run: Callable[..., int]) -> None:
    """Describe the command to the parser."""
    text = "import people from a CSV or Parquet file; rows that are not taken are written out with the reasons"
    sub = commands.add_parser("population", help=text, description=text)
    sub.add_argument("action", choices=["import"])
    sub.add_argument("file", type=Path)
    sub.add_argument("--mapping", type=Path, help="a TOML file: the file's columns, words of codes, encoding")
    sub.add_argument("--rejects", type=Path, help="where refused rows go (default: FILE.rejects.csv)")
    sub.add_argument("--purpose", required=True, help="why the people are imported; it stands in the audit log")
    sub.add_argument("--legal-basis", required=True, help="the clause that it rests on")
    sub.add_argument("--batch-rows", type=int, default=50_000, help="rows of one transaction (default 50,000)")
    sub.add_argument("--invented", action="store_true", help="take the numbers of invented people, for demos and tests")
    sub.set_defaults(run=run)


def population(args: argparse.Namespace) -> int:
    """Import the file, or go on with it; say what became of its rows."""
    import django

    django.setup()
    from django.conf import settings
    from django.utils import timezone
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    from furong.foundation.access.values import Actor, Basis
    from furong.registries.population import bulk

    rejects = args.rejects or args.file.with_name(f"{args.file.name}.rejects.csv")
    folder = Path(settings.HOME) / "imports"
    folder.mkdir(parents=True, exist_ok=True)
    os.chmod(folder, 0o700)
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("reading", total=None)

        def tell(text: str, share: float | None) -> None:
            bar.update(task, description=text, total=None if share is None else 1.0, completed=share or 0.0)

        done = bulk.import_people(
            source=args.file,
            mapping=args.mapping,
            folder=folder,
            rejects=rejects,
            actor=Actor.system("furong population import"),
            basis=Basis(purpose=args.purpose, legal_basis=args.legal_basis),
            now=timezone.now,
            allow_reserved=args.invented and not getattr(settings, "PRODUCTION", False),
            batch_rows=args.batch_rows,
            progress=tell,
        )
    if done.was_done:
        print(f"{args.file.name} was imported before with this mapping; nothing was changed.")
    elif done.resumed:
        print(f"{args.file.name} went on where it was cut off.")
    print(
        f"rows {done.rows:,} · written {done.written:,} in {done.households:,} new households · "
        f"unchanged {done.unchanged:,} · refused {done.rejected:,}"
    )
    for reason, count in sorted(done.reasons.items(), key=lambda one: -one[1]):
        zh, en = bulk.REASONS[reason]
        print(f"  {count:>9,}  {reason}  {zh} · {en}")
    if done.rejected and not done.was_done:
        print(f"The refused rows are in {rejects}; correct them there and import that file without a mapping.")
    return 0
