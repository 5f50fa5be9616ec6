"""Cases as open statistics: by month, item and county, nothing about persons, and no number small enough to tell of one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import connection
from django.utils import timezone

from furong.domains.catalogue.data import RowSource, register_rows
from furong.domains.services import queries as services

# A group of fewer cases or ratings than this is left out (threshold rule of statistical disclosure control).
FEWEST = 5

_STATISTICS = """
SELECT to_char(c.decided_on, 'YYYY-MM'), c.item_code, rpad(left(c.division_code, 6), 6, '0'), count(*),
       percentile_cont(0.5) WITHIN GROUP (ORDER BY c.used_days),
       CASE WHEN count(r.level) >= %(fewest)s THEN round(avg(r.level), 2) END
  FROM cases_case AS c LEFT JOIN cases_rating AS r ON r.case_id = c.id
 WHERE c.decided_on IS NOT NULL AND c.decided_on < %(month)s
 GROUP BY 1, 2, 3 HAVING count(*) >= %(fewest)s
 ORDER BY 1, 2, 3
"""


def service_statistics() -> Iterator[dict[str, Any]]:
    """Give the cases decided in each month that is over, by item and county; groups of fewer than `FEWEST` are left out.

    One statement over the decided cases; kept for an hour.
    """
    today = timezone.localdate()
    codes = {item.code: item.basic_code for item in services.list_items(on=today)}
    with connection.cursor() as cursor:
        cursor.execute(_STATISTICS, {"fewest": FEWEST, "month": today.replace(day=1)})
        for month, item, division, cases, median, rating in cursor.fetchall():
            yield {
                "month": month,
                "item": codes.get(item, item),
                "division_code": division,
                "cases": cases,
                "median_days": None if median is None else float(median),
                "rating": None if rating is None else float(rating),
            }


def register() -> None:
    """Publish the rows."""
    register_rows(
        RowSource(
            code="service_statistics",
            rows=service_statistics,
            source={"zh": "本平台办件，按月汇总", "en": "Cases of this platform, by month"},
            keep_seconds=3600,
        )
    )
