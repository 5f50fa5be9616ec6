"""Matching two person files without numbers: rows a second, precision and recall against known truth, and how it scales.

``match_rows_per_s`` are the rows of both files over the command's whole time, reading and writing among it. Precision and recall
are those of pairs that are called a match; pairs left to a person are counted apart. People whom the right file lacks are among
the left on purpose.
"""

from __future__ import annotations

import os
import resource
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.people.invented import draw_pair

SIZES = (100_000, 500_000)
QUICK = (10_000, 50_000)
FULL = (1_000_000, 5_000_000)
PRECISION, RECALL = 0.99, 0.97
WITHOUT = ("name", "born_on", "sex", "division", "address", "mother", "father")


def measure(*, quick: bool) -> tuple[dict[str, Any], list[str]]:
    """Match a pair of files without numbers, and with; give the figures and what was missed.

    ``FURONG_BENCHMARK_FOLDER`` keeps the invented files for another run; with ``FURONG_BENCHMARK_FULL`` a million rows, too:
    minutes, and gigabytes on disk.
    """
    with tempfile.TemporaryDirectory() as aside:
        folder = Path(os.environ.get("FURONG_BENCHMARK_FOLDER", aside))
        folder.mkdir(parents=True, exist_ok=True)
        return _measure(quick=quick, full=bool(os.environ.get("FURONG_BENCHMARK_FULL")), folder=folder)


def _measure(*, quick: bool, full: bool, folder: Path) -> tuple[dict[str, Any], list[str]]:
    figures: dict[str, Any] = {}
    left, right = QUICK if quick else SIZES
    one = _match(left, right, folder=folder)
    figures["match_rows_per_s"] = round((left + right) / one["seconds"])
    figures["match_precision"], figures["match_recall"] = one["precision"], one["recall"]
    figures["match_review_share"] = one["review_share"]
    figures["match_recall_with_review"] = one["recall_with_review"]
    figures["match_pairs_compared"] = one["candidates"]
    figures[f"match_s_{left // 1000}k_{right // 1000}k"] = one["seconds"]
    print(f"without numbers, {left:,} against {right:,}: {one['seconds']:.1f} s, precision {one['precision']}, "
          f"recall {one['recall']} ({one['recall_with_review']} with pairs left to a person, {one['review_share']:.2%} of rows); "
          f"{one['candidates']:,} pairs compared, {one['memory_mb']:,} MB")  # fmt: skip
    for slip, share, many in one["missed"]:
        print(f"  {slip:<30} {share:>8.4f} of {many:,} found")
    with_numbers = _match(left, right, folder=folder, number=True)
    figures["match_recall_with_number"] = with_numbers["recall"]
    figures["match_precision_with_number"] = with_numbers["precision"]
    print(
        f"with numbers: {with_numbers['seconds']:.1f} s, precision {with_numbers['precision']}, recall {with_numbers['recall']}"
    )
    half = _match(left // 2, right // 2, folder=folder)
    print(
        f"half of it: {half['seconds']:.1f} s; twice the rows take {one['seconds'] / half['seconds']:.2f} times as long"
    )
    figures["match_doubling"] = round(one["seconds"] / half["seconds"], 2)
    if full:
        big = _match(*FULL, folder=folder)
        figures["batch_match_s"] = big["seconds"]
        figures["batch_match_memory_mb"] = big["memory_mb"]
        print(f"1,000,000 against 5,000,000: {big['seconds']:.0f} s, {big['memory_mb']:,} MB, {big['candidates']:,} pairs, "
              f"precision {big['precision']}, recall {big['recall']}")  # fmt: skip
    missed = [
        f"{name} {figures[name]} < {limit}"
        for name, limit in (("match_precision", PRECISION), ("match_recall", RECALL))
        if figures[name] < limit
    ]
    return figures, missed


def _match(left: int, right: int, *, folder: Path, number: bool = False) -> dict[str, Any]:
    from furong.registries.population import linkage

    pair = draw_pair(left=left, right=right, folder=folder)
    out = folder / "pairs.parquet"
    fields = ("id", *WITHOUT, *(("number",) if number else ()))
    sides = []
    for path in (pair.left, pair.right):
        shown = path.with_name(f"shown-{path.name}")
        pl.scan_parquet(path).select(fields).sink_parquet(shown)
        sides.append(linkage.Side(path=shown))
    began = time.perf_counter()
    done = linkage.match_files(left=sides[0], right=sides[1], out=out, folder=folder)
    seconds = time.perf_counter() - began
    for side in sides:
        side.path.unlink()
    return {
        "seconds": round(seconds, 2),
        "candidates": done.candidates,
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        **_judge(pair.truth, out, left),
    }


def _judge(truth: Path, out: Path, rows: int) -> dict[str, Any]:
    said = pl.read_parquet(truth)
    found = (
        pl.read_parquet(out)
        .join(said.rename({"right": "true"}), on="left", how="left")
        .with_columns(right_one=(pl.col("right") == pl.col("true")).fill_null(value=False))
    )
    matches, reviews = (found.filter(pl.col("verdict") == one) for one in ("match", "review"))
    real = said.filter(pl.col("right").is_not_null())
    got = set(matches.filter("right_one")["left"].to_list())
    seen = got | set(reviews.filter("right_one")["left"].to_list())
    every, lucky = Counter(), Counter()  # type: Counter[str], Counter[str]
    for left, slips in real.select("left", "slips").iter_rows():
        for slip in slips.split("|") if slips else ["(none)"]:
            every[slip] += 1
            lucky[slip] += left in got
    return {
        "precision": round(matches["right_one"].sum() / max(1, matches.height), 5),
        "recall": round(len(got) / max(1, real.height), 5),
        "recall_with_review": round(len(seen) / max(1, real.height), 5),
        "review_share": round(reviews.height / rows, 5),
        "missed": [(slip, lucky[slip] / many, many) for slip, many in sorted(every.items())],
    }
