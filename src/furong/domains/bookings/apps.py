"""Django's handle on the room."""

from __future__ import annotations

from django.apps import AppConfig


class BookingsConfig(AppConfig):
    """Bookings."""

    name = "furong.domains.bookings"
    label = "bookings"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Bookings"

    def ready(self) -> None:
        """Register the kind of pack content."""
        from furong.domains.bookings import kinds  # noqa: F401 - importing registers it
