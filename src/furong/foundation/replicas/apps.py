"""Django's view of the room."""

from __future__ import annotations

from django.apps import AppConfig


class ReplicasConfig(AppConfig):
    """Copies of the platform's tables at counters."""

    name = "furong.foundation.replicas"
    label = "replicas"
    default_auto_field = "django.db.models.BigAutoField"
