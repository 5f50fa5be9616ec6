import django.db.models.deletion
import furong.foundation.codes.ids
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Counter',
            fields=[
                ('key', models.CharField(max_length=120, primary_key=True, serialize=False)),
                ('value', models.BigIntegerField()),
            ],
            options={
                'db_table': 'payments_counter',
            },
        ),
        migrations.CreateModel(
            name='TwinOrder',
            fields=[
                ('ref', models.CharField(max_length=60, primary_key=True, serialize=False)),
                ('amount_fen', models.BigIntegerField()),
                ('paid_at', models.DateTimeField(null=True)),
                ('paid_on', models.DateField(null=True)),
                ('closed_at', models.DateTimeField(null=True)),
            ],
            options={
                'db_table': 'payments_twin_order',
            },
        ),
        migrations.CreateModel(
            name='ComparedDay',
            fields=[
                ('id', models.UUIDField(default=furong.foundation.codes.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('provider', models.CharField(max_length=40)),
                ('on', models.DateField()),
                ('compared_at', models.DateTimeField()),
                ('orders', models.PositiveIntegerField()),
                ('ours_fen', models.BigIntegerField()),
                ('theirs_fen', models.BigIntegerField()),
            ],
            options={
                'db_table': 'payments_day',
                'constraints': [models.UniqueConstraint(fields=('provider', 'on'), name='payments_day_once')],
            },
        ),
        migrations.CreateModel(
            name='Heard',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('provider', models.CharField(max_length=40)),
                ('nonce', models.CharField(max_length=100)),
                ('event_id', models.CharField(max_length=100)),
                ('heard_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'payments_heard',
                'indexes': [models.Index(fields=['provider', 'event_id'], name='payments_heard_event')],
                'constraints': [models.UniqueConstraint(fields=('provider', 'nonce'), name='payments_told_once')],
            },
        ),
        migrations.CreateModel(
            name='Notice',
            fields=[
                ('id', models.UUIDField(default=furong.foundation.codes.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('effect_id', models.UUIDField(unique=True)),
                ('number', models.CharField(max_length=60)),
                ('case_id', models.UUIDField(db_index=True)),
                ('application_id', models.UUIDField(db_index=True)),
                ('case_number', models.CharField(max_length=44)),
                ('item_name', models.JSONField()),
                ('organization_id', models.UUIDField()),
                ('division_code', models.CharField(max_length=12)),
                ('payer_account_id', models.UUIDField(null=True)),
                ('payer_person_id', models.UUIDField(null=True)),
                ('lines', models.JSONField()),
                ('amount_fen', models.BigIntegerField()),
                ('state', models.CharField(choices=[('requested', 'requested'), ('paid', 'paid'), ('expired', 'expired'), ('cancelled', 'cancelled')], max_length=12)),
                ('requested_at', models.DateTimeField()),
                ('due_on', models.DateField()),
                ('remind_on', models.DateField(null=True)),
                ('reminded_at', models.DateTimeField(null=True)),
                ('closed_at', models.DateTimeField(null=True)),
                ('receipt_number', models.CharField(blank=True, default='', max_length=60)),
                ('receipt_on', models.DateField(null=True)),
                ('receipt_digest', models.CharField(blank=True, default='', max_length=80)),
            ],
            options={
                'db_table': 'payments_notice',
                'indexes': [models.Index(condition=models.Q(('state', 'requested')), fields=['due_on'], name='payments_notice_due')],
                'constraints': [models.UniqueConstraint(fields=('organization_id', 'number'), name='payments_notice_number'), models.UniqueConstraint(condition=models.Q(('receipt_number', ''), _negated=True), fields=('organization_id', 'receipt_number'), name='payments_receipt_number'), models.UniqueConstraint(condition=models.Q(('state', 'requested')), fields=('case_id',), name='payments_one_open_a_case'), models.CheckConstraint(condition=models.Q(('amount_fen__gt', 0)), name='payments_amount'), models.CheckConstraint(condition=models.Q(('state__in', ['requested', 'paid', 'expired', 'cancelled'])), name='payments_notice_state')],
            },
        ),
        migrations.CreateModel(
            name='Order',
            fields=[
                ('ref', models.CharField(max_length=60, primary_key=True, serialize=False)),
                ('provider', models.CharField(max_length=40)),
                ('provider_ref', models.CharField(blank=True, default='', max_length=100)),
                ('amount_fen', models.BigIntegerField()),
                ('refunded_fen', models.BigIntegerField(default=0)),
                ('state', models.CharField(choices=[('started', 'started'), ('paid', 'paid'), ('surplus', 'surplus'), ('abandoned', 'abandoned')], max_length=12)),
                ('started_at', models.DateTimeField()),
                ('paid_at', models.DateTimeField(null=True)),
                ('paid_on', models.DateField(null=True)),
                ('notice', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='orders', to='payments.notice')),
            ],
            options={
                'db_table': 'payments_order',
            },
        ),
        migrations.CreateModel(
            name='Refund',
            fields=[
                ('id', models.UUIDField(default=furong.foundation.codes.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('amount_fen', models.BigIntegerField()),
                ('reason', models.TextField()),
                ('state', models.CharField(choices=[('requested', 'requested'), ('done', 'done')], max_length=12)),
                ('requested_at', models.DateTimeField()),
                ('requested_by', models.UUIDField(null=True)),
                ('approved_by', models.UUIDField(null=True)),
                ('approved_at', models.DateTimeField(null=True)),
                ('done_at', models.DateTimeField(null=True)),
                ('done_on', models.DateField(null=True)),
                ('order', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='refunds', to='payments.order')),
            ],
            options={
                'db_table': 'payments_refund',
            },
        ),
        migrations.CreateModel(
            name='TwinRefund',
            fields=[
                ('ref', models.CharField(max_length=60, primary_key=True, serialize=False)),
                ('amount_fen', models.BigIntegerField()),
                ('on', models.DateField()),
                ('order', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='refunds', to='payments.twinorder')),
            ],
            options={
                'db_table': 'payments_twin_refund',
            },
        ),
        migrations.CreateModel(
            name='DayDifference',
            fields=[
                ('id', models.UUIDField(default=furong.foundation.codes.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('missing_here', 'missing_here'), ('missing_there', 'missing_there'), ('amount', 'amount'), ('refund_here', 'refund_here'), ('refund_there', 'refund_there')], max_length=20)),
                ('order_ref', models.CharField(max_length=60)),
                ('ours_fen', models.BigIntegerField()),
                ('theirs_fen', models.BigIntegerField()),
                ('settled_at', models.DateTimeField(null=True)),
                ('settled_by', models.UUIDField(null=True)),
                ('words', models.TextField(blank=True, default='')),
                ('day', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='differences', to='payments.comparedday')),
            ],
            options={
                'db_table': 'payments_difference',
                'indexes': [models.Index(condition=models.Q(('settled_at', None)), fields=['day'], name='payments_to_settle')],
                'constraints': [models.UniqueConstraint(fields=('day', 'order_ref', 'kind'), name='payments_difference_once')],
            },
        ),
        migrations.AddIndex(
            model_name='order',
            index=models.Index(fields=['provider', 'paid_on'], name='payments_order_paid'),
        ),
        migrations.AddConstraint(
            model_name='order',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'paid')), fields=('notice',), name='payments_paid_once'),
        ),
        migrations.AddConstraint(
            model_name='order',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'started')), fields=('notice',), name='payments_one_try_open'),
        ),
        migrations.AddConstraint(
            model_name='order',
            constraint=models.CheckConstraint(condition=models.Q(('refunded_fen__gte', 0), ('refunded_fen__lte', models.F('amount_fen'))), name='payments_refund_within'),
        ),
        migrations.AddConstraint(
            model_name='order',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['started', 'paid', 'surplus', 'abandoned'])), name='payments_order_state'),
        ),
        migrations.AddConstraint(
            model_name='refund',
            constraint=models.CheckConstraint(condition=models.Q(('amount_fen__gt', 0)), name='payments_refund_amount'),
        ),
        migrations.AddConstraint(
            model_name='refund',
            constraint=models.CheckConstraint(condition=models.Q(('requested_by', None), ('approved_by', None), models.Q(('requested_by', models.F('approved_by')), _negated=True), _connector='OR'), name='payments_refund_by_two'),
        ),
        migrations.AddConstraint(
            model_name='refund',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['requested', 'done'])), name='payments_refund_state'),
        ),
    ]
