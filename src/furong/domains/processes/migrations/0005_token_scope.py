"""An index on tokens by scope: a step of one of many runs reads only what lies around it."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('processes', '0004_insights'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='token',
            index=models.Index(fields=['instance', 'scope'], name='processes_token_scope'),
        ),
    ]
