"""`furong match`: which rows of two person files are the same people, or who stands twice in one. Needs no database."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

__all__ = ["add_match"]


def add_match(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command to the parser."""
    text = "find the same people in two files, or those who stand twice in one, with or without numbers"
    sub = commands.add_parser("match", help=text, description=text)
    sub.add_argument("left", type=Path, help="a CSV or Parquet file of people")
    sub.add_argument("right", type=Path, nargs="?", help="another; without it the first is searched for duplicates")
    sub.add_argument(
        "--link-or-dedupe",
        choices=["link", "dedupe", "both"],
        help="link: people of one file in the other; dedupe: people twice in one file; both",
    )
    sub.add_argument("--out", type=Path, required=True, help="the file of pairs to write, .csv or .parquet")
    sub.add_argument("--columns", nargs="+", default=[], metavar="FIELD=COLUMN", help="the columns of both files")
    sub.add_argument("--left-columns", nargs="+", default=[], metavar="FIELD=COLUMN", help="those of the first alone")
    sub.add_argument("--right-columns", nargs="+", default=[], metavar="FIELD=COLUMN", help="those of the second alone")
    sub.add_argument("--separator", default=",", help="what stands between the columns of CSV files (,)")
    sub.add_argument(
        "--match-from", type=float, default=None, help="the probability from which a pair is a match (0.95)"
    )
    sub.add_argument("--review-from", type=float, default=None, help="that from which it is listed for a look (0.5)")
    sub.add_argument("--memory", default="4GB", help="what may be held in memory; the rest is put aside on disk (4GB)")
    sub.add_argument("--threads", type=int, default=0, help="how many cores are used (all)")
    sub.add_argument("--aside", type=Path, help="a folder to put work aside in; several times the files' size")
    sub.add_argument("--again", action="store_true", help="replace a file of pairs that is there")
    sub.set_defaults(run=match)


def match(args: argparse.Namespace) -> int:
    """Match the files; say what came of it."""
    kind = args.link_or_dedupe or ("dedupe" if args.right is None else "link")
    if problem := _misuse(args, kind):
        print(f"furong match: {problem}", file=sys.stderr)
        return 2
    if args.out.exists() and not args.again:
        print(f"furong match: {args.out} is there already; --again replaces it", file=sys.stderr)
        return 1
    from furong.entrypoints.peopling import bar
    from furong.foundation.codes.errors import Refusal
    from furong.registries.population import linkage
    from furong.registries.population.linkage.values import MATCH_FROM, REVIEW_FROM

    both = _pairs(args.columns)
    sides = [linkage.Side(path=args.left, columns=both | _pairs(args.left_columns), separator=args.separator)]
    if args.right is not None:
        sides.append(linkage.Side(path=args.right, columns=both | _pairs(args.right_columns), separator=args.separator))
    match_from = MATCH_FROM if args.match_from is None else args.match_from
    try:
        with bar() as tell:
            done = linkage.match_files(
                left=sides[0],
                right=sides[1] if len(sides) > 1 else None,
                kind=linkage.LinkKind(kind),
                out=args.out,
                folder=args.aside,
                memory=args.memory,
                threads=args.threads,
                match_from=match_from,
                review_from=min(match_from, REVIEW_FROM) if args.review_from is None else args.review_from,
                tell=tell,
            )
    except Refusal as refusal:
        print(f"furong match: {refusal} {refusal.advice}".rstrip(), file=sys.stderr)
        return 1
    rows = f"{done.left_rows:,}" + (f" and {done.right_rows:,}" if args.right is not None else "")
    print(f"{rows} rows, compared by {', '.join(done.fields)}, in {done.seconds:,.1f} s")
    print(
        f"{done.matches:,} matches, {done.by_number:,} of them by number; {done.reviews:,} pairs for a person to look at"
    )
    if done.ignored_blocks:
        print(f"{done.ignored_blocks:,} values that too many rows share led to no comparison of their own")
    print(f"The pairs are in {args.out}; its owner alone can read it.")
    return 0


def _misuse(args: argparse.Namespace, kind: str) -> str:
    if (kind == "dedupe") != (args.right is None):
        return "dedupe takes one file, link and both take two"
    for text in (*args.columns, *args.left_columns, *args.right_columns):
        if not all(text.partition("=")[::2]):
            return f"{text!r} is not FIELD=COLUMN"
    if len(args.separator) != 1:
        return "the separator is one character"
    for share in (args.match_from, args.review_from):
        if share is not None and not 0 < share < 1:
            return "a probability lies between 0 and 1"
    if not args.out.parent.is_dir():
        return f"there is no folder {args.out.parent} to write to"
    return ""


def _pairs(texts: Sequence[str]) -> dict[str, str]:
    return {name: column for name, _, column in (text.partition("=") for text in texts)}
