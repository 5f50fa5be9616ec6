"""Sessions: sign-ins recorded, devices ended, and in which post or for whom a session acts."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from furong.foundation.access.queries import require
from furong.foundation.access.values import Actor
from furong.foundation.audit.commands import command, current
from furong.foundation.identity import models
from furong.foundation.identity.errors import (
    AccountNotFound,
    DeviceNotFound,
    MandateNotFound,
    MandateNotInForce,
    NotYourPost,
)
from furong.foundation.identity.queries import MANAGE, mandate_value, may_manage
from furong.foundation.organizations import queries as organizations
from furong.foundation.organizations.values import today


@command("identity.record_sign_in")
def record_sign_in(
    *,
    account_id: UUID,
    method: Literal["password", "totp", "recovery"],
    outcome: Literal["done", "wrong_password", "wrong_code"] = "done",
    actor: Actor,
    now: datetime,
) -> None:
    """Record a sign-in, or an attempt at a known account that failed."""
    if outcome == "done":
        models.Account.objects.filter(pk=account_id).update(last_login=now)
    current().object("account", account_id)
    current().detail(method=method, outcome=outcome)


@command("identity.end_device")
def end_device(*, session_id: UUID, actor: Actor, now: datetime) -> None:
    """Sign one of one's own devices out: its next request is a stranger's. Raises ``DeviceNotFound``."""
    if actor.account_id is None:
        raise DeviceNotFound
    gone, _ = models.Session.objects.filter(id=session_id, account_id=actor.account_id).delete()
    if not gone:
        raise DeviceNotFound
    current().object("session", session_id)


@command("identity.end_other_devices")
def end_other_devices(*, session_id: UUID, actor: Actor, now: datetime) -> int:
    """Sign all of one's own devices out but the one with ``session_id``; returns how many."""
    if actor.account_id is None:
        raise DeviceNotFound
    gone, _ = models.Session.objects.filter(account_id=actor.account_id).exclude(id=session_id).delete()
    current().object("account", actor.account_id)
    current().detail(ended=gone)
    return gone


@command("identity.end_devices_of")
def end_devices_of(*, account_id: UUID, actor: Actor, now: datetime) -> int:
    """Sign all devices of an account out; needs ``accounts.manage`` over it. Returns how many."""
    require(actor=actor, right=MANAGE)
    if not may_manage(actor=actor, account_id=account_id, now=now):
        raise AccountNotFound
    gone, _ = models.Session.objects.filter(account_id=account_id).delete()
    current().object("account", account_id)
    current().detail(ended=gone)
    return gone


@command("identity.choose_post")
def choose_post(*, session_id: UUID, post_id: UUID, actor: Actor, now: datetime) -> None:
    """Let a session act in another of the account's posts from its next request on.

    Raises ``NotYourPost`` for one that the account does not hold today, ``DeviceNotFound``.
    """
    if actor.account_id is None or not actor.is_staff:
        raise NotYourPost
    seats = organizations.posts_of_account(account_id=actor.account_id, on=today(now))
    if post_id not in {seat.post_id for seat in seats}:
        raise NotYourPost
    if not models.Session.objects.filter(id=session_id, account_id=actor.account_id).update(post_id=post_id):
        raise DeviceNotFound
    current().object("post", post_id)


@command("identity.switch_principal")
def switch_principal(*, session_id: UUID, mandate_id: UUID | None, actor: Actor, now: datetime) -> None:
    """Let a session act for the principal of a mandate, or for oneself again without one.

    Raises ``MandateNotFound`` for somebody else's mandate, ``MandateNotInForce``, ``DeviceNotFound``.
    """
    if actor.account_id is None or not actor.is_resident:
        raise MandateNotFound
    if mandate_id is not None:
        row = models.Mandate.objects.select_related("agent").filter(pk=mandate_id, agent_id=actor.account_id).first()
        if row is None:
            raise MandateNotFound
        if not mandate_value(row).is_in_force(today(now)):
            raise MandateNotInForce
        current().object("mandate", mandate_id)
    changed = models.Session.objects.filter(id=session_id, account_id=actor.account_id).update(mandate_id=mandate_id)
    if not changed:
        raise DeviceNotFound
