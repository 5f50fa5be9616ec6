"""Style sheets, scripts, fonts and pictures under names that hold their hash, so that browsers keep them for a year.

The launcher gathers them in the home folder when they changed; a server in front (nginx, or granian's own static mount) serves
that folder at ``/static/``. Where none does, `serve` answers from Django.
"""

from __future__ import annotations

import mimetypes
import re
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from django.http import FileResponse, Http404, HttpRequest
from django.utils._os import safe_join

_FOREVER = "public, max-age=31536000, immutable"
_HASHED = re.compile(r"\.[0-9a-f]{12}\.[a-z0-9]+$")

mimetypes.add_type("font/woff2", ".woff2")


class HashedStorage(ManifestStaticFilesStorage):
    """Django's storage, with plain names until they were gathered, and vendored files left as they came."""

    manifest_strict = False
    # Only style sheets name other files here; a vendored script's source map is not shipped.
    patterns = (("*.css", (r"""(?P<matched>url\(['"]{0,1}\s*(?P<url>.*?)["']{0,1}\))""",)),)

    def stored_name(self, name: str) -> str:
        if not self.hashed_files:
            return name
        return str(super().stored_name(name))


def serve(request: HttpRequest, path: str) -> Any:
    """Answer with the static file at ``path``: a collected one for ever, a source file for this visit."""
    found: str | None = None
    hashed = bool(_HASHED.search(path))
    if hashed:
        candidate = Path(safe_join(settings.STATIC_ROOT, path))
        found = str(candidate) if candidate.is_file() else None
    found = found or finders.find(path)
    if not found:
        raise Http404
    media_type = mimetypes.guess_type(path)[0] or "application/octet-stream"
    response = FileResponse(Path(found).open("rb"), content_type=media_type)  # noqa: SIM115 - the response closes it
    response["Cache-Control"] = _FOREVER if hashed else "no-cache"
    return response
