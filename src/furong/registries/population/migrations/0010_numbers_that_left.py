from django.db import migrations


class Migration(migrations.Migration):
    """Numbers of people whose rows went to another city: the county of their first digits does not give them out again."""

    dependencies = [
        ("population", "0009_facts_about_two"),
    ]

    operations = [
        migrations.RunSQL(
            "CREATE TABLE population_number_gone (number text PRIMARY KEY)", "DROP TABLE population_number_gone"
        ),
    ]
