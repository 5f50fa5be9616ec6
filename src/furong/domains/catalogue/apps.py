from django.apps import AppConfig


class CatalogueConfig(AppConfig):
    name = "furong.domains.catalogue"
    label = "catalogue"

    def ready(self) -> None:
        from furong.domains.catalogue import data_files, kinds, own_rows, sight  # noqa: F401 - registers kinds and rights
        from furong.domains.catalogue.harvest import tasks  # noqa: F401 - registers the job
        from furong.domains.catalogue.needs import telling  # noqa: F401 - registers what people are told

        own_rows.register()
