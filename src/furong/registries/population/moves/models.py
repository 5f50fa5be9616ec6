"""Tables of moves. A move is kept in the register that keeps the person: everybody has one, and so one open move."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from furong.foundation.codes.ids import new_id


class Move(models.Model):
    """A person's way from one place of registration to another, from the request to the arrival."""

    id = models.UUIDField(primary_key=True, default=new_id)
    person_id = models.UUIDField(db_index=True)
    state = models.TextField()  # values.MoveState
    reason = models.TextField()  # values.MoveReason
    words = models.TextField(default="")
    applicant_person_id = models.UUIDField()
    from_division = models.TextField()  # 12 digits
    to_division = models.TextField()
    to_household_id = models.UUIDField()  # of a household that the arrival opens, minted with the request
    to_address = models.TextField()
    opens_household = models.BooleanField(default=False)
    consent = models.TextField(default="")  # the paper in which the head of the household there agrees
    guardian_evidence = models.TextField(default="")  # the paper that names a minor's guardian who is no parent
    new_head_person_id = models.UUIDField(null=True)  # who heads the household that is left
    permit_number = models.TextField(default="")  # 准迁证
    permit_until = models.DateField(null=True)  # exclusive
    certificate_number = models.TextField(default="")  # 迁移证
    certificate_until = models.DateField(null=True)  # exclusive
    departed_on = models.DateField(null=True)
    arrived_on = models.DateField(null=True)
    applied_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    change_id = models.UUIDField(null=True)  # the change that the arrival made

    class Meta:
        db_table = "population_move"
        constraints = (
            models.UniqueConstraint(
                fields=["person_id"],
                condition=Q(state__in=["applied", "approved", "issued", "out"]),
                name="population_move_one_open",
            ),
        )
        indexes = (
            models.Index(fields=["state", "changed_at"], name="population_move_state"),
            models.Index(fields=["to_household_id"], name="population_move_household"),
        )


class MoveStep(models.Model):
    """One act on a move: who, when, in which words; its effect is known by it when somebody repeats it."""

    id = models.UUIDField(primary_key=True, default=new_id)
    move = models.ForeignKey(Move, on_delete=models.PROTECT, related_name="+")
    act = models.TextField()  # values.MoveAct
    at = models.DateTimeField()
    words = models.TextField(default="")
    organization_id = models.UUIDField(null=True)
    post_id = models.UUIDField(null=True)
    by = models.TextField(default="")  # the office, as it was called
    effect_id = models.UUIDField(null=True, unique=True)
    effect_digest = models.TextField(default="")

    class Meta:
        db_table = "population_move_step"


class TransferDecision(models.Model):
    """What became of one attempt to carry a person to another centre. It commits with the source's rows: the row is the decision.

    An attempt has one row at most, so that who finds it undecided can fence it off by writing ``abort``; a move is committed
    once.
    """

    gid = models.TextField(primary_key=True)  # the name of the transaction prepared at the destination
    move_id = models.UUIDField()
    verdict = models.TextField()  # commit | abort
    decided_at = models.DateTimeField()

    class Meta:
        db_table = "population_transfer_decision"
        constraints = (
            models.UniqueConstraint(
                fields=["move_id"], condition=Q(verdict="commit"), name="population_transfer_committed_once"
            ),
        )
