"""Staff who walk through the workbench, and small things that several stories need."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import lxml.html
from django.db import connections
from django.test import Client

from furong.foundation.access.values import Actor, Basis
from furong.foundation.codes.ids import new_id
from furong.foundation.identity import commands as identity
from furong.foundation.identity import queries as accounts
from furong.foundation.organizations import commands as organizations
from furong.foundation.organizations import queries as places
from furong.foundation.organizations.values import Grant, Name, Organization, Reach
from furong.registries.licences import commands as licences
from furong.registries.licences.values import IssuedLicence
from furong.registries.population import demo
from furong.registries.population import queries as population
from furong.registries.population.values import PersonRecord

PASSWORD = "furong-demo-2026"  # the demo pack's, published
SYSTEM = Actor.system("test")
BASIS = Basis(purpose="test")
PURPOSE = {"purpose": "counter", "legal_basis": "《中华人民共和国户口登记条例》"}


def now() -> datetime:
    return datetime.now(UTC)


def staff(username: str, password: str = PASSWORD) -> Client:
    client = Client(HTTP_HOST="localhost")
    if username:
        answer = client.post("/account/sign-in", {"username": username, "password": password})
        assert answer.status_code == 302, answer.content.decode()[:2000]
    return client


def tree(content: bytes) -> lxml.html.HtmlElement:
    return lxml.html.fromstring(content)


def words(content: bytes) -> str:
    """The words of a page's main part, spaces made one."""
    return re.sub(r"\s+", " ", tree(content).get_element_by_id("main").text_content())


def links(content: bytes, start: str) -> list[str]:
    found = tree(content).xpath("//main//a[@href]")  # the menu has its own
    return [str(a.get("href")) for a in found if str(a.get("href")).startswith(start)]


def mother() -> PersonRecord:
    return population.get_person(
        person_id=demo.person_id("mother"),
        fields=["name", "name_pinyin", "number", "born_on", "division_code", "address"],
        actor=SYSTEM,
        basis=BASIS,
        now=now(),
    )


def entries(sql: str, params: list[object] | None = None, database: str = "default") -> list[tuple[Any, ...]]:
    with connections[database].cursor() as cursor:
        cursor.execute(sql, params or [])
        return list(cursor.fetchall())


def refusals(name: str, database: str = "default") -> list[str]:
    rows = entries("SELECT code FROM audit_entry WHERE name = %s AND outcome = 'refused'", [name], database)
    return [row[0] for row in rows]


def police_station() -> Organization:
    return places.get_responsible(department="police", division_code="430202001")


def make_staff(username: str, organization_id: UUID, *grants: Grant, title: str = "测试岗") -> UUID:
    """Make an account in a new post with these rights; its password is the demo's. Gives the post."""
    post_id = organizations.create_post(
        organization_id=organization_id, title=Name(zh=title), grants=grants, actor=SYSTEM, now=now()
    )
    account_id = identity.create_staff_account(
        username=username,
        display_name="测试员",
        password="first-Password-1",
        post_id=post_id,
        actor=SYSTEM,
        now=now(),
    )
    identity.change_password(account_id=account_id, old="first-Password-1", new=PASSWORD, actor=SYSTEM, now=now())
    return post_id


def account_id(username: str) -> UUID:
    found = accounts.find_staff_account(username=username, actor=SYSTEM)
    assert found is not None
    return found.id


def here(right: str, reach: Reach = Reach.ORGANIZATION) -> Grant:
    return Grant(right=right, reach=reach)


def registration_card(number: str = "") -> IssuedLicence:
    """Issue a registration card to the mother, by the police station of her town."""
    person = mother()
    return licences.issue(
        effect_id=new_id(),
        type_code="household_page",
        holder_person_id=person.person_id,
        data={
            "name": person.text("name"),
            "household_relation": "20",
            "sex": "2",
            "ethnicity": "01",
            "born_on": person["born_on"],
            "number": person.text("number"),
            "household_number": "H1",
            "address": "湖南省株洲市荷塘区",
            "registered_on": "2026-01-02",
        },
        issuer_organization_id=police_station().id,
        actor=SYSTEM,
        basis=BASIS,
        now=now(),
    )
