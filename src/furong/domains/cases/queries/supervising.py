"""Time and quality over many cases: lights by organisation, the figures of the front page, ratings to call back."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection

from furong.domains.cases import models
from furong.domains.cases.commands.moving import today
from furong.domains.cases.queries.listing import LIGHT, case_lines
from furong.domains.cases.queries.reading import organization_names
from furong.domains.cases.values.clock import Light
from furong.domains.cases.values.views import CallBackView, CaseLine, ServiceFigures, SupervisionRow
from furong.foundation.access import queries as access
from furong.foundation.access.values import Actor, Scope

_BY_ORGANIZATION = f"""
SELECT organization_id, min(division_code), count(*) AS open,
       count(*) FILTER (WHERE light = 'stopped'), count(*) FILTER (WHERE light = 'yellow'),
       count(*) FILTER (WHERE light = 'red'), count(*) FILTER (WHERE light = 'overdue'),
       count(*) FILTER (WHERE acceptance_due_on < %(on)s)
FROM (
    SELECT c.organization_id, c.division_code, c.acceptance_due_on, {LIGHT} AS light
    FROM cases_case AS c
    WHERE c.ended_at IS NULL AND {{scope}}
) AS lit
GROUP BY organization_id
ORDER BY 7 DESC, 6 DESC, 5 DESC, 3 DESC, 1
"""

_LATE = f"""
SELECT c.id FROM cases_case AS c
WHERE c.ended_at IS NULL AND {LIGHT} = ANY(%(lights)s) AND {{scope}}
ORDER BY coalesce(c.statutory_due_on, c.promised_due_on), c.number
LIMIT %(limit)s
"""

# What the front page says of service: decided cases and ratings over a period, everywhere or in one division.
_FIGURES = """
SELECT
    count(*),
    avg(CASE WHEN c.in_time THEN 100.0 ELSE 0.0 END),
    avg(c.used_days),
    avg(CASE WHEN (c.clock ->> 'promised_days')::int > 0
             THEN 100.0 * (1 - c.used_days::numeric / (c.clock ->> 'promised_days')::int) END)
FROM cases_case AS c
WHERE c.decided_on >= %(from_on)s AND c.decided_on <= %(until_on)s AND c.in_time IS NOT NULL
  AND c.division_code LIKE %(division)s
"""
_RATINGS = """
SELECT count(*), avg(CASE WHEN r.level >= 3 THEN 100.0 ELSE 0.0 END), count(*) FILTER (WHERE r.level <= 2),
       count(b.contacted_at)
FROM cases_rating AS r
LEFT JOIN cases_call_back AS b ON b.rating_id = r.id
WHERE r.rated_on >= %(from_on)s AND r.rated_on <= %(until_on)s AND r.division_code LIKE %(division)s
"""


def supervision(*, actor: Actor, now: datetime, scope: Scope | None = None) -> tuple[SupervisionRow, ...]:
    """Count open, yellow, red and overdue cases by organisation, the worst first.

    Needs ``cases.supervise``; covers what the actor's posts do, or the narrower ``scope`` given. One statement.
    """
    access.require(actor=actor, right="cases.supervise")
    covered = scope or access.scope(actor=actor, right="cases.supervise")
    fragment, params = _named(covered)
    with connection.cursor() as cursor:
        cursor.execute(_BY_ORGANIZATION.format(scope=fragment), {"on": today(now), **params})
        rows = cursor.fetchall()
    names = organization_names(row[0] for row in rows)
    return tuple(
        SupervisionRow(
            organization_id=row[0],
            organization_name=names.get(row[0], {"zh": "", "en": ""}),
            division_code=row[1],
            open=row[2],
            stopped=row[3],
            yellow=row[4],
            red=row[5],
            overdue=row[6],
            acceptance_late=row[7],
        )
        for row in rows
    )


def list_late_cases(
    *,
    actor: Actor,
    now: datetime,
    lights: tuple[Light, ...] = (Light.OVERDUE, Light.RED, Light.YELLOW),
    organization_id: UUID | None = None,
    limit: int = 100,
) -> tuple[CaseLine, ...]:
    """List open cases with one of the lights, the latest first. Needs ``cases.supervise``."""
    access.require(actor=actor, right="cases.supervise")
    fragment, params = _named(access.scope(actor=actor, right="cases.supervise"))
    if organization_id is not None:
        fragment += " AND c.organization_id = %(organization_id)s"
        params["organization_id"] = organization_id
    with connection.cursor() as cursor:
        cursor.execute(
            _LATE.format(scope=fragment),
            {"on": today(now), "lights": [light.value for light in lights], "limit": limit, **params},
        )
        ids = [row[0] for row in cursor.fetchall()]
    found = {line.case_id: line for line in case_lines(["c.id = ANY(%s::uuid[])"], [ids], limit=limit, on=today(now))}
    return tuple(found[key] for key in ids if key in found)


def _named(scope: Scope) -> tuple[str, dict[str, Any]]:
    sql, positional = scope.sql(organization_column="c.organization_id", division_column="c.division_code")
    params: dict[str, Any] = {}
    for n, value in enumerate(positional):
        sql = sql.replace("%s", f"%(scope_{n})s", 1)
        params[f"scope_{n}"] = value
    return sql, params


def service_figures(*, from_on: date, until_on: date, division_prefix: str = "") -> ServiceFigures:
    """Count how cases decided between two local days (both included) were served; open to everybody.

    Two statements over indexed rows; keep the answer for a minute.
    """
    params: dict[str, Any] = {"from_on": from_on, "until_on": until_on, "division": f"{division_prefix}%"}
    with connection.cursor() as cursor:
        cursor.execute(_FIGURES, params)
        decided, in_time, mean, faster = cursor.fetchone()
        cursor.execute(_RATINGS, params)
        ratings, satisfied, bad, called = cursor.fetchone()
    return ServiceFigures(
        decided=decided,
        in_time_percent=_float(in_time),
        mean_used_days=_float(mean),
        faster_than_promised_percent=_float(faster),
        ratings=ratings,
        satisfied_percent=_float(satisfied),
        bad_ratings=bad,
        called_back=called,
    )


def _float(value: Any) -> float | None:
    return None if value is None else round(float(value), 1)


def list_call_backs(*, actor: Actor, now: datetime, limit: int = 100) -> tuple[CallBackView, ...]:
    """List bad ratings that are not put right yet, the most urgent first. Needs ``cases.supervise``."""
    access.require(actor=actor, right="cases.supervise")
    covered = access.scope(actor=actor, right="cases.supervise")
    rows = (
        models.CallBack.objects.exclude(state="closed")
        .select_related("rating__case")
        .order_by("fix_due_on", "id")[: limit * 4]
    )
    return tuple(
        CallBackView(
            id=r.id,
            case_id=r.rating.case_id,
            case_number=r.rating.case.number,
            item_name=r.rating.case.item_name,
            organization_id=r.rating.organization_id,
            level=r.rating.level,
            aspects=r.rating.aspects,
            comment=r.rating.comment,
            state=r.state,
            opened_at=r.opened_at,
            contact_due_on=r.contact_due_on,
            fix_due_on=r.fix_due_on,
        )
        for r in rows
        if covered.covers(organization_id=r.rating.organization_id, division_code=r.rating.division_code)
    )[:limit]
