"""Writes: organisations, units, posts and appointments. Each is one transaction with one audit entry.

A post's grants are compiled into ``access`` in the same transaction. Taking a right away returns only when no process
decides by it any more; a transfer changes no post, so it costs no wait: appointments are read anew in every request.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q
from pypinyin import lazy_pinyin

from furong.foundation.access.commands import set_post_rights
from furong.foundation.access.queries import require
from furong.foundation.access.queries import scope as scope_of
from furong.foundation.access.values import RIGHTS, Actor, PostRight
from furong.foundation.audit.commands import command, current
from furong.foundation.codes.credit_codes import parse_credit_code
from furong.foundation.codes.errors import Refusal
from furong.foundation.codes.ids import new_id
from furong.foundation.organizations import models, queries
from furong.foundation.organizations.errors import (
    AlreadyAppointed,
    AppointmentNotFound,
    CodeRefused,
    CodeTaken,
    DepartmentUnknown,
    NameMissing,
    OrganizationClosed,
    OrganizationInUse,
    OrganizationNotFound,
    ParentRefused,
    PeriodRefused,
    PostInUse,
    PostNotFound,
    RightBeyondOwn,
    RightUnknown,
    TemplateUnknown,
    UnitExists,
    UnitInUse,
    UnitNotFound,
)
from furong.foundation.organizations.values import Grant, Name, Reach, prefix_of, today

MANAGE = "organizations.manage"


# Organisations


@command("organizations.create_organization")
def create_organization(
    *,
    name: Name,
    department: str,
    division_code: str,
    code: str = "",
    parent_id: UUID | None = None,
    short_zh: str = "",
    address: str = "",
    phone: str = "",
    actor: Actor,
    now: datetime,
) -> UUID:
    """Add an organisation and return its identifier.

    ``code`` is its unified social credit code (GB 32100); a body without one of its own gets a code of the platform's. Without
    ``parent_id`` it stands below the nearest organisation of its department. Needs ``organizations.manage`` over the division.
    Raises ``CodeRefused``, ``CodeTaken``, ``NameMissing``, ``DivisionUnknown``, ``ParentRefused``.
    """
    require(actor=actor, right=MANAGE, division_code=division_code)
    division = queries.get_division(code=division_code)
    _check_department(department)
    key = new_id()
    parent = parent_id or _nearest_above(department, division.parent_code)
    if parent is not None:
        _open_organization(parent)
    row = models.Organization(
        id=key,
        code=_credit_code(code, division.code) or f"P{key.hex[-17:].upper()}",
        name_zh=_name(name),
        name_en=name.en.strip(),
        name_pinyin=_pinyin(name.zh),
        short_zh=short_zh.strip(),
        department_id=department,
        division_code=division.code,
        level=int(division.level),
        parent_id=parent,
        address=address.strip(),
        phone=phone.strip(),
        established_on=today(now),
        changed_at=now,
    )
    _save_organization(row, insert=True)
    current().object("organization", key)
    if parent is not None:
        _compile_above(parent, now=now)
    return key


@command("organizations.change_organization")
def change_organization(
    *,
    organization_id: UUID,
    name: Name,
    short_zh: str,
    address: str,
    phone: str,
    parent_id: UUID | None,
    actor: Actor,
    now: datetime,
) -> None:
    """Change what is shown of an organisation and where it stands; all values replace the old ones.

    A later import of the pack leaves a changed organisation alone. Rights that reach down the tree follow a new parent.
    Raises ``OrganizationNotFound``, ``OrganizationClosed``, ``NameMissing``, ``ParentRefused``.
    """
    row = _managed(organization_id, actor)
    if parent_id is not None:
        _open_organization(parent_id)
        if parent_id in queries.ids_of_subtree(organization_id=organization_id):
            raise ParentRefused
    before = row.parent_id
    row.name_zh, row.name_en, row.name_pinyin = _name(name), name.en.strip(), _pinyin(name.zh)
    row.short_zh, row.address, row.phone = short_zh.strip(), address.strip(), phone.strip()
    row.parent_id, row.changed_at, row.edited_at = parent_id, now, now
    _save_organization(row)
    current().object("organization", organization_id)
    if before != parent_id:
        for changed in (before, parent_id):
            if changed is not None:
                _compile_above(changed, now=now)


@command("organizations.abolish_organization")
def abolish_organization(*, organization_id: UUID, actor: Actor, now: datetime) -> None:
    """Close an organisation for good; its past stays readable.

    Raises ``OrganizationInUse`` while people are appointed in it or organisations stand below it.
    """
    row = _managed(organization_id, actor)
    held = models.Appointment.objects.filter(post__organization_id=organization_id, ended_at=None).count()
    below = models.Organization.objects.filter(parent_id=organization_id, abolished_on=None).count()
    if held or below:
        raise OrganizationInUse(appointments=held, below=below)
    posts = list(models.Post.objects.filter(organization_id=organization_id, closed_on=None))
    for post in posts:
        post.closed_on, post.changed_at = today(now), now
        post.save(update_fields=["closed_on", "changed_at"])
        set_post_rights(post_id=post.pk, rights=(), now=now)
    models.Unit.objects.filter(organization_id=organization_id, closed_on=None).update(closed_on=today(now))
    row.abolished_on, row.changed_at, row.edited_at = today(now), now, now
    row.save(update_fields=["abolished_on", "changed_at", "edited_at"])
    current().object("organization", organization_id)
    current().detail(posts_closed=len(posts))
    if row.parent_id is not None:
        _compile_above(row.parent_id, now=now)


# Units


@command("organizations.create_unit")
def create_unit(
    *, organization_id: UUID, name: Name, parent_id: UUID | None = None, sort: int = 0, actor: Actor, now: datetime
) -> UUID:
    """Add a unit to an organisation and return its identifier. Raises ``UnitExists``, ``UnitNotFound``."""
    _managed(organization_id, actor)
    if parent_id is not None:
        _open_unit(parent_id, organization_id)
    row = models.Unit(
        organization_id=organization_id,
        parent_id=parent_id,
        name_zh=_name(name),
        name_en=name.en.strip(),
        sort=sort,
    )
    _save_unit(row, insert=True)
    current().object("unit", row.pk)
    return row.pk


@command("organizations.rename_unit")
def rename_unit(*, unit_id: UUID, name: Name, actor: Actor, now: datetime) -> None:
    """Rename a unit. Raises ``UnitNotFound``, ``UnitExists``."""
    row = _open_unit(unit_id)
    _managed(row.organization_id, actor)
    row.name_zh, row.name_en = _name(name), name.en.strip()
    _save_unit(row)
    current().object("unit", unit_id)


@command("organizations.close_unit")
def close_unit(*, unit_id: UUID, actor: Actor, now: datetime) -> None:
    """Close a unit. Raises ``UnitInUse`` while posts or units stand in it."""
    row = _open_unit(unit_id)
    _managed(row.organization_id, actor)
    if row.posts.filter(closed_on=None).exists() or row.children.filter(closed_on=None).exists():
        raise UnitInUse
    row.closed_on = today(now)
    row.save(update_fields=["closed_on"])
    current().object("unit", unit_id)


# Posts


@command("organizations.create_post")
def create_post(
    *,
    organization_id: UUID,
    title: Name,
    grants: Sequence[Grant] = (),
    unit_id: UUID | None = None,
    template_code: str = "",
    actor: Actor,
    now: datetime,
) -> UUID:
    """Add a post with its rights to an organisation and return its identifier.

    With ``template_code`` alone the title and rights are the pack's. Nobody gives further than their own scope reaches.
    Raises ``RightUnknown``, ``RightBeyondOwn``, ``TemplateUnknown``, ``UnitNotFound``, ``NameMissing``.
    """
    organization = _managed(organization_id, actor)
    if template_code:
        template = models.PostTemplate.objects.filter(
            pk=template_code, department_id=organization.department_id
        ).first()
        if template is None or (template.levels and organization.level not in template.levels):
            raise TemplateUnknown(template=template_code)
        title = title if title.zh else Name(zh=template.title_zh, en=template.title_en)
        grants = grants or [Grant.of(grant) for grant in template.rights]
    if unit_id is not None:
        _open_unit(unit_id, organization_id)
    _check_grants(grants, organization, actor)
    row = models.Post(
        organization_id=organization_id,
        unit_id=unit_id,
        title_zh=_name(title),
        title_en=title.en.strip(),
        template_code=template_code,
        rights=[grant.as_dict() for grant in grants],
        changed_at=now,
    )
    row.save(force_insert=True)
    _compile(row, organization, now=now)
    current().object("post", row.pk)
    current().detail(rights=row.rights)
    return row.pk


@command("organizations.change_post")
def change_post(
    *,
    post_id: UUID,
    title: Name,
    grants: Sequence[Grant],
    unit_id: UUID | None = None,
    actor: Actor,
    now: datetime,
) -> None:
    """Replace the title, unit and rights of a post.

    Those who sit in it have the new rights with the next request; when a right is taken away it returns only once no process
    decides by the old ones (about a second). Raises ``PostNotFound``, ``RightUnknown``, ``RightBeyondOwn``, ``UnitNotFound``.
    """
    row = _open_post(post_id)
    organization = _managed(row.organization_id, actor)
    if unit_id is not None:
        _open_unit(unit_id, row.organization_id)
    _check_grants(grants, organization, actor, held=[Grant.of(grant) for grant in row.rights])
    before = row.rights
    row.title_zh, row.title_en, row.unit_id = _name(title), title.en.strip(), unit_id
    row.rights, row.changed_at = [grant.as_dict() for grant in grants], now
    row.save()
    _compile(row, organization, now=now)
    current().object("post", post_id)
    current().detail(before=before, after=row.rights)


@command("organizations.close_post")
def close_post(*, post_id: UUID, actor: Actor, now: datetime) -> None:
    """Close a post and take its rights away. Raises ``PostInUse`` while somebody sits in it."""
    row = _open_post(post_id)
    _managed(row.organization_id, actor)
    if row.appointments.filter(ended_at=None).exists():
        raise PostInUse
    row.closed_on, row.changed_at = today(now), now
    row.save(update_fields=["closed_on", "changed_at"])
    set_post_rights(post_id=post_id, rights=(), now=now)
    current().object("post", post_id)


# Appointments


@command("organizations.appoint")
def appoint(
    *,
    account_id: UUID,
    post_id: UUID,
    from_on: date | None = None,
    until_on: date | None = None,
    is_main: bool = True,
    reason: str = "",
    actor: Actor,
    now: datetime,
) -> UUID:
    """Put an account into a post and return the appointment's identifier.

    ``from_on`` is today without one, ``until_on`` is exclusive. The account has the post's rights from its next request on.
    Raises ``PostNotFound``, ``AlreadyAppointed``, ``PeriodRefused``, ``RightBeyondOwn`` (the post gives what the actor may not).
    """
    post = _open_post(post_id)
    organization = _managed(post.organization_id, actor)
    _check_grants([Grant.of(grant) for grant in post.rights], organization, actor)
    start = from_on or today(now)
    if until_on is not None and until_on < start:
        raise PeriodRefused
    row = _insert_appointment(account_id, post_id, start, until_on, is_main, reason, now)
    current().object("appointment", row.pk)
    current().detail(account_id=account_id, post_id=post_id, from_on=start, until_on=until_on)
    return row.pk


@command("organizations.transfer")
def transfer(*, appointment_id: UUID, to_post_id: UUID, reason: str = "", actor: Actor, now: datetime) -> UUID:
    """Move an account from the post of an appointment to another, and return the new appointment.

    The old post's rights end and the new one's begin in the same transaction: the account's next request, anywhere, acts in the
    new post. Needs ``organizations.manage`` over both. Raises ``AppointmentNotFound``, ``PostNotFound``, ``AlreadyAppointed``.
    """
    old = _open_appointment(appointment_id)
    _managed(old.post.organization_id, actor)
    post = _open_post(to_post_id)
    organization = _managed(post.organization_id, actor)
    if post.pk == old.post_id:
        raise AlreadyAppointed
    _check_grants([Grant.of(grant) for grant in post.rights], organization, actor)
    _end(old, reason, now)
    row = _insert_appointment(old.account_id, to_post_id, today(now), None, old.is_main, reason, now)
    current().object("appointment", row.pk)
    current().detail(account_id=old.account_id, from_post_id=old.post_id, to_post_id=to_post_id)
    return row.pk


@command("organizations.end_appointment")
def end_appointment(*, appointment_id: UUID, reason: str = "", actor: Actor, now: datetime) -> None:
    """End an appointment at once: the next request of the account no longer acts in the post."""
    row = _open_appointment(appointment_id)
    _managed(row.post.organization_id, actor)
    _end(row, reason, now)
    current().object("appointment", appointment_id)
    current().detail(account_id=row.account_id, post_id=row.post_id)


@command("organizations.end_appointments_of")
def end_appointments_of(*, account_id: UUID, reason: str = "", actor: Actor, now: datetime) -> int:
    """End all appointments of an account and return how many there were: its holder leaves.

    Needs ``organizations.manage`` over each of the organisations; one out of scope and none is ended.
    """
    rows = list(models.Appointment.objects.select_related("post").filter(account_id=account_id, ended_at=None))
    for row in rows:
        _managed(row.post.organization_id, actor)
        _end(row, reason, now)
        current().object("appointment", row.pk)
    current().detail(account_id=account_id)
    return len(rows)


def compile_posts(*, post_ids: Iterable[UUID] | None = None, now: datetime) -> int:
    """Compile the rights of posts (all open ones without a list) into ``access`` again; returns how many.

    For importers and for repair; it changes no post.
    """
    rows = models.Post.objects.select_related("organization").filter(closed_on=None)
    if post_ids is not None:
        rows = rows.filter(pk__in=set(post_ids))
    count = 0
    for row in rows:
        _compile(row, row.organization, now=now)
        count += 1
    return count


# Inside


def _compile(post: models.Post, organization: models.Organization, *, now: datetime) -> None:
    rights: list[PostRight] = []
    below: list[UUID] | None = None
    for grant in (Grant.of(given) for given in post.rights):
        if grant.reach is Reach.EVERYWHERE:
            rights.append(PostRight(right=grant.right, everywhere=True))
        elif grant.reach is Reach.DIVISION:
            rights.append(PostRight(right=grant.right, division_prefix=_prefix(organization.division_code)))
        elif grant.reach is Reach.SUBTREE:
            if below is None:
                below = queries.ids_of_subtree(organization_id=organization.pk)
            rights.extend(PostRight(right=grant.right, organization_id=one) for one in below)
        else:
            rights.append(PostRight(right=grant.right, organization_id=organization.pk))
    set_post_rights(post_id=post.pk, rights=rights, now=now)


def _compile_above(organization_id: UUID, *, now: datetime) -> None:
    """Compile anew the posts, in this organisation and those above it, whose rights reach down the tree."""
    up: list[UUID] = []
    step: UUID | None = organization_id
    while step is not None and step not in up:
        up.append(step)
        step = models.Organization.objects.filter(pk=step).values_list("parent_id", flat=True).first()
    rows = models.Post.objects.select_related("organization").filter(organization_id__in=up, closed_on=None)
    for row in rows.filter(rights__contains=[{"reach": Reach.SUBTREE.value}]):
        _compile(row, row.organization, now=now)


def _check_grants(
    grants: Sequence[Grant], organization: models.Organization, actor: Actor, held: Sequence[Grant] = ()
) -> None:
    """Refuse unknown rights, and those that reach further than what the actor administers (unless the post had them)."""
    own = scope_of(actor=actor, right=MANAGE)
    for grant in grants:
        if grant.right not in RIGHTS:
            raise RightUnknown(right=grant.right)
        if grant in held or own.everything:
            continue
        if grant.reach is Reach.EVERYWHERE:
            raise RightBeyondOwn
        if grant.reach is Reach.DIVISION:
            prefix = _prefix(organization.division_code)
            if not any(prefix.startswith(given) for given in own.division_prefixes):
                raise RightBeyondOwn
        if grant.reach is Reach.SUBTREE:
            below = queries.ids_of_subtree(organization_id=organization.pk)
            places = dict(models.Organization.objects.filter(pk__in=below).values_list("pk", "division_code"))
            if not all(own.covers(organization_id=pk, division_code=at) for pk, at in places.items()):
                raise RightBeyondOwn


def _managed(organization_id: UUID, actor: Actor) -> models.Organization:
    """The organisation, locked, when the actor administers it. A stranger learns no more than that it may not."""
    require(actor=actor, right=MANAGE)
    row = models.Organization.objects.select_for_update().filter(pk=organization_id).first()
    if row is None:
        raise OrganizationNotFound
    require(actor=actor, right=MANAGE, organization_id=row.pk, division_code=row.division_code)
    if row.abolished_on is not None:
        raise OrganizationClosed
    return row


def _open_organization(organization_id: UUID) -> None:
    row = models.Organization.objects.filter(pk=organization_id).first()
    if row is None:
        raise OrganizationNotFound
    if row.abolished_on is not None:
        raise OrganizationClosed


def _open_unit(unit_id: UUID, organization_id: UUID | None = None) -> models.Unit:
    row = models.Unit.objects.select_for_update().filter(pk=unit_id, closed_on=None).first()
    if row is None or (organization_id is not None and row.organization_id != organization_id):
        raise UnitNotFound
    return row


def _open_post(post_id: UUID) -> models.Post:
    row = models.Post.objects.select_for_update().filter(pk=post_id, closed_on=None).first()
    if row is None:
        raise PostNotFound
    return row


def _open_appointment(appointment_id: UUID) -> models.Appointment:
    rows = models.Appointment.objects.select_for_update(of=("self",)).select_related("post")
    row = rows.filter(pk=appointment_id, ended_at=None).first()
    if row is None:
        raise AppointmentNotFound
    return row


def _end(row: models.Appointment, reason: str, now: datetime) -> None:
    row.until_on, row.ended_at = max(today(now), row.from_on), now
    row.reason = reason.strip()[:200] or row.reason
    row.save(update_fields=["until_on", "ended_at", "reason"])


def _insert_appointment(
    account_id: UUID, post_id: UUID, from_on: date, until_on: date | None, is_main: bool, reason: str, now: datetime
) -> models.Appointment:
    # One whose last day has passed is over; it only has not been marked yet.
    models.Appointment.objects.filter(
        Q(until_on__lte=today(now)), account_id=account_id, post_id=post_id, ended_at=None
    ).update(ended_at=now)
    if is_main:
        models.Appointment.objects.filter(account_id=account_id, ended_at=None, is_main=True).update(is_main=False)
    row = models.Appointment(
        account_id=account_id,
        post_id=post_id,
        is_main=is_main,
        from_on=from_on,
        until_on=until_on,
        reason=reason.strip()[:200],
        created_at=now,
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as exc:
        raise AlreadyAppointed from exc
    return row


def _save_organization(row: models.Organization, *, insert: bool = False) -> None:
    try:
        with transaction.atomic():
            row.save(force_insert=insert)
    except IntegrityError as exc:
        raise CodeTaken from exc


def _save_unit(row: models.Unit, *, insert: bool = False) -> None:
    try:
        with transaction.atomic():
            row.save(force_insert=insert)
    except IntegrityError as exc:
        raise UnitExists from exc


def _check_department(code: str) -> None:
    if not models.Department.objects.filter(pk=code).exists():
        raise DepartmentUnknown


def _nearest_above(department: str, division_code: str) -> UUID | None:
    if not division_code:
        return None
    found = queries.find_responsible(department=department, division_code=division_code)
    return found.id if found else None


def _credit_code(code: str, division_code: str) -> str:
    given = code.strip().upper()
    if given and division_code.isdigit() and len(division_code) in {6, 9, 12}:
        try:
            parse_credit_code(given)
        except Refusal as refusal:
            raise CodeRefused from refusal
    return given[:18]


def _prefix(division_code: str) -> str:
    found = queries.find_division(code=division_code)
    return found.prefix if found else prefix_of(division_code)


def _name(name: Name) -> str:
    given = name.zh.strip()
    if not given:
        raise NameMissing
    return given[:100]


def _pinyin(text: str) -> str:
    return " ".join(lazy_pinyin(text))[:300]
