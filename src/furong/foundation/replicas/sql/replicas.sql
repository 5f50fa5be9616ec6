-- name: columns
SELECT table_name, column_name, data_type FROM information_schema.columns
 WHERE table_schema = 'public' AND table_name = ANY(%s)

-- name: published
SELECT 1 FROM pg_publication WHERE pubname = %s

-- name: publish
-- {name}, {whole}, {own}, {column}, {city}. The row filter stands on a column of the key, as updates and deletions need.
CREATE PUBLICATION {name} FOR TABLE {whole}, TABLE {own} WHERE ({column} = {city})

-- name: republish
ALTER PUBLICATION {name} SET TABLE {whole}, TABLE {own} WHERE ({column} = {city})

-- name: subscribed
SELECT subconninfo, subenabled FROM pg_subscription WHERE subname = %s
   AND subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())

-- name: guard
-- What replication writes passes (its session is a replica's); everybody else is refused.
CREATE OR REPLACE FUNCTION public.replicas_are_read_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is a copy of the platform''s and is changed there', TG_TABLE_NAME
    USING ERRCODE = 'read_only_sql_transaction';
END $$

-- name: guard_table
CREATE OR REPLACE TRIGGER replicas_read_only BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table}
  FOR EACH STATEMENT EXECUTE FUNCTION public.replicas_are_read_only()

-- name: as_replication
-- For emptying tables before they are copied anew; a superuser's setting, as making a subscription is.
SET LOCAL session_replication_role = replica

-- name: empty
TRUNCATE {tables} CASCADE

-- name: make_slot
SELECT pg_create_logical_replication_slot(%s, 'pgoutput')
 WHERE NOT EXISTS (SELECT 1 FROM pg_replication_slots WHERE slot_name = %s)

-- name: drop_slot
SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = %s AND NOT active

-- name: copied
SELECT count(*) FROM pg_subscription s JOIN pg_subscription_rel r ON r.srsubid = s.oid
 WHERE s.subname = %s AND s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND r.srsubstate <> 'r'

-- name: beat
INSERT INTO replicas_beat AS b (id, at) VALUES (1, %(now)s)
ON CONFLICT (id) DO UPDATE SET at = greatest(b.at, excluded.at)

-- name: heard
SELECT at FROM replicas_beat WHERE id = 1
