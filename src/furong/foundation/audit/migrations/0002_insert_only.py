"""The log is insert-only, for the owner too.

A superuser can still switch the triggers off; the signed Merkle log is what finds that out. Details and subjects may be erased where the law demands it, inside `audit.erase_details`,
which says so in the log; they are never updated.
"""

from __future__ import annotations

from django.db import migrations

INSERT_ONLY = ("audit_log", "audit_entry", "audit_leaf", "audit_node", "audit_head")
ERASABLE = ("audit_detail", "audit_subject")

CREATE = """
ALTER TABLE audit_entry ALTER COLUMN xid SET DEFAULT pg_current_xact_id()::text::bigint;
CREATE SEQUENCE audit_entry_seq OWNED BY audit_entry.seq CACHE 1;
ALTER TABLE audit_entry ALTER COLUMN seq SET DEFAULT nextval('audit_entry_seq');
ALTER TABLE audit_entry ADD CONSTRAINT audit_entry_kind CHECK (kind IN ('command', 'read'));
ALTER TABLE audit_entry ADD CONSTRAINT audit_entry_outcome CHECK (outcome IN ('done', 'refused'));
CREATE UNIQUE INDEX audit_log_one ON audit_log ((true));

CREATE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is insert-only: % on % is refused', tg_op, tg_table_name USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE FUNCTION audit_refuse_but_erasure() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF tg_op = 'DELETE' AND coalesce(current_setting('furong.audit_erasure', true), '') = 'on' THEN
        RETURN old;
    END IF;
    RAISE EXCEPTION 'the audit log is insert-only: % on % is refused', tg_op, tg_table_name USING ERRCODE = 'insufficient_privilege';
END $$;
"""

TRIGGERS = """
CREATE TRIGGER {table}_rows BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {function}();
CREATE TRIGGER {table}_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
"""


def _forward() -> str:
    text = CREATE
    for table in INSERT_ONLY:
        text += TRIGGERS.format(table=table, function="audit_refuse_change")
    for table in ERASABLE:
        text += TRIGGERS.format(table=table, function="audit_refuse_but_erasure")
    return text


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]
    operations = [migrations.RunSQL(_forward(), migrations.RunSQL.noop)]
