import furong.foundation.codes.ids
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Booking',
            fields=[
                ('id', models.UUIDField(default=furong.foundation.codes.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('book_code', models.CharField(max_length=80)),
                ('item_code', models.CharField(max_length=80)),
                ('organization_id', models.UUIDField()),
                ('division_code', models.CharField(max_length=12)),
                ('starts_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField()),
                ('seat', models.PositiveSmallIntegerField()),
                ('capacity', models.PositiveSmallIntegerField()),
                ('state', models.CharField(choices=[('held', 'held'), ('booked', 'booked'), ('attended', 'attended'), ('missed', 'missed'), ('lapsed', 'lapsed'), ('moved', 'moved'), ('cancelled', 'cancelled')], max_length=12)),
                ('draft_id', models.UUIDField(null=True)),
                ('account_id', models.UUIDField()),
                ('application_id', models.UUIDField(null=True)),
                ('case_id', models.UUIDField(null=True)),
                ('made_at', models.DateTimeField()),
                ('held_until', models.DateTimeField(null=True)),
                ('booked_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
            ],
            options={
                'db_table': 'bookings_booking',
                'indexes': [models.Index(fields=['organization_id', 'starts_at'], name='bookings_of_office'), models.Index(fields=['application_id'], name='bookings_of_application'), models.Index(condition=models.Q(('state', 'held')), fields=['held_until'], name='bookings_held'), models.Index(condition=models.Q(('state', 'held')), fields=['account_id'], name='bookings_held_by')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('state__in', ['held', 'booked', 'attended', 'missed'])), fields=('organization_id', 'book_code', 'starts_at', 'seat'), name='bookings_place_once'), models.CheckConstraint(condition=models.Q(('seat__gte', 1), ('seat__lte', models.F('capacity'))), name='bookings_within_capacity'), models.UniqueConstraint(condition=models.Q(('state', 'held')), fields=('draft_id', 'item_code'), name='bookings_one_held_a_draft'), models.UniqueConstraint(condition=models.Q(('state', 'booked')), fields=('case_id',), name='bookings_one_a_case'), models.CheckConstraint(condition=models.Q(('state__in', ['held', 'booked', 'attended', 'missed', 'lapsed', 'moved', 'cancelled'])), name='bookings_state_known'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'held'), _negated=True), ('held_until__isnull', False), _connector='OR'), name='bookings_held_until'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'booked'), _negated=True), ('case_id__isnull', False), _connector='OR'), name='bookings_booked_for')],
            },
        ),
    ]
