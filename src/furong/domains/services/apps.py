from django.apps import AppConfig


class ServicesConfig(AppConfig):
    name = "furong.domains.services"
    label = "services"

    def ready(self) -> None:
        from furong.domains.services import kinds, open_rows  # noqa: F401 - registers the kinds

        open_rows.register()
