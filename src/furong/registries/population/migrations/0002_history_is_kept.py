"""A correction never deletes: a trigger refuses to delete or rewrite a dated fact; it may only be superseded, once."""

from django.db import migrations

DATED = ("person_version", "identity_number", "household_member", "relation", "residence")

FUNCTION = """
CREATE FUNCTION population_keep_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'population history is kept: % may not be deleted', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF OLD.superseded_at IS NOT NULL OR NEW.superseded_at IS NULL
     OR (to_jsonb(NEW) - 'superseded_at') <> (to_jsonb(OLD) - 'superseded_at') THEN
    RAISE EXCEPTION 'population history is kept: % may only be superseded, once', TG_TABLE_NAME
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("population", "0001_initial")]

    operations = [
        migrations.RunSQL("CREATE SEQUENCE population_household_number", "DROP SEQUENCE population_household_number"),
        migrations.RunSQL(FUNCTION, "DROP FUNCTION population_keep_history() CASCADE"),
        *(
            migrations.RunSQL(
                f"CREATE TRIGGER population_{table}_kept BEFORE UPDATE OR DELETE ON population_{table} "
                "FOR EACH ROW EXECUTE FUNCTION population_keep_history()",
                f"DROP TRIGGER population_{table}_kept ON population_{table}",
            )
            for table in DATED
        ),
    ]
