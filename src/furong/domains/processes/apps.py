"""The room's Django application."""

from __future__ import annotations

from django.apps import AppConfig


class ProcessesConfig(AppConfig):
    name = "furong.domains.processes"
    label = "processes"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Processes"
