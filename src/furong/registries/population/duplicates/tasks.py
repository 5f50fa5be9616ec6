"""Searches of the register as jobs of the platform's workers."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from furong.foundation.access.values import Actor
from furong.foundation.jobs.commands import defer, job
from furong.foundation.jobs.values import JobRun, Retry

from . import commands
from .models import DuplicateSearch
from .searching import search_register
from .values import SEARCHING, SearchState

_OVERDUE = timedelta(minutes=10)
_SYSTEM = Actor.system("population.duplicates")


@job("population.duplicates", queue="registers", retry=Retry(attempts=3, first_seconds=60))
def search(*, search_id: UUID, now: datetime, run: JobRun) -> None:
    """Search the register and keep the pairs; a search that keeps failing ends as failed."""
    if not DuplicateSearch.objects.filter(pk=search_id, state=SearchState.WAITING).exists():
        return
    try:
        people, pairs = search_register()
        commands.keep_pairs(search_id=search_id, people=people, pairs=pairs, actor=_SYSTEM, basis=SEARCHING, now=now)
    except Exception:
        if run.last_attempt:
            DuplicateSearch.objects.filter(pk=search_id, state=SearchState.WAITING).update(
                state=SearchState.FAILED.value, finished_at=now
            )
        raise


def start(*, search_id: UUID) -> None:
    """Have the workers carry out a search that was asked for; a repeat does nothing."""
    defer(search, key=f"population.duplicates:{search_id}", search_id=search_id)


def tend(*, now: datetime) -> None:
    """Start a search that was asked for and lost before its job was kept."""
    waiting = DuplicateSearch.objects.filter(state=SearchState.WAITING, asked_at__lt=now - _OVERDUE)
    for search_id in waiting.values_list("pk", flat=True):
        start(search_id=search_id)
