"""Log lines as JSON, one a line, without personal data.

A line names the request, the route and the fact. Exceptions are logged by class, code and the places in the code they passed,
never by their text: a database error quotes the values it met. Arguments of other libraries' messages are left out for the same
reason.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import re
import traceback
from types import TracebackType
from typing import Any

from furong.foundation.web.requests import request_id

_EXTRAS = (
    "method",
    "route",
    "status",
    "ms",
    "cpu_ms",
    "code",
    "queue",
    "job",
    "count",
    "seconds",
    "database",
    "event",
    "element",
)
# The net under the rule: anything shaped like an identity number, a phone number or a mail address.
_PERSONAL = re.compile(
    r"(?<!\d)\d{17}[\dXx](?!\d)|(?<!\d)\d{15}(?!\d)|(?<!\d)1[3-9]\d{9}(?!\d)|[\w.+-]+@[\w-]+\.\w[\w.]*"
)


def mask(text: str) -> str:
    """Replace what looks like a person's number, phone or address by ``[…]``."""
    return _PERSONAL.sub("[…]", text)


class JsonFormatter(logging.Formatter):
    """Writes one JSON object a record."""

    def format(self, record: logging.LogRecord) -> str:
        ours = record.name.startswith("furong")
        told = record.getMessage() if ours else str(record.msg)
        line: dict[str, Any] = {
            "at": dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": mask(told),
        }
        if identifier := request_id():
            line["request"] = identifier
        for name in _EXTRAS:
            if (value := getattr(record, name, None)) is not None:
                line[name] = value if isinstance(value, int | float | bool) else mask(str(value))
        if record.exc_info and record.exc_info[1] is not None:
            line["exception"] = _chain(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False)


def _chain(error: BaseException | None) -> list[dict[str, Any]]:
    links: list[dict[str, Any]] = []
    while error is not None and len(links) < 8:
        link: dict[str, Any] = {"class": f"{type(error).__module__}.{type(error).__qualname__}"}
        if code := getattr(error, "code", None) or getattr(error, "sqlstate", None):
            link["code"] = str(code)
        link["places"] = _places(error.__traceback__)
        links.append(link)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return links


def _places(tb: TracebackType | None) -> list[str]:
    frames = traceback.extract_tb(tb)[-12:]
    return [f"{frame.filename.rpartition('site-packages/')[2]}:{frame.lineno} {frame.name}" for frame in frames]
