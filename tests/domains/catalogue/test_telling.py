"""Who is told what becomes of a grant: the users' officers and the provider's stewards, once, in both languages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.db import connection

from furong.domains.catalogue import models
from furong.domains.catalogue.events import GrantInForce
from furong.domains.catalogue.grants import granting, reading, telling
from furong.domains.catalogue.grants.values import REMIND_DAYS, Terms
from furong.foundation.access import sharing, using
from furong.foundation.access.values import Actor, ActorKind
from furong.foundation.codes.ids import new_id
from furong.foundation.events import dispatcher
from furong.foundation.events.commands import subscriptions
from furong.foundation.events.values import Delivery
from furong.foundation.identity import queries as identity
from furong.foundation.notices import queries as notices
from furong.foundation.organizations import queries as organizations

pytestmark = pytest.mark.usefixtures("platform")

SYSTEM = Actor.system("test")
# The demo's data officer of medical insurance uses the police's population register; the steward keeps it.
USER, PROVIDER, OUTSIDE = "officer", "steward", "catalogue"


@pytest.fixture(autouse=True)
def _afresh(platform: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(settings, "ACCESS_LEASE_SECONDS", 0.05, raising=False)
    sharing.BOOK.forget()
    using.forget()
    deliver()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM notices_message")
    yield
    sharing.BOOK.forget()


def deliver() -> None:
    while dispatcher.dispatch_once():
        pass


def told(username: str) -> list[Any]:
    """The messages of an account, newest first."""
    deliver()
    found = identity.find_staff_account(username=username, actor=SYSTEM)
    assert found is not None
    return notices.list_messages(actor=Actor(kind=ActorKind.STAFF, account_id=found.id), limit=50)


def templates(username: str) -> list[str]:
    return [one.template for one in told(username)]


def grant(department: str = "medical_insurance", resource: str = "population_persons") -> models.Grant:
    body = organizations.get_responsible(department=department, division_code="430000")
    return models.Grant.objects.get(organization_id=body.id, resource_code=resource, parent=None, state="active")


def start_of(row: models.Grant) -> datetime:
    return row.since


def test_both_sides_are_told_that_a_grant_rests_comes_back_and_ends_and_nobody_else_is() -> None:
    row = grant()
    now = start_of(row)
    granting.suspend_grant(grant_id=row.id, reason="安全检查", actor=SYSTEM, now=now)
    granting.resume_grant(grant_id=row.id, actor=SYSTEM, now=now + timedelta(hours=1))
    granting.revoke_grant(grant_id=row.id, reason="业务停办", actor=SYSTEM, now=now + timedelta(hours=2))
    for username in (USER, PROVIDER):
        assert templates(username) == [
            "catalogue.grant_revoked",
            "catalogue.grant_in_force",
            "catalogue.grant_suspended",
        ], username
    assert templates(OUTSIDE) == []
    newest = told(USER)[0]
    assert newest.title == {"zh": "“人口基础信息”的授权已撤销", "en": newest.title["en"]}
    assert row.number in newest.body["zh"]
    assert row.number in newest.body["en"]
    assert newest.params["grant_id"] == str(row.id)
    assert "安全检查" not in str(newest)  # why stands on the grant's page


def test_what_was_passed_on_rests_with_its_grant_and_its_holder_is_told() -> None:
    row = grant()
    below = organizations.get_responsible(department="medical_insurance", division_code="430202")
    terms = Terms.of_json({**row.terms, "days": 30, "delegable": False, "items": ["name"]})
    now = start_of(row) + timedelta(minutes=1)
    child = granting.delegate_grant(grant_id=row.id, organization_id=below.id, terms=terms, actor=SYSTEM, now=now)
    assert templates(USER) == ["catalogue.grant_in_force"]
    granting.suspend_grant(grant_id=row.id, reason="检查", actor=SYSTEM, now=now)
    numbers = [one.params["number"] for one in told(USER) if one.template == "catalogue.grant_suspended"]
    passed_on = models.Grant.objects.get(id=child)
    assert sorted(numbers) == sorted([row.number, passed_on.number])
    granting.revoke_grant(grant_id=row.id, reason="停办", actor=SYSTEM, now=now)
    assert passed_on.number in [one.params["number"] for one in told(USER) if one.template.endswith("revoked")]


def test_a_grant_that_nobody_used_says_so_when_it_is_suspended() -> None:
    row = grant()
    later = start_of(row) + timedelta(days=row.idle_days + 1)
    granting.tend_grants(actor=SYSTEM, now=later)
    mine = [one for one in told(USER) if one.params["number"] == row.number]
    assert [one.template for one in mine] == ["catalogue.grant_unused"]
    assert f"连续 {row.idle_days} 天未使用" in mine[0].body["zh"]
    assert f"not used for {row.idle_days} days" in mine[0].body["en"]


def test_the_end_is_announced_thirty_and_seven_days_before_once_each_and_then_said() -> None:
    row = grant()
    assert row.valid_until is not None
    began = start_of(row)
    models.Grant.objects.exclude(id=row.id).update(state="revoked")
    models.Grant.objects.filter(id=row.id).update(idle_days=10_000)
    ends = began + timedelta(days=365)
    for left, days in ((31, []), (30, [30]), (29, [30]), (7, [30, 7]), (6, [30, 7])):
        granting.announce_ends(actor=SYSTEM, now=ends - timedelta(days=left))
        found = [
            one.params["days"] for one in reversed(told(PROVIDER)) if one.template == "catalogue.grant_nearly_over"
        ]
        assert found == days, left
    assert "30 天后到期" in told(USER)[-1].title["zh"]
    assert "expires in 30 days" in told(USER)[-1].title["en"]
    assert granting.announce_ends(actor=SYSTEM, now=ends) == 0
    granting.tend_grants(actor=SYSTEM, now=ends)
    assert templates(USER)[0] == "catalogue.grant_expired"


def test_a_grant_of_a_week_is_not_announced_and_one_of_a_month_only_at_its_week() -> None:
    row = grant()
    began = start_of(row)
    for days, announced in ((7, []), (30, [7])):
        until = row.valid_from + timedelta(days=days) if row.valid_from else None
        models.Grant.objects.filter(id=row.id).update(valid_until=until, reminded_days=None)
        before = len(told(USER))
        for day in range(days):
            granting.announce_ends(actor=SYSTEM, now=began + timedelta(days=day))
        fresh = told(USER)[: len(told(USER)) - before]
        assert [one.params["days"] for one in fresh if one.params["number"] == row.number] == announced
    assert REMIND_DAYS == (7, 30)


def test_an_event_that_comes_twice_tells_nobody_twice() -> None:
    row = grant()
    event = GrantInForce(id=str(row.id), resource_code=row.resource_code)
    delivery = Delivery(
        event_id=new_id(),
        name="catalogue.grant_in_force",
        source="default",
        occurred_at=row.since,
        attempt=1,
        now=row.since,
    )
    for _ in range(2):
        telling.on_in_force(event, delivery)
    assert templates(USER) == ["catalogue.grant_in_force"]
    telling.on_in_force(GrantInForce(id=str(UUID(int=5)), resource_code="x"), delivery)  # one that is gone


def test_the_platform_follows_all_that_becomes_of_grants() -> None:
    for name in ("catalogue.grant_in_force", "catalogue.grant_out_of_force", "catalogue.grant_nearly_over"):
        assert subscriptions(name), name
    system = reading.list_grants(actor=SYSTEM)
    assert system
