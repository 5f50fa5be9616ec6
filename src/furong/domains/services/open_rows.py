"""The catalogue of service items as open rows: implementation lists are public (State Council Order 716, art. 9)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils import timezone

from furong.domains.catalogue.data import RowSource, register_rows
from furong.domains.services import queries
from furong.domains.services.values.clocks import Limit, LimitUnit
from furong.foundation.organizations import queries as organizations


def service_items() -> Iterator[dict[str, Any]]:
    """Give the items in force today, by basic code; a limit in natural days is left empty, for the column counts working days."""
    departments = {one.code: one.name.zh for one in organizations.list_departments()}
    for item in sorted(queries.list_items(on=timezone.localdate()), key=lambda one: one.basic_code):
        clock = item.clock
        yield {
            "code": item.basic_code,
            "name": item.name.pick("zh"),
            "type": item.type,
            "department": departments.get(item.department, item.department),
            "statutory_days": _working(clock.statutory) if clock is not None else None,
            "promised_days": _working(clock.effective) if clock is not None else None,
            "is_charged": item.fee.charged,
        }


def _working(limit: Limit | None) -> int | None:
    return limit.days if limit is not None and limit.unit is LimitUnit.WORKING else None


def register() -> None:
    """Publish the rows."""
    register_rows(
        RowSource(
            code="service_items",
            rows=service_items,
            source={"zh": "本平台现行事项目录", "en": "Items in force on this platform"},
        )
    )
