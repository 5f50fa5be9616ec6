-- Work lists, tasks and instances: plain SQL over indexed rows.

-- name: closed_task_exists
-- Whether a task was ever closed.
SELECT 1 FROM processes_task_closed WHERE id = %s LIMIT 1

-- name: open_columns
-- An open task as `Task` has it.
t.id, t.instance_id, t.element_id, t.kind, t.title, t.department, t.organization_id, t.division_code, t.right_code,
t.item_code, t.business_key, t.label, t.outcomes, t.priority, t.claimed_by, t.claimed_at, t.created_at, t.due_at,
t.yellow_at, t.escalated_at

-- name: get_open_task
-- One open task.
SELECT {open_columns} FROM processes_task t WHERE t.id = %s

-- name: get_closed_task
-- One task that is over.
SELECT {open_columns}, t.closed_at, t.closed_by, t.ending, t.outcome FROM processes_task_closed t WHERE t.id = %s LIMIT 1

-- name: open_tasks_of_key
-- The open tasks of a business key.
SELECT {open_columns} FROM processes_task t WHERE t.business_key = %s ORDER BY t.created_at, t.id

-- name: closed_tasks_of_key
-- The closed tasks of a business key.
SELECT {open_columns}, t.closed_at, t.closed_by, t.ending, t.outcome
  FROM processes_task_closed t WHERE t.business_key = %s ORDER BY t.created_at, t.id

-- name: lock_task
-- One open task, locked with its instance in the order in which a step locks them.
SELECT t.claimed_by, t.organization_id, t.division_code, t.right_code, t.instance_id, t.business_key
  FROM processes_task t JOIN processes_instance i ON i.id = t.instance_id WHERE t.id = %s FOR UPDATE OF i, t

-- name: claim
-- Put a task into (or take it out of) somebody's hands, with a note. The instance's version grows too, so that a step that was
-- read before and is written after is made again.
WITH taken AS (
  UPDATE processes_task SET state = %(state)s, claimed_by = %(owner)s::uuid, claimed_at = %(claimed_at)s::timestamptz
   WHERE id = %(id)s RETURNING instance_id
), marked AS (
  UPDATE processes_instance SET version = version + 1 WHERE id = (SELECT instance_id FROM taken)
)
INSERT INTO processes_task_note (task_id, at, verb, by, "to", reason)
VALUES (%(id)s, %(now)s::timestamptz, %(verb)s, %(by)s::uuid, %(owner)s::uuid, %(reason)s)

-- name: escalate
-- Mark the task of a token that nobody answered, raise its priority, and take its timer away.
WITH gone AS (DELETE FROM processes_timer WHERE id = %(timer)s),
marked AS (
  UPDATE processes_task SET escalated_at = %(now)s::timestamptz, priority = least(priority + 10, 100)
   WHERE instance_id = (SELECT instance_id FROM processes_timer WHERE id = %(timer)s) AND token = %(token)s::int
  RETURNING id, instance_id, business_key, element_id, kind, organization_id, division_code
), noted AS (
  INSERT INTO processes_task_note (task_id, at, verb, reason)
  SELECT id, %(now)s::timestamptz, 'escalated', '' FROM marked
)
SELECT m.*, i.code FROM marked m JOIN processes_instance i ON i.id = m.instance_id

-- name: notes_of_task
-- What happened to a task.
SELECT at, verb, by, "to", reason FROM processes_task_note WHERE task_id = %s ORDER BY id

-- name: running_instance
-- An instance that runs.
SELECT i.id, i.code, d.version, d.digest, i.business_key, i.organization_id, i.division_code, i.variables::text, i.started_at,
       NULL::timestamptz, '', i.version, i.definition_id
  FROM processes_instance i JOIN processes_definition d ON d.id = i.definition_id WHERE i.id = %s

-- name: ended_instance
-- An instance that is over.
SELECT i.id, i.code, d.version, d.digest, i.business_key, i.organization_id, i.division_code, i.variables::text, i.started_at,
       i.ended_at, i.ending, i.version, i.definition_id
  FROM processes_instance_ended i JOIN processes_definition d ON d.id = i.definition_id WHERE i.id = %s

-- name: instances_of_key
-- The instances of a business key, running ones and those that are over.
SELECT id, started_at FROM processes_instance WHERE business_key = %(key)s::text
UNION ALL
SELECT id, started_at FROM processes_instance_ended WHERE business_key = %(key)s::text
ORDER BY started_at, id

-- name: log_of_instance
-- The event log of an instance.
SELECT at, kind, element_id, arrived_by, token, by FROM processes_log WHERE instance_id = %s ORDER BY id

-- name: late_elements
-- The elements of an instance that are past their deadline or stuck.
SELECT t.element_id, 'late' FROM processes_task t WHERE t.instance_id = %(id)s AND t.due_at <= %(now)s
UNION ALL
SELECT j.element_id, 'stuck' FROM processes_job j WHERE j.instance_id = %(id)s AND j.state = 'incident'

-- name: change_deadline
-- Move a task's deadline, with a note.
WITH moved AS (
  UPDATE processes_task SET due_at = %(due_at)s::timestamptz, yellow_at = %(yellow_at)s::timestamptz,
         rank_at = coalesce(%(due_at)s::timestamptz, '9999-12-31 00:00+00')
   WHERE id = %(id)s RETURNING id
)
INSERT INTO processes_task_note (task_id, at, verb, by, reason)
SELECT id, %(now)s::timestamptz, 'deadline', %(by)s::uuid, %(reason)s FROM moved RETURNING task_id

-- name: count_running
-- How many instances of each version run.
SELECT d.digest, count(*) FROM processes_instance i JOIN processes_definition d ON d.id = i.definition_id
 WHERE (cardinality(%s::text[]) = 0 OR d.code = ANY (%s::text[])) AND {scope} GROUP BY d.digest

-- name: count_at_elements
-- Where the running instances of a version stand.
SELECT t.element_id, count(DISTINCT i.id)
  FROM processes_instance i
  JOIN processes_definition d ON d.id = i.definition_id
  JOIN processes_token t ON t.instance_id = i.id
 WHERE d.digest = %s AND {scope} GROUP BY t.element_id
