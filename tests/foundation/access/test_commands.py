from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from furong.foundation.access import queries
from furong.foundation.access.commands import set_post_rights
from furong.foundation.access.errors import (
    AccessRefused,
    AssuranceTooLow,
    PurposeMissing,
    RightUnknownError,
    SignInNeeded,
)
from furong.foundation.access.queries import allows, require, require_assurance, require_person, rights_of_post, scope
from furong.foundation.access.values import Actor, ActorKind, Assurance, Basis, PostRight, Principal, Scope
from furong.foundation.codes.ids import new_id

NOW = datetime(2026, 11, 3, 8, 30, tzinfo=UTC)
ORGANIZATION, OTHER = new_id(), new_id()
HANDLE = PostRight(right="cases.handle", organization_id=ORGANIZATION)
DECIDE = PostRight(right="cases.decide", organization_id=ORGANIZATION)
READ = PostRight(right="population.read", division_prefix="430290")
BASIS = Basis(purpose="新生儿落户", legal_basis="户口登记条例 第七条")

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture(autouse=True)
def _no_leases() -> Iterator[None]:
    queries.LEASES.drop()
    yield
    queries.LEASES.drop()


def clerk(post_id: UUID) -> Actor:
    return Actor(kind=ActorKind.STAFF, account_id=new_id(), post_id=post_id, organization_id=ORGANIZATION)


@pytest.fixture
def post() -> UUID:
    post_id = new_id()
    set_post_rights(post_id=post_id, rights=[HANDLE, READ], now=NOW)
    return post_id


def test_a_post_may_do_what_it_was_given_where_it_was_given(post: UUID) -> None:
    decision = require(actor=clerk(post), right="cases.handle", organization_id=ORGANIZATION)
    assert (decision.ground, decision.scope.organization_ids) == ("post", {ORGANIZATION})
    assert allows(actor=clerk(post), right="cases.handle")
    assert not allows(actor=clerk(post), right="cases.handle", organization_id=OTHER)
    assert not allows(actor=clerk(post), right="cases.decide", organization_id=ORGANIZATION)
    assert allows(actor=clerk(post), right="population.read", division_code="430290001")
    assert not allows(actor=clerk(post), right="population.read", division_code="430291")


def test_rights_that_an_actor_claims_to_carry_count_for_nothing(post: UUID) -> None:
    from dataclasses import replace

    forged = replace(clerk(post), rights=frozenset({"cases.decide"}))
    with pytest.raises(AccessRefused):
        require(actor=forged, right="cases.decide")


@pytest.mark.parametrize("actor", [Actor(kind=ActorKind.RESIDENT, person_id=new_id()), clerk(new_id()),
                                   Actor(kind=ActorKind.STAFF)])  # fmt: skip
def test_whoever_has_no_post_with_the_right_is_refused(actor: Actor) -> None:
    assert scope(actor=actor, right="cases.handle").is_empty
    with pytest.raises(AccessRefused):
        require(actor=actor, right="cases.handle")


def test_a_stranger_is_asked_to_sign_in() -> None:
    with pytest.raises(SignInNeeded):
        require(actor=Actor.anonymous(), right="cases.handle")
    assert not allows(actor=Actor.anonymous(), right="cases.handle")


def test_the_systems_own_work_is_covered() -> None:
    decision = require(actor=Actor.system("timer"), right="cases.handle", organization_id=OTHER)
    assert (decision.ground, decision.scope.everything) == ("system", True)


def test_a_right_that_nobody_registered_is_a_fault(post: UUID) -> None:
    with pytest.raises(RightUnknownError):
        require(actor=clerk(post), right="cases.handel")
    with pytest.raises(RightUnknownError):
        set_post_rights(post_id=post, rights=[PostRight(right="cases.handel", everywhere=True)], now=NOW)


# --- taking away ---------------------------------------------------------------------------------------------


def test_after_a_right_was_taken_away_the_next_call_is_refused_also_in_another_process(post: UUID) -> None:
    """Another process is played by leases that this process's command cannot drop."""
    require(actor=clerk(post), right="cases.handle")
    mine, theirs = queries.LEASES, queries._Leases()
    queries.LEASES = theirs
    require(actor=clerk(post), right="cases.handle")
    queries.LEASES = mine
    began = time.monotonic()
    set_post_rights(post_id=post, rights=[READ], now=NOW)
    assert time.monotonic() - began >= queries.lease_seconds()
    with pytest.raises(AccessRefused):
        require(actor=clerk(post), right="cases.handle")
    queries.LEASES = theirs
    with pytest.raises(AccessRefused):
        require(actor=clerk(post), right="cases.handle")
    queries.LEASES = mine


def test_no_call_that_begins_after_the_command_returned_is_allowed_however_busy_the_process(post: UUID) -> None:
    returned = threading.Event()
    stop = threading.Event()
    wrong: list[float] = []

    def ask() -> None:
        while not stop.is_set():
            after = returned.is_set()
            if allows(actor=clerk(post), right="cases.handle") and after:
                wrong.append(time.monotonic())
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    set_post_rights(post_id=post, rights=[READ], now=NOW)
    returned.set()
    time.sleep(0.2)
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits for leases to run out, recorded instead of slept through."""
    found: list[float] = []
    monkeypatch.setattr(queries.time, "sleep", found.append)
    return found


def test_granting_waits_for_nobody_and_holds_at_once_here(post: UUID, waits: list[float]) -> None:
    assert not allows(actor=clerk(post), right="cases.decide")
    set_post_rights(post_id=post, rights=[HANDLE, READ, DECIDE], now=NOW)
    assert waits == []
    assert allows(actor=clerk(post), right="cases.decide")


def test_narrowing_a_right_is_taking_away(post: UUID, waits: list[float]) -> None:
    narrowed = PostRight(right="cases.handle", organization_id=ORGANIZATION, division_prefix="430290001")
    set_post_rights(post_id=post, rights=[narrowed, READ], now=NOW)
    assert waits == [queries.lease_seconds()]
    assert not allows(actor=clerk(post), right="cases.handle", organization_id=ORGANIZATION, division_code="430290002")


def test_many_restrictions_in_one_transaction_wait_once_after_its_commit(post: UUID, waits: list[float]) -> None:
    other = new_id()
    set_post_rights(post_id=other, rights=[HANDLE], now=NOW)
    with transaction.atomic():
        set_post_rights(post_id=post, rights=[], now=NOW)
        with transaction.atomic():
            set_post_rights(post_id=other, rights=[], now=NOW)
        assert waits == []
    assert waits == [queries.lease_seconds()]


def test_a_restriction_that_is_rolled_back_waits_for_nobody(post: UUID, waits: list[float]) -> None:
    with transaction.atomic():
        set_post_rights(post_id=post, rights=[], now=NOW)
        transaction.set_rollback(True)
    assert waits == []
    assert allows(actor=clerk(post), right="cases.handle")


def test_a_change_that_is_rolled_back_leaves_no_trace_in_the_cache(post: UUID) -> None:
    with transaction.atomic():
        set_post_rights(post_id=post, rights=[HANDLE, READ, DECIDE], now=NOW)
        assert allows(actor=clerk(post), right="cases.decide")
        transaction.set_rollback(True)
    assert not allows(actor=clerk(post), right="cases.decide")


def test_setting_the_same_rights_again_changes_nothing(post: UUID) -> None:
    set_post_rights(post_id=post, rights=[READ, HANDLE, HANDLE], now=NOW)
    with connection.cursor() as cursor:
        cursor.execute("SELECT version FROM access_post_rights WHERE post_id = %s", [post])
        assert cursor.fetchone() == (1,)


def test_within_a_lease_the_database_is_not_asked_again_and_after_it_is(
    post: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = []
    read = queries._read
    monkeypatch.setattr(queries, "_read", lambda post_id: (reads.append(post_id), read(post_id))[1])
    clock = [1000.0]
    monkeypatch.setattr(queries.time, "monotonic", lambda: clock[0])
    for _ in range(3):
        assert len(rights_of_post(post_id=post)) == 2
    assert len(reads) == 1
    clock[0] += queries.lease_seconds()
    assert len(rights_of_post(post_id=post)) == 2
    assert len(reads) == 2


def test_an_answer_that_took_longer_than_the_lease_is_asked_for_again(
    post: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, slow = [1000.0], [True]
    monkeypatch.setattr(queries.time, "monotonic", lambda: clock[0])
    read = queries._read

    def slow_read(post_id: UUID) -> tuple[PostRight, ...]:
        found = read(post_id)
        if slow:
            slow.clear()
            clock[0] += 5  # and meanwhile the right is taken away:
            with connection.cursor() as cursor:
                cursor.execute("UPDATE access_post_rights SET rights = '[]' WHERE post_id = %s", [post_id])
        return found

    monkeypatch.setattr(queries, "_read", slow_read)
    assert rights_of_post(post_id=post) == ()


# --- persons -------------------------------------------------------------------------------------------------


def test_staff_without_a_purpose_read_nobody(post: UUID) -> None:
    person = new_id()
    with pytest.raises(PurposeMissing):
        require_person(actor=clerk(post), basis=Basis(purpose=" "), person_ids=[person], division_code="430290")
    decision = require_person(actor=clerk(post), basis=BASIS, person_ids=[person], division_code="430290")
    assert decision.ground == "post"
    with pytest.raises(AccessRefused):
        require_person(actor=clerk(post), basis=BASIS, person_ids=[person], division_code="430291")
    with pytest.raises(AccessRefused):
        require_person(actor=clerk(new_id()), basis=BASIS, person_ids=[person])


def test_the_systems_work_states_its_purpose_too() -> None:
    with pytest.raises(PurposeMissing):
        require_person(actor=Actor.system("job"), basis=Basis(purpose=""), person_ids=[new_id()])


def test_a_resident_reads_themself_whom_they_act_for_and_whom_the_register_knows_as_theirs() -> None:
    me, child, father = new_id(), new_id(), new_id()
    actor = Actor(kind=ActorKind.RESIDENT, account_id=new_id(), person_id=me, assurance=Assurance.VERIFIED)
    agent = actor.acting_for(Principal(kind="person", id=father, mandate_id=new_id()))
    assert require_person(actor=actor, basis=BASIS, person_ids=[me]).ground == "self"
    assert require_person(actor=agent, basis=BASIS, person_ids=[me, father]).ground == "mandate"
    assert require_person(actor=actor, basis=BASIS, person_ids=[child], related=frozenset({child})).ground == "related"
    for asker, wanted in ((actor, [child]), (actor, [father]), (agent, [child]), (actor, [me, child]), (actor, [])):
        if wanted:
            with pytest.raises(AccessRefused):
                require_person(actor=asker, basis=BASIS, person_ids=wanted)
    enterprise = actor.acting_for(Principal(kind="enterprise", id=father, mandate_id=new_id()))
    with pytest.raises(AccessRefused):
        require_person(actor=enterprise, basis=BASIS, person_ids=[father])


def test_an_account_that_is_not_surely_the_persons_reads_nothing() -> None:
    me = new_id()
    actor = Actor(kind=ActorKind.RESIDENT, person_id=me, assurance=Assurance.REGISTERED)
    with pytest.raises(AssuranceTooLow):
        require_person(actor=actor, basis=BASIS, person_ids=[me])
    with pytest.raises(SignInNeeded):
        require_person(actor=Actor.anonymous(), basis=BASIS, person_ids=[me])
    with pytest.raises(SignInNeeded):
        require_assurance(actor=Actor.anonymous(), level=Assurance.NONE)


# --- SQL -----------------------------------------------------------------------------------------------------

ids = st.sampled_from([UUID(int=n) for n in range(1, 4)])
codes = st.sampled_from(["43", "4302", "430290", "430291", "44", "430290001001"])
scopes = st.builds(
    Scope.of,
    st.lists(
        st.one_of(
            st.builds(PostRight, right=st.just("r"), organization_id=ids),
            st.builds(PostRight, right=st.just("r"), division_prefix=codes),
            st.builds(PostRight, right=st.just("r"), organization_id=ids, division_prefix=codes),
            st.just(PostRight(right="r", everywhere=True)),
        ),
        max_size=4,
    ),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(scopes)
def test_the_sql_of_a_scope_gives_the_rows_that_it_covers(found: Scope) -> None:
    rows = [
        (UUID(int=n), code) for n in range(1, 4) for code in ("43", "430290", "4302", "430291", "44", "430290001001")
    ]
    condition, params = found.sql(organization_column="t.o", division_column="t.d")
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT t.o, t.d FROM unnest(%s::uuid[], %s::text[]) AS t(o, d) WHERE {condition}",
            [[o for o, _ in rows], [d for _, d in rows], *params],
        )
        got = set(cursor.fetchall())
    assert got == {(o, d) for o, d in rows if found.covers(organization_id=o, division_code=d)}
