"""The room's Django application."""

from __future__ import annotations

from django.apps import AppConfig


class LegalEntitiesConfig(AppConfig):
    """Legal entities: tables on the platform's database."""

    name = "furong.registries.legal_entities"
    label = "legal_entities"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Register of legal entities"

    def ready(self) -> None:
        """Make the room's events, rights and kinds of definitions known."""
        from . import events, kinds, rights

        kinds.register()
        del events, rights
