"""Django's handle on the room."""

from __future__ import annotations

from django.apps import AppConfig


class SearchConfig(AppConfig):
    name = "furong.domains.search"
    label = "search"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Search"

    def ready(self) -> None:
        """Register what packs say of words."""
        from furong.domains.search import kinds  # noqa: F401 - importing registers it
