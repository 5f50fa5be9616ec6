-- A centre's database: its rows say whose they are, and are published.

-- name: own
-- One for each table; {table}, {code}. Nothing is rewritten: a constant default is kept in the catalogue.
ALTER TABLE public.{table} ADD COLUMN IF NOT EXISTS centre text NOT NULL DEFAULT {code} CHECK (centre = {code})

-- name: identify
-- A deletion names the whole row, for the province finds the part by its centre; an index more on each table would cost every load.
ALTER TABLE public.{table} REPLICA IDENTITY FULL

-- name: published
SELECT c.relname FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid JOIN pg_class c ON c.oid = r.prrelid
 WHERE p.pubname = 'furong_register'

-- name: slot
SELECT slot_name, active, wal_status, coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), 0)::bigint,
       coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn), 0)::bigint, safe_wal_size
  FROM pg_replication_slots WHERE slot_name = %s

-- name: make_slot
SELECT pg_create_logical_replication_slot(%s, 'pgoutput')
 WHERE NOT EXISTS (SELECT 1 FROM pg_replication_slots WHERE slot_name = %s)

-- name: drop_slot
SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = %s

-- name: columns
SELECT table_name, column_name, data_type FROM information_schema.columns
 WHERE table_schema = 'public' AND table_name = ANY(%s)
