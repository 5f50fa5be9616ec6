"""The job that harvests one source, and the loop that defers what is due."""

from __future__ import annotations

from datetime import datetime

from furong.domains.catalogue.harvest import commands, queries
from furong.foundation.access.values import Actor
from furong.foundation.jobs.commands import defer, job
from furong.foundation.jobs.values import Retry


@job("catalogue.harvest", queue="documents", retry=Retry(attempts=2, first_seconds=300))
def harvest(*, code: str, now: datetime, allow_shrink: bool = False) -> None:
    """Harvest a source. What the source does wrong is a finding of the run, not a failure of the job."""
    if code in queries.list_due(now=now):
        commands.harvest_source(code=code, actor=Actor.system("worker"), now=now, allow_shrink=allow_shrink)


def defer_due(*, now: datetime) -> None:
    """Defer the harvests that are due, each once; the worker's loop calls it every few minutes."""
    for one in queries.list_sources():
        if one.due_at <= now:
            defer(harvest, key=f"harvest:{one.code}:{now:%Y%m%d%H}", lock=f"harvest:{one.code}", code=one.code)
