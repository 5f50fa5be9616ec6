-- What is due: timers, jobs and messages. Scans go over indexed rows and take no locks; whoever loads the instance first wins.

-- name: due_timers
-- Timers whose time has come, oldest first.
SELECT t.id FROM processes_timer t JOIN processes_instance i ON i.id = t.instance_id
 WHERE t.due_at <= %s AND i.state = 'running' ORDER BY t.due_at LIMIT %s

-- name: postpone_timer
-- Try a timer that failed again later.
UPDATE processes_timer SET due_at = %s WHERE id = %s

-- name: due_jobs
-- Jobs whose time has come: new ones, retries, and those whose worker vanished.
SELECT j.id FROM processes_job j LEFT JOIN processes_instance i ON i.id = j.instance_id
 WHERE j.run_at <= %s AND j.state <> 'incident' AND i.state IS DISTINCT FROM 'suspended' ORDER BY j.run_at LIMIT %s

-- name: claim_job
-- Take a job for as long as a handler may take; nobody else gets it before that time is over.
UPDATE processes_job j SET state = 'running', attempts = j.attempts + 1, run_at = %(until)s::timestamptz
  FROM processes_job k LEFT JOIN processes_instance i ON i.id = k.instance_id
 WHERE j.id = %(id)s AND k.id = j.id AND j.state <> 'incident' AND j.run_at <= %(now)s::timestamptz
   AND i.state IS DISTINCT FROM 'suspended'
RETURNING j.kind, j.token, j.element_id, j.payload::text, j.attempts, j.message, j.correlation, j.instance_id,
          i.definition_id, i.business_key, i.organization_id, i.division_code, i.variables::text

-- name: retry_job_later
-- Give a job back for a later try.
UPDATE processes_job SET state = 'due', run_at = %(run_at)s::timestamptz, reason = %(reason)s, detail = %(detail)s
 WHERE id = %(id)s AND state = 'running'

-- name: job_is_incident
-- Stop trying: an administrator decides.
UPDATE processes_job SET state = 'incident', reason = %(reason)s, detail = %(detail)s
 WHERE id = %(id)s AND state <> 'incident' RETURNING instance_id

-- name: lock_job
-- One job or incident, locked, with whose it is.
SELECT j.kind, j.state, j.token, j.instance_id, i.organization_id, i.division_code, i.business_key, i.code
  FROM processes_job j LEFT JOIN processes_instance i ON i.id = j.instance_id WHERE j.id = %s FOR UPDATE OF j

-- name: job_due_again
-- Let a job start afresh.
UPDATE processes_job SET state = 'due', attempts = 0, run_at = %s WHERE id = %s

-- name: drop_job
-- A job that is over and whose token needs no more of it.
DELETE FROM processes_job WHERE id = %s RETURNING id

-- name: subscriptions
-- Who waits for a message with this key, oldest first.
SELECT id FROM processes_subscription WHERE correlation = %s AND message = %s ORDER BY created_at, id LIMIT 10

-- name: start_by_message
-- The newest versions of processes that a message of this name starts.
SELECT d.id FROM processes_definition d
 WHERE %s = ANY (d.start_messages)
   AND NOT EXISTS (SELECT 1 FROM processes_definition n WHERE n.code = d.code AND n.version > d.version)
 ORDER BY d.code LIMIT 2

-- name: due_start_timers
-- Processes that their start event's time starts now; each locked by one worker.
SELECT id, definition_id, element_id, due_at, repeats FROM processes_start_timer
 WHERE due_at <= %s ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED

-- name: start_timer_again
-- When a process starts next.
UPDATE processes_start_timer SET due_at = %s, repeats = %s WHERE id = %s

-- name: drop_start_timer
-- A process that its start event starts no more.
DELETE FROM processes_start_timer WHERE id = %s

-- name: drop_start_timers
-- The times of older versions of a process.
DELETE FROM processes_start_timer WHERE code = %s

-- name: add_start_timer
-- When a version of a process starts first.
INSERT INTO processes_start_timer (id, code, definition_id, element_id, due_at, repeats) VALUES (%s, %s, %s, %s, %s, %s)
