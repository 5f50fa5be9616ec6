"""How answers and facts are written for people: labels of options, dates, amounts, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils.functional import lazy
from django.utils.translation import get_language, gettext

from furong.domains.services.forms.conditions import python_value
from furong.domains.services.values.forms import FieldType, FormField
from furong.foundation.codes.queries import find_division, get_table
from furong.foundation.packs.values import Text


def lazily(text: Text | None) -> Any:
    """Give a text that is in the reader's language whenever it is shown."""
    return "" if text is None else _pick(text)


def _in_the_readers_language(text: Text) -> str:
    return text.pick(get_language())


_pick = lazy(_in_the_readers_language, str)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of a page or of the review: an answer, or a fact with its source."""

    element: str
    label: str
    shown: str
    source: str = ""
    page: str = ""
    is_asked: bool = True


def show(one: FormField, value: Any) -> str:
    """Give a value as a person reads it: an option's label, a date, an amount."""
    language = get_language()
    if value is None or value == "":
        return "—"
    if one.type is FieldType.YES_NO:
        return gettext("Yes") if value else gettext("No")
    if one.type in {FieldType.CHOICE, FieldType.CHOICES}:
        codes = value if isinstance(value, (list, tuple)) else [value]
        return "、".join(_label(one, str(code)) for code in codes)
    if one.type is FieldType.MONEY and isinstance(value, int):
        return f"{value // 100:,}.{value % 100:02d}"
    if one.type is FieldType.DATE:
        day = python_value(FieldType.DATE, value)
        if isinstance(day, datetime):
            day = day.date()
        if isinstance(day, date):
            zh = bool(language) and str(language).startswith("zh")
            return f"{day.year}年{day.month}月{day.day}日" if zh else day.isoformat()
    if one.type is FieldType.DIVISION:
        return place_name(str(value))
    if one.type is FieldType.UPLOAD and isinstance(value, Mapping):
        return str(value.get("name", ""))
    if one.type is FieldType.ADDRESS and isinstance(value, Mapping):
        return f"{place_name(str(value.get('division') or ''))} {value.get('detail', '')}".strip()
    return str(value)


def place_name(code: str) -> str:
    """Give a division's national name with the city around it (GB/T 2260); the code itself where nobody knows it."""
    city = find_division(code=f"{code[:4]}00") if len(code) >= 6 else None
    county = find_division(code=code[:6]) if len(code) >= 6 and code[4:6] != "00" else None
    return "".join(found.name for found in (city, county) if found is not None) or code


def _label(one: FormField, code: str) -> str:
    """The label of one option; without making those of a whole national table."""
    language = get_language()
    for option in one.options:
        if option.code == code:
            return option.label.pick(language)
    if not one.options and one.code_table is not None:
        item = get_table(name=one.code_table).items.get(code)
        if item is not None:
            return Text((("zh", item.zh), ("en", item.en))).pick(language)
    return code


def options_of(one: FormField) -> list[tuple[str, Any]]:
    """List a choice's options with labels in the reader's language, its own or those of a national table."""
    if one.options:
        return [(o.code, lazily(o.label)) for o in one.options]
    if one.code_table is not None:
        return [
            (item.code, lazily(Text((("zh", item.zh), ("en", item.en)))))
            for item in get_table(name=one.code_table).items.values()
        ]
    return []
