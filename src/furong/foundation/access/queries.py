"""Decisions. Everything that asks *may they?* asks here."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from furong.foundation.access.errors import (
    AccessRefused,
    AssuranceTooLow,
    PurposeMissing,
    RightUnknownError,
    SignInNeeded,
)
from furong.foundation.access.values import (
    RIGHTS,
    Actor,
    ActorKind,
    Assurance,
    Basis,
    Decision,
    PostRight,
    Scope,
)

DEFAULT_LEASE_SECONDS = 1.0


def lease_seconds() -> float:
    """Give how long a process may go on with rights that it has read: a second, or ``settings.ACCESS_LEASE_SECONDS``."""
    return float(getattr(settings, "ACCESS_LEASE_SECONDS", DEFAULT_LEASE_SECONDS))


@dataclass(frozen=True, slots=True)
class _Lease:
    rights: tuple[PostRight, ...]
    until: float  # time.monotonic()
    scopes: dict[str, Scope] = field(default_factory=dict)  # what was joined of them


class _Leases:
    """Rights read by this process, each usable until its lease runs out.

    A lease is counted from before its read began. So a change that commits at T is unknown to no lease that lasts
    past T + lease: whoever takes a right away needs only to wait that long.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[UUID, _Lease] = {}
        self._generation = 0

    def get(self, post_id: UUID) -> tuple[PostRight, ...] | None:
        lease = self._held.get(post_id)
        return lease.rights if lease is not None and time.monotonic() < lease.until else None

    def scopes(self, post_id: UUID) -> dict[str, Scope] | None:
        lease = self._held.get(post_id)
        return lease.scopes if lease is not None and time.monotonic() < lease.until else None

    def generation(self) -> int:
        return self._generation

    def put(self, post_id: UUID, rights: tuple[PostRight, ...], *, until: float, generation: int) -> None:
        with self._lock:
            if generation != self._generation:
                return  # something changed while we read
            if len(self._held) > 20_000:
                self._held.clear()
            self._held[post_id] = _Lease(rights, until)

    def drop(self, post_ids: Iterable[UUID] | None = None) -> None:
        with self._lock:
            self._generation += 1
            if post_ids is None:
                self._held.clear()
            else:
                for post_id in post_ids:
                    self._held.pop(post_id, None)


LEASES = _Leases()


def rights_of_post(*, post_id: UUID) -> tuple[PostRight, ...]:
    """Give the rights of a post, at most one lease (a second) old; an unknown post has none.

    Cost: a lookup in memory, or one read by primary key.
    """
    held = LEASES.get(post_id)
    if held is not None:
        return held
    lease = lease_seconds()
    for _ in range(5):
        generation = LEASES.generation()
        until = time.monotonic() + lease
        rights = _read(post_id)
        if _has_uncommitted_change():
            return rights  # seen by this transaction only; nobody else may live on it
        if lease <= 0 or time.monotonic() < until:
            LEASES.put(post_id, rights, until=until, generation=generation)
            return rights
    return _read(post_id)  # a database so slow that every answer is older than its lease: use it once, keep nothing


def _read(post_id: UUID) -> tuple[PostRight, ...]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rights FROM access_post_rights WHERE post_id = %s", [post_id])
        row = cursor.fetchone()
    if row is None:
        return ()
    grants = row[0]
    if isinstance(grants, str):
        import json

        grants = json.loads(grants)
    return tuple(
        PostRight(
            right=grant["right"],
            organization_id=UUID(grant["organization_id"]) if grant.get("organization_id") else None,
            division_prefix=grant.get("division_prefix", ""),
            everywhere=grant.get("everywhere", False),
        )
        for grant in grants
    )


_HOLDERS: list[Callable[[], None]] = []


def hold_terms(tell: Callable[[], None]) -> None:
    """Have ``tell`` called after each restricting change of terms has committed, before whoever made it goes on.

    For what holds terms outside the platform's processes. It never raises, and returns once it has done what it could.
    """
    if tell not in _HOLDERS:
        _HOLDERS.append(tell)


class AfterChange:
    """Runs once the transaction that changed rights has committed; while it waits there, the change is not committed."""

    def __init__(self) -> None:
        self.post_ids: set[UUID] = set()
        self.restricts = False
        self.is_of_terms = False  # compiled terms of sharing changed too
        self.drops: set[Callable[[], None]] = set()

    def __call__(self) -> None:
        self._drop()
        if self.restricts:
            left = lease_seconds()
            if self.is_of_terms and _HOLDERS:
                began = time.monotonic()
                for tell in _HOLDERS:
                    tell()
                left -= time.monotonic() - began
            time.sleep(max(0.0, left))
            self._drop()

    def _drop(self) -> None:
        LEASES.drop(self.post_ids)
        for drop in self.drops:
            drop()


def _has_uncommitted_change() -> bool:
    return connection.in_atomic_block and any(isinstance(hook[1], AfterChange) for hook in connection.run_on_commit)


def after_change() -> AfterChange:
    """Give the after-commit hook of this transaction, shared by all its changes, so that it waits once."""
    active = set(connection.savepoint_ids)
    for sids, function, *_ in connection.run_on_commit:
        if isinstance(function, AfterChange) and set(sids) <= active:
            return function
    hook = AfterChange()
    transaction.on_commit(hook)
    return hook


def changes_terms() -> bool:
    """Say whether the open transaction has changed compiled terms, which only it may live on before it commits."""
    return connection.in_atomic_block and any(
        isinstance(hook[1], AfterChange) and hook[1].is_of_terms for hook in connection.run_on_commit
    )


def _known(right: str) -> str:
    if right not in RIGHTS:
        raise RightUnknownError(f"No room registered the right {right!r}.")
    return right


def scope(*, actor: Actor, right: str) -> Scope:
    """Give the rows over which ``actor`` holds ``right``; the empty scope when none (its SQL is FALSE).

    Every listing query takes one. The system's own work covers everything; residents and strangers hold no rights.
    """
    _known(right)
    if actor.kind is ActorKind.SYSTEM:
        return Scope(everything=True)
    if actor.kind is not ActorKind.STAFF or actor.post_id is None:
        return Scope()
    joined = LEASES.scopes(actor.post_id)
    if joined is not None and right in joined:
        return joined[right]
    found = Scope.of(grant for grant in rights_of_post(post_id=actor.post_id) if grant.right == right)
    if joined is not None:
        joined[right] = found
    return found


def require(
    *, actor: Actor, right: str, organization_id: UUID | None = None, division_code: str | None = None
) -> Decision:
    """Decide whether ``actor`` may do what ``right`` names, on a thing of this organisation and division.

    Without organisation and division it asks whether the right is held over anything at all. Raises `AccessRefused`, or
    `SignInNeeded` when nobody is signed in.
    """
    if actor.kind is ActorKind.ANONYMOUS:
        raise SignInNeeded
    found = scope(actor=actor, right=right)
    if found.is_empty:
        raise AccessRefused
    if (organization_id is not None or division_code is not None) and not found.covers(
        organization_id=organization_id, division_code=division_code or ""
    ):
        raise AccessRefused
    return Decision(right=right, ground="system" if actor.kind is ActorKind.SYSTEM else "post", scope=found)


def allows(*, actor: Actor, right: str, organization_id: UUID | None = None, division_code: str | None = None) -> bool:
    """Say what `require` would decide, for showing or hiding a control."""
    try:
        require(actor=actor, right=right, organization_id=organization_id, division_code=division_code)
    except (AccessRefused, SignInNeeded):
        return False
    return True


# The narrower a grant, the nearer: an organisation of its own first, then the longest division.
_NEAREST = """
WITH held AS (
    SELECT r.post_id, (g.value ->> 'organization_id' IS NOT NULL) AS own,
           length(coalesce(g.value ->> 'division_prefix', '')) AS reach
      FROM access_post_rights AS r CROSS JOIN jsonb_array_elements(r.rights) AS g
     WHERE r.rights @> jsonb_build_array(jsonb_build_object('right', %(right)s::text)) AND g.value ->> 'right' = %(right)s
       AND coalesce(g.value ->> 'organization_id', %(organization)s::text) = %(organization)s::text
       AND starts_with(%(division)s, coalesce(g.value ->> 'division_prefix', ''))
)
SELECT DISTINCT post_id FROM held WHERE (own, reach) = (SELECT own, reach FROM held ORDER BY own DESC, reach DESC LIMIT 1)
"""


def nearest_posts(*, right: str, organization_id: UUID, division_code: str) -> list[UUID]:
    """Give the posts that hold ``right`` over these rows most narrowly: the organisation's own, else the nearest division's.

    For telling somebody, not for deciding. Empty when no post does. Reads the rights of all posts once.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _NEAREST, {"right": _known(right), "organization": str(organization_id), "division": division_code}
        )
        return [row[0] for row in cursor.fetchall()]


def require_person(
    *,
    actor: Actor,
    basis: Basis,
    person_ids: Iterable[UUID],
    right: str = "population.read",
    division_code: str | None = None,
    related: frozenset[UUID] = frozenset(),
) -> Decision:
    """Decide whether ``actor`` may read these persons, on the stated basis.

    Staff need ``right`` (over ``division_code`` when given) and a stated purpose. A resident reads themself, the
    person whose mandate they act by, and ``related``: those whom the asking register knows to be theirs (minor
    children, household). The system needs a purpose too. Raises `PurposeMissing`, `AssuranceTooLow`, `AccessRefused`,
    `SignInNeeded`.
    """
    if not basis.is_stated:
        raise PurposeMissing
    if actor.kind is not ActorKind.RESIDENT:
        return require(actor=actor, right=right, division_code=division_code)
    _known(right)
    require_assurance(actor=actor, level=Assurance.VERIFIED)
    wanted = frozenset(person_ids)
    own = {actor.person_id} if actor.person_id is not None else set()
    if wanted <= own:
        return Decision(right=right, ground="self", scope=Scope())
    if actor.principal is not None and actor.principal.kind == "person":
        own.add(actor.principal.id)
        if wanted <= own:
            return Decision(right=right, ground="mandate", scope=Scope())
    if wanted and wanted <= own | related:
        return Decision(right=right, ground="related", scope=Scope())
    raise AccessRefused


def require_assurance(*, actor: Actor, level: Assurance) -> None:
    """Check that the account is bound to its person at least at ``level``. Raises `SignInNeeded` or `AssuranceTooLow`."""
    if actor.kind is ActorKind.ANONYMOUS:
        raise SignInNeeded
    if actor.assurance < level:
        raise AssuranceTooLow
