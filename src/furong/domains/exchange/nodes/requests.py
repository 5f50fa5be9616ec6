"""Requests to other nodes: a department's steward proposes one and the operator lets it go on its way, or asks directly."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from furong.domains.catalogue.acting import by_words
from furong.domains.catalogue.sight import EDIT
from furong.domains.exchange import issuing, models
from furong.domains.exchange.errors import MemberNotFound
from furong.domains.exchange.nodes import documents
from furong.domains.exchange.nodes import models as tables
from furong.domains.exchange.nodes.errors import AskNotFound, AskRefused, EntryNotFound, NoMember
from furong.domains.exchange.nodes.events import AskDeclined, AskProposed
from furong.domains.exchange.nodes.values import AskState
from furong.domains.exchange.values import OPERATE
from furong.foundation.access import queries as access
from furong.foundation.access.values import Actor
from furong.foundation.audit.commands import command, current
from furong.foundation.events.commands import publish
from furong.foundation.organizations import queries as organizations

MOST_DAYS = 3 * 366
MOST_TEXT = 500


@command("exchange.ask_node")
def ask_node(
    *,
    resource: str,
    consumer: str,
    items: Sequence[str],
    days: int,
    scenario: str,
    legal_basis: str,
    actor: Actor,
    now: datetime,
) -> UUID:
    """Ask another node, for a member of ours, for items of a resource that it offers; give the request.

    It is carried within seconds; its state and grant come back. Raises `EntryNotFound`, `AskRefused`, `MemberNotFound`,
    ``AccessRefused``.
    """
    access.require(actor=actor, right=OPERATE)
    if not models.Member.objects.filter(code=consumer).exists():
        raise MemberNotFound
    row = _row(resource, items, days, scenario, legal_basis)
    row.consumer, row.by, row.asked_at = consumer, by_words(actor), now
    row.save(force_insert=True)
    current().object("exchange_ask", row.id)
    issuing.mark_changed()
    return row.id


@command("exchange.propose_ask")
def propose_ask(
    *,
    resource: str,
    items: Sequence[str],
    days: int,
    scenario: str,
    legal_basis: str,
    actor: Actor,
    now: datetime,
) -> UUID:
    """Propose a request to another node in the name of the actor's organisation, a member of the exchange.

    The exchange's operator decides whether it is carried. Raises `NoMember`, `EntryNotFound`, `AskRefused`, ``AccessRefused``.
    """
    if actor.organization_id is None:
        raise NoMember
    own = organizations.get_organization(organization_id=actor.organization_id)
    access.require(actor=actor, right=EDIT, organization_id=own.id, division_code=own.division_code)
    member = models.Member.objects.filter(organization_id=own.id).first()
    if member is None:
        raise NoMember
    row = _row(resource, items, days, scenario, legal_basis)
    waiting = tables.Ask.objects.filter(
        consumer=member.code,
        resource=resource,
        state__in=[AskState.PROPOSED.value, AskState.NEW.value, AskState.OPEN.value],
    )
    if waiting.exists():
        raise AskRefused
    row.consumer, row.by, row.asked_at = member.code, by_words(actor), now
    row.state, row.organization_id, row.division_code = AskState.PROPOSED.value, own.id, own.division_code
    row.save(force_insert=True)
    publish(AskProposed(id=row.id), now=now)
    current().object("exchange_ask", row.id)
    return row.id


@command("exchange.carry_ask")
def carry_ask(*, ask: UUID, actor: Actor, now: datetime) -> None:
    """Let a department's request go on its way to the other node, in this node's name.

    Raises `AskNotFound`, `EntryNotFound`, ``AccessRefused``.
    """
    access.require(actor=actor, right=OPERATE)
    row = _proposed(ask)
    found = _row(row.resource, row.items, row.days, row.scenario, row.legal_basis)  # it may be offered no more
    row.target, row.state = found.target, AskState.NEW.value
    row.save(update_fields=["target", "state"])
    current().object("exchange_ask", row.id)
    issuing.mark_changed()


@command("exchange.decline_ask")
def decline_ask(*, ask: UUID, reason: str, actor: Actor, now: datetime) -> None:
    """Turn a department's request down before it is carried; its steward reads the reason.

    Raises `AskNotFound`, `AskRefused` without a reason, ``AccessRefused``.
    """
    access.require(actor=actor, right=OPERATE)
    row = _proposed(ask)
    if not reason.strip():
        raise AskRefused
    row.state, row.note, row.answered_at = AskState.DECLINED.value, reason.strip()[:MOST_TEXT], now
    row.save(update_fields=["state", "note", "answered_at"])
    publish(AskDeclined(id=row.id), now=now)
    current().object("exchange_ask", row.id)


@command("exchange.withdraw_ask")
def withdraw_ask(*, ask: UUID, actor: Actor, now: datetime) -> None:
    """Take back a request of the actor's organisation that was not carried yet.

    Raises `AskNotFound`, ``AccessRefused``.
    """
    row = _proposed(ask)
    if row.organization_id is None or row.organization_id != actor.organization_id:
        raise AskNotFound
    access.require(actor=actor, right=EDIT, organization_id=row.organization_id, division_code=row.division_code)
    row.state, row.note, row.answered_at = AskState.DECLINED.value, "withdrawn", now
    row.save(update_fields=["state", "note", "answered_at"])
    current().object("exchange_ask", row.id)


def _proposed(ask: UUID) -> tables.Ask:
    row = tables.Ask.objects.select_for_update().filter(id=ask, state=AskState.PROPOSED.value).first()
    if row is None:
        raise AskNotFound
    return row


def _row(resource: str, items: Sequence[str], days: int, scenario: str, legal_basis: str) -> tables.Ask:
    """Give a request that fits what another node offers, not kept yet."""
    if not scenario.strip() or not legal_basis.strip() or not 1 <= days <= MOST_DAYS:
        raise AskRefused
    for node in documents.around():
        entry = next((one for one in documents.entries_of(node) if one["code"] == resource), None)
        if entry is None or not items or not set(items) <= {one["code"] for one in entry["items"]}:
            continue
        return tables.Ask(
            resource=resource,
            target=node.code,
            items=sorted(set(items)),
            days=days,
            scenario=scenario.strip()[:MOST_TEXT],
            legal_basis=legal_basis.strip()[:MOST_TEXT],
        )
    raise EntryNotFound
