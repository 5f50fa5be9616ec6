"""Comparisons as jobs of the platform's workers."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from furong.foundation.jobs.commands import defer, job
from furong.foundation.jobs.values import JobRun, Retry

from . import commands
from .models import Match
from .values import MatchState

_OVERDUE = timedelta(minutes=1)


@job("population.match", queue="registers", retry=Retry(attempts=5, first_seconds=5))
def match(*, match_id: UUID, now: datetime, run: JobRun) -> None:
    """Carry out one comparison; a fault that does not pass ends it as failed."""
    try:
        commands.carry_out(match_id=match_id, now=now)
    except Exception:
        if run.last_attempt:
            commands.give_up(
                match_id=match_id,
                problem="Something broke on our side; the file was not compared.",
                mend="Ask the platform's operator, then send the file again.",
                now=now,
            )
        raise


def start(*, match_id: UUID) -> None:
    """Have the workers carry out a comparison that was asked for; a repeat does nothing."""
    defer(match, key=f"population.match:{match_id}", match_id=match_id)


def tend(*, now: datetime) -> None:
    """Start what was asked for and lost before its job was kept, and throw away what expired."""
    waiting = Match.objects.filter(state=MatchState.WAITING, asked_at__lt=now - _OVERDUE)
    for match_id in waiting.values_list("pk", flat=True):
        start(match_id=match_id)
    commands.expire(now=now)
