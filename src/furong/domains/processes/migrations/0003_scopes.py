"""What runs inside an activity, timers that fire again, and processes that a time starts."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('processes', '0002_history_by_year'),
    ]

    operations = [
        migrations.AddField(
            model_name='instance',
            name='scoped',
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name='timer',
            name='repeats',
            field=models.IntegerField(db_default=0, default=0, null=True),
        ),
        migrations.CreateModel(
            name='Scope',
            fields=[
                ('pk', models.CompositePrimaryKey('instance_id', 'number', blank=True, editable=False, primary_key=True, serialize=False)),
                ('number', models.IntegerField()),
                ('parent', models.IntegerField()),
                ('path', django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), size=None)),
                ('element_id', models.TextField()),
                ('kind', models.SmallIntegerField()),
                ('host', models.IntegerField()),
                ('done', models.BooleanField()),
                ('data', models.JSONField()),
                ('variables', models.JSONField(null=True)),
                ('instance', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='processes.instance')),
            ],
            options={
                'db_table': 'processes_scope',
            },
        ),
        migrations.CreateModel(
            name='StartTimer',
            fields=[
                ('id', models.UUIDField(primary_key=True, serialize=False)),
                ('code', models.CharField(max_length=100)),
                ('definition_id', models.IntegerField()),
                ('element_id', models.TextField()),
                ('due_at', models.DateTimeField()),
                ('repeats', models.IntegerField(null=True)),
            ],
            options={
                'db_table': 'processes_start_timer',
                'indexes': [models.Index(fields=['due_at'], name='processes_start_timer_due'), models.Index(fields=['code'], name='processes_start_timer_code')],
            },
        ),
    ]
