"""Rows of what the foundation keeps and everybody may know: divisions, organisations, holidays.

The foundation lies below the catalogue and knows nothing of it, so its rows are published from here; rooms above publish theirs
themselves (``open_rows.py`` beside the code that owns them). A pack that has no resource of such a code publishes none.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from furong.domains.catalogue.data import RowSource, register_rows
from furong.foundation.access.values import Scope
from furong.foundation.calendar import queries as calendar
from furong.foundation.organizations import queries as organizations
from furong.foundation.organizations.values import Level

_PAGE = 200
PLATFORM = {"zh": "本平台，实时", "en": "This platform, as of now"}


def divisions() -> Iterator[dict[str, Any]]:
    """Give the divisions in force, by level and code (GB/T 2260, GB/T 10114)."""
    for level in Level:
        for one in organizations.list_divisions(level=level):
            yield {
                "code": one.code,
                "name": one.name.zh,
                "level": int(one.level),
                "parent": one.parent_code or None,
                "valid_from": one.valid_from,
            }


def bodies() -> Iterator[dict[str, Any]]:
    """Give the open organisations of government, by division and name; posts and people are none of it."""
    number, last = 1, 1
    while number <= last:
        page = organizations.list_organizations(scope=Scope(everything=True), page=number, size=_PAGE)
        last = page.pages
        for one in page.items:
            yield {
                "code": one.code or None,
                "name": one.name.zh,
                "name_en": one.name.en or None,
                "department": one.department,
                "division_code": one.division_code,
                "level": int(one.level),
                "address": one.address or None,
                "phone": one.phone or None,
            }
        number += 1


def holidays() -> Iterator[dict[str, Any]]:
    """Give the days off and the working days that make up for them, by day, as far as they are announced."""
    days = []
    for one in calendar.current().holidays:
        days += [(day, one, False) for day in one.days_off]
        days += [(day, one, True) for day in one.make_up_days]
    for day, one, works in sorted(days, key=lambda found: found[0]):
        yield {"day": day, "holiday": one.name.get("zh", ""), "year": one.year, "is_working_day": works}


def register() -> None:
    """Publish the rows."""
    for code, rows in (("divisions", divisions), ("organizations", bodies), ("holidays", holidays)):
        register_rows(RowSource(code=code, rows=rows, source=PLATFORM))
