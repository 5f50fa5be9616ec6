"""The loop of an import: read each file of a source, keep what is new, leave what is the same, remove what is gone.

Memory is bounded: one file at a time, pages by batches, the manifest (some 500 B a line). Files are read in a child process.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from uuid import UUID

from django.utils import timezone

from furong.domains.search.store import commands, queries
from furong.domains.search.store.errors import ImportRuns, ImportShrank, SiteRefused, SourceUnreadable
from furong.domains.search.store.extractor import FILE_SECONDS, Extractor
from furong.domains.search.store.sources import Source, open_source, read_manifest
from furong.domains.search.store.values import (
    MAX_FILE_BYTES,
    MAX_TITLE,
    Entry,
    Extract,
    Kind,
    Note,
    Reason,
    SiteFacts,
    Taken,
    Tally,
    address_of,
    believable,
    check_address,
    check_code,
    document_numbers,
    host_of,
)
from furong.foundation.access.values import Actor
from furong.foundation.codes.errors import Refusal

# Another number reads every file anew, though it did not change: raise it when `reading` or `markup` learn something.
RECIPE = "1"
_BATCH = 100
_BATCH_CHARACTERS = 4_000_000
_SHOW_EVERY_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How an import stands: files looked at, and how long it has run."""

    files: int
    added: int
    changed: int
    same: int
    refused: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """How an import ended. ``finding`` is the refusal that stopped it or kept it from removing, None when it came through."""

    import_id: UUID
    tally: Tally
    finding: Refusal | None


@dataclass(slots=True)
class _Batch:
    pages: list[Taken] = field(default_factory=list)
    seen: list[UUID] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    files: int = 0
    characters: int = 0

    @property
    def is_full(self) -> bool:
        return (
            len(self.pages) >= _BATCH
            or self.characters >= _BATCH_CHARACTERS
            or len(self.seen) + len(self.notes) >= _BATCH * 10
        )


def import_pages(
    *,
    path: Path,
    site: SiteFacts,
    actor: Actor,
    clock: Callable[[], datetime],
    manifest: Path | None = None,
    allow_shrink: bool = False,
    file_seconds: float = FILE_SECONDS,
    on_progress: Callable[[Progress], None] | None = None,
) -> Imported:
    """Import a folder or an archive into a site, and say how it went.

    What did not change since the last import is not read again; what the source lacks is removed, unless more than half of a
    site's pages would go and ``allow_shrink`` is not said. A file that cannot be read is noted, and the rest goes on. Raises
    SourceUnreadable, ManifestRefused, SiteRefused, ImportRuns and AccessRefused before anything is kept; ExtractorDownError.
    """
    if not check_code(site.code):
        raise SiteRefused(why="its code")
    with open_source(path) as source:
        said = _said(source, manifest)
        if not commands.claim_site(site.code):
            raise ImportRuns
        try:
            known = queries.find_site(code=site.code)
            run = _Run(
                import_id=commands.begin_import(site=site, source=path.name, actor=actor, now=clock()),
                site=site.code,
                base_address=site.base_address or (known.base_address if known else ""),
                actor=actor,
                clock=clock,
                on_progress=on_progress,
            )
            return _through(run, source, said, allow_shrink=allow_shrink, file_seconds=file_seconds)
        finally:
            commands.release_site(site.code)


def _said(source: Source, manifest: Path | None) -> dict[str, dict[str, str]]:
    try:
        found = (manifest.name, manifest.open("rb")) if manifest is not None else source.manifest()
    except OSError as exc:
        raise SourceUnreadable from exc
    if found is None:
        return {}
    name, file = found
    with file:
        return read_manifest(file, name=name)


class _Run:
    def __init__(
        self,
        *,
        import_id: UUID,
        site: str,
        base_address: str,
        actor: Actor,
        clock: Callable[[], datetime],
        on_progress: Callable[[Progress], None] | None,
    ) -> None:
        self.import_id, self.site, self.base_address = import_id, site, base_address
        self.actor, self.clock = actor, clock
        self.batch = _Batch()
        self._on_progress = on_progress
        self._began = self._shown = time.monotonic()
        self._files = self._added = self._changed = self._same = self._refused = 0

    @property
    def today(self) -> date:
        return timezone.localdate(self.clock())

    def note(self, path: str, reason: Reason, detail: str = "") -> None:
        self.batch.notes.append(Note(path=path, reason=reason, detail=detail))
        self._refused += reason.is_rejection

    def keep(self, page: Taken) -> None:
        self.batch.pages.append(page)
        self.batch.characters += len(page.body)

    def flush(self, *, only_full: bool) -> None:
        batch = self.batch
        if only_full and not batch.is_full:
            return
        if batch.pages or batch.seen or batch.notes or batch.files:
            kept = commands.keep_pages(
                import_id=self.import_id,
                pages=batch.pages,
                seen=batch.seen,
                notes=batch.notes,
                files=batch.files,
                actor=self.actor,
                now=self.clock(),
            )
            self._added += kept.added
            self._changed += kept.changed
            self._same += len(batch.seen)
            self._refused += len(kept.notes)
        self.batch = _Batch()

    def looked(self) -> None:
        self.batch.files += 1
        self._files += 1
        self.show()

    def show(self, *, at_once: bool = False) -> None:
        now = time.monotonic()
        if self._on_progress is not None and (at_once or now - self._shown >= _SHOW_EVERY_SECONDS):
            self._shown = now
            self._on_progress(
                Progress(
                    files=self._files,
                    added=self._added,
                    changed=self._changed,
                    same=self._same,
                    refused=self._refused,
                    seconds=now - self._began,
                )
            )


def _through(
    run: _Run, source: Source, said: dict[str, dict[str, str]], *, allow_shrink: bool, file_seconds: float
) -> Imported:
    finding: Refusal | None = None
    unseen = dict.fromkeys(said)
    try:
        with Extractor(file_seconds=file_seconds) as extractor:
            for found in source.list():
                run.looked()
                unseen.pop(found.path, None)
                if isinstance(found, Note):
                    run.note(found.path, found.reason, found.detail)
                else:
                    _take(
                        run, source, Entry(path=found.path, size=found.size, said=said.get(found.path, {})), extractor
                    )
                run.flush(only_full=True)
        for path in unseen:
            run.note(path, Reason.MISSING)
            run.flush(only_full=True)
        run.flush(only_full=False)
        for _ in _gone(run, allow_shrink=allow_shrink):
            run.show()
    except (ImportShrank, SourceUnreadable) as refusal:
        # What was read is kept; what a broken source lacks is not gone.
        finding = refusal
        run.flush(only_full=False)
    except BaseException:
        with contextlib.suppress(Exception):
            commands.end_import(
                import_id=run.import_id, finding="search.import_killed", actor=run.actor, now=run.clock()
            )
        raise
    run.show(at_once=True)
    tally = commands.end_import(
        import_id=run.import_id, finding=finding.code if finding else "", actor=run.actor, now=run.clock()
    )
    return Imported(import_id=run.import_id, tally=tally, finding=finding)


def _gone(run: _Run, *, allow_shrink: bool) -> Iterator[int]:
    while removed := commands.remove_gone(
        import_id=run.import_id, allow_shrink=allow_shrink, actor=run.actor, now=run.clock()
    ):
        yield removed


def _take(run: _Run, source: Source, entry: Entry, extractor: Extractor) -> None:
    """Read a file, and put what it says, or why it says nothing, into the batch."""
    known = queries.find_digest(site=run.site, path=entry.path)
    data = Reason.TOO_LARGE if entry.size > MAX_FILE_BYTES else source.read(entry.path)
    if isinstance(data, Reason):
        _refuse(run, entry, data, known)
        return
    digest = _digest(data, entry.said, run.base_address)
    if known is not None and known[1] == digest:
        run.batch.seen.append(known[0])
        return
    guess = check_address(entry.said.get("address", "")) or address_of(entry.path, base_address=run.base_address)
    found = extractor.read(data, path=entry.path, charset=entry.said.get("charset", ""), address=guess)
    if isinstance(found, Reason):
        _refuse(run, entry, found, known)
        return
    address = _address(entry, found, guess=guess, base_address=run.base_address)
    if not address:
        _refuse(run, entry, Reason.NO_ADDRESS, known)
        return
    for note in found.notes:
        run.note(entry.path, Reason(note))
    run.keep(_taken(run, entry, found, address=address, digest=digest, size=len(data)))


def _refuse(run: _Run, entry: Entry, reason: Reason, known: tuple[UUID, str] | None) -> None:
    run.note(entry.path, reason)
    if known is not None and reason.keeps_older:
        run.batch.seen.append(known[0])
        run.note(entry.path, Reason.KEPT_OLDER)


def _digest(data: bytes, said: dict[str, str], base_address: str) -> str:
    """Name what a page is made of: another manifest or another base address makes another page of the same file."""
    digest = hashlib.sha256(json.dumps([RECIPE, base_address, sorted(said.items())]).encode())
    digest.update(data)
    return digest.hexdigest()


def _address(entry: Entry, found: Extract, *, guess: str, base_address: str) -> str:
    """Choose a page's address: the manifest's; the page's own word, when it stays on its host; the path below the base."""
    if entry.said.get("address"):
        return check_address(entry.said["address"])
    own = check_address(found.canonical)
    if own and guess and host_of(own) == host_of(guess):
        return own
    return guess


def _taken(run: _Run, entry: Entry, found: Extract, *, address: str, digest: str, size: int) -> Taken:
    said = entry.said
    dates: list[date | None] = []
    for column, claimed in (("published_on", found.published), ("modified_on", found.modified)):
        claim = said.get(column) or claimed
        day, refused = believable(claim, today=run.today)
        if refused:
            run.note(entry.path, Reason.DATE_REFUSED, f"{column} {claim[:40]}")
        dates.append(day)
    title = (said.get("title") or found.title)[:MAX_TITLE]
    keywords = tuple(one.strip() for one in said["keywords"].split(",")) if said.get("keywords") else found.keywords
    kind = Kind(said["kind"]) if said.get("kind") in set(Kind) else Kind(found.kind)
    return Taken(
        path=entry.path,
        address=address,
        digest=digest,
        size=size,
        kind=kind,
        media_type=found.media_type,
        title=title,
        headings=found.headings,
        summary=found.summary,
        body=found.body,
        language=said.get("language") or found.language,
        department=(said.get("department") or found.department)[:200],
        author=(said.get("author") or found.author)[:200],
        column=(said.get("column") or found.column)[:200],
        keywords=keywords,
        numbers=document_numbers(f"{title}\n{found.body[:5000]}"),
        published_on=dates[0],
        modified_on=dates[1],
        charset=found.charset,
    )
