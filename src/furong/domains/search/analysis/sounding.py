"""How words sound:

pinyin without tones and the initials, for suggestions, for people who type pinyin, and for homophone slips.
"""

from __future__ import annotations

from functools import lru_cache

from pypinyin import Style, lazy_pinyin

from furong.domains.search.analysis.cutting import is_han

# What an ear of the south does not tell apart, or a typist slips on: n/l at the beginning, zh/z, ch/c, sh/s, h/f, and -ng/-n.
_BEGINNINGS = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("n", "l"), ("hu", "f"))
_ENDINGS = (("ang", "an"), ("eng", "en"), ("ing", "in"), ("ong", "on"))


@lru_cache(maxsize=50_000)
def syllables(text: str) -> tuple[str, ...]:
    """Give the pinyin of each character without tones; letters and digits stay whole words."""
    return tuple(lazy_pinyin(text, style=Style.NORMAL))


def pinyin(text: str) -> str:
    """Give the pinyin run together: 公积金 → gongjijin."""
    return "".join(syllables(text))


def initials(text: str) -> str:
    """Give the first letters: 公积金 → gjj."""
    return "".join(one[:1] if is_han(text[place]) else one for place, one in placed(text))


def placed(text: str) -> list[tuple[int, str]]:
    """Give the syllables with the place of the character, or of the word of letters, that they are of."""
    found, place = [], 0
    for one in syllables(text):
        found.append((place, one))
        place += 1 if is_han(text[place]) else len(one)
    return found


def sound(text: str) -> str:
    """Give how a word sounds to an ear that does not tell near sounds apart."""
    return "".join(_near(one) for one in syllables(text))


def _near(syllable: str) -> str:
    for long, short in _BEGINNINGS:
        if syllable.startswith(long) and len(syllable) > len(long):
            syllable = short + syllable[len(long) :]
            break
    for long, short in _ENDINGS:
        if syllable.endswith(long):
            return syllable[: -len(long)] + short
    return syllable
