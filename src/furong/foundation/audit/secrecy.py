"""Orders of secrecy: who reads for an investigation is not seen by those who are read, until the order ends.

The entry is written as always, and auditors see it. Only the person's own page leaves it out while the order is in force, and
shows it afterwards with the day until which it was kept back (个人信息保护法, art. 18: no notice where it would hinder the duty).
Whoever gives an order does not read under it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection

from furong.foundation.access import queries as access
from furong.foundation.access.errors import AccessRefused, PurposeMissing
from furong.foundation.access.values import Actor, Basis, register_right
from furong.foundation.audit.commands import command, current
from furong.foundation.audit.errors import SecrecyNotInForce, SecrecyTooLong
from furong.foundation.codes.ids import new_id

ORDER = register_right("audit.secrecy", zh="决定侦查保密查询", en="Order secrecy of reads for an investigation")
LONGEST = timedelta(days=183)


@command("audit.order_secrecy")
def order_secrecy(*, reference: str, until: datetime, actor: Actor, basis: Basis, now: datetime) -> UUID:
    """This function will order that reads of the actor's organisation under it stay hidden until ``until``; it returns its key.

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
    """This function will have an order that is in force end at ``until``: at once, earlier, or later than it said.

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
