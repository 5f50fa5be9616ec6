"""Questions, grades, rankings, and the measures of information retrieval. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log2

MAX_GRADE = 3  # 3 answers, 2 helps, 1 touches the matter, 0 does not


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What somebody types. ``part`` is "held" for those that nobody tunes with, "tune" for the others."""

    id: str
    text: str
    part: str = "tune"


Grades = Mapping[str, Mapping[str, int]]  # question to document to grade; what is not named is 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How a ranking did on one question: each between 0 and 1."""

    question: Question
    ndcg: float
    recall: float
    recall_100: float
    reciprocal_rank: float
    first: tuple[str, ...]  # the documents on top


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How a ranking did on a set of questions: means, the questions from the worst, and how long they took together."""

    k: int
    ndcg: float
    recall: float
    recall_100: float
    mrr: float
    scores: tuple[Score, ...]
    seconds: float

    @property
    def asked(self) -> int:
        """The number of questions."""
        return len(self.scores)

    def of_part(self, part: str) -> Result:
        """Give the result on one part of the questions."""
        return summed([one for one in self.scores if one.question.part == part], k=self.k, seconds=0.0)


def ndcg(ranked: Sequence[str], grades: Mapping[str, int], *, k: int) -> float:
    """Measure the first ``k`` of a ranking: the gain 2^grade - 1 of each, discounted by log2 of its place,
    as a share of the best that there is (Järvelin and Kekäläinen 2002, with the gain of Burges 2005). 0 when none is relevant.
    """
    best = _gain(sorted(grades.values(), reverse=True)[:k])
    return _gain([grades.get(one, 0) for one in _once(ranked)[:k]]) / best if best else 0.0


def recall(ranked: Sequence[str], grades: Mapping[str, int], *, k: int) -> float:
    """Give the share of the relevant documents (grade 1 and above) that is among the first ``k``."""
    relevant = {one for one, grade in grades.items() if grade > 0}
    return len(relevant & set(ranked[:k])) / len(relevant) if relevant else 0.0


def reciprocal_rank(ranked: Sequence[str], grades: Mapping[str, int], *, k: int) -> float:
    """Give one over the place of the first document that helps (grade 2 and above); 0 below ``k``."""
    for place, one in enumerate(ranked[:k], start=1):
        if grades.get(one, 0) >= 2:
            return 1 / place
    return 0.0


def score(question: Question, ranked: Sequence[str], grades: Mapping[str, int], *, k: int) -> Score:
    """Measure a ranking of at least a hundred documents on one question."""
    return Score(
        question=question,
        ndcg=ndcg(ranked, grades, k=k),
        recall=recall(ranked, grades, k=k),
        recall_100=recall(ranked, grades, k=100),
        reciprocal_rank=reciprocal_rank(ranked, grades, k=k),
        first=tuple(ranked[:k]),
    )


def summed(scores: Sequence[Score], *, k: int, seconds: float) -> Result:
    """Give the means over questions, the worst question first."""
    count = max(len(scores), 1)
    return Result(
        k=k,
        ndcg=sum(one.ndcg for one in scores) / count,
        recall=sum(one.recall for one in scores) / count,
        recall_100=sum(one.recall_100 for one in scores) / count,
        mrr=sum(one.reciprocal_rank for one in scores) / count,
        scores=tuple(sorted(scores, key=lambda one: (one.ndcg, one.question.id))),
        seconds=seconds,
    )


def _gain(grades: Sequence[int]) -> float:
    return sum((2.0**grade - 1.0) / log2(place + 1) for place, grade in enumerate(grades, start=1))


def _once(ranked: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(ranked))
