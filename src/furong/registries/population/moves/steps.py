"""Private: what the steps of a move share: repeats, locks, rights, and the note of each step."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from furong.foundation.access import queries as access
from furong.foundation.access.errors import AccessRefused, PurposeMissing
from furong.foundation.access.values import Actor, Basis
from furong.foundation.audit.commands import current
from furong.foundation.codes.ids import new_id
from furong.foundation.events.commands import publish

from ..errors import EffectReusedError
from ..events import MoveEnded
from ..ledger import digest_of, lock
from ..place import here, wrote
from .errors import (
    MoveNotFound,
    StepNotOpen,
)
from .models import Move, MoveStep
from .values import (
    RULES,
    MoveAct,
    MoveRecorded,
    MoveState,
    Side,
)


class Repeat:
    """A step that may be asked for again: its key and what it says."""

    def __init__(self, effect_id: UUID | None, content: Mapping[str, object]) -> None:
        self.id, self.digest = effect_id, digest_of(content)

    def find(self) -> MoveRecorded | None:
        """Return what the step gave before, after waiting for one under way. Raises `EffectReusedError`."""
        if self.id is None:
            return None
        lock(f"effect:{self.id}")
        step = MoveStep.objects.filter(effect_id=self.id).first()
        if step is None:
            return None
        if step.effect_digest != self.digest:
            raise EffectReusedError("The effect was carried out before with other content.")
        current().object("move", step.move_id)
        current().detail(repeated=True)
        change_id = None
        state = MoveState.APPLIED if step.act == MoveAct.REQUEST else RULES[MoveAct(step.act)].to
        if step.act == MoveAct.ARRIVE:
            change_id = Move.objects.get(pk=step.move_id).change_id
        return MoveRecorded(move_id=step.move_id, state=state, change_id=change_id)


def write_step(move: Move, act: MoveAct, *, words: str, repeat: Repeat | None, actor: Actor, now: datetime) -> None:
    """Note a step of a move, in its file and in the audit."""
    step = MoveStep.objects.create(
        id=new_id(),
        move=move,
        act=act,
        at=now,
        words=words.strip(),
        organization_id=actor.organization_id,
        post_id=actor.post_id,
        by=actor.organization_label or actor.label,
        effect_id=repeat.id if repeat else None,
        effect_digest=repeat.digest if repeat else "",
    )
    entry = current()
    entry.object("move", move.id)
    entry.subject(move.person_id, fields=("move",))
    entry.detail(act=str(act))
    wrote("step", step.id)  # the move itself may be as old as its first step


def locked(move_id: UUID) -> Move:
    """Return a move, locked. Raises `MoveNotFound`."""
    move = Move.objects.select_for_update().filter(pk=move_id).first()
    if move is None:
        raise MoveNotFound
    return move


def allowed(move: Move, act: MoveAct, *, actor: Actor, basis: Basis) -> None:
    """Check purpose, right and state of a step. Raises `PurposeMissing`, `AccessRefused`, `StepNotOpen`."""
    if not basis.is_stated:
        raise PurposeMissing
    rule = RULES[act]
    places = {Side.SOURCE: move.from_division, Side.DESTINATION: move.to_division}
    sides = (rule.side,) if rule.side is not None else tuple(Side)
    refusal: AccessRefused | None = None
    for side in sides:
        try:
            access.require(actor=actor, right="population.register", division_code=places[side])
        except AccessRefused as error:
            refusal = error
        else:
            refusal = None
            break
    if refusal is not None:
        raise refusal
    if move.state not in rule.since:
        raise StepNotOpen


def tell_end(move: Move, *, now: datetime) -> None:
    """Tell others that a move ended without an arrival."""
    ended = MoveEnded(
        move_id=move.id,
        person_id=move.person_id,
        state=str(move.state),
        from_division=move.from_division,
        to_division=move.to_division,
    )
    publish(ended, database=here(), now=now)
