"""The room's Django application."""

from __future__ import annotations

from django.apps import AppConfig


class PortraitsConfig(AppConfig):
    """Portraits: records on the platform's database, bytes in the object store."""

    name = "furong.registries.portraits"
    label = "portraits"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Portrait register"

    def ready(self) -> None:
        """Make the room's events and rights known."""
        from . import events, rights  # noqa: F401 - registered by importing
