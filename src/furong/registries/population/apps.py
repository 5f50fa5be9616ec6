"""The room's Django application."""

from __future__ import annotations

from django.apps import AppConfig


class PopulationConfig(AppConfig):
    """Population: tables in the database of the same alias."""

    name = "furong.registries.population"
    label = "population"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Population register"

    def ready(self) -> None:
        """Make the room's events known to the dispatcher."""
        from . import events  # noqa: F401 - registered by importing
