"""The fields of the index, and how a document fills them."""

from __future__ import annotations

import json
from datetime import date
from typing import Any, cast

import tantivy

from furong.domains.search.analysis.cutting import Analysis, joined, pairs
from furong.domains.search.analysis.folding import clean, fold
from furong.domains.search.analysis.numbers import identifiers
from furong.domains.search.values import (
    HALF_LIFE_DAYS,
    MAX_INDEXED,
    MAX_STORED,
    MAX_TITLE,
    Document,
    Kind,
)

VERSION = "furong-search-1"
TOKENS = "furong"  # the tokenizer's name in the schema: white space only, the cutting is done before
_EPOCH = date(1970, 1, 1).toordinal()
NO_DAY = -1
# A day ahead of what can be is not believed (`domains.search.store` refuses it too): the page is found without one.
_FIRST_DAY, _LAST_DAY = date(1949, 10, 1), date(2090, 1, 1)


def make_schema() -> tantivy.Schema:
    """This function will make the schema."""
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("key", tokenizer_name="raw", index_option="basic")
    builder.add_text_field("rights", tokenizer_name="raw", index_option="basic")
    builder.add_text_field("numbers", tokenizer_name="raw", index_option="basic")
    builder.add_text_field("divisions", tokenizer_name="raw", index_option="basic")
    for name in ("kind", "site", "department", "audience", "language"):
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic", fast=True)
    builder.add_integer_field("day", indexed=True, fast=True)
    builder.add_integer_field("year", indexed=True, fast=True)
    builder.add_integer_field("fades", fast=True)
    builder.add_float_field("boost", fast=True)
    builder.add_text_field("title_pairs", tokenizer_name=TOKENS, index_option="position")
    builder.add_text_field("words", tokenizer_name=TOKENS, index_option="freq")
    builder.add_text_field("pairs", tokenizer_name=TOKENS, index_option="position")
    builder.add_bytes_field("shown", stored=True)
    schema: tantivy.Schema = builder.build()
    return schema


def tokenizer() -> tantivy.TextAnalyzer:
    """This function will make the tokenizer that takes joined tokens apart. Each process registers it."""
    return tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build()


def day_number(day: date) -> int:
    """This function will give a day as the index counts: days since 1970."""
    return day.toordinal() - _EPOCH


def day_of(number: int | None) -> date | None:
    """This function will read a day of the index; None for none."""
    return None if number is None or number == NO_DAY else date.fromordinal(number + _EPOCH)


def indexed(document: Document, analysis: Analysis) -> tantivy.Document:
    """This function will turn a document into what tantivy takes."""
    title = clean(document.title[:MAX_TITLE])
    text = clean(document.text[:MAX_INDEXED])
    names = [fold(title), *(fold(clean(word[:MAX_TITLE])) for word in document.keywords[:50])]
    heading, body = "\n".join(names), fold(text)
    written = document.published_on
    if written is not None and not _FIRST_DAY <= written < _LAST_DAY:
        written = None
    row = tantivy.Document()
    row.add_text("key", document.key)
    for right in document.rights:
        row.add_text("rights", right)
    for place in document.divisions:
        row.add_text("divisions", place)
    for token in numbers_of(document, heading, body):
        row.add_text("numbers", token)
    row.add_text("kind", document.kind.value)
    for name, value in (("site", document.site), ("department", document.department), ("language", document.language)):
        if value:
            row.add_text(name, clean(value)[:200])
    for value in document.audience:
        row.add_text("audience", value[:100])
    row.add_integer("day", NO_DAY if written is None else day_number(written))
    if written is not None:
        row.add_integer("year", written.year)
    row.add_integer("fades", HALF_LIFE_DAYS.get(document.kind, 0))
    row.add_float("boost", min(max(document.boost, 0.25), 4.0))
    heading_words = analysis.words(heading)
    row.add_text("title_pairs", joined(pairs(heading)))
    row.add_text("words", joined([*heading_words, *analysis.words(body)]))
    row.add_text("pairs", joined(pairs(body)))
    row.add_bytes("shown", _shown(document, title, text[:MAX_STORED], written).encode())
    return row


def numbers_of(document: Document, heading: str, body: str) -> list[str]:
    """This function will give the exact identifiers of a document: its own, and those that its texts hold."""
    found = [token for token, _ in identifiers(heading)]
    found += [token for token, _ in identifiers(body)]
    for number in document.numbers:
        folded = fold(number)
        found += [token for token, _ in identifiers(folded)] or [folded.replace(" ", "")]
    return list(dict.fromkeys(found))


def _shown(document: Document, title: str, text: str, written: date | None) -> str:
    value: dict[str, Any] = {
        "k": document.key,
        "n": document.kind.value,
        "t": title,
        "a": document.address,
        "x": text,
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
    """This function will read back what the index keeps of a document."""
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
    )
