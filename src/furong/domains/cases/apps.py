"""Django's handle on the room."""

from __future__ import annotations

from django.apps import AppConfig


class CasesConfig(AppConfig):
    """Cases."""

    name = "furong.domains.cases"
    label = "cases"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Cases"

    def ready(self) -> None:
        """Register the kinds of pack content and the jobs."""
        from furong.domains.cases import kinds, open_rows, tasks  # noqa: F401 - importing registers them

        open_rows.register()
