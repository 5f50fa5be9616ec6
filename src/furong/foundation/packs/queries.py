"""Reads of packs: checking a folder, and the published definitions."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Q

from furong.foundation.codes.statements import first_row
from furong.foundation.packs import models
from furong.foundation.packs.errors import DefinitionMissing, KindUnknown
from furong.foundation.packs.reading import check, check_pack, read_pack
from furong.foundation.packs.values import Definition, Frame, PackFile, Release, kind_named

__all__ = [
    "check",
    "check_pack",
    "current_release",
    "derive",
    "find_release",
    "forget_cache",
    "get_definition",
    "get_frame",
    "get_value",
    "list_codes",
    "list_current_releases",
    "list_days_in_force",
    "list_releases",
    "read_pack",
    "remember",
]

# Releases change rarely and are read on every page: each process keeps what is current for this long. A change made by this
# process is seen at once, one by another process within this time.
LEASE_SECONDS = 1.0
_MAX_DEFINITIONS = 4096

# Releases are only ever added, so that the same number of them is the same releases.
_STATE = "SELECT count(*), (SELECT id FROM pack_release ORDER BY id DESC LIMIT 1) FROM pack_release"

_lock = threading.Lock()
_definitions: OrderedDict[str, Definition] = OrderedDict()
_values: OrderedDict[tuple[str, str], Any] = OrderedDict()
_current: dict[tuple[str, str, date], InForce] = {}
FRAME_KIND = "pack"
Made = TypeVar("Made")


def forget_cache() -> None:
    """Forget which releases are current, so that the next read asks the database."""
    with _lock:
        _current.clear()


def get_definition(*, digest: str) -> Definition:
    """Give the definition with this digest; immutable, so it is kept in memory once read.

    Raises `DefinitionMissing`.
    """
    with _lock:
        found = _definitions.get(digest)
        if found is not None:
            _definitions.move_to_end(digest)
            return found
    row = models.Definition.objects.filter(digest=digest).first()
    if row is None:
        raise DefinitionMissing
    definition = Definition(digest=row.digest, media_type=row.media_type, content=bytes(row.content))
    with _lock:
        _definitions[digest] = definition
        while len(_definitions) > _MAX_DEFINITIONS:
            _definitions.popitem(last=False)
    return definition


def get_value(*, kind: str, digest: str) -> Any:
    """Give what the room that owns ``kind`` reads in the definition ``digest``; parsed once a process.

    Raises `DefinitionMissing`, and `KindUnknown` when no room registered the kind.
    """
    with _lock:
        if (kind, digest) in _values:
            _values.move_to_end((kind, digest))
            return _values[kind, digest]
    spec = kind_named(kind)
    if spec is None:
        raise KindUnknown(kind=kind)
    definition = get_definition(digest=digest)
    value, _ = spec.parse(definition.content, f"{kind}:{digest[:12]}", get_frame())
    with _lock:
        _values[kind, digest] = value
        while len(_values) > _MAX_DEFINITIONS:
            _values.popitem(last=False)
    return value


def remember(files: Iterable[PackFile]) -> None:
    """Keep what was just read of these files, which are stored under their digests, so that nothing is read and parsed twice."""
    with _lock:
        for file in files:
            if file.value is None:
                continue
            _definitions[file.digest] = Definition(digest=file.digest, media_type=file.media_type, content=file.content)
            _values[file.kind, file.digest] = file.value
        for kept in (_definitions, _values):
            while len(kept) > _MAX_DEFINITIONS:
                kept.popitem(last=False)


def get_frame() -> Frame:
    """Give the frame (languages, time zone, settings) of the imported pack.

    Raises `DefinitionMissing` when no pack was imported.
    """
    from furong.foundation.packs.frames import parse_frame

    releases = [r for (kind, _), r in _in_force(date.max).releases.items() if kind == FRAME_KIND]
    if not releases:
        raise DefinitionMissing
    newest = max(releases, key=lambda r: (r.published_at, r.version))
    return parse_frame(get_definition(digest=newest.digest).content)


def _release(row: models.Release) -> Release:
    return Release(
        id=row.id,
        kind=row.kind,
        code=row.code,
        version=row.version,
        digest=row.digest_id or "",
        in_force_from=row.in_force_from,
        published_at=row.published_at,
        published_by=row.published_by,
        origin=row.origin,
        pack=row.pack,
        path=row.path,
    )


def _in_force(on: date) -> InForce:
    """Every definition in force on a day. Kept for `LEASE_SECONDS`, and on while one statement finds nothing published."""
    key = (connection.alias, str(connection.settings_dict["NAME"]), on)
    with _lock:
        kept = _current.get(key)
    if kept is not None and kept.until > time.monotonic():
        return kept
    until = time.monotonic() + LEASE_SECONDS
    state = first_row(_STATE, [])
    if kept is not None and kept.state == state:
        kept.until = until
        return kept
    rows = (
        models.Release.objects.filter(in_force_from__lte=on)
        .order_by("kind", "code", "-in_force_from", "-version")
        .distinct("kind", "code")
    )
    found = InForce({(row.kind, row.code): _release(row) for row in rows}, state=state, until=until)
    with _lock:
        if len(_current) > 64:
            _current.clear()
        _current[key] = found
    return found


class InForce:
    """What is in force on one day in one state of the database, and what was made of it."""

    def __init__(
        self, releases: Mapping[tuple[str, str], Release], *, state: Sequence[Any] | None, until: float
    ) -> None:
        self.releases = releases
        self.state = state
        self.until = until
        self.made: dict[Hashable, Any] = {}
        self.by_kind: dict[str, list[Release]] = {}
        for kind, code in sorted(releases):
            if not releases[kind, code].is_withdrawn:
                self.by_kind.setdefault(kind, []).append(releases[kind, code])


def derive(key: Hashable, *, on: date, make: Callable[[], Made]) -> Made:
    """Give what ``make`` makes of the definitions in force on the local day ``on``: made once, and again after a publication.

    ``make`` may read definitions only. ``key`` names what is made, and for what.
    """
    made = _in_force(on).made
    if key not in made:
        if len(made) > _MAX_DEFINITIONS:
            made.clear()
        made[key] = make()
    found: Made = made[key]
    return found


def current_release(*, kind: str, code: str, on: date) -> Release:
    """Give the release in force on the local day ``on``. Raises `DefinitionMissing` when there is none or it was withdrawn."""
    found = find_release(kind=kind, code=code, on=on)
    if found is None:
        raise DefinitionMissing
    return found


def find_release(*, kind: str, code: str, on: date) -> Release | None:
    """Give the release in force on the local day ``on``, or None."""
    found = _in_force(on).releases.get((kind, code))
    return None if found is None or found.is_withdrawn else found


def list_codes(*, kind: str, on: date) -> list[str]:
    """List the codes of a kind in force on the local day ``on``, sorted."""
    return [release.code for release in _in_force(on).by_kind.get(kind, ())]


def list_current_releases(*, kind: str, on: date) -> Sequence[Release]:
    """List the releases of a kind in force on the local day ``on``, sorted by code."""
    return _in_force(on).by_kind.get(kind, ())


def list_days_in_force(*, kinds: Sequence[str]) -> list[date]:
    """List the local days on which a release of one of the kinds came or comes into force, sorted."""
    days = models.Release.objects.filter(kind__in=list(kinds)).values_list("in_force_from", flat=True).distinct()
    return sorted(days)


def list_releases(*, kind: str, code: str, limit: int = 100) -> Sequence[Release]:
    """List the releases of a definition, newest version first."""
    rows = models.Release.objects.filter(Q(kind=kind) & Q(code=code)).order_by("-version")[:limit]
    return [_release(row) for row in rows]
