"""Reads of divisions, organisations, posts and appointments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count, Q, QuerySet, Value
from django.db.models.functions import Replace

from furong.foundation.access.values import Scope
from furong.foundation.codes.leases import Leased
from furong.foundation.organizations import models
from furong.foundation.organizations.errors import (
    AppointmentNotFound,
    DivisionUnknown,
    NoResponsibleOrganization,
    OrganizationNotFound,
    PostNotFound,
)
from furong.foundation.organizations.values import (
    Appointment,
    Department,
    Division,
    DivisionChange,
    Grant,
    Level,
    Name,
    Organization,
    Page,
    Post,
    PostTemplate,
    Seat,
    Unit,
)

_labels: Leased[dict[UUID, Name]] = Leased(seconds=1.0)

# A joinable fragment for whoever knows the account: the one post it acts in, as ``seat``. Takes the preferred post and the local
# date twice; `identity` joins it to the session so that a request costs one query. A transfer shows in the next request.
SEAT_OF_ACCOUNT = """
LEFT JOIN LATERAL (
    SELECT p.id AS post_id, p.title_zh, o.id AS organization_id,
           CASE WHEN o.short_zh <> '' THEN o.short_zh ELSE o.name_zh END AS organization_label, o.division_code
      FROM organizations_appointment ap
      JOIN organizations_post p ON p.id = ap.post_id
      JOIN organizations_organization o ON o.id = p.organization_id
     WHERE ap.account_id = {account} AND ap.ended_at IS NULL
       AND ap.from_on <= %s AND (ap.until_on IS NULL OR ap.until_on > %s) AND p.closed_on IS NULL
     ORDER BY (p.id = {post}) DESC NULLS LAST, ap.is_main DESC, ap.from_on, ap.id
     LIMIT 1
) seat ON TRUE
"""

# What a code is now: itself while it is in force; else what it was renamed to, in as many steps as it takes; else the nearest
# division around it.
_CODE_NOW = """
WITH RECURSIVE follow (code, steps) AS (
    SELECT %(code)s::text, 0
    UNION ALL
    SELECT c.new_code, follow.steps + 1
      FROM follow CROSS JOIN LATERAL (
               SELECT new_code FROM organizations_divisionchange
                WHERE old_code = follow.code AND new_code NOT IN ('', follow.code) ORDER BY year DESC LIMIT 1) c
     WHERE follow.steps < 12
       AND NOT EXISTS (SELECT 1 FROM organizations_division d WHERE d.code = follow.code AND d.valid_until IS NULL)
),
now (code) AS (
    SELECT coalesce(
        (SELECT d.code FROM follow JOIN organizations_division d ON d.code = follow.code AND d.valid_until IS NULL
          ORDER BY follow.steps LIMIT 1),
        (SELECT d.code FROM organizations_division d WHERE d.valid_until IS NULL AND starts_with(%(code)s, d.prefix)
          ORDER BY length(d.prefix) DESC LIMIT 1))
)
"""

# From a division upwards, the nearest organisation of a department; of several at one place the one that came first.
_RESPONSIBLE = f"""
{_CODE_NOW},
up (code, parent_code, steps) AS (
    SELECT d.code, d.parent_code, 0 FROM organizations_division d JOIN now ON now.code = d.code WHERE d.valid_until IS NULL
    UNION ALL
    SELECT d.code, d.parent_code, up.steps + 1
      FROM organizations_division d JOIN up ON d.code = up.parent_code
     WHERE d.valid_until IS NULL AND up.steps < 8
)
SELECT o.* FROM up JOIN organizations_organization o ON o.division_code = up.code
 WHERE o.department_id = %(department)s AND o.abolished_on IS NULL
 ORDER BY up.steps, o.id LIMIT 1
"""

_SEATS = """
SELECT p.id, p.title_zh, p.title_en, o.id, o.name_zh, o.name_en, o.division_code, ap.is_main
  FROM organizations_appointment ap
  JOIN organizations_post p ON p.id = ap.post_id
  JOIN organizations_organization o ON o.id = p.organization_id
 WHERE ap.account_id = %s AND ap.ended_at IS NULL
   AND ap.from_on <= %s AND (ap.until_on IS NULL OR ap.until_on > %s) AND p.closed_on IS NULL
 ORDER BY ap.is_main DESC, ap.from_on, ap.id
"""


# Divisions


def find_division(*, code: str, on: date | None = None) -> Division | None:
    """Return the division ``code`` in force ``on`` a day (today's without one), or None.

    GB/T 2260 and GB/T 10114. One read by index.
    """
    rows = models.Division.objects.filter(code=code)
    if on is None:
        rows = rows.filter(valid_until=None)
    else:
        rows = rows.filter(
            Q(valid_from=None) | Q(valid_from__lte=on), Q(valid_until=None) | Q(valid_until__gt=on)
        ).order_by("valid_until")
    row = rows.first()
    return _division(row) if row else None


def get_division(*, code: str, on: date | None = None) -> Division:
    """Return the division ``code`` in force ``on`` a day. Raises ``DivisionUnknown``."""
    found = find_division(code=code, on=on)
    if found is None:
        raise DivisionUnknown(division=code)
    return found


def resolve_division(*, code: str) -> Division:
    """Return the division in force today that ``code``, of whatever time, belongs to now.

    A code in force is itself. An old code follows renamings and new codes (430221 is 430212 now); where no successor is on
    record, or a village is below what the province keeps, the nearest division around it answers. Raises ``DivisionUnknown``
    for a code of nowhere in the province. One read.
    """
    rows = models.Division.objects.raw(
        f"{_CODE_NOW} SELECT d.* FROM organizations_division d JOIN now ON now.code = d.code WHERE d.valid_until IS NULL",
        {"code": code},
    )
    for row in rows:
        return _division(row)
    raise DivisionUnknown(division=code)


def list_divisions(*, parent_code: str = "", level: Level | None = None) -> list[Division]:
    """Return the divisions in force directly below ``parent_code``, or all of a ``level``, by code.

    Empty when there are none. Without either it returns those at the top.
    """
    rows = models.Division.objects.filter(valid_until=None)
    rows = rows.filter(level=level) if level is not None else rows.filter(parent_code=parent_code)
    return [_division(row) for row in rows.order_by("code")]


def path_of_division(*, code: str) -> list[Division]:
    """Return the divisions from the top down to ``code``; empty for an unknown one."""
    path: list[Division] = []
    found = find_division(code=code)
    while found is not None and len(path) < 8:
        path.insert(0, found)
        found = find_division(code=found.parent_code) if found.parent_code else None
    return path


def list_division_changes(*, code: str) -> list[DivisionChange]:
    """Return what happened to the division ``code`` and to those it came from or became, oldest first."""
    codes, found = {code}, {}
    for _ in range(12):
        rows = list(models.DivisionChange.objects.filter(Q(old_code__in=codes) | Q(new_code__in=codes)))
        found.update({row.pk: row for row in rows})
        more = {c for row in rows for c in (row.old_code, row.new_code) if c} - codes
        # A level above is named by what was merged into it; its own history is another story.
        level = {row.level for row in rows if code in (row.old_code, row.new_code)}
        more = {c for row in rows if row.level in level for c in (row.old_code, row.new_code) if c in more}
        if not more:
            break
        codes |= more
    return [_change(row) for row in sorted(found.values(), key=lambda r: (r.year, r.old_code, r.new_code))]


def list_periods_of_division(*, code: str) -> list[Division]:
    """Return every period in which ``code`` named a division, oldest first."""
    rows = models.Division.objects.filter(code=code)
    return [_division(row) for row in sorted(rows, key=lambda r: (r.valid_until is None, r.valid_until or date.max))]


# Organisations


def list_departments() -> list[Department]:
    """Return all departments in the pack's order."""
    return [
        Department(code=row.code, name=Name(zh=row.name_zh, en=row.name_en))
        for row in models.Department.objects.order_by("sort", "code")
    ]


def find_organization(*, organization_id: UUID) -> Organization | None:
    """Return the organisation, abolished or not, or None."""
    row = models.Organization.objects.filter(pk=organization_id).first()
    return _organization(row) if row else None


def find_department_of(*, organization_id: UUID) -> str | None:
    """Return the code of the organisation's department, or None for an unknown one.

    One read by primary key, without making the organisation: each step of a process that opens tasks asks it.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT department_id FROM organizations_organization WHERE id = %s", [organization_id])
        row = cursor.fetchone()
    return row[0] if row is not None else None


def get_organization(*, organization_id: UUID) -> Organization:
    """Return the organisation. Raises ``OrganizationNotFound``."""
    found = find_organization(organization_id=organization_id)
    if found is None:
        raise OrganizationNotFound
    return found


def find_organization_by_code(*, code: str) -> Organization | None:
    """Return the organisation with the credit code ``code`` (GB 32100), or None."""
    row = models.Organization.objects.filter(code=code.strip().upper()).first()
    return _organization(row) if row else None


def find_responsible(*, department: str, division_code: str) -> Organization | None:
    """Return the organisation of ``department`` that is responsible for a division, or None.

    It looks in the division, then in the one around it, up to the province. A village's or an abolished division's code is
    resolved first, as `resolve_division` does. One read.
    """
    rows = models.Organization.objects.raw(_RESPONSIBLE, {"code": division_code, "department": department})
    return next((_organization(row) for row in rows), None)


def get_responsible(*, department: str, division_code: str) -> Organization:
    """Return what `find_responsible` finds. Raises ``NoResponsibleOrganization``."""
    found = find_responsible(department=department, division_code=division_code)
    if found is None:
        raise NoResponsibleOrganization
    return found


def list_organizations(
    *,
    scope: Scope,
    department: str = "",
    division_code: str = "",
    level: Level | None = None,
    text: str = "",
    with_abolished: bool = False,
    page: int = 1,
    size: int = 50,
) -> Page[Organization]:
    """Return a page of the organisations in ``scope``, by division and name.

    ``division_code`` takes in everything inside the division; ``text`` is part of the name, its pinyin or the start of the
    code; ``page`` counts from 1 and ``size`` is at most 200.
    """
    condition, params = scope.sql(
        organization_column="organizations_organization.id",
        division_column="organizations_organization.division_code",
    )
    rows = models.Organization.objects.extra(where=[condition], params=params)  # noqa: S610 - a Scope's own SQL
    if department:
        rows = rows.filter(department_id=department)
    if division_code:
        around = find_division(code=division_code)
        rows = rows.filter(division_code__startswith=around.prefix if around else division_code)
    if level is not None:
        rows = rows.filter(level=level)
    if text:
        plain = text.strip().lower()
        rows = rows.annotate(plain_pinyin=Replace("name_pinyin", Value(" "), Value(""))).filter(
            Q(name_zh__contains=text.strip())
            | Q(name_en__icontains=plain)
            | Q(plain_pinyin__startswith=plain.replace(" ", ""))
            | Q(code__startswith=text.strip().upper())
        )
    if not with_abolished:
        rows = rows.filter(abolished_on=None)
    return _page(rows.order_by("level", "division_code", "department__sort", "name_pinyin", "id"), page, size)


def list_below(*, organization_id: UUID) -> list[Organization]:
    """Return the open organisations directly below one, by division."""
    rows = models.Organization.objects.filter(parent_id=organization_id, abolished_on=None)
    return [_organization(row) for row in rows.order_by("division_code", "id")]


def ids_of_subtree(*, organization_id: UUID) -> list[UUID]:
    """Return the identifiers of an organisation and of all open ones below it, its own first."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH RECURSIVE down (id, steps) AS (
                SELECT %s::uuid, 0
                UNION ALL
                SELECT o.id, down.steps + 1 FROM organizations_organization o JOIN down ON o.parent_id = down.id
                 WHERE o.abolished_on IS NULL AND down.steps < 12
            ) SELECT id FROM down GROUP BY id ORDER BY min(steps), id
            """,
            [organization_id],
        )
        return [row[0] for row in cursor.fetchall()]


def labels_of_organizations(*, organization_ids: Iterable[UUID]) -> dict[UUID, Name]:
    """Return the names of organisations by identifier; unknown ones are left out.

    One read, none for names that were read in the last seconds.
    """
    wanted = frozenset(organization_ids)

    def read() -> dict[UUID, Name]:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT id, name_zh, name_en FROM organizations_organization WHERE id = ANY(%s)", [list(wanted)]
            )
            return {key: Name(zh=zh, en=en) for key, zh, en in cursor.fetchall()}

    return dict(_labels.get(wanted, read)) if wanted else {}


# Units, posts, appointments


def list_units(*, organization_id: UUID) -> list[Unit]:
    """Return the open units of an organisation in their order."""
    rows = models.Unit.objects.filter(organization_id=organization_id, closed_on=None).order_by("sort", "name_zh")
    return [_unit(row) for row in rows]


def list_post_templates(*, organization_id: UUID) -> list[PostTemplate]:
    """Return the kinds of post that the pack has for this organisation's department and level."""
    organization = get_organization(organization_id=organization_id)
    rows = models.PostTemplate.objects.filter(department_id=organization.department).order_by("code")
    return [_template(row) for row in rows if not row.levels or int(organization.level) in row.levels]


def get_post(*, post_id: UUID, on: date | None = None) -> Post:
    """Return a post, closed or not, with its holders counted ``on`` a local day. Raises ``PostNotFound``."""
    row = _with_holders(models.Post.objects.filter(pk=post_id), on).first()
    if row is None:
        raise PostNotFound
    return _post(row)


def list_posts(*, organization_id: UUID, on: date | None = None) -> list[Post]:
    """Return the open posts of an organisation with the number of their holders ``on`` a day."""
    rows = models.Post.objects.filter(organization_id=organization_id, closed_on=None)
    return [_post(row) for row in _with_holders(rows, on).order_by("title_zh", "id")]


def list_appointments(
    *,
    account_id: UUID | None = None,
    post_id: UUID | None = None,
    organization_id: UUID | None = None,
    with_ended: bool = False,
) -> list[Appointment]:
    """Return the appointments of an account, a post or an organisation, newest first.

    Exactly one of the three is given; with none the list is empty.
    """
    rows = models.Appointment.objects.all()
    if account_id is not None:
        rows = rows.filter(account_id=account_id)
    elif post_id is not None:
        rows = rows.filter(post_id=post_id)
    elif organization_id is not None:
        rows = rows.filter(post__organization_id=organization_id)
    else:
        return []
    if not with_ended:
        rows = rows.filter(ended_at=None)
    return [_appointment(row) for row in rows.order_by("-from_on", "-id")]


def get_appointment(*, appointment_id: UUID) -> Appointment:
    """Return an appointment, ended or not. Raises ``AppointmentNotFound``."""
    row = models.Appointment.objects.filter(pk=appointment_id).first()
    if row is None:
        raise AppointmentNotFound
    return _appointment(row)


def labels_of_posts(*, post_ids: Iterable[UUID]) -> dict[UUID, Name]:
    """Return the titles of posts by identifier, closed ones too; unknown ones are left out. One read."""
    rows = models.Post.objects.filter(pk__in=set(post_ids)).values_list("pk", "title_zh", "title_en")
    return {pk: Name(zh=zh, en=en) for pk, zh, en in rows}


def posts_of_account(*, account_id: UUID, on: date) -> list[Seat]:
    """Return the posts that an account may act in on the local day ``on``, its main one first.

    Empty when it holds none. One read.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SEATS, [account_id, on, on])
        return [
            Seat(
                post_id=row[0],
                title=Name(zh=row[1], en=row[2]),
                organization_id=row[3],
                organization=Name(zh=row[4], en=row[5]),
                division_code=row[6],
                is_main=row[7],
            )
            for row in cursor.fetchall()
        ]


def accounts_of_organization(*, organization_id: UUID, on: date) -> list[UUID]:
    """Return the accounts that hold a post of the organisation on the local day ``on``."""
    rows = models.Appointment.objects.filter(
        Q(until_on=None) | Q(until_on__gt=on),
        post__organization_id=organization_id,
        post__closed_on=None,
        ended_at=None,
        from_on__lte=on,
    )
    return list(rows.values_list("account_id", flat=True).distinct())


def accounts_of_posts(*, post_ids: Iterable[UUID], on: date) -> list[UUID]:
    """Return the accounts that hold one of the posts on the local day ``on``."""
    rows = models.Appointment.objects.filter(
        Q(until_on=None) | Q(until_on__gt=on),
        post_id__in=list(post_ids),
        post__closed_on=None,
        ended_at=None,
        from_on__lte=on,
    )
    return list(rows.values_list("account_id", flat=True).distinct())


def accounts_with_rights(*, rights: Iterable[str]) -> list[tuple[str, UUID]]:
    """Return the accounts in an open post that carries one of ``rights``, each with its post's division.

    Whether an appointment has begun or has run out is asked where somebody signs in, not here. One statement.
    """
    carries = Q()
    for right in sorted(rights):
        carries |= Q(post__rights__contains=[{"right": right}])
    rows = models.Appointment.objects.filter(carries, ended_at__isnull=True, post__closed_on__isnull=True)
    return list(rows.values_list("post__organization__division_code", "account_id").distinct())


def accounts_in_scope(*, scope: Scope, on: date) -> list[UUID]:
    """Return the accounts that hold a post in an organisation of ``scope`` on the local day ``on``."""
    condition, given = scope.sql(organization_column="o.id", division_column="o.division_code")
    params: list[Any] = given
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT DISTINCT ap.account_id
              FROM organizations_appointment ap
              JOIN organizations_post p ON p.id = ap.post_id
              JOIN organizations_organization o ON o.id = p.organization_id
             WHERE ap.ended_at IS NULL AND ap.from_on <= %s AND (ap.until_on IS NULL OR ap.until_on > %s)
               AND p.closed_on IS NULL AND {condition}
            """,
            [on, on, *params],
        )
        return [row[0] for row in cursor.fetchall()]


def count_rows() -> Mapping[str, int]:
    """Return how many divisions in force, organisations and posts there are, for the operator."""
    return {
        "divisions": models.Division.objects.filter(valid_until=None).count(),
        "organizations": models.Organization.objects.filter(abolished_on=None).count(),
        "posts": models.Post.objects.filter(closed_on=None).count(),
    }


def _with_holders(rows: QuerySet[models.Post], on: date | None) -> QuerySet[Any]:
    held = Q(appointments__ended_at=None)
    if on is not None:
        held &= Q(appointments__from_on__lte=on) & (Q(appointments__until_on=None) | Q(appointments__until_on__gt=on))
    return rows.annotate(holders=Count("appointments", filter=held & Q(appointments__id__isnull=False)))


def _page(rows: QuerySet[models.Organization], page: int, size: int) -> Page[Organization]:
    number, size = max(1, page), min(max(1, size), 200)
    start = (number - 1) * size
    items = tuple(_organization(row) for row in rows[start : start + size])
    return Page(items=items, total=rows.count(), number=number, size=size)


def _division(row: models.Division) -> Division:
    return Division(
        code=row.code,
        name=Name(zh=row.name_zh, en=row.name_en),
        level=Level(row.level),
        kind=row.kind,
        parent_code=row.parent_code,
        prefix=row.prefix,
        predecessor_code=row.predecessor_code,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
    )


def _change(row: models.DivisionChange) -> DivisionChange:
    return DivisionChange(
        year=row.year,
        effective_on=row.effective_on,
        kind=row.kind,
        level=Level(row.level),
        old_code=row.old_code,
        old_name=row.old_name,
        new_code=row.new_code,
        new_name=row.new_name,
        document=row.document,
    )


def _organization(row: models.Organization) -> Organization:
    return Organization(
        id=row.pk,
        code=row.code,
        name=Name(zh=row.name_zh, en=row.name_en),
        short_zh=row.short_zh,
        department=row.department_id,
        division_code=row.division_code,
        level=Level(row.level),
        parent_id=row.parent_id,
        address=row.address,
        phone=row.phone,
        established_on=row.established_on,
        abolished_on=row.abolished_on,
    )


def _unit(row: models.Unit) -> Unit:
    return Unit(
        id=row.pk,
        organization_id=row.organization_id,
        parent_id=row.parent_id,
        name=Name(zh=row.name_zh, en=row.name_en),
        closed_on=row.closed_on,
    )


def _template(row: models.PostTemplate) -> PostTemplate:
    return PostTemplate(
        code=row.code,
        department=row.department_id,
        title=Name(zh=row.title_zh, en=row.title_en),
        levels=tuple(row.levels),
        grants=tuple(Grant.of(grant) for grant in row.rights),
    )


def _post(row: Any) -> Post:
    return Post(
        id=row.pk,
        organization_id=row.organization_id,
        unit_id=row.unit_id,
        title=Name(zh=row.title_zh, en=row.title_en),
        template_code=row.template_code,
        grants=tuple(Grant.of(grant) for grant in row.rights),
        closed_on=row.closed_on,
        holders=row.holders,
    )


def _appointment(row: models.Appointment) -> Appointment:
    return Appointment(
        id=row.pk,
        account_id=row.account_id,
        post_id=row.post_id,
        is_main=row.is_main,
        from_on=row.from_on,
        until_on=row.until_on,
        reason=row.reason,
        ended_at=row.ended_at,
    )
