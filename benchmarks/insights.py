"""Figures of processes over a busy province: measuring days of the event log, and the queries of a heat map's page.

Fills days as busy as 2,000,000 ended instances a year make them (5,500 a day, 20 lines each), open instances with a task each,
and a third of a year of measured days; then measures a day, and times each query for the whole province, a city, a county and
one organization.

    python -m benchmarks.insights [--quick] [--days N] [--open N]
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from benchmarks.processes import cluster

NOW = datetime(2026, 6, 30, 8, 0, tzinfo=UTC)
DEFINITIONS = 200
A_DAY = 5_500
STEPS = 4  # tasks of an instance; with its other elements, 20 lines

_ENDED = """
CREATE TEMP TABLE made AS
SELECT n, gen_random_uuid() AS id, 1 + floor({definitions} * power(random(), 3))::int AS definition_id,
       ('00000000-0000-0000-0000-' || lpad((n %% 2000)::text, 12, '0'))::uuid AS organization_id,
       '43' || lpad((1 + n %% 14)::text, 2, '0') || lpad((n %% 9)::text, 2, '0') AS division_code,
       %(begins)s::timestamptz + random() * interval '{days} days' AS ended_at
  FROM generate_series(1, %(instances)s) AS n;
INSERT INTO processes_instance_ended
SELECT id, definition_id, 'bench', 8, 9, n::text, organization_id, division_code, '', '', '{{}}',
       ended_at - interval '3 days', NULL, ended_at, CASE WHEN random() < .05 THEN 'cancelled' ELSE 'completed' END, ''
  FROM made;
INSERT INTO processes_log (at, instance_id, definition_id, kind, element_id, arrived_by, token)
SELECT m.ended_at - (20 - s) * interval '3 hours', m.id, m.definition_id,
       CASE WHEN s = 1 THEN 7 WHEN s = 20 THEN 8 WHEN s <= 9 THEN CASE WHEN s %% 2 = 0 THEN 1 ELSE 2 END ELSE 4 END,
       CASE WHEN s IN (1, 20) THEN 'bench' WHEN s <= 9 THEN 't' || (s / 2) ELSE 'g' || s END,
       CASE WHEN s IN (1, 20) THEN '' ELSE 'f' || s END, CASE WHEN s IN (1, 20) THEN 0 ELSE 1 END
  FROM made m, generate_series(1, 20) AS s ORDER BY 1;
INSERT INTO processes_task_closed (instance_id, id, token, element_id, kind, title, department, organization_id, division_code,
  right_code, item_code, business_key, label, outcomes, priority, state, claimed_by, claimed_at, created_at, rank_at, closed_at,
  closed_by, ending, outcome)
SELECT m.id, gen_random_uuid(), 1, 't' || (s / 2), 'review', 't', 'police', m.organization_id, m.division_code, '', '', m.n::text,
       '', '{{}}', 0, 'claimed', m.id, m.ended_at - (20 - s) * interval '3 hours' - interval '1 hour',
       m.ended_at - (21 - s) * interval '3 hours', '9999-12-31', m.ended_at - (20 - s) * interval '3 hours', m.id, 'completed', ''
  FROM made m, generate_series(3, 9, 2) AS s;
DROP TABLE made;
"""
_OPEN = """
CREATE TEMP TABLE made AS
SELECT n, gen_random_uuid() AS id, gen_random_uuid() AS task, 1 + floor({definitions} * power(random(), 3))::int AS definition_id,
       ('00000000-0000-0000-0000-' || lpad((n %% 2000)::text, 12, '0'))::uuid AS organization_id,
       '43' || lpad((1 + n %% 14)::text, 2, '0') || lpad((n %% 9)::text, 2, '0') AS division_code,
       %(now)s::timestamptz - random() * interval '60 days' AS at
  FROM generate_series(1, %(instances)s) AS n;
INSERT INTO processes_instance (id, definition_id, code, version, next_token, business_key, organization_id, division_code,
  item_code, label, variables, started_at, started_by, state)
SELECT id, definition_id, 'bench', 1, 2, n::text, organization_id, division_code, '', '', '{{}}', at, NULL, 'running' FROM made;
INSERT INTO processes_token (instance_id, number, scope, element_id, arrived_by, stuck)
SELECT id, 1, 0, 't' || (1 + n %% 4), 'f', false FROM made;
INSERT INTO processes_task (instance_id, id, token, element_id, kind, title, department, organization_id, division_code,
  right_code, item_code, business_key, label, outcomes, priority, state, created_at, due_at, rank_at)
SELECT id, task, 1, 't' || (1 + n %% 4), 'review', 't',
       (ARRAY['police', 'health', 'medical_insurance', 'human_resources'])[1 + n %% 4],
       organization_id, division_code, '', '', n::text, '', '{{}}', 0, 'open',
       at, at + interval '20 days', at + interval '20 days'
  FROM made;
DROP TABLE made;
"""
# Earlier days as the measured one, so that months of figures are there to be added up.
_EARLIER = """
INSERT INTO processes_measure (definition_id, day, reach, organization_id, division_code, kind, element_id, ending, bucket, n,
  seconds)
SELECT definition_id, day - %(back)s, reach, organization_id, division_code, kind, element_id, ending, bucket, n, seconds
  FROM processes_measure WHERE day = %(day)s
"""


def fill(*, days: int, open_instances: int) -> None:
    """Fill the tables: definitions, days of ended instances, open ones."""
    from django.db import connection, transaction

    from benchmarks.processes_diagram import DIAGRAM
    from furong.domains.processes import publishing

    for number in range(DEFINITIONS):
        xml = DIAGRAM.replace(b"<process ", f"<!-- {number} --><process ".encode(), 1)
        with transaction.atomic():
            publishing.publish(xml=xml, file="b.bpmn", code=f"bench-{number}", now=NOW - timedelta(days=days + 2))
    values = {"begins": NOW - timedelta(days=days), "now": NOW}
    with connection.cursor() as cursor:
        for text, instances in ((_ENDED, A_DAY * days), (_OPEN, open_instances)):
            for statement in text.format(definitions=DEFINITIONS, days=days).split(";\n"):
                if statement.strip():
                    cursor.execute(statement, {**values, "instances": instances})
        cursor.execute("VACUUM ANALYZE")


def timed(function: Callable[[], Any], *, times: int = 7) -> float:
    """Give the median time of a call in milliseconds, after one to warm up."""
    function()
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        function()
        taken.append((time.perf_counter() - begun) * 1000)
    return round(statistics.median(taken), 1)


def page_times(digest: str, scope: Any, *, quarter: Any, year: Any) -> dict[str, float]:
    """Time each query of the pages within a scope."""
    from furong.domains.processes import insights

    return {
        "overview_ms": timed(lambda: insights.overview(scope=scope, period=quarter)),
        "diagram_quarter_ms": timed(lambda: insights.diagram(digest=digest, scope=scope, period=quarter, now=NOW)),
        "diagram_year_ms": timed(lambda: insights.diagram(digest=digest, scope=scope, period=year, now=NOW)),
        "weeks_ms": timed(lambda: insights.weeks(digest=digest, scope=scope, period=quarter)),
        "departments_ms": timed(lambda: insights.departments(scope=scope, now=NOW)),
    }


def main() -> None:
    """Print the figures as one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--days", type=int, default=10)
    parser.add_argument("--open", type=int, default=1_000_000)
    parser.add_argument("--kept", type=int, default=120, help="days of figures that are there to be added up")
    options = parser.parse_args()
    days, waiting = (2, 20_000) if options.quick else (options.days, options.open)
    with cluster():
        from uuid import UUID

        from django.db import connection

        from furong.domains.processes import measuring, ports
        from furong.domains.processes.values.insights import Period
        from furong.foundation.access.values import Scope

        ports.use(ports.Wiring(calendar=_calendar))
        fill(days=days, open_instances=waiting)
        figures: dict[str, Any] = {"days": days, "open": waiting}
        begun = time.perf_counter()
        while measuring.measure(now=NOW, again=True):
            pass
        figures["measure_s"] = round(time.perf_counter() - begun, 2)
        with connection.cursor() as cursor:
            cursor.execute("SELECT sum(lines), max(lines), max(took_ms) FROM processes_measured")
            figures["lines"], figures["lines_of_a_day"], figures["measure_day_ms"] = map(int, cursor.fetchone())
            busy = (NOW - timedelta(days=1)).date()
            cursor.execute("SELECT reach, count(*) FROM processes_measure WHERE day = %s GROUP BY 1 ORDER BY 1", [busy])
            figures["figures_of_a_day"] = dict(cursor.fetchall())
            for back in range(days, options.kept if not options.quick else days + 3):
                cursor.execute(_EARLIER, {"day": busy, "back": back})
            cursor.execute("VACUUM ANALYZE processes_measure")
            cursor.execute("SELECT count(*), pg_total_relation_size('processes_measure') FROM processes_measure")
            figures["figures_kept"], size = cursor.fetchone()
            figures["figures_kept_mb"] = size // 2**20
            cursor.execute("SELECT digest FROM processes_definition WHERE id = 1")
            (digest,) = cursor.fetchone()
        scopes = {
            "province": Scope(everything=True),
            "city": Scope(division_prefixes=("4302",)),
            "county": Scope(division_prefixes=("430202",)),
            "organization": Scope(organization_ids=frozenset({UUID(int=1)})),
        }
        quarter = Period(from_on=date(2026, 4, 1), until_on=date(2026, 6, 30))
        year = Period(from_on=date(2025, 7, 1), until_on=date(2026, 6, 30))
        for name, scope in scopes.items():
            figures[name] = page_times(digest, scope, quarter=quarter, year=year)
        print(json.dumps(figures, indent=1))


def _calendar() -> Any:
    from datetime import time as clock

    from furong.foundation.calendar.values import Calendar, OfficeHours

    return Calendar(
        name="bench",
        zone="Asia/Shanghai",
        weekend=frozenset({5, 6}),
        office_hours=(OfficeHours(clock(9), clock(17)),),
        holidays=(),
        known_from_on=date(2026, 1, 1),
        known_until_on=date(2027, 1, 1),
    )


if __name__ == "__main__":
    main()
