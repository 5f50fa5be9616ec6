"""Django's handle on the room."""

from __future__ import annotations

from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    """Payments."""

    name = "furong.domains.payments"
    label = "payments"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Payments"

    def ready(self) -> None:
        """Register the texts of what people are told, and the jobs."""
        from furong.domains.payments import tasks, telling  # noqa: F401 - importing registers them
