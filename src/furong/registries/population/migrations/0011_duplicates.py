import django.db.models.deletion
import furong.foundation.codes.ids
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('population', '0010_numbers_that_left'),
    ]

    operations = [
        migrations.CreateModel(
            name='Duplicate',
            fields=[
                ('id', models.UUIDField(default=furong.foundation.codes.ids.new_id, primary_key=True, serialize=False)),
                ('first_person_id', models.UUIDField()),
                ('second_person_id', models.UUIDField(db_index=True)),
                ('first_division', models.TextField(default='')),
                ('second_division', models.TextField(default='')),
                ('probability', models.FloatField()),
                ('likeness', models.JSONField(default=dict)),
                ('state', models.TextField(default='open')),
                ('found_at', models.DateTimeField()),
                ('stands_as_person_id', models.UUIDField(null=True)),
                ('household_id', models.UUIDField(null=True)),
                ('effect_id', models.UUIDField(null=True)),
                ('change_id', models.UUIDField(null=True)),
                ('merged_at', models.DateTimeField(null=True)),
                ('decided_at', models.DateTimeField(null=True)),
                ('asked_by', models.UUIDField(null=True)),
            ],
            options={
                'db_table': 'population_duplicate',
                'indexes': [models.Index(fields=['state', '-probability'], name='population_duplicate_desk')],
                'constraints': [models.UniqueConstraint(fields=('first_person_id', 'second_person_id'), name='population_duplicate_once'), models.CheckConstraint(condition=models.Q(('first_person_id__lt', models.F('second_person_id'))), name='population_duplicate_order')],
            },
        ),
        migrations.CreateModel(
            name='DuplicateSearch',
            fields=[
                ('id', models.UUIDField(default=furong.foundation.codes.ids.new_id, primary_key=True, serialize=False)),
                ('state', models.TextField(default='waiting')),
                ('asked_at', models.DateTimeField()),
                ('finished_at', models.DateTimeField(null=True)),
                ('people', models.BigIntegerField(default=0)),
                ('pairs', models.BigIntegerField(default=0)),
            ],
            options={
                'db_table': 'population_duplicate_search',
                'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'waiting')), fields=('state',), name='population_duplicate_one_search')],
            },
        ),
        migrations.CreateModel(
            name='DuplicateStep',
            fields=[
                ('id', models.UUIDField(default=furong.foundation.codes.ids.new_id, primary_key=True, serialize=False)),
                ('step', models.TextField()),
                ('at', models.DateTimeField()),
                ('account_id', models.UUIDField(null=True)),
                ('post_label', models.TextField(default='')),
                ('organization_label', models.TextField(default='')),
                ('reason', models.TextField(default='')),
                ('change_id', models.UUIDField(null=True)),
                ('detail', models.JSONField(default=dict)),
                ('duplicate', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='population.duplicate')),
            ],
            options={
                'db_table': 'population_duplicate_step',
            },
        ),
    ]
