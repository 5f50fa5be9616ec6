"""Duties of collection: who asks persons and enterprises for what, when in the year, and how much that makes for each of them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from furong.domains.catalogue import queries as catalogue
from furong.domains.catalogue.resources.values import CollectedFrom
from furong.foundation.access.values import Actor
from furong.foundation.organizations import queries as organizations
from furong.foundation.web.texts import text
from furong.sites.workbench import words_catalogue as words
from furong.sites.workbench.desk import page
from furong.sites.workbench.guards import needs
from furong.sites.workbench.views.catalogue import READERS

_FIRST_YEAR, _LAST_YEAR = 2000, 2100


@require_safe
@needs(*READERS)
def collection(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show the burden of each kind of subject, the departments that make it, and the calendar of a year."""
    today = timezone.localdate()
    given = {
        "from": request.GET.get("from", ""),
        "department": request.GET.get("department", "")[:80],
    }
    if given["from"] not in set(CollectedFrom):
        given["from"] = ""
    number = request.GET.get("year", "")
    asked = int(number) if number.isdecimal() and len(number) == 4 else today.year
    year = asked if _FIRST_YEAR <= asked <= _LAST_YEAR else today.year
    every = catalogue.list_duties(actor=actor)
    departments = {one.code: one.name for one in organizations.list_departments()}
    duties = [
        one
        for one in every
        if given["from"] in {"", one.collected_from.value} and given["department"] in {"", one.department}
    ]

    def query(**other: Any) -> str:
        return "?" + urlencode({k: v for k, v in {**given, "year": year, **other}.items() if v})

    calendar = [(one, months) for one in duties if any(months := catalogue.months_of(one, year=year))]
    loads = catalogue.burdens(duties, by_department=True)
    asking = sorted({one.department for one in every}, key=lambda code: text(departments.get(code, code)))
    return page(
        request,
        actor,
        "catalogue/collection",
        "collection",
        whole=catalogue.burdens(every),
        loads=loads,
        heaviest=max((one.per_year for one in loads), default=0) or 1,
        calendar=calendar,
        arising=[one for one in duties if not any(catalogue.months_of(one, year=year))],
        duties=duties,
        departments=departments,
        asking=asking,
        given=given,
        subjects=[
            (code, label, query(**{"from": code})) for code, label in [("", words.ALL_SUBJECTS), *words.FROM.items()]
        ],
        year=year,
        this_month=today.month if year == today.year else 0,
        years=(query(year=year - 1), query(year=year + 1)),
        query=query,
        words=words,
    )
