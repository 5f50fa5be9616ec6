"""Second factors: time-based codes (RFC 6238) and recovery codes, kept in django-allauth's tables with encrypted secrets.

A code is good once: the step it was computed for is kept under a row lock, so that two processes cannot both accept it.
"""

from __future__ import annotations

import hmac
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from allauth.mfa.utils import decrypt, encrypt
from django.conf import settings

from furong.foundation.access.queries import require
from furong.foundation.access.values import Actor
from furong.foundation.audit.commands import command, current
from furong.foundation.identity import models
from furong.foundation.identity.errors import (
    AccountNotFound,
    SecondFactorExists,
    SecondFactorMissing,
    SecondFactorNeeded,
    SecondFactorWrong,
)
from furong.foundation.identity.queries import MANAGE, may_manage

PERIOD_SECONDS = 30
STEPS_OF_TOLERANCE = 1


@command("identity.enrol_totp")
def enrol_totp(*, account_id: UUID, secret: str, code: str, actor: Actor, now: datetime) -> list[str]:
    """Set up time-based codes for an account once ``code`` proves that the app has ``secret`` (base 32).

    Returns the recovery codes, each good once; they are shown now and never again. For oneself, or for the account that is
    signing in. Raises ``SecondFactorExists``, ``SecondFactorWrong``, ``AccountNotFound``.
    """
    account = _own(account_id, actor)
    if _factor(account_id) is not None:
        raise SecondFactorExists
    step = _step_of(secret, code, now)
    if step is None:
        raise SecondFactorWrong
    Authenticator(
        user=account,
        type=Authenticator.Type.TOTP,
        data={"secret": encrypt(secret), "last_step": step},
        created_at=now,
        last_used_at=now,
    ).save()
    Authenticator.objects.filter(user_id=account_id, type=Authenticator.Type.RECOVERY_CODES).delete()
    codes: list[str] = RecoveryCodes.activate(account).generate_codes()
    current().object("account", account_id)
    return codes


@command("identity.check_second_factor")
def check_second_factor(*, account_id: UUID, code: str, actor: Actor, now: datetime) -> Literal["totp", "recovery"]:
    """Accept a time-based code or a recovery code, once, and return which it was.

    Raises ``SecondFactorMissing``, ``SecondFactorWrong``. The caller counts failures (`sign_in`).
    """
    factor = _factor(account_id)
    if factor is None:
        raise SecondFactorMissing
    current().object("account", account_id)
    given = "".join(code.split())
    step = _step_of(decrypt(factor.data["secret"]), given, now)
    if step is not None and step > int(factor.data.get("last_step", 0)):
        factor.data["last_step"] = step
        factor.last_used_at = now
        factor.save(update_fields=["data", "last_used_at"])
        return "totp"
    codes = Authenticator.objects.filter(user_id=account_id, type=Authenticator.Type.RECOVERY_CODES).first()
    if codes is not None and len(given) > 6 and RecoveryCodes(codes).validate_code(given):
        return "recovery"
    raise SecondFactorWrong


@command("identity.remove_totp")
def remove_totp(*, account_id: UUID, code: str, actor: Actor, now: datetime) -> None:
    """Remove one's own second factor after a code from it.

    Raises ``SecondFactorNeeded`` for staff where one is required, ``SecondFactorMissing``, ``SecondFactorWrong``.
    """
    account = _own(account_id, actor)
    if account.is_staff and settings.REQUIRE_TOTP:
        raise SecondFactorNeeded
    check_second_factor(account_id=account_id, code=code, actor=actor, now=now)
    Authenticator.objects.filter(user_id=account_id).delete()
    current().object("account", account_id)


@command("identity.reset_totp")
def reset_totp(*, account_id: UUID, actor: Actor, now: datetime) -> None:
    """Remove the second factor of somebody who lost their phone, and sign their devices out.

    Needs ``accounts.manage`` over the account's posts. Raises ``AccountNotFound``, ``SecondFactorMissing``.
    """
    require(actor=actor, right=MANAGE)
    if not may_manage(actor=actor, account_id=account_id, now=now):
        raise AccountNotFound
    if not Authenticator.objects.filter(user_id=account_id).delete()[0]:
        raise SecondFactorMissing
    models.Session.objects.filter(account_id=account_id).delete()
    current().object("account", account_id)


def _own(account_id: UUID, actor: Actor) -> models.Account:
    row = models.Account.objects.filter(pk=account_id, is_active=True).first()
    if row is None or actor.account_id not in {None, account_id}:
        raise AccountNotFound
    return row


def _factor(account_id: UUID) -> Any:
    rows = Authenticator.objects.select_for_update()
    return rows.filter(user_id=account_id, type=Authenticator.Type.TOTP).first()


def _step_of(secret: str, code: str, now: datetime) -> int | None:
    """The time step for which ``code`` is right, a step early or late at most (RFC 6238 section 5.2)."""
    given = "".join(code.split())
    middle = int(now.timestamp()) // PERIOD_SECONDS
    for step in range(middle - STEPS_OF_TOLERANCE, middle + STEPS_OF_TOLERANCE + 1):
        if hmac.compare_digest(format_hotp_value(hotp_value(secret, step)).encode(), given.encode()):
            return step
    return None
