from __future__ import annotations

from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "furong.foundation.jobs"
    label = "jobs"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from furong.foundation.jobs import logs

        logs.strip_arguments()
