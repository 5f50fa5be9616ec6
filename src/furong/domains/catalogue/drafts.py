"""Drafts of resources as their editors look at them: what is wrong, what would change, whom it would touch."""

from __future__ import annotations

from dataclasses import dataclass

from furong.domains.catalogue import models
from furong.domains.catalogue.changes import Change, affected_by
from furong.domains.catalogue.resources.reading import catalog_of
from furong.domains.catalogue.resources.values import Resource
from furong.foundation.packs import drafts as packs
from furong.foundation.packs import queries as released
from furong.foundation.packs.values import Finding, Pack, has_errors


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A draft as it was checked: its findings, and what it would change and touch (None for a new resource)."""

    digest: str
    findings: tuple[Finding, ...]
    change: Change | None


def check_resource(*, code: str, content: bytes) -> tuple[Draft, Pack | None]:
    """Check a draft as `furong check` would and say whom it touches, without keeping it.

    The findings are those of the draft's own file. Cost: reading everything that is published.
    """
    draft, whole, findings = packs.check_draft(kind="resource", code=code, content=content)
    mine = tuple(one for one in findings if one.file == draft.shown or one.is_error)
    if draft.value is None or has_errors(mine):
        return Draft(digest=draft.digest, findings=mine, change=None), None
    row = models.Resource.objects.filter(code=code, version__gt=0).first()
    change = None
    if row is not None:
        catalog = catalog_of(whole)
        before: Resource = released.get_value(kind="resource", digest=row.digest)
        change = affected_by(pack=whole, catalog=catalog, before=catalog.resolve(before), after=catalog.resources[code])
    return Draft(digest=draft.digest, findings=mine, change=change), whole
