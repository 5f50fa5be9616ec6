"""Templates and messages. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from furong.foundation.notices.errors import TemplateUnknownError

LANGUAGES = ("zh", "en")

_PLACE = re.compile(r"\{(\w+)\}")
_OPTIONAL = re.compile(r"\[\[(.*?)\]\]")


class Channel(StrEnum):
    IN_APP = "in_app"
    SMS = "sms"


class DeliveryState(StrEnum):
    QUEUED = "queued"
    SENT = "sent"
    SKIPPED = "skipped"  # nobody to send it to: no account, or no telephone number


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """Texts by language. ``{name}`` is a parameter; ``[[…]]`` is left out when a parameter in it is missing or empty.

    Without ``sms`` no short text is sent. A parameter may be a text, a number or ``{zh, en}``; one whose name ends in
    ``_on`` is a date (ISO 8601) and is written as people write it.
    """

    code: str
    title: Mapping[str, str]
    body: Mapping[str, str]
    sms: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message as its reader sees it: title and body in every language."""

    id: UUID
    at: datetime
    template: str
    title: dict[str, str]
    body: dict[str, str]
    params: Mapping[str, Any]
    case_id: UUID | None
    read_at: datetime | None

    @property
    def is_read(self) -> bool:
        return self.read_at is not None


def render(text: Mapping[str, str], params: Mapping[str, Any], *, language: str) -> str:
    """Fill a text in ``language``, or in Chinese where it lacks that. Raises `TemplateUnknownError` for a missing
    parameter.
    """
    pattern = text.get(language) or text["zh"]

    def optional(found: re.Match[str]) -> str:
        inside = found.group(1)
        return inside if all(_value(params, name, language) for name in _PLACE.findall(inside)) else ""

    def place(found: re.Match[str]) -> str:
        name = found.group(1)
        if name not in params:
            raise TemplateUnknownError(f"The parameter {name!r} of a notice is missing.")
        return _value(params, name, language)

    return _PLACE.sub(place, _OPTIONAL.sub(optional, pattern))


def _value(params: Mapping[str, Any], name: str, language: str) -> str:
    value = params.get(name)
    if isinstance(value, Mapping):
        value = value.get(language) or value.get("zh") or next(iter(value.values()), "")
    if value is None:
        return ""
    if name.endswith("_on"):
        return _day(value, language)
    return str(value)


def _day(value: object, language: str) -> str:
    try:
        on = value if isinstance(value, date) else date.fromisoformat(str(value))
    except ValueError:
        return str(value)
    return f"{on.year}年{on.month}月{on.day}日" if language == "zh" else f"{on.day} {_MONTHS[on.month - 1]} {on.year}"


_MONTHS = [
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
]
