"""The register of legal entities tells who represents an enterprise; the demo's own list of them goes."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("identity", "0003_counter_accounts")]

    operations = [migrations.DeleteModel(name="EnterpriseRecord")]
