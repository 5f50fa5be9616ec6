"""Reads of the page store. What lies in it is public: pages that anybody can open on their sites."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from uuid import UUID

from django.db import connection
from django.db.models import Count

from furong.domains.search.store import models
from furong.domains.search.store.commands import tally_of
from furong.domains.search.store.errors import PageMissing
from furong.domains.search.store.values import (
    ImportView,
    Kind,
    Note,
    PageView,
    Reason,
    SiteView,
    check_address,
)


def get_page(*, page_id: UUID) -> PageView:
    """This function will return a page as it is kept. Raises PageMissing."""
    found = list_pages(page_ids=[page_id])
    if not found:
        raise PageMissing
    return found[0]


def find_page(*, address: str) -> PageView | None:
    """This function will return the page of an address, None when there is none."""
    row = models.Page.objects.select_related("site").filter(address=check_address(address)).first()
    return _view(row) if row is not None else None


def list_pages(*, page_ids: Sequence[UUID]) -> list[PageView]:
    """This function will return the pages of these ids that are still there, in no order."""
    return [_view(row) for row in models.Page.objects.select_related("site").filter(id__in=page_ids)]


def list_page_ids(*, page_ids: Sequence[UUID]) -> list[UUID]:
    """This function will return those of these ids whose pages are still there."""
    return list(models.Page.objects.filter(id__in=page_ids).values_list("id", flat=True))


def each_page_id(*, chunk: int = 5000) -> Iterator[UUID]:
    """This function will give the id of every page in their order, reading ``chunk`` at a time."""
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


def find_digest(*, site: str, path: str) -> tuple[UUID, str] | None:
    """This function will return the id and the digest of what is kept of a file, None when nothing is."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, digest FROM search_page WHERE site_id = %s AND path = %s", [site, path])
        row = cursor.fetchone()
    return (row[0], row[1]) if row is not None else None


def list_sites() -> list[SiteView]:
    """This function will return all sites with the number of their pages, by code."""
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
    """This function will return a site, None when there is none of the code."""
    return next((one for one in list_sites() if one.code == code), None)


def list_imports(*, site: str, limit: int = 20) -> list[ImportView]:
    """This function will return a site's imports, the newest first."""
    return [
        ImportView(
            id=row.id,
            site=row.site_id,
            source=row.source,
            began_at=row.began_at,
            ended_at=row.ended_at,
            finding=row.finding,
            tally=tally_of(row),
        )
        for row in models.Import.objects.filter(site_id=site).order_by("-began_at", "-id")[:limit]
    ]


def list_notes(*, import_id: UUID, limit: int = 1000) -> list[Note]:
    """This function will return what an import noted, by reason and path."""
    return [
        Note(path=row.path, reason=Reason(row.reason), detail=row.detail)
        for row in models.ImportNote.objects.filter(run_id=import_id).order_by("reason", "path")[:limit]
    ]


def count_notes(*, import_id: UUID) -> dict[Reason, int]:
    """This function will count an import's notes by reason; a reason's notes are kept up to a thousand."""
    rows = models.ImportNote.objects.filter(run_id=import_id).values_list("reason").annotate(Count("id"))
    return {Reason(reason): count for reason, count in rows}


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
