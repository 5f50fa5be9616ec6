"""Cards by the clock, and the correction of the register as a job."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from furong.foundation.access.values import Actor
from furong.foundation.jobs.commands import job
from furong.foundation.jobs.values import Retry

from . import commands, comparing


@job(comparing.JOB, queue="registers", retry=Retry(attempts=8, first_seconds=5))
def correct_register(*, mismatch_id: UUID, now: datetime) -> None:
    """Correct the register as was decided; killed anywhere, it is tried again and corrects once."""
    comparing.correct(mismatch_id=mismatch_id, now=now)


def tend(*, now: datetime) -> None:
    """End the cards whose last day is over. For the worker's loop."""
    while commands.expire_cards(actor=Actor.system("identity_cards"), now=now) == 500:
        pass
