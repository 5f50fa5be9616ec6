"""The outbox is numbered by the database: the order in which events were written (not that of their commits)."""

from __future__ import annotations

from django.db import migrations

SQL = """
CREATE SEQUENCE events_outbox_seq OWNED BY events_outbox.seq;
ALTER TABLE events_outbox ALTER COLUMN seq SET DEFAULT nextval('events_outbox_seq');
"""


class Migration(migrations.Migration):
    dependencies = [("events", "0001_initial")]
    operations = [migrations.RunSQL(SQL, migrations.RunSQL.noop)]
