"""Uploads: a file past the limit is dropped while the rest of the page is kept, so that nothing else typed is lost."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest


class LimitHandler(FileUploadHandler):
    """Stops storing a file once it passes ``MAX_FILE_BYTES`` and remembers its field; stands before the storing handlers."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._seen = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        self._seen += len(raw_data)
        if self._seen > settings.MAX_FILE_BYTES:
            if self.request is not None:
                oversized = getattr(self.request, "_furong_oversized", None)
                if oversized is None:
                    oversized = set()
                    self.request._furong_oversized = oversized  # type: ignore[attr-defined]
                oversized.add(self.field_name)
            raise SkipFile
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None


def oversized_fields(request: HttpRequest) -> frozenset[str]:
    """Give the names of the fields whose file was dropped for its size; read the body first (``request.POST``)."""
    _ = request.POST
    return frozenset(getattr(request, "_furong_oversized", ()))
