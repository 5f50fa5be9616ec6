"""A change never deletes: a trigger refuses to delete or rewrite a dated fact, which may only be superseded, once; acts stay."""

from django.db import migrations

FUNCTION = """
CREATE FUNCTION legal_entities_keep_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' OR TG_TABLE_NAME = 'legal_entities_act' THEN
    RAISE EXCEPTION 'the history of legal entities is kept: % is neither deleted nor rewritten', TG_TABLE_NAME
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF OLD.superseded_at IS NOT NULL OR NEW.superseded_at IS NULL
     OR (to_jsonb(NEW) - 'superseded_at') <> (to_jsonb(OLD) - 'superseded_at') THEN
    RAISE EXCEPTION 'the history of legal entities is kept: % may only be superseded, once', TG_TABLE_NAME
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("legal_entities", "0001_initial")]

    operations = [
        migrations.RunSQL(FUNCTION, "DROP FUNCTION legal_entities_keep_history() CASCADE"),
        *(
            migrations.RunSQL(
                f"CREATE TRIGGER legal_entities_{table}_kept BEFORE UPDATE OR DELETE ON legal_entities_{table} "
                "FOR EACH ROW EXECUTE FUNCTION legal_entities_keep_history()",
                f"DROP TRIGGER legal_entities_{table}_kept ON legal_entities_{table}",
            )
            for table in ("version", "role", "act")
        ),
    ]
