-- Work lists and tasks: plain SQL over indexed rows.

-- name: closed_task_exists
-- Whether a task was ever closed.
SELECT 1 FROM processes_task_closed WHERE id = %s LIMIT 1
