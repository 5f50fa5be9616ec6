"""The WSGI application, for granian or any other server: ``furong.entrypoints.wsgi:application``."""

from __future__ import annotations

import os
import signal

from furong.entrypoints.lifeline import MASTER, die_with_parent

# Before anything slow: a master killed with -9 would leave this worker serving. It waits for a word of the master's that never
# comes, so nothing less than SIGKILL ends it; what it had not acknowledged is sent again.
die_with_parent(signal.SIGKILL, parent=int(os.environ[MASTER]) if MASTER in os.environ else None)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "furong.entrypoints.settings")

from django.core.wsgi import get_wsgi_application  # noqa: E402

application = get_wsgi_application()
