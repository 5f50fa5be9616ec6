-- Figures of what processes did. Days of the event log are measured once, by a job, into processes_measure; pages read that and
-- the tables of what is open. Nothing here reads the log at page time.
--
-- Kinds of figures (values.insights.Measure): 1 visit, 2 waiting, 3 handling, 4 flow, 5 instance ended, 6 instance started,
-- 7 stuck, 8 rounds, 9 loop. Kinds of log lines (interpreter.LogKind): 1 entered, 2 completed, 3 cancelled, 4 passed, 5 stuck,
-- 6 merged, 7 started, 8 ended, 9 moved. A duration falls into bucket floor(4 log2(seconds)) + 1; -1 is for what has none.

-- name: try_lock
-- Let one worker at a time measure.
SELECT pg_try_advisory_xact_lock(hashtextextended('processes_measure', 0)), (SELECT last_value FROM processes_log_id_seq)

-- name: first_day
-- The day from which there can be log lines.
SELECT min(published_at) FROM processes_definition

-- name: days_to_measure
-- Days that are not measured for good, the latest first, with what is known of them.
SELECT d.day::date, m.measured_at, m.position, m.took_ms
  FROM generate_series(%(first)s::date, %(last)s::date, interval '1 day') AS d (day)
  LEFT JOIN processes_measured m ON m.day = d.day::date
 WHERE m.final IS NOT TRUE ORDER BY 1 DESC

-- name: forget_day
-- Take a day's figures away before it is measured again.
DELETE FROM processes_measure WHERE day = %(day)s

-- name: day_measured
-- Note that a day is measured.
INSERT INTO processes_measured (day, measured_at, lines, position, took_ms, final)
VALUES (%(day)s, %(now)s, %(lines)s, %(position)s, %(took_ms)s, %(final)s)
ON CONFLICT (day) DO UPDATE SET measured_at = excluded.measured_at, lines = excluded.lines, position = excluded.position,
  took_ms = excluded.took_ms, final = excluded.final

-- name: measured_until
-- When the latest day was measured last.
SELECT max(measured_at) FROM processes_measured WHERE day >= (SELECT max(day) - 1 FROM processes_measured)

-- name: settings_of_measuring
-- What a step makes has no statistics, and a wrong guess of one row would join thousands with thousands by loops.
SELECT set_config('enable_nestloop', 'off', true), set_config('work_mem', '64MB', true)

-- name: measure_day
-- Measure one day of the log, for three widths of place at once. A step belongs to the organization that did it, everything else
-- to the owner of the instance. Reads the day's lines (found by BRIN), for each closing line that is no task its entering line,
-- and for each instance that ended its whole log; these look-ups are LATERAL, so that `settings_of_measuring` cannot make them scans.
WITH lines AS MATERIALIZED (
  SELECT id, at, instance_id, definition_id, kind, element_id, arrived_by, token FROM processes_log
   WHERE at >= %(begins)s::timestamptz AND at < %(ends)s::timestamptz
), owners AS MATERIALIZED (
  SELECT seen.instance_id AS id, o.organization_id, o.division_code
    FROM (SELECT DISTINCT instance_id FROM lines) AS seen
    JOIN LATERAL (
      SELECT i.organization_id, i.division_code FROM processes_instance i WHERE i.id = seen.instance_id
      UNION ALL
      SELECT e.organization_id, e.division_code FROM processes_instance_ended e
       WHERE e.id = seen.instance_id AND e.ended_at >= %(begins)s::timestamptz
      LIMIT 1
    ) AS o ON TRUE
), tasks AS MATERIALIZED (
  SELECT instance_id, token, element_id, organization_id, division_code, created_at, claimed_at, closed_at
    FROM processes_task_closed WHERE closed_at >= %(begins)s::timestamptz AND closed_at < %(ends)s::timestamptz
), visits AS MATERIALIZED (
  SELECT l.definition_id, coalesce(t.organization_id, o.organization_id) AS organization_id,
         coalesce(nullif(t.division_code, ''), o.division_code) AS division_code, l.element_id, l.kind AS ending,
         extract(epoch FROM CASE WHEN l.kind = 4 THEN interval '0' ELSE l.at - coalesce(t.created_at, entered.at) END) AS seconds,
         t.created_at, t.claimed_at, t.closed_at
    FROM lines l
    JOIN owners o ON o.id = l.instance_id
    LEFT JOIN tasks t ON t.instance_id = l.instance_id AND t.token = l.token AND t.element_id = l.element_id
                     AND t.closed_at = l.at AND l.kind <> 4
    LEFT JOIN LATERAL (
      SELECT e.at FROM processes_log e
       WHERE l.kind <> 4 AND t.instance_id IS NULL AND e.instance_id = l.instance_id AND e.at <= l.at AND e.id < l.id
         AND e.token = l.token AND e.element_id = l.element_id AND e.kind IN (1, 5, 9)
       ORDER BY e.kind = 9, e.id DESC LIMIT 1
    ) AS entered ON TRUE
   WHERE l.kind IN (2, 3, 4)
), ended AS MATERIALIZED (
  SELECT l.instance_id, l.definition_id, o.organization_id, o.division_code, e.ending, e.ended_at - e.started_at AS took
    FROM lines l
    JOIN owners o ON o.id = l.instance_id
    JOIN LATERAL (SELECT n.ending, n.ended_at, n.started_at FROM processes_instance_ended n
                   WHERE n.id = l.instance_id AND n.ended_at = l.at LIMIT 1) AS e ON TRUE
   WHERE l.kind = 8
), entries AS MATERIALIZED (
  SELECT i.*, bool_or(again) OVER (PARTITION BY i.instance_id) AS loops,
         lag(i.n) OVER (PARTITION BY i.instance_id, i.element_id ORDER BY i.n) AS since,
         min(i.n) OVER (PARTITION BY i.instance_id, i.element_id) AS first_n
    FROM (
      SELECT h.*, row_number() OVER (PARTITION BY h.instance_id ORDER BY h.id) AS n
        FROM (
          SELECT d.instance_id, d.definition_id, d.organization_id, d.division_code, l.id, l.kind, l.element_id,
                 count(*) FILTER (WHERE l.kind IN (2, 3)) OVER (PARTITION BY d.instance_id, l.element_id ORDER BY l.id) > 0 AS again
            FROM ended d
            JOIN LATERAL (SELECT g.id, g.kind, g.element_id FROM processes_log g
                           WHERE g.instance_id = d.instance_id AND g.kind IN (1, 2, 3) OFFSET 0) AS l ON TRUE
        ) AS h
       WHERE h.kind = 1
    ) AS i
), rounds AS (
  SELECT definition_id, organization_id, division_code, element_id, 1 + count(*) FILTER (WHERE again) AS rounds
    FROM entries GROUP BY instance_id, definition_id, organization_id, division_code, element_id
), loops AS (
  SELECT a.definition_id, a.organization_id, a.division_code, string_agg(b.element_id, ' > ' ORDER BY b.n) AS text
    FROM entries a
    JOIN entries b ON b.instance_id = a.instance_id AND b.n BETWEEN a.since AND a.n
   WHERE a.again AND a.loops AND b.loops AND a.n - a.since <= 12
   GROUP BY a.instance_id, a.n, a.first_n, a.definition_id, a.organization_id, a.division_code
  HAVING min(b.first_n) = a.first_n
), facts (definition_id, organization_id, division_code, kind, element_id, ending, seconds, bucket) AS (
  SELECT definition_id, organization_id, division_code, 1, element_id, ending, seconds, NULL::int FROM visits
  UNION ALL
  SELECT definition_id, organization_id, division_code, 2, element_id, ending, extract(epoch FROM claimed_at - created_at), NULL
    FROM visits WHERE claimed_at IS NOT NULL
  UNION ALL
  SELECT definition_id, organization_id, division_code, 3, element_id, ending, extract(epoch FROM closed_at - claimed_at), NULL
    FROM visits WHERE claimed_at IS NOT NULL
  UNION ALL
  SELECT l.definition_id, o.organization_id, o.division_code, 4, l.arrived_by, 0, NULL, NULL
    FROM lines l JOIN owners o ON o.id = l.instance_id WHERE l.kind IN (1, 4, 6) AND l.arrived_by <> ''
  UNION ALL
  SELECT definition_id, organization_id, division_code, 5, '', CASE ending WHEN 'completed' THEN 2 ELSE 3 END,
         extract(epoch FROM took), NULL
    FROM ended
  UNION ALL
  SELECT l.definition_id, o.organization_id, o.division_code, 6, '', 0, NULL, NULL
    FROM lines l JOIN owners o ON o.id = l.instance_id WHERE l.kind = 7
  UNION ALL
  SELECT l.definition_id, o.organization_id, o.division_code, 7, l.element_id, 0, NULL, NULL
    FROM lines l JOIN owners o ON o.id = l.instance_id WHERE l.kind = 5
  UNION ALL
  SELECT definition_id, organization_id, division_code, 8, element_id, 0, NULL, least(rounds, 20) FROM rounds
  UNION ALL
  SELECT definition_id, organization_id, division_code, 9, text, 0, NULL, 0 FROM loops
), placed AS (
  SELECT definition_id, organization_id, coalesce(division_code, '') AS division_code, left(coalesce(division_code, ''), 4) AS city,
         kind, element_id, ending, greatest(seconds, 0) AS seconds,
         coalesce(bucket, CASE WHEN seconds IS NULL THEN -1 WHEN seconds < 1 THEN 0 ELSE 1 + floor(4 * log(2, seconds)) END) AS bucket
    FROM facts
), kept AS (
  INSERT INTO processes_measure (definition_id, day, reach, organization_id, division_code, kind, element_id, ending, bucket, n,
    seconds)
  SELECT definition_id, %(day)s::date, CASE WHEN grouping(city) = 1 THEN 0 ELSE 1 END, NULL, coalesce(city, ''), kind, element_id,
         ending, bucket, count(*), coalesce(sum(seconds), 0)
    FROM placed
   GROUP BY GROUPING SETS ((definition_id, kind, element_id, ending, bucket), (definition_id, kind, element_id, ending, bucket, city))
  UNION ALL
  -- Of single organizations there are so many that hardly two cases share a row: only what waits, and rounds that are rework.
  SELECT definition_id, %(day)s::date, 2, organization_id, division_code, kind, element_id, ending, bucket, count(*),
         coalesce(sum(seconds), 0)
    FROM placed
   WHERE NOT (kind = 4 OR kind = 1 AND ending = 4 OR kind = 8 AND bucket = 1)
   GROUP BY definition_id, organization_id, division_code, kind, element_id, ending, bucket
  RETURNING 1
)
SELECT (SELECT count(*) FROM lines), (SELECT count(*) FROM kept)

-- name: figures
-- Figures of definitions in a period.
SELECT m.kind, m.element_id, m.ending, m.bucket, sum(m.n)::bigint, sum(m.seconds)
  FROM processes_measure m
 WHERE m.definition_id = ANY (%s::int[]) AND m.reach = %s AND m.kind = ANY (%s::smallint[]) AND m.day >= %s AND m.day <= %s
   AND {scope}
 GROUP BY 1, 2, 3, 4

-- name: figures_of_definitions
-- What became of instances in a period, for each definition.
SELECT m.definition_id, m.kind, m.ending, m.bucket, sum(m.n)::bigint, sum(m.seconds)
  FROM processes_measure m
 WHERE m.definition_id = ANY (%s::int[]) AND m.reach = %s AND m.kind = ANY (%s::smallint[]) AND m.day >= %s AND m.day <= %s
   AND {scope}
 GROUP BY 1, 2, 3, 4

-- name: figures_of_weeks
-- Instances started and ended, by week (from Monday).
SELECT date_trunc('week', m.day)::date, m.kind, m.ending, sum(m.n)::bigint
  FROM processes_measure m
 WHERE m.definition_id = ANY (%s::int[]) AND m.reach = %s AND m.kind IN (5, 6) AND m.day >= %s AND m.day <= %s AND {scope}
 GROUP BY 1, 2, 3

-- name: versions
-- Which definitions there are: their rows, and the versions of each code.
SELECT id, digest, code, version, name, published_at FROM processes_definition
 WHERE (%(code)s::text = '' OR code = %(code)s::text) ORDER BY code, version DESC

-- name: open_instances
-- The open instances of definitions, the newest first and not more than a page can count.
mine AS MATERIALIZED (
  SELECT i.id, i.definition_id, i.state, i.organization_id, i.division_code, i.started_at
    FROM processes_instance i WHERE i.definition_id = ANY (%s::int[]) ORDER BY i.id DESC LIMIT %s
)

-- name: standing
-- Where tokens of open instances stand, what waits there for people, and what is stuck.
WITH {open_instances}
SELECT k.element_id, count(*), count(j.id), count(t.id), count(t.id) FILTER (WHERE t.due_at <= %s), count(t.claimed_by),
       coalesce(sum(extract(epoch FROM %s::timestamptz - t.created_at)), 0)::float8, min(t.created_at),
       (SELECT count(*) FROM mine)
  FROM mine i
  JOIN processes_token k ON k.instance_id = i.id
  LEFT JOIN processes_task t ON t.instance_id = k.instance_id AND t.token = k.number
  LEFT JOIN processes_job j ON j.instance_id = k.instance_id AND j.token = k.number AND j.state = 'incident'
 WHERE {scope} GROUP BY 1

-- name: open_states
-- Open instances by the week in which they began, and by state; stuck is what an incident holds.
WITH {open_instances}
SELECT i.definition_id, date_trunc('week', i.started_at AT TIME ZONE %s)::date,
       CASE WHEN i.state <> 'running' THEN i.state WHEN j.instance_id IS NOT NULL THEN 'stuck' ELSE 'running' END, count(*),
       (SELECT count(*) FROM mine)
  FROM mine i
  LEFT JOIN (SELECT DISTINCT instance_id FROM processes_job WHERE state = 'incident') AS j ON j.instance_id = i.id
 WHERE {scope} GROUP BY 1, 2, 3

-- name: open_by_definition
-- Open instances of every definition by state. Reads the table of open instances once.
SELECT i.definition_id, i.state, count(*) FROM processes_instance i WHERE {scope} GROUP BY 1, 2

-- name: stuck_by_definition
-- Instances that an incident holds, of every definition.
SELECT i.definition_id, count(DISTINCT i.id)
  FROM processes_job j JOIN processes_instance i ON i.id = j.instance_id
 WHERE j.state = 'incident' AND i.state = 'running' AND {scope} GROUP BY 1

-- name: departments
-- Open tasks by department, and by its organizations.
SELECT t.department, t.organization_id, grouping(t.organization_id), count(*), count(*) FILTER (WHERE t.rank_at <= %s),
       count(t.claimed_by), avg(extract(epoch FROM %s::timestamptz - t.created_at))::float8, min(t.created_at)
  FROM processes_task t{of_definitions}
 WHERE {scope} GROUP BY GROUPING SETS ((t.department), (t.department, t.organization_id))
