"""The channel port for short texts, and the twin that ships."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol
from uuid import UUID

from django.db import connection

from furong.foundation.codes.masking import mask_phone


class SmsPort(Protocol):
    """Sends short texts. ``message_id`` is the same at every attempt: a gateway that knows it sends once."""

    def send(self, *, number: str, text: str, message_id: UUID, now: datetime) -> None:
        """Send ``text`` to ``number``. Raises `ChannelError` when it was not taken, without the number in its words."""


class SmsTwin:
    """Writes texts to a table instead of the air: for the demo and for tests. The number is kept masked."""

    def send(self, *, number: str, text: str, message_id: UUID, now: datetime) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                """
                INSERT INTO notices_sms_twin (message_id, recipient, text, sent_at) VALUES (%s, %s, %s, %s)
                ON CONFLICT (message_id) DO NOTHING
                """,
                [message_id, mask_phone(number), text, now],
            )


_sms: SmsPort = SmsTwin()


def sms() -> SmsPort:
    """Give the port in use."""
    return _sms


def use_sms(port: SmsPort) -> None:
    """Put another channel in the twin's place; `entrypoints.wiring` does so where one is configured."""
    global _sms
    _sms = port
