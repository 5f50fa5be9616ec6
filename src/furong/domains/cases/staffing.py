"""Who works for an organisation, and which organisation does a task; asked of ``identity`` and ``organizations``."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from furong.domains.processes.ports import Assignment, AssignmentRequest
from furong.foundation.calendar import queries as calendars
from furong.foundation.codes.statements import first_row
from furong.foundation.identity import queries as identity
from furong.foundation.identity.values import AccountKind
from furong.foundation.organizations import queries as organizations


def works_for(*, person_id: UUID | None, organization_id: UUID, on: date) -> bool:
    """Tell whether a person holds a post of the organisation on a day, under their staff account."""
    if person_id is None:
        return False
    account = identity.find_account_of_person(person_id=person_id, kind=AccountKind.STAFF)
    if account is None:
        return False
    seats = organizations.posts_of_account(account_id=account.id, on=on)
    return any(seat.organization_id == organization_id for seat in seats)


def account_works_for(account_id: UUID, organization_id: UUID | None) -> bool:
    """Tell whether an account holds a post of the organisation today; to whom a task may be handed over."""
    on = calendars.current().local_date(datetime.now(UTC))
    return any(
        seat.organization_id == organization_id for seat in organizations.posts_of_account(account_id=account_id, on=on)
    )


def assign(request: AssignmentRequest) -> Assignment:
    """Say which organisation does a user task: the process's owner when it is of the task's department,
    else the organisation of that department that is responsible for the place.
    """
    own = _owner(request)
    if not request.department or own.organization_id is None:
        return own
    department = request.found.get(own.organization_id)
    if department is None:
        department = organizations.find_department_of(organization_id=own.organization_id) or ""
        request.found[own.organization_id] = department
    if department in {"", request.department}:
        return own
    other = organizations.find_responsible(department=request.department, division_code=own.division_code)
    if other is None:
        return own
    return Assignment(organization_id=other.id, division_code=own.division_code)


def _owner(request: AssignmentRequest) -> Assignment:
    """Whose the case is now: it may have been handed on since its process began."""
    case = case_in_step(request.found, business_key=request.business_key)
    if case is None:
        return Assignment(organization_id=request.owner_organization_id, division_code=request.division_code)
    return Assignment(organization_id=case[0], division_code=case[1])


_CASE = "cases.case"


def case_in_step(found: dict[object, Any], *, business_key: str) -> tuple[UUID, str, str] | None:
    """Return organisation, division and state of a process's case, read once in a step of the process.

    None for a process that is no case's. ``found`` belongs to the step; whoever changes the case in it calls `forget_case`.
    """
    if _CASE not in found:
        found[_CASE] = _read_case(business_key)
    case: tuple[UUID, str, str] | None = found[_CASE]
    return case


def forget_case(found: dict[object, Any]) -> None:
    """Have the case read anew where it is asked for next in the step."""
    found.pop(_CASE, None)


def _read_case(business_key: str) -> tuple[UUID, str, str] | None:
    try:
        key = UUID(business_key)
    except ValueError:
        return None
    # In every step that opens tasks: the object mapper would cost ten times as much.
    return first_row("SELECT organization_id, division_code, state FROM cases_case WHERE id = %s", [key])
