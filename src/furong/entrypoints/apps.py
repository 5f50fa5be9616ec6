from django.apps import AppConfig


class EntrypointsConfig(AppConfig):
    name = "furong.entrypoints"
    label = "entrypoints"

    def ready(self) -> None:
        from furong.entrypoints.wiring import wire

        wire()
