"""Comparisons as their asker sees them; nobody else does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from furong.foundation.access import queries as access
from furong.foundation.access.values import Actor
from furong.foundation.storage import queries as stored

from ..rights import MATCH
from .errors import MatchNotFound
from .models import Match
from .values import MatchRecord, MatchState


def list_matches(*, actor: Actor, limit: int = 50) -> tuple[MatchRecord, ...]:
    """Return the comparisons that the actor asked for, newest first. Raises ``AccessRefused``."""
    access.require(actor=actor, right=MATCH)
    if actor.account_id is None:
        return ()
    found = Match.objects.filter(account_id=actor.account_id).order_by("-asked_at", "-id")[:limit]
    return tuple(_record(one) for one in found)


def get_match(*, match_id: UUID, actor: Actor) -> MatchRecord:
    """Return one comparison of the actor's. Raises `MatchNotFound`, ``AccessRefused``."""
    return _record(_mine(match_id, actor))


def open_result(*, match_id: UUID, actor: Actor, now: datetime) -> tuple[MatchRecord, Iterator[bytes]]:
    """Return a comparison that is done with its answers' bytes. Raises `MatchNotFound`, also when expired."""
    found = _mine(match_id, actor)
    if found.state != MatchState.DONE or now >= found.expires_at:
        raise MatchNotFound
    return _record(found), stored.open_stream(found.result_digest)


def _mine(match_id: UUID, actor: Actor) -> Match:
    access.require(actor=actor, right=MATCH)
    found = Match.objects.filter(pk=match_id).first()
    if found is None or found.account_id != actor.account_id:
        raise MatchNotFound
    return found


def _record(match: Match) -> MatchRecord:
    return MatchRecord(
        match_id=match.pk,
        file_name=match.file_name,
        purpose=match.purpose,
        legal_basis=match.legal_basis,
        fields=tuple(match.fields),
        rows=match.rows,
        position=match.position,
        state=MatchState(match.state),
        counts=dict(match.counts),
        problem=match.problem,
        mend=match.mend,
        asked_at=match.asked_at,
        finished_at=match.finished_at,
        expires_at=match.expires_at,
        is_parquet=match.is_parquet,
    )
