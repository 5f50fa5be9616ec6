-- Published definitions: insert-only rows.

-- name: definition_by_id
-- A version by its row.
SELECT id, digest, code, version, file, process_id, xml, resources::text FROM processes_definition WHERE id = %s

-- name: definition_by_digest
-- A version by the digest of its files.
SELECT id, digest, code, version, file, process_id, xml, resources::text FROM processes_definition WHERE digest = %s

-- name: latest_definition
-- The newest version of a code.
SELECT id FROM processes_definition WHERE code = %s ORDER BY version DESC LIMIT 1

-- name: lock_code
-- Let one publisher of a code at a time number its versions.
SELECT pg_advisory_xact_lock(hashtextextended('processes_definition:' || %s::text, 0))

-- name: publish
-- A new version, numbered after the newest one of its code; nothing when the digest is there already.
INSERT INTO processes_definition (digest, code, version, name, file, process_id, xml, resources, start_messages,
  published_at, published_by)
SELECT %(digest)s, %(code)s::text, 1 + coalesce((SELECT max(version) FROM processes_definition WHERE code = %(code)s::text), 0),
       %(name)s, %(file)s, %(process_id)s, %(xml)s, %(resources)s::jsonb, %(start_messages)s::text[], %(now)s, %(by)s::uuid
ON CONFLICT (digest) DO NOTHING RETURNING id

-- name: list_definitions
-- All versions, newest first.
SELECT digest, code, version, name, file, published_at FROM processes_definition
 WHERE (%(code)s::text = '' OR code = %(code)s::text) ORDER BY code, version DESC
