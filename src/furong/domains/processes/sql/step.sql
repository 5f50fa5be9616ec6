-- Reading and writing one instance. A step reads with one of the load statements and writes with one statement that `store.py`
-- puts together from the parts below, so that it costs two round trips however much happens in it.
--
-- The instance's row comes first in the writing statement, and only if it still has the version that was read; every other part
-- asks for it ({guard}). So a step that was overtaken writes nothing, and two steps of one instance cannot deadlock.
--
-- Rows of an instance are looked up one by one behind an OFFSET 0, which the planner does not look through: it knows instances of
-- few rows, and would read all rows of one that has ten thousand. Tokens and scopes, which nothing but a step writes, are then
-- taken by ctid; tasks, timers, subscriptions and jobs, which others may be changing, by id.

-- name: load_columns
-- What a step needs of an instance. seen_version comes from the snapshot, version from the locked row: they differ when this
-- statement waited for another step, whose tokens its snapshot does not hold; then it is run again.
i.id, i.definition_id, i.version, (SELECT s.version FROM processes_instance s WHERE s.id = i.id), i.next_token,
i.variables::text, i.business_key, i.organization_id, i.division_code, i.item_code, i.label, i.state, i.scoped,
CASE WHEN NOT i.scoped THEN
  (SELECT json_agg(json_build_array(k.number, k.element_id, k.arrived_by, k.scope, k.stuck) ORDER BY k.number)::text
     FROM processes_token k WHERE k.instance_id = i.id) END

-- name: load_around
-- Of an instance in which activities run inside others: the scopes around one token, and all tokens of these and of the process
-- itself.
SELECT i.version,
       (SELECT json_agg(json_build_array(k.number, k.element_id, k.arrived_by, k.scope, k.stuck) ORDER BY k.number)::text
          FROM (SELECT 0 UNION ALL SELECT unnest(p.path)) w (scope),
               LATERAL (SELECT * FROM processes_token t WHERE t.instance_id = i.id AND t.scope = w.scope OFFSET 0) k),
       (SELECT json_agg(json_build_array(s.number, s.parent, s.element_id, s.kind, s.host, s.done, s.data::text, s.variables::text)
                        ORDER BY s.number)::text
          FROM unnest(p.path) w (scope),
               LATERAL (SELECT * FROM processes_scope n WHERE n.instance_id = i.id AND n.number = w.scope OFFSET 0) s)
  FROM processes_instance i
  LEFT JOIN LATERAL (
    SELECT s.path FROM processes_token k,
           LATERAL (SELECT path FROM processes_scope n WHERE n.instance_id = k.instance_id AND n.number = k.scope OFFSET 0) s
     WHERE k.instance_id = i.id AND k.number = %(token)s::int
  ) p ON true
 WHERE i.id = %(id)s::uuid

-- name: load_whole
-- All tokens and scopes of an instance in which activities run inside others.
SELECT i.version,
       (SELECT json_agg(json_build_array(k.number, k.element_id, k.arrived_by, k.scope, k.stuck) ORDER BY k.number)::text
          FROM processes_token k WHERE k.instance_id = i.id),
       (SELECT json_agg(json_build_array(s.number, s.parent, s.element_id, s.kind, s.host, s.done, s.data::text, s.variables::text)
                        ORDER BY s.number)::text
          FROM processes_scope s WHERE s.instance_id = i.id)
  FROM processes_instance i WHERE i.id = %(id)s::uuid

-- name: load_by_task
-- The instance of a task, both rows locked when a transaction is open; nothing when the task is no longer open.
SELECT {load_columns},
       t.token, t.element_id, t.claimed_by, t.organization_id, t.division_code, t.right_code, t.outcomes
  FROM processes_task t JOIN processes_instance i ON i.id = t.instance_id
 WHERE t.id = %(id)s FOR UPDATE OF i, t

-- name: load_by_timer
-- The instance of a timer that is due, locked; nothing when another worker has it in hand or the timer is gone.
SELECT {load_columns}, t.token, t.element_id, t.escalates, t.due_at, t.repeats
  FROM processes_timer t JOIN processes_instance i ON i.id = t.instance_id
 WHERE t.id = %(id)s AND t.due_at <= %(now)s::timestamptz AND i.state = 'running' FOR UPDATE OF i SKIP LOCKED

-- name: load_by_subscription
-- The instance of a subscription, locked.
SELECT {load_columns}, s.token, s.element_id
  FROM processes_subscription s JOIN processes_instance i ON i.id = s.instance_id
 WHERE s.id = %(id)s FOR UPDATE OF i

-- name: load_by_job
-- The instance of a job, both rows locked; nothing when the job is done or was cancelled.
SELECT {load_columns}, j.token, j.element_id, j.kind, j.state, j.attempts
  FROM processes_job j JOIN processes_instance i ON i.id = j.instance_id
 WHERE j.id = %(id)s FOR UPDATE OF i, j

-- name: load_by_instance
-- An instance by its id, locked.
SELECT {load_columns} FROM processes_instance i WHERE i.id = %(id)s FOR UPDATE OF i

-- name: tokens_removed
-- Tokens that ended or were merged.
DELETE FROM processes_token WHERE {guard} AND ctid = ANY (ARRAY(
     SELECT r.ctid FROM json_array_elements_text(%(parts)s::json -> 'tokens_removed') AS v,
       LATERAL (SELECT ctid FROM processes_token WHERE instance_id = %(instance)s::uuid AND number = v::int OFFSET 0) r))

-- name: tokens_moved
-- Tokens that stand elsewhere now.
UPDATE processes_token k SET element_id = m.element, arrived_by = m.arrived_by, stuck = m.stuck
  FROM json_to_recordset(%(parts)s::json -> 'tokens_moved') AS m (number int, element text, arrived_by text, stuck boolean)
 WHERE k.number = m.number AND {guard} AND k.ctid = ANY (ARRAY(
     SELECT r.ctid FROM json_array_elements(%(parts)s::json -> 'tokens_moved') AS v,
       LATERAL (SELECT ctid FROM processes_token WHERE instance_id = %(instance)s::uuid AND number = (v ->> 'number')::int OFFSET 0) r))

-- name: tokens_added
-- New tokens.
INSERT INTO processes_token (instance_id, number, scope, element_id, arrived_by, stuck)
SELECT %(instance)s::uuid, a.number, a.scope, a.element, a.arrived_by, a.stuck
  FROM json_to_recordset(%(parts)s::json -> 'tokens_added')
    AS a (number int, scope int, element text, arrived_by text, stuck boolean)
 WHERE {guard}

-- name: scopes_removed
-- Scopes that are over.
DELETE FROM processes_scope WHERE {guard} AND ctid = ANY (ARRAY(
     SELECT r.ctid FROM json_array_elements_text(%(parts)s::json -> 'scopes_removed') AS v,
       LATERAL (SELECT ctid FROM processes_scope WHERE instance_id = %(instance)s::uuid AND number = v::int OFFSET 0) r))

-- name: scopes_gone
-- All scopes of an instance that ended.
DELETE FROM processes_scope WHERE instance_id = %(instance)s::uuid AND {guard}

-- name: scopes_changed
-- Scopes in which something was counted, assigned or done.
UPDATE processes_scope s SET parent = c.parent, host = c.host, done = c.done, data = c.data::jsonb, variables = c.variables::jsonb
  FROM json_to_recordset(%(parts)s::json -> 'scopes_changed')
    AS c (number int, parent int, host int, done boolean, data text, variables text)
 WHERE s.number = c.number AND {guard} AND s.ctid = ANY (ARRAY(
     SELECT r.ctid FROM json_array_elements(%(parts)s::json -> 'scopes_changed') AS v,
       LATERAL (SELECT ctid FROM processes_scope WHERE instance_id = %(instance)s::uuid AND number = (v ->> 'number')::int OFFSET 0) r))

-- name: scopes_added
-- New scopes; the path names those around a scope and the scope itself.
INSERT INTO processes_scope (instance_id, number, parent, element_id, kind, host, done, data, variables, path)
SELECT %(instance)s::uuid, a.number, a.parent, a.element, a.kind, a.host, a.done, a.data::jsonb, a.variables::jsonb, a.path
  FROM json_to_recordset(%(parts)s::json -> 'scopes_added')
    AS a (number int, parent int, element text, kind smallint, host int, done boolean, data text, variables text, path int[])
 WHERE {guard}

-- name: tasks_closed
-- Open tasks whose token has left, taken off the work list.
DELETE FROM processes_task t
 USING json_to_recordset(%(parts)s::json -> 'tasks_closed') AS c (token int, ending text, outcome text, by uuid)
 WHERE t.token = c.token AND {guard} AND t.id = ANY (ARRAY(
     SELECT r.id FROM json_array_elements(%(parts)s::json -> 'tasks_closed') AS v,
       LATERAL (SELECT id FROM processes_task WHERE instance_id = %(instance)s::uuid AND token = (v ->> 'token')::int OFFSET 0) r))
RETURNING t.*, c.ending AS how, c.outcome AS gave, c.by AS who

-- name: tasks_kept
-- The same tasks, kept in the table of their year.
INSERT INTO processes_task_closed ({task_columns}, closed_at, closed_by, ending, outcome)
SELECT {task_columns}, %(now)s::timestamptz, who, how, gave FROM tasks_closed

-- name: tasks_opened
-- New tasks on the work list.
INSERT INTO processes_task (instance_id, id, token, element_id, kind, title, department, organization_id, division_code,
  right_code, item_code, business_key, label, outcomes, priority, state, created_at, due_at, yellow_at, rank_at)
SELECT %(instance)s::uuid, n.id, n.token, n.element_id, n.kind, n.title, n.department, n.organization_id, n.division_code,
       n.right_code, n.item_code, n.business_key, n.label, n.outcomes, n.priority, 'open', %(now)s::timestamptz, n.due_at,
       n.yellow_at, coalesce(n.due_at, '9999-12-31 00:00+00')
  FROM json_to_recordset(%(parts)s::json -> 'tasks_opened')
    AS n (id uuid, token int, element_id text, kind text, title text, department text, organization_id uuid,
          division_code text, right_code text, item_code text, outcomes text[], priority smallint, due_at timestamptz,
          yellow_at timestamptz, business_key text, label text)
 WHERE {guard}

-- name: timers_dropped
-- Timers whose token has left, and those that have fired.
DELETE FROM processes_timer WHERE {guard} AND id = ANY (%(fired)s::uuid || ARRAY(
     SELECT r.id FROM json_array_elements_text(%(parts)s::json -> 'timers_dropped') AS v,
       LATERAL (SELECT id FROM processes_timer WHERE instance_id = %(instance)s::uuid AND token = v::int OFFSET 0) r))

-- name: timers_opened
-- New timers.
INSERT INTO processes_timer (instance_id, id, token, element_id, due_at, escalates, repeats)
SELECT %(instance)s::uuid, n.id, n.token, n.element_id, n.due_at, n.escalates, n.repeats
  FROM json_to_recordset(%(parts)s::json -> 'timers_opened')
    AS n (id uuid, token int, element_id text, due_at timestamptz, escalates boolean, repeats int)
 WHERE {guard}

-- name: subscriptions_dropped
-- Subscriptions whose token has left, and those that were served.
DELETE FROM processes_subscription WHERE {guard} AND id = ANY (%(served)s::uuid || ARRAY(
     SELECT r.id FROM json_array_elements_text(%(parts)s::json -> 'subscriptions_dropped') AS v,
       LATERAL (SELECT id FROM processes_subscription WHERE instance_id = %(instance)s::uuid AND token = v::int OFFSET 0) r))

-- name: subscriptions_opened
-- New subscriptions.
INSERT INTO processes_subscription (instance_id, id, token, element_id, message, correlation, created_at)
SELECT %(instance)s::uuid, n.id, n.token, n.element_id, n.message, n.correlation, %(now)s::timestamptz
  FROM json_to_recordset(%(parts)s::json -> 'subscriptions_opened')
    AS n (id uuid, token int, element_id text, message text, correlation text)
 WHERE {guard}

-- name: jobs_dropped
-- Jobs and incidents whose token has left or goes on.
DELETE FROM processes_job WHERE {guard} AND id = ANY (ARRAY(
     SELECT r.id FROM json_array_elements_text(%(parts)s::json -> 'jobs_dropped') AS v,
       LATERAL (SELECT id FROM processes_job WHERE instance_id = %(instance)s::uuid AND token = v::int OFFSET 0) r))

-- name: jobs_opened
-- New work for the workers, and new incidents.
INSERT INTO processes_job (instance_id, id, token, element_id, kind, state, payload, message, correlation, attempts, run_at,
  reason, detail, created_at)
SELECT %(instance)s::uuid, n.id, n.token, n.element_id, n.kind, n.state, n.payload::jsonb, n.message, n.correlation, 0, %(now)s::timestamptz,
       n.reason, n.detail, %(now)s::timestamptz
  FROM json_to_recordset(%(parts)s::json -> 'jobs_opened')
    AS n (id uuid, token int, element_id text, kind text, state text, payload text, message text, correlation text,
          reason text, detail text)
 WHERE {guard}

-- name: logged
-- The event log's lines of this step.
INSERT INTO processes_log (at, instance_id, definition_id, kind, element_id, arrived_by, token, by)
SELECT %(now)s::timestamptz, %(instance)s::uuid, %(definition)s::int, (l ->> 0)::smallint, l ->> 1, l ->> 2, (l ->> 3)::int, %(by)s::uuid
  FROM json_array_elements(%(parts)s::json -> 'logged') AS l WHERE {guard}

-- name: instance_started
-- A new instance.
INSERT INTO processes_instance (id, definition_id, code, version, next_token, business_key, organization_id, division_code,
  item_code, label, variables, started_at, started_by, state, scoped)
VALUES (%(instance)s::uuid, %(definition)s::int, %(code)s::text, 1, %(next_token)s::int, %(business_key)s::text, %(organization_id)s::uuid, %(division_code)s::text,
  %(item_code)s::text, %(label)s::text, %(variables)s::jsonb, %(now)s::timestamptz, %(by)s::uuid, 'running', %(scoped)s::bool)

-- name: instance_moved
-- An instance one step further, its variables as they were.
UPDATE processes_instance SET version = version + 1, next_token = %(next_token)s::int, scoped = %(scoped)s::bool WHERE id = %(instance)s::uuid AND version = %(version)s::int

-- name: instance_moved_with_variables
-- An instance one step further, with new or changed variables.
UPDATE processes_instance
   SET version = version + 1, next_token = %(next_token)s::int, scoped = %(scoped)s::bool,
       variables = variables || %(variables)s::jsonb
 WHERE id = %(instance)s::uuid AND version = %(version)s::int

-- name: instance_gone
-- An instance that is over, taken out of the table of running ones.
DELETE FROM processes_instance WHERE id = %(instance)s::uuid AND version = %(version)s::int

-- name: instance_kept
-- The same instance, kept in the table of its year.
INSERT INTO processes_instance_ended (id, definition_id, code, version, next_token, business_key, organization_id,
  division_code, item_code, label, variables, started_at, started_by, ended_at, ending, reason)
SELECT id, definition_id, code, version + 1, %(next_token)s::int, business_key, organization_id, division_code, item_code, label,
       variables || %(variables)s::jsonb, started_at, started_by, %(now)s::timestamptz, %(ending)s::text, %(reason)s::text
  FROM the_instance

-- name: instance_over_at_once
-- An instance that ended in the step that started it.
INSERT INTO processes_instance_ended (id, definition_id, code, version, next_token, business_key, organization_id,
  division_code, item_code, label, variables, started_at, started_by, ended_at, ending, reason)
VALUES (%(instance)s::uuid, %(definition)s::int, %(code)s::text, 1, %(next_token)s::int, %(business_key)s::text, %(organization_id)s::uuid, %(division_code)s::text,
  %(item_code)s::text, %(label)s::text, %(variables)s::jsonb, %(now)s::timestamptz, %(by)s::uuid, %(now)s::timestamptz, %(ending)s::text, %(reason)s::text)
