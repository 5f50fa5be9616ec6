"""Front-end files with their content's hash in the name, gathered once and served by the web server itself."""

from __future__ import annotations

import hashlib
from pathlib import Path


def collected_static() -> Path:
    """Gather every room's static files under ``FURONG_HOME/static`` when they changed; give that folder.

    The first time takes about a second; after that only names, sizes and times are compared.
    """
    import django
    from django.apps import apps

    if not apps.ready:
        django.setup()
    from django.conf import settings
    from django.contrib.staticfiles.finders import get_finders
    from django.core.management import call_command

    print_of_files = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            stat = Path(storage.path(path)).stat()
            print_of_files.update(f"{path} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    root = Path(settings.STATIC_ROOT)
    marker = root.parent / "static.digest"
    digest = print_of_files.hexdigest()
    if not (root.is_dir() and marker.exists() and marker.read_text() == digest):
        call_command("collectstatic", interactive=False, verbosity=0, clear=True)
        marker.write_text(digest)
    return root
