"""How values are written for people: texts in two languages, local dates and times, numbers.

Content carries its texts as ``{"zh": …, "en": …}``; labels of the platform itself are gettext messages. Times are stored in UTC
and shown in the pack's time zone (settings ``TIME_ZONE``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.utils import timezone, translation
from django.utils.translation import gettext

# code of the page, code of content texts, its own name
LANGUAGES: tuple[tuple[str, str, str], ...] = (("zh-hans", "zh", "简体中文"), ("en", "en", "English"))
_CONTENT_CODE = {page: content for page, content, _ in LANGUAGES}


def content_language() -> str:
    """Give the key (``zh`` or ``en``) under which content holds texts of the language now active."""
    return _CONTENT_CODE.get(translation.get_language() or "", "zh")


def text(value: Any) -> str:
    """Give a content text in the reader's language, else in Chinese, else in any; a plain string is given as it is."""
    if value is None:
        return ""
    if hasattr(value, "pick"):  # a text of a pack
        return str(value.pick(content_language()))
    if isinstance(value, Mapping):
        found = value.get(content_language()) or value.get("zh") or next(iter(value.values()), "")
        return str(found)
    return str(value)


def other_text(value: Any) -> str:
    """Give a content text in the other language, for English beside Chinese; empty when there is none."""
    if hasattr(value, "as_dict"):
        value = value.as_dict()
    if not isinstance(value, Mapping):
        return ""
    other = "en" if content_language() == "zh" else "zh"
    return str(value.get(other) or "")


def _local(value: dt.datetime) -> dt.datetime:
    return timezone.localtime(value) if timezone.is_aware(value) else value


def day(value: dt.date | dt.datetime | None) -> str:
    """Write a date: 2026 年 11 月 22 日, in English 22 November 2026. Empty for nothing."""
    if value is None:
        return ""
    if isinstance(value, dt.datetime):
        value = _local(value).date()
    if content_language() == "zh":
        return f"{value.year} 年 {value.month} 月 {value.day} 日"
    return f"{value.day} {_MONTHS[value.month - 1]} {value.year}"


def clock(value: dt.datetime | None) -> str:
    """Write a time of day in the pack's zone: 09:42. Empty for nothing."""
    return "" if value is None else f"{_local(value):%H:%M}"


def moment(value: dt.datetime | None) -> str:
    """Write date and time in the pack's zone. Empty for nothing."""
    return "" if value is None else f"{day(value)} {clock(value)}"


def recent(value: dt.datetime | None, now: dt.datetime | None = None) -> str:
    """Write a moment as people say it: today 09:42, yesterday 16:05, 19 November; last year's with the year."""
    if value is None:
        return ""
    here, today = _local(value), _local(now or timezone.now()).date()
    days = (today - here.date()).days
    if days == 0:
        return gettext("today %(time)s") % {"time": f"{here:%H:%M}"}
    if days == 1:
        return gettext("yesterday %(time)s") % {"time": f"{here:%H:%M}"}
    if here.year != today.year:
        return day(here)
    if content_language() == "zh":
        return f"{here.month} 月 {here.day} 日"
    return f"{here.day} {_MONTHS[here.month - 1]}"


def iso(value: dt.date | dt.datetime | None) -> str:
    """Write a date or time for the ``datetime`` attribute of ``<time>`` (ISO 8601)."""
    return "" if value is None else value.isoformat()


def number(value: float | None, decimals: int = 0) -> str:
    """Write a number with thousands separated; a dash for nothing."""
    return "—" if value is None else f"{value:,.{decimals}f}"


def percent(share: float | None, decimals: int = 1) -> str:
    """Write a share (0 to 1) as a percentage; a dash for nothing."""
    return "—" if share is None else f"{share * 100:.{decimals}f}%"


def file_size(size_bytes: int) -> str:
    """Write a size in bytes as KB or MB, as file managers do (1 MB = 1,048,576 bytes)."""
    if size_bytes < 1024 * 1024:
        return f"{max(1, round(size_bytes / 1024))} KB"
    return f"{size_bytes / 1024 / 1024:.1f} MB"


def fact(value: Any) -> str:
    """Write the value of a data element for people: yes and no, texts, dates, lists, parts of an address."""
    if isinstance(value, bool):
        return gettext("Yes") if value else gettext("No")
    if isinstance(value, Mapping):
        if {"zh", "en"} & set(value):
            return text(value)
        return " ".join(fact(v) for k, v in value.items() if v and k not in {"digest", "media_type", "size"})
    if isinstance(value, list | tuple):
        return "、".join(fact(v) for v in value)
    if isinstance(value, str) and len(value) == 10 and value[4:5] == "-" == value[7:8]:
        try:
            return day(dt.date.fromisoformat(value))
        except ValueError:
            return value
    return "" if value is None else str(value)


_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
