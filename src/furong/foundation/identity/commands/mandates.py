"""Mandates: leave to act for a child, a person or an enterprise; recorded, dated, revocable.

A mandate is looked at in every request: a revoked or expired one is gone with the next.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from furong.foundation.access.queries import allows, require_assurance
from furong.foundation.access.queries import scope as scope_of
from furong.foundation.access.values import Actor, Assurance
from furong.foundation.audit.commands import command, current
from furong.foundation.identity import models, ports
from furong.foundation.identity.errors import (
    AgentUnknown,
    MandateExists,
    MandateNotFound,
    MandatePeriodRefused,
    MandateRefused,
    NotTheRepresentative,
    ParenthoodStays,
)
from furong.foundation.identity.queries import MANAGE
from furong.foundation.identity.values import (
    MAJORITY_YEARS,
    ORDINARY_POWERS,
    AccountKind,
    MandateBasis,
    Power,
    clean_username,
    years_after,
)
from furong.foundation.organizations.values import today

LONGEST_YEARS = 3


@command("identity.grant_mandate")
def grant_mandate(
    *,
    agent_username: str,
    agent_name: str,
    powers: Iterable[Power] = ORDINARY_POWERS,
    from_on: date | None = None,
    until_on: date | None = None,
    reference: str = "",
    actor: Actor,
    now: datetime,
) -> UUID:
    """Let another verified account act for the actor, or for the enterprise the actor represents.

    The agent is named by username and name, so that a slip of the keyboard mandates nobody. It holds from ``from_on`` (today
    without one) until ``until_on`` (exclusive, a year on without one, three at most). Raises ``AgentUnknown``,
    ``AssuranceTooLow``, ``MandateRefused`` (acting for a child, say), ``MandatePeriodRefused``, ``MandateExists``.
    """
    require_assurance(actor=actor, level=Assurance.VERIFIED)
    kind, principal_id, label, basis = _own_principal(actor, now)
    start = from_on or today(now)
    end = until_on or years_after(start, 1)
    if not today(now) <= start < end <= years_after(start, LONGEST_YEARS):
        raise MandatePeriodRefused
    agent = models.Account.objects.filter(
        username=clean_username(agent_username),
        display_name=agent_name.strip(),
        kind=AccountKind.RESIDENT,
        is_active=True,
        assurance__gte=int(Assurance.VERIFIED),
    ).first()
    if agent is None or agent.pk == actor.account_id:
        raise AgentUnknown
    given = sorted(set(powers) - {Power.GRANT}, key=list(Power).index)
    if not given:
        raise MandateRefused
    row = models.Mandate(
        principal_kind=kind,
        principal_id=principal_id,
        principal_label=label,
        agent=agent,
        powers=[power.value for power in given],
        basis=basis,
        basis_reference=reference.strip()[:200],
        from_on=start,
        until_on=end,
        granted_by_id=actor.account_id,
        granted_at=now,
    )
    _replace_expired(row, now)
    current().object("mandate", row.pk)
    if kind == "person":
        current().subject(principal_id, fields=("mandate",))
    current().detail(basis=basis.value, powers=row.powers, until_on=end, agent_account_id=agent.pk)
    return row.pk


@command("identity.revoke_mandate")
def revoke_mandate(*, mandate_id: UUID, reason: str = "", actor: Actor, now: datetime) -> None:
    """End a mandate at once: the agent's next request no longer acts for the principal.

    Whoever gave it, the agent, the principal, the enterprise's legal representative or an administrator of all accounts may.
    Raises ``MandateNotFound``, and ``ParenthoodStays`` for what follows from the register.
    """
    row = models.Mandate.objects.select_for_update().filter(pk=mandate_id, revoked_at=None).first()
    if row is None or not _may_revoke(row, actor, now):
        raise MandateNotFound
    if row.basis == MandateBasis.PARENTHOOD and not actor.is_staff:
        raise ParenthoodStays
    row.revoked_at, row.revoked_reason = now, reason.strip()[:200]
    row.save(update_fields=["revoked_at", "revoked_reason"])
    current().object("mandate", mandate_id)


@command("identity.refresh_child_mandates")
def refresh_child_mandates(*, actor: Actor, now: datetime) -> int:
    """Bring a parent's mandates for minor children in line with the register; returns how many stand.

    They end on the child's eighteenth birthday (Civil Code, articles 17 and 27), and when the register no longer says so.
    For a verified resident; others have none.
    """
    port = ports.parenthood()
    if actor.account_id is None or actor.person_id is None or not actor.is_resident or port is None:
        return 0
    current().object("account", actor.account_id)
    day = today(now)
    children = {
        child.person_id: child
        for child in port.children_of(person_id=actor.person_id, actor=actor, now=now)
        if day < years_after(child.born_on, MAJORITY_YEARS)
    }
    standing = {
        row.principal_id: row
        for row in models.Mandate.objects.select_for_update().filter(
            agent_id=actor.account_id, basis=MandateBasis.PARENTHOOD, revoked_at=None
        )
    }
    for principal_id, row in standing.items():
        child = children.get(principal_id)
        if child is None:
            row.revoked_at, row.revoked_reason = now, "register"
            row.save(update_fields=["revoked_at", "revoked_reason"])
        elif row.principal_label != child.name or row.until_on != years_after(child.born_on, MAJORITY_YEARS):
            row.principal_label, row.until_on = child.name[:100], years_after(child.born_on, MAJORITY_YEARS)
            row.save(update_fields=["principal_label", "until_on"])
    for principal_id, child in children.items():
        if principal_id in standing:
            continue
        models.Mandate(
            principal_kind="person",
            principal_id=principal_id,
            principal_label=child.name[:100],
            agent_id=actor.account_id,
            powers=[power.value for power in ORDINARY_POWERS],
            basis=MandateBasis.PARENTHOOD,
            from_on=min(child.born_on, day),
            until_on=years_after(child.born_on, MAJORITY_YEARS),
            granted_at=now,
        ).save(force_insert=True)
        current().subject(principal_id, fields=("mandate",))
    return len(children)


@command("identity.claim_enterprise")
def claim_enterprise(*, credit_code: str, actor: Actor, now: datetime) -> UUID:
    """Let a verified resident act for the enterprise whose legal representative they are; gives the mandate.

    Raises ``AssuranceTooLow``, ``NotTheRepresentative``, ``MandateExists``. Civil Code, article 61.
    """
    require_assurance(actor=actor, level=Assurance.VERIFIED)
    found = ports.enterprises().find(credit_code=credit_code.strip().upper(), actor=actor, now=now)
    if found is None or actor.account_id is None or found.representative_id != actor.person_id:
        raise NotTheRepresentative
    # A new representative takes the place of the former one; those whom the former one appointed stay until revoked.
    models.Mandate.objects.filter(
        principal_id=found.id, basis=MandateBasis.LEGAL_REPRESENTATIVE, revoked_at=None
    ).exclude(agent_id=actor.account_id).update(revoked_at=now, revoked_reason="register")
    row = models.Mandate(
        principal_kind="enterprise",
        principal_id=found.id,
        principal_label=found.name[:100],
        agent_id=actor.account_id,
        powers=[power.value for power in Power],
        basis=MandateBasis.LEGAL_REPRESENTATIVE,
        from_on=today(now),
        until_on=years_after(today(now), LONGEST_YEARS),
        granted_at=now,
    )
    _replace_expired(row, now)
    current().object("mandate", row.pk)
    return row.pk


def _own_principal(actor: Actor, now: datetime) -> tuple[str, UUID, str, MandateBasis]:
    """For whom the actor may appoint an agent: themself, or the enterprise whose representative they act as."""
    if not actor.is_resident or actor.person_id is None or actor.account_id is None:
        raise MandateRefused
    if actor.principal is None:
        label = models.Account.objects.values_list("display_name", flat=True).get(pk=actor.account_id)
        return "person", actor.person_id, label, MandateBasis.POWER_OF_ATTORNEY
    held = models.Mandate.objects.filter(
        pk=actor.principal.mandate_id, agent_id=actor.account_id, revoked_at=None, principal_kind="enterprise"
    ).first()
    day = today(now)
    if (
        held is None
        or Power.GRANT not in held.powers
        or not (held.from_on <= day and (held.until_on is None or day < held.until_on))
    ):
        raise MandateRefused
    return "enterprise", held.principal_id, held.principal_label, MandateBasis.ENTERPRISE_AGENT


def _may_revoke(row: models.Mandate, actor: Actor, now: datetime) -> bool:
    if actor.is_staff:
        return allows(actor=actor, right=MANAGE) and scope_of(actor=actor, right=MANAGE).everything
    if actor.account_id is None:
        return False
    if actor.account_id in {row.granted_by_id, row.agent_id}:
        return True
    if row.principal_kind == "person":
        return row.principal_id == actor.person_id
    representative = models.Mandate.objects.filter(
        agent_id=actor.account_id,
        principal_id=row.principal_id,
        basis=MandateBasis.LEGAL_REPRESENTATIVE,
        revoked_at=None,
        until_on__gt=today(now),
    )
    return representative.exists()


def _replace_expired(row: models.Mandate, now: datetime) -> None:
    """Insert a mandate; one that has run out makes room for it."""
    models.Mandate.objects.filter(
        agent_id=row.agent_id,
        principal_kind=row.principal_kind,
        principal_id=row.principal_id,
        basis=row.basis,
        revoked_at=None,
        until_on__lte=today(now),
    ).update(revoked_at=now, revoked_reason="expired")
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as exc:
        raise MandateExists from exc
