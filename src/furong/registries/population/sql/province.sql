-- The province's store: a part for each centre, kept by replication, and the directory that says which part speaks for whom.

-- name: is_parted
SELECT relkind = 'p' FROM pg_class WHERE oid = to_regclass(%s)

-- name: is_filled
SELECT EXISTS (SELECT 1 FROM public.population_person) OR EXISTS (SELECT 1 FROM public.population_household)

-- name: indexes
SELECT i.relname, pg_get_indexdef(x.indexrelid) FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
 WHERE x.indrelid = to_regclass(%s) AND NOT x.indisprimary ORDER BY i.relname

-- name: directory
-- Who is in which centre, and who carries which number. Kept by triggers in the transaction that applies the row, so that no
-- reader sees nobody or two: what joins it sees one part for each person.
CREATE TABLE IF NOT EXISTS public.population_directory (
  person_id uuid PRIMARY KEY, centre text NOT NULL, version integer NOT NULL
);
CREATE TABLE IF NOT EXISTS public.population_number_directory (
  number text NOT NULL, type text NOT NULL, person_id uuid NOT NULL, PRIMARY KEY (number, type)
);
CREATE TABLE IF NOT EXISTS public.population_conflict (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, kind text NOT NULL, person_id uuid NOT NULL, other_person_id uuid NOT NULL,
  centre text NOT NULL, other_centre text NOT NULL, found_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  settled_at timestamptz, note text NOT NULL DEFAULT ''
);
ALTER TABLE public.population_conflict ADD COLUMN IF NOT EXISTS told_at timestamptz;
CREATE UNIQUE INDEX IF NOT EXISTS population_conflict_open
  ON public.population_conflict (kind, person_id, other_person_id) WHERE settled_at IS NULL;
CREATE TABLE IF NOT EXISTS public.population_centre_seen (
  centre text PRIMARY KEY, seen_at timestamptz NOT NULL, errors bigint NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS public.population_pair_watch (
  low uuid NOT NULL, high uuid NOT NULL, due_at timestamptz NOT NULL, tries integer NOT NULL DEFAULT 0, PRIMARY KEY (low, high)
);
CREATE INDEX IF NOT EXISTS population_pair_watch_due ON public.population_pair_watch (due_at);
CREATE SCHEMA IF NOT EXISTS provincial

-- name: functions
-- Called with an empty search_path by the apply workers: every name has its schema. None of them raises: what does not fit
-- becomes a row of population_conflict.
CREATE OR REPLACE FUNCTION public.population_direct_person() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE held text;
BEGIN
  IF NEW.status = 'moved' THEN
    RETURN NULL;
  END IF;
  INSERT INTO public.population_directory AS d (person_id, centre, version) VALUES (NEW.person_id, NEW.centre, NEW.version)
      ON CONFLICT (person_id) DO UPDATE SET centre = excluded.centre, version = excluded.version
      WHERE excluded.version > d.version;
  IF NOT FOUND THEN
    SELECT centre INTO held FROM public.population_directory WHERE person_id = NEW.person_id;
    IF held <> NEW.centre THEN
      INSERT INTO public.population_conflict (kind, person_id, other_person_id, centre, other_centre)
      VALUES ('two_centres', NEW.person_id, NEW.person_id, NEW.centre, held) ON CONFLICT DO NOTHING;
    END IF;
  END IF;
  RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION public.population_direct_number() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE holder uuid; one record;
BEGIN
  IF TG_OP = 'DELETE' THEN one := OLD; ELSE one := NEW; END IF;
  IF TG_OP <> 'DELETE' AND one.superseded_at IS NULL AND one.valid_until IS NULL THEN
    -- Another part speaks for the person by now: what this one still tells is how it was.
    IF EXISTS (SELECT 1 FROM public.population_directory p WHERE p.person_id = one.person_id AND p.centre <> one.centre) THEN
      RETURN NULL;
    END IF;
    INSERT INTO public.population_number_directory (number, type, person_id) VALUES (one.number, one.type, one.person_id)
        ON CONFLICT (number, type) DO NOTHING;
    IF NOT FOUND THEN
      SELECT person_id INTO holder FROM public.population_number_directory WHERE number = one.number AND type = one.type;
      IF holder <> one.person_id THEN
        INSERT INTO public.population_conflict (kind, person_id, other_person_id, centre, other_centre)
        SELECT 'number_twice', one.person_id, holder, one.centre, coalesce(d.centre, '')
          FROM (SELECT 1) x LEFT JOIN public.population_directory d ON d.person_id = holder
        ON CONFLICT DO NOTHING;
      END IF;
    END IF;
  ELSIF TG_OP <> 'INSERT' THEN
    -- A number given up is free for the one who still carries it, if there is one. The rows of a part that does not speak for the
    -- person any more, kept until they are cleared, carry nothing.
    DELETE FROM public.population_number_directory d
     WHERE d.number = one.number AND d.type = one.type AND d.person_id = one.person_id
       AND NOT EXISTS (SELECT 1 FROM public.population_identity_number n
                         JOIN public.population_directory p ON p.person_id = n.person_id AND p.centre = n.centre
                        WHERE n.number = one.number AND n.type = one.type AND n.person_id = one.person_id
                          AND n.superseded_at IS NULL AND n.valid_until IS NULL);
    IF FOUND THEN
      INSERT INTO public.population_number_directory (number, type, person_id)
      SELECT n.number, n.type, n.person_id FROM public.population_identity_number n
        JOIN public.population_directory p ON p.person_id = n.person_id AND p.centre = n.centre
       WHERE n.number = one.number AND n.type = one.type AND n.superseded_at IS NULL AND n.valid_until IS NULL LIMIT 1
      ON CONFLICT DO NOTHING;
    END IF;
  END IF;
  RETURN NULL;
END $$

-- name: follow
-- For one part of population_person or population_identity_number; {part}, {events}, {trigger}, {function}.
DROP TRIGGER IF EXISTS {trigger} ON public.{part};
CREATE TRIGGER {trigger} AFTER {events} ON public.{part} FOR EACH ROW EXECUTE FUNCTION public.{function}();
ALTER TABLE public.{part} ENABLE ALWAYS TRIGGER {trigger}

-- name: view
-- {table} as readers see it: the rows of the part that speaks for the person.
CREATE OR REPLACE VIEW provincial.{table} AS
SELECT t.* FROM public.population_directory d JOIN public.{table} t ON t.centre = d.centre AND t.person_id = d.person_id

-- name: of_person
SELECT centre FROM public.population_directory WHERE person_id = %s

-- name: of_number
SELECT person_id FROM public.population_number_directory WHERE number = %s AND type = %s

-- name: homes
SELECT centre FROM public.population_person WHERE person_id = %(person)s
 UNION SELECT centre FROM public.population_move WHERE person_id = %(person)s ORDER BY 1

-- name: is_directed
-- A later version is of the centre asked for, or of one to which the person has gone on from there since.
SELECT 1 FROM public.population_directory
 WHERE person_id = %(person)s AND (centre = %(centre)s AND version >= %(version)s OR version > %(version)s)

-- name: flush
SELECT pg_logical_emit_message(true, 'furong', '')

-- name: of_move
SELECT centre FROM public.population_move WHERE id = %s

-- name: of_household
SELECT centre FROM public.population_household WHERE household_id = %s

-- name: of_stay
SELECT centre FROM provincial.population_residence WHERE id = %s

-- name: arrived_change
SELECT 1 FROM public.population_change WHERE centre = %s AND id = %s

-- name: arrived_household
SELECT 1 FROM public.population_household WHERE centre = %s AND household_id = %s

-- name: arrived_step
SELECT 1 FROM public.population_move_step WHERE centre = %s AND id = %s

-- name: subscriptions
SELECT s.subname, s.subenabled, w.pid IS NOT NULL, w.latest_end_time,
       coalesce(st.apply_error_count, 0), coalesce(st.sync_error_count, 0),
       NOT EXISTS (SELECT 1 FROM pg_subscription_rel r WHERE r.srsubid = s.oid AND r.srsubstate <> 'r')
  FROM pg_subscription s
  LEFT JOIN pg_stat_subscription w ON w.subid = s.oid AND w.relid IS NULL
  LEFT JOIN pg_stat_subscription_stats st ON st.subid = s.oid
 WHERE s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND s.subname LIKE 'furong\_%%'
 ORDER BY s.subname

-- name: see
INSERT INTO public.population_centre_seen AS c (centre, seen_at, errors) VALUES (%s, %s, %s)
ON CONFLICT (centre) DO UPDATE SET seen_at = greatest(c.seen_at, excluded.seen_at), errors = excluded.errors

-- name: seen
SELECT centre, seen_at FROM public.population_centre_seen

-- name: counted
SELECT centre, count(*) FILTER (WHERE status = 'registered') FROM provincial.population_person GROUP BY centre ORDER BY centre

-- name: conflicts
SELECT id, kind, person_id, other_person_id, centre, other_centre, found_at FROM public.population_conflict
 WHERE settled_at IS NULL ORDER BY id LIMIT %s

-- name: tell_conflicts
UPDATE public.population_conflict SET told_at = %(now)s
 WHERE settled_at IS NULL AND told_at IS NULL AND found_at < %(before)s RETURNING id, kind

-- name: conflict
SELECT person_id, other_person_id FROM public.population_conflict WHERE id = %s AND settled_at IS NULL FOR UPDATE

-- name: settle_passed
-- What was the order of two links and no more: the person speaks from one centre, the number is one person's.
UPDATE public.population_conflict c SET settled_at = %(now)s, note = 'passed'
 WHERE c.settled_at IS NULL AND c.found_at < %(before)s
   AND CASE c.kind
       WHEN 'two_centres' THEN (SELECT count(*) FROM public.population_person p
                                 WHERE p.person_id = c.person_id AND p.status <> 'moved') < 2
       WHEN 'number_twice' THEN NOT EXISTS (
            SELECT 1 FROM provincial.population_identity_number a JOIN provincial.population_identity_number b
              ON b.number = a.number AND b.type = a.type
             WHERE a.person_id = c.person_id AND b.person_id = c.other_person_id
               AND a.superseded_at IS NULL AND a.valid_until IS NULL AND b.superseded_at IS NULL AND b.valid_until IS NULL)
       WHEN 'one_sided' THEN (SELECT count(*) FROM provincial.population_relation r
             WHERE r.superseded_at IS NULL AND r.valid_until IS NULL
               AND (r.person_id = c.person_id AND r.other_person_id = c.other_person_id
                 OR r.person_id = c.other_person_id AND r.other_person_id = c.person_id)) IN (0, 2)
       ELSE FALSE END

-- name: settle
UPDATE public.population_conflict SET settled_at = %s, note = %s WHERE id = %s AND settled_at IS NULL

-- name: watch
INSERT INTO public.population_pair_watch (low, high, due_at) VALUES (%(low)s, %(high)s, %(due)s)
ON CONFLICT (low, high) DO NOTHING

-- name: watch_on
UPDATE public.population_pair_watch SET due_at = %(due)s, tries = tries + 1 WHERE low = %(low)s AND high = %(high)s

-- name: unwatch
DELETE FROM public.population_pair_watch WHERE low = %(low)s AND high = %(high)s

-- name: due_pairs
SELECT low, high, tries FROM public.population_pair_watch WHERE due_at <= %(now)s ORDER BY due_at LIMIT %(limit)s

-- name: pairs_waiting
SELECT count(*) FROM public.population_pair_watch WHERE tries > 0

-- name: report_pair
INSERT INTO public.population_conflict (kind, person_id, other_person_id, centre, other_centre)
SELECT %(kind)s, %(low)s, %(high)s, coalesce((SELECT centre FROM public.population_directory WHERE person_id = %(low)s), ''),
       coalesce((SELECT centre FROM public.population_directory WHERE person_id = %(high)s), '')
ON CONFLICT DO NOTHING

-- name: differing
-- The topics about which the two sides of a pair do not say the same, each in its own words.
WITH said AS (
  SELECT r.person_id, r.kind, r.valid_from, r.valid_until FROM provincial.population_relation r
   WHERE r.superseded_at IS NULL AND (r.person_id = %(low)s AND r.other_person_id = %(high)s
                                   OR r.person_id = %(high)s AND r.other_person_id = %(low)s)
)
SELECT DISTINCT CASE a.kind WHEN 'spouse' THEN 'spouse' ELSE 'parent' END FROM said a
 WHERE EXISTS (SELECT 1 FROM public.population_directory d WHERE d.person_id = %(low)s)
   AND EXISTS (SELECT 1 FROM public.population_directory d WHERE d.person_id = %(high)s)
   AND NOT EXISTS (SELECT 1 FROM said b WHERE b.person_id <> a.person_id AND b.valid_from = a.valid_from
        AND b.valid_until IS NOT DISTINCT FROM a.valid_until
        AND CASE a.kind WHEN 'spouse' THEN b.kind = 'spouse' WHEN 'child' THEN b.kind IN ('mother', 'father')
            ELSE b.kind = 'child' END)

-- name: watch_one_sided
-- Facts about two people that only one of them holds, though both are in the register.
INSERT INTO public.population_pair_watch (low, high, due_at)
SELECT DISTINCT least(r.person_id, r.other_person_id), greatest(r.person_id, r.other_person_id), %(due)s::timestamptz
  FROM provincial.population_relation r
 WHERE r.superseded_at IS NULL AND r.valid_until IS NULL AND r.recorded_at < %(before)s
   AND EXISTS (SELECT 1 FROM public.population_directory d WHERE d.person_id = r.other_person_id)
   AND NOT EXISTS (SELECT 1 FROM public.population_conflict c WHERE c.kind = 'one_sided' AND c.settled_at IS NULL
        AND c.person_id = least(r.person_id, r.other_person_id)
        AND c.other_person_id = greatest(r.person_id, r.other_person_id))
   AND NOT EXISTS (SELECT 1 FROM provincial.population_relation b
        WHERE b.person_id = r.other_person_id AND b.other_person_id = r.person_id
          AND b.superseded_at IS NULL AND b.valid_until IS NULL
          AND CASE r.kind WHEN 'spouse' THEN b.kind = 'spouse' WHEN 'child' THEN b.kind IN ('mother', 'father')
              ELSE b.kind = 'child' END)
 LIMIT %(limit)s
ON CONFLICT (low, high) DO NOTHING
