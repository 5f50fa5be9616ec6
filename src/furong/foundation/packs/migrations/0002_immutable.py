from django.db import migrations

# Definitions and releases are what running cases are pinned to: rows are added and never changed.
GUARD = """
CREATE FUNCTION pack_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'rows of % are never changed', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER pack_definition_immutable BEFORE UPDATE OR DELETE ON pack_definition
  FOR EACH ROW EXECUTE FUNCTION pack_refuse_change();
CREATE TRIGGER pack_release_immutable BEFORE UPDATE OR DELETE ON pack_release
  FOR EACH ROW EXECUTE FUNCTION pack_refuse_change();
"""
UNGUARD = """
DROP TRIGGER pack_definition_immutable ON pack_definition;
DROP TRIGGER pack_release_immutable ON pack_release;
DROP FUNCTION pack_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("packs", "0001_initial")]
    operations = [migrations.RunSQL(GUARD, UNGUARD)]
