"""Reads of the page store. What lies in it is public: pages that anybody can open on their sites."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from uuid import UUID

from django.db import connection
from django.db.models import Count, QuerySet

from furong.domains.search.store import models
from furong.domains.search.store.commands import tally_of
from furong.domains.search.store.errors import ImportMissing, PageMissing
from furong.domains.search.store.values import (
    ImportView,
    KeptOutView,
    Kind,
    Note,
    PageLine,
    PageView,
    Reason,
    SiteView,
    check_address,
)


def get_page(*, page_id: UUID) -> PageView:
    """Return a page as it is kept. Raises PageMissing."""
    found = list_pages(page_ids=[page_id])
    if not found:
        raise PageMissing
    return found[0]


def find_page(*, address: str) -> PageView | None:
    """Return the page of an address, None when there is none."""
    row = models.Page.objects.select_related("site").filter(address=check_address(address)).first()
    return _view(row) if row is not None else None


def list_pages(*, page_ids: Sequence[UUID]) -> list[PageView]:
    """Return the pages of these ids that are still there, in no order."""
    return [_view(row) for row in models.Page.objects.select_related("site").filter(id__in=page_ids)]


def list_page_ids(*, page_ids: Sequence[UUID]) -> list[UUID]:
    """Return those of these ids whose pages are still there."""
    return list(models.Page.objects.filter(id__in=page_ids).values_list("id", flat=True))


def each_page_id(*, chunk: int = 5000) -> Iterator[UUID]:
    """Give the id of every page in their order, reading ``chunk`` at a time."""
    after: UUID | None = None
    while True:
        rows = models.Page.objects.order_by("id")
        if after is not None:
            rows = rows.filter(id__gt=after)
        ids = list(rows.values_list("id", flat=True)[:chunk])
        yield from ids
        if len(ids) < chunk:
            return
        after = ids[-1]


def list_page_lines(*, site: str, offset: int = 0, limit: int = 20) -> list[PageLine]:
    """Return a site's pages in a list, by their path in the source, without their texts."""
    return _lines(models.Page.objects.filter(site_id=site).order_by("path")[offset : offset + limit])


def list_page_lines_of(*, page_ids: Sequence[UUID]) -> list[PageLine]:
    """Return those of these pages that are still there, in this order."""
    found = {one.id: one for one in _lines(models.Page.objects.filter(id__in=page_ids))}
    return [found[one] for one in page_ids if one in found]


def list_kept_out(*, site: str, limit: int = 200) -> list[KeptOutView]:
    """Return a site's addresses that editors removed, the newest first."""
    return [
        KeptOutView(address=row.address, site=row.site_code, title=row.title, why=row.why, by=row.by, at=row.at)
        for row in models.KeptOut.objects.filter(site_code=site).order_by("-at", "address")[:limit]
    ]


def get_import(*, import_id: UUID) -> ImportView:
    """Return an import. Raises ImportMissing."""
    row = models.Import.objects.filter(id=import_id).first()
    if row is None:
        raise ImportMissing
    return _import(row)


def find_digest(*, site: str, path: str) -> tuple[UUID, str] | None:
    """Return the id and the digest of what is kept of a file, None when nothing is."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, digest FROM search_page WHERE site_id = %s AND path = %s", [site, path])
        row = cursor.fetchone()
    return (row[0], row[1]) if row is not None else None


def list_sites() -> list[SiteView]:
    """Return all sites with the number of their pages, by code."""
    counts = dict(models.Page.objects.values_list("site_id").annotate(Count("id")))
    return [
        SiteView(
            code=row.code,
            name=row.name,
            base_address=row.base_address,
            department=row.department,
            division_code=row.division_code,
            pages=counts.get(row.code, 0),
        )
        for row in models.Site.objects.order_by("code")
    ]


def find_site(*, code: str) -> SiteView | None:
    """Return a site, None when there is none of the code."""
    return next((one for one in list_sites() if one.code == code), None)


def list_imports(*, site: str, limit: int = 20) -> list[ImportView]:
    """Return a site's imports, the newest first."""
    return [_import(row) for row in models.Import.objects.filter(site_id=site).order_by("-began_at", "-id")[:limit]]


def list_last_imports() -> dict[str, ImportView]:
    """Return the newest import of each site, by the site's code. One read."""
    rows = models.Import.objects.order_by("site_id", "-began_at", "-id").distinct("site_id")
    return {row.site_id: _import(row) for row in rows}


def list_notes(*, import_id: UUID, reason: Reason | None = None, offset: int = 0, limit: int = 1000) -> list[Note]:
    """Return what an import noted, by reason and path; with ``reason`` only that."""
    rows = models.ImportNote.objects.filter(run_id=import_id).order_by("reason", "path")
    if reason is not None:
        rows = rows.filter(reason=reason.value)
    return [Note(path=row.path, reason=Reason(row.reason), detail=row.detail) for row in rows[offset : offset + limit]]


def count_notes(*, import_id: UUID) -> dict[Reason, int]:
    """Count an import's notes by reason; a reason's notes are kept up to a thousand."""
    rows = models.ImportNote.objects.filter(run_id=import_id).values_list("reason").annotate(Count("id"))
    return {Reason(reason): count for reason, count in rows}


def _import(row: models.Import) -> ImportView:
    return ImportView(
        id=row.id,
        site=row.site_id,
        source=row.source,
        began_at=row.began_at,
        ended_at=row.ended_at,
        finding=row.finding,
        tally=tally_of(row),
    )


def _lines(rows: QuerySet[models.Page]) -> list[PageLine]:
    columns = ("id", "title", "address", "kind", "language", "size", "published_on", "imported_at")
    return [
        PageLine(
            id=found[0],
            title=found[1],
            address=found[2],
            kind=Kind(found[3]),
            language=found[4],
            size=found[5],
            published_on=found[6],
            imported_at=found[7],
        )
        for found in rows.values_list(*columns)
    ]


def _view(row: models.Page) -> PageView:
    return PageView(
        id=row.id,
        site=row.site_id,
        site_name=row.site.name,
        address=row.address,
        path=row.path,
        kind=Kind(row.kind),
        media_type=row.media_type,
        title=row.title,
        headings=tuple(row.headings),
        summary=row.summary,
        body=row.body,
        language=row.language,
        department=row.department or row.site.department,
        division_code=row.site.division_code,
        column=row.column,
        keywords=tuple(row.keywords),
        numbers=tuple(row.numbers),
        published_on=row.published_on,
        modified_on=row.modified_on,
        size=row.size,
    )
