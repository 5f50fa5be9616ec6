"""`furong search import`, `pages` and `page`: pages of government sites come into the search."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def add_import(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the actions to the parser."""
    text = "take in a folder or archive of HTML, PDF and office files; a second run follows changes and removes what is gone"
    one = actions.add_parser("import", help=text, description=text)
    one.add_argument("path", type=Path, help="a folder, a .zip, .tar, .tar.gz, .tar.bz2 or .tar.xz")
    one.add_argument("--site", required=True, help="the site's code: small letters, digits, - _ .")
    one.add_argument("--site-name", default="", help="what readers see as the site")
    one.add_argument("--base-address", default="", help="where the files lie on the web: address = this + path")
    one.add_argument("--department", default="", help="who publishes, where a page does not say")
    one.add_argument("--division", default="", help="the division's code that the site speaks for")
    one.add_argument(
        "--manifest", type=Path, help="a CSV or JSON lines file of addresses beside or instead of the one inside"
    )
    one.add_argument("--file-seconds", type=float, default=60.0, help="how long reading one file may take (default 60)")
    one.add_argument(
        "--allow-shrink", action="store_true", help="believe that more than half of the site's pages are gone"
    )
    one.add_argument("--notes", type=int, default=20, help="how many rejects and notes to print (default 20)")
    one.set_defaults(run=_import)

    text = "list the sites whose pages are kept, or one site's imports and what they noted"
    one = actions.add_parser("pages", help=text, description=text)
    one.add_argument("site", nargs="?", default="")
    one.add_argument("--notes", type=int, default=100, help="how many notes of the last import to print (default 100)")
    one.add_argument("--remove", action="store_true", help="remove the site with all its pages")
    one.set_defaults(run=_pages)

    text = "print what is kept of the page of an address"
    one = actions.add_parser("page", help=text, description=text)
    one.add_argument("address")
    one.set_defaults(run=_page)


def _import(args: argparse.Namespace) -> int:
    import django

    django.setup()
    from django.utils import timezone

    from furong.domains.search.store.errors import ExtractorDownError
    from furong.domains.search.store.importing import Progress, import_pages
    from furong.domains.search.store.values import SiteFacts
    from furong.foundation.access.values import Actor
    from furong.foundation.codes.errors import Refusal

    shown = sys.stderr.isatty()

    def tell(progress: Progress) -> None:
        pace = progress.files / progress.seconds if progress.seconds else 0.0
        line = (
            f"{progress.files:,} files, {progress.added:,} new, {progress.changed:,} changed, {progress.same:,} the same, "
            f"{progress.refused:,} refused, {pace:,.0f}/s"
        )
        print(f"\r{line:<90}" if shown else line, end="" if shown else "\n", file=sys.stderr, flush=True)

    site = SiteFacts(
        code=args.site,
        name=args.site_name,
        base_address=args.base_address,
        department=args.department,
        division_code=args.division,
    )
    try:
        done = import_pages(
            path=args.path,
            site=site,
            manifest=args.manifest,
            allow_shrink=args.allow_shrink,
            file_seconds=args.file_seconds,
            actor=Actor.system("furong search import"),
            clock=timezone.now,
            on_progress=tell,
        )
    except (Refusal, ExtractorDownError) as exc:
        print(f"furong search import: {_words(exc)}", file=sys.stderr)
        return 1
    if shown:
        print(file=sys.stderr)
    tally = done.tally
    print(
        f"{args.site}: {tally.files} files, {tally.added} added, {tally.changed} changed, {tally.same} the same, "
        f"{tally.removed} removed, {tally.refused} refused, {tally.noted} noted"
    )
    _print_notes(done.import_id, limit=args.notes)
    if done.finding is not None:
        print(f"furong search import: {_words(done.finding)}", file=sys.stderr)
        return 1
    return 0


def _pages(args: argparse.Namespace) -> int:
    import django

    django.setup()
    from django.utils import timezone

    from furong.domains.search.store import commands, queries
    from furong.domains.search.store.errors import SiteMissing
    from furong.foundation.access.values import Actor

    if not args.site:
        for site in queries.list_sites():
            print(f"{site.code}\t{site.name}\t{site.pages}\t{site.base_address}\t{site.department}")
        return 0
    if args.remove:
        try:
            count = commands.remove_site(code=args.site, actor=Actor.system("furong search pages"), now=timezone.now())
        except SiteMissing as exc:
            print(f"furong search pages: {_words(exc)}", file=sys.stderr)
            return 1
        print(f"{args.site}: removed with {count} pages")
        return 0
    runs = queries.list_imports(site=args.site)
    if not runs:
        print(f"furong search pages: {_words(SiteMissing())}", file=sys.stderr)
        return 1
    for run in runs:
        tally = run.tally
        state = run.finding or ("ended" if run.ended_at else "running")
        print(
            f"{run.began_at.isoformat(timespec='seconds')}\t{run.source}\t{state}\tfiles {tally.files}, added {tally.added}, "
            f"changed {tally.changed}, same {tally.same}, removed {tally.removed}, refused {tally.refused}"
        )
    _print_notes(runs[0].id, limit=args.notes)
    return 0


def _page(args: argparse.Namespace) -> int:
    import django

    django.setup()
    from furong.domains.search.store import queries
    from furong.domains.search.store.errors import PageMissing

    page = queries.find_page(address=args.address)
    if page is None:
        print(f"furong search page: {_words(PageMissing())}", file=sys.stderr)
        return 1
    for name, value in (
        ("title", page.title),
        ("address", page.address),
        ("site", f"{page.site_name} ({page.site})"),
        ("department", page.department),
        ("kind", f"{page.kind} {page.media_type}"),
        ("language", page.language),
        ("published", page.published_on.isoformat() if page.published_on else ""),
        ("numbers", " ".join(page.numbers)),
    ):
        if value:
            print(f"{name:<11} {value}")
    print(f"\n{page.body}")
    return 0


def _print_notes(import_id: object, *, limit: int) -> None:
    from uuid import UUID

    from furong.domains.search.store import queries

    run = UUID(str(import_id))
    counts = queries.count_notes(import_id=run)
    for reason, count in sorted(counts.items(), key=lambda one: -one[1]):
        print(f"  {count:>6} {reason}")
    notes = queries.list_notes(import_id=run, limit=max(0, limit))
    for note in notes:
        print(f"  {note.reason}\t{note.path}\t{note.words}")
    left = sum(counts.values()) - len(notes)
    if left > 0:
        print(f"  … {left} more; furong search pages SITE --notes N prints them")


def _words(exc: Exception) -> str:
    return f"{exc} {getattr(exc, 'advice', '')}".strip()
