"""Exact identifiers: numbers of official documents, orders, standards, forms and items, in every way they are written.

GB/T 9704-2012 writes the number of an official document 湘政发〔2020〕5号; people write [2020], (2020), 2020年第5号, with
spaces and leading zeros. Each spelling becomes the same tokens. The word before the bracket runs into the sentence
(根据湘政发…): so a token is made for each ending of it; a longer one that agrees says more.
"""

from __future__ import annotations

import re

_HAN = "一-鿿㐀-䶿"
# What is rare comes first (a year, an order's last character), and the word before it is read backwards: a search that begins
# with any Chinese character would try each of a page's thousands.
_DOCUMENT = re.compile(r"((?:19|20)\d\d)\s*年?\s*[\])〕】〉」]?\s*第?\s*0*(\d{1,5})\s*号")
_ORDER = re.compile(r"(令|字|函|通告|公告)\s*第?\s*0*(\d{1,5})\s*号")
_WORD_BEFORE = re.compile(rf"([{_HAN}]{{0,8}})\s*[\[(〔【〈「]?\s*\Z")
_DIGIT = re.compile(r"\d")
_CODE = re.compile(
    r"(?<![a-z0-9])([a-z]{1,8})[\s/._-]*((?:[a-z]{1,2}[\s/._-]*)?\d[\da-z]*(?:[./_-]\d[\da-z]*)*)(?![a-z0-9])"
)
_DIGITS = re.compile(r"(?<!\d)(\d{3,}(?:[-/.]\d{2,})+|\d{8,24})(?!\d)")
_LONGEST, _SHORTEST, _MOST = 8, 2, 400


def identifiers(folded: str) -> list[tuple[str, int]]:
    """Find the identifiers in folded text:

    tokens with how much each says (1 to 8), without repeats, at most 400.
    """
    if _DIGIT.search(folded) is None:
        return []
    found: dict[str, int] = {}

    def endings(word: str, rest: str) -> None:
        for length in range(min(len(word), _LONGEST), _SHORTEST - 1, -1):
            found.setdefault(word[-length:] + rest, length)

    numbered = "号" in folded
    last = 0
    for match in _DOCUMENT.finditer(folded) if numbered else ():
        year, number = match.groups()
        endings(_before(folded, match.start(), last).removesuffix("第"), f"{year}-{number}")
        found.setdefault(f"{year}-{number}", 1)
        last = match.end()
        if len(found) > _MOST:
            break
    last = 0
    for match in _ORDER.finditer(folded) if numbered else ():
        endings(_before(folded, match.start(), last) + match[1], f"-{match[2]}")
        last = match.end()
        if len(found) > _MOST:
            break
    for match in _CODE.finditer(folded):
        letters, rest = match.groups()
        if len(rest) > 40:
            continue
        found.setdefault(_bare(letters + rest), 4)
        if "-" in rest:  # GB/T 2260-2007 is also asked for as GB/T 2260
            found.setdefault(_bare(letters + rest.rsplit("-", 1)[0]), 3)
        if len(found) > _MOST:
            break
    for match in _DIGITS.finditer(folded):
        found.setdefault(_bare(match[1]), 5)
        if len(found) > _MOST:
            break
    return list(found.items())[:_MOST]


def _bare(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text)


def _before(folded: str, place: int, least: int) -> str:
    """The Chinese characters before a place, eight at most."""
    match = _WORD_BEFORE.search(folded[max(least, place - 20) : place])
    return match[1] if match is not None else ""
