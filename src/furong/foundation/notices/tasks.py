"""The job that sends short texts."""

from __future__ import annotations

import json
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from furong.foundation.jobs.commands import job
from furong.foundation.jobs.values import Retry
from furong.foundation.notices import ports
from furong.foundation.notices.templates import get_template
from furong.foundation.notices.values import render


@job("notices.send_sms", queue="notices", retry=Retry(attempts=8, first_seconds=5, longest_seconds=900))
def send_sms(*, message_id: UUID, now: datetime) -> None:
    """Send the short text of a message once; without an account or a number it is marked as skipped."""
    from furong.foundation.identity import queries as identity

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT m.account_id, m.person_id, m.template, m.params FROM notices_message m
            JOIN notices_delivery d ON d.message_id = m.id AND d.channel = 'sms' AND d.state = 'queued'
            WHERE m.id = %s FOR UPDATE OF d
            """,
            [message_id],
        )
        row = cursor.fetchone()
        if row is None:
            return  # sent or skipped before
        account_id, person_id, code, params = row
        account = (
            identity.find_account(account_id=account_id)
            if account_id is not None
            else identity.find_account_of_person(person_id=person_id)
        )
        number = identity.phone_of_account(account_id=account.id) if account is not None else ""
        template = get_template(code)
        if account is not None and number and template.sms is not None:
            language = "en" if account.language.startswith("en") else "zh"
            found = json.loads(params) if isinstance(params, str) else params
            text = render(template.sms, found, language=language)
            ports.sms().send(number=number, text=text, message_id=message_id, now=now)
        state = "sent" if number else "skipped"
        cursor.execute(
            "UPDATE notices_delivery SET state = %s, at = %s WHERE message_id = %s AND channel = 'sms'",
            [state, now, message_id],
        )
