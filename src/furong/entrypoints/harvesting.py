"""`furong harvest`: which catalogues elsewhere are shown beside our own, harvesting them now, and how it went."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable


def add_harvest(commands: argparse._SubParsersAction[argparse.ArgumentParser], run: Callable[..., int]) -> None:
    """Describe the command to the parser."""
    text = "harvest other catalogues (DCAT feeds, CKAN) into the public face"
    sub = commands.add_parser("harvest", help=text, description=text)
    sub.add_argument("action", choices=["add", "run", "list", "log", "remove"])
    sub.add_argument("source", nargs="?", default="", help="the source's code; run without one harvests what is due")
    sub.add_argument("url", nargs="?", default="", help="add: the feed's address, or that of the CKAN site")
    sub.add_argument("--kind", choices=["dcat", "ckan"], default="dcat", help="add: how it is read (default dcat)")
    sub.add_argument("--title", default="", help="add: what the source is called")
    sub.add_argument("--title-en", default="", help="add: what it is called in English")
    sub.add_argument("--every-hours", type=int, default=24, help="add: how often it is harvested (default 24)")
    sub.add_argument("--allow-shrink", action="store_true", help="run: believe that half of the datasets are gone")
    sub.set_defaults(run=run)


def harvest(args: argparse.Namespace) -> int:
    """Do what the arguments say; a harvest that was stopped gives 1, with its finding on a line of its own."""
    import django

    django.setup()
    from django.utils import timezone

    from furong.domains.catalogue.harvest import commands, queries
    from furong.foundation.access.values import Actor

    actor, now = Actor.system("furong harvest"), timezone.now()
    if args.action == "list":
        for one in queries.list_sources():
            when = one.harvested_at.isoformat(timespec="seconds") if one.harvested_at else "never"
            print(
                f"{one.code}\t{one.kind}\t{one.state}{' ' + one.finding if one.finding else ''}\t{one.datasets}\t{when}"
            )
        return 0
    if args.action == "run" and not args.source:
        results = [_run(code, args) for code in queries.list_due(now=now)]
        return max(results, default=0)
    if not args.source or (args.action == "add" and not (args.url and args.title)):
        print("furong harvest: name the source; add also needs an address and --title", file=sys.stderr)
        return 2
    if args.action == "add":
        commands.add_source(
            code=args.source,
            kind=args.kind,
            url=args.url,
            title_zh=args.title,
            title_en=args.title_en,
            every_hours=args.every_hours,
            actor=actor,
            now=now,
        )
        print(f"{args.source}: added; furong harvest run {args.source} harvests it now")
        return 0
    if args.action == "remove":
        print(f"{args.source}: removed with {commands.remove_source(code=args.source, actor=actor, now=now)} datasets")
        return 0
    if args.action == "log":
        for run in queries.list_runs(code=args.source):
            print(
                f"{run.began_at.isoformat(timespec='seconds')}\t{run.state}\tseen {run.seen}, added {run.added}, "
                f"changed {run.changed}, removed {run.removed}, left out {run.skipped}"
            )
            for finding in run.findings:
                print(f"  {finding['code']} {finding['place']}: {finding['message'].get('en', '')}")
        return 0
    return _run(args.source, args)


def _run(code: str, args: argparse.Namespace) -> int:
    from django.utils import timezone

    from furong.domains.catalogue.harvest import commands
    from furong.foundation.access.values import Actor

    result = commands.harvest_source(
        code=code, actor=Actor.system("furong harvest"), now=timezone.now(), allow_shrink=args.allow_shrink
    )
    for finding in result.findings:
        words = f"{finding.code} {finding.place}: {finding.message.pick('en')}"
        print(
            f"{code}: {words} {finding.mend.pick('en') if finding.mend is not None else ''}".rstrip(), file=sys.stderr
        )
    if not result.is_published:
        print(f"{code}: stopped; what was published stays", file=sys.stderr)
        return 1
    print(
        f"{code}: {result.seen} seen, {result.added} added, {result.changed} changed, {result.removed} removed, "
        f"{result.skipped} left out"
    )
    return 0
