"""Words to rank by, overlapping pairs to find exactly by.

Measured on real law text with 76 questions (docs/reference/search.md): words cut for search find 97.6 % of what holds the
phrase, pairs of neighbouring characters all of it. So words rank, and pairs answer phrases and what the segmenter cut otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from operator import add

from rjieba import Jieba

from furong.domains.search.analysis.folding import fold, spelling_digest
from furong.domains.search.values import recipe_of

SEPARATOR = "\x0c"  # white space to the engine's tokenizer, and never in folded text
BREAK = "\u241e"  # where a run ends: no phrase is found across it
_HAN_RUN = re.compile(r"[㐀-鿿豈-﫿\U00020000-\U0003ffff]+|[a-z0-9]+")
_LONGEST_WORD = 40
_CUT_VERSION = "rjieba-0.2/1"


def is_han(character: str) -> bool:
    """Say whether a character is a Chinese one."""
    return "㐀" <= character <= "鿿" or "豈" <= character <= "﫿" or character >= "\U00020000"


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of a question without a break: ``words`` in their order, as the segmenter cuts them once."""

    text: str
    words: tuple[str, ...]


class Analysis:
    """How texts are cut: the segmenter with the words that a pack adds. Threads may share one."""

    def __init__(self, words: Iterable[str] = ()) -> None:
        self.own = tuple(sorted({fold(word).strip() for word in words} - {""}))
        self._jieba = Jieba()
        for word in self.own:
            self._jieba.add_word(word, 10_000, "n")
        self.recipe = recipe_of(_CUT_VERSION, spelling_digest(), *self.own)

    def words(self, folded: str) -> list[str]:
        """Cut folded text into words, parts of long words among them (社会保障卡 also as 社会 and 保障)."""
        # Comparing whole words tells most of them without making a string of their first character.
        return [
            one
            for one in self._jieba.cut_for_search(folded)
            if ("㐀" <= one < "豈" or one[0].isalnum()) and len(one) <= _LONGEST_WORD
        ]

    def cut(self, folded: str) -> list[str]:
        """Cut folded text into words that follow each other, without overlap."""
        return [one for one in self._jieba.cut(folded) if one[0].isalnum() and len(one) <= _LONGEST_WORD]

    def runs(self, folded: str) -> list[Run]:
        """Give the stretches of letters and of Chinese characters of a question, with their words."""
        return [Run(one, tuple(self.cut(one))) for one in _HAN_RUN.findall(folded)]


def pairs(folded: str) -> list[str]:
    """Give the overlapping pairs of Chinese characters of folded text, and its other words whole.

    A lone character stands for itself. Runs do not touch: no phrase is found across a full stop.
    """
    found: list[str] = []
    for run in _HAN_RUN.findall(folded):
        if run[0] < "㐀":
            found.append(run[:_LONGEST_WORD])
        elif len(run) == 1:
            found.append(run)
        else:
            found.extend(map(add, run, run[1:]))
        found.append(BREAK)
    return found


def joined_pairs(folded: str) -> str:
    """Give the pairs of folded text joined, as `joined` joins them."""
    return SEPARATOR.join(pairs(folded))


def joined(tokens: Iterable[str]) -> str:
    """Join tokens as the engine's tokenizer takes them apart again."""
    return SEPARATOR.join(tokens)
