"""Where the following page of a search begins, as it travels in a form's body: never in an address, for it holds a sort key."""

from __future__ import annotations

import base64
import binascii
import json
from uuid import UUID

from .errors import SearchTooBroad


def write_cursor(key: str, person_id: UUID) -> str:
    """This function will return the cursor after the person with this sort key."""
    return base64.urlsafe_b64encode(json.dumps([key, str(person_id)]).encode()).decode()


def read_cursor(text: str) -> tuple[str, UUID]:
    """This function will return what `write_cursor` was given. Raises `SearchTooBroad` for anything else."""
    try:
        key, last = json.loads(base64.urlsafe_b64decode(text.encode()))
        return str(key), UUID(str(last))
    except (ValueError, TypeError, binascii.Error) as exc:
        raise SearchTooBroad("The page asked for does not exist.") from exc
