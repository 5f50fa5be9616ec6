"""Where the following page of a search begins, as it travels in a form's body: never in an address, for it holds sort keys."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import date
from uuid import UUID

from .errors import SearchTooBroad


def write_cursor(leg: int, last: tuple[str, str, str]) -> str:
    """Return the cursor after the row ``last`` (its two sort keys and its key) of a search's part ``leg``."""
    return base64.urlsafe_b64encode(json.dumps([leg, *last]).encode()).decode()


def read_cursor(text: str) -> tuple[int, tuple[str, str, str]]:
    """Return what `write_cursor` was given. Raises `SearchTooBroad` for anything else."""
    try:
        leg, first, second, last = json.loads(base64.urlsafe_b64decode(text.encode()))
        return max(0, int(leg)), (str(first), str(second), str(UUID(str(last))))
    except (ValueError, TypeError, binascii.Error) as exc:
        raise SearchTooBroad("The page asked for does not exist.") from exc


def is_day(text: str) -> bool:
    """Tell whether ``text`` is a day, as a sort key of births is."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
