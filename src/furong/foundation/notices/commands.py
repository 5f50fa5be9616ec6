"""Sending and reading notices."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from furong.foundation.access.errors import SignInNeeded
from furong.foundation.access.values import Actor
from furong.foundation.audit.commands import command, current
from furong.foundation.codes.ids import new_id
from furong.foundation.codes.statements import first_row
from furong.foundation.events.values import to_json
from furong.foundation.jobs.commands import defer
from furong.foundation.notices.errors import MessageNotFound, TemplateUnknownError
from furong.foundation.notices.templates import get_template
from furong.foundation.notices.values import LANGUAGES, Channel, render

SYSTEM = Actor.system("notices")

_KEEP = """
INSERT INTO notices_message (id, account_id, person_id, template, params, case_id, created_at, key)
VALUES (%s, %s, %s, %s, %s::jsonb, %s, %s, %s) ON CONFLICT (key) DO NOTHING RETURNING id
"""
# The message, and that its text is on the way, in one statement.
_KEEP_AND_QUEUE = f"""
WITH kept AS ({_KEEP})
INSERT INTO notices_delivery (message_id, channel, state, at) SELECT id, 'sms', 'queued', %s FROM kept RETURNING message_id
"""


@command("notices.send", savepoint=False)
def send(
    *,
    template: str,
    params: Mapping[str, Any],
    now: datetime,
    person_id: UUID | None = None,
    account_id: UUID | None = None,
    case_id: UUID | None = None,
    channels: Iterable[str] = (Channel.IN_APP, Channel.SMS),
    key: str | None = None,
    actor: Actor = SYSTEM,
) -> UUID | None:
    """Tell a person something, in the transaction that made it true; give the message's id.

    The message is in the platform at once, for the account, or for the person when they have no account yet. A short
    text follows by a job, when the template has one, the channel is asked for and a telephone number is known. Under
    a ``key`` a message is sent once; a repeat gives None. Parameters are numbers of cases, names of items and dates:
    nothing personal.
    Raises `TemplateUnknownError` for an unknown template or a missing parameter.
    """
    wanted = {Channel(channel) for channel in channels}
    found = get_template(template)
    plain = to_json(dict(params))
    for language in LANGUAGES:
        for text in (found.title, found.body, *([found.sms] if found.sms else [])):
            render(text, plain, language=language)
    account_id, person_id = _addressee(account_id, person_id)
    message_id = new_id()
    by_sms = found.sms is not None and Channel.SMS in wanted
    row = [message_id, account_id, person_id, template, json.dumps(plain), case_id, now, key]
    kept = first_row(_KEEP_AND_QUEUE, [*row, now]) if by_sms else first_row(_KEEP, row)
    if kept is None:
        current().detail(repeated=True)
        return None
    if by_sms:
        defer("notices.send_sms", message_id=message_id)
    current().object("message", message_id)
    current().detail(template=template)
    return message_id


def _addressee(account_id: UUID | None, person_id: UUID | None) -> tuple[UUID | None, UUID | None]:
    """The account and the person; a person's open account is looked up."""
    from furong.foundation.identity import queries as identity

    if account_id is not None:
        return account_id, person_id
    if person_id is None:
        raise TemplateUnknownError("A notice is sent to an account or to a person.")
    return identity.find_account_id(person_id=person_id), person_id


@command("notices.mark_read")
def mark_read(*, message_id: UUID, actor: Actor, now: datetime) -> None:
    """Note that the actor has read a message of theirs; a second time changes nothing. Raises `MessageNotFound`."""
    current().object("message", message_id)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE notices_message SET read_at = coalesce(read_at, %s) WHERE id = %s AND {MINE}",
            [now, message_id, *mine(actor)],
        )
        if cursor.rowcount == 0:
            raise MessageNotFound


@command("notices.mark_all_read")
def mark_all_read(*, actor: Actor, now: datetime) -> int:
    """Note that the actor has read all their messages; give how many were new."""
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE notices_message SET read_at = %s WHERE read_at IS NULL AND {MINE}", [now, *mine(actor)])
        return int(cursor.rowcount)


# A message is the account's; one that was sent to a person without an account is seen in the account they open later.
MINE = "(account_id = %s OR (account_id IS NULL AND person_id = %s))"


def mine(actor: Actor) -> list[UUID | None]:
    """Give the parameters of `MINE`. Raises `SignInNeeded` when nobody is signed in."""
    if actor.account_id is None:
        raise SignInNeeded
    return [actor.account_id, actor.person_id]
