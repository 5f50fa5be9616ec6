"""A failpoint: the process that answers a submission ends, as by `kill -9`, at the point that a file names.

``before`` the command, ``inside`` its transaction (the cases are written, nothing is committed), or once it has ``committed`` and
before the answer leaves. The file is removed first, so that the process that comes after it serves.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponseBase


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _die_after_the_cases(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
    result = execute(sql, params, many, context)
    if 'INSERT INTO "cases_case"' in sql:
        _die()
    return result


class Failpoint:
    """Stands last, next to the view, when a page that hands in is sent."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.file = Path(settings.HOME) / "failpoint"

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.method != "POST" or not request.path.endswith("/check") or not self.file.exists():
            return self.get_response(request)
        point = self.file.read_text()
        self.file.unlink()
        if point == "before":
            _die()
        if point == "inside":
            with connection.execute_wrapper(_die_after_the_cases):
                return self.get_response(request)
        response = self.get_response(request)
        _die()
        return response
