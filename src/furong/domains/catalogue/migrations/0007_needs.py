"""Needs, demands, rulings, and what sharing brought on a day."""

import django.db.models.deletion
import furong.foundation.codes.ids
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalogue', '0006_grant_reminders'),
    ]

    operations = [
        migrations.CreateModel(
            name='Escalation',
            fields=[
                ('id', models.UUIDField(default=furong.foundation.codes.ids.new_id, primary_key=True, serialize=False)),
                ('number', models.TextField(unique=True)),
                ('kind', models.TextField()),
                ('subject_id', models.UUIDField()),
                ('subject_number', models.TextField()),
                ('ground', models.TextField()),
                ('stood', models.TextField()),
                ('was_due_on', models.DateField(null=True)),
                ('organization_id', models.UUIDField()),
                ('division_code', models.TextField(default='')),
                ('provider_organization_id', models.UUIDField()),
                ('provider_division_code', models.TextField(default='')),
                ('words', models.TextField(default='')),
                ('raised_by', models.TextField(default='')),
                ('raised_at', models.DateTimeField()),
                ('due_on', models.DateField()),
                ('outcome', models.TextField(default='')),
                ('ruling', models.TextField(default='')),
                ('clause', models.TextField(default='')),
                ('supply_by', models.DateField(null=True)),
                ('by', models.TextField(default='')),
                ('ruled_at', models.DateTimeField(null=True)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('outcome', '')), fields=['due_on'], name='catalogue_ruling_open'), models.Index(fields=['subject_id', '-raised_at'], name='catalogue_ruling_of')],
                'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ['request', 'demand'])), name='catalogue_ruling_kind'), models.CheckConstraint(condition=models.Q(('ground__in', ['refused', 'late'])), name='catalogue_ruling_ground'), models.CheckConstraint(condition=models.Q(('outcome__in', ['', 'order', 'uphold', 'settled'])), name='catalogue_ruling_outcome'), models.CheckConstraint(condition=models.Q(models.Q(('outcome', 'uphold'), _negated=True), models.Q(('clause', ''), _negated=True), _connector='OR'), name='catalogue_ruling_clause'), models.CheckConstraint(condition=models.Q(models.Q(('outcome', 'order'), _negated=True), ('supply_by__isnull', False), _connector='OR'), name='catalogue_ruling_day'), models.UniqueConstraint(condition=models.Q(('outcome', '')), fields=('subject_id',), name='catalogue_ruling_one_open')],
            },
        ),
        migrations.CreateModel(
            name='Need',
            fields=[
                ('id', models.UUIDField(default=furong.foundation.codes.ids.new_id, primary_key=True, serialize=False)),
                ('number', models.TextField(unique=True)),
                ('organization_id', models.UUIDField()),
                ('division_code', models.TextField(default='')),
                ('words', models.TextField()),
                ('elements', models.JSONField(default=list)),
                ('purpose', models.TextField()),
                ('legal_basis', models.TextField(default='')),
                ('urgency', models.TextField()),
                ('people', models.PositiveIntegerField(default=0)),
                ('enterprises', models.PositiveIntegerField(default=0)),
                ('cases', models.PositiveIntegerField(default=0)),
                ('materials', models.PositiveIntegerField(default=0)),
                ('by', models.TextField()),
                ('by_account_id', models.UUIDField(null=True)),
                ('stated_at', models.DateTimeField()),
                ('closed_at', models.DateTimeField(null=True)),
                ('outcome', models.TextField(default='')),
            ],
            options={
                'indexes': [models.Index(fields=['organization_id', '-stated_at'], name='catalogue_need_mine')],
                'constraints': [models.CheckConstraint(condition=models.Q(('urgency__in', ['emergency', 'urgent', 'soon', 'ordinary'])), name='catalogue_need_urgency')],
            },
        ),
        migrations.CreateModel(
            name='Demand',
            fields=[
                ('id', models.UUIDField(default=furong.foundation.codes.ids.new_id, primary_key=True, serialize=False)),
                ('number', models.TextField(unique=True)),
                ('element', models.TextField(default='')),
                ('words', models.TextField()),
                ('organization_id', models.UUIDField()),
                ('division_code', models.TextField(default='')),
                ('provider_organization_id', models.UUIDField()),
                ('provider_division_code', models.TextField(default='')),
                ('is_unowned', models.BooleanField(default=False)),
                ('weight', models.FloatField()),
                ('state', models.TextField()),
                ('version', models.PositiveIntegerField(default=1)),
                ('filed_at', models.DateTimeField()),
                ('due_on', models.DateField(null=True)),
                ('answered_at', models.DateTimeField(null=True)),
                ('reason', models.TextField(default='')),
                ('clause', models.TextField(default='')),
                ('resource_code', models.TextField(default='')),
                ('need', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='catalogue.need')),
            ],
        ),
        migrations.CreateModel(
            name='UseDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('kind', models.TextField()),
                ('code', models.TextField(default='')),
                ('calls', models.PositiveBigIntegerField(default=0)),
                ('people', models.PositiveIntegerField(default=0)),
                ('cases', models.PositiveIntegerField(default=0)),
                ('enterprises', models.PositiveIntegerField(default=0)),
                ('materials', models.PositiveIntegerField(default=0)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('kind', 'code', 'day'), name='catalogue_use_day_once')],
            },
        ),
        migrations.CreateModel(
            name='DemandStep',
            fields=[
                ('id', models.UUIDField(default=furong.foundation.codes.ids.new_id, primary_key=True, serialize=False)),
                ('act', models.TextField()),
                ('by', models.TextField()),
                ('words', models.TextField(default='')),
                ('clause', models.TextField(default='')),
                ('day', models.DateField(null=True)),
                ('at', models.DateTimeField()),
                ('demand', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='catalogue.demand')),
            ],
            options={
                'indexes': [models.Index(fields=['demand', 'at'], name='catalogue_demand_steps')],
                'constraints': [models.CheckConstraint(condition=models.Q(('act__in', ['file', 'assign', 'supply', 'promise', 'refuse', 'withdraw', 'ask_ruling', 'escalate', 'order', 'uphold'])), name='catalogue_demand_act')],
            },
        ),
        migrations.AddIndex(
            model_name='demand',
            index=models.Index(fields=['organization_id', '-filed_at'], name='catalogue_demand_mine'),
        ),
        migrations.AddIndex(
            model_name='demand',
            index=models.Index(fields=['provider_organization_id', '-filed_at'], name='catalogue_demand_theirs'),
        ),
        migrations.AddIndex(
            model_name='demand',
            index=models.Index(condition=models.Q(('state__in', ['filed', 'promised', 'ordered'])), fields=['element'], name='catalogue_demand_backing'),
        ),
        migrations.AddIndex(
            model_name='demand',
            index=models.Index(condition=models.Q(('state__in', ['filed', 'promised', 'ordered'])), fields=['due_on'], name='catalogue_demand_due'),
        ),
        migrations.AddConstraint(
            model_name='demand',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['filed', 'promised', 'ordered', 'supplied', 'refused', 'upheld', 'withdrawn'])), name='catalogue_demand_state'),
        ),
        migrations.AddConstraint(
            model_name='demand',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ['withdrawn', 'refused', 'upheld']), _negated=True), fields=('need', 'element'), name='catalogue_demand_once'),
        ),
        migrations.RunSQL("CREATE SEQUENCE catalogue_need_number", "DROP SEQUENCE catalogue_need_number"),
        migrations.RunSQL("CREATE SEQUENCE catalogue_ruling_number", "DROP SEQUENCE catalogue_ruling_number"),
    ]
