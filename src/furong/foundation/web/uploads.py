"""Uploads: a file past the limit is dropped while the rest of the page is kept, so that nothing else typed is lost."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest

_LARGER: dict[str, int] = {}


def allow_larger(*, path: str, limit_bytes: int) -> None:
    """Let files of a page that is made for them be larger than ``MAX_FILE_BYTES``; the whole request still has its own limit."""
    _LARGER[path] = limit_bytes


class LimitHandler(FileUploadHandler):
    """Stops storing a file once it passes ``MAX_FILE_BYTES`` and remembers its field; stands before the storing handlers."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._seen = 0
        path = "" if self.request is None else self.request.path
        self._most = _LARGER.get(path, settings.MAX_FILE_BYTES)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        self._seen += len(raw_data)
        if self._seen > self._most:
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
