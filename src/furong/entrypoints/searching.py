"""`furong search`: make the index anew, see how it stands, ask it, read what people looked for in vain."""

from __future__ import annotations

import argparse
import sys
from datetime import timedelta


def add_search(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command to the parser."""
    text = "look after the search: rebuild its index, its state, a question, a report; import pages; judge"
    search = commands.add_parser("search", help=text, description=text)
    actions = search.add_subparsers(required=True, metavar="ACTION")

    one = actions.add_parser("rebuild", help="make the index anew beside the one that serves, then let it serve")
    one.add_argument("--threads", type=int, default=2, help="how many threads write, and processes cut (default 2)")
    one.add_argument("--quiet", action="store_true", help="say nothing until it is done")
    one.set_defaults(run=_rebuild)

    one = actions.add_parser("status", help="which index serves, what it holds, what waits, who writes")
    one.set_defaults(run=_status)

    one = actions.add_parser("query", help="ask as a stranger would, or with --staff as any member of staff")
    one.add_argument("words", nargs="+")
    one.add_argument("--staff", action="store_true")
    one.add_argument("--size", type=int, default=10)
    one.add_argument("--plan", action="store_true", help="also say how the question was read")
    one.set_defaults(run=_query)

    one = actions.add_parser("report", help="what was looked for in vain, and what nobody opened")
    one.add_argument("--days", type=int, default=28)
    one.add_argument("--least", type=int, default=2, help="only what was asked so often (default 2)")
    one.set_defaults(run=_report)

    _add_others(actions)


def _add_others(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    from furong.entrypoints import searching_parts

    for add in searching_parts.PARTS:
        add(actions)


def _rebuild(args: argparse.Namespace) -> int:
    import django

    django.setup()
    from django.utils import timezone

    from furong.domains.search.following import Progress, rebuild
    from furong.domains.search.serving import home

    shown = sys.stderr.isatty()

    def tell(progress: Progress) -> None:
        if args.quiet:
            return
        pace = progress.done / progress.seconds if progress.seconds else 0.0
        line = f"{progress.done:,} documents, {pace:,.0f}/s ({progress.source})"
        print(f"\r{line:<70}" if shown else line, end="" if shown else "\n", file=sys.stderr, flush=True)

    now = timezone.now()
    generation = rebuild(
        place=home(), now=now, today=timezone.localdate(now), tell=tell, threads=max(1, min(args.threads, 8))
    )
    if shown and not args.quiet:
        print(file=sys.stderr)
    print(f"{generation} serves")
    return 0


def _status(args: argparse.Namespace) -> int:
    import django

    django.setup()
    from django.utils import timezone

    from furong.domains.search import queries

    state = queries.get_status(now=timezone.now())
    for name, value in state.lines():
        print(f"{name:<12} {value}")
    return 0 if state.is_well else 1


def _query(args: argparse.Namespace) -> int:
    import django

    django.setup()
    from django.utils import timezone

    from furong.domains.search import queries, serving
    from furong.domains.search.values import PUBLIC, STAFF, Query

    today = timezone.localdate()
    engine = serving.engine(on=today)
    text = " ".join(args.words)
    if args.plan:
        plan = engine.plan(text)
        for group in plan.groups:
            ways = " | ".join("+".join(way.words) + (f"×{way.weight}" if way.weight != 1 else "") for way in group.ways)
            print(f"  {group.said}: {ways}")
        print(f"  phrases {list(map(''.join, plan.phrases))} numbers {[token for token, _ in plan.numbers]}")
    rights = frozenset({PUBLIC, STAFF}) if args.staff else frozenset({PUBLIC})
    page = engine.search(Query(text=text, today=today, rights=rights, size=args.size, with_facets=False))
    for hit in page.hits:
        print(f"{hit.score:7.2f}  {hit.kind.value:<8}  {hit.title}  {hit.address}")
    print(f"{page.total} found{', not all words needed' if page.is_broad else ''}")
    helped = queries.spelling(text=text, on=today)
    if helped:
        print(f"did you mean {helped}?")
    return 0


def _report(args: argparse.Namespace) -> int:
    import django

    django.setup()
    from django.utils import timezone

    from furong.domains.search import queries

    since = timezone.localdate() - timedelta(days=max(1, args.days))
    report = queries.get_report(since=since, least=max(1, args.least), limit=50)
    print(
        f"{report.searches:,} searches since {since}; {report.without_result:,} found nothing; {report.clicks:,} opened"
    )
    for title, rows in (
        ("found nothing", report.in_vain),
        ("hardly opened", report.hardly_opened),
        ("most asked", report.most),
    ):
        print(f"\n{title}")
        for row in rows:
            print(f"{row.searches:>7}  {row.without_result:>7}  {row.clicks:>7}  {row.words}")
    return 0
