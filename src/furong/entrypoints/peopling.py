"""`furong population`: people from files into the register, and files of an invented province."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

FORMS = (".csv", ".tsv", ".parquet")


def add_population(commands: argparse._SubParsersAction[argparse.ArgumentParser], run: Callable[..., int]) -> None:
    """Describe the command to the parser."""
    text = "import people from files and export them, draw an invented province, watch the city centres"
    sub = commands.add_parser("population", help=text, description=text)
    sub.add_argument("action", choices=["import", "export", "synthesize", "status", "divide"])
    sub.add_argument(
        "path",
        type=Path,
        nargs="?",
        help="import: the file, or a folder of files; synthesize: the folder to fill; the others take none",
    )
    sub.add_argument("--to", type=Path, help="export: the file to write, .csv or .parquet")
    sub.add_argument("--division", default="", help="export: the beginning of a division's code; all without it")
    sub.add_argument("--again", action="store_true", help="export: replace a file that is there")
    sub.add_argument(
        "--centre", default="", help="import: the city centre that takes the people in, where there are centres"
    )
    sub.add_argument("--mapping", type=Path, help="import, export: a TOML file: columns, words of codes, encoding")
    sub.add_argument("--rejects", type=Path, help="import: where refused rows go (default: FILE.rejects.csv)")
    sub.add_argument("--purpose", default="", help="import, export: why; it stands in the audit log")
    sub.add_argument("--legal-basis", default="", help="import, export: the clause that it rests on")
    sub.add_argument("--batch-rows", type=int, default=50_000, help="import: rows of one transaction (50,000)")
    sub.add_argument("--invented", action="store_true", help="import: take the numbers of invented people")
    sub.add_argument("--persons", type=int, default=1_000_000, help="synthesize: how many (default 1,000,000)")
    sub.add_argument("--seed", type=int, default=7, help="synthesize: another number draws another province")
    sub.set_defaults(run=run)


def population(args: argparse.Namespace) -> int:
    """Import or draw; say what became of it."""
    if args.action in ("import", "export") and not (args.purpose and args.legal_basis):
        print(f"furong population {args.action}: state --purpose and --legal-basis", file=sys.stderr)
        return 2
    if args.action == "export" and args.to is None:
        print("furong population export: name the file to write by --to", file=sys.stderr)
        return 2
    if args.path is None and args.action not in ("export", "status", "divide"):
        print(f"furong population {args.action}: name the file or folder", file=sys.stderr)
        return 2
    import django

    django.setup()
    if args.action in ("status", "divide"):
        return _centres(args.action)
    return {"synthesize": _synthesize, "export": _export, "import": _import}[args.action](args)


@contextmanager
def bar() -> Iterator[Callable[[str, float | None], None]]:
    """Show how far a long work is, on a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)

        def tell(text: str, share: float | None) -> None:
            bar.update(task, description=text, total=None if share is None else 1.0, completed=share or 0.0)

        yield tell


def _centres(action: str) -> int:
    """Divide the register into the centres of the settings, or say how far each is; 1 when one is not abreast."""
    from furong.entrypoints import dividing
    from furong.registries.population import centres

    if not centres.is_divided():
        print("The register has no city centres: FURONG_POPULATION_CENTRES names none. 人口库未分市设中心。")
        return 0
    if action == "divide":
        joined = dividing.divide(centres.codes(), copy=True)
        print(f"{len(centres.codes())} centres; {joined} joined now. furong population status tells how far each is.")
        return 0
    return dividing.print_status()


def _synthesize(args: argparse.Namespace) -> int:
    from django.utils import timezone

    from furong.entrypoints.demo import PACK
    from furong.registries.population import bulk
    from furong.registries.population.demo.content import read_content

    with bar() as tell:
        done = bulk.synthesize(
            content=read_content(PACK),
            persons=args.persons,
            folder=args.path,
            today=timezone.localdate(),
            seed=args.seed,
            progress=tell,
        )
    print(
        f"{done.people:,} invented people in {done.households:,} households, {done.files} files in {args.path}, "
        f"{done.people / max(done.seconds, 0.001):,.0f} a second"
    )
    print(f"furong population import {args.path} --invented --purpose … --legal-basis … takes them in.")
    return 0


def _export(args: argparse.Namespace) -> int:
    from django.utils import timezone

    from furong.foundation.access.values import Actor, Basis
    from furong.registries.population import bulk

    with bar() as tell:
        done = bulk.export_people(
            target=args.to,
            mapping=args.mapping,
            division_prefix=args.division,
            again=args.again,
            actor=Actor.system("furong population export"),
            basis=Basis(purpose=args.purpose, legal_basis=args.legal_basis),
            now=timezone.now,
            progress=tell,
        )
    if done.was_done:
        print(f"{args.to} is there already; nothing was exported. --again replaces it.")
        return 0
    print(f"{done.people:,} people in {args.to}" + (", which went on where it was cut off" if done.resumed else ""))
    print(f"In the audit log: export {done.export_id}. The file holds personal data: its owner alone can read it.")
    return 0


def _import(args: argparse.Namespace) -> int:
    files = sorted(one for one in args.path.iterdir() if one.suffix in FORMS) if args.path.is_dir() else [args.path]
    if not files:
        print(f"furong population import: {args.path} holds no CSV or Parquet file", file=sys.stderr)
        return 1
    for file in files:
        _import_file(file, args)
    return 0


@contextmanager
def _place(centre: str) -> Iterator[None]:
    """Have what is imported written at a centre; where there are centres, one must be named."""
    from furong.registries.population import centres
    from furong.registries.population.centres.values import alias_of
    from furong.registries.population.place import PROVINCE, at

    if centres.is_divided() and centre not in centres.codes():
        raise SystemExit(f"furong population: name the --centre that keeps these people: {', '.join(centres.codes())}")
    with at(alias_of(centre) if centres.is_divided() else PROVINCE):
        yield


def _import_file(file: Path, args: argparse.Namespace) -> None:
    from django.conf import settings
    from django.utils import timezone

    from furong.foundation.access.values import Actor, Basis
    from furong.registries.population import bulk

    rejects = args.rejects or file.with_name(f"{file.name}.rejects.csv")
    folder = Path(settings.HOME) / "imports"
    folder.mkdir(parents=True, exist_ok=True)
    os.chmod(folder, 0o700)
    with bar() as tell, _place(args.centre):
        done = bulk.import_people(
            source=file,
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
        print(f"{file.name} was imported before with this mapping; nothing was changed.")
    elif done.resumed:
        print(f"{file.name} went on where it was cut off.")
    print(
        f"{file.name}: rows {done.rows:,} · written {done.written:,} in {done.households:,} new households · "
        f"unchanged {done.unchanged:,} · refused {done.rejected:,}"
    )
    for reason, count in sorted(done.reasons.items(), key=lambda one: -one[1]):
        zh, en = bulk.REASONS[reason]
        print(f"  {count:>9,}  {reason}  {zh} · {en}")
    if done.rejected and not done.was_done:
        print(f"The refused rows are in {rejects}; correct them there and import that file without a mapping.")
