"""Who works for an organisation, asked of ``identity`` and ``organizations``."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from furong.foundation.identity import queries as identity
from furong.foundation.identity.values import AccountKind
from furong.foundation.organizations import queries as organizations


def works_for(*, person_id: UUID | None, organization_id: UUID, on: date) -> bool:
    """This function will tell whether a person holds a post of the organisation on a day, under whatever account."""
    if person_id is None:
        return False
    account = identity.find_account_of_person(person_id=person_id, kind=AccountKind.STAFF)
    if account is None:
        return False
    seats = organizations.posts_of_account(account_id=account.id, on=on)
    return any(seat.organization_id == organization_id for seat in seats)
