"""Decisions over compiled terms: on whose word, within what, how fresh, and how often."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.db import connection, transaction

from furong.foundation.access import sharing, using
from furong.foundation.access.errors import (
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
)
from furong.foundation.access.granting import put_grants, put_resources
from furong.foundation.access.terms import CompiledGrant, Party, Rank, SharedResource, SharingDecision
from furong.foundation.access.values import Actor, ActorKind, Basis
from furong.foundation.codes.ids import new_id

pytestmark = pytest.mark.usefixtures("database")

NOW = datetime(2026, 11, 3, 8, 30, tzinfo=UTC)
OWN, BELOW, PROVIDER, OTHER = (UUID(int=n) for n in range(1, 5))
PARTIES = {
    OWN: Party(organization_id=OWN, department="social", division_code="430200"),
    BELOW: Party(organization_id=BELOW, department="social", division_code="430202"),
    PROVIDER: Party(organization_id=PROVIDER, department="police", division_code="430000"),
    OTHER: Party(organization_id=OTHER, department="police", division_code="430202"),
}
RESOURCE = SharedResource(
    code="r",
    organization_id=PROVIDER,
    department="police",
    division_prefix="43",
    live=True,
    rank=Rank.CONDITIONAL,
    items={"name": Rank.CONDITIONAL, "born": Rank.CONDITIONAL, "secret": Rank.NONE},
    fields={"date_of_birth": "born"},
)
GRANT = CompiledGrant(
    id=UUID(int=9),
    resource="r",
    organization_id=OWN,
    items=frozenset({"name", "born", "secret"}),
    divisions=("4302",),
    rank=Rank.CONDITIONAL,
    valid_from=datetime(2026, 1, 1, tzinfo=UTC),
    valid_until=datetime(2027, 1, 1, tzinfo=UTC),
)
BASIS = Basis(purpose="发卡", item_code="card")


@pytest.fixture(autouse=True)
def _afresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(settings, "ACCESS_LEASE_SECONDS", 0.2, raising=False)
    before = sharing.parties()
    sharing.identify_parties_by(PARTIES.get)
    sharing.BOOK.forget()
    using.forget()
    yield
    sharing.BOOK.forget()
    using.forget()
    for one in before:
        sharing.identify_parties_by(one)


def clerk(organization_id: UUID | None = OWN) -> Actor:
    return Actor(kind=ActorKind.STAFF, account_id=new_id(), post_id=new_id(), organization_id=organization_id)


def decide(actor: Actor | None = None, *fields: str, **given: Any) -> SharingDecision:
    wanted: dict[str, Any] = {"resource": "r", "basis": BASIS, "now": NOW, "divisions": ["430202"], **given}
    return sharing.decide_sharing(actor=actor or clerk(), fields=fields or ("name",), **wanted)


def test_what_the_catalogue_does_not_list_is_bound_by_no_terms() -> None:
    assert decide().ground == "unlisted"
    assert decide(clerk(None)).ground == "unlisted"


def test_the_providers_side_reads_its_own_and_others_by_grant_only() -> None:
    put_resources(resources=[RESOURCE], now=NOW)
    assert decide(clerk(PROVIDER)).ground == decide(clerk(OTHER)).ground == "provider"
    assert decide(Actor.system("timer")).ground == "system"
    assert decide(Actor(kind=ActorKind.RESIDENT, person_id=new_id())).ground == "person"
    with pytest.raises(SignInNeeded):
        decide(Actor.anonymous())
    for nobody in (clerk(), clerk(None), replace(Actor.system("x"), organization_id=OWN)):
        with pytest.raises(GrantMissing):
            decide(nobody)
    assert decide(clerk(BELOW), owners=[OWN]).ground == "provider"  # what its department put there itself
    put_grants(grants=[GRANT], now=NOW)
    found = decide(None, "name", "date_of_birth")
    assert (found.ground, found.grant_id, found.divisions) == ("grant", GRANT.id, ("4302",))
    assert found.trace() == {
        "resource": "r",
        "ground": "grant",
        "grant": str(GRANT.id),
        "items": ["born", "name", "secret"],
    }


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        ({"fields": ("other",)}, ItemNotGranted),
        ({"fields": ("secret",)}, SharingRefused),
        ({"divisions": ["430202", "430300"]}, RowNotGranted),
        ({"now": datetime(2027, 1, 1, tzinfo=UTC)}, GrantNotInForce),
        ({"now": datetime(2025, 1, 1, tzinfo=UTC)}, GrantNotInForce),
        ({"method": "file"}, PurposeNotGranted),
        ({"basis": Basis(purpose=" ")}, PurposeMissing),
    ],
)
def test_each_limit_of_a_grant_refuses_in_its_own_words(given: dict[str, Any], refusal: type[SharingRefused]) -> None:
    put_resources(resources=[RESOURCE], now=NOW)
    put_grants(grants=[GRANT], now=NOW)
    fields = given.pop("fields", ("name",))
    with pytest.raises(refusal):
        decide(None, *fields, **given)


def test_a_grant_for_those_below_serves_them_and_nobody_beside() -> None:
    put_resources(resources=[RESOURCE], now=NOW)
    put_grants(grants=[replace(GRANT, with_lower=True, department="social", division_prefix="4302")], now=NOW)
    assert decide(clerk(BELOW)).grant_id == GRANT.id
    sharing.identify_parties_by({**PARTIES, BELOW: replace(PARTIES[BELOW], division_code="430300")}.get)
    sharing.BOOK.forget()
    with pytest.raises(GrantMissing):
        decide(clerk(BELOW))


def test_a_change_of_this_process_binds_its_next_decision() -> None:
    put_resources(resources=[RESOURCE], now=NOW)
    put_grants(grants=[GRANT], now=NOW)
    assert decide()
    put_resources(resources=[replace(RESOURCE, live=False)], now=NOW)
    with pytest.raises(ResourceOffline):
        decide()
    put_resources(resources=[RESOURCE], now=NOW)
    put_grants(drop=[GRANT.id], now=NOW)
    with pytest.raises(GrantMissing):
        decide()


def test_when_a_restricting_command_returns_no_other_process_decides_by_the_old_terms() -> None:
    """Another process is a book of its own: it decides all the time, and must refuse from the moment the command is back."""
    put_resources(resources=[RESOURCE], now=NOW)
    put_grants(grants=[GRANT], now=NOW)
    other = sharing._Book()
    allowed: list[float] = []
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            began = time.monotonic()
            if other.entry("r", OWN).grants:
                allowed.append(began)
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    while not allowed:
        time.sleep(0.005)
    put_grants(drop=[GRANT.id], now=NOW)
    returned = time.monotonic()
    time.sleep(0.3)
    stop.set()
    thread.join()
    assert allowed[-1] < returned


def test_what_a_transaction_changed_is_decided_by_within_it_and_forgotten_when_it_is_rolled_back() -> None:
    put_resources(resources=[RESOURCE], now=NOW)
    with transaction.atomic():
        put_grants(grants=[GRANT], now=NOW)
        assert decide().grant_id == GRANT.id
        transaction.set_rollback(True)
    with pytest.raises(GrantMissing):
        decide()


def test_the_same_terms_again_are_no_change_and_wait_for_nobody() -> None:
    put_resources(resources=[RESOURCE], now=NOW)
    put_grants(grants=[GRANT], now=NOW)
    began = time.monotonic()
    assert put_resources(resources=[RESOURCE], now=NOW) == 0
    put_grants(grants=[GRANT], now=NOW)
    assert time.monotonic() - began < 0.15


def test_a_quota_is_never_exceeded_and_ends_with_the_day() -> None:
    put_resources(resources=[RESOURCE], now=NOW)
    put_grants(grants=[replace(GRANT, daily_quota=50)], now=NOW)
    lefts = [decide().quota_left for _ in range(30)]
    using.forget()  # another process, that knows nothing of what this one has reserved
    while True:
        try:
            lefts.append(decide().quota_left)
        except QuotaSpent:
            break
    assert lefts[0] == 49
    assert 45 <= len(lefts) <= 50
    assert decide(now=datetime(2026, 11, 4, 8, 30, tzinfo=UTC)).quota_left == 49


def test_the_use_of_a_grant_is_counted_by_day() -> None:
    put_resources(resources=[RESOURCE], now=NOW)
    put_grants(grants=[GRANT], now=NOW)
    for _ in range(7):
        decide()
    using.flush()
    assert using.last_used(grant_ids=[GRANT.id]) == {GRANT.id: NOW}
    assert list(using.uses_by_day(grant_id=GRANT.id, until=NOW.date()).values()) == [7]


def test_terms_of_a_database_put_back_from_a_backup_are_not_taken_for_the_newer_ones() -> None:
    put_resources(resources=[RESOURCE], now=NOW)
    put_grants(grants=[GRANT], now=NOW)
    assert decide()
    with connection.cursor() as cursor:  # another history with as many changes
        cursor.execute("DELETE FROM access_grant")
        cursor.execute("UPDATE access_terms_epoch SET stamp = gen_random_uuid()")
        cursor.execute("UPDATE access_terms_change SET stamp = gen_random_uuid()")
    sharing.BOOK.look_again()
    with pytest.raises(GrantMissing):
        decide()
