"""Django's handle on the room."""

from __future__ import annotations

from django.apps import AppConfig


class ObjectionsConfig(AppConfig):
    name = "furong.domains.objections"
    label = "objections"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Objections"

    def ready(self) -> None:
        """Register the texts of what people are told."""
        from furong.domains.objections import telling  # noqa: F401 - importing registers them
