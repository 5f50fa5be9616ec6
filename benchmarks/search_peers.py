"""The same pages and the same questions in other engines: PostgreSQL, Xapian, tantivy without us.

Each answers a whole page (ten results with the title weighed, narrowed to a department where the question says so, a count and
four facets, ten texts to cut snippets from) and the ten best alone. All get the words that our segmenter cut, joined by OR.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.search_corpus import TODAY, Made

SYSTEM_PYTHON = Path("/usr/bin/python3")
FACETS = ("kind", "site", "department", "year")

Asked = tuple[tuple[str, ...], str]  # words, department

_TABLE = """
DROP TABLE IF EXISTS bench_page;
CREATE UNLOGGED TABLE bench_page (id int, title text, body text, kind text, site text, department text, year int, public bool,
                                  words tsvector)
"""
_PAGE = """
WITH found AS MATERIALIZED (
  SELECT id, kind, site, department, year, ts_rank('{{0,0,0.4,1}}', words, q) AS score
    FROM bench_page, to_tsquery('simple', %(words)s) AS q WHERE words @@ q AND public {narrowed}),
best AS (SELECT id, score FROM found ORDER BY score DESC, id LIMIT 10)
SELECT (SELECT jsonb_agg(jsonb_build_array(p.id, p.title, p.body)) FROM best JOIN bench_page p USING (id)),
       (SELECT count(*) FROM found),
       (SELECT jsonb_agg(jsonb_build_array(kind, site, department, year, n)) FROM
          (SELECT kind, site, department, year, count(*) AS n FROM found
            GROUP BY GROUPING SETS ((kind), (site), (department), (year))) AS f)
"""
_BEST = """
SELECT id FROM bench_page, to_tsquery('simple', %(words)s) AS q WHERE words @@ q AND public {narrowed}
 ORDER BY ts_rank('{{0,0,0.4,1}}', words, q) DESC LIMIT 10
"""


def median_ms(asked: Sequence[Asked], call: Callable[[Asked], Any]) -> float:
    """Give the middle time of asking each once, after a few that warm."""
    for one in asked[:5]:
        call(one)
    times = []
    for one in asked:
        began = time.perf_counter()
        call(one)
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


def postgres(pages: Iterable[Made], asked: Sequence[Asked], cut: Callable[[str], list[str]]) -> dict[str, Any]:
    """Index pages in PostgreSQL (tsvector of the same words, GIN) and time it. In the database of the run, dropped afterwards."""
    from django.db import connection

    began = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute(_TABLE)
        with cursor.copy("COPY bench_page FROM STDIN") as copy:
            for page in pages:
                copy.write_row(
                    (
                        int(page.key.split(":")[1]), page.title, page.text, page.kind, page.site, page.department,
                        page.published_on.year, "public" in page.rights, _vector(cut(page.title), cut(page.text)),
                    )
                )  # fmt: skip
        cursor.execute("CREATE INDEX ON bench_page USING gin (words)")
        cursor.execute("ANALYZE bench_page")
        built = time.perf_counter() - began
        cursor.execute("SET jit = off")
        cursor.execute("SET work_mem = '64MB'")

        def run(statement: str) -> Callable[[Asked], Any]:
            def call(one: Asked) -> Any:
                words, department = one
                text = " | ".join("'" + word.replace("'", "''") + "'" for word in words)
                cursor.execute(
                    statement.format(narrowed="AND department = %(department)s" if department else ""),
                    {"words": text, "department": department},
                )
                return cursor.fetchall()

            return call

        if not any(run(_BEST)(one) for one in asked):
            raise RuntimeError("PostgreSQL finds nothing")
        figures = {
            "build_s": round(built, 1),
            "page_ms": round(median_ms(asked, run(_PAGE)), 2),
            "best_ms": round(median_ms(asked, run(_BEST)), 2),
        }
        cursor.execute("DROP TABLE bench_page")
    return figures


def _vector(title: list[str], body: list[str]) -> str:
    """Write a tsvector: each word with its places, those of the title weighed A."""
    places: dict[str, list[str]] = {}
    for weight, words in (("A", title), ("B", body)):
        for place, word in enumerate(words, start=1):
            some = places.setdefault(word, [])
            if len(some) < 50:
                some.append(f"{min(place, 16383)}{weight}")
    return " ".join(
        "'" + word.replace("\\", "\\\\").replace("'", "''") + "':" + ",".join(some) for word, some in places.items()
    )


def xapian(pages: Iterable[Made], asked: Sequence[Asked], cut: Callable[[str], list[str]]) -> dict[str, Any] | None:
    """Index pages with Xapian in the system's Python, where its bindings are (apt install python3-xapian). None without them."""
    try:
        subprocess.run([SYSTEM_PYTHON, "-c", "import xapian"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    with tempfile.TemporaryDirectory(prefix="furong-xapian-") as folder:
        with (Path(folder) / "pages.jsonl").open("w", encoding="utf-8") as file:
            for page in pages:
                if "public" not in page.rights:
                    continue
                row = {
                    "title": dict(Counter(cut(page.title))), "body": dict(Counter(cut(page.text))), "text": page.text,
                    "facets": [page.kind, page.site, page.department, str(page.published_on.year)],
                }  # fmt: skip
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
        (Path(folder) / "asked.json").write_text(json.dumps(asked), encoding="utf-8")
        script = Path(__file__).with_name("search_xapian.py")
        found = subprocess.run([SYSTEM_PYTHON, script, folder], check=True, capture_output=True, text=True)
        figures: dict[str, Any] = json.loads(found.stdout.splitlines()[-1])
        return figures


def ours_and_raw(folder: Path, questions: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Time our pages, and tantivy asked with the same queries on the same files but nothing of ours around it.

    Raw: the queries are built before; each page is a search for three cards, one for ten results, a count, the facets, and the
    stored bytes of what was found. Ours reads the question, builds the queries, ages, cuts and marks snippets besides.
    """
    from dataclasses import replace

    import tantivy

    from benchmarks.search_page import open_index, page
    from furong.domains.search.engine.schema import TOKENS, tokenizer
    from furong.domains.search.queries import CARDS
    from furong.domains.search.values import FACETS as OURS
    from furong.domains.search.values import Query

    engine = open_index(folder)
    engine.warm()
    index = tantivy.Index.open(str(folder / "public"))
    index.register_tokenizer(TOKENS, tokenizer())
    searcher = index.searcher()
    asker = engine._public.asker
    facets = {name: {"terms": {"field": name, "size": 30}} for name in OURS}
    ours, raw, best = [], [], []
    for number, (text, department) in enumerate([*questions[:20], *questions]):
        query = Query(text=text, today=TODAY, departments=(department,) if department else ())
        began = time.perf_counter()
        answer = page(engine, text, department)
        took = (time.perf_counter() - began) * 1000
        read = engine.plan(text)
        hidden = frozenset(hit.key for hit in answer.hits[:CARDS] if hit.kind == "service")
        narrowed = replace(query, hidden=hidden)
        cards = asker.ranking(plan=read, query=replace(query, kinds=("service",)), shelf_is_public=True)
        rest = asker.ranking(plan=read, query=narrowed, shelf_is_public=True)
        counted = asker.counting(plan=read, query=narrowed, is_broad=answer.is_broad, shelf_is_public=True)
        began = time.perf_counter()
        found = [*searcher.search(cards, CARDS, count=False).hits, *searcher.search(rest, 10, count=False).hits]
        searcher.search(counted, 1)
        searcher.aggregate(counted, facets)
        for _, address in found:
            searcher.doc(address)
        took_raw = (time.perf_counter() - began) * 1000
        began = time.perf_counter()
        engine.search(replace(query, with_facets=False, with_snippets=False))
        took_best = (time.perf_counter() - began) * 1000
        if number >= 20:
            ours.append(took)
            raw.append(took_raw)
            best.append(took_best)
    return {
        "page_ms": round(statistics.median(ours), 3),
        "raw_ms": round(statistics.median(raw), 3),
        "best_ms": round(statistics.median(best), 3),
    }
