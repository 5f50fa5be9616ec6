"""Reads of harvesting: the sources, how their last harvests went, and what was found wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from furong.domains.catalogue import models
from furong.domains.catalogue.harvest.errors import SourceMissing


def source_titles() -> dict[str, Mapping[str, str]]:
    """Give the title of each source by its code, as ``{zh, en}``."""
    return {
        row[0]: {"zh": row[1], **({"en": row[2]} if row[2] else {})}
        for row in models.HarvestSource.objects.values_list("code", "title_zh", "title_en").order_by("code")
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceView:
    """A source and how its last harvest went; ``finding`` is the code of what stopped it."""

    code: str
    kind: str
    url: str
    title: Mapping[str, str]
    every_hours: int
    due_at: datetime
    state: str
    finding: str
    harvested_at: datetime | None
    datasets: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """One harvest."""

    began_at: datetime
    state: str
    seen: int
    added: int
    changed: int
    removed: int
    skipped: int
    findings: tuple[Mapping[str, Any], ...]


def list_sources() -> list[SourceView]:
    """List the sources by code."""
    return [_view(row) for row in models.HarvestSource.objects.order_by("code")]


def get_source(*, code: str) -> SourceView:
    """Give a source. Raises `SourceMissing`."""
    row = models.HarvestSource.objects.filter(code=code).first()
    if row is None:
        raise SourceMissing(source=code)
    return _view(row)


def _view(row: models.HarvestSource) -> SourceView:
    return SourceView(
        code=row.code,
        kind=row.kind,
        url=row.url,
        title={"zh": row.title_zh, **({"en": row.title_en} if row.title_en else {})},
        every_hours=row.every_hours,
        due_at=row.due_at,
        state=row.state,
        finding=row.finding,
        harvested_at=row.harvested_at,
        datasets=row.datasets,
    )


def list_runs(*, code: str, limit: int = 20) -> list[RunView]:
    """List the last harvests of a source, newest first. Raises `SourceMissing`."""
    if not models.HarvestSource.objects.filter(code=code).exists():
        raise SourceMissing(source=code)
    return [
        RunView(
            began_at=row.began_at,
            state=row.state,
            seen=row.seen,
            added=row.added,
            changed=row.changed,
            removed=row.removed,
            skipped=row.skipped,
            findings=tuple(row.findings),
        )
        for row in models.HarvestRun.objects.filter(source_id=code).order_by("-began_at", "-id")[:limit]
    ]


def list_due(*, now: datetime) -> list[str]:
    """List the codes of the sources whose harvest is due, the longest due first."""
    return list(models.HarvestSource.objects.filter(due_at__lte=now).order_by("due_at").values_list("code", flat=True))
