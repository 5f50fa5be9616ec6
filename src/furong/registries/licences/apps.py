"""The room's Django application."""

from __future__ import annotations

from django.apps import AppConfig


class LicencesConfig(AppConfig):
    """Licences: tables on the platform's database."""

    name = "furong.registries.licences"
    label = "licences"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Licence register"

    def ready(self) -> None:
        """Make the room's events and its kinds of definitions known."""
        from . import events, kinds

        kinds.register()
        del events
