"""How a name sounds, and with whom it is confused. Pure.

Names are typed by their sound, so the wrong character mostly sounds right; and where n and l, or s and sh, are one sound in the
mouth of who tells a name, the clerk hears the other. Old and new forms of a character (蕭, 萧, 肖) sound alike too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..naming import TWO_CHARACTER_SURNAMES, name_keys

# Surnames with a reading of their own, as they were written before 1956.
_OLD = str.maketrans("單區華寧樂員應紀過諶繆種適闞車蓋萬葉", "单区华宁乐员应纪过谌缪种适阚车盖万叶")
_TONE = re.compile(r"[1-5]\b")
# One sound in the speech of much of the south: retroflex and flat, n and l, front and back nasal, h before u and f.
_BLURS = (
    (re.compile(r"^([zcs])h"), r"\1"),
    (re.compile(r"^n(?=[aeiouv])"), "l"),
    (re.compile(r"^hui$"), "fei"),
    (re.compile(r"^hun$"), "fen"),
    (re.compile(r"^hu(?=[ao]|$)"), "f"),
    (re.compile(r"^f$"), "fu"),
    (re.compile(r"(?<=[aei])ng$"), "n"),
)


@dataclass(frozen=True, slots=True)
class Sounds:
    """A name by ear: its syllables without tones, and blurred; each of the surname and of the given name."""

    sound: str
    blur: str
    surname_blur: str
    given_blur: str
    letters: str


def blur(syllable: str) -> str:
    """Return a syllable as somebody hears it who does not tell n from l or s from sh."""
    for pattern, to in _BLURS:
        syllable = pattern.sub(to, syllable)
    return syllable


def sounds_of(name: str) -> Sounds:
    """Return how a name sounds; ``letters`` are its characters in order, to find two that changed places."""
    name = name[:1].translate(_OLD) + name[1:]
    syllables = _TONE.sub("", name_keys(name).pinyin).split(" ")
    blurred = [blur(one) for one in syllables]
    first = 2 if name[:2] in TWO_CHARACTER_SURNAMES and len(name) > 2 else 1
    return Sounds(
        " ".join(syllables),
        " ".join(blurred),
        " ".join(blurred[:first]),
        " ".join(blurred[first:]),
        "".join(sorted(name)),
    )
