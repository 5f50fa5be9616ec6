-- What administrators look through: instances, where they stand, and what could not go on. Pages are found by key.

-- name: open_of_definitions
-- Open instances of definitions, the newest first.
SELECT i.id, i.definition_id, i.business_key, i.organization_id, i.division_code, i.item_code, i.label, i.started_at,
       NULL::timestamptz, CASE WHEN i.state <> 'running' THEN i.state
         WHEN EXISTS (SELECT 1 FROM processes_job j WHERE j.instance_id = i.id AND j.state = 'incident') THEN 'stuck'
         ELSE 'running' END,
       '', (SELECT array_agg(k.element_id) FROM (SELECT DISTINCT k.element_id FROM processes_token k
                                                  WHERE k.instance_id = i.id ORDER BY 1 LIMIT 4) AS k)
  FROM processes_instance i
 WHERE {where} AND {scope} ORDER BY i.id DESC LIMIT %s

-- name: ended_of_definitions
-- Instances of definitions that are over, the latest first.
SELECT i.id, i.definition_id, i.business_key, i.organization_id, i.division_code, i.item_code, i.label, i.started_at,
       i.ended_at, i.ending, i.reason, NULL::text[]
  FROM processes_instance_ended i
 WHERE {where} AND {scope} ORDER BY i.ended_at DESC, i.id DESC LIMIT %s

-- name: instance_state
-- How an open instance stands, and where.
SELECT i.state, i.definition_id, i.item_code, i.label, i.started_by FROM processes_instance i WHERE i.id = %s

-- name: tokens
-- Where the tokens of an instance stand, with the task, timer or incident that is there.
SELECT k.number, k.element_id, t.id, t.title, t.department, t.organization_id, t.claimed_by, t.created_at, t.due_at,
       (SELECT min(m.due_at) FROM processes_timer m WHERE m.instance_id = k.instance_id AND m.token = k.number AND NOT m.escalates),
       (SELECT min(s.message) FROM processes_subscription s WHERE s.instance_id = k.instance_id AND s.token = k.number),
       j.id, j.state
  FROM processes_token k
  LEFT JOIN processes_task t ON t.instance_id = k.instance_id AND t.token = k.number
  LEFT JOIN processes_job j ON j.instance_id = k.instance_id AND j.token = k.number
 WHERE k.instance_id = %s ORDER BY k.number

-- name: log_page
-- A page of an instance's log, oldest first.
SELECT id, at, kind, element_id, arrived_by, token, by FROM processes_log WHERE instance_id = %s AND id > %s ORDER BY id LIMIT %s

-- name: log_tail
-- The end of an instance's log, latest first.
SELECT id, at, kind, element_id, arrived_by, token, by FROM processes_log WHERE instance_id = %s ORDER BY id DESC LIMIT %s

-- name: incident_columns
-- An incident with whose it is; a message that was thrown may outlive its instance.
j.id, j.instance_id, coalesce(i.business_key, e.business_key, ''), coalesce(i.code, e.code, ''), j.element_id, j.kind, j.reason,
j.detail, j.attempts, j.created_at

-- name: incident_owners
-- The instance of an incident, running or over.
processes_job j
  LEFT JOIN processes_instance i ON i.id = j.instance_id
  LEFT JOIN LATERAL (
    SELECT n.business_key, n.code, n.organization_id, n.division_code, n.definition_id FROM processes_instance_ended n
     WHERE i.id IS NULL AND n.id = j.instance_id LIMIT 1
  ) AS e ON TRUE

-- name: incidents
-- Incidents, the oldest first.
SELECT {incident_columns} FROM {incident_owners}
 WHERE j.state = 'incident' AND {where} AND {scope} ORDER BY j.created_at, j.id LIMIT %s

-- name: causes
-- Incidents by what caused them, the most first.
SELECT coalesce(i.code, e.code, ''), j.element_id, j.kind, j.reason, j.detail, count(*), min(j.created_at), max(j.created_at),
       count(DISTINCT j.instance_id), max(coalesce(i.definition_id, e.definition_id))
  FROM {incident_owners}
 WHERE j.state = 'incident' AND {scope}
 GROUP BY 1, 2, 3, 4, 5 ORDER BY 6 DESC, 7 LIMIT %s

-- name: definitions_page
-- Published versions after a key, by code, the newest first.
SELECT digest, code, version, name, file, published_at FROM processes_definition
 WHERE (%(code)s::text = '' OR code = %(code)s::text)
   AND (%(after_code)s::text = '' OR (code, -version) > (%(after_code)s::text, -%(after_version)s::int))
 ORDER BY code, -version LIMIT %(limit)s

-- name: ask_once
-- Note a request under its key; nothing when it is known. Waits for another that is just being answered.
INSERT INTO processes_request (account_id, key, digest, at) VALUES (%(account)s, %(key)s, %(digest)s, %(now)s)
ON CONFLICT (account_id, key) DO NOTHING RETURNING 1

-- name: asked_before
-- What a request was answered.
SELECT digest, instance_id FROM processes_request WHERE account_id = %(account)s AND key = %(key)s

-- name: answered
-- Keep what a request was answered.
UPDATE processes_request SET instance_id = %(instance)s WHERE account_id = %(account)s AND key = %(key)s

-- name: forget_requests
-- Throw away requests that nobody repeats any more.
DELETE FROM processes_request WHERE at < %s

-- name: owner_of_instance
-- Whose an instance is.
SELECT organization_id, division_code FROM processes_instance WHERE id = %(id)s
UNION ALL
SELECT organization_id, division_code FROM processes_instance_ended WHERE id = %(id)s LIMIT 1
