"""The register's tables. Private to this room; others use `queries` and `commands`.

``legal_entities_entity`` is the present state, for look-ups. Its history is bitemporal: ``legal_entities_version`` (registration
items) and ``legal_entities_role`` (offices and shares) say over which days something held and when the register believed so;
rows are superseded and never deleted. Each names the act that wrote it.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from furong.foundation.codes.ids import new_id

CURRENT = Q(superseded_at__isnull=True)
OPEN = CURRENT & Q(valid_until__isnull=True)


class Entity(models.Model):
    """A legal entity, or a branch of one, as the register knows it now."""

    id = models.UUIDField(primary_key=True, default=new_id)
    credit_code = models.TextField(unique=True)
    kind = models.TextField()  # values.EntityKind
    name = models.TextField()
    name_key = models.TextField()
    state = models.TextField(default="active")  # values.EntityState
    head_name = models.TextField(default="")
    head_person_id = models.UUIDField(null=True)
    capital_fen = models.BigIntegerField(null=True)
    address = models.TextField()
    scope = models.TextField(default="")
    term_until = models.DateField(null=True)
    established_on = models.DateField()
    ended_on = models.DateField(null=True)
    registrar_id = models.UUIDField(null=True)  # the organisation
    registrar = models.JSONField(default=dict)  # its name in each language
    division_code = models.TextField()
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="branches")
    version = models.IntegerField(default=1)
    recorded_at = models.DateTimeField()

    class Meta:
        indexes = (
            models.Index(fields=["name_key"], name="legal_entities_by_name"),
            models.Index(fields=["division_code", "name_key"], name="legal_entities_division"),
            models.Index(fields=["head_person_id"], name="legal_entities_head"),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(capital_fen__isnull=True) | Q(capital_fen__gte=0), name="legal_entities_capital"
            ),
            models.CheckConstraint(
                condition=Q(ended_on__isnull=True, state__in=["active", "dormant", "revoked"])
                | Q(ended_on__isnull=False, state__in=["deregistered", "annulled"]),
                name="legal_entities_ended",
            ),
        )


class Name(models.Model):
    """A name in use: kept for somebody, borne, or given up less than a while ago. The one table that a check looks at."""

    id = models.UUIDField(primary_key=True, default=new_id)
    name = models.TextField()
    name_key = models.TextField()
    trade_key = models.TextField()
    sound = models.TextField()
    industry = models.TextField(default="")
    area = models.TextField()  # the division that the name bears
    parts = models.JSONField(default=dict)
    owner = models.TextField(default="")  # credit code of the firm whose family it is
    entity = models.ForeignKey(Entity, on_delete=models.PROTECT, null=True, related_name="names")
    kept_for = models.UUIDField(null=True)  # the person
    effect_id = models.UUIDField(null=True, unique=True)
    since = models.DateTimeField()
    kept_until = models.DateField(null=True)  # exclusive; None once registered
    ended_on = models.DateField(null=True)  # given up, changed or deregistered
    blocked_until = models.DateField(null=True)  # exclusive: until when nobody else may take it

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["name_key"], condition=Q(ended_on__isnull=True), name="legal_entities_name_once"
            ),
            models.UniqueConstraint(
                fields=["entity"],
                condition=Q(ended_on__isnull=True, entity__isnull=False),
                name="legal_entities_one_name",
            ),
        )
        indexes = (
            models.Index(fields=["trade_key", "area"], name="legal_entities_trade"),
            models.Index(fields=["area", "sound"], name="legal_entities_sound"),
            models.Index(fields=["kept_for"], condition=Q(kept_for__isnull=False), name="legal_entities_kept_for"),
        )


class Act(models.Model):
    """One act on an entity: who, when, on what basis, and what it changed. Its effect's result is kept for a repeat."""

    id = models.UUIDField(primary_key=True, default=new_id)
    entity = models.ForeignKey(Entity, on_delete=models.PROTECT, related_name="acts", db_index=False)
    kind = models.TextField()  # values.ActKind
    recorded_at = models.DateTimeField()
    effective_on = models.DateField()
    organization_id = models.UUIDField(null=True)
    post_id = models.UUIDField(null=True)
    legal_basis = models.TextField(default="")
    reason = models.TextField(default="")
    case_id = models.UUIDField(null=True)
    changes = models.JSONField(default=list)  # [{item, before, after}]
    effect_id = models.UUIDField(null=True, unique=True)
    effect_digest = models.TextField(default="")
    result = models.JSONField(default=dict)

    class Meta:
        indexes = (models.Index(fields=["entity", "-recorded_at"], name="legal_entities_acts"),)


class Dated(models.Model):
    """A fact that held over a period and that the register believed over another."""

    id = models.UUIDField(primary_key=True, default=new_id)
    valid_from = models.DateField()
    valid_until = models.DateField(null=True)
    recorded_at = models.DateTimeField()
    superseded_at = models.DateTimeField(null=True)
    act = models.ForeignKey(Act, on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta:
        abstract = True


class Version(Dated):
    """The registration items of an entity over a period."""

    entity = models.ForeignKey(Entity, on_delete=models.PROTECT, related_name="versions", db_index=False)
    facts = models.JSONField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["entity", "valid_from"], condition=CURRENT, name="legal_entities_version_one"
            ),
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_until__gt=models.F("valid_from")),
                name="legal_entities_version_period",
            ),
        )


class Role(Dated):
    """An office or a share over a period."""

    entity = models.ForeignKey(Entity, on_delete=models.PROTECT, related_name="roles", db_index=False)
    kind = models.TextField()  # values.RoleKind
    person_id = models.UUIDField(null=True)
    holder_code = models.TextField(default="")
    name = models.TextField()  # as registered
    title = models.TextField(default="")
    subscribed_fen = models.BigIntegerField(null=True)
    paid_fen = models.BigIntegerField(null=True)
    contribution = models.TextField(default="")
    due_on = models.DateField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["entity"], condition=OPEN & Q(kind="head"), name="legal_entities_one_head"),
            models.UniqueConstraint(
                fields=["entity", "kind", "person_id"],
                condition=OPEN & Q(person_id__isnull=False),
                name="legal_entities_role_once",
            ),
        )
        indexes = (
            models.Index(fields=["entity", "kind"], name="legal_entities_roles"),
            models.Index(fields=["person_id"], condition=OPEN, name="legal_entities_person"),
        )


class Notice(models.Model):
    """A notice of simple deregistration (Order 746, art. 33)."""

    id = models.UUIDField(primary_key=True, default=new_id)
    entity = models.ForeignKey(Entity, on_delete=models.PROTECT, related_name="notices")
    published_on = models.DateField()
    ends_on = models.DateField()  # inclusive
    apply_by = models.DateField()  # inclusive
    state = models.TextField(default="open")  # open | objected | withdrawn | done

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["entity"], condition=Q(state="open"), name="legal_entities_one_notice"),
        )


class Objection(models.Model):
    """Somebody concerned who objects to a deregistration: a body, or a person."""

    id = models.UUIDField(primary_key=True, default=new_id)
    notice = models.ForeignKey(Notice, on_delete=models.PROTECT, related_name="objections")
    raised_at = models.DateTimeField()
    organization_id = models.UUIDField(null=True)
    person_id = models.UUIDField(null=True)
    reason = models.TextField()


class Subject(models.Model):
    """The last running number given out under a county and prefix; its row lock keeps credit codes unique."""

    series = models.TextField(primary_key=True)
    last = models.IntegerField()
