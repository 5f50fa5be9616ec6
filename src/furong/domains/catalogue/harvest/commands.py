"""Writes of harvesting: sources, and what a harvest brought. Reading the source happens before, outside of any transaction."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from pypinyin import lazy_pinyin

from furong.domains.catalogue import models
from furong.domains.catalogue.harvest import reading_ckan
from furong.domains.catalogue.harvest.errors import HarvestStoppedError, SourceExists, SourceMissing, SourceRefused
from furong.domains.catalogue.harvest.fetching import Fetched, fetch
from furong.domains.catalogue.harvest.reading_ckan import read_ckan
from furong.domains.catalogue.harvest.values import (
    MAX_DATASETS,
    MAX_FINDINGS,
    MAX_SECONDS,
    MAX_TITLE,
    SHRINKS_FROM,
    Dataset,
    HarvestFinding,
    SourceKind,
    clean,
    clean_url,
    name_of,
    skip,
    stop,
)
from furong.domains.catalogue.searching import marked
from furong.domains.catalogue.sight import REVIEW
from furong.domains.catalogue.states import Audience
from furong.foundation.access import queries as access
from furong.foundation.access.values import Actor
from furong.foundation.audit.commands import command, current
from furong.foundation.jobs.commands import defer

_CODE = re.compile(r"[a-z][a-z0-9-]{1,38}[a-z0-9]")
_BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class HarvestResult:
    """How a harvest went. ``is_published`` is false when it was stopped: what was published stays as it was."""

    source: str
    is_published: bool
    seen: int = 0
    added: int = 0
    changed: int = 0
    removed: int = 0
    skipped: int = 0
    findings: tuple[HarvestFinding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Catch:
    """What was read of a source: datasets by identifier, and findings."""

    datasets: tuple[Dataset, ...]
    findings: tuple[HarvestFinding, ...]
    seen: int
    skipped: int


@command("catalogue.add_harvest_source")
def add_source(
    *,
    code: str,
    kind: str,
    url: str,
    title_zh: str,
    title_en: str = "",
    every_hours: int = 24,
    actor: Actor,
    now: datetime,
) -> None:
    """Name a catalogue to be harvested, first at once and then every ``every_hours`` (1 to 8760).

    Raises `SourceRefused`, `SourceExists`, `AccessRefused`.
    """
    access.require(actor=actor, right=REVIEW)
    if not _CODE.fullmatch(code):
        raise SourceRefused(reason=f"code {code[:40]!r}")
    if kind not in set(SourceKind):
        raise SourceRefused(reason=f"kind {kind[:40]!r}")
    if not clean_url(url):
        raise SourceRefused(reason="address")
    if not clean(title_zh, MAX_TITLE) or not 1 <= every_hours <= 8760:
        raise SourceRefused(reason="title or hours")
    if models.HarvestSource.objects.filter(code=code).exists():
        raise SourceExists(source=code)
    models.HarvestSource.objects.create(
        code=code,
        kind=kind,
        url=url,
        title_zh=clean(title_zh, MAX_TITLE),
        title_en=clean(title_en, MAX_TITLE),
        every_hours=every_hours,
        due_at=now,
    )
    current().detail(source=code, kind=kind)


@command("catalogue.remove_harvest_source")
def remove_source(*, code: str, actor: Actor, now: datetime) -> int:
    """Take a source away with all that was harvested from it; gives how many datasets.

    Raises `SourceMissing`, `AccessRefused`.
    """
    access.require(actor=actor, right=REVIEW)
    row = _locked(code)
    count = models.Harvested.objects.filter(source_id=code).count()
    row.delete()
    current().detail(source=code, datasets=count)
    return count


@command("catalogue.ask_harvest")
def ask_harvest(*, code: str, actor: Actor, now: datetime, allow_shrink: bool = False) -> None:
    """Have the worker harvest a source at once, whenever it would be due; ``allow_shrink``: though most of it may be gone.

    Raises `SourceMissing`, `AccessRefused`.
    """
    access.require(actor=actor, right=REVIEW)
    row = _locked(code)
    row.due_at = now
    row.save(update_fields=["due_at"])
    defer(
        "catalogue.harvest",
        key=f"harvest:{code}:asked:{now.isoformat()}",
        lock=f"harvest:{code}",
        code=code,
        allow_shrink=allow_shrink,
    )
    current().detail(source=code, allow_shrink=allow_shrink)


def harvest_source(
    *, code: str, actor: Actor, now: datetime, allow_shrink: bool = False, get: Callable[[str], Fetched] | None = None
) -> HarvestResult:
    """Read a source whole and publish what it gave, or say what stopped that and leave what was published.

    ``get`` reads an address; without one it is the network, within the limits of `values`. Never raises for what a source does.
    Raises `SourceMissing`, `AccessRefused`. Cost: as long as the source takes, at most a quarter of an hour.
    """
    access.require(actor=actor, right=REVIEW)
    source = models.HarvestSource.objects.filter(code=code).first()
    if source is None:
        raise SourceMissing(source=code)
    try:
        catch = read_source(kind=SourceKind(source.kind), url=source.url, get=get)
    except HarvestStoppedError as error:
        return record_stopped(code=code, finding=stop(error.code, error.detail), began_at=now, actor=actor, now=now)
    published = source.datasets
    if published >= SHRINKS_FROM and len(catch.datasets) * 2 < published and not allow_shrink:
        finding = stop("shrunk", f"{published} → {len(catch.datasets)}")
        return record_stopped(code=code, finding=finding, began_at=now, actor=actor, now=now)
    return publish_harvest(code=code, catch=catch, began_at=now, actor=actor, now=now)


def read_source(*, kind: SourceKind, url: str, get: Callable[[str], Fetched] | None = None) -> Catch:
    """Read every dataset of a source into memory, each identifier once. Raises `HarvestStoppedError`."""
    deadline = time.monotonic() + MAX_SECONDS
    if kind is SourceKind.CKAN:
        accept, read = reading_ckan.ACCEPT, read_ckan
    else:
        from furong.domains.catalogue.harvest import reading_dcat  # rdflib takes its time to load

        accept, read = reading_dcat.ACCEPT, reading_dcat.read_dcat

    def over_the_network(address: str) -> Fetched:
        return fetch(address, accept=accept, deadline=deadline)

    datasets: dict[str, Dataset] = {}
    findings: list[HarvestFinding] = []
    seen = skipped = 0
    for one in read(url, get or over_the_network):
        seen += 1
        if isinstance(one, Dataset) and one.identifier in datasets:
            one = skip("twice", seen)
        if isinstance(one, HarvestFinding):
            skipped += 1
            if len(findings) < MAX_FINDINGS:
                findings.append(one)
            continue
        datasets[one.identifier] = one
        if len(datasets) > MAX_DATASETS:
            raise HarvestStoppedError("too_many")
        if time.monotonic() > deadline:
            raise HarvestStoppedError("slow")
    return Catch(datasets=tuple(datasets.values()), findings=tuple(findings), seen=seen, skipped=skipped)


@command("catalogue.publish_harvest")
def publish_harvest(*, code: str, catch: Catch, began_at: datetime, actor: Actor, now: datetime) -> HarvestResult:
    """Put what was read in place of what was published from the source, in one transaction. Raises `SourceMissing`."""
    access.require(actor=actor, right=REVIEW)
    source = _locked(code)
    known = dict(models.Harvested.objects.filter(source_id=code).values_list("name", "digest"))
    found = {name_of(code, one.identifier): one for one in catch.datasets}
    digests = {name: one.digest() for name, one in found.items()}
    changed = [name for name in found if known.get(name) != digests[name]]
    gone = [name for name in known if name not in found]
    if gone:
        models.Harvested.objects.filter(name__in=gone).delete()
    _write(code, [(name, digests[name], found[name]) for name in changed], now)
    added = sum(name not in known for name in changed)
    result = HarvestResult(
        source=code,
        is_published=True,
        seen=catch.seen,
        added=added,
        changed=len(changed) - added,
        removed=len(gone),
        skipped=catch.skipped,
        findings=catch.findings,
    )
    source.state, source.finding, source.harvested_at, source.datasets = "good", "", now, len(found)
    _end(source, result, began_at, now)
    current().detail(source=code, added=added, changed=len(changed) - added, removed=len(gone), skipped=catch.skipped)
    return result


@command("catalogue.record_stopped_harvest")
def record_stopped(
    *, code: str, finding: HarvestFinding, began_at: datetime, actor: Actor, now: datetime
) -> HarvestResult:
    """Keep why a harvest was stopped; what was published stays. Raises `SourceMissing`."""
    access.require(actor=actor, right=REVIEW)
    source = _locked(code)
    result = HarvestResult(source=code, is_published=False, findings=(finding,))
    source.state, source.finding = "failed", finding.code
    _end(source, result, began_at, now)
    current().detail(source=code, finding=finding.code)
    return result


def _locked(code: str) -> models.HarvestSource:
    row = models.HarvestSource.objects.select_for_update().filter(code=code).first()
    if row is None:
        raise SourceMissing(source=code)
    return row


def _end(source: models.HarvestSource, result: HarvestResult, began_at: datetime, now: datetime) -> None:
    source.due_at = now + timedelta(hours=source.every_hours)
    source.save()
    models.HarvestRun.objects.create(
        source=source,
        began_at=began_at,
        ended_at=now,
        state="good" if result.is_published else "failed",
        seen=result.seen,
        added=result.added,
        changed=result.changed,
        removed=result.removed,
        skipped=result.skipped,
        findings=[one.as_dict() for one in result.findings],
    )


_UPSERT = """
INSERT INTO catalogue_harvested AS h (name, source_id, digest, name_zh, name_en, name_pinyin, cycle, modified_at,
    first_seen_at, tags, formats, tokens, detail)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s::jsonb, %s::jsonb, %s::tsvector, %s::jsonb)
ON CONFLICT (name) DO UPDATE SET digest = excluded.digest, name_zh = excluded.name_zh, name_en = excluded.name_en,
    name_pinyin = excluded.name_pinyin, cycle = excluded.cycle, modified_at = excluded.modified_at, tags = excluded.tags,
    formats = excluded.formats, tokens = excluded.tokens, detail = excluded.detail
"""


def _write(code: str, datasets: Sequence[tuple[str, str, Dataset]], now: datetime) -> None:
    with connection.cursor() as cursor:
        for start in range(0, len(datasets), _BATCH):
            cursor.executemany(_UPSERT, [_row(code, *one, now) for one in datasets[start : start + _BATCH]])


def _row(code: str, name: str, digest: str, one: Dataset, now: datetime) -> tuple[Any, ...]:
    zh, en = one.title.get("zh", ""), one.title.get("en", "")
    texts: Iterable[str] = (*one.title.values(), *one.summary.values(), *one.tags, one.publisher)
    tokens = marked({Audience.EVERYBODY: texts})
    return (
        name,
        code,
        digest,
        zh or en,
        en if zh else "",
        " ".join(lazy_pinyin(zh or en))[:300],
        one.cycle,
        one.modified_at,
        now,
        json.dumps(one.tags, ensure_ascii=False),
        json.dumps(one.formats()),
        " ".join(f"'{token}'" for token in tokens),
        json.dumps(one.detail(), ensure_ascii=False),
    )
