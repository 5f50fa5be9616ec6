"""Lines of lists of cases, and their light from the days stored with them. Shared by handling and supervision."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection

from furong.domains.cases import models
from furong.domains.cases.values.clock import Light
from furong.domains.cases.values.states import ENDED, CaseState
from furong.domains.cases.values.views import CaseLine

# The light of a case from the days stored with it: the same answer as ``Clock.light`` gives, in SQL and without a calendar.
LIGHT = """
CASE
  WHEN c.ended_at IS NOT NULL OR c.decided_on IS NOT NULL OR c.clock IS NULL THEN 'none'
  WHEN c.statutory_due_on < %(on)s THEN 'overdue'
  WHEN c.promised_due_on < %(on)s THEN 'red'
  WHEN c.clock -> 'segments' -> -1 ->> 'until_on' IS NOT NULL THEN 'stopped'
  WHEN c.yellow_on IS NULL THEN 'none'
  WHEN c.yellow_on <= %(on)s THEN 'yellow'
  ELSE 'green'
END
"""

_LINES = """
SELECT c.id, c.number, c.item_code, c.item_name, p.title, c.state, c.organization_id, c.division_code, p.submitted_at,
       c.promised_due_on, c.statutory_due_on, c.acceptance_due_on, c.yellow_on, c.clock -> 'segments' -> -1 -> 'until_on',
       c.decided_on, c.clock IS NOT NULL
FROM cases_case AS c
JOIN cases_application AS p ON p.id = c.application_id
WHERE {where}
ORDER BY c.number DESC
LIMIT %s
"""


def light_from_days(
    *,
    on: date,
    state: CaseState,
    has_clock: bool,
    stopped: bool,
    decided: bool,
    yellow_on: date | None,
    due_on: date | None,
    statutory_due_on: date | None,
) -> Light:
    """Return a case's light from the days stored with it, as the SQL above does."""
    if state in ENDED or decided or not has_clock:
        return Light.NONE
    if statutory_due_on is not None and statutory_due_on < on:
        return Light.OVERDUE
    if due_on is not None and due_on < on:
        return Light.RED
    if stopped:
        return Light.STOPPED
    if yellow_on is None:
        return Light.NONE
    return Light.YELLOW if yellow_on <= on else Light.GREEN


def case_lines(conditions: Sequence[str], params: Sequence[Any], *, limit: int, on: date) -> list[CaseLine]:
    """Return the lines of the cases that the conditions name, newest number first; one statement."""
    with connection.cursor() as cursor:
        cursor.execute(_LINES.format(where=" AND ".join(conditions)), [*params, limit])
        rows = cursor.fetchall()
    return [_line(row, on) for row in rows]


def _line(row: Sequence[Any], on: date) -> CaseLine:
    return CaseLine(
        case_id=row[0],
        number=row[1],
        item_code=row[2],
        item_name=text_of(row[3]),
        application_title=text_of(row[4]),
        state=CaseState(row[5]),
        organization_id=row[6],
        division_code=row[7],
        submitted_at=row[8],
        due_on=row[9],
        statutory_due_on=row[10],
        acceptance_due_on=row[11],
        light=light_from_days(
            on=on,
            state=CaseState(row[5]),
            has_clock=row[15],
            stopped=row[13] not in (None, "null"),
            decided=row[14] is not None,
            yellow_on=row[12],
            due_on=row[9],
            statutory_due_on=row[10],
        ),
    )


def text_of(value: Any) -> Mapping[str, str]:
    """Return a text by language from a JSON column, read as it comes or as text."""
    return dict(json.loads(value) if isinstance(value, str) else value)


def labels_of_cases(*, case_ids: Sequence[UUID]) -> dict[UUID, tuple[str, Mapping[str, str]]]:
    """Return number and item name of some cases, for pages that hold nothing else of them."""
    rows = models.Case.objects.filter(id__in=list(case_ids)).values_list("id", "number", "item_name")
    return {key: (number, dict(name)) for key, number, name in rows}
