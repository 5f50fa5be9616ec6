"""Django's view of the room."""

from __future__ import annotations

from django.apps import AppConfig


class OrganizationsConfig(AppConfig):
    """Divisions, organisations, posts and appointments."""

    name = "furong.foundation.organizations"
    label = "organizations"
    verbose_name = "organizations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Make the room's kinds of pack content known."""
        from furong.foundation.organizations.importing import register_kinds

        register_kinds()
