"""What is over, by year; what was published, for good; and room on a page for rows that each step updates."""

from django.db import migrations

YEARS = range(2026, 2037)
PARTITIONED = {
    "processes_instance_ended": "ended_at",
    "processes_task_closed": "closed_at",
    "processes_log": "at",
}

TABLES = """
CREATE TABLE processes_instance_ended (
  id uuid NOT NULL,
  definition_id integer NOT NULL,
  code varchar(100) NOT NULL,
  version integer NOT NULL,
  next_token integer NOT NULL,
  business_key text NOT NULL,
  organization_id uuid,
  division_code varchar(12) NOT NULL,
  item_code varchar(40) NOT NULL,
  label text NOT NULL,
  variables jsonb NOT NULL,
  started_at timestamptz NOT NULL,
  started_by uuid,
  ended_at timestamptz NOT NULL,
  ending varchar(10) NOT NULL,
  reason text NOT NULL,
  PRIMARY KEY (id, ended_at)
) PARTITION BY RANGE (ended_at);
CREATE INDEX processes_instance_ended_key ON processes_instance_ended (business_key);

CREATE TABLE processes_task_closed (
  LIKE processes_task,
  closed_at timestamptz NOT NULL,
  closed_by uuid,
  ending varchar(10) NOT NULL,
  outcome text NOT NULL,
  PRIMARY KEY (id, closed_at)
) PARTITION BY RANGE (closed_at);
CREATE INDEX processes_task_closed_key ON processes_task_closed (business_key);

CREATE SEQUENCE processes_log_id_seq AS bigint;
CREATE TABLE processes_log (
  id bigint NOT NULL DEFAULT nextval('processes_log_id_seq'),
  at timestamptz NOT NULL,
  instance_id uuid NOT NULL,
  definition_id integer NOT NULL,
  kind smallint NOT NULL,
  element_id text NOT NULL,
  arrived_by text NOT NULL,
  token integer NOT NULL,
  by uuid
) PARTITION BY RANGE (at);
CREATE INDEX processes_log_instance ON processes_log (instance_id);
CREATE INDEX processes_log_at ON processes_log USING brin (at);
"""

RULES = """
ALTER TABLE processes_instance SET (fillfactor = 70);
ALTER TABLE processes_token SET (fillfactor = 80);
-- Rows come and go all day; lists that are answered from an index alone need the table vacuumed often.
ALTER TABLE processes_task SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.02,
  autovacuum_analyze_scale_factor = 0.05);
ALTER TABLE processes_instance ADD CONSTRAINT processes_instance_state CHECK (state IN ('running', 'suspended'));
ALTER TABLE processes_task ADD CONSTRAINT processes_task_state
  CHECK (state IN ('open', 'claimed') AND (state = 'claimed') = (claimed_by IS NOT NULL));
ALTER TABLE processes_job ADD CONSTRAINT processes_job_state CHECK (state IN ('due', 'running', 'incident'));
CREATE UNIQUE INDEX processes_job_one ON processes_job (instance_id, token) WHERE token IS NOT NULL;

CREATE FUNCTION processes_definition_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a published process is immutable; publish a new version'
    USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER processes_definition_kept BEFORE UPDATE OR DELETE ON processes_definition
  FOR EACH ROW EXECUTE FUNCTION processes_definition_kept();
CREATE FUNCTION processes_log_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the event log of processes is append-only' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER processes_log_kept BEFORE UPDATE ON processes_log
  FOR EACH ROW EXECUTE FUNCTION processes_log_kept();
"""

UNDO = """
DROP TABLE processes_log, processes_task_closed, processes_instance_ended;
DROP SEQUENCE processes_log_id_seq;
DROP TRIGGER processes_definition_kept ON processes_definition;
DROP FUNCTION processes_definition_kept(), processes_log_kept();
ALTER TABLE processes_instance DROP CONSTRAINT processes_instance_state;
ALTER TABLE processes_task DROP CONSTRAINT processes_task_state;
ALTER TABLE processes_job DROP CONSTRAINT processes_job_state;
DROP INDEX processes_job_one;
"""


def _partitions() -> str:
    lines = []
    for table in PARTITIONED:
        lines += [
            f"CREATE TABLE {table}_{year} PARTITION OF {table} "
            f"FOR VALUES FROM ('{year}-01-01 00:00+00') TO ('{year + 1}-01-01 00:00+00');"
            for year in YEARS
        ]
        lines.append(f"CREATE TABLE {table}_rest PARTITION OF {table} DEFAULT;")
    return "\n".join(lines)


class Migration(migrations.Migration):
    dependencies = [("processes", "0001_initial")]
    operations = [migrations.RunSQL(TABLES + _partitions() + RULES, UNDO)]
