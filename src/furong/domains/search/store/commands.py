"""Writes of the page store: an import begins, brings pages in batches, removes what is gone, and ends.

Each batch is a transaction of its own: an import that is killed leaves whole pages, and the next run goes on where it stood, for
what did not change is told by its digest. `importing` holds the loop around these.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import F

from furong.domains.search.commands import touch
from furong.domains.search.store import models
from furong.domains.search.store.errors import ImportShrank, PageMissing, SiteMissing, SiteRefused, WhyNeeded
from furong.domains.search.store.values import Note, Reason, SiteFacts, Taken, Tally, check_address, check_code
from furong.domains.search.values import MANAGE
from furong.foundation.access import queries as access
from furong.foundation.access.values import Actor
from furong.foundation.audit.commands import command, current
from furong.foundation.codes.ids import new_id

MAX_NOTES_A_REASON = 1000
_SHRINKS_FROM = 20  # a site of fewer pages may lose most of them in a day
_GONE_AT_ONCE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What became of a batch: keys by outcome, and notes that only the database could give."""

    added: int
    changed: int
    notes: tuple[Note, ...]


def key_of(page_id: UUID) -> str:
    """Give the key under which the index knows a page."""
    return f"page:{page_id}"


@command("search.begin_import")
def begin_import(*, site: SiteFacts, source: str, actor: Actor, now: datetime) -> UUID:
    """Begin an import of a site, which it makes when there is none of the code, and give the import's id.

    ``source`` is the name that the log shows. Imports that were killed are ended in the log. Raises SiteRefused, AccessRefused.
    """
    access.require(actor=actor, right=MANAGE)
    if not check_code(site.code):
        raise SiteRefused(why="its code")
    if site.base_address and not check_address(site.base_address):
        raise SiteRefused(why="its address")
    row, is_new = models.Site.objects.get_or_create(code=site.code, defaults={"name": site.name or site.code})
    facts = {"name": site.name, "department": site.department, "division_code": site.division_code}
    facts["base_address"] = check_address(site.base_address) if site.base_address else ""
    changed = [name for name, value in facts.items() if value and getattr(row, name) != value]
    for name in changed:
        setattr(row, name, facts[name])
    if changed:
        row.save(update_fields=changed)
    if changed and not is_new:
        # The index shows the site's name and department with each page.
        ids = models.Page.objects.filter(site=row).values_list("id", flat=True).iterator(chunk_size=5000)
        _touch_all(list(ids), now=now)
    models.Import.objects.filter(site=row, ended_at=None).update(ended_at=now, finding="search.import_killed")
    run = models.Import.objects.create(site=row, source=source[:200], began_at=now)
    current().object("search_import", run.id)
    current().detail(site=site.code)
    return run.id


@command("search.keep_pages")
def keep_pages(
    *,
    import_id: UUID,
    pages: Sequence[Taken],
    seen: Sequence[UUID],
    notes: Sequence[Note],
    files: int,
    actor: Actor,
    now: datetime,
) -> Kept:
    """Keep a batch of pages, in place of what was kept of the same files, and say what became of them.

    ``seen`` are pages whose files did not change; ``notes`` what was noted since the last batch; ``files`` how many were read. A
    page whose address another file of this import has already is not kept, and noted. What changed is found within seconds.
    Raises AccessRefused. Costs six statements and the rows.
    """
    access.require(actor=actor, right=MANAGE)
    run = models.Import.objects.select_for_update().get(id=import_id)
    by_path = {
        row.path: row for row in models.Page.objects.filter(site_id=run.site_id, path__in=[one.path for one in pages])
    }
    by_address = {row.address: row for row in models.Page.objects.filter(address__in=[one.address for one in pages])}
    kept_out = set(
        models.KeptOut.objects.filter(address__in=[one.address for one in pages]).values_list("address", flat=True)
    )
    new: list[models.Page] = []
    changed: list[models.Page] = []
    refused: list[Note] = []
    gone: list[UUID] = []
    taken_now: set[str] = set()
    for page in pages:
        if page.address in kept_out:
            refused.append(Note(path=page.path, reason=Reason.KEPT_OUT, detail=page.address[:200]))
            continue
        holder = by_address.get(page.address)
        row = by_path.get(page.path)
        is_twice = page.address in taken_now or (
            holder is not None
            and holder.path != page.path
            and (holder.site_id != run.site_id or holder.seen_in == run.id)
        )
        if is_twice:
            refused.append(Note(path=page.path, reason=Reason.ADDRESS_TWICE, detail=page.address[:200]))
            continue
        taken_now.add(page.address)
        if holder is not None and row is not None and holder.id != row.id:
            gone.append(row.id)  # the file took over the address of another that is not there any more
            row = holder
        row = row or holder
        if row is None:
            row = models.Page(id=new_id(), site_id=run.site_id)
            new.append(row)
        else:
            changed.append(row)
        _fill(row, page, run_id=run.id, now=now)
    if gone:
        models.Page.objects.filter(id__in=gone).delete()
    if changed:
        models.Page.objects.bulk_update(changed, _FIELDS, batch_size=200)
    models.Page.objects.bulk_create(new)
    if seen:
        models.Page.objects.filter(id__in=seen).update(seen_in=run.id)
    _note(run, [*notes, *refused])
    _count(
        run,
        files=files,
        added=len(new),
        changed=len(changed),
        same=len(seen),
        refused=sum(one.reason.is_rejection for one in (*notes, *refused)),
        noted=sum(not one.reason.is_rejection for one in notes),
    )
    _touch_all([*(row.id for row in (*new, *changed)), *gone], now=now)
    current().object("search_import", run.id)
    current().detail(added=len(new), changed=len(changed), same=len(seen))
    return Kept(added=len(new), changed=len(changed), notes=tuple(refused))


@command("search.remove_gone_pages")
def remove_gone(*, import_id: UUID, allow_shrink: bool, actor: Actor, now: datetime) -> int:
    """Remove up to a thousand pages that the import did not see, and give how many; call it until it gives 0.

    Raises ImportShrank when more than half of a site's pages would go, unless ``allow_shrink``; AccessRefused.
    """
    access.require(actor=actor, right=MANAGE)
    run = models.Import.objects.select_for_update().get(id=import_id)
    pages = models.Page.objects.filter(site_id=run.site_id)
    gone = pages.exclude(seen_in=run.id)
    if not allow_shrink and run.removed == 0:
        lacking, known = gone.count(), pages.count() - run.added
        if known >= _SHRINKS_FROM and lacking * 2 > known:
            raise ImportShrank(gone=lacking, known=known)
    ids = list(gone.values_list("id", flat=True)[:_GONE_AT_ONCE])
    models.Page.objects.filter(id__in=ids).delete()
    _count(run, removed=len(ids))
    _touch_all(ids, now=now)
    current().object("search_import", run.id)
    current().detail(removed=len(ids))
    return len(ids)


@command("search.end_import")
def end_import(*, import_id: UUID, finding: str, actor: Actor, now: datetime) -> Tally:
    """End an import and give its tally; ``finding`` is the code of what stopped it, or empty.

    The notes of the site's earlier imports go. Raises AccessRefused.
    """
    access.require(actor=actor, right=MANAGE)
    run = models.Import.objects.select_for_update().get(id=import_id)
    run.ended_at, run.finding = now, finding
    run.save(update_fields=["ended_at", "finding"])
    models.ImportNote.objects.filter(run__site_id=run.site_id).exclude(run=run).delete()
    current().object("search_import", run.id)
    return tally_of(run)


@command("search.remove_page")
def remove_page(*, page_id: UUID, why: str, actor: Actor, now: datetime) -> str:
    """Remove a page and keep its address out of later imports until `admit_page`; gives its site's code.

    It is found no more at once, before the index follows. Raises PageMissing, WhyNeeded for an empty reason, AccessRefused.
    """
    access.require(actor=actor, right=MANAGE)
    if not why.strip():
        raise WhyNeeded
    row = models.Page.objects.select_for_update().filter(id=page_id).first()
    if row is None:
        raise PageMissing
    by = " · ".join(one for one in (actor.label, actor.organization_label) if one)
    models.KeptOut.objects.update_or_create(
        address=row.address,
        defaults={"site_code": row.site_id, "title": row.title, "why": why.strip()[:500], "by": by, "at": now},
    )
    site = str(row.site_id)
    row.delete()
    _touch_all([page_id], now=now)
    current().object("search_page", page_id)
    current().detail(site=site)
    return site


@command("search.admit_page")
def admit_page(*, address: str, actor: Actor, now: datetime) -> str:
    """Let a removed address in again, from the next import on; gives its site's code. Raises PageMissing."""
    access.require(actor=actor, right=MANAGE)
    row = models.KeptOut.objects.select_for_update().filter(address=address).first()
    if row is None:
        raise PageMissing
    site = row.site_code
    row.delete()
    current().object("search_site", site)
    return site


@command("search.remove_site")
def remove_site(*, code: str, actor: Actor, now: datetime) -> int:
    """Remove a site with all its pages and the log of its imports, and give how many pages that were.

    Raises SiteMissing, AccessRefused.
    """
    access.require(actor=actor, right=MANAGE)
    row = models.Site.objects.select_for_update().filter(code=code).first()
    if row is None:
        raise SiteMissing
    ids = list(models.Page.objects.filter(site=row).values_list("id", flat=True))
    _touch_all(ids, now=now)
    models.Page.objects.filter(site=row).delete()
    row.delete()
    current().object("search_site", code)
    current().detail(removed=len(ids))
    return len(ids)


def tally_of(run: models.Import) -> Tally:
    """Give the figures of an import's row."""
    return Tally(
        files=run.files,
        added=run.added,
        changed=run.changed,
        same=run.same,
        removed=run.removed,
        refused=run.refused,
        noted=run.noted,
    )


def claim_site(code: str) -> bool:
    """Claim a site for this connection's import, and say whether it could. It ends with the connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended('furong.search.site.' || %s, 0))", [code])
        row = cursor.fetchone()
    return bool(row and row[0])


def release_site(code: str) -> None:
    """Let go of a site that `claim_site` claimed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock(hashtextextended('furong.search.site.' || %s, 0))", [code])


_FIELDS = [
    "path",
    "address",
    "kind",
    "media_type",
    "title",
    "headings",
    "summary",
    "body",
    "language",
    "department",
    "author",
    "column",
    "keywords",
    "numbers",
    "published_on",
    "modified_on",
    "charset",
    "digest",
    "size",
    "imported_at",
    "seen_in",
]


def _fill(row: models.Page, page: Taken, *, run_id: UUID, now: datetime) -> None:
    for name in _FIELDS:
        if name not in ("imported_at", "seen_in"):
            value = getattr(page, name)
            setattr(row, name, list(value) if isinstance(value, tuple) else value)
    row.imported_at, row.seen_in = now, run_id


def _note(run: models.Import, notes: Sequence[Note]) -> None:
    if not notes:
        return
    held = {
        reason: models.ImportNote.objects.filter(run=run, reason=reason).count() for reason in {n.reason for n in notes}
    }
    rows = []
    for one in notes:
        if held[one.reason] < MAX_NOTES_A_REASON:
            held[one.reason] += 1
            rows.append(
                models.ImportNote(run=run, path=one.path[:1000], reason=one.reason.value, detail=one.detail[:300])
            )
    models.ImportNote.objects.bulk_create(rows)


def _count(run: models.Import, **more: int) -> None:
    if any(more.values()):
        models.Import.objects.filter(id=run.id).update(
            **{name: F(name) + count for name, count in more.items() if count}
        )
        run.refresh_from_db(fields=list(more))


def _touch_all(ids: Sequence[UUID], *, now: datetime) -> None:
    for start in range(0, len(ids), 5000):
        touch(keys=[key_of(one) for one in ids[start : start + 5000]], now=now)
