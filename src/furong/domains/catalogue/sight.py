"""Who may see which resource and which item: one value that every query takes and turns into SQL.

What is live (published and online) is seen by its audience: open to the public by everybody, shared by staff, not shared by
nobody but provider and data authority, who see all that is theirs in any state. Search, counts, facets, suppliers and relations
go through the same condition; there is no other way to the tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from furong.domains.catalogue.states import Audience
from furong.foundation.access import queries as access
from furong.foundation.access.values import Actor, ActorKind, Scope, register_right

EDIT = register_right("catalogue.edit", zh="编制信息资源目录", en="Compile information resources")
REVIEW = register_right("catalogue.review", zh="审核信息资源目录", en="Review information resources")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What a reader sees: live things up to ``level``, and everything inside ``edits`` and ``reviews``."""

    level: Audience
    edits: Scope
    reviews: Scope

    @property
    def is_whole(self) -> bool:
        """Whether nothing is hidden."""
        return self.edits.everything or self.reviews.everything

    @property
    def owns_something(self) -> bool:
        """Whether there may be more to see than what is live."""
        return not (self.edits.is_empty and self.reviews.is_empty)

    def owns(self, *, organization_id: UUID | None, division_code: str) -> bool:
        """Say whether a resource of this organisation and division is the reader's to compile or to review."""
        return any(
            one.covers(organization_id=organization_id, division_code=division_code)
            for one in (self.edits, self.reviews)
        )

    def owned_sql(self) -> tuple[str, list[Any]]:
        """Give the condition for resources (alias ``r``) that the reader compiles or reviews."""
        if self.is_whole:
            return "TRUE", []
        parts, params = [], []
        for one in (self.edits, self.reviews):
            if not one.is_empty:
                condition, given = one.sql(organization_column="r.organization_id", division_column="r.division_code")
                parts.append(condition)
                params += given
        return (f"({' OR '.join(parts)})", params) if parts else ("FALSE", [])

    def live_sql(self) -> tuple[str, list[Any]]:
        """Give the condition for resources (alias ``r``) that are live for the reader's audience."""
        return "(r.live AND r.audience <= %s)", [int(self.level)]


def sight_of(*, actor: Actor) -> Sight:
    """Give what an actor sees. Residents and strangers see what is open, staff what is shared, the system everything."""
    if actor.kind is ActorKind.SYSTEM:
        everything = Scope(everything=True)
        return Sight(level=Audience.OWNER, edits=everything, reviews=everything)
    if actor.kind is not ActorKind.STAFF:
        return Sight(level=Audience.EVERYBODY, edits=Scope(), reviews=Scope())
    return Sight(
        level=Audience.STAFF,
        edits=access.scope(actor=actor, right=EDIT),
        reviews=access.scope(actor=actor, right=REVIEW),
    )
