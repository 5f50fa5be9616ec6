"""What public titles and the pack's words teach: what to offer while somebody types, and what was meant by a slip.

In memory, pure.

A slip is looked for by sound first (移疗保险 sounds like 医疗保险; n and l, zh and z, ang and an are one to many ears), then
by one character that is wrong, missing, too many or swapped. Only toward words that public titles hold: no hidden word can be
offered.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from heapq import nsmallest

from furong.domains.search.analysis.cutting import Analysis, is_han
from furong.domains.search.analysis.folding import fold
from furong.domains.search.analysis.sounding import pinyin, placed, sound
from furong.domains.search.values import Suggestion

_CROWDED, _KEPT = 2_000, 48  # beginnings that so many share keep their best at hand
_LATER = 1 << 24  # a phrase that has a word that begins so stands after all that begin so themselves
_END = "\U0010ffff"
_LONGEST_OFFERED, _LONGEST_WORD = 40, 10


@dataclass(frozen=True, slots=True)
class Phrase:
    """A title that may be offered. ``weight`` orders; ``key`` is asked of the database before it is shown."""

    text: str
    key: str = ""
    kind: str = ""
    address: str = ""
    weight: float = 1.0


class Lexicon:
    """Made of phrases once, then only read: many threads may share one."""

    def __init__(
        self,
        phrases: Iterable[Phrase],
        *,
        analysis: Analysis,
        words: Iterable[str] = (),
        never: frozenset[str] = frozenset(),
        never_pairs: frozenset[tuple[str, str]] = frozenset(),
        before: Lexicon | None = None,
        english: Lexicon | None = None,
    ) -> None:
        """Make one. What ``before`` knows of the same phrases, cut with the same words, is not worked out again.

        ``english`` is that of English titles, by itself, so that letters of pinyin do not lead there.
        """
        self.english = english
        self._analysis = analysis
        self._never, self._never_pairs = never, never_pairs
        unique: dict[str, Phrase] = {}
        for phrase in phrases:
            folded = fold(phrase.text).strip()
            known = unique.get(folded)
            if folded and len(phrase.text) <= _LONGEST_OFFERED and (known is None or known.weight < phrase.weight):
                unique[folded] = phrase
        ranked = sorted(unique.items(), key=lambda one: _rank(one[1]))
        self._phrases = [phrase for _, phrase in ranked]
        self._weights: dict[str, float] = {}
        keys: list[tuple[str, int]] = []
        self._is_deep = len(unique) <= 60_000
        learnt = before._learnt if before is not None and before._fits(analysis, self._is_deep) else {}
        self._learnt: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {}
        for number, (folded, phrase) in enumerate(ranked):
            known_of = learnt.get(folded) or (self._keys(folded, self._is_deep), tuple(self._analysis.words(folded)))
            self._learnt[folded] = known_of
            own = folded.replace(" ", "") if folded.isascii() else folded
            keys.extend((one, number if one == own else number + _LATER) for one in known_of[0])
            for word in known_of[1]:
                self._weights[word] = self._weights.get(word, 0.0) + phrase.weight
            if len(folded) <= _LONGEST_WORD:
                self._weights[folded] = self._weights.get(folded, 0.0) + phrase.weight
        for word in words:
            self._weights.setdefault(fold(word), 1.0)
        keys.sort()
        self._keys_sorted = [key for key, _ in keys]
        self._numbers = array("L", (number for _, number in keys))
        self._crowded: dict[str, list[int]] = {}
        self._learn_crowded("", 0, len(keys))
        self._by_sound: dict[str, list[str]] = {}
        self._by_pinyin: dict[str, list[str]] = {}
        self._by_gap: dict[str, list[str]] = {}
        for word in self._weights:
            if not 2 <= len(word) <= _LONGEST_WORD or not all(map(is_han, word)):
                continue
            self._by_sound.setdefault(sound(word), []).append(word)
            self._by_pinyin.setdefault(pinyin(word), []).append(word)
            if len(word) >= 3:
                for gap in {word[:place] + word[place + 1 :] for place in range(len(word))}:
                    self._by_gap.setdefault(gap, []).append(word)

    def __len__(self) -> int:
        return len(self._phrases)

    # --- suggestions ------------------------------------------------------------------------------------------------------

    def _fits(self, analysis: Analysis, is_deep: bool) -> bool:
        return self._analysis.recipe == analysis.recipe and self._is_deep == is_deep

    def _keys(self, folded: str, deep: bool) -> tuple[str, ...]:
        """A phrase is found by its characters, its pinyin and its initials, from its beginning and from each of its words."""
        starts = {0}
        if deep:
            place = 0
            for word in self._analysis.cut(folded):
                found = folded.find(word, place)
                if found >= 0:
                    starts.add(found)
                    place = found + len(word)
        syllables = placed(folded)
        keys: set[str] = set()
        for start in starts:
            keys.add(folded[start:].replace(" ", "") if folded.isascii() else folded[start:])
            own = [(place, one) for place, one in syllables if place >= start]
            if any(is_han(folded[place]) for place, _ in own):
                keys.add("".join(one for _, one in own).replace(" ", ""))
                keys.add("".join(one[:1] if is_han(folded[place]) else one for place, one in own).replace(" ", ""))
        return tuple(key for key in keys if key)

    def _learn_crowded(self, start: str, first: int, last: int) -> None:
        """Keep the best of each beginning that many share: then no typed letter costs more than a short list."""
        if start:
            self._crowded[start] = self._best(first, last, _KEPT)
        place = first + (first < last and self._keys_sorted[first] == start)
        while place < last:
            longer = self._keys_sorted[place][: len(start) + 1]
            if longer == start:
                place += 1
                continue
            end = bisect_left(self._keys_sorted, longer + _END, place, last)
            if end - place > _CROWDED:
                self._learn_crowded(longer, place, end)
            place = end

    def _best(self, first: int, last: int, size: int) -> list[int]:
        """The best phrases of a stretch of keys; one phrase may have several words that begin so."""
        best = nsmallest(size * 4, self._numbers[first:last])
        return list(dict.fromkeys(one % _LATER for one in best))[:size]

    def suggest(self, typed: str, *, size: int = 8) -> list[Phrase]:
        """Return the phrases that begin so, or have a word that does, the best first. Well below 5 ms."""
        start = fold(typed[:_LONGEST_OFFERED]).strip()
        if start.isascii():
            start = start.replace(" ", "").replace("'", "")
        if not start:
            return []
        found = self._crowded.get(start) if size <= _KEPT else None
        if found is None:
            first = bisect_left(self._keys_sorted, start)
            found = self._best(first, bisect_left(self._keys_sorted, start + _END, first), size)
        return [self._phrases[number] for number in found[:size]]

    # --- slips ------------------------------------------------------------------------------------------------------------

    def correct(self, text: str, *, frequency: Callable[[str], int]) -> str:
        """Say what was probably meant, empty when nothing better is known.

        ``frequency`` of public documents.
        """
        folded = " ".join(fold(text[:100]).split())
        letters = folded.replace(" ", "").replace("'", "")
        if letters.isascii():
            return self._from_letters(letters) if letters.isalpha() and len(letters) <= 40 else ""
        changed = False
        parts: list[str] = []
        for part, is_words in _stretches(folded):
            if is_words and len(part) >= 2:
                better = self._mend(part, frequency)
                changed |= better != part
                parts.append(better)
            else:
                parts.append(part)
        return "".join(parts) if changed else ""

    def _mend(self, run: str, frequency: Callable[[str], int]) -> str:
        place = 0
        out: list[str] = []
        while place < len(run):
            found = ""
            length = 0
            for length in range(min(_LONGEST_WORD, len(run) - place), 1, -1):
                window = run[place : place + length]
                if window in self._weights or window in self._never:
                    found = window
                    break
                found = self._better(window, frequency)
                if found:
                    break
            if found:
                out.append(found)
                place += length
            else:
                out.append(run[place])
                place += 1
        return "".join(out)

    def _better(self, window: str, frequency: Callable[[str], int]) -> str:
        if any(word in self._never for word in self._analysis.cut(window)):
            return ""
        candidates = [
            word
            for word in self._by_sound.get(sound(window), ())
            if len(word) == len(window) and self._allowed(window, word)
        ]
        # A word that sounds the same must share a character, or be as long as three: two sounds alone are too many words.
        candidates = [word for word in candidates if len(word) >= 3 or set(word) & set(window)]
        words = self._analysis.cut(window)
        if not candidates and len(window) >= 4 and not all(len(word) > 1 and frequency(word) > 0 for word in words):
            candidates = self._one_off(window)
        if not candidates or all(len(word) > 1 and frequency(word) > 0 for word in words):
            return ""  # nothing better, or made of words that documents hold: then it is meant so
        return max(candidates, key=lambda word: (self._weights[word], word))

    def _one_off(self, window: str) -> list[str]:
        found: set[str] = set(self._by_gap.get(window, ()))  # one character is missing
        for place in range(len(window)):
            gap = window[:place] + window[place + 1 :]
            if gap in self._weights and len(gap) >= 3:  # one too many
                found.add(gap)
            found.update(word for word in self._by_gap.get(gap, ()) if _differs_once(word, window))
        return [word for word in found if self._allowed(window, word) and len(word) >= 3]

    def _allowed(self, window: str, word: str) -> bool:
        return word != window and word not in self._never and (window, word) not in self._never_pairs

    def _from_letters(self, letters: str) -> str:
        """The words of a whole pinyin, else the best title that begins so, by pinyin or by initials (xsecs: 新生儿出生)."""
        found = self._from_pinyin(letters) if len(letters) >= 4 else ""
        if not found and len(letters) >= 3:
            begins = [one for one in self.suggest(letters) if not fold(one.text).startswith(letters)]
            found = fold(begins[0].text).strip() if begins else ""
        return found

    def _from_pinyin(self, letters: str) -> str:
        """Words whose pinyin follow each other, the fewest and the weightiest: gongjijintiqu → 公积金提取."""
        best: list[tuple[int, float, str] | None] = [(0, 0.0, "")] + [None] * len(letters)
        for end in range(1, len(letters) + 1):
            for start in range(max(0, end - 40), end):
                before = best[start]
                words = self._by_pinyin.get(letters[start:end])
                if before is None or not words:
                    continue
                word = max(words, key=lambda one: (self._weights[one], one))
                now = (before[0] + 1, before[1] - self._weights[word], before[2] + word)
                kept = best[end]
                if kept is None or now < kept:
                    best[end] = now
        whole = best[-1]
        return whole[2] if whole is not None and whole[0] <= 5 else ""


def _rank(phrase: Phrase) -> tuple[float, int, str]:
    return (-phrase.weight, len(phrase.text), phrase.text)


def offered(phrases: Iterable[Phrase]) -> tuple[Suggestion, ...]:
    """Give phrases as they are shown."""
    return tuple(Suggestion(text=one.text, kind=one.kind, address=one.address) for one in phrases)


def _differs_once(word: str, window: str) -> bool:
    if len(word) != len(window):
        return False
    places = [place for place in range(len(word)) if word[place] != window[place]]
    if len(places) == 1:
        return True
    return (
        len(places) == 2
        and places[1] == places[0] + 1
        and word[places[0]] == window[places[1]]
        and (word[places[1]] == window[places[0]])
    )


def _stretches(folded: str) -> list[tuple[str, bool]]:
    found: list[tuple[str, bool]] = []
    for character in folded:
        han = is_han(character)
        if found and found[-1][1] == han:
            found[-1] = (found[-1][0] + character, han)
        else:
            found.append((character, han))
    return found
