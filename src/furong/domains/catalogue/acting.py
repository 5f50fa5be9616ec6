"""Who acts, and why, as entries of resources, requests and grants keep it."""

from __future__ import annotations

from furong.domains.catalogue.errors import ReasonNeeded
from furong.foundation.access.values import Actor

MAX_REASON = 1000


def by_words(actor: Actor) -> str:
    """Give an actor as entries name them: organisation and post, never the person."""
    return " · ".join(part for part in (actor.organization_label, actor.label) if part)[:200] or "–"


def reason_of(given: str) -> str:
    """Give a reason as it is kept. Raises `ReasonNeeded` for an empty one."""
    why = given.strip()[:MAX_REASON]
    if not why:
        raise ReasonNeeded
    return why
