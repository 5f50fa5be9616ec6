"""The fields of the index, and how a document fills them."""

from __future__ import annotations

import json
from datetime import date
from hashlib import blake2b
from typing import Any, NamedTuple, cast

import tantivy

from furong.domains.search.analysis.cutting import BREAK, Analysis, joined, joined_pairs
from furong.domains.search.analysis.folding import clean, fold, fold_text
from furong.domains.search.analysis.numbers import identifiers
from furong.domains.search.values import (
    HALF_LIFE_DAYS,
    MAX_INDEXED,
    MAX_STORED,
    MAX_TITLE,
    Document,
    Kind,
)

VERSION = "furong-search-3"
SAMPLE = 64  # one document of so many is in the sample, by its number
TOKENS = "furong"  # the tokenizer's name in the schema: white space only, the cutting is done before
_EPOCH = date(1970, 1, 1).toordinal()
NO_DAY = -1
# A day ahead of what can be is not believed (`domains.search.store` refuses it too): the page is found without one.
_FIRST_DAY, _LAST_DAY = date(1949, 10, 1), date(2090, 1, 1)


def make_schema() -> tantivy.Schema:
    """Make the schema."""
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("key", tokenizer_name="raw", index_option="basic")
    builder.add_text_field("rights", tokenizer_name="raw", index_option="basic")
    builder.add_text_field("numbers", tokenizer_name="raw", index_option="basic")
    builder.add_text_field("divisions", tokenizer_name="raw", index_option="basic")
    builder.add_text_field("sample", tokenizer_name="raw", index_option="basic")  # to estimate what millions hold
    for name in ("kind", "site", "department", "audience", "language"):
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic", fast=True)
    builder.add_integer_field("day", indexed=True, fast=True)
    builder.add_integer_field("year", indexed=True, fast=True)
    builder.add_integer_field("fades", fast=True)
    builder.add_integer_field(
        "id", indexed=True, fast=True
    )  # of the key: what was found cheaply is asked for by it again
    builder.add_float_field("boost", fast=True)
    builder.add_text_field("title_pairs", tokenizer_name=TOKENS, index_option="position")
    builder.add_text_field("words", tokenizer_name=TOKENS, index_option="freq")
    builder.add_text_field("pairs", tokenizer_name=TOKENS, index_option="position")
    builder.add_bytes_field("shown", stored=True)
    schema: tantivy.Schema = builder.build()
    return schema


def tokenizer() -> tantivy.TextAnalyzer:
    """Make the tokenizer that takes joined tokens apart. Each process registers it."""
    # A break takes a place, so that no phrase reaches over it, and is itself not kept.
    dropped = tantivy.Filter.custom_stopword([BREAK])
    return tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).filter(dropped).build()


def day_number(day: date) -> int:
    """Give a day as the index counts: days since 1970."""
    return day.toordinal() - _EPOCH


def day_of(number: int | None) -> date | None:
    """Read a day of the index; None for none."""
    return None if number is None or number == NO_DAY else date.fromordinal(number + _EPOCH)


class Row(NamedTuple):
    """A document cut for the index, in values that travel between processes: the fields with their texts and whole numbers."""

    key: str
    is_public: bool
    texts: list[tuple[str, str]]
    integers: list[tuple[str, int]]
    boost: float
    shown: bytes


def id_of(key: str) -> int:
    """Give the number of a key: what the index can read fast. Two keys with one number do no harm."""
    return int.from_bytes(blake2b(key.encode("utf-8", "replace"), digest_size=8).digest()) >> 1


def cut(document: Document, analysis: Analysis) -> Row:
    """Cut a document for the index. Pure; about half a millisecond for a page of a thousand characters."""
    title = clean(document.title[:MAX_TITLE])
    text, text_en = clean(document.text[:MAX_INDEXED]), clean(document.text_en[:MAX_INDEXED])
    titles = [title, clean(document.title_en[:MAX_TITLE])] if document.title_en else [title]
    names = [*(fold(one) for one in titles), *(fold(clean(word[:MAX_TITLE])) for word in document.keywords[:50])]
    heading, body = "\n".join(names), fold_text(f"{text}\n{text_en}" if text_en else text)
    written = document.published_on
    if written is not None and not _FIRST_DAY <= written < _LAST_DAY:
        written = None
    texts = [("key", document.key), ("kind", document.kind.value)]
    texts += [("rights", right) for right in document.rights]
    texts += [("divisions", place) for place in document.divisions]
    texts += [("numbers", token) for token in numbers_of(document, heading, body)]
    for name, value in (("site", document.site), ("department", document.department), ("language", document.language)):
        if value:
            texts.append((name, clean(value)[:200]))
    texts += [("audience", value[:100]) for value in document.audience]
    texts.append(("title_pairs", joined_pairs(heading)))
    texts.append(("words", joined([*analysis.words(heading), *analysis.words(body)])))
    texts.append(("pairs", joined_pairs(body)))
    number = id_of(document.key)
    if number % SAMPLE == 0:
        texts.append(("sample", "1"))
    integers = [("id", number), ("fades", HALF_LIFE_DAYS.get(document.kind, 0))]
    integers.append(("day", NO_DAY if written is None else day_number(written)))
    if written is not None:
        integers.append(("year", written.year))
    shown = _shown(document, title, text[:MAX_STORED], text_en[:MAX_STORED], written).encode()
    return Row(document.key, document.is_public, texts, integers, min(max(document.boost, 0.25), 4.0), shown)


def indexed(row: Row) -> tantivy.Document:
    """Turn a document that was cut into what tantivy takes."""
    found = tantivy.Document()
    for name, text in row.texts:
        found.add_text(name, text)
    for name, number in row.integers:
        found.add_integer(name, number)
    found.add_float("boost", row.boost)
    found.add_bytes("shown", row.shown)
    return found


def numbers_of(document: Document, heading: str, body: str) -> list[str]:
    """Give the exact identifiers of a document: its own, and those that its texts hold."""
    found = [token for token, _ in identifiers(heading)]
    found += [token for token, _ in identifiers(body)]
    for number in document.numbers:
        folded = fold(number)
        found += [token for token, _ in identifiers(folded)] or [folded.replace(" ", "")]
    return list(dict.fromkeys(found))


def _shown(document: Document, title: str, text: str, text_en: str, written: date | None) -> str:
    value: dict[str, Any] = {
        "k": document.key,
        "n": document.kind.value,
        "t": title,
        "a": document.address,
        "x": text,
        "e": clean(document.title_en[:MAX_TITLE]),
        "y": text_en,
        "s": document.site,
        "d": document.department,
        "l": document.language,
        "w": [clean(word[:MAX_TITLE]) for word in document.keywords[:50]],
        "v": list(document.divisions),
        "r": list(document.rights),
        "u": list(document.audience),
        "p": written.isoformat() if written else "",
        "b": document.boost,
    }
    return json.dumps({name: one for name, one in value.items() if one not in ("", [])}, ensure_ascii=False)


def stored(row: tantivy.Document) -> Document:
    """Read back what the index keeps of a document."""
    value = json.loads(cast(bytes, row.get_first("shown")))
    return Document(
        key=value["k"],
        kind=Kind(value["n"]),
        title=value.get("t", ""),
        address=value.get("a", ""),
        text=value.get("x", ""),
        site=value.get("s", ""),
        department=value.get("d", ""),
        language=value.get("l", ""),
        keywords=tuple(value.get("w", ())),
        divisions=tuple(value.get("v", ())),
        rights=tuple(value.get("r", ())),
        audience=tuple(value.get("u", ())),
        published_on=date.fromisoformat(value["p"]) if value.get("p") else None,
        boost=value.get("b", 1.0),
        title_en=value.get("e", ""),
        text_en=value.get("y", ""),
    )
