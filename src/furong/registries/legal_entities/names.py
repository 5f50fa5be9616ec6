"""Names of enterprises: how one is composed, which words it may not hold, and which of those in use it clashes with.

《企业名称登记管理规定》 (Order 734): a name is division, trade name, trade, and form (art. 6); what it may not hold
(art. 11, 12); when two trade names clash (art. 17); names that are merely alike are told, and the applicant answers (art. 18).
Pure: the words are pack content (`NameRules`), the names in use are given.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

from pypinyin import lazy_pinyin

from furong.foundation.packs.values import Text, both

from .values import EntityKind

_HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]+")
_BRACKETS = str.maketrans(dict.fromkeys("()（）〔〕[]【】《》“”\"'·.-—_ \u3000\t", None))


@dataclass(frozen=True, slots=True, kw_only=True)
class WordRule:
    """Words that a name may not hold, and why."""

    code: str
    words: tuple[str, ...]
    reason: Text
    clause: Text
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Industry:
    """A trade (GB/T 4754) and the words by which names tell it; the first word is put into a name that gives none."""

    code: str
    name: Text
    words: tuple[str, ...]
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class NameRules:
    """The rules in force: words, trades, forms by kind, and for how long names are kept."""

    forbidden: tuple[WordRule, ...]
    industries: tuple[Industry, ...]
    forms: Mapping[EntityKind, tuple[str, ...]]
    reserve_months: int = 2  # art. 19
    quarantine_months: int = 12  # art. 17
    subject_prefix: str = "MA4A"
    notice_days: int = 20  # Order 746, art. 33
    apply_days: int = 20
    dormant_years: int = 3  # Order 746, art. 30

    def industry(self, code: str) -> Industry | None:
        """Return the trade of that code, or None."""
        return next((one for one in self.industries if one.code == code), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class NameParts:
    """A name as it is asked for. ``industry`` is the trade's code, empty when the name says none; ``place`` the division."""

    place: str
    trade_name: str
    industry: str
    industry_words: str
    form: str
    kind: EntityKind

    @property
    def name(self) -> str:
        """The whole name, its parts in their order."""
        return f"{self.place}{self.trade_name}{self.industry_words}{self.form}"


class Problem(StrEnum):
    """Why a name cannot be borne, or what it is like."""

    TRADE_NAME_SHORT = "trade_name_short"
    TRADE_NAME_SIGNS = "trade_name_signs"
    TRADE_NAME_PLACE = "trade_name_place"
    FORBIDDEN = "forbidden"
    INDUSTRY = "industry"
    FORM = "form"
    SAME_NAME = "same_name"
    SAME_TRADE_NAME = "same_trade_name"
    SIMILAR = "similar"


@dataclass(frozen=True, slots=True, kw_only=True)
class NameFinding:
    """Something that stands against a name; ``refuses`` is false for what the applicant may answer for themself."""

    problem: Problem
    message: Text
    clause: Text
    refuses: bool = True
    other: str = ""  # the name in use


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldName:
    """A name in use: registered, kept for somebody, or given up less than a year ago. ``owner`` tells families of firms apart."""

    name: str
    name_key: str
    trade_key: str
    industry: str
    area: str
    owner: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NameVerdict:
    """The answer to a check: the name, and what stands against it."""

    name: str
    findings: tuple[NameFinding, ...]

    @property
    def is_free(self) -> bool:
        """Whether it may be borne, be it at the applicant's own risk."""
        return not any(one.refuses for one in self.findings)

    @property
    def similar(self) -> tuple[str, ...]:
        """The names that are much like it."""
        return tuple(one.other for one in self.findings if one.problem is Problem.SIMILAR)


def name_key(text: str) -> str:
    """Return a name as it is compared: half-width, capitals, without brackets, dots and spaces."""
    return unicodedata.normalize("NFKC", text).translate(_BRACKETS).upper()


@lru_cache(maxsize=50_000)
def sound_of(trade_name: str) -> str:
    """Return how a trade name sounds, without tones: 荷月 and 和悦 both are ``heyue``."""
    return "".join(lazy_pinyin(trade_name))


def composition_problems(parts: NameParts, rules: NameRules, *, places: Iterable[str]) -> list[NameFinding]:
    """Return what is wrong with a name in itself, whoever else bears what (Order 734, art. 6 to 12).

    ``places`` are the names of divisions that may not serve as a trade name (art. 8).
    """
    found: list[NameFinding] = []
    trade_name = parts.trade_name
    if not _HAN.fullmatch(trade_name):
        found.append(
            _finding(
                Problem.TRADE_NAME_SIGNS,
                "字号应当使用规范汉字。",
                "The trade name is written in Chinese characters.",
                "第五条",
                "art. 5",
            )
        )
    elif len(trade_name) < 2:
        found.append(
            _finding(
                Problem.TRADE_NAME_SHORT,
                "字号应当由两个以上汉字组成。",
                "The trade name has at least two characters.",
                "第八条",
                "art. 8",
            )
        )
    if trade_name in set(places):
        found.append(
            _finding(
                Problem.TRADE_NAME_PLACE,
                "县级以上地方行政区划名称不得作为字号。",
                "The name of a county, city or province cannot be the trade name.",
                "第八条",
                "art. 8",
            )
        )
    key = name_key(parts.trade_name + parts.industry_words)
    for rule in rules.forbidden:
        if word := next((one for one in rule.words if name_key(one) in key), None):
            told = both(f"含有“{word}”：{rule.reason.pick('zh')}", f"It holds “{word}”: {rule.reason.pick('en')}")
            found += [NameFinding(problem=Problem.FORBIDDEN, message=told, clause=rule.clause)]
    if parts.industry:
        industry = rules.industry(parts.industry)
        words = industry.words if industry is not None else ()
        if not any(word in parts.industry_words for word in words):
            found.append(
                _finding(
                    Problem.INDUSTRY,
                    "名称中的行业表述与所选行业不符。",
                    "The words for the trade do not fit the trade that was chosen.",
                    "第九条",
                    "art. 9",
                )
            )
    forms = rules.forms.get(parts.kind, ())
    if forms and not any(parts.form.endswith(form) for form in forms):
        found.append(
            _finding(
                Problem.FORM,
                f"名称应当以组织形式结尾：{'、'.join(forms)}。",
                f"The name ends with the form of organisation: {', '.join(forms)}.",
                "第十条",
                "art. 10",
            )
        )
    return found


def clashes(parts: NameParts, held: Iterable[HeldName], *, area: str, owner: str = "") -> list[NameFinding]:
    """Return which names in use stand against a name (art. 17), and which are much like it (art. 18).

    The same whole name is refused anywhere; the same trade name in the same area and trade, or where one of the two tells no
    trade, unless both are of one ``owner`` (有投资关系). Alike are trade names of one sound, or of which one holds the other.
    """
    whole, trade = name_key(parts.name), name_key(parts.trade_name)
    sound = sound_of(trade)
    found: list[NameFinding] = []
    for one in held:
        if one.name_key == whole:
            found.append(
                _finding(
                    Problem.SAME_NAME,
                    f"与“{one.name}”相同。",
                    f"It is the same as “{one.name}”.",
                    "第十七条",
                    "art. 17",
                    other=one.name,
                )
            )
            continue
        if one.area != area or (one.industry and parts.industry and one.industry != parts.industry):
            continue
        if owner and one.owner == owner:
            continue
        if one.trade_key == trade:
            found.append(
                _finding(
                    Problem.SAME_TRADE_NAME,
                    f"字号与同行业的“{one.name}”相同。",
                    f"“{one.name}” of the same trade bears the trade name.",
                    "第十七条",
                    "art. 17",
                    other=one.name,
                )
            )
        elif sound_of(one.trade_key) == sound or one.trade_key in trade or trade in one.trade_key:
            found.append(
                _finding(
                    Problem.SIMILAR,
                    f"与“{one.name}”近似。",
                    f"It is much like “{one.name}”.",
                    "第十八条",
                    "art. 18",
                    refuses=False,
                    other=one.name,
                )
            )
    return found


def _finding(
    problem: Problem, zh: str, en: str, clause_zh: str, clause_en: str, *, refuses: bool = True, other: str = ""
) -> NameFinding:
    return NameFinding(
        problem=problem,
        message=both(zh, en),
        clause=both(f"《企业名称登记管理规定》{clause_zh}", f"Regulations on Enterprise Names, {clause_en}"),
        refuses=refuses,
        other=other,
    )


# How a division is called in a name: a district goes with its city (art. 7).
_ENDINGS = ("特别行政区", "土家族苗族自治州", "自治州", "自治区", "省", "市")


def place_words(*, level: str, name: str, city: str) -> tuple[str, ...]:
    """Return how names may call a division, the usual way first; a district is named with its city."""
    if level == "county":
        return (f"{city}{name}",) if name.endswith("区") else (name, f"{city}{name}")
    for ending in _ENDINGS:
        if name.endswith(ending) and len(name) - len(ending) >= 2:
            return (name.removesuffix(ending), name)
    return (name,)
