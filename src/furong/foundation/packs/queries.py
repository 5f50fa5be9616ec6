"""Reads of packs: checking a folder, and the published definitions."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from datetime import date
from typing import Any

from django.db import connection
from django.db.models import Q

from furong.foundation.packs import models
from furong.foundation.packs.errors import DefinitionMissing, KindUnknown
from furong.foundation.packs.reading import check, check_pack, read_pack
from furong.foundation.packs.values import Definition, Frame, Release, kind_named

__all__ = [
    "check",
    "check_pack",
    "current_release",
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
]

# Releases change rarely and are read on every page: each process keeps what is current for this long. A change made by this
# process is seen at once, one by another process within this time.
LEASE_SECONDS = 1.0
_MAX_DEFINITIONS = 4096

_lock = threading.Lock()
_definitions: OrderedDict[str, Definition] = OrderedDict()
_values: OrderedDict[tuple[str, str], Any] = OrderedDict()
_current: dict[tuple[str, str, date], tuple[float, dict[tuple[str, str], Release]]] = {}
FRAME_KIND = "pack"


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


def get_frame() -> Frame:
    """Give the frame (languages, time zone, settings) of the imported pack.

    Raises `DefinitionMissing` when no pack was imported.
    """
    from furong.foundation.packs.frames import parse_frame

    releases = [r for (kind, _), r in _index(date.max).items() if kind == FRAME_KIND]
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


def _index(on: date) -> dict[tuple[str, str], Release]:
    """Every definition in force on a day. One statement; kept for `LEASE_SECONDS`."""
    key = (connection.alias, str(connection.settings_dict["NAME"]), on)
    with _lock:
        kept = _current.get(key)
    if kept is not None and kept[0] > time.monotonic():
        return kept[1]
    rows = (
        models.Release.objects.filter(in_force_from__lte=on)
        .order_by("kind", "code", "-in_force_from", "-version")
        .distinct("kind", "code")
    )
    found = {(row.kind, row.code): _release(row) for row in rows}
    with _lock:
        if len(_current) > 64:
            _current.clear()
        _current[key] = (time.monotonic() + LEASE_SECONDS, found)
    return found


def current_release(*, kind: str, code: str, on: date) -> Release:
    """Give the release in force on the local day ``on``. Raises `DefinitionMissing` when there is none or it was withdrawn."""
    found = find_release(kind=kind, code=code, on=on)
    if found is None:
        raise DefinitionMissing
    return found


def find_release(*, kind: str, code: str, on: date) -> Release | None:
    """Give the release in force on the local day ``on``, or None."""
    found = _index(on).get((kind, code))
    return None if found is None or found.is_withdrawn else found


def list_codes(*, kind: str, on: date) -> list[str]:
    """List the codes of a kind in force on the local day ``on``, sorted."""
    return sorted(c for (k, c), r in _index(on).items() if k == kind and not r.is_withdrawn)


def list_current_releases(*, kind: str, on: date) -> list[Release]:
    """List the releases of a kind in force on the local day ``on``, sorted by code."""
    found = [r for (k, _), r in _index(on).items() if k == kind and not r.is_withdrawn]
    return sorted(found, key=lambda r: r.code)


def list_days_in_force(*, kinds: Sequence[str]) -> list[date]:
    """List the local days on which a release of one of the kinds came or comes into force, sorted."""
    days = models.Release.objects.filter(kind__in=list(kinds)).values_list("in_force_from", flat=True).distinct()
    return sorted(days)


def list_releases(*, kind: str, code: str, limit: int = 100) -> Sequence[Release]:
    """List the releases of a definition, newest version first."""
    rows = models.Release.objects.filter(Q(kind=kind) & Q(code=code)).order_by("-version")[:limit]
    return [_release(row) for row in rows]
