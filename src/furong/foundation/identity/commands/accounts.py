"""Accounts: made, bound to persons, closed, and their passwords."""

from __future__ import annotations

import re
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from furong.foundation.access.errors import AccessRefused
from furong.foundation.access.queries import require
from furong.foundation.access.queries import scope as scope_of
from furong.foundation.access.values import Actor, Assurance
from furong.foundation.audit.commands import command, current
from furong.foundation.identity import models
from furong.foundation.identity.errors import (
    AccountNotFound,
    AdministratorExists,
    PasswordRefused,
    PersonHasAccount,
    PostWithoutRight,
    UsernameRefused,
    UsernameTaken,
    WrongPassword,
)
from furong.foundation.identity.queries import MANAGE, may_manage
from furong.foundation.identity.values import AccountKind, FirstAdministrator, clean_username, is_username
from furong.foundation.organizations import commands as organizations
from furong.foundation.organizations import queries as organization_queries
from furong.foundation.organizations.values import Name, today


@command("identity.register_resident")
def register_resident(*, username: str, password: str, display_name: str = "", actor: Actor, now: datetime) -> UUID:
    """Make a resident's account and return its identifier; it is bound to nobody yet.

    Raises ``UsernameRefused``, ``UsernameTaken``, ``PasswordRefused``.
    """
    row = _new(username, password, AccountKind.RESIDENT, display_name, now)
    current().object("account", row.pk)
    return row.pk


@command("identity.create_staff_account")
def create_staff_account(
    *,
    username: str,
    display_name: str,
    password: str,
    post_id: UUID | None = None,
    person_id: UUID | None = None,
    actor: Actor,
    now: datetime,
) -> UUID:
    """Make an account for a member of staff and return its identifier.

    The password is a first one, changed at the first sign-in. With ``post_id`` the account is appointed at once; whoever
    administers less than everything must name one in their scope. Raises ``UsernameRefused``, ``UsernameTaken``,
    ``PasswordRefused``, ``AccessRefused``.
    """
    require(actor=actor, right=MANAGE)
    if post_id is not None:
        post = organization_queries.get_post(post_id=post_id)
        organization = organization_queries.get_organization(organization_id=post.organization_id)
        require(actor=actor, right=MANAGE, organization_id=organization.id, division_code=organization.division_code)
    elif not scope_of(actor=actor, right=MANAGE).everything:
        raise AccessRefused
    row = _new(username, password, AccountKind.STAFF, display_name, now, person_id=person_id, must_change=True)
    current().object("account", row.pk)
    if post_id is not None:
        organizations.appoint(account_id=row.pk, post_id=post_id, actor=actor, now=now)
    return row.pk


@command("identity.create_first_administrator")
def create_first_administrator(
    *,
    username: str,
    display_name: str,
    password: str,
    department: str,
    division_code: str = "",
    post_template: str,
    actor: Actor,
    now: datetime,
) -> FirstAdministrator:
    """Make the account of the first administrator, in a post made for it, and say where it sits.

    For the console of a new platform: only while no account holds a post with ``accounts.manage``; everybody else's account is
    made by an administrator. Without ``division_code`` it sits at the top of the divisions. Raises ``AdministratorExists``,
    ``AccessRefused`` for everybody but the system, ``NoResponsibleOrganization``, and as `create_staff_account`.
    """
    if not actor.is_system:
        raise AccessRefused
    with connection.cursor() as cursor:  # two consoles at once make one administrator
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('identity:first_administrator', 23))")
    if _has_administrator(now):
        raise AdministratorExists
    top = organization_queries.list_divisions(parent_code="")
    place = division_code or (top[0].code if top else "")
    body = organization_queries.get_responsible(department=department, division_code=place)
    post_id = organizations.create_post(
        organization_id=body.id, title=Name(zh=""), template_code=post_template, actor=actor, now=now
    )
    if not _manages(post_id):
        raise PostWithoutRight(post=post_template)
    account_id = create_staff_account(
        username=username, display_name=display_name, password=password, post_id=post_id, actor=actor, now=now
    )
    current().object("account", account_id)
    return FirstAdministrator(account_id=account_id, organization=body.name.zh, post=post_template)


def _has_administrator(now: datetime) -> bool:
    staff = models.Account.objects.filter(kind=AccountKind.STAFF, is_active=True).order_by("created_at")
    for account_id in staff.values_list("id", flat=True):
        seats = organization_queries.posts_of_account(account_id=account_id, on=today(now))
        if any(_manages(seat.post_id) for seat in seats):
            return True
    return False


def _manages(post_id: UUID) -> bool:
    return any(grant.right == MANAGE for grant in organization_queries.get_post(post_id=post_id).grants)


@command("identity.bind_person")
def bind_person(*, account_id: UUID, person_id: UUID, display_name: str, actor: Actor, now: datetime) -> None:
    """Bind an account to the person whom the real-name port confirmed; `sign_in.confirm_real_name` calls it.

    Raises ``PersonHasAccount`` when another open account of the kind is the person's, ``AccountNotFound``.
    """
    if actor.account_id != account_id and not actor.is_system:
        raise AccountNotFound
    row = _locked(account_id)
    if row.person_id is not None and row.person_id != person_id:
        raise PersonHasAccount
    row.person_id, row.display_name = person_id, display_name.strip()[:100]
    row.assurance, row.assured_at = max(row.assurance, int(Assurance.VERIFIED)), now
    _save(row, PersonHasAccount)
    current().object("account", account_id)
    current().subject(person_id, fields=("account",))


@command("identity.confirm_in_person")
def confirm_in_person(*, account_id: UUID, actor: Actor, now: datetime) -> None:
    """Record that the holder of an account showed their document at a counter.

    Needs ``accounts.manage``. The account must be bound to a person already. Raises ``AccountNotFound``.
    """
    require(actor=actor, right=MANAGE)
    row = _locked(account_id)
    if row.person_id is None or row.kind != AccountKind.RESIDENT:
        raise AccountNotFound
    row.assurance, row.assured_at = int(Assurance.IN_PERSON), now
    row.save(update_fields=["assurance", "assured_at"])
    current().object("account", account_id)
    current().subject(row.person_id, fields=("account",))


@command("identity.change_password")
def change_password(*, account_id: UUID, old: str, new: str, actor: Actor, now: datetime) -> None:
    """Replace one's own password; every other device is signed out.

    Raises ``WrongPassword``, ``PasswordRefused``, ``AccountNotFound``.
    """
    if actor.account_id != account_id and not actor.is_system:
        raise AccountNotFound
    row = _locked(account_id)
    if not row.check_password(old):
        raise WrongPassword
    if old == new:
        raise PasswordRefused
    _set_password(row, new)
    row.must_change_password = False
    row.save()
    current().object("account", account_id)


@command("identity.reset_password")
def reset_password(*, account_id: UUID, password: str, actor: Actor, now: datetime) -> None:
    """Give an account a first password again; all its devices are signed out.

    Needs ``accounts.manage`` over the account's posts. Raises ``AccountNotFound``, ``PasswordRefused``.
    """
    row = _managed(account_id, actor, now)
    _set_password(row, password)
    row.must_change_password = True
    row.save()
    models.Session.objects.filter(account_id=account_id).delete()
    current().object("account", account_id)


@command("identity.disable_account")
def disable_account(*, account_id: UUID, reason: str = "", actor: Actor, now: datetime) -> None:
    """Close an account: its devices are signed out and, for staff, its appointments end.

    Needs ``accounts.manage`` over the account's posts. Raises ``AccountNotFound``.
    """
    row = _managed(account_id, actor, now)
    row.is_active, row.disabled_at = False, now
    row.save(update_fields=["is_active", "disabled_at"])
    models.Session.objects.filter(account_id=account_id).delete()
    if row.kind == AccountKind.STAFF:
        organizations.end_appointments_of(account_id=account_id, reason=reason, actor=actor, now=now)
    current().object("account", account_id)
    current().detail(reason=reason)


@command("identity.enable_account")
def enable_account(*, account_id: UUID, actor: Actor, now: datetime) -> None:
    """Open a closed account again, without the posts it had.

    Needs ``accounts.manage`` over everything, for a closed account has no post to be in a scope by. Raises ``AccountNotFound``,
    ``PersonHasAccount`` when the person opened another meanwhile.
    """
    row = _managed(account_id, actor, now)
    row.is_active, row.disabled_at = True, None
    _save(row, PersonHasAccount)
    current().object("account", account_id)


@command("identity.rename_account")
def rename_account(*, account_id: UUID, display_name: str, actor: Actor, now: datetime) -> None:
    """Change the name shown for a staff account. Needs ``accounts.manage`` over its posts."""
    row = _managed(account_id, actor, now)
    if row.kind != AccountKind.STAFF:  # a resident's name is the register's
        raise AccountNotFound
    row.display_name = display_name.strip()[:100]
    row.save(update_fields=["display_name"])
    current().object("account", account_id)


@command("identity.set_phone")
def set_phone(*, phone: str, actor: Actor, now: datetime) -> None:
    """Keep the telephone number that one's own notices go to; an empty one ends them."""
    row = _locked(actor.account_id)
    cleaned = re.sub(r"[^\d+]", "", phone)[:20]
    row.phone = cleaned
    row.save(update_fields=["phone"])
    current().object("account", row.pk)
    current().detail(has_phone=bool(cleaned))


@command("identity.set_language")
def set_language(*, language: str, actor: Actor, now: datetime) -> None:
    """Keep the language in which one's own notices are written; an unknown one is left out."""
    row = _locked(actor.account_id)
    row.language = language if language in dict(settings.LANGUAGES) else ""
    row.save(update_fields=["language"])
    current().object("account", row.pk)


def _new(
    username: str,
    password: str,
    kind: AccountKind,
    display_name: str,
    now: datetime,
    *,
    person_id: UUID | None = None,
    must_change: bool = False,
) -> models.Account:
    cleaned = clean_username(username)
    if not is_username(cleaned):
        raise UsernameRefused
    row = models.Account(
        username=cleaned,
        kind=kind,
        display_name=display_name.strip()[:100],
        person_id=person_id,
        assurance=int(Assurance.REGISTERED if kind is AccountKind.RESIDENT else Assurance.IN_PERSON),
        must_change_password=must_change,
        created_at=now,
    )
    if models.Account.objects.filter(username=cleaned).exists():
        raise UsernameTaken
    _set_password(row, password)
    row.credentials_version = 0
    _save(row, UsernameTaken, insert=True)
    return row


def _set_password(row: models.Account, password: str) -> None:
    try:
        validate_password(password, user=row)
    except ValidationError as exc:
        raise PasswordRefused from exc
    row.set_password(password)


def _save(row: models.Account, taken: type[UsernameTaken | PersonHasAccount], *, insert: bool = False) -> None:
    try:
        with transaction.atomic():
            row.save(force_insert=insert)
    except IntegrityError as exc:
        raise (PersonHasAccount if "account_person" in str(exc) else taken) from exc


def _locked(account_id: UUID | None) -> models.Account:
    row = models.Account.objects.select_for_update().filter(pk=account_id).first() if account_id else None
    if row is None:
        raise AccountNotFound
    return row


def _managed(account_id: UUID, actor: Actor, now: datetime) -> models.Account:
    """The account, locked, when the actor administers it; otherwise it does not exist."""
    require(actor=actor, right=MANAGE)
    if not may_manage(actor=actor, account_id=account_id, now=now):
        raise AccountNotFound
    return _locked(account_id)
