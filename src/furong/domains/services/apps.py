from django.apps import AppConfig


class ServicesConfig(AppConfig):
    name = "furong.domains.services"
    label = "services"

    def ready(self) -> None:
        from furong.domains.services import kinds  # noqa: F401 - registers the kinds
