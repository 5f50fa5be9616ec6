"""Asking a ranker the judged questions."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from furong.domains.search.judging.rankers import Ranker
from furong.domains.search.judging.values import Grades, Question, Result, score, summed


def evaluate(
    ranker: Ranker,
    *,
    questions: Sequence[Question],
    grades: Grades,
    k: int = 10,
    clock: Callable[[], float] = time.perf_counter,
) -> Result:
    """Ask a ranker all questions that have grades and measure the first ``k`` answers (1 to 100) of each."""
    scores = []
    seconds = 0.0
    for question in questions:
        if not any(grades.get(question.id, {}).values()):
            continue  # nothing to be found says nothing about a ranking
        began = clock()
        ranked = ranker.rank(question.text, size=100)
        seconds += clock() - began
        scores.append(score(question, ranked, grades[question.id], k=k))
    return summed(scores, k=k, seconds=seconds)


def figures(result: Result) -> dict[str, float]:
    """Give a result's means, rounded to four digits."""
    k = result.k
    return {
        f"ndcg{k}": round(result.ndcg, 4),
        f"recall{k}": round(result.recall, 4),
        "recall100": round(result.recall_100, 4),
        "mrr": round(result.mrr, 4),
        "questions": result.asked,
    }


def read_figures(path: Path) -> dict[str, dict[str, float]]:
    """Read the figures that were recorded for a judged set: half to measure to value."""
    found: dict[str, dict[str, float]] = json.loads(path.read_text(encoding="utf-8"))
    return found
