"""The legal parameters in force: read from the room's table, kept in each process for a second."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from datetime import date

from django.db import connection

from furong.domains.cases import models
from furong.domains.cases.values.rules import DatedParameter, Rules, rules_on

LEASE_SECONDS = 1.0
_lock = threading.Lock()
_held: tuple[float, str, tuple[DatedParameter, ...]] | None = None


def list_parameters() -> tuple[DatedParameter, ...]:
    """This function will return every dated parameter, at most a second old."""
    global _held
    held, name = _held, str(connection.settings_dict["NAME"])
    if held is not None and held[1] == name and time.monotonic() < held[0]:
        return held[2]
    until = time.monotonic() + LEASE_SECONDS
    found = tuple(
        DatedParameter(
            code=p.code,
            value=p.value,
            in_force_from=p.in_force_from,
            source=p.source,
            legal_basis=p.legal_basis,
        )
        for p in models.Parameter.objects.order_by("code", "in_force_from")
    )
    with _lock:
        _held = (until, name, found)
    return found


def current_rules(*, on: date) -> Rules:
    """This function will return the rules in force on a local day."""
    return rules_on(on, list_parameters())


def replace_parameters(parameters: Iterable[DatedParameter]) -> None:
    """This function will make these the room's parameters; what is not among them is removed. The importer calls it."""
    wanted = {(p.code, p.in_force_from): p for p in parameters}
    for row in models.Parameter.objects.select_for_update():
        if (row.code, row.in_force_from) not in wanted:
            row.delete()
    for (code, on), p in wanted.items():
        models.Parameter.objects.update_or_create(
            code=code,
            in_force_from=on,
            defaults={"value": p.value, "source": p.source, "legal_basis": p.legal_basis},
        )
    forget()


def forget() -> None:
    """This function will forget what was read, so that the next read asks the database."""
    global _held
    with _lock:
        _held = None
