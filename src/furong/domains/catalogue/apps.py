from django.apps import AppConfig


class CatalogueConfig(AppConfig):
    name = "furong.domains.catalogue"
    label = "catalogue"

    def ready(self) -> None:
        from furong.domains.catalogue import kinds  # noqa: F401 - registers the kind
