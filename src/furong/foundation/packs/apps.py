from django.apps import AppConfig


class PacksConfig(AppConfig):
    name = "furong.foundation.packs"
    label = "packs"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from furong.foundation.packs import holidays

        holidays.register()
