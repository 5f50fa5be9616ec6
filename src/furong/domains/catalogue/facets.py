"""The combinations of facets that resources have, by number. Few and only ever added: a process keeps them for a second."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping

from django.db import connection

from furong.domains.catalogue.views import FACETS

_LEASE_SECONDS = 1.0
_lock = threading.Lock()
_kept: dict[str, tuple[float, dict[int, tuple[str, ...]]]] = {}


def forget() -> None:
    """Read them anew when they are next asked for."""
    with _lock:
        _kept.clear()


def known(needed: Iterable[int] = ()) -> Mapping[int, tuple[str, ...]]:
    """Give the combinations, at most a second old, and surely those that are needed."""
    key = str(connection.settings_dict["NAME"])
    found = _kept.get(key)
    if found is not None and found[0] > time.monotonic() and all(number in found[1] for number in needed):
        return found[1]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id, {', '.join(FACETS)} FROM catalogue_facet")
        rows = {row[0]: tuple(row[1:]) for row in cursor.fetchall()}
    if not connection.in_atomic_block:
        with _lock:
            _kept[key] = (time.monotonic() + _LEASE_SECONDS, rows)
    return rows


def matching(wanted: Mapping[str, str]) -> list[int]:
    """Give the numbers of the combinations that have these values."""
    places = [(FACETS.index(name), value) for name, value in wanted.items()]
    return [number for number, row in known().items() if all(row[place] == value for place, value in places)]
