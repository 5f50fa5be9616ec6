from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("exchange", "0003_handovers")]

    operations = [
        migrations.AddField(
            model_name="key",
            name="handover",
            field=models.JSONField(null=True),
        ),
    ]
