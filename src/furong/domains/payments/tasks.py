"""Jobs of the room: they translate and call commands, nothing else."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

from furong.domains.payments import commands, ports
from furong.domains.payments.errors import ProviderSilentError
from furong.foundation.access.values import Actor
from furong.foundation.calendar import queries as calendars
from furong.foundation.jobs.commands import job

SYSTEM = Actor.system("payments")


@job("payments.make_receipt", queue="documents")
def make_receipt(*, notice_id: UUID, now: datetime) -> None:
    """Make the sealed receipt of a paid notice."""
    commands.make_receipt(notice_id=notice_id, actor=SYSTEM, now=now)


@job("payments.carry_out_refund")
def carry_out_refund(*, refund_id: UUID, now: datetime) -> None:
    """Give approved money back."""
    commands.carry_out_refund(refund_id=refund_id, actor=SYSTEM, now=now)


def compare_yesterday(*, now: datetime) -> None:
    """Compare the day before with the provider's statement; called by housekeeping, more than once a day without harm.

    A provider that is silent is asked by the next call.
    """
    if ports.is_bound():
        on = calendars.current().local_date(now) - timedelta(days=1)
        with suppress(ProviderSilentError):
            commands.compare_day(on=on, actor=SYSTEM, now=now)
