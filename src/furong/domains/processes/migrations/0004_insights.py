"""Figures of what processes did, a row for each day and place; indexes for lists of instances; keys of repeated requests."""

from django.db import migrations

TABLES = """
-- Which days of the event log are measured; a day that is not final is measured again.
CREATE TABLE processes_measured (
  day date PRIMARY KEY,
  measured_at timestamptz NOT NULL,
  lines bigint NOT NULL,
  position bigint NOT NULL,
  took_ms integer NOT NULL,
  final boolean NOT NULL
);

-- One figure: how often (n) and for how long (seconds, their sum) something happened on a day at a place.
-- reach says how wide the place is: 0 everywhere, 1 a city (four digits), 2 an organization in a division.
CREATE TABLE processes_measure (
  definition_id integer NOT NULL,
  day date NOT NULL,
  reach smallint NOT NULL,
  organization_id uuid,
  division_code varchar(12) NOT NULL,
  kind smallint NOT NULL,
  element_id text NOT NULL,
  ending smallint NOT NULL,
  bucket smallint NOT NULL,
  n integer NOT NULL,
  seconds double precision NOT NULL,
  CHECK (reach IN (0, 1, 2) AND n > 0)
);
CREATE INDEX processes_measure_definition ON processes_measure (definition_id, reach, kind, day);
CREATE INDEX processes_measure_organization ON processes_measure (organization_id, kind, definition_id, day) WHERE reach = 2;
CREATE INDEX processes_measure_division ON processes_measure (definition_id, kind, division_code, day) WHERE reach = 2;
CREATE INDEX processes_measure_day ON processes_measure (day);

CREATE INDEX processes_instance_definition ON processes_instance (definition_id, id);
CREATE INDEX processes_instance_ended_definition ON processes_instance_ended (definition_id, ended_at, id);
CREATE INDEX processes_task_closed_at ON processes_task_closed USING brin (closed_at);

-- What a program asked for under a key of its own, so that asking again does it once.
CREATE TABLE processes_request (
  account_id uuid NOT NULL,
  key varchar(200) NOT NULL,
  digest char(64) NOT NULL,
  instance_id uuid,
  at timestamptz NOT NULL,
  PRIMARY KEY (account_id, key)
);
CREATE INDEX processes_request_at ON processes_request USING brin (at);
"""
UNDO = """
DROP TABLE processes_request, processes_measure, processes_measured;
DROP INDEX processes_instance_definition, processes_instance_ended_definition, processes_task_closed_at;
"""


class Migration(migrations.Migration):
    dependencies = [("processes", "0003_scopes")]
    operations = [migrations.RunSQL(TABLES, UNDO)]
