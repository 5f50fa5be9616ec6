"""The WSGI application, for granian or any other server: ``furong.entrypoints.wsgi:application``."""

from __future__ import annotations

import os

from furong.entrypoints.lifeline import die_with_parent

# Before anything slow: a master killed with -9 would leave this worker serving.
die_with_parent()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "furong.entrypoints.settings")

from django.core.wsgi import get_wsgi_application  # noqa: E402

application = get_wsgi_application()
