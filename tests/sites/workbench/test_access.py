"""Who may open what: every route of registers, content and administration, for a stranger, a resident, and other posts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import UUID

import pytest
from django.urls import URLPattern, reverse
from tests.sites.workbench.staff import entries, here, make_staff, police_station, staff

from furong.sites.workbench import urls_administration, urls_content, urls_registers

pytestmark = pytest.mark.usefixtures("platform")

SAMPLES = {
    "uuid": UUID("00000000-0000-7000-8000-000000000001"),
    "slug": "newborn",
    "str": "sealed",
}
POSTED = {"licence_check", "unit_new", "appoint", "account_act", "audit_verify"}
REGISTERS = [one.name for one in urls_registers.urlpatterns]
CONTENT = [one.name for one in urls_content.urlpatterns]
AUDIT = [one.name for one in urls_administration.urlpatterns if str(one.name).startswith("audit")]
ADMINISTRATION = [one.name for one in urls_administration.urlpatterns if one.name not in AUDIT]


def addresses(names: list[str | None] | None = None) -> Iterator[tuple[str, str]]:
    patterns: list[URLPattern] = [
        *urls_registers.urlpatterns,
        *urls_content.urlpatterns,
        *urls_administration.urlpatterns,
    ]
    for pattern in patterns:
        if names is None or pattern.name in names:
            kinds = re.findall(r"<(\w+):(\w+)>", str(pattern.pattern))
            kwargs = {name: SAMPLES[kind] for kind, name in kinds}
            yield str(pattern.name), reverse(f"workbench:{pattern.name}", kwargs=kwargs)


def refused(username: str, names: list[str | None] | None = None) -> None:
    client = staff(username)
    for name, address in addresses(names):
        answer = client.post(address) if name in POSTED else client.get(address)
        assert answer.status_code == 403, f"{username} got {answer.status_code} from {name}"


def test_a_stranger_is_sent_to_sign_in_everywhere() -> None:
    client = staff("")
    for name, address in addresses():
        answer = client.post(address) if name in POSTED else client.get(address)
        assert answer.status_code == 302, name
        assert str(answer["Location"]).startswith("/account/sign-in"), name


def test_a_resident_opens_nothing() -> None:
    refused("mother")


def test_other_departments_open_no_register_of_people_no_content_and_no_administration() -> None:
    refused("insurance", ["population", *CONTENT, *ADMINISTRATION, *AUDIT])
    refused("vaccination", ["population", *CONTENT, *ADMINISTRATION, *AUDIT])


def test_a_supervisor_opens_neither_registers_nor_administration() -> None:
    refused("supervisor", [*REGISTERS, *ADMINISTRATION, *AUDIT])


def test_an_administrator_opens_neither_registers_nor_audit() -> None:
    refused("administrator", [*REGISTERS, *AUDIT])


def test_an_auditor_opens_nothing_but_audit() -> None:
    refused("auditor", [*REGISTERS, *CONTENT, *ADMINISTRATION])


def test_each_refusal_of_staff_is_on_record() -> None:
    refused("insurance", AUDIT)
    rows = entries(
        "SELECT name, code FROM audit_entry WHERE outcome = 'refused' AND name LIKE 'workbench.%%' ORDER BY seq"
    )
    assert rows == [(f"workbench.{name}", "access.refused") for name in AUDIT]


def test_a_post_without_rights_sees_no_menu_entry_it_may_not_open() -> None:
    make_staff("reader", police_station().id, here("licences.read"))
    client = staff("reader")
    page = client.get("/work/licences").content.decode()
    assert 'href="/work/licences"' in page
    for closed in ("/work/population", "/work/organizations", "/work/accounts", "/work/audit", "/work/items"):
        assert f'href="{closed}"' not in page
