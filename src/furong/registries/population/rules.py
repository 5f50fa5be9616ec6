"""Checks of what is to be written, against the code tables and the rules of names. Pure."""

from __future__ import annotations

import unicodedata

from furong.foundation.codes import queries as codes

from .errors import CodeInvalid, NameInvalid
from .values import FEMALE, MALE

_LONGEST_NAME = 50


def check_name(name: str) -> str:
    """Return a name in normal form (NFC, one kind of dot). Raises `NameInvalid`.

    Letters of any script, spaces and dots within; rare characters beyond the basic plane are letters too (GB 18030).
    """
    text = " ".join(unicodedata.normalize("NFC", name).replace("•", "·").replace("・", "·").split())
    if not text or len(text) > _LONGEST_NAME:
        raise NameInvalid
    for character in text:
        # The planes of rare Han characters grow faster than the tables of the Python that runs us.
        rare = 0x20000 <= ord(character) <= 0x3FFFF
        if not rare and unicodedata.category(character)[0] not in "LM" and character not in " ·.'-":
            raise NameInvalid
    if text[0] in " ·.'-":
        raise NameInvalid
    return text


def check_code(table: str, value: str, *, field: str) -> str:
    """Return ``value`` when the code table has it. Raises `CodeInvalid` naming the field."""
    if value not in codes.get_table(name=table).items:
        raise CodeInvalid(field=field)
    return value


def check_sex_of_child(sex: str) -> str:
    """Return the sex when a citizen number can carry it: male or female (GB 11643)."""
    if sex not in (MALE, FEMALE):
        raise CodeInvalid(field="sex")
    return sex
