"""Values of data elements and codes of resources as people read them: codes by their names, places by their path, moments in
local time.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from furong.domains.catalogue.values import DataElement
from furong.foundation.codes.queries import get_table
from furong.foundation.organizations import queries as organizations
from furong.foundation.web import texts

# Update cycles and data types of information items, by the codes of the national guide.
CYCLES: Mapping[str, Promise] = {
    "realtime": _("in real time"),
    "daily": _("daily"),
    "weekly": _("weekly"),
    "monthly": _("monthly"),
    "quarterly": _("quarterly"),
    "half_yearly": _("every half year"),
    "yearly": _("yearly"),
    "irregular": _("irregularly"),
    "other": _("otherwise"),
}
ITEM_TYPES: Mapping[str, Promise] = {
    "C": _("text"),
    "N": _("numeric"),
    "Y": _("money"),
    "D": _("date"),
    "T": _("date and time"),
    "L": _("yes or no"),
    "M": _("memo"),
    "G": _("general"),
    "B": _("double"),
    "I": _("whole number"),
    "F": _("floating point"),
}


def told(element: DataElement | None, value: Any) -> str:
    """Write a value for people, in the language of the reader. A value of no known element is written as it is.

    Codes become the names of their table, a division its path below the province, a moment local date and time.
    """
    if element is None or value in (None, "") or isinstance(value, bool | list | dict):
        return texts.fact(value)
    if element.code_table:
        found = get_table(name=element.code_table).items.get(str(value))
        if found is not None:
            return texts.text({"zh": found.zh, "en": found.en})
    for one in element.codes:
        if one.code == str(value):
            return texts.text(one.name)
    if element.type == "division":
        return _place(str(value))
    if element.type == "datetime":
        try:
            return texts.moment(dt.datetime.fromisoformat(str(value)))
        except ValueError:
            return str(value)
    if element.type == "money_fen" and isinstance(value, int):
        return f"{value / 100:,.2f}"
    return texts.fact(value)


def _place(code: str) -> str:
    for given in (code, code[:9], code[:6]):
        path = organizations.path_of_division(code=given)
        if path:
            names = [texts.text({"zh": one.name.zh, "en": one.name.en}) for one in (path[1:] or path)]
            return "".join(names) if texts.content_language() == "zh" else ", ".join(reversed(names))
    return code
