from __future__ import annotations

from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "furong.foundation.audit"
    label = "audit"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from furong.foundation.audit import secrecy  # noqa: F401 - registers the right that packs give to posts
