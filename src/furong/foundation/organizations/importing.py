"""Bringing the tables in line with a pack: repeatable functions that run in the import's transaction, under its audit entry."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from django.db import connection

from furong.foundation.codes.ids import new_id
from furong.foundation.organizations import commands, loading, models
from furong.foundation.organizations.loading import ChangeLine, DivisionLine, OrganizationLine
from furong.foundation.organizations.values import prefix_of, today
from furong.foundation.packs.values import ImportContext, Kind, Text, register_kind

# A division that got another name under its code ends on the day the new line begins, and lives on in the past.
_CLOSE_RENAMED = """
UPDATE organizations_division d SET valid_until = g.valid_from
  FROM json_to_recordset(%s::json) AS g(code text, name text, valid_from date)
 WHERE d.code = g.code AND d.valid_until IS NULL AND d.name_zh <> g.name
   AND g.valid_from IS NOT NULL AND g.valid_from > coalesce(d.valid_from, '0001-01-01')
"""

_DIVISIONS = """
INSERT INTO organizations_division (id, code, name_zh, name_en, name_pinyin, level, kind, parent_code, prefix, predecessor_code,
    valid_from, valid_until)
SELECT id, code, name, en, pinyin, level, kind, parent, prefix, predecessor, valid_from, NULL
  FROM json_to_recordset(%s::json) AS g(id uuid, code text, name text, en text, pinyin text, level int, kind text, parent text,
       prefix text, predecessor text, valid_from date)
ON CONFLICT (code) WHERE valid_until IS NULL DO UPDATE SET
    name_zh = excluded.name_zh, name_en = excluded.name_en, name_pinyin = excluded.name_pinyin, level = excluded.level,
    kind = excluded.kind, parent_code = excluded.parent_code, prefix = excluded.prefix,
    predecessor_code = excluded.predecessor_code, valid_from = excluded.valid_from
WHERE (organizations_division.name_zh, organizations_division.name_en, organizations_division.name_pinyin,
       organizations_division.level, organizations_division.kind, organizations_division.parent_code,
       organizations_division.prefix, organizations_division.predecessor_code, organizations_division.valid_from)
  IS DISTINCT FROM (excluded.name_zh, excluded.name_en, excluded.name_pinyin, excluded.level, excluded.kind,
       excluded.parent_code, excluded.prefix, excluded.predecessor_code, excluded.valid_from)
"""

_CLOSE_DROPPED = """
UPDATE organizations_division SET valid_until = greatest(%s, valid_from + 1)
 WHERE valid_until IS NULL AND code <> ALL(%s)
"""

_ORGANIZATIONS = """
INSERT INTO organizations_organization (id, code, name_zh, name_en, name_pinyin, short_zh, department_id, division_code, level,
    pack_key, address, phone, changed_at)
SELECT g.id, g.code, g.name, g.en, coalesce(d.name_pinyin, ''), g.short, g.department, g.division_code, g.level, g.key, '', '', %s
  FROM json_to_recordset(%s::json) AS g(id uuid, key text, code text, name text, en text, short text, department text,
       division_code text, level int)
  LEFT JOIN organizations_division d ON d.code = g.division_code AND d.valid_until IS NULL
ON CONFLICT (pack_key) WHERE pack_key <> '' DO UPDATE SET
    code = excluded.code, name_zh = excluded.name_zh, name_en = excluded.name_en, name_pinyin = excluded.name_pinyin,
    short_zh = excluded.short_zh, division_code = excluded.division_code, level = excluded.level,
    changed_at = excluded.changed_at, abolished_on = NULL
WHERE organizations_organization.edited_at IS NULL
  AND (organizations_organization.code, organizations_organization.name_zh, organizations_organization.name_en,
       organizations_organization.short_zh, organizations_organization.division_code, organizations_organization.level,
       organizations_organization.abolished_on)
  IS DISTINCT FROM (excluded.code, excluded.name_zh, excluded.name_en, excluded.short_zh, excluded.division_code, excluded.level,
       NULL::date)
"""

_PARENTS = """
UPDATE organizations_organization o SET parent_id = p.id, changed_at = %s
  FROM json_to_recordset(%s::json) AS g(key text, parent_key text)
  LEFT JOIN organizations_organization p ON p.pack_key = g.parent_key AND g.parent_key <> ''
 WHERE o.pack_key = g.key AND o.edited_at IS NULL AND o.parent_id IS DISTINCT FROM p.id
"""

# What the pack no longer names is abolished, unless somebody works there or an administrator changed it.
_ABOLISH_DROPPED = """
UPDATE organizations_organization o SET abolished_on = %s, changed_at = %s
 WHERE o.pack_key <> '' AND o.pack_key <> ALL(%s) AND o.abolished_on IS NULL AND o.edited_at IS NULL
   AND NOT EXISTS (SELECT 1 FROM organizations_appointment a JOIN organizations_post p ON p.id = a.post_id
                    WHERE p.organization_id = o.id AND a.ended_at IS NULL)
"""


def register_kinds() -> None:
    """Make the room's kinds of pack content known to the checker and the importer."""
    register_kind(
        Kind(
            name="division",
            folder="divisions",
            file="divisions.csv",
            media_type=loading.CSV,
            parse=loading.parse_divisions,
            importer=import_divisions,
            order=10,
        )
    )
    register_kind(
        Kind(
            name="division_change",
            folder="divisions",
            file="changes.csv",
            media_type=loading.CSV,
            parse=loading.parse_changes,
            importer=import_changes,
            order=11,
        )
    )
    register_kind(
        Kind(
            name="organization",
            folder="organizations",
            parse=loading.parse_department,
            cross_check=loading.check_departments,
            importer=import_organizations,
            order=12,
        )
    )


def import_divisions(context: ImportContext) -> None:
    """Make the divisions in force those of the pack. About 60 ms for two thousand."""
    lines: list[DivisionLine] = [line for found in context.pack.values("division").values() for line in found]
    if not lines:
        return
    rows = json.dumps(
        [{**asdict(line), "id": str(new_id()), "prefix": prefix_of(line.code)} for line in lines], default=str
    )
    with connection.cursor() as cursor:
        cursor.execute(_CLOSE_RENAMED, [rows])
        cursor.execute(_DIVISIONS, [rows])
        cursor.execute(_CLOSE_DROPPED, [today(context.now), [line.code for line in lines]])
        cursor.execute("ANALYZE organizations_division")


def import_changes(context: ImportContext) -> None:
    """Record the pack's changes of divisions, and the divisions that ended with them."""
    lines: list[ChangeLine] = [line for found in context.pack.values("division_change").values() for line in found]
    models.DivisionChange.objects.all().delete()
    models.DivisionChange.objects.bulk_create(
        [models.DivisionChange(**asdict(line)) for line in lines], batch_size=1000
    )
    current = set(models.Division.objects.filter(valid_until=None).values_list("code", "name_zh"))
    known = set(models.Division.objects.exclude(valid_until=None).values_list("code", "name_zh"))
    former: dict[tuple[str, str], models.Division] = {}
    began: dict[tuple[str, str], int] = {}
    for line in sorted(lines, key=lambda one: one.year):
        if line.new_code and line.new_name:
            began.setdefault((line.new_code, line.new_name), line.year)
        key = (line.old_code, line.old_name)
        if line.old_code and line.old_name and key not in current and key not in known:
            start = began.get(key)
            former[key] = models.Division(
                code=line.old_code,
                name_zh=line.old_name,
                level=line.level,
                prefix=prefix_of(line.old_code),
                # Only the year is on record; it stands as its first day.
                valid_from=date(start, 1, 1) if start is not None and start < line.year else None,
                valid_until=date(line.year, 1, 1),
            )
    models.Division.objects.bulk_create(former.values(), batch_size=1000)


def import_organizations(context: ImportContext) -> None:
    """Make departments, organisations and kinds of post those of the pack. About 300 ms for three thousand.

    Organisations that an administrator changed are left alone; posts that still carry their template's old rights get the new.
    """
    departments: Mapping[str, Any] = context.pack.values("organization")
    if not departments:
        return
    divisions = [line for found in context.pack.values("division").values() for line in found]
    _put_departments(departments)
    lines = loading.expand(departments=departments, divisions=divisions)
    _put_organizations(lines, context.now)
    _put_templates(departments, context.now)


def _put_departments(departments: Mapping[str, Any]) -> None:
    models.Department.objects.bulk_create(
        [
            models.Department(code=code, sort=one["sort"], **_names(one["name"], "name"))
            for code, one in departments.items()
        ],
        update_conflicts=True,
        unique_fields=["code"],
        update_fields=["name_zh", "name_en", "sort"],
    )


def _put_organizations(lines: Sequence[OrganizationLine], now: datetime) -> None:
    kept = dict(models.Organization.objects.exclude(pack_key="").values_list("pack_key", "code"))
    rows = json.dumps(
        [{**asdict(line), "id": str(new_id()), "code": kept.get(line.key, line.code)} for line in lines],
        ensure_ascii=False,
    )
    with connection.cursor() as cursor:
        cursor.execute(_ORGANIZATIONS, [now, rows])
        changed = cursor.rowcount
        cursor.execute(_PARENTS, [now, rows])
        moved = cursor.rowcount
        cursor.execute(_ABOLISH_DROPPED, [today(now), now, [line.key for line in lines]])
        dropped = cursor.rowcount
        if changed + moved + dropped:
            cursor.execute("ANALYZE organizations_organization")
    if changed + moved + dropped:
        reaching = models.Post.objects.filter(rights__contains=[{"reach": "subtree"}], closed_on=None)
        commands.compile_posts(post_ids=reaching.values_list("pk", flat=True), now=now)


def _put_templates(departments: Mapping[str, Any], now: datetime) -> None:
    before = {row.code: row for row in models.PostTemplate.objects.all()}
    wanted = {
        post["code"]: models.PostTemplate(
            code=post["code"],
            department_id=code,
            levels=[int(loading.LEVELS[level]) for level in post["levels"]],
            rights=[dict(grant) for grant in post["rights"]],
            **_names(post["title"], "title"),
        )
        for code, one in departments.items()
        for post in one["posts"]
    }
    models.PostTemplate.objects.exclude(code__in=wanted).delete()
    models.PostTemplate.objects.bulk_create(
        wanted.values(),
        update_conflicts=True,
        unique_fields=["code"],
        update_fields=["department", "levels", "rights", "title_zh", "title_en"],
    )
    for code, template in wanted.items():
        old = before.get(code)
        if old is None or old.rights == template.rights:
            continue
        posts = models.Post.objects.filter(template_code=code, rights=old.rights, closed_on=None)
        ids = list(posts.values_list("pk", flat=True))
        models.Post.objects.filter(pk__in=ids).update(rights=template.rights, changed_at=now)
        commands.compile_posts(post_ids=ids, now=now)


def _names(text: Text, stem: str) -> dict[str, str]:
    english = dict(text.values).get("en", "") if len(text.values) > 1 else ""
    return {f"{stem}_zh": text.primary, f"{stem}_en": english}
