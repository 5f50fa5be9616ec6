from django.apps import AppConfig


class CatalogueConfig(AppConfig):
    name = "furong.domains.catalogue"
    label = "catalogue"

    def ready(self) -> None:
        from furong.domains.catalogue import data_files, kinds, sight  # noqa: F401 - registers the kinds and rights
