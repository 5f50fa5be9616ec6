"""Orders of secrecy: who reads for an investigation is not seen by those who are read, until the order ends.

The entry is written as always, and auditors see it. Only the person's own page leaves it out while the order is in force, and
shows it afterwards with the day until which it was kept back (个人信息保护法, art. 18: no notice where it would hinder the duty).
Whoever gives an order does not read under it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection

from furong.foundation.access import queries as access
from furong.foundation.access.errors import AccessRefused, PurposeMissing
from furong.foundation.access.values import Actor, Basis, register_right
from furong.foundation.audit.commands import command, current
from furong.foundation.audit.errors import SecrecyNotInForce, SecrecyTooLong
from furong.foundation.codes.ids import new_id
from furong.foundation.codes.statements import all_rows

ORDER = register_right("audit.secrecy", zh="决定侦查保密查询", en="Order secrecy of reads for an investigation")
LONGEST = timedelta(days=183)


@dataclass(frozen=True, slots=True, kw_only=True)
class SecrecyOrder:
    """An order: whose investigation, given when and by which account, in force until when."""

    id: UUID
    reference: str
    account_id: UUID
    ordered_at: datetime
    until: datetime

    def is_in_force(self, *, now: datetime) -> bool:
        """Tell whether reads may be made under it."""
        return now < self.until


def list_orders(*, actor: Actor, limit: int = 100) -> tuple[SecrecyOrder, ...]:
    """Return the orders of the actor's organisation, the last given first. Raises ``AccessRefused``."""
    if actor.organization_id is None:
        raise AccessRefused
    access.require(actor=actor, right=ORDER, organization_id=actor.organization_id)
    return _orders("organization_id = %s ORDER BY ordered_at DESC, id LIMIT %s", [actor.organization_id, limit])


def orders_open_to(*, actor: Actor, now: datetime) -> tuple[SecrecyOrder, ...]:
    """Return the orders under which the actor may read: in force, of their organisation, not their own."""
    if actor.organization_id is None or actor.account_id is None:
        return ()
    condition = "organization_id = %s AND until > %s AND account_id <> %s ORDER BY reference, id"
    return _orders(condition, [actor.organization_id, now, actor.account_id])


def _orders(condition: str, params: list[object]) -> tuple[SecrecyOrder, ...]:
    rows = all_rows(
        f"SELECT id, reference, account_id, ordered_at, until FROM audit_secrecy_order WHERE {condition}", params
    )
    names = ("id", "reference", "account_id", "ordered_at", "until")
    return tuple(SecrecyOrder(**dict(zip(names, row, strict=True))) for row in rows)


@command("audit.order_secrecy")
def order_secrecy(*, reference: str, until: datetime, actor: Actor, basis: Basis, now: datetime) -> UUID:
    """Order that reads of the actor's organisation under it stay hidden until ``until``; it returns its key.

    ``reference`` is the investigation's file number. Raises ``AccessRefused``, ``PurposeMissing``, `SecrecyTooLong`.
    """
    organization_id = _may_order(actor, basis, None)
    if not reference.strip():
        raise PurposeMissing
    _check(until, now)
    order_id = new_id()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO audit_secrecy_order (id, organization_id, account_id, reference, ordered_at, until) "
            "VALUES (%s, %s, %s, %s, %s, %s)",
            [order_id, organization_id, actor.account_id, reference.strip(), now, until],
        )
    current().object("secrecy_order", order_id)
    current().detail(until=until)
    return order_id


@command("audit.end_secrecy")
def end_secrecy(*, order_id: UUID, until: datetime, actor: Actor, basis: Basis, now: datetime) -> None:
    """Have an order that is in force end at ``until``: at once, earlier, or later than it said.

    Each time it is on record. Raises `SecrecyNotInForce`, `SecrecyTooLong`, ``AccessRefused``, ``PurposeMissing``.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT organization_id FROM audit_secrecy_order WHERE id = %s AND until > %s FOR UPDATE", [order_id, now]
        )
        row = cursor.fetchone()
        if row is None:
            raise SecrecyNotInForce
        _may_order(actor, basis, row[0])
        if until > now:
            _check(until, now)
        cursor.execute("UPDATE audit_secrecy_order SET until = %s WHERE id = %s", [max(until, now), order_id])
    current().object("secrecy_order", order_id)
    current().detail(until=max(until, now))


def _may_order(actor: Actor, basis: Basis, organization_id: UUID | None) -> UUID:
    if not basis.is_stated or not basis.legal_basis.strip():
        raise PurposeMissing
    owner = organization_id or actor.organization_id
    if owner is None or actor.account_id is None:
        raise AccessRefused
    access.require(actor=actor, right=ORDER, organization_id=owner)
    return owner


def _check(until: datetime, now: datetime) -> None:
    if not now < until <= now + LONGEST:
        raise SecrecyTooLong
