from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("objections", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="objection",
            name="reading",
            field=models.JSONField(null=True),
        ),
    ]
