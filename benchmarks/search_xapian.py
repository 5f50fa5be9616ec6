"""Xapian on the pages that `benchmarks.search_peers` wrote: run by the system's Python, which has its bindings."""

import json
import statistics
import sys
import time
from pathlib import Path

import xapian  # type: ignore[import-not-found]

FACETS = ("kind", "site", "department", "year")


def build(folder):  # type: ignore[no-untyped-def]
    database = xapian.WritableDatabase(str(folder / "index"), xapian.DB_CREATE_OR_OVERWRITE)
    with (folder / "pages.jsonl").open(encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            document = xapian.Document()
            for word, count in row["title"].items():
                document.add_term("S" + word[:60], 3 * count)
                document.add_term("Z" + word[:60], 3 * count)
            for word, count in row["body"].items():
                document.add_term("Z" + word[:60], count)
            for number, value in enumerate(row["facets"]):
                document.add_value(number, value)
            document.add_boolean_term("XD" + row["facets"][2])
            document.set_data(row["text"])
            database.add_document(document)
    database.commit()
    database.close()


def ask(database, words, department, *, whole):  # type: ignore[no-untyped-def]
    query = xapian.Query(xapian.Query.OP_OR, [xapian.Query("Z" + word[:60]) for word in words])
    if department:
        query = xapian.Query(xapian.Query.OP_FILTER, query, xapian.Query("XD" + department))
    enquire = xapian.Enquire(database)
    enquire.set_query(query)
    if not whole:
        return [match.docid for match in enquire.get_mset(0, 10)]
    spies = [xapian.ValueCountMatchSpy(number) for number in range(len(FACETS))]
    for spy in spies:
        enquire.add_matchspy(spy)
    found = enquire.get_mset(0, 10, database.get_doccount())
    texts = [match.document.get_data() for match in found]
    counts = [[(value.term, value.termfreq) for value in spy.top_values(30)] for spy in spies]
    return found.get_matches_estimated(), texts, counts


def main():  # type: ignore[no-untyped-def]
    folder = Path(sys.argv[1])
    began = time.perf_counter()
    build(folder)
    built = time.perf_counter() - began
    database = xapian.Database(str(folder / "index"))
    asked = json.loads((folder / "asked.json").read_text(encoding="utf-8"))
    figures = {"build_s": round(built, 1)}
    for name, whole in (("page_ms", True), ("best_ms", False)):
        for words, department in asked[:5]:
            ask(database, words, department, whole=whole)
        times = []
        for words, department in asked:
            start = time.perf_counter()
            ask(database, words, department, whole=whole)
            times.append((time.perf_counter() - start) * 1000)
        figures[name] = round(statistics.median(times), 3)
    print(json.dumps(figures))


main()
