"""What a search reads stands in a narrow table of its own, kept in line with resources by a trigger."""

import django.db.models.deletion
import furong.domains.catalogue.models
from django.db import migrations, models

FOLLOW = """
CREATE FUNCTION catalogue_hit_follows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE catalogue_hit SET facet_id = NEW.facet_id, name_length = length(NEW.name_zh), audience = NEW.audience, live = NEW.live,
      organization_id = NEW.organization_id, division_code = NEW.division_code
   WHERE code = NEW.code;
  RETURN NULL;
END $$;
CREATE TRIGGER catalogue_hit_follows
  AFTER UPDATE OF facet_id, name_zh, audience, live, organization_id, division_code ON catalogue_resource
  FOR EACH ROW EXECUTE FUNCTION catalogue_hit_follows();
"""

UNFOLLOW = """
DROP TRIGGER catalogue_hit_follows ON catalogue_resource;
DROP FUNCTION catalogue_hit_follows();
"""

FILL = """
INSERT INTO catalogue_hit (facet_id, name_length, audience, live, organization_id, division_code, code, tokens)
SELECT facet_id, length(name_zh), audience, live, organization_id, division_code, code, tokens FROM catalogue_resource
"""

EMPTY = """
UPDATE catalogue_resource AS r SET tokens = h.tokens FROM catalogue_hit AS h WHERE h.code = r.code
"""


class Migration(migrations.Migration):

    dependencies = [
        ('catalogue', '0004_quality'),
    ]

    operations = [
        migrations.CreateModel(
            name='Hit',
            fields=[
                ('facet', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='catalogue.facet')),
                ('name_length', models.SmallIntegerField()),
                ('audience', models.SmallIntegerField()),
                ('live', models.BooleanField()),
                ('organization_id', models.UUIDField(null=True)),
                ('division_code', models.TextField()),
                ('resource', models.OneToOneField(db_column='code', on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to='catalogue.resource')),
                ('tokens', furong.domains.catalogue.models.Tokens()),
                ('blanks', models.TextField(db_default=models.Value(' ' * 2000))),
            ],
            options={
                'db_table': 'catalogue_hit',
            },
        ),
        # Words lie out of line, so that a reading of very many hits passes over narrow rows only.
        migrations.RunSQL(
            "ALTER TABLE catalogue_hit SET (toast_tuple_target = 128)",
            migrations.RunSQL.noop,
        ),
        migrations.RunSQL(
            [f"ALTER TABLE catalogue_hit ALTER COLUMN {column} SET STORAGE PLAIN" for column in ("division_code", "code")],
            migrations.RunSQL.noop,
        ),
        migrations.RunSQL(FILL, EMPTY),
        # What waits to be merged is read by every search, so little may wait.
        migrations.RunSQL(
            "CREATE INDEX catalogue_hit_tokens ON catalogue_hit USING gin (tokens) WITH (gin_pending_list_limit = 256)",
            "DROP INDEX catalogue_hit_tokens",
        ),
        migrations.AddIndex(
            model_name='hit',
            index=models.Index(fields=['name_length', 'resource'], name='catalogue_hit_shortest'),
        ),
        migrations.RunSQL(FOLLOW, UNFOLLOW),
        migrations.RunSQL(
            "DROP INDEX catalogue_resource_tokens",
            "CREATE INDEX catalogue_resource_tokens ON catalogue_resource USING gin (tokens)",
        ),
        migrations.RemoveField(model_name='resource', name='tokens'),
    ]
