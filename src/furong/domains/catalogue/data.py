"""The rows of open resources: published by the room that owns them, or brought along by the pack.

A room registers a function by `register_rows`; a pack ships ``resources/DEPARTMENT/CODE.csv`` (`data_files`). What is given away
is decided anew at every call: the resource must be live and open, and only items that are open to everybody become columns,
whatever the function returns. Nobody's rights widen it: the public face reads as a stranger.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection
from django.utils import timezone

from furong.domains.catalogue.data_files import KIND, MAX_ROWS, DataFile, rows_of
from furong.domains.catalogue.errors import ResourceMissing
from furong.domains.catalogue.lookup import get_resource
from furong.domains.catalogue.resources.values import ItemType, Openness
from furong.domains.catalogue.views import ResourceView, Words
from furong.foundation.access.values import Actor
from furong.foundation.codes.errors import Fault
from furong.foundation.packs import queries as packs

Rows = Iterable[Mapping[str, Any]]
STRANGER = Actor.anonymous()
_MOST_KEPT = 64


class RowsError(Fault):
    """A room's function gave rows that do not fit its resource; the operator acts."""

    code = "catalogue.rows"


@dataclass(frozen=True, slots=True, kw_only=True)
class RowSource:
    """A room's function that gives a resource's rows, each a mapping of item code to value; kept for ``keep_seconds``."""

    code: str
    rows: Callable[[], Rows]
    source: Words
    keep_seconds: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """An open item as a column."""

    code: str
    name: Words
    type: ItemType
    length: int | None
    is_key: bool
    note: Words | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The rows of an open resource: values are str, int, float, bool, date, aware datetime or None.

    ``as_of`` is the day that a file's rows stand for; rows of the platform's own are as of now and have none.
    """

    code: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]
    source: Words
    licence: str
    as_of: date | None

    def filled(self, place: int) -> float:
        """Say which share of a column's cells holds a value (0 to 1); 1 of no rows."""
        if not self.rows:
            return 1.0
        return sum(row[place] not in (None, "") for row in self.rows) / len(self.rows)


_sources: dict[str, RowSource] = {}
_kept: dict[tuple[Any, ...], tuple[float, tuple[dict[str, Any], ...]]] = {}
_lock = threading.Lock()


def register_rows(source: RowSource) -> None:
    """Let a room publish a resource's rows; a second registration of a code replaces the first."""
    _sources[source.code] = source


def registered() -> frozenset[str]:
    """Give the codes of the resources that rooms publish rows of."""
    return frozenset(_sources)


def codes_with_rows() -> frozenset[str]:
    """Give the codes of resources for which there are rows somewhere; whether they may be given away is asked apart."""
    on = timezone.localdate()
    return packs.derive("catalogue.data_codes", on=on, make=lambda: _released(on)) | registered()


def _released(on: date) -> frozenset[str]:
    return frozenset(one.code for one in packs.list_current_releases(kind=KIND, on=on))


def open_columns(view: ResourceView) -> tuple[Column, ...]:
    """Give the items of a resource, as a stranger sees it, that are open without condition; none when the resource is not."""
    if view.line.openness != Openness.OPEN:
        return ()
    return tuple(
        Column(
            code=item.code,
            name=item.name,
            type=ItemType(item.type),
            length=item.length,
            is_key=item.key,
            note=item.note,
        )
        for item in view.items
        if item.openness["type"] == Openness.OPEN
    )


def find_table(*, code: str) -> Table | None:
    """Give the rows of a live, open resource, or None when it has none (yet).

    Raises `ResourceMissing` for what a stranger must not know of, `RowsError` when a room's rows do not fit. Cost: reading the
    resource; rows are kept in memory by each process, a file's for ever, a room's for its ``keep_seconds``.
    """
    view = get_resource(actor=STRANGER, code=code)
    columns = open_columns(view)
    if not columns:
        return None
    source = _sources.get(code)
    if source is not None:
        rows, words, licence, as_of = _from_room(source), source.source, "", None
    else:
        release = packs.find_release(kind=KIND, code=code, on=timezone.localdate())
        if release is None:
            return None
        file: DataFile | None = packs.get_value(kind=KIND, digest=release.digest)
        if file is None:
            return None
        columns = tuple(column for column in columns if column.code in file.columns)
        types = {column.code: column.type for column in columns}
        rows = _keep(("file", release.digest, tuple(types.items())), float("inf"), lambda: rows_of(file, types))
        words, licence, as_of = file.source.as_dict(), file.licence, file.as_of
    return Table(
        code=code,
        columns=columns,
        rows=tuple(tuple(row.get(column.code) for column in columns) for row in rows),
        source=words,
        licence=licence,
        as_of=as_of,
    )


def find_all_rows(*, code: str) -> tuple[dict[str, Any], ...] | None:
    """Give all rows of a resource with all their items, open or not, or None when the platform has none.

    For those who pass them on under `foundation.access.sharing.decide_sharing`, and for nobody else: no right is asked here.
    Raises `ResourceMissing`, `RowsError`.
    """
    view = get_resource(actor=Actor.system("catalogue"), code=code)
    source = _sources.get(code)
    if source is not None:
        return _from_room(source)
    release = packs.find_release(kind=KIND, code=code, on=timezone.localdate())
    file: DataFile | None = packs.get_value(kind=KIND, digest=release.digest) if release is not None else None
    if release is None or file is None:
        return None
    types = {item.code: ItemType(item.type) for item in view.items if item.code in file.columns}
    return _keep(("whole", release.digest, tuple(types.items())), float("inf"), lambda: rows_of(file, types))


def _from_room(source: RowSource) -> tuple[dict[str, Any], ...]:
    def make() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for row in source.rows():
            if any(not isinstance(value, _PLAIN) for value in row.values()):
                raise RowsError(
                    f"The rows of {source.code!r} hold a value that is neither text, number, date nor truth."
                )
            found.append(dict(row))
            if len(found) > MAX_ROWS:
                raise RowsError(f"The rows of {source.code!r} are more than {MAX_ROWS}.")
        return found

    return _keep(("room", str(connection.settings_dict["NAME"]), source.code), source.keep_seconds, make)


_PLAIN = (str, int, float, bool, date, datetime, type(None))


def _keep(key: tuple[Any, ...], seconds: float, make: Callable[[], list[dict[str, Any]]]) -> tuple[dict[str, Any], ...]:
    with _lock:
        found = _kept.get(key)
    if found is not None and found[0] > time.monotonic():
        return found[1]
    rows = tuple(make())
    with _lock:
        while len(_kept) >= _MOST_KEPT:
            _kept.pop(next(iter(_kept)))
        _kept[key] = (time.monotonic() + seconds, rows)
    return rows


def forget() -> None:
    """Make every table anew when it is next asked for."""
    with _lock:
        _kept.clear()


__all__ = [
    "STRANGER",
    "Column",
    "ResourceMissing",
    "RowSource",
    "RowsError",
    "Table",
    "codes_with_rows",
    "find_all_rows",
    "find_table",
    "forget",
    "open_columns",
    "register_rows",
    "registered",
]
