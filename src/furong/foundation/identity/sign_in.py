"""The way in: password, second factor, first password changed; and the real-name check. Failures are counted before each try.

A sign-in under way is kept in the session as ``pending``: until its last step nobody is signed in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.hashers import make_password
from django.db import OperationalError
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

from furong.foundation.access.errors import SignInNeeded
from furong.foundation.access.values import Actor
from furong.foundation.audit.commands import record_refusal
from furong.foundation.identity import commands, models, ports, queries, throttle
from furong.foundation.identity.errors import (
    AccountDisabled,
    RealNameMismatch,
    RealNameUnavailable,
    SecondFactorWrong,
    WrongCredentials,
)
from furong.foundation.identity.sessions import LABEL
from furong.foundation.identity.values import Account, clean_username, device_label

Step = Literal["code", "enrol", "password", "done"]
PENDING = "pending"
SECRET = "pending_secret"  # noqa: S105 - the key under which it lies in the session
PENDING_FOR = timedelta(minutes=15)
_BACKEND = "django.contrib.auth.backends.ModelBackend"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A sign-in whose password was right and that lacks a step."""

    account: Account
    step: Step
    passed: tuple[str, ...]
    next: str


def authenticate(*, username: str, password: str, address: str, actor: Actor, now: datetime) -> Account:
    """Return the account of a username and its password; nobody is signed in by it yet.

    ``address`` is the caller's network address, for the limit alone. Raises ``WrongCredentials``, ``TooManyAttempts``,
    ``AccountDisabled``. Cost: one password hash (about 50 ms), also for a username that nobody has.
    """
    cleaned = clean_username(username)
    throttle.count(now=now, sign_in_account=cleaned, sign_in_address=address)
    row = models.Account.objects.filter(username=cleaned).first()
    if row is None:
        make_password(password)  # so that the answer takes as long as for a name that somebody has
    if row is None or not row.check_password(password):
        if row is not None:
            commands.record_sign_in(
                account_id=row.pk, method="password", outcome="wrong_password", actor=actor, now=now
            )
        raise WrongCredentials
    throttle.forgive(sign_in_account=cleaned)
    throttle.take_back(sign_in_address=address)
    if not row.is_active:
        raise AccountDisabled
    return queries.get_account(account_id=row.pk)


def begin(*, request: HttpRequest, account: Account, next_url: str, actor: Actor, now: datetime) -> Step:
    """Go on after the right password: signed in, or the step that lacks."""
    return _advance(request, account, (), next_url, actor, now)


def pending(*, request: HttpRequest, now: datetime) -> Pending | None:
    """Return the sign-in under way in this session, or None: none begun, too old, account closed since."""
    kept = request.session.get(PENDING)
    if not isinstance(kept, dict) or now.timestamp() - kept.get("at", 0) > PENDING_FOR.total_seconds():
        return None
    row = models.Account.objects.filter(pk=kept["account"], is_active=True, credentials_version=kept["version"]).first()
    if row is None:
        return None
    account = queries.get_account(account_id=row.pk)
    passed = tuple(kept["passed"])
    return Pending(account=account, step=_next_step(account, passed), passed=passed, next=kept["next"])


def give_code(*, request: HttpRequest, code: str, actor: Actor, now: datetime) -> Step:
    """Take the second factor's code of the sign-in under way and go on.

    Raises ``SecondFactorWrong``, ``TooManyAttempts``, ``SignInNeeded`` when nothing is under way.
    """
    under_way = _under_way(request, now)
    key = str(under_way.account.id)
    throttle.count(now=now, second_factor_account=key)
    try:
        commands.check_second_factor(account_id=under_way.account.id, code=code, actor=actor, now=now)
    except SecondFactorWrong:
        commands.record_sign_in(
            account_id=under_way.account.id, method="totp", outcome="wrong_code", actor=actor, now=now
        )
        raise
    throttle.forgive(second_factor_account=key)
    return _advance(request, under_way.account, (*under_way.passed, "code"), under_way.next, actor, now)


def finish_enrolment(*, request: HttpRequest, actor: Actor, now: datetime) -> Step:
    """Go on after the account under way has set up its second factor (which proved a code)."""
    under_way = _under_way(request, now)
    return _advance(request, under_way.account, (*under_way.passed, "code"), under_way.next, actor, now)


def give_new_password(*, request: HttpRequest, old: str, new: str, actor: Actor, now: datetime) -> Step:
    """Replace the first password of the account under way and go on.

    Raises ``WrongPassword``, ``PasswordRefused``, ``SignInNeeded``, ``TooManyAttempts``.
    """
    under_way = _under_way(request, now)
    if under_way.step != "password":
        raise SignInNeeded
    throttle.count(now=now, sign_in_account=under_way.account.username)
    commands.change_password(
        account_id=under_way.account.id, old=old, new=new, actor=Actor.system("identity.sign_in"), now=now
    )
    throttle.forgive(sign_in_account=under_way.account.username)
    account = queries.get_account(account_id=under_way.account.id)
    return _advance(request, account, under_way.passed, under_way.next, actor, now)


def confirm_real_name(*, number: str, name: str, address: str, actor: Actor, now: datetime) -> UUID:
    """Bind the actor's account to the person with this number and name, and return the person.

    The port answers yes or no only; neither number nor name is kept. Raises ``RealNameMismatch``, ``TooManyAttempts``,
    ``RealNameUnavailable``, ``PersonHasAccount``, ``SignInNeeded``.
    """
    if actor.account_id is None or not actor.is_resident:
        raise SignInNeeded
    key = str(actor.account_id)
    throttle.count(now=now, real_name_account=key, real_name_address=address)
    try:
        person_id = ports.real_name().check(number=number, name=name, actor=actor, now=now)
    except (RealNameUnavailable, OperationalError) as exc:
        throttle.take_back(real_name_account=key, real_name_address=address)
        raise RealNameUnavailable from exc
    if person_id is None:
        refusal = RealNameMismatch()
        record_refusal(actor=actor, what="identity.confirm_real_name", refusal=refusal, now=now)
        raise refusal
    throttle.forgive(real_name_account=key)
    throttle.take_back(real_name_address=address)
    commands.bind_person(
        account_id=actor.account_id, person_id=person_id, display_name="".join(name.split()), actor=actor, now=now
    )
    return person_id


def safe_next(request: HttpRequest, given: str, fallback: str = "") -> str:
    """Return ``given`` when it is a path of this very site, else ``fallback``."""
    fine = given.startswith("/") and url_has_allowed_host_and_scheme(
        given, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return given if fine and len(given) <= 2000 else fallback


def address_of(request: HttpRequest) -> str:
    """Return the caller's network address: the proxy's word for it where a trusted proxy stands before us.

    With n trusted proxies the n-th address from the right of ``X-Forwarded-For`` is believed; what stands left of it a caller may
    have made up. IPv6 addresses count by their /64.
    """
    address = str(request.META.get("REMOTE_ADDR", ""))
    hops = settings.TRUSTED_PROXIES
    if hops:
        given = [part.strip() for part in str(request.META.get("HTTP_X_FORWARDED_FOR", "")).split(",") if part.strip()]
        address = given[-hops] if len(given) >= hops else address
    return ":".join(address.split(":")[:4]) if address.count(":") > 1 else address


def _under_way(request: HttpRequest, now: datetime) -> Pending:
    found = pending(request=request, now=now)
    if found is None:
        raise SignInNeeded
    return found


def _next_step(account: Account, passed: tuple[str, ...]) -> Step:
    if "code" not in passed:
        if account.has_second_factor:
            return "code"
        if account.kind.value == "staff" and settings.REQUIRE_TOTP:
            return "enrol"
    return "password" if account.must_change_password else "done"


def _advance(
    request: HttpRequest, account: Account, passed: tuple[str, ...], next_url: str, actor: Actor, now: datetime
) -> Step:
    step = _next_step(account, passed)
    row = models.Account.objects.get(pk=account.id)
    if step != "done":
        request.session[PENDING] = {
            "account": str(account.id),
            "version": row.credentials_version,
            "passed": list(passed),
            "next": next_url,
            "at": int(now.timestamp()),
        }
        return step
    request.session.pop(PENDING, None)
    request.session.pop(SECRET, None)
    login(request, row, backend=_BACKEND)
    request.session[LABEL] = device_label(str(request.META.get("HTTP_USER_AGENT", "")))
    commands.record_sign_in(
        account_id=account.id, method="totp" if "code" in passed else "password", actor=actor, now=now
    )
    return "done"


def refresh_children(*, actor: Actor, now: datetime) -> None:
    """Bring a parent's mandates in line with the register, or leave them be while it cannot be asked."""
    try:
        commands.refresh_child_mandates(actor=actor, now=now)
    except (OperationalError, RealNameUnavailable):
        return
