"""Makes the index of resources from their releases, in the transaction that releases them: rows to list, search and show."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from pypinyin import lazy_pinyin

from furong.domains.catalogue import facets, models
from furong.domains.catalogue.grants.compiling import compile_resources
from furong.domains.catalogue.resources.reading import Catalog, ResolvedItem, ResolvedResource, catalog_of
from furong.domains.catalogue.resources.values import Entry, Openness, Provider, SharingType
from furong.domains.catalogue.searching import COLLECTS, marked, of_name
from furong.domains.catalogue.states import Act, Audience, OnlineState, PublishState
from furong.foundation.access.values import Scope
from furong.foundation.organizations import queries as organizations
from furong.foundation.organizations.values import Level, Organization
from furong.foundation.packs import queries as packs
from furong.foundation.packs.values import ImportContext, Text

# Raise it when rows are made otherwise from the same definition, so that the next import makes them anew.
_MAKE = "3"

FacetKey = tuple[str, str, str, str, str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Whose a resource is: the organisation, where the provider is one, and the division."""

    organization_id: UUID | None
    division_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What the index keeps of one resource."""

    code: str
    stamp: str
    digest: str
    version: int
    approved: bool
    columns: tuple[Any, ...]
    tokens: str
    facet: FacetKey
    items: tuple[tuple[Any, ...], ...]
    carried: tuple[tuple[Any, ...], ...]


def audience_of(sharing: SharingType, openness: Openness) -> Audience:
    """Say who may know of something on these terms."""
    if sharing is SharingType.NONE:
        return Audience.OWNER
    return Audience.STAFF if openness is Openness.CLOSED else Audience.EVERYBODY


def plain(value: Any) -> Any:
    """Give a value of a definition as JSON holds it: texts by language, codes, lists; without lines."""
    if isinstance(value, Text):
        return value.as_dict()
    if isinstance(value, Enum):
        return value.value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value) if f.name not in {"line", "lines"}
        }
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, str) else value


def make(
    *,
    resolved: ResolvedResource,
    catalog: Catalog,
    owner: Owner,
    digest: str,
    version: int,
    provider_names: Iterable[str],
    approved: bool,
) -> Made:
    """Make the rows of one resource. Pure; the stamp changes when any of them would.

    ``approved``: its release is the data authority's word already (a pack's file that is no draft).
    """
    resource, placed = resolved.resource, resolved.resource.class_
    audience = audience_of(resource.sharing.type, resource.openness.type)
    found = catalog.class_items.get((placed.kind, placed.item))
    group = next((g for g in found.groups if g.code == placed.group), None) if found is not None else None
    texts: dict[Audience, list[str]] = {one: [] for one in Audience}
    texts[audience] += [
        *(text for _, text in (*resource.name.values, *resource.summary.values)),
        *resource.keywords,
        *provider_names,
        resource.code,
        resolved.number.partition("/")[0],
    ]
    items, carried = [], []
    sharing, openness = plain(resource.sharing), plain(resource.openness)
    for position, item in enumerate(resolved.items):
        seen_by = max(audience, audience_of(item.sharing.type, item.openness.type))
        texts[seen_by] += [text for _, text in item.name.values] + [item.code]
        items.append(_item_row(position, item, seen_by, sharing, openness))
        carried += [(code, item.code, code in item.source_of, int(seen_by)) for code in item.elements]
    detail = {
        "summary": plain(resource.summary),
        "keywords": list(resource.keywords),
        "class": {
            "kind": placed.kind.value,
            "item": placed.item,
            "group": placed.group,
            "group_name": plain(group.name) if group is not None else {},
        },
        "provider": plain(resolved.provider),
        "format": plain(resource.format),
        "sharing": sharing,
        "openness": openness,
        "cycle": resource.cycle.value,
        "cycle_note": plain(resource.cycle_note),
        "register": resource.register,
        "related": [str(code) for code in resource.related],
        "collection": plain(resource.collection),
    }
    facet = (
        placed.kind.value,
        f"{placed.kind.value}.{placed.item}",  # a theme and a department may have the same code
        resolved.provider.department,
        resource.sharing.type.value,
        resource.openness.type.value,
        resource.cycle.value,
        resource.format.kind.value,
    )
    columns = (
        resolved.number,
        resource.name.pick("zh"),
        resource.name.pick("en"),
        " ".join(lazy_pinyin(resource.name.pick("zh")))[:300],
        owner.organization_id,
        owner.division_code,
        resource.published_on,
        len(items),
        sum(row[6] <= Audience.STAFF for row in items),
        sum(row[6] <= Audience.EVERYBODY for row in items),
        int(audience),
        json.dumps(detail, ensure_ascii=False, sort_keys=True),
    )
    words = [*marked(texts), *of_name(text for _, text in resource.name.values)]
    tokens = " ".join(f"'{token}'" for token in (*words, *((COLLECTS,) if resource.collection else ())))
    parts = repr((_MAKE, digest, version, columns, tokens, facet, items, carried))
    return Made(
        code=resource.code,
        stamp=hashlib.sha256(parts.encode()).hexdigest(),
        digest=digest,
        version=version,
        approved=approved and resource.entry is Entry.APPROVED,
        columns=columns,
        tokens=tokens,
        facet=facet,
        items=tuple(items),
        carried=tuple(carried),
    )


def _item_row(position: int, item: ResolvedItem, audience: Audience, sharing: Any, openness: Any) -> tuple[Any, ...]:
    detail = {
        "elements": list(item.elements),
        "source_of": list(item.source_of),
        "sensitivity": item.sensitivity.value,
        "sharing": plain(item.sharing) if item.item.sharing is not None else sharing,
        "openness": plain(item.openness) if item.item.openness is not None else openness,
        "own_sharing": item.item.sharing is not None,
        "own_openness": item.item.openness is not None,
        "field": item.item.field,
        "key": item.item.key,
        "nullable": item.item.nullable,
        "note": plain(item.item.note),
    }
    return (
        position,
        item.code,
        item.name.pick("zh"),
        item.name.pick("en"),
        item.type.value,
        item.length,
        int(audience),
        json.dumps(detail, ensure_ascii=False, sort_keys=True),
    )


class Owners:
    """Finds whose resources are; each provider is looked for once."""

    def __init__(self) -> None:
        province = organizations.list_divisions(level=Level.PROVINCE)
        self._root = province[0].code if province else ""
        self._found: dict[Provider, Owner] = {}

    def of(self, provider: Provider) -> Owner:
        """Give the owner. A department at city level or below is no single one."""
        if provider not in self._found:
            self._found[provider] = self._find(provider)
        return self._found[provider]

    def _find(self, provider: Provider) -> Owner:
        body = None
        if provider.organization:
            body = organizations.find_organization_by_code(code=provider.organization)
        elif provider.level in {"", "province"} and self._root:
            body = organizations.find_responsible(department=provider.department, division_code=self._root)
            body = body or _competent(provider.department)
        if body is None:
            return Owner(organization_id=None, division_code=self._root)
        return Owner(organization_id=body.id, division_code=body.division_code)


def _competent(department: str) -> Organization | None:
    """Give the provincial organisation over a department that has none of its own there, as the health commission is over
    hospitals: it replies for them (主管部门), and where there is none, nobody does.
    """
    found = organizations.list_organizations(scope=Scope(everything=True), department=department, size=1).items
    body = found[0] if found else None
    for _step in range(6):
        if body is None or body.level is Level.PROVINCE:
            break
        body = organizations.find_organization(organization_id=body.parent_id) if body.parent_id else None
    return body


def provider_names(pack_organizations: Mapping[str, Any], provider: Provider) -> list[str]:
    """Give the names of a provider's department, by which its resources are found."""
    found = pack_organizations.get(provider.department)
    name = found.get("name") if isinstance(found, Mapping) else getattr(found, "name", None)
    return [text for _, text in name.values] if isinstance(name, Text) else []


def index_resources(context: ImportContext) -> None:
    """Bring the index in line with the releases: rows of what changed are made anew, those of what was withdrawn go.

    Joins the import's transaction. States and pending changes stay; what is new stands as its file says. Cost: reading all
    resources of the pack (about 0.1 ms each), and writing those that differ.
    """
    catalog, owners = catalog_of(context.pack), Owners()
    releases = {r.code: r for r in packs.list_current_releases(kind="resource", on=date.max)}
    names = context.pack.values("organization")
    stamps = dict(models.Resource.objects.filter(version__gt=0).values_list("code", "stamp"))
    gone = [code for code in stamps if code not in releases]
    changed = []
    for code, resolved in catalog.resources.items():
        release = releases.get(code)
        if release is None:
            continue
        made = make(
            resolved=resolved,
            catalog=catalog,
            owner=owners.of(resolved.provider),
            digest=release.digest,
            version=release.version,
            provider_names=provider_names(names, resolved.provider),
            approved=release.origin == "pack",
        )
        if stamps.get(code) != made.stamp:
            changed.append(made)
    remove(gone)
    compile_resources(gone, now=context.now)
    write(changed, now=context.now, by=context.actor.label or context.actor.organization_label or "–")


def remove(codes: Iterable[str]) -> None:
    """Take resources out of the index."""
    wanted = list(codes)
    if wanted:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM catalogue_item WHERE resource_id = ANY(%s)", [wanted])
            cursor.execute("DELETE FROM catalogue_carried WHERE resource_id = ANY(%s)", [wanted])
            cursor.execute("DELETE FROM catalogue_hit WHERE code = ANY(%s)", [wanted])
            cursor.execute("DELETE FROM catalogue_resource WHERE code = ANY(%s)", [wanted])


_UPSERT = """
INSERT INTO catalogue_resource AS r (code, stamp, digest, version, facet_id, number, name_zh, name_en, name_pinyin,
    organization_id, division_code, published_on, items, items_staff, items_public, audience, detail,
    publish_state, online_state, live, pending_digest, pending_from, reason, is_update_extended, updated_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s,
    %s::jsonb, %s, %s, %s, '', '', '', FALSE, %s)
ON CONFLICT (code) DO UPDATE SET
    stamp = excluded.stamp, digest = excluded.digest, version = excluded.version, facet_id = excluded.facet_id,
    number = excluded.number, name_zh = excluded.name_zh, name_en = excluded.name_en, name_pinyin = excluded.name_pinyin,
    organization_id = excluded.organization_id, division_code = excluded.division_code,
    published_on = excluded.published_on, items = excluded.items, items_staff = excluded.items_staff,
    items_public = excluded.items_public, audience = excluded.audience,
    detail = excluded.detail, updated_at = excluded.updated_at,
    -- A draft that its file now calls approved is published; states are otherwise moved by acts only.
    publish_state = CASE WHEN {approves} THEN excluded.publish_state ELSE r.publish_state END,
    online_state = CASE WHEN {approves} THEN excluded.online_state ELSE r.online_state END,
    live = CASE WHEN {approves} THEN excluded.live ELSE r.live END,
    review_due_on = CASE WHEN {approves} THEN NULL ELSE r.review_due_on END
""".format(approves="excluded.live AND r.publish_state IN ('unpublished', 'rejected', 'pub_auditing')")


_HITS = """
INSERT INTO catalogue_hit (facet_id, name_length, audience, live, organization_id, division_code, code, tokens)
SELECT r.facet_id, length(r.name_zh), r.audience, r.live, r.organization_id, r.division_code, r.code, made.tokens::tsvector
  FROM unnest(%s::text[], %s::text[]) AS made (code, tokens) JOIN catalogue_resource AS r ON r.code = made.code
"""


def write(every: list[Made], *, now: datetime, by: str) -> None:
    """Write the rows of resources, in place of those they had."""
    if not every:
        return
    numbers = _facets({made.facet for made in every})
    codes = [made.code for made in every]
    known = set(models.Resource.objects.filter(code__in=codes).values_list("code", flat=True))
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        cursor.execute("DELETE FROM catalogue_item WHERE resource_id = ANY(%s)", [codes])
        cursor.execute("DELETE FROM catalogue_carried WHERE resource_id = ANY(%s)", [codes])
        cursor.execute("DELETE FROM catalogue_hit WHERE code = ANY(%s)", [codes])
        cursor.executemany(_UPSERT, [_row(made, numbers[made.facet], now) for made in every])
        cursor.execute(_HITS, [codes, [made.tokens for made in every]])
        with cursor.copy(
            "COPY catalogue_item (resource_id, position, code, name_zh, name_en, type, length, audience, detail) FROM STDIN"
        ) as copy:
            for made in every:
                for item in made.items:
                    copy.write_row((made.code, *item))
        with cursor.copy(
            "COPY catalogue_carried (resource_id, element, item_code, is_source, audience) FROM STDIN"
        ) as copy:
            for made in every:
                for carried in made.carried:
                    copy.write_row((made.code, *carried))
    models.Review.objects.bulk_create(
        [
            models.Review(
                code=made.code,
                act=Act.IMPORT.value,
                publish_state=_states(made)[0].value,
                online_state=_states(made)[1].value,
                digest=made.digest,
                by=by[:200],
                at=now,
            )
            for made in every
            if made.code not in known
        ],
        batch_size=1000,
    )
    compile_resources(codes, now=now)


def _states(made: Made) -> tuple[PublishState, OnlineState]:
    if made.approved:
        return PublishState.PUBLISHED, OnlineState.ONLINE
    return PublishState.UNPUBLISHED, OnlineState.OFFLINE


def _row(made: Made, facet_id: int, now: datetime) -> tuple[Any, ...]:
    publish, online = _states(made)
    return (
        *(made.code, made.stamp, made.digest, made.version, facet_id),
        *made.columns,
        *(publish.value, online.value, publish.is_public and online.is_up, now),
    )


def _facets(wanted: set[FacetKey]) -> dict[FacetKey, int]:
    names = ("class_kind", "class_item", "department", "sharing", "openness", "cycle", "format_kind")
    models.Facet.objects.bulk_create(
        [models.Facet(**dict(zip(names, key, strict=True))) for key in sorted(wanted)], ignore_conflicts=True
    )
    facets.forget()
    return {(row[1], *row[2:]): row[0] for row in models.Facet.objects.values_list("id", *names)}


__all__ = ["Made", "Owners", "audience_of", "index_resources", "make", "plain", "remove", "write"]
