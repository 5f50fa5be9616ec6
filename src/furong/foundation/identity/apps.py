"""Django's view of the room."""

from __future__ import annotations

from django.apps import AppConfig


class IdentityConfig(AppConfig):
    """Accounts, sessions and mandates."""

    name = "furong.foundation.identity"
    label = "identity"
    verbose_name = "identity"
    default_auto_field = "django.db.models.BigAutoField"
