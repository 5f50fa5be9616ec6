"""Which body does an item where: the implementation lists in force, computed from items, organisations and overrides.

A list is an item, a body of its department at one of its levels, and what that body and those around it set. None is stored;
each has the 31 characters of GB/T 39554.1 as its address.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from furong.domains.services import queries
from furong.domains.services.errors import ItemCodeRefused, ItemMissing
from furong.domains.services.shaping import items_on
from furong.domains.services.values.implementations import Body, ImplementationList, does
from furong.domains.services.values.items import Item, implementation_code
from furong.foundation.codes.leases import Leased
from furong.foundation.organizations import following
from furong.foundation.organizations import queries as organizations
from furong.foundation.organizations.values import Level, Organization
from furong.foundation.packs import queries as packs

CREDIT_CODE_LENGTH = 18
_counted: Leased[int] = Leased(seconds=60.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Implementation:
    """An implementation list: the item as the body does it, the body, and the list's code (empty for a body without one)."""

    found: ImplementationList
    body: Organization
    number: str

    @property
    def item(self) -> Item:
        return self.found.item


def find_body(*, item: Item, division_code: str) -> Organization | None:
    """Return the body that does an item for a place, or None.

    It is the nearest of the item's department from the place upwards; below the item's lowest level nobody does it. An item that
    only some divisions have is done by their bodies only.
    """
    lowest = max((int(level) for level in item.levels), default=0)
    place = division_code
    path = organizations.path_of_division(code=division_code) if lowest < Level.TOWN else []
    if path and int(path[-1].level) > lowest:
        place = next((step.code for step in reversed(path) if int(step.level) <= lowest), place)
    body = organizations.find_responsible(department=item.department, division_code=place)
    if body is not None and item.divisions and not does(item, _as_body(body)):
        return None
    return body


def get_implementation(*, code: str, organization: Organization, on: date) -> Implementation:
    """Return an item as an organisation does it on the local day ``on``. Raises `ItemMissing`."""
    level = str(int(organization.level))
    found = queries.get_item(
        code=code,
        division_code=organization.division_code,
        organization_code=organization.code,
        level=level,
        on=on,
    )
    return Implementation(
        found=found, body=organization, number=_number(organization.code, level, found.item.basic_code)
    )


def find_by_number(*, number: str, on: date) -> Implementation | None:
    """Return the implementation list with a code of 31 characters, or None when nobody has it today."""
    organization_code, level = number[:CREDIT_CODE_LENGTH], number[CREDIT_CODE_LENGTH : CREDIT_CODE_LENGTH + 1]
    item = _by_basic_code(on).get(number[CREDIT_CODE_LENGTH + 1 :])
    if item is None:
        return None
    body = organizations.find_organization_by_code(code=organization_code)
    if body is None or not body.is_open or str(int(body.level)) != level or not does(item, _as_body(body)):
        return None
    try:
        return get_implementation(code=item.code, organization=body, on=on)
    except ItemMissing:
        return None


def is_body(*, item: Item, organization: Organization) -> bool:
    """Say whether an organisation does an item."""
    return organization.is_open and organization.department == item.department and does(item, _as_body(organization))


def list_implementations(*, item: Item, within: str = "") -> list[tuple[Organization, str]]:
    """List the bodies that do an item, from the top down, each with the code of its list. One read.

    ``within``: only those of divisions whose code begins so.
    """
    bodies = following.list_of_department(department=item.department, within=within)
    return [
        (body, _number(body.code, str(int(body.level)), item.basic_code))
        for body in bodies
        if does(item, _as_body(body))
    ]


def count_implementations(*, on: date) -> int:
    """Count the implementation lists in force; kept for a minute."""
    return _counted.get(on, lambda: _count(on))


def _count(on: date) -> int:
    bodies = following.count_by_department_and_level()
    total = 0
    for item in items_on(on).values():
        if item.divisions:
            total += len(list_implementations(item=item))
        else:
            total += sum(n for (department, level), n in bodies.items() if _is_of(item, department, str(int(level))))
    return total


def _is_of(item: Item, department: str, level: str) -> bool:
    return department == item.department and level in item.levels


def _by_basic_code(on: date) -> dict[str, Item]:
    return packs.derive(
        "services.by_basic_code", on=on, make=lambda: {one.basic_code: one for one in items_on(on).values()}
    )


def _as_body(body: Organization) -> Body:
    return Body(
        code=body.code,
        department=body.department,
        division_code=body.division_code,
        level=str(int(body.level)),
    )


def _number(organization_code: str, level: str, basic_code: str) -> str:
    try:
        return implementation_code(organization_code=organization_code, level=level, basic_code=basic_code)
    except ItemCodeRefused:
        return ""
