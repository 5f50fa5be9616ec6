"""A person's messages."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from furong.foundation.access.values import Actor
from furong.foundation.notices.commands import MINE, mine
from furong.foundation.notices.errors import MessageNotFound
from furong.foundation.notices.templates import TEMPLATES
from furong.foundation.notices.values import LANGUAGES, Message, render

_COLUMNS = "id, created_at, template, params, case_id, read_at"


def list_messages(*, actor: Actor, limit: int = 20, before: datetime | None = None) -> list[Message]:
    """Give the actor's own messages, newest first. ``before`` pages: give the time of the last one seen."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT {_COLUMNS} FROM notices_message WHERE {MINE}
            AND (%s::timestamptz IS NULL OR created_at < %s::timestamptz) ORDER BY created_at DESC, id DESC LIMIT %s
            """,
            [*mine(actor), before, before, limit],
        )
        return [_message(row) for row in cursor.fetchall()]


def get_message(*, message_id: UUID, actor: Actor) -> Message:
    """Give one of the actor's own messages. Raises `MessageNotFound`, also when it is somebody else's."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {_COLUMNS} FROM notices_message WHERE id = %s AND {MINE}", [message_id, *mine(actor)])
        row = cursor.fetchone()
    if row is None:
        raise MessageNotFound
    return _message(row)


def count_unread(*, actor: Actor) -> int:
    """Give how many of the actor's own messages are new; 0 when nobody is signed in."""
    if actor.account_id is None:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM notices_message WHERE read_at IS NULL AND {MINE}", mine(actor))
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def list_messages_of_case(*, case_id: UUID, limit: int = 100) -> list[Message]:
    """Give what was told about a case, newest first, for its handlers. The caller decides who may ask."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_COLUMNS} FROM notices_message WHERE case_id = %s ORDER BY created_at DESC LIMIT %s",
            [case_id, limit],
        )
        return [_message(row) for row in cursor.fetchall()]


def _message(row: Sequence[Any]) -> Message:
    message_id, at, code, params, case_id, read_at = row
    found = json.loads(params) if isinstance(params, str) else params
    template = TEMPLATES.get(code)  # one that a pack has taken back since still shows its code
    return Message(
        id=message_id,
        at=at,
        template=code,
        title={k: render(template.title, found, language=k) if template else code for k in LANGUAGES},
        body={k: render(template.body, found, language=k) if template else "" for k in LANGUAGES},
        params=found,
        case_id=case_id,
        read_at=read_at,
    )
