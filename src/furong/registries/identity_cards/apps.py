"""The room's Django application."""

from __future__ import annotations

from django.apps import AppConfig


class IdentityCardsConfig(AppConfig):
    """Identity cards: tables on the platform's database."""

    name = "furong.registries.identity_cards"
    label = "identity_cards"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Register of identity cards"

    def ready(self) -> None:
        """Make the room's events, rights and jobs known."""
        from . import events, rights, tasks  # noqa: F401 - registered by importing
