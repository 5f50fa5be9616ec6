from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from django.test import Client, override_settings

from furong.foundation.access.values import Actor, ActorKind, Assurance
from furong.foundation.codes.ids import new_id
from furong.foundation.identity import commands, ports
from furong.foundation.identity.values import Child, Enterprise
from furong.foundation.organizations import commands as organizations
from furong.foundation.organizations import models as organization_models
from furong.foundation.organizations.values import Grant, Name, Reach

SYSTEM = Actor.system("test")
ANYBODY = Actor.anonymous()
PASSWORD = "lotus-root-soup"
NUMBER, NAME = "430290199001010012", "李某某"


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Register:
    """What the twins of the registers know."""

    persons: dict[tuple[str, str], UUID] = field(default_factory=dict)
    children: dict[UUID, list[Child]] = field(default_factory=dict)
    enterprises: list[Enterprise] = field(default_factory=list)

    def person(self, number: str, name: str, *_: Any) -> UUID | None:
        return self.persons.get((number, name))


@pytest.fixture(autouse=True)
def _settings() -> Iterator[None]:
    with override_settings(
        ROOT_URLCONF="tests.foundation.identity.urls",
        ACCESS_LEASE_SECONDS=0.05,
    ):
        yield


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Register:
    made = Register()
    made.persons[NUMBER, NAME] = new_id()
    monkeypatch.setattr(ports._Ports, "real_name", ports.RealNameTwin(made.person))
    monkeypatch.setattr(
        ports._Ports, "parenthood", ports.ParenthoodTwin(lambda person, *_: made.children.get(person, []))
    )

    class Enterprises(ports.EnterpriseTwin):
        def find(self, *, credit_code: str, actor: Actor, now: datetime) -> Enterprise | None:
            return next((one for one in made.enterprises if one.credit_code == credit_code), None)

    monkeypatch.setattr(ports._Ports, "enterprise", Enterprises())
    return made


def browser(**kwargs: Any) -> Client:
    return Client(HTTP_HOST="localhost", raise_request_exception=False, **kwargs)


def sign_in(username: str, password: str = PASSWORD, client: Client | None = None) -> Client:
    client = client or browser()
    client.post("/account/sign-in", {"username": username, "password": password})
    return client


def who(client: Client) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/who").json()
    return found


def resident(username: str, *, person_id: UUID | None = None, name: str = "") -> Actor:
    account = commands.register_resident(
        username=username, password=PASSWORD, display_name=name, actor=ANYBODY, now=now()
    )
    if person_id is not None:
        commands.bind_person(account_id=account, person_id=person_id, display_name=name, actor=SYSTEM, now=now())
    return Actor(
        kind=ActorKind.RESIDENT,
        account_id=account,
        person_id=person_id,
        assurance=Assurance.VERIFIED if person_id else Assurance.REGISTERED,
    )


@dataclass(frozen=True)
class Office:
    """Two organisations with a post each, and one where accounts are managed."""

    first: UUID
    second: UUID
    first_post: UUID
    second_post: UUID
    admin_post: UUID


@pytest.fixture
def office(database: dict[str, str]) -> Office:
    organization_models.Department.objects.create(code="police", name_zh="公安")
    organization_models.Division.objects.create(
        code="430202", name_zh="荷塘区", level=4, prefix="430202", parent_code="", valid_from=date(2000, 1, 1)
    )
    organization_models.Division.objects.create(
        code="430203", name_zh="芦淞区", level=4, prefix="430203", parent_code=""
    )
    made = [
        organizations.create_organization(
            name=Name(zh=name), department="police", division_code=code, actor=SYSTEM, now=now()
        )
        for name, code in (("荷塘分局", "430202"), ("芦淞分局", "430203"))
    ]
    posts = [
        organizations.create_post(organization_id=one, title=Name(zh=title), grants=grants, actor=SYSTEM, now=now())
        for one, title, grants in (
            (
                made[0],
                "户籍民警",
                [Grant(right="cases.decide"), Grant(right="population.search", reach=Reach.DIVISION)],
            ),
            (made[1], "户籍民警", [Grant(right="cases.handle")]),
            (
                made[0],
                "管理员",
                [
                    Grant(right="accounts.manage", reach=Reach.DIVISION),
                    Grant(right="organizations.manage", reach=Reach.DIVISION),
                ],
            ),
        )
    ]
    return Office(made[0], made[1], *posts)


def staff(username: str, *posts: UUID, must_change: bool = False) -> UUID:
    account = commands.create_staff_account(
        username=username, display_name="某人", password=PASSWORD, actor=SYSTEM, now=now()
    )
    if not must_change:
        from furong.foundation.identity import models

        models.Account.objects.filter(pk=account).update(must_change_password=False)
    for post in posts:
        organizations.appoint(account_id=account, post_id=post, actor=SYSTEM, now=now())
    return account
