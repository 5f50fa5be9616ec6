"""Reads: who asks in a request, accounts, devices, mandates."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal, cast
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest

from furong.foundation.access.queries import allows, require, rights_of_post
from furong.foundation.access.queries import scope as scope_of
from furong.foundation.access.values import Actor, ActorKind, Assurance, Scope
from furong.foundation.codes.statements import first_row
from furong.foundation.identity import models
from furong.foundation.identity.errors import AccountNotFound
from furong.foundation.identity.sessions import SessionStore
from furong.foundation.identity.values import (
    Account,
    AccountKind,
    Device,
    Mandate,
    MandateBasis,
    Power,
    SignedIn,
    clean_username,
)
from furong.foundation.organizations import queries as organizations
from furong.foundation.organizations.values import Page, Seat, today

MANAGE = "accounts.manage"

_ACCOUNT_OF = "SELECT id FROM identity_account WHERE person_id = %s AND kind = %s AND is_active LIMIT 1"


def signed_in_of_request(request: HttpRequest) -> SignedIn | None:
    """Return who is signed in, or None. One read a request, however often it is asked."""
    session = getattr(request, "session", None)
    if not isinstance(session, SessionStore) or session.session_key is None:
        return None
    return session.signed_in


def actor_for_request(request: HttpRequest) -> Actor:
    """Return who asks: the account, the post it acts in now, or the principal it acts for.

    A staff account without a post today holds no rights. Two reads at most: the session, and the post's rights once a second.
    """
    request_id = str(getattr(request, "request_id", ""))
    found = signed_in_of_request(request)
    if found is None:
        return Actor.anonymous(request_id=request_id)
    return actor_of(found, request_id=request_id)


def actor_of(found: SignedIn, *, request_id: str = "") -> Actor:
    """Return the actor of a session that was read."""
    if found.kind is AccountKind.STAFF:
        rights = rights_of_post(post_id=found.post_id) if found.post_id else ()
        return Actor(
            kind=ActorKind.STAFF,
            account_id=found.account_id,
            person_id=found.person_id,
            post_id=found.post_id,
            organization_id=found.organization_id,
            division_code=found.division_code,
            rights=frozenset(grant.right for grant in rights),
            assurance=found.assurance,
            label=found.post_title,
            organization_label=found.organization_label,
            request_id=request_id,
        )
    return Actor(
        kind=ActorKind.RESIDENT,
        account_id=found.account_id,
        person_id=found.person_id,
        assurance=found.assurance,
        principal=found.principal,
        request_id=request_id,
    )


# Accounts


def find_account(*, account_id: UUID) -> Account | None:
    """Return the account, closed or not, or None."""
    row = _with_factor(models.Account.objects.filter(pk=account_id)).first()
    return account_value(row) if row else None


def get_account(*, account_id: UUID) -> Account:
    """Return the account. Raises ``AccountNotFound``."""
    found = find_account(account_id=account_id)
    if found is None:
        raise AccountNotFound
    return found


def find_account_of_person(*, person_id: UUID, kind: AccountKind = AccountKind.RESIDENT) -> Account | None:
    """Return a person's open account of a kind, or None. For notices and for messages."""
    row = models.Account.objects.filter(person_id=person_id, kind=kind, is_active=True).first()
    return account_value(row) if row else None


def find_account_id(*, person_id: UUID) -> UUID | None:
    """Return the id of a person's open resident account, or None. One read by index."""
    row = first_row(_ACCOUNT_OF, [person_id, AccountKind.RESIDENT.value])
    return row[0] if row is not None else None


def find_staff_account(*, username: str, actor: Actor) -> Account | None:
    """Return the open staff account with a username, or None: for appointing somebody to a post.

    For those who administer posts or accounts. Raises ``AccessRefused``.
    """
    if not allows(actor=actor, right="organizations.manage"):
        require(actor=actor, right=MANAGE)
    row = models.Account.objects.filter(
        username=clean_username(username), kind=AccountKind.STAFF, is_active=True
    ).first()
    return account_value(row) if row else None


def phone_of_account(*, account_id: UUID) -> str:
    """Return the telephone number that notices go to, empty without one. For channels only; never logged."""
    return models.Account.objects.filter(pk=account_id).values_list("phone", flat=True).first() or ""


def display_names(*, account_ids: Iterable[UUID]) -> dict[UUID, str]:
    """Return names to show for accounts; unknown ones are left out. One read."""
    rows = models.Account.objects.filter(pk__in=set(account_ids)).values_list("pk", "display_name", "username")
    return {pk: name or username for pk, name, username in rows}


def list_staff(
    *, actor: Actor, now: datetime, text: str = "", organization_id: UUID | None = None, page: int = 1, size: int = 50
) -> Page[Account]:
    """Return a page of the staff accounts that the actor administers, by username.

    ``text`` is part of the username or name. Whoever administers everything also sees accounts without a post.
    Raises ``AccessRefused``.
    """
    require(actor=actor, right=MANAGE)
    scope = scope_of(actor=actor, right=MANAGE)
    rows = _with_factor(models.Account.objects.filter(kind=AccountKind.STAFF))
    if organization_id is not None:
        organization = organizations.get_organization(organization_id=organization_id)
        require(actor=actor, right=MANAGE, organization_id=organization.id, division_code=organization.division_code)
        ids = organizations.accounts_of_organization(organization_id=organization_id, on=today(now))
        rows = rows.filter(pk__in=ids)
    elif not scope.everything:
        rows = rows.filter(pk__in=organizations.accounts_in_scope(scope=scope, on=today(now)))
    if text.strip():
        rows = rows.filter(Q(username__contains=text.strip().lower()) | Q(display_name__contains=text.strip()))
    number, size = max(1, page), min(max(1, size), 200)
    start = (number - 1) * size
    items = tuple(account_value(row) for row in rows.order_by("username")[start : start + size])
    return Page(items=items, total=rows.count(), number=number, size=size)


def may_manage(*, actor: Actor, account_id: UUID, now: datetime) -> bool:
    """Tell whether the actor administers an account: all posts it holds today lie in their scope."""
    scope: Scope = scope_of(actor=actor, right=MANAGE)
    if scope.everything:
        return True
    seats = organizations.posts_of_account(account_id=account_id, on=today(now))
    return bool(seats) and all(
        scope.covers(organization_id=seat.organization_id, division_code=seat.division_code) for seat in seats
    )


def seats_of(*, actor: Actor, now: datetime) -> list[Seat]:
    """Return the posts that the actor's account may act in today, for the post switcher."""
    if actor.account_id is None or not actor.is_staff:
        return []
    return organizations.posts_of_account(account_id=actor.account_id, on=today(now))


# Devices


def list_devices(*, account_id: UUID, session_id: UUID | None = None, now: datetime) -> list[Device]:
    """Return an account's signed-in browsers, last seen first; ``session_id`` marks this one."""
    rows = models.Session.objects.filter(account_id=account_id, expires_at__gt=now).order_by("-last_seen_at")
    return [
        Device(
            id=row.id,
            label=row.label,
            created_at=row.created_at,
            last_seen_at=row.last_seen_at,
            is_this=row.id == session_id,
        )
        for row in rows
    ]


# Mandates


def list_mandates_of_agent(*, account_id: UUID, now: datetime) -> list[Mandate]:
    """Return the mandates in force by which an account may act, children first."""
    rows = _in_force(now).filter(agent_id=account_id).order_by("principal_kind", "principal_label", "id")
    return [mandate_value(row) for row in rows.select_related("agent")]


def list_mandates_given(*, account_id: UUID, now: datetime, with_ended: bool = False) -> list[Mandate]:
    """Return the mandates that an account has given, newest first."""
    rows = models.Mandate.objects.all() if with_ended else _in_force(now)
    return [
        mandate_value(row)
        for row in rows.filter(granted_by_id=account_id).select_related("agent").order_by("-granted_at")
    ]


def list_mandates_for(*, principal_id: UUID, now: datetime) -> list[Mandate]:
    """Return the mandates in force to act for a person or an enterprise."""
    return [
        mandate_value(row)
        for row in _in_force(now).filter(principal_id=principal_id).select_related("agent").order_by("granted_at")
    ]


def find_mandate(*, mandate_id: UUID) -> Mandate | None:
    """Return the mandate, in force or not, or None."""
    row = models.Mandate.objects.select_related("agent").filter(pk=mandate_id).first()
    return mandate_value(row) if row else None


def holds_power(*, actor: Actor, power: Power, now: datetime) -> bool:
    """Tell whether the actor may use ``power`` for the principal it acts for; for itself, always."""
    if actor.principal is None:
        return True
    found = find_mandate(mandate_id=actor.principal.mandate_id)
    return (
        found is not None
        and found.agent_id == actor.account_id
        and found.is_in_force(today(now))
        and power in found.powers
    )


def _in_force(now: datetime) -> QuerySet[models.Mandate]:
    day = today(now)
    return models.Mandate.objects.filter(Q(until_on=None) | Q(until_on__gt=day), revoked_at=None, from_on__lte=day)


def _with_factor(rows: QuerySet[models.Account]) -> QuerySet[models.Account]:
    factor = Authenticator.objects.filter(user_id=OuterRef("pk"), type=Authenticator.Type.TOTP)
    return rows.annotate(has_second_factor=Exists(factor))


def account_value(row: models.Account) -> Account:
    """Give the value of a row; for this room's own commands."""
    return Account(
        id=row.pk,
        username=row.username,
        kind=AccountKind(row.kind),
        display_name=row.display_name,
        person_id=row.person_id,
        assurance=Assurance(row.assurance),
        is_active=row.is_active,
        must_change_password=row.must_change_password,
        created_at=row.created_at,
        language=row.language,
        last_login=row.last_login,
        has_second_factor=bool(getattr(row, "has_second_factor", False)),
    )


def mandate_value(row: models.Mandate) -> Mandate:
    """Give the value of a row; for this room's own commands."""
    return Mandate(
        id=row.pk,
        principal_kind=cast("Literal['person', 'enterprise']", row.principal_kind),
        principal_id=row.principal_id,
        principal_label=row.principal_label,
        agent_id=row.agent_id,
        agent_label=row.agent.display_name or row.agent.username,
        powers=tuple(Power(power) for power in row.powers),
        basis=MandateBasis(row.basis),
        from_on=row.from_on,
        until_on=row.until_on,
        granted_at=row.granted_at,
        granted_by=row.granted_by_id,
        revoked_at=row.revoked_at,
    )
