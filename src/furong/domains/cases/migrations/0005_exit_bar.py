import furong.foundation.codes.ids
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('cases', '0004_awaited_facts'),
    ]

    operations = [
        migrations.CreateModel(
            name='ExitBar',
            fields=[
                ('id', models.UUIDField(default=furong.foundation.codes.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('person_id', models.UUIDField(db_index=True)),
                ('ground', models.CharField(max_length=40)),
                ('authority', models.JSONField()),
                ('from_on', models.DateField()),
                ('until_on', models.DateField(null=True)),
            ],
            options={
                'db_table': 'cases_twin_exit_bar',
            },
        ),
    ]
