"""Corpora, questions and grades as files of JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from furong.domains.search.judging.errors import JudgedFileRefused
from furong.domains.search.judging.values import MAX_GRADE, Question
from furong.domains.search.values import Document, Kind

_MAX_LINE = 8 * 1024 * 1024


def read_corpus(path: Path) -> Iterator[Document]:
    """Give the documents of a corpus: id, title, text, and where there are: kind, keywords, published_on.

    Raises JudgedFileRefused, which names the line.
    """
    seen: set[str] = set()
    for line, row in _lines(path):
        key = _word(path, line, row, "id")
        if key in seen:
            raise JudgedFileRefused(file=path.name, line=line, why="an id for the second time")
        seen.add(key)
        yield corpus_document(
            key=key,
            title=_word(path, line, row, "title", may_lack=True),
            text=_word(path, line, row, "text", may_lack=True),
            kind=str(row.get("kind", "")),
            keywords=tuple(str(one) for one in row.get("keywords") or ()),
            published_on=_day(path, line, row.get("published_on")),
        )


def corpus_document(
    *,
    key: str,
    title: str,
    text: str,
    kind: str = "",
    keywords: tuple[str, ...] = (),
    published_on: date | None = None,
) -> Document:
    """Make a document of a corpus: public, with no place and no department."""
    return Document(
        key=key,
        kind=Kind(kind) if kind in set(Kind) else Kind.DOCUMENT,
        title=title,
        address=f"/documents/{key}",
        text=text,
        keywords=keywords,
        published_on=published_on,
    )


def read_questions(path: Path) -> list[Question]:
    """Give the questions of a file: id, text, part. Raises JudgedFileRefused."""
    found: dict[str, Question] = {}
    for line, row in _lines(path):
        one = Question(
            id=_word(path, line, row, "id"), text=_word(path, line, row, "text"), part=str(row.get("part") or "tune")
        )
        if one.id in found:
            raise JudgedFileRefused(file=path.name, line=line, why="an id for the second time")
        found[one.id] = one
    return list(found.values())


def read_grades(path: Path) -> dict[str, dict[str, int]]:
    """Give the grades of a file: query, document, grade. Raises JudgedFileRefused."""
    found: dict[str, dict[str, int]] = {}
    for line, row in _lines(path):
        grade = row.get("grade")
        if type(grade) is not int or not 0 <= grade <= MAX_GRADE:
            raise JudgedFileRefused(file=path.name, line=line, why=f"a grade is a whole number from 0 to {MAX_GRADE}")
        document = _word(path, line, row, "document")
        of_question = found.setdefault(_word(path, line, row, "query"), {})
        if document in of_question:
            raise JudgedFileRefused(file=path.name, line=line, why="a grade for the second time")
        of_question[document] = grade
    return found


def _lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        with path.open("rb") as file:
            number = 0
            while raw := file.readline(_MAX_LINE + 1):
                number += 1
                if len(raw) > _MAX_LINE:
                    raise JudgedFileRefused(file=path.name, line=number, why="a line too long")
                if not raw.strip():
                    continue
                try:
                    row = json.loads(raw.decode("utf-8-sig" if number == 1 else "utf-8"))
                except (ValueError, RecursionError) as exc:
                    raise JudgedFileRefused(file=path.name, line=number, why="no JSON in UTF-8") from exc
                if not isinstance(row, dict):
                    raise JudgedFileRefused(file=path.name, line=number, why="no JSON object")
                yield number, row
    except OSError as exc:
        raise JudgedFileRefused(file=path.name, line=0, why="the file cannot be opened") from exc


def _word(path: Path, line: int, row: dict[str, Any], name: str, *, may_lack: bool = False) -> str:
    value = row.get(name)
    if may_lack and value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or (not value.strip() and not may_lack):
        raise JudgedFileRefused(file=path.name, line=line, why=f"{name} is no text")
    return value


def _day(path: Path, line: int, value: object) -> date | None:
    if value is None:
        return None
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError as exc:
        raise JudgedFileRefused(file=path.name, line=line, why="published_on is no date") from exc
