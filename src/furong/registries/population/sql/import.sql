-- One batch of an import: rows that passed the checks of `bulk.checking`, against the register. All in one transaction.

-- name: make_incoming
CREATE TEMPORARY TABLE population_incoming (
  line bigint, number text, name text, former_name text, name_pinyin text, name_plain text, name_initials text, sex text,
  ethnicity text, born_on date, marital text, native_division_code text, division_code text, address text, household text,
  relation text, registered_on date, person_id uuid, version_id uuid, number_id uuid, member_id uuid, residence_id uuid,
  household_id uuid
) ON COMMIT DROP

-- name: known
-- Those who stand in the register just so are through; the file may have been imported before, or in part.
WITH gone AS (
  DELETE FROM population_incoming i USING population_identity_number n, population_person p
   WHERE n.number = i.number AND n.type = '111' AND n.superseded_at IS NULL AND p.person_id = n.person_id
     AND p.name = i.name AND p.born_on = i.born_on
  RETURNING i.line
)
SELECT count(DISTINCT line) FROM gone

-- name: taken
-- A number is given out once for ever.
DELETE FROM population_incoming i USING population_identity_number n WHERE n.number = i.number
RETURNING i.line, 'number_of_another'

-- name: closed
DELETE FROM population_incoming i USING population_household h WHERE h.number = i.household AND h.closed_on IS NOT NULL
RETURNING i.line, 'household_closed'

-- name: heads
-- A household has one head: in the register or in the file. What lacks it is left out whole.
WITH led AS (
  SELECT i.household, count(*) FILTER (WHERE i.relation = '02')
         + (SELECT count(*) FROM population_household h JOIN population_household_member m ON m.household_id = h.household_id
             WHERE h.number = i.household AND m.relation = '02' AND m.superseded_at IS NULL AND m.valid_until IS NULL) AS heads
    FROM population_incoming i GROUP BY i.household
)
DELETE FROM population_incoming i USING led WHERE led.household = i.household AND led.heads <> 1
RETURNING i.line, CASE WHEN led.heads = 0 THEN 'household_without_head' ELSE 'household_of_many_heads' END

-- name: open_households
INSERT INTO population_household (household_id, number, kind, division_code, address, opened_on, closed_on)
SELECT DISTINCT ON (i.household) i.household_id, i.household, 'family', i.division_code, i.address, i.registered_on, NULL::date
  FROM population_incoming i
 WHERE NOT EXISTS (SELECT 1 FROM population_household h WHERE h.number = i.household)
 ORDER BY i.household, i.relation <> '02', i.registered_on

-- name: join_households
-- Who joins a household that stands joins it where it stands.
UPDATE population_incoming i SET household_id = h.household_id, division_code = h.division_code, address = h.address
  FROM population_household h WHERE h.number = i.household

-- name: persons
INSERT INTO population_person (person_id, name, former_name, name_pinyin, name_plain, name_initials, sex, ethnicity, born_on,
  born_at, born_division_code, born_place, native_division_code, marital, status, died_on, missing_since, division_code,
  household_id, version, recorded_at)
SELECT person_id, name, former_name, name_pinyin, name_plain, name_initials, sex, ethnicity, born_on, NULL, '', '',
       native_division_code, marital, 'registered', NULL, NULL, division_code, household_id, 1, %(now)s
  FROM population_incoming

-- name: versions
INSERT INTO population_person_version (id, valid_from, valid_until, recorded_at, superseded_at, change_id, person_id, kind, facts)
SELECT version_id, born_on, NULL, %(now)s, NULL, %(change)s, person_id, 'import',
       jsonb_build_object('name', name, 'former_name', former_name, 'sex', sex, 'ethnicity', ethnicity, 'born_on', born_on,
         'born_at', NULL, 'born_division_code', '', 'born_place', '', 'native_division_code', native_division_code,
         'marital', marital, 'status', 'registered', 'died_on', NULL, 'missing_since', NULL)
  FROM population_incoming

-- name: numbers
INSERT INTO population_identity_number (id, valid_from, valid_until, recorded_at, superseded_at, change_id, person_id, type, number)
SELECT number_id, born_on, NULL, %(now)s, NULL, %(change)s, person_id, '111', number FROM population_incoming

-- name: members
INSERT INTO population_household_member (id, valid_from, valid_until, recorded_at, superseded_at, change_id, household_id,
  person_id, relation)
SELECT member_id, registered_on, NULL, %(now)s, NULL, %(change)s, household_id, person_id, relation FROM population_incoming

-- name: residences
INSERT INTO population_residence (id, valid_from, valid_until, recorded_at, superseded_at, change_id, person_id, kind,
  division_code, address, reason)
SELECT residence_id, registered_on, NULL, %(now)s, NULL, %(change)s, person_id, 'permanent', division_code, address, 'import'
  FROM population_incoming

-- name: counted
-- How many people the server's plans reckon with.
SELECT reltuples FROM pg_class WHERE oid = 'population_person'::regclass
