"""What a page shows of a person before the reader has a reason to see more."""

from __future__ import annotations

import re

__all__ = ["mask_address", "mask_name", "mask_number", "mask_phone"]

# Surnames of two characters that are common enough for a mask to look wrong without them.
_TWO_CHARACTER_SURNAMES = frozenset(
    re.findall(
        r"\w{2}",
        "欧阳司马上官诸葛东方皇甫尉迟公孙慕容令狐司徒夏侯"
        "端木南宫轩辕长孙宇文澹台百里呼延东郭西门独孤申屠"
        "闻人公冶太史钟离淳于单于司空鲜于闾丘亓官司寇仲孙"
        "子车颛孙巫马公西漆雕乐正壤驷公良拓跋夹谷谷梁段干"
        "东里梁丘左丘东门羊舌微生第五赫连完颜纳兰叶赫",
    )
)
_HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]")


def mask_name(name: str) -> str:
    """Keep a name's surname and hide the rest: 李**, 欧阳**, M**.

    The stars do not tell the length. A name of one character becomes one star; an empty one stays empty.
    """
    text = name.strip()
    if not text:
        return ""
    if len(text) == 1:
        return "*"
    if len(text) > 2 and text[:2] in _TWO_CHARACTER_SURNAMES:
        return f"{text[:2]}**"
    return f"{text[0]}**" if _HAN.match(text) else f"{text[0].upper()}**"


def mask_number(number: str) -> str:
    """Keep the first three and the last four characters of a number: 430****1234.

    A number of fewer than ten characters keeps only its last two, so that no mask shows most of it.
    """
    text = number.strip()
    if not text:
        return ""
    if len(text) < 10:
        return f"****{text[-2:]}" if len(text) > 4 else "****"
    return f"{text[:3]}****{text[-4:]}"


def mask_phone(phone: str) -> str:
    """Hide the middle of a telephone number: 138****5678."""
    digits = re.sub(r"[^0-9+]", "", phone)
    return mask_number(digits)


def mask_address(address: str) -> str:
    """Keep an address as far as its county and hide the rest.

    Without a character that ends a county (区, 县, 市, 旗) the first six characters stay.
    """
    text = address.strip()
    if not text:
        return ""
    ends = [match.end() for match in re.finditer("[区县市旗]", text[:20])]
    keep = ends[-1] if ends and ends[-1] < len(text) else min(6, len(text) // 2)
    return f"{text[:keep]}****"
