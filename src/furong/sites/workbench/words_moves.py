"""Words of moves: states with their tone, acts, reasons, and what each step does."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from furong.registries.population.moves.values import MoveAct, MoveReason, MoveState

STATES: Mapping[str, tuple[Promise, str]] = {
    MoveState.APPLIED.value: (_("Waits for approval"), "late"),
    MoveState.APPROVED.value: (_("Approved, permit to issue"), "run"),
    MoveState.ISSUED.value: (_("Permit issued"), "run"),
    MoveState.OUT.value: (_("Departed"), "run"),
    MoveState.IN.value: (_("Arrived"), "ok"),
    MoveState.EXPIRED.value: (_("Run out"), "wait"),
    MoveState.VOID.value: (_("Void"), "wait"),
    MoveState.REFUSED.value: (_("Request refused"), "over"),
}
REASONS: Mapping[str, Promise] = {
    MoveReason.FAMILY.value: _("To a spouse, parents or children"),
    MoveReason.HOME.value: _("Owns or rents a home there"),
    MoveReason.WORK.value: _("Work"),
    MoveReason.STUDY.value: _("Study"),
    MoveReason.SERVICE.value: _("Back from the forces"),
    MoveReason.OTHER.value: _("Another reason"),
}
ACTS: Mapping[str, Promise] = {
    MoveAct.REQUEST.value: _("Requested"),
    MoveAct.APPROVE.value: _("Request approved"),
    MoveAct.REFUSE.value: _("Request refused"),
    MoveAct.ISSUE.value: _("Permit issued"),
    MoveAct.DEPART.value: _("Departed"),
    MoveAct.ARRIVE.value: _("Arrived"),
    MoveAct.VOID.value: _("Declared void"),
    MoveAct.EXPIRE.value: _("Paper ran out"),
}
# The way of a move, for the line of steps.
WAY: tuple[Promise, ...] = (_("Request"), _("Approval"), _("Permit to move"), _("Departure"), _("Arrival"))
STANDS: Mapping[str, int] = {
    MoveState.APPLIED.value: 1,
    MoveState.APPROVED.value: 2,
    MoveState.ISSUED.value: 3,
    MoveState.OUT.value: 4,
    MoveState.IN.value: 5,
}
