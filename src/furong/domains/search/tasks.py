"""What the worker does for the search: the loop that follows, and the tidying."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.utils import timezone

from furong.domains.search import commands
from furong.domains.search.following import Follower
from furong.domains.search.serving import home


def follower() -> Callable[[], bool]:
    """Give what the worker's loop calls; True when more waits."""
    kept: list[Follower] = []

    def step() -> bool:
        if not kept:
            kept.append(Follower(home()))
        now = timezone.now()
        return kept[0].step(now=now, today=timezone.localdate(now))

    return step


def tidy(*, now: datetime) -> None:
    """Throw away what has served."""
    commands.tidy(now=now, today=timezone.localdate(now))
