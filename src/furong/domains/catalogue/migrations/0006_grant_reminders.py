"""Which end of a grant was announced."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalogue', '0005_hits'),
    ]

    operations = [
        migrations.AddField(
            model_name='grant',
            name='reminded_days',
            field=models.PositiveSmallIntegerField(null=True),
        ),
    ]
