"""Names as keys: how a name sorts, and how it is found by someone who types pinyin or initials.

Lists of names sort by the stored key, so PostgreSQL needs no collation of its own. A surname may sound unlike the same character
elsewhere (单 is Shàn, not Dān), which the table here settles; a name in Latin letters sorts as it stands.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from pypinyin import Style, lazy_pinyin

# The reading a character has as a surname, where it differs from its usual one (《现代汉语词典》).
SURNAME_READINGS = {
    "单": "shan4", "曾": "zeng1", "任": "ren2", "仇": "qiu2", "区": "ou1", "查": "zha1", "解": "xie4",
    "朴": "piao2", "盖": "ge3", "尉": "wei4", "覃": "qin2", "翟": "zhai2", "华": "hua4", "宁": "ning4",
    "召": "shao4", "石": "shi2", "乐": "yue4", "么": "yao1", "员": "yun4", "秘": "bi4", "繁": "po2",
    "洗": "xian3", "冼": "xian3", "折": "she2", "黑": "he4", "盛": "sheng4", "葛": "ge3", "燕": "yan1",
    "应": "ying1", "纪": "ji3", "过": "guo1", "卜": "bu3", "晟": "cheng2", "谌": "chen2", "幺": "yao1",
    "逄": "pang2", "郇": "huan2", "缪": "miao4", "万": "wan4", "俞": "yu2", "柏": "bai3", "种": "chong2",
    "牟": "mou4", "祭": "zhai4", "逯": "lu4", "适": "kuo4", "句": "gou1", "阚": "kan4", "舍": "she4",
    "莘": "shen1", "都": "du1", "车": "che1", "沈": "shen3", "肖": "xiao1", "那": "na1", "訾": "zi1",
}  # fmt: skip
TWO_CHARACTER_SURNAMES = {
    "尉迟": ("yu4", "chi2"), "万俟": ("mo4", "qi2"), "澹台": ("tan2", "tai2"), "长孙": ("zhang3", "sun1"),
    "单于": ("chan2", "yu2"), "令狐": ("ling2", "hu2"), "欧阳": ("ou1", "yang2"), "司马": ("si1", "ma3"),
    "诸葛": ("zhu1", "ge3"), "上官": ("shang4", "guan1"), "夏侯": ("xia4", "hou2"), "皇甫": ("huang2", "fu3"),
    "宇文": ("yu3", "wen2"), "慕容": ("mu4", "rong2"), "独孤": ("du2", "gu1"), "拓跋": ("tuo4", "ba2"),
    "呼延": ("hu1", "yan2"), "公孙": ("gong1", "sun1"), "东方": ("dong1", "fang1"), "司徒": ("si1", "tu2"),
}  # fmt: skip

# How addresses are compared: full-width signs as half-width ones, small letters as capitals, spaces left out. PostgreSQL's
# ``translate`` does the same, in an index and in the query that it serves.
_WIDE = (
    "".join(map(chr, (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))))
    + "\uff0d—–\uff03\uff08\uff09"
)
_NARROW = "0123456789" + "ABCDEFGHIJKLMNOPQRSTUVWXYZ" * 2 + "---#()"
ADDRESS_FROM = _WIDE + "abcdefghijklmnopqrstuvwxyz" + " \u3000\t"
ADDRESS_TO = _NARROW + "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ADDRESS = str.maketrans(
    {one: ADDRESS_TO[place] if place < len(ADDRESS_TO) else None for place, one in enumerate(ADDRESS_FROM)}
)


@dataclass(frozen=True, slots=True)
class NameKeys:
    """``pinyin`` sorts (zeng1 xiao3 ya3), ``plain`` and ``initials`` find (zengxiaoya, zxy)."""

    pinyin: str
    plain: str
    initials: str


def surname_of(name: str) -> str:
    """Return the surname: the first character, or the first two of a two-character surname.

    Of a name with dots or spaces between its parts, as many peoples bear, the last part.
    """
    text = unicodedata.normalize("NFC", name).strip().replace("•", "·")
    parts = text.replace("·", " ").split()
    if len(parts) > 1:
        return parts[-1]
    return text[:2] if text[:2] in TWO_CHARACTER_SURNAMES and len(text) > 2 else text[:1]


@lru_cache(maxsize=65536)
def _reading(character: str) -> str:
    found: str = lazy_pinyin(character, style=Style.TONE3, neutral_tone_with_five=True)[0]
    return found.replace("ü", "v").lower()


def name_keys(name: str) -> NameKeys:
    """Return the keys of ``name``; a character without a reading stands for itself, after all others."""
    text = unicodedata.normalize("NFC", name).strip().replace("•", "·")
    syllables: list[str] = []
    rest = text
    if text[:2] in TWO_CHARACTER_SURNAMES and len(text) > 2:
        syllables.extend(TWO_CHARACTER_SURNAMES[text[:2]])
        rest = text[2:]
    elif text[:1] in SURNAME_READINGS:
        syllables.append(SURNAME_READINGS[text[:1]])
        rest = text[1:]
    latin = ""
    for character in rest:
        if character.isascii() and character.isalnum():
            latin += character.lower()
            continue
        if latin:
            syllables.append(latin)
            latin = ""
        if character.isspace() or character in "·'.-":
            continue
        syllables.append(_reading(character))
    if latin:
        syllables.append(latin)
    bare = [syllable.rstrip("12345") if not syllable.isdigit() else syllable for syllable in syllables]
    return NameKeys(" ".join(syllables), "".join(bare), "".join(syllable[:1] for syllable in bare))


def plain_query(typed: str) -> str:
    """Return what somebody typed as a search key: lower case, no spaces, tones or apostrophes; ü is v."""
    text = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", typed).lower()).replace("u\u0308", "v")
    return "".join(c for c in text if c.isalpha())


def address_key(address: str) -> str:
    """Return an address as it is compared: without spaces, in half-width signs and capitals."""
    return address.translate(_ADDRESS)
