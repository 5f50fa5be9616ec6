"""The judged questions over the pack: a change may not make the search find worse than what was recorded."""

from __future__ import annotations

from contextlib import closing

import pytest

from furong.domains.search.judging.corpora import pack_documents
from furong.domains.search.judging.evaluating import evaluate, figures, read_figures
from furong.domains.search.judging.files import read_grades, read_questions
from furong.domains.search.judging.rankers import OurRanker, PairsInSqlite, Ranker
from furong.domains.search.judging.values import Result
from furong.domains.search.judging.words import pack_vocabulary
from tests.conftest import PACK

JUDGED = PACK / "search" / "judged"
ROUNDING = 0.002


@pytest.fixture(scope="module")
def results() -> dict[str, Result]:
    documents = list(pack_documents(PACK))
    questions = read_questions(JUDGED / "pack_queries.jsonl")
    grades = read_grades(JUDGED / "pack_qrels.jsonl")
    rankers: dict[str, Ranker] = {
        "furong": OurRanker(documents, vocabulary=pack_vocabulary(PACK)),
        "fts5": PairsInSqlite(documents),
    }
    found = {}
    for name, ranker in rankers.items():
        with closing(ranker):
            found[name] = evaluate(ranker, questions=questions, grades=grades)
    return found


def test_every_grade_names_a_question_and_a_document_and_there_are_three_hundred_questions() -> None:
    keys = {one.key for one in pack_documents(PACK)}
    asked = 0
    for half in ("pack", "law"):
        questions = {one.id: one for one in read_questions(JUDGED / f"{half}_queries.jsonl")}
        grades = read_grades(JUDGED / f"{half}_qrels.jsonl")
        assert set(grades) == set(questions)
        assert {one.part for one in questions.values()} == {"tune", "held"}
        assert len({one.text for one in questions.values()}) == len(questions)
        if half == "pack":
            assert {document for own in grades.values() for document in own} <= keys
        asked += len(questions)
    assert asked >= 300


def test_the_search_finds_no_worse_than_was_recorded(results: dict[str, Result]) -> None:
    recorded = read_figures(JUDGED / "figures.json")["pack"]
    found = figures(results["furong"])
    worse = {name: (found[name], value) for name, value in recorded.items() if found[name] < value - ROUNDING}
    assert not worse, "found, recorded: a better ranking records its figures, a worse one is not taken"


def test_the_search_finds_better_than_pairs_in_sqlite_also_what_nobody_tuned_with(results: dict[str, Result]) -> None:
    for part in ("tune", "held"):
        ours, peer = results["furong"].of_part(part), results["fts5"].of_part(part)
        assert ours.ndcg > peer.ndcg
        assert ours.recall > peer.recall
