from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "furong.foundation.web"
    label = "web"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from furong.foundation.web import messages

        messages.compile_if_changed()
