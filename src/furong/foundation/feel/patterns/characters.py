"""Sets of characters as sorted ranges: classes, Unicode categories, blocks and case (XML Schema 2, appendix F)."""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

__all__ = ["ANY", "NOT_LINE_END", "CharSet", "block", "category", "escape"]

_LAST = 0x10FFFF


@dataclass(frozen=True, slots=True)
class CharSet:
    """Characters, as ranges of code points that are sorted and do not touch."""

    ranges: tuple[tuple[int, int], ...]

    @staticmethod
    def of(ranges: Iterable[tuple[int, int]]) -> CharSet:
        """Make a set of any ranges."""
        merged: list[tuple[int, int]] = []
        for low, high in sorted(ranges):
            if merged and low <= merged[-1][1] + 1:
                merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
            else:
                merged.append((low, high))
        return CharSet(tuple(merged))

    def __contains__(self, character: str) -> bool:
        point = ord(character)
        at = bisect_right(self.ranges, (point, _LAST)) - 1
        return at >= 0 and point <= self.ranges[at][1]

    def inverted(self) -> CharSet:
        """All other characters."""
        left: list[tuple[int, int]] = []
        start = 0
        for low, high in self.ranges:
            if start < low:
                left.append((start, low - 1))
            start = high + 1
        if start <= _LAST:
            left.append((start, _LAST))
        return CharSet(tuple(left))

    def union(self, other: CharSet) -> CharSet:
        """The characters of both."""
        return CharSet.of((*self.ranges, *other.ranges))

    def minus(self, other: CharSet) -> CharSet:
        """The characters of this one alone."""
        return self.inverted().union(other).inverted()

    def without_case(self) -> CharSet:
        """These characters and their other cases."""
        more: list[tuple[int, int]] = []
        for character, others in _cases().items():
            if character in self:
                more.extend((ord(one), ord(one)) for one in others)
        return CharSet.of((*self.ranges, *more)) if more else self

    def python(self) -> str:
        """The set as Python's ``re`` writes it."""
        if not self.ranges:
            return r"[^\x00-\U0010ffff]"
        if len(self.ranges) == 1 and self.ranges[0][0] == self.ranges[0][1]:
            return f"\\U{self.ranges[0][0]:08x}"
        parts = (f"\\U{low:08x}" if low == high else f"\\U{low:08x}-\\U{high:08x}" for low, high in self.ranges)
        return f"[{''.join(parts)}]"


@cache
def _cases() -> dict[str, frozenset[str]]:
    """Each character that has other cases, and those."""
    groups: dict[str, set[str]] = {}
    for point in range(0x1F000):
        character = chr(point)
        folded = character.casefold()
        if len(folded) == 1 and (folded != character or character.upper() != character):
            groups.setdefault(folded, {folded}).add(character)
    return {one: frozenset(group - {one}) for group in groups.values() if len(group) > 1 for one in group}


@cache
def _categories() -> dict[str, CharSet]:
    """Each category of Unicode, such as Lu; one pass over all characters, done when first asked for."""
    runs: dict[str, list[tuple[int, int]]] = {}
    start, current = 0, unicodedata.category("\0")
    for point in range(1, _LAST + 2):
        found = unicodedata.category(chr(point)) if point <= _LAST else ""
        if found != current:
            runs.setdefault(current, []).append((start, point - 1))
            start, current = point, found
    return {name: CharSet(tuple(ranges)) for name, ranges in runs.items()}


@cache
def category(name: str) -> CharSet | None:
    """Return the characters of the category ``L``, ``Lu`` and so on; None when there is none."""
    if not name or len(name) > 2 or name[0] not in "LMNPZSC":
        return None
    found = [one.ranges for key, one in _categories().items() if key.startswith(name)]
    return CharSet.of(one for ranges in found for one in ranges) if found else None


_BLOCKS = """BasicLatin 0 7F|Latin-1Supplement 80 FF|LatinExtended-A 100 17F|LatinExtended-B 180 24F
|IPAExtensions 250 2AF|SpacingModifierLetters 2B0 2FF|CombiningDiacriticalMarks 300 36F|Greek 370 3FF
|GreekandCoptic 370 3FF|Cyrillic 400 4FF|Armenian 530 58F|Hebrew 590 5FF|Arabic 600 6FF|Syriac 700 74F|Thaana 780 7BF
|Devanagari 900 97F|Bengali 980 9FF|Gurmukhi A00 A7F|Gujarati A80 AFF|Oriya B00 B7F|Tamil B80 BFF|Telugu C00 C7F
|Kannada C80 CFF|Malayalam D00 D7F|Sinhala D80 DFF|Thai E00 E7F|Lao E80 EFF|Tibetan F00 FFF|Myanmar 1000 109F
|Georgian 10A0 10FF|HangulJamo 1100 11FF|Ethiopic 1200 137F|Cherokee 13A0 13FF
|UnifiedCanadianAboriginalSyllabics 1400 167F|Ogham 1680 169F|Runic 16A0 16FF|Khmer 1780 17FF|Mongolian 1800 18AF
|LatinExtendedAdditional 1E00 1EFF|GreekExtended 1F00 1FFF|GeneralPunctuation 2000 206F
|SuperscriptsandSubscripts 2070 209F|CurrencySymbols 20A0 20CF|CombiningMarksforSymbols 20D0 20FF
|CombiningDiacriticalMarksforSymbols 20D0 20FF|LetterlikeSymbols 2100 214F|NumberForms 2150 218F|Arrows 2190 21FF
|MathematicalOperators 2200 22FF|MiscellaneousTechnical 2300 23FF|ControlPictures 2400 243F
|OpticalCharacterRecognition 2440 245F|EnclosedAlphanumerics 2460 24FF|BoxDrawing 2500 257F|BlockElements 2580 259F
|GeometricShapes 25A0 25FF|MiscellaneousSymbols 2600 26FF|Dingbats 2700 27BF|BraillePatterns 2800 28FF
|CJKRadicalsSupplement 2E80 2EFF|KangxiRadicals 2F00 2FDF|IdeographicDescriptionCharacters 2FF0 2FFF
|CJKSymbolsandPunctuation 3000 303F|Hiragana 3040 309F|Katakana 30A0 30FF|Bopomofo 3100 312F
|HangulCompatibilityJamo 3130 318F|Kanbun 3190 319F|BopomofoExtended 31A0 31BF|EnclosedCJKLettersandMonths 3200 32FF
|CJKCompatibility 3300 33FF|CJKUnifiedIdeographsExtensionA 3400 4DBF|CJKUnifiedIdeographs 4E00 9FFF
|YiSyllables A000 A48F|YiRadicals A490 A4CF|HangulSyllables AC00 D7AF|PrivateUse E000 F8FF|PrivateUseArea E000 F8FF
|CJKCompatibilityIdeographs F900 FAFF|AlphabeticPresentationForms FB00 FB4F|ArabicPresentationForms-A FB50 FDFF
|CombiningHalfMarks FE20 FE2F|CJKCompatibilityForms FE30 FE4F|SmallFormVariants FE50 FE6F
|ArabicPresentationForms-B FE70 FEFF|HalfwidthandFullwidthForms FF00 FFEF|Specials FFF0 FFFF
|MathematicalAlphanumericSymbols 1D400 1D7FF|CJKUnifiedIdeographsExtensionB 20000 2A6DF
|CJKCompatibilityIdeographsSupplement 2F800 2FA1F"""


@cache
def _blocks() -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    for line in _BLOCKS.replace("\n", "").split("|"):
        name, low, high = line.split(" ")
        found[name] = (int(low, 16), int(high, 16))
    return found


def block(name: str) -> CharSet | None:
    """Return the characters of a block of Unicode, such as ``CJKUnifiedIdeographs``; None for none."""
    found = _blocks().get(name)
    return None if found is None else CharSet((found,))


ANY = CharSet(((0, _LAST),))
NOT_LINE_END = CharSet.of([(10, 10), (13, 13)]).inverted()
_SPACE = CharSet.of([(9, 10), (13, 13), (32, 32)])
# Where names begin and go on (XML 1.0, productions 4 and 4a).
_NAME_START = CharSet.of(
    [
        *((0x3A, 0x3A), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A), (0xC0, 0xD6), (0xD8, 0xF6), (0xF8, 0x2FF)),
        *((0x370, 0x37D), (0x37F, 0x1FFF), (0x200C, 0x200D), (0x2070, 0x218F), (0x2C00, 0x2FEF), (0x3001, 0xD7FF)),
        *((0xF900, 0xFDCF), (0xFDF0, 0xFFFD), (0x10000, 0xEFFFF)),
    ]
)
_NAME = CharSet.of(
    [
        *_NAME_START.ranges,
        *((0x2D, 0x2E), (0x30, 0x39), (0xB7, 0xB7), (0x300, 0x36F), (0x203F, 0x2040)),
    ]
)


@cache
def _word() -> CharSet:
    found = CharSet(())
    for name in "PZC":
        found = found.union(category(name) or found)
    return found.inverted()


@cache
def escape(letter: str) -> CharSet | None:
    r"""Return the characters of ``\d``, ``\s``, ``\w``, ``\i``, ``\c`` or their capitals; None for none."""
    lower = letter.lower()
    found: CharSet | None = None
    if lower == "s":
        found = _SPACE
    elif lower == "d":
        found = category("Nd")
    elif lower == "w":
        found = _word()
    elif lower == "i":
        found = _NAME_START
    elif lower == "c":
        found = _NAME
    if found is None or letter == lower:
        return found
    return found.inverted()
