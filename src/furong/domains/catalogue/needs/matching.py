"""How a need in words meets what the catalogue describes. Pure; cut into words as `searching` cuts what it keeps.

A need is a sentence, not a search: no resource has all of its words. So each word weighs by how rare it is in the catalogue, a
resource is ranked by how much of the need's weight it covers, and a word counts most where it says most: an item or a name
before a keyword, a summary last. Elements that are needed count on top, for a resource that carries one carries it whatever it is
called.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from furong.domains.catalogue.needs.values import Reason, ReasonKind
from furong.domains.catalogue.searching import tokens_of
from furong.domains.catalogue.views import Words

# What a word is worth by where it stands.
PLACES: Mapping[ReasonKind, float] = {
    ReasonKind.NAME: 1.0,
    ReasonKind.ITEM: 0.9,
    ReasonKind.KEYWORD: 0.8,
    ReasonKind.SUMMARY: 0.4,
}
SOURCE_SCORE, ELEMENT_SCORE = 1.5, 1.0
# An element that was only read out of the words counts half.
READ_OUT = 0.5
# A pair of characters that no resource has: half as heavy as a rare one, for it may only join two words.
UNKNOWN_WEIGHT = 0.5
MOST_TERMS = 48
MOST_REASONS = 6
# From this share of the need's weight on, a resource is offered; what carries a needed element always is.
LEAST_SCORE = 0.18

_RUN = re.compile(r"[㐀-䶿一-鿿豈-﫿\U00020000-\U0003ffff]+|[a-z0-9_]+")
# Words in which needs are put, that say nothing of what is needed.
_EMPTY_ZH = sorted(
    (
        *(
            "我们",
            "我局",
            "我厅",
            "本单位",
            "需要",
            "希望",
            "申请人",
            "是否",
            "以及",
            "或者",
            "进行",
            "可以",
            "能够",
            "用于",
        ),
        *(
            "有关",
            "相关",
            "通过",
            "目前",
            "情况",
            "信息",
            "数据",
            "资源",
            "部门",
            "办理",
            "查询",
            "获取",
            "共享",
            "核对",
            "核实",
        ),
        *(
            "核验",
            "业务",
            "工作",
            "事项",
            "提供",
            "方便",
            "群众",
            "了解",
            "掌握",
            "及时",
            "实时",
            "其中",
            "包括",
            "所需",
            "必须",
        ),
        *("的", "了"),
    ),
    key=len,
    reverse=True,
)
# Characters that join words, and also stand inside them: a pair with one of them counts only where some resource has it.
_JOINING = frozenset("和与及或在对将从并为其该等时各是有以由到于")
_EMPTY = re.compile("|".join(map(re.escape, _EMPTY_ZH)))
_EMPTY_EN = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "as",
        "at",
        "be",
        "by",
        "data",
        "for",
        "from",
        "have",
        "in",
        "information",
        "is",
        "it",
        "need",
        "needs",
        "of",
        "on",
        "or",
        "our",
        "resource",
        "that",
        "the",
        "their",
        "to",
        "we",
        "whether",
        "which",
        "who",
        "with",
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """What a resource says of itself, as far as the reader may see it."""

    code: str
    name: Words
    summary: Words
    keywords: tuple[str, ...]
    items: tuple[tuple[str, Words, tuple[str, ...]], ...]  # code, name, elements
    source_of: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """How well a resource meets a need."""

    code: str
    score: float
    reasons: tuple[Reason, ...]
    elements: frozenset[str]


def folded(text: str) -> str:
    """Give a text as it is compared: one width, small letters."""
    return unicodedata.normalize("NFKC", text).lower()


def pieces(text: str) -> list[str]:
    """Cut a need into the words by which it is met, in their order, each once: pairs of characters, and Latin words.

    Words that say nothing of what is needed are left out and never paired with their neighbours.
    """
    found: dict[str, None] = {}
    for run in _RUN.findall(_EMPTY.sub(" ", folded(text))):
        if run[0].isascii():
            if len(run) > 1 and run not in _EMPTY_EN and not run.isdigit():
                found[run[:60]] = None
        else:
            for i in range(len(run) - 1):
                found[run[i : i + 2]] = None
    return list(found)[:MOST_TERMS]


def weights(counts: Mapping[str, int]) -> dict[str, float]:
    """Give what each word weighs, by how many resources have it; one that none has weighs too, for it is not met."""
    return {
        word: 1 / math.log(2 + count) if count else UNKNOWN_WEIGHT
        for word, count in counts.items()
        if count or not _JOINING.intersection(word)
    }


def read_out(text: str, names: Mapping[str, Iterable[str]], *, most: int = 8) -> list[str]:
    """Give the elements (by code) whose name or synonym stands in a need, the longest names first.

    ``names`` gives the names of each element. One that lies inside a longer one is not meant. A name that more than three
    elements share says too little.
    """
    whole = folded(text)
    by_name: dict[str, list[str]] = {}
    for code, given in names.items():
        for name in {folded(one).strip() for one in given}:
            if len(name) >= (3 if name.isascii() else 2) and name in whole:
                by_name.setdefault(name, []).append(code)
    taken: list[tuple[int, int]] = []
    found: dict[str, None] = {}
    for name in sorted(by_name, key=lambda one: (-len(one), one)):
        pattern = rf"(?<![a-z0-9_]){re.escape(name)}(?![a-z0-9_])" if name.isascii() else re.escape(name)
        places = [hit.span() for hit in re.finditer(pattern, whole)]
        free = [(a, b) for a, b in places if not any(a < end and start < b for start, end in taken)]
        if free and len(by_name[name]) <= 3:
            taken += free
            found.update(dict.fromkeys(sorted(by_name[name])))
    return list(found)[:most]


def match(
    one: Described,
    *,
    text: str,
    weighed: Mapping[str, float],
    chosen: frozenset[str] = frozenset(),
    meant: frozenset[str] = frozenset(),
    names: Mapping[str, Words] | None = None,
) -> Match:
    """Rank a resource for a need: the share of the need's weight that it covers, from 0 to 1, and on top its elements.

    ``weighed`` are the need's words with their weights, ``chosen`` the elements that the officer named, ``meant`` those read out
    of the words, ``names`` what elements are called. A chosen element gives 1, and 1.5 from its source; one read out of the words
    half of that; all of them divided by how many are needed.
    """
    names = names or {}
    best: dict[str, float] = {}
    reasons: list[Reason] = []
    wanted = {**dict.fromkeys(meant, READ_OUT), **dict.fromkeys(chosen, 1.0)}
    carried = {element for _, _, elements in one.items for element in elements} & set(wanted)
    on_top = 0.0
    for element in sorted(carried, key=lambda code: (code not in one.source_of, -wanted[code], code)):
        is_source = element in one.source_of
        on_top += wanted[element] * (SOURCE_SCORE if is_source else ELEMENT_SCORE)
        kind = ReasonKind.SOURCE if is_source else ReasonKind.ELEMENT
        reasons.append(Reason(kind=kind, what=names.get(element, {"zh": element})))

    def look(kind: ReasonKind, texts: Iterable[str], what: Words) -> tuple[float, Reason] | None:
        tokens: set[str] = set()
        for given in texts:
            tokens |= tokens_of(given)
        hits = [word for word in weighed if _stands(word, tokens)]
        if not hits:
            return None
        for word in hits:
            best[word] = max(best.get(word, 0.0), PLACES[kind])
        return sum(weighed[word] for word in hits), Reason(kind=kind, what=what, words=tuple(phrases(text, hits)))

    found = [look(ReasonKind.NAME, one.name.values(), one.name)]
    items = [look(ReasonKind.ITEM, (*name.values(), code), name) for code, name, _ in one.items]
    found += sorted((hit for hit in items if hit is not None), key=lambda hit: -hit[0])[:3]
    found += [look(ReasonKind.KEYWORD, [word], {"zh": word}) for word in one.keywords]
    found.append(look(ReasonKind.SUMMARY, one.summary.values(), {}))
    told: set[str] = set()
    for hit in found:
        if hit is None:
            continue
        # A reason that says nothing new is left out.
        if not set(hit[1].words) <= told:
            reasons.append(hit[1])
            told |= set(hit[1].words)
    whole = sum(weighed.values())
    covered = sum(weighed[word] * worth for word, worth in best.items()) / whole if whole else 0.0
    score = covered + (on_top / len(wanted) if wanted else 0.0)
    return Match(
        code=one.code, score=round(score, 3), reasons=tuple(reasons[:MOST_REASONS]), elements=frozenset(carried)
    )


def ranked(matches: Iterable[Match]) -> list[Match]:
    """Give those worth showing, the best first: enough of the need, or an element of it."""
    shown = [one for one in matches if one.score >= LEAST_SCORE or one.elements]
    return sorted(shown, key=lambda one: (-one.score, one.code))


def phrases(text: str, hits: Sequence[str]) -> list[str]:
    """Put pairs of characters that follow each other in the text together again: what the writer would call the words."""
    whole, marks = folded(text), set[int]()
    found: dict[str, None] = {}
    for word in hits:
        start = whole.find(word)
        while start >= 0:
            if word.isascii():
                found[word] = None
                break
            # The last character of a pair joins it to the next pair only when that one hits too.
            marks.update({start * 2, start * 2 + 1, start * 2 + 2})
            start = whole.find(word, start + 1)
    run: list[int] = []
    for mark in sorted(marks):
        if run and mark != run[-1] + 1:
            found[whole[run[0] // 2 : run[-1] // 2 + 1]] = None
            run = []
        run.append(mark)
    if run:
        found[whole[run[0] // 2 : run[-1] // 2 + 1]] = None
    return list(found)


def _stands(word: str, tokens: set[str]) -> bool:
    return word in tokens or (word.isascii() and len(word) > 3 and any(one.startswith(word) for one in tokens))
