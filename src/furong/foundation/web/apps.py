from types import ModuleType

from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "furong.foundation.web"
    label = "web"
    default_auto_field = "django.db.models.BigAutoField"

    def __init__(self, app_name: str, app_module: ModuleType | None) -> None:
        super().__init__(app_name, app_module)
        from furong.foundation.web import messages

        # Here and not in ready(): Django keeps the first catalogue it reads, and another room may translate in its ready().
        messages.compile_if_changed()

    def ready(self) -> None:
        from furong.foundation.web import kinds  # noqa: F401 - registers the kind
