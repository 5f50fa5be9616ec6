"""Reading across organisations: the decision that applies the catalogue's terms to every one of them.

`decide_sharing` is asked wherever data of a resource is read, with the items and why. Its answer names the grant, and goes into
the audit entry of the reading; a refusal says which limit was met and what to do.

A process keeps what it has read of the compiled terms and looks once a lease (a second) at the number of the newest change; what
changed is read anew. So no decision is older than a lease, and a decision costs microseconds however many grants there are.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from furong.foundation.access import using
from furong.foundation.access.errors import (
    CaseNeeded,
    GrantMissing,
    GrantNotInForce,
    ItemNotGranted,
    PurposeMissing,
    PurposeNotGranted,
    QuotaSpent,
    ResourceOffline,
    RowNotGranted,
    SharingRefused,
    SignInNeeded,
    TermsStricter,
)
from furong.foundation.access.queries import changes_terms, lease_seconds
from furong.foundation.access.terms import (
    CompiledGrant,
    Limit,
    Party,
    Reading,
    SharedResource,
    SharingDecision,
    nearest,
    read_grant,
    read_resource,
    weigh,
)
from furong.foundation.access.values import Actor, ActorKind, Basis

# A process keeps no more answers than this; then it begins anew.
_MOST_KEPT = 250_000
_NOBODY = UUID(int=0)


@dataclass(frozen=True, slots=True)
class _Entry:
    """What a process knows about one organisation and one resource."""

    resource: SharedResource | None
    is_provider: bool
    grants: tuple[CompiledGrant, ...]


@dataclass(slots=True)
class _Shelf:
    """What is known of one database, up to change ``number``, good until ``until`` (time.monotonic())."""

    number: int = -1
    stamp: UUID | None = None
    until: float = 0.0
    entries: dict[str, dict[UUID, _Entry]] = field(default_factory=dict)
    resources: dict[str, SharedResource | None] = field(default_factory=dict)
    kept: int = 0

    def clear(self) -> None:
        self.entries.clear()
        self.resources.clear()
        self.kept = 0


class _Book:
    """The compiled terms that this process has read. Counted from before a look at the newest number began."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shelves: dict[str, _Shelf] = {}
        self._generation = 0

    def look_again(self) -> None:
        """Have the next decision look at the newest number first."""
        with self._lock:
            self._generation += 1
            for shelf in self._shelves.values():
                shelf.until = 0.0

    def forget(self) -> None:
        """Forget everything (tests)."""
        with self._lock:
            self._generation += 1
            self._shelves.clear()

    def entry(self, resource: str, organization_id: UUID) -> _Entry:
        shelf = self._shelves.get(str(connection.settings_dict["NAME"]))
        if shelf is not None and time.monotonic() < shelf.until:
            known = shelf.entries.get(resource)
            if known is not None and (found := known.get(organization_id)) is not None:
                return found
        return self._read(resource, organization_id)

    def _read(self, resource: str, organization_id: UUID) -> _Entry:
        if changes_terms():
            return _read_entry(
                resource, organization_id, _read_resource(resource)
            )  # this transaction's own; kept by nobody
        lease = lease_seconds()
        for _ in range(5):
            generation = self._generation
            shelf = self._fresh(lease)
            known = shelf.entries.get(resource)
            if known is not None and (found := known.get(organization_id)) is not None:
                return found
            terms = shelf.resources[resource] if resource in shelf.resources else _read_resource(resource)
            found = _read_entry(resource, organization_id, terms)
            with self._lock:
                if lease <= 0:
                    return found
                if generation == self._generation and time.monotonic() < shelf.until:
                    if shelf.kept >= _MOST_KEPT:
                        shelf.clear()
                    shelf.resources[resource] = terms
                    shelf.entries.setdefault(resource, {})[organization_id] = found
                    shelf.kept += 1
                    return found
        return _read_entry(resource, organization_id, _read_resource(resource))

    def _fresh(self, lease: float) -> _Shelf:
        """Give the shelf, up to date within the lease."""
        name = str(connection.settings_dict["NAME"])
        shelf = self._shelves.get(name)
        if shelf is not None and time.monotonic() < shelf.until:
            return shelf
        began, generation = time.monotonic(), self._generation
        known, stamp = (shelf.number, shelf.stamp) if shelf is not None else (-1, None)
        with connection.cursor() as cursor:
            cursor.execute(
                """SELECT e.number, e.stamp,
                          (SELECT jsonb_agg(resource_codes) FROM access_terms_change WHERE number > %s AND number <= e.number),
                          e.number = 0 OR EXISTS (SELECT 1 FROM access_terms_change WHERE number = %s AND stamp = %s)
                     FROM (SELECT number, stamp FROM access_terms_epoch WHERE id = 1
                           UNION ALL SELECT 0, NULL ORDER BY 1 DESC LIMIT 1) AS e""",
                [known, known, stamp],
            )
            number, now_stamped, changed, follows = cursor.fetchone()
        with self._lock:
            shelf = self._shelves.setdefault(name, _Shelf())
            if generation != self._generation or shelf.number != known:
                return shelf  # terms were changed while we looked, or another thread was faster: the caller looks again
            if (number, now_stamped) != (known, stamp):
                self._generation += 1  # whoever reads an entry now must not keep what it read before
                named = [code for codes in _json(changed or "[]") for code in (codes or ["*"])]
                if not follows or "*" in named:
                    shelf.clear()
                for code in named:
                    shelf.kept -= len(shelf.entries.pop(code, ()))
                    shelf.resources.pop(code, None)
                shelf.number, shelf.stamp = number, now_stamped
            shelf.until = began + lease
            return shelf


BOOK = _Book()
_parties: list[Callable[[UUID], Party | None]] = []


def identify_parties_by(find: Callable[[UUID], Party | None]) -> None:
    """Let ``find`` say to which department and division an organisation belongs; the floor above knows."""
    _parties[:] = [find]


def parties() -> tuple[Callable[[UUID], Party | None], ...]:
    """Give what says to whom organisations belong: one function, or none before the wiring."""
    return tuple(_parties)


def _party(organization_id: UUID) -> Party:
    found = _parties[0](organization_id) if _parties else None
    return found or Party(organization_id=organization_id, department="", division_code="")


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def _read_resource(code: str) -> SharedResource | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT body FROM access_shared_resource WHERE code = %s", [code])
        row = cursor.fetchone()
    if row is None:
        return None
    return read_resource(code, _json(row[0]))


def _read_entry(code: str, organization_id: UUID, resource: SharedResource | None) -> _Entry:
    if resource is None:
        return _Entry(None, False, ())
    party = _party(organization_id)
    if resource.is_provided_by(party):
        return _Entry(resource, True, ())
    return _Entry(resource, False, tuple(one for one in _read_grants(code, party) if one.is_for(party)))


def _read_grants(code: str, party: Party) -> list[CompiledGrant]:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT id, organization_id, body FROM access_grant WHERE resource_code = %(code)s AND organization_id = %(own)s
               UNION
               SELECT id, organization_id, body FROM access_grant
                WHERE resource_code = %(code)s AND department = %(department)s AND department <> ''
               ORDER BY id""",
            {"code": code, "own": party.organization_id, "department": party.department},
        )
        return [
            read_grant(grant_id, code, organization_id, _json(body))
            for grant_id, organization_id, body in cursor.fetchall()
        ]


def decide_sharing(
    *,
    actor: Actor,
    resource: str,
    fields: Iterable[str],
    basis: Basis,
    now: datetime,
    divisions: Iterable[str] | None = None,
    subjects: int = 1,
    method: str = "interface",
    owners: Collection[UUID] = (),
) -> SharingDecision:
    """Decide whether ``actor`` may read ``fields`` of another organisation's resource, and say by which grant.

    ``fields`` are items of the resource or the register's own names of them. ``divisions``: those of the rows that are read;
    None for a list, which then takes the decision's own rows (`SharingDecision.sql`). ``subjects``: of how many persons.
    ``owners``: whose the rows are, where a register keeps those of many; what one's own department put there is one's own.
    A staff reader's organisation decides, and the organisation in whose name the system acts. This is asked beside the post's
    own right, never instead of it. Raises a `SharingRefused` that names the limit, `PurposeMissing`, `SignInNeeded`.
    Cost: microseconds; once a second one read; two reads for what this process has not read before.
    """
    if actor.kind is ActorKind.ANONYMOUS:
        raise SignInNeeded
    if actor.kind is ActorKind.RESIDENT:
        return SharingDecision(ground="person", resource=resource)
    if actor.organization_id is None and actor.kind is ActorKind.SYSTEM:
        return SharingDecision(ground="system", resource=resource)
    entry = BOOK.entry(resource, actor.organization_id or _NOBODY)
    if entry.resource is None:
        return SharingDecision(ground="unlisted", resource=resource)
    if entry.is_provider or (owners and actor.organization_id is not None and _owns(actor.organization_id, owners)):
        return SharingDecision(ground="provider", resource=resource)
    return _by_grant(entry, fields, basis, now, divisions, subjects, method)


def _owns(organization_id: UUID, owners: Iterable[UUID]) -> bool:
    """Say whether the rows' owners are all of the reader's own department."""
    party = _party(organization_id)
    return all(
        owner == organization_id or (party.department and _party(owner).department == party.department)
        for owner in owners
    )


def _by_grant(
    entry: _Entry,
    fields: Iterable[str],
    basis: Basis,
    now: datetime,
    divisions: Iterable[str] | None,
    subjects: int,
    method: str,
) -> SharingDecision:
    shared = entry.resource
    assert shared is not None  # noqa: S101 - the caller looked
    if not basis.purpose.strip():
        raise PurposeMissing
    if not shared.live:
        raise ResourceOffline(resource=shared.code)
    if not entry.grants:
        raise GrantMissing(resource=shared.code)
    known, names = shared.items, shared.fields
    items = frozenset([names.get(name, name) for name in fields])
    unpublished = [item for item in items if item not in known]
    if unpublished:
        raise ItemNotGranted(resource=shared.code, items=", ".join(sorted(unpublished)))
    reading = Reading(
        items=items,
        now=now,
        divisions=None if divisions is None else frozenset(divisions),
        method=method,
        service=basis.item_code,
        is_for_case=basis.case_id is not None or basis.task_id is not None,
        subjects=subjects,
    )
    limits: list[Limit] = []
    for grant in entry.grants:
        limit = weigh(grant, reading, shared)
        if limit is None:
            left = using.use(grant, now=now)
            if left is None or left >= 0:
                return SharingDecision(
                    ground="grant",
                    resource=shared.code,
                    grant_id=grant.id,
                    items=grant.items,
                    divisions=grant.divisions,
                    by_subject=grant.by_subject,
                    quota_left=left,
                )
            limit = Limit.QUOTA
        limits.append(limit)
    raise _refusal(nearest(limits), shared.code, items, entry.grants)


def _refusal(
    limit: Limit | None, code: str, items: frozenset[str], grants: tuple[CompiledGrant, ...]
) -> SharingRefused:
    if limit is Limit.ITEM:
        # What the widest of them lacks.
        lacking = min((items - grant.items for grant in grants if items - grant.items), key=len, default=items)
        return ItemNotGranted(resource=code, items=", ".join(sorted(lacking)))
    kind = (
        {
            Limit.NOT_YET: GrantNotInForce,
            Limit.EXPIRED: GrantNotInForce,
            Limit.METHOD: PurposeNotGranted,
            Limit.SERVICE: PurposeNotGranted,
            Limit.STRICTER: TermsStricter,
            Limit.SUBJECT: CaseNeeded,
            Limit.ROW: RowNotGranted,
            Limit.QUOTA: QuotaSpent,
        }.get(limit, GrantMissing)
        if limit is not None
        else GrantMissing
    )
    return kind(resource=code)
