"""A whole result page as the portal makes it, and the processes that ask for pages: one user, fifty users, a cold start.

    python -m benchmarks.search_page cold|one|many FOLDER --asked N [--threads N --seconds N --seed N]

Each run is a process of its own, which opens the index as a web worker does; it ends with one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import threading
import time
from pathlib import Path
from typing import Any

from benchmarks.search_corpus import TODAY, Maker

PACK = Path(__file__).resolve().parents[1] / "packs" / "hunan"


def page(engine: Any, text: str, department: str, *, staff: bool = False) -> Any:
    """Ask for a page: service cards, ten results with snippets, count and facets, rights and department narrowing."""
    from furong.domains.search.judging.rankers import asked_page
    from furong.domains.search.values import PUBLIC, STAFF, Query

    query = Query(
        text=text,
        today=TODAY,
        rights=frozenset({PUBLIC, STAFF}) if staff else frozenset({PUBLIC}),
        departments=(department,) if department else (),
    )
    return asked_page(engine, query)


def open_index(folder: Path) -> Any:
    """Open an index that `benchmarks.search` built, with the words of the pack."""
    from furong.domains.search.engine.tantivy_engine import open_engine
    from furong.domains.search.judging.words import pack_vocabulary
    from furong.domains.search.wording import analysis_of

    words = pack_vocabulary(PACK)
    return open_engine(folder, analysis=analysis_of(words.words), thesaurus=words.thesaurus)


def p(values: list[float], share: float) -> float:
    """Give the value that ``share`` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def forget(folder: Path) -> None:
    """Drop the index's files from the page cache, as after a restart of the machine."""
    os.sync()
    for path in folder.rglob("*"):
        if path.is_file():
            handle = os.open(path, os.O_RDONLY)
            try:
                os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(handle)


def main() -> None:
    """Run one of the three."""
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["cold", "one", "many"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--asked", type=int, default=300)
    parser.add_argument("--threads", type=int, default=25)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=5)
    given = parser.parse_args()
    from benchmarks.processes_ground import set_up

    set_up()
    questions = Maker(PACK).asked(given.asked, seed=given.seed)
    if given.what == "cold":
        figures = cold(given.folder, questions)
    elif given.what == "one":
        figures = one(given.folder, questions)
    else:
        figures = many(given.folder, questions, threads=given.threads, seconds=given.seconds)
    figures["rss_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps(figures))


def cold(folder: Path, questions: list[tuple[str, str]]) -> dict[str, Any]:
    """Time the very first page of a process whose index is on the disk only: opening it included, and the next twenty."""
    forget(folder)
    began = time.perf_counter()
    engine = open_index(folder)
    opened = time.perf_counter()
    times = []
    for text, department in questions[:21]:
        asked = time.perf_counter()
        page(engine, text, department)
        times.append((time.perf_counter() - asked) * 1000)
    return {"open_ms": (opened - began) * 1000, "first_ms": times[0], "next_max_ms": max(times[1:])}


def one(folder: Path, questions: list[tuple[str, str]]) -> dict[str, Any]:
    """Time pages one after another; every tenth as staff."""
    engine = open_index(folder)
    engine.warm()
    for text, department in questions[:50]:
        page(engine, text, department)
    times, found = [], 0
    for number, (text, department) in enumerate(questions):
        asked = time.perf_counter()
        answer = page(engine, text, department, staff=number % 10 == 0)
        times.append((time.perf_counter() - asked) * 1000)
        found += answer.total > 0
    return {
        "p50_ms": statistics.median(times), "p95_ms": p(times, 0.95), "p99_ms": p(times, 0.99), "max_ms": max(times),
        "found_share": found / len(questions),
    }  # fmt: skip


def many(folder: Path, questions: list[tuple[str, str]], *, threads: int, seconds: float) -> dict[str, Any]:
    """Let ``threads`` users ask without a pause for ``seconds``; each times its own pages."""
    engine = open_index(folder)
    engine.warm()
    for text, department in questions[:30]:
        page(engine, text, department)
    times: list[list[float]] = [[] for _ in range(threads)]
    until = time.perf_counter() + seconds

    def user(number: int) -> None:
        place = number * 97
        while time.perf_counter() < until:
            text, department = questions[place % len(questions)]
            place += 1
            asked = time.perf_counter()
            page(engine, text, department)
            times[number].append((time.perf_counter() - asked) * 1000)

    users = [threading.Thread(target=user, args=(number,)) for number in range(threads)]
    for thread in users:
        thread.start()
    for thread in users:
        thread.join()
    every = [value for own in times for value in own]
    return {"times": [round(value, 2) for value in every], "pages": len(every)}


if __name__ == "__main__":
    main()
