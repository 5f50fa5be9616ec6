"""Writes of packs: importing a pack, publishing from the workbench, exporting to files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from pathlib import Path, PurePosixPath

from django.db import transaction
from django.db.models import Max

from furong.foundation.access.values import Actor
from furong.foundation.audit.commands import command, current
from furong.foundation.packs import models
from furong.foundation.packs.errors import PackDrift, PackIsOlder, PackRefused
from furong.foundation.packs.queries import FRAME_KIND, forget_cache, get_definition, get_frame, remember
from furong.foundation.packs.reading import check, parse_file, read_pack
from furong.foundation.packs.values import (
    BUILT_IN,
    ImportContext,
    ImportResult,
    Pack,
    PackFile,
    Release,
    digest_of,
    has_errors,
    kind_named,
    kinds,
)

PACK, WORKBENCH = "pack", "workbench"


@command("packs.import_pack", database="default")
def import_pack(
    *, path: str | os.PathLike[str], actor: Actor, now: datetime, allow_older: bool = False
) -> ImportResult:
    """Check the pack in the folder ``path`` and release what differs from the database, all or nothing.

    A definition that is unchanged keeps its release. A file that is gone withdraws its definition. ``allow_older`` lets a file go
    back to a version that was superseded. Rooms' importers run in the same transaction.
    Raises `PackRefused` with findings, `PackDrift` when the workbench changed what the pack would overwrite, `PackIsOlder`.
    """
    pack = read_pack(path)
    from_files = {(f.kind, f.code): f for f in _with_frame(pack)}
    newest = _newest_releases(pack.frame.code)
    syncs = {(s.kind, s.code): s for s in models.Sync.objects.select_for_update().filter(pack=pack.frame.code)}
    whole = _with_workbench(pack, newest, from_files)
    findings = check(whole)
    if has_errors(findings):
        raise PackRefused(findings)
    drift = [
        f"{kind}/{code}"
        for (kind, code), release in newest.items()
        if (kind, code) in syncs
        and release.digest != syncs[kind, code].digest
        and _digest(from_files.get((kind, code))) != release.digest
    ] + [
        f"{kind}/{code}"
        for (kind, code), release in newest.items()
        if (kind, code) not in syncs and (kind, code) in from_files and from_files[kind, code].digest != release.digest
    ]
    if drift:
        raise PackDrift(sorted(drift))
    changed = {k: f for k, f in from_files.items() if k not in newest or newest[k].digest != f.digest}
    if not allow_older:
        older = _superseded(changed)
        if older:
            raise PackIsOlder(older)
    days = _days_in_force(whole)
    _release_files(
        {key: (file, days.get(key, pack.frame.in_force_from)) for key, file in changed.items()},
        pack=pack.frame.code,
        actor=actor,
        now=now,
    )
    gone = [k for k, s in syncs.items() if k not in from_files and s.digest]
    for key in gone:
        _withdraw(newest[key], actor=actor, now=now)
    _mark_all(
        [
            *((file.kind, file.code, file.path, file.digest) for file in from_files.values()),
            *((kind, code, syncs[kind, code].path, "") for kind, code in gone),
        ],
        pack=pack.frame.code,
        now=now,
    )
    forget_cache()
    transaction.on_commit(forget_cache)
    remember(whole.files)
    context = _import_context(whole, actor, now)
    for spec in kinds():
        if spec.importer is not None:
            spec.importer(context)
    released = tuple(sorted(f"{kind}/{code}" for kind, code in changed))
    withdrawn = tuple(sorted(f"{kind}/{code}" for kind, code in gone))
    record = current()
    record.detail(
        pack=pack.frame.code,
        released=list(released),
        withdrawn=list(withdrawn),
    )
    return ImportResult(released=released, withdrawn=withdrawn, unchanged=len(from_files) - len(changed))


@command("packs.publish_definition", database="default")
def publish_definition(
    *,
    kind: str,
    code: str,
    content: bytes,
    in_force_from: date,
    actor: Actor,
    now: datetime,
) -> Release:
    """Publish a definition that was edited in the workbench, after the same checks a pack passes.

    The rest of the pack is what is published now. Raises `KindUnknown`, `PackRefused` with the findings.
    """
    from furong.foundation.packs.drafts import check_draft  # which reads what is published through this module

    draft, whole, findings = check_draft(kind=kind, code=code, content=content)
    if has_errors(findings):
        raise PackRefused(findings)
    spec, newest = kind_named(kind), _newest_releases(whole.frame.code)
    assert spec is not None  # noqa: S101 - check_draft asked for it
    frame, path = whole.frame, draft.path
    before = newest.get((kind, code))
    row = _release(
        kind=kind,
        code=code,
        digest=_store(content, spec.media_type, now),
        in_force_from=in_force_from,
        origin=WORKBENCH,
        pack=frame.code,
        path=before.path if before and not before.path.startswith(BUILT_IN) else path,
        actor=actor,
        now=now,
    )
    current().object(f"definition:{kind}", row.id)
    current().detail(kind=kind, code=code, version=row.version, digest=row.digest_id or "")
    forget_cache()
    transaction.on_commit(forget_cache)
    for other in kinds():
        if other.importer is not None and other.on_publish:
            other.importer(_import_context(whole, actor, now))
    return _value(row)


@command("packs.export_pack", database="default")
def export_pack(*, path: str | os.PathLike[str], actor: Actor, now: datetime) -> tuple[str, ...]:
    """Write the newest published definitions of the imported pack into the folder ``path``, and remove withdrawn files.

    Returns the paths that changed. Afterwards folder and database agree, so that an import finds no drift.
    """
    root = Path(path)
    frame = get_frame()
    changed: list[str] = []
    for (kind, code), release in sorted(_newest_releases(frame.code).items()):
        place = root.joinpath(*PurePosixPath(release.path).parts)
        if release.path.startswith(BUILT_IN) or not place.resolve().is_relative_to(root.resolve()):
            continue
        if release.is_withdrawn:
            if place.exists():
                place.unlink()
                changed.append(release.path)
        else:
            content = get_definition(digest=release.digest).content
            if not place.exists() or place.read_bytes() != content:
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(content)
                changed.append(release.path)
        _mark_all([(kind, code, release.path, release.digest)], pack=frame.code, now=now)
    current().detail(pack=frame.code, changed=changed)
    return tuple(changed)


def _import_context(pack: Pack, actor: Actor, now: datetime) -> ImportContext:
    return ImportContext(
        actor=actor,
        now=now,
        pack=pack,
        store=lambda content, media_type: _store(content, media_type, now),
        store_all=lambda some: _store_all(some, now),
    )


def published_files(pack: str, newest: Mapping[tuple[str, str], Release]) -> list[PackFile]:
    """Read the newest published definitions of a pack as files."""
    frame, files = get_frame(), []
    for (kind, code), release in newest.items():
        spec = kind_named(kind)
        if spec is None or release.is_withdrawn:
            continue
        files.append(_file_of(release, spec.media_type, kind, code))
        parse_file(files[-1], spec, frame)
    return files


def _file_of(release: Release, media_type: str, kind: str, code: str) -> PackFile:
    return PackFile(
        kind=kind,
        code=code,
        path=release.path,
        shown=release.path,
        content=get_definition(digest=release.digest).content,
        media_type=media_type,
    )


def _with_frame(pack: Pack) -> list[PackFile]:
    if pack.root is None or not (pack.root / "pack.toml").is_file():
        return pack.files
    content = (pack.root / "pack.toml").read_bytes()
    frame = PackFile(
        kind=FRAME_KIND,
        code=pack.frame.code,
        path="pack.toml",
        shown="pack.toml",
        content=content,
        media_type="application/toml",
    )
    return [frame, *pack.files]


def _with_workbench(
    pack: Pack, newest: Mapping[tuple[str, str], Release], from_files: Mapping[tuple[str, str], PackFile]
) -> Pack:
    """The pack as it will be in force: its files, and what only the workbench published (a county's override, say)."""
    more = []
    for (kind, code), release in newest.items():
        spec = kind_named(kind)
        if (kind, code) in from_files or release.is_withdrawn or release.origin != WORKBENCH or spec is None:
            continue
        file = _file_of(release, spec.media_type, kind, code)
        parse_file(file, spec, pack.frame)
        more.append(file)
    return Pack(frame=pack.frame, files=[*pack.files, *more], root=pack.root, findings=pack.findings)


def _days_in_force(pack: Pack) -> dict[tuple[str, str], date]:
    """From which day each file is in force: its own date, else that of the main file beside it, else the pack's."""
    of_folder: dict[str, date] = {}
    own: dict[tuple[str, str], date] = {}
    for file in pack.files:
        spec = kind_named(file.kind)
        day = spec.in_force_from(file.value) if spec and spec.in_force_from and file.value is not None else None
        if day is not None:
            own[file.kind, file.code] = day
            if spec is not None and spec.file and PurePosixPath(file.path).name == spec.file:
                of_folder[str(PurePosixPath(file.path).parent)] = day
    return {
        (f.kind, f.code): own.get((f.kind, f.code))
        or of_folder.get(str(PurePosixPath(f.path).parent), pack.frame.in_force_from)
        for f in pack.files
    }


def _digest(file: PackFile | None) -> str:
    return file.digest if file is not None else ""


def _newest_releases(pack: str) -> dict[tuple[str, str], Release]:
    """Give the newest release of each definition of a pack, withdrawn ones too, by kind and code."""
    rows = models.Release.objects.filter(pack=pack).order_by("kind", "code", "-version").distinct("kind", "code")
    return {(row.kind, row.code): _value(row) for row in rows}


def _superseded(changed: Mapping[tuple[str, str], PackFile]) -> list[str]:
    seen = set(
        models.Release.objects.filter(digest_id__in=[f.digest for f in changed.values()]).values_list(
            "kind", "code", "digest_id"
        )
    )
    return sorted(f"{kind}/{code}" for (kind, code), f in changed.items() if (kind, code, f.digest) in seen)


def _store(content: bytes, media_type: str, now: datetime) -> str:
    """Keep bytes as an immutable definition and give its digest; the same bytes are kept once."""
    digest = digest_of(content)
    models.Definition.objects.bulk_create(
        [models.Definition(digest=digest, media_type=media_type, content=content, created_at=now)],
        ignore_conflicts=True,
    )
    return digest


def _store_all(some: Iterable[tuple[bytes, str]], now: datetime) -> None:
    """Keep many definitions: two statements for every thousand of them, one when they are all there."""
    wanted = {digest_of(content): (content, media_type) for content, media_type in some}
    there = set(models.Definition.objects.filter(digest__in=list(wanted)).values_list("digest", flat=True))
    models.Definition.objects.bulk_create(
        [
            models.Definition(digest=digest, media_type=media_type, content=content, created_at=now)
            for digest, (content, media_type) in wanted.items()
            if digest not in there
        ],
        ignore_conflicts=True,
        batch_size=1000,
    )


def _release_files(
    files: Mapping[tuple[str, str], tuple[PackFile, date]], *, pack: str, actor: Actor, now: datetime
) -> None:
    """Release files of a pack, each from its day: three statements, however many there are."""
    if not files:
        return
    kinds_, codes = {kind for kind, _ in files}, {code for _, code in files}
    versions = {
        (row["kind"], row["code"]): row["last"]
        for row in models.Release.objects.filter(kind__in=kinds_, code__in=codes)
        .values("kind", "code")
        .annotate(last=Max("version"))
    }
    # The same bytes under two codes are one definition.
    kept = {file.digest: file for file, _day in files.values()}
    models.Definition.objects.bulk_create(
        [
            models.Definition(digest=digest, media_type=file.media_type, content=file.content, created_at=now)
            for digest, file in kept.items()
        ],
        ignore_conflicts=True,
        batch_size=500,
    )
    models.Release.objects.bulk_create(
        [
            models.Release(
                kind=kind,
                code=code,
                version=versions.get((kind, code), 0) + 1,
                digest_id=file.digest,
                in_force_from=day,
                published_at=now,
                published_by=_by(actor),
                origin=PACK,
                pack=pack,
                path=file.path,
            )
            for (kind, code), (file, day) in files.items()
        ],
        batch_size=500,
    )


def _by(actor: Actor) -> str:
    return actor.label or str(actor.account_id or "")


def _release(
    *,
    kind: str,
    code: str,
    digest: str | None,
    in_force_from: date,
    origin: str,
    pack: str,
    path: str,
    actor: Actor,
    now: datetime,
) -> models.Release:
    last = (
        models.Release.objects.filter(kind=kind, code=code)
        .order_by("-version")
        .values_list("version", flat=True)
        .first()
    )
    return models.Release.objects.create(
        kind=kind,
        code=code,
        version=(last or 0) + 1,
        digest_id=digest,
        in_force_from=in_force_from,
        published_at=now,
        published_by=_by(actor),
        origin=origin,
        pack=pack,
        path=path,
    )


def _withdraw(release: Release, *, actor: Actor, now: datetime) -> None:
    _release(
        kind=release.kind,
        code=release.code,
        digest=None,
        in_force_from=release.in_force_from,
        origin=PACK,
        pack=release.pack,
        path=release.path,
        actor=actor,
        now=now,
    )


def _mark_all(rows: Iterable[tuple[str, str, str, str]], *, pack: str, now: datetime) -> None:
    """Note of each (kind, code, path, digest) that file and database agree: one statement, however many there are."""
    models.Sync.objects.bulk_create(
        [
            models.Sync(kind=kind, code=code, pack=pack, path=path, digest=digest, synced_at=now)
            for kind, code, path, digest in rows
        ],
        update_conflicts=True,
        unique_fields=["kind", "code"],
        update_fields=["pack", "path", "digest", "synced_at"],
    )


def _value(row: models.Release) -> Release:
    from furong.foundation.packs.queries import _release as as_value

    return as_value(row)
