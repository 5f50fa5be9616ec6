"""The engine against SpiffWorkflow and its own full path, on eight connections, and over a million open cases.

One diagram (four department tasks, a join, a decision, two tasks) on a PostgreSQL with fsync on; every step is a durable
transaction of its own. What is compared runs in turns: the engine and SpiffWorkflow, one connection and eight, the engine
alone and the commands, an empty database and one with 1,000,000 open and 10,000,000 ended instances. The last line is one JSON
object with all figures of processes, also those of `benchmarks.feel` and `benchmarks.decisions`.

    python -m benchmarks.processes [--quick] [--open N] [--ended N]
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from benchmarks.processes_full import compare_doors
from benchmarks.processes_ground import NOW, Meter, cluster, p95, publish
from benchmarks.processes_lists import work_lists
from benchmarks.processes_load import LOADED_NOW, due_scans, load
from benchmarks.processes_many import A_WORKER_A_CORE, ONE, PROCESSES, SHAPES, THREADS, Doors, rates, workers
from benchmarks.processes_page import make_department, page_times
from benchmarks.processes_peer import compare

__all__ = ["cluster", "main"]


def show(title: str, rows: Mapping[str, list[float]]) -> None:
    print(f"\n{title:52}{'p50 ms':>8}{'p95 ms':>8}")
    for name, values in rows.items():
        print(f"{name:52}{statistics.median(values):8.2f}{p95(values):8.2f}", flush=True)


def doors_in_turns(empty: str, loaded: str, *, rounds: int, cases: int) -> dict[str, list[float]]:
    """Time starts and completions through the commands on two databases, a few cases of one and then of the other."""
    found: dict[str, list[float]] = {}
    with workers(empty, loaded) as pool:
        for turn in range(rounds + 1):
            for name, one, now in (("empty", pool[0], LOADED_NOW), ("loaded", pool[1], LOADED_NOW)):
                one.ask(Doors(cases, now))
                starts, completions = one.answer()
                if turn:  # the first round warms up
                    found.setdefault(f"start, {name}", []).extend(starts)
                    found.setdefault(f"complete, {name}", []).extend(completions)
    return found


def commit_ms(rounds: int = 100) -> float:
    """Give the median of a durable commit of next to nothing: what a step waits for, whatever the engine does."""
    from furong.domains.processes.store import execute

    execute("CREATE TABLE IF NOT EXISTS bench_commit (n int)", {})
    times = []
    for turn in range(rounds):
        began = time.perf_counter()
        execute("INSERT INTO bench_commit VALUES (%s)", [turn])
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


def engines(url: str, quick: bool) -> dict[str, float]:
    """Measure what runs on an empty database: beside SpiffWorkflow, by the commands, on eight connections."""
    ours, theirs = compare(url, rounds=10 if quick else 30, cases=10 if quick else 20)
    alone, full = compare_doors(publish(), rounds=10 if quick else 30, cases=5 if quick else 10)
    print(f"\n{'one connection':52}{'steps/s':>10}{'CPU ms/step':>14}{'steps':>8}")
    rows: tuple[tuple[str, Meter], ...] = (
        ("Furong's engine", ours),
        ("SpiffWorkflow, state-only rows", theirs),
        ("the engine again, beside the commands", alone),
        ("commands: rights, audit, events, listeners", full),
    )
    for name, meter in rows:
        print(f"{name:52}{meter.steps_per_s:10.0f}{meter.cpu_ms:14.3f}{meter.steps:8}", flush=True)
    commit = commit_ms()
    many = rates(url, rounds=4 if quick else 12, seconds=1.0 if quick else 3.0)
    print(f"\n{'many connections, medians of the rounds':52}{'steps/s':>10}   (a commit of one row: {commit:.2f} ms)")
    for processes, threads in SHAPES:
        name = f"{processes * threads} connections, processes x threads: {processes} x {threads}"
        print(f"{name:52}{many.median((processes, threads)):10.0f}", flush=True)
    return {
        "steps_per_s": round(ours.steps_per_s, 1),
        "cpu_ms": round(ours.cpu_ms, 3),
        "spiff_steps_per_s": round(theirs.steps_per_s, 1),
        "spiff_cpu_ms": round(theirs.cpu_ms, 3),
        "cpu_ratio": round(theirs.cpu_over(ours), 2),
        "ratio": round(ours.speed_over(theirs), 2),
        "full_steps_per_s": round(full.steps_per_s, 1),
        "full_cpu_ms": round(full.cpu_ms, 3),
        "full_ratio": round(full.speed_over(alone), 2),
        "commit_ms": round(commit, 2),
        "steps_per_s_1": round(many.median(ONE), 1),
        "steps_per_s_8": round(many.median(A_WORKER_A_CORE), 1),
        "steps_per_s_8_ratio": round(many.ratio(A_WORKER_A_CORE), 2),
        "steps_per_s_8_processes": round(many.median(PROCESSES), 1),
        "steps_per_s_8_threads": round(many.median(THREADS), 1),
    }


def scale(url: str, empty: str, *, quick: bool, opened: int, ended: int) -> dict[str, float]:
    """Fill the database and measure what must not grow with it."""
    print(f"\nloading {opened:,} open and {ended:,} ended instances", flush=True)
    asked = 40 if quick else 200
    seconds = load(
        url, opened=opened, ended=ended, definition=publish().id, tell=lambda line: print(line, file=sys.stderr)
    )
    print(f"loaded and vacuumed in {seconds:.0f} s", flush=True)
    doors = doors_in_turns(empty, url, rounds=8 if quick else 30, cases=5 if quick else 10)
    show("by the commands, in turns", doors)
    scans = due_scans(asked * 5)
    show(f"due, of {opened:,} timers", scans)
    lists = work_lists(opened, asked)
    page = page_times(lambda n: UUID(hashlib.md5(f"o{n}".encode(), usedforsecurity=False).hexdigest()), asked)
    show(f"work lists, {opened:,} open cases", {**lists, "the page itself, five departments": page})
    queries = [values for name, values in lists.items() if "page" in name]
    figures = {f"{name.replace(', loaded', '')}_p95_ms": p95(doors[name]) for name in doors if name.endswith("loaded")}
    for name in ("start", "complete"):
        figures[f"{name}_empty_p95_ms"] = p95(doors[f"{name}, empty"])
        figures[f"{name}_ratio"] = p95(doors[f"{name}, loaded"]) / p95(doors[f"{name}, empty"])
    figures["due_scan_p95_ms"] = max(p95(times) for times in scans.values())
    figures["worklist_query_p95_ms"] = max(p95(values) for values in queries)
    figures["worklist_p95_ms"] = p95(page)
    return {"cases_open": opened, "cases_ended": ended, **{name: round(one, 2) for name, one in figures.items()}}


def values(quick: bool) -> dict[str, float]:
    """Measure FEEL and decision tables, as their own benchmarks do."""
    from benchmarks import decisions, feel
    from furong.domains.decisions import parse_dmn

    slowest = max(
        decisions.measure(parse_dmn(decisions.table(shape, 1_000), file="1000.dmn"), 1_000, 30 if quick else 300)
        for shape in decisions.SHAPES
    )
    found = {"feel_per_s": float(round(feel.feel_per_s(quick=quick))), "table_1000_rules_us": round(slowest, 1)}
    print(f"\n{found['feel_per_s']:,.0f} conditions a second; {slowest:.0f} us for a table of 1,000 rules")
    return found


def main() -> int:
    """Measure all and print it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds and a tenth of the instances")
    parser.add_argument("--open", type=int, help="open instances to load (1,000,000; quick 100,000)")
    parser.add_argument("--ended", type=int, help="ended instances to load (10,000,000; quick 1,000,000)")
    given = parser.parse_args()
    quick: bool = given.quick
    opened = given.open or (100_000 if quick else 1_000_000)
    ended = given.ended or (1_000_000 if quick else 10_000_000)
    with cluster() as server:
        from django.db import connections

        url, empty = server.url("bench"), server.url("bench_empty")
        print(
            f"PostgreSQL {server.server.major} ({server.server.source}), Python {platform.python_version()}, fsync on,"
        )
        print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start")
        publish()
        connections.close_all()
        server.clone_database(template="bench", name="bench_empty")
        began = datetime.now(NOW.tzinfo)
        figures = engines(url, quick)
        make_department()
        figures |= scale(url, empty, quick=quick, opened=opened, ended=ended)
        connections.close_all()
    figures |= values(quick)
    figures |= {"load_at_end": round(os.getloadavg()[0], 1)}
    figures |= {"minutes": round((datetime.now(NOW.tzinfo) - began).total_seconds() / 60, 1)}
    print(json.dumps({"benchmark": "processes", "quick": quick, **figures}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
