-- What an administrator does to running instances: suspend, move, migrate.

-- name: lock_instance
-- One running instance, locked, with whose it is.
SELECT organization_id, division_code, business_key, definition_id, state FROM processes_instance WHERE id = %s FOR UPDATE

-- name: suspend_or_resume
-- Hold an instance or let it go on.
UPDATE processes_instance SET state = %(state)s, version = version + 1 WHERE id = %(id)s

-- name: instances_of_version
-- Running instances of a version within a scope, oldest first.
SELECT i.id FROM processes_instance i JOIN processes_definition d ON d.id = i.definition_id
 WHERE d.digest = %s AND {scope} AND i.id > %s ORDER BY i.id LIMIT %s

-- name: waits_of_instance
-- The timers and subscriptions of an instance.
SELECT id, token, element_id, 'timer', '', escalates FROM processes_timer WHERE instance_id = %(id)s
UNION ALL
SELECT id, token, element_id, 'message', message, false FROM processes_subscription WHERE instance_id = %(id)s

-- name: migrate_instance
-- Pin an instance to another version.
UPDATE processes_instance SET definition_id = %(definition)s, version = version + 1 WHERE id = %(id)s

-- name: migrate_tokens
-- Where the tokens stand in it.
UPDATE processes_token k SET element_id = m.element, arrived_by = m.arrived_by
  FROM json_to_recordset(%(rows)s::json) AS m (number int, element text, arrived_by text)
 WHERE k.instance_id = %(id)s AND k.number = m.number

-- name: migrate_scopes
-- What the scopes are inside of in it.
UPDATE processes_scope s SET element_id = m.element
  FROM json_to_recordset(%(rows)s::json) AS m (number int, element text)
 WHERE s.instance_id = %(id)s AND s.number = m.number

-- name: migrate_tasks
-- Open tasks keep who has them and until when; their element and title are those of the new version.
UPDATE processes_task t SET element_id = m.element, title = m.title
  FROM json_to_recordset(%(rows)s::json) AS m (number int, element text, title text)
 WHERE t.instance_id = %(id)s AND t.token = m.number

-- name: migrate_jobs
-- Work for a worker stays under its effect id.
UPDATE processes_job j SET element_id = m.element
  FROM json_to_recordset(%(rows)s::json) AS m (number int, element text)
 WHERE j.instance_id = %(id)s AND j.token = m.number

-- name: migrate_timer
-- A timer keeps its time.
UPDATE processes_timer SET element_id = %s WHERE id = %s

-- name: migrate_subscription
-- A message is waited for by another element.
UPDATE processes_subscription SET element_id = %s WHERE id = %s

-- name: drop_timer
-- A timer that the new version does not have.
DELETE FROM processes_timer WHERE id = %s

-- name: drop_subscription
-- A message that the new version does not wait for.
DELETE FROM processes_subscription WHERE id = %s

-- name: add_timer
-- A timer that only the new version has.
INSERT INTO processes_timer (id, instance_id, token, element_id, due_at, escalates, repeats) VALUES (%s, %s, %s, %s, %s, %s, %s)

-- name: add_subscription
-- A message that only the new version waits for.
INSERT INTO processes_subscription (id, instance_id, token, element_id, message, correlation, created_at)
VALUES (%s, %s, %s, %s, %s, %s, %s)

-- name: log_moves
-- The event log says that the tokens were taken to another version.
INSERT INTO processes_log (at, instance_id, definition_id, kind, element_id, arrived_by, token, by)
SELECT %(now)s::timestamptz, %(id)s::uuid, %(definition)s::int, 9, m.element, '', m.number, %(by)s::uuid
  FROM json_to_recordset(%(rows)s::json) AS m (number int, element text)
