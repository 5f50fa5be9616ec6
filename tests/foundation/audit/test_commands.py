from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.db import DatabaseError, connection, connections, transaction

from furong.foundation.access.errors import AccessRefused, PurposeMissing
from furong.foundation.access.values import Actor, ActorKind, Assurance, Basis
from furong.foundation.audit import recording
from furong.foundation.audit.commands import (
    COMMANDS,
    command,
    current,
    erase_details,
    flush_reads,
    read,
    reads_collected,
    record_read,
    record_refusal,
)
from furong.foundation.audit.errors import AuditError
from furong.foundation.audit.queries import list_entries, list_reads_of_person
from furong.foundation.codes.errors import Refusal
from furong.foundation.codes.ids import new_id

NOW = datetime(2026, 11, 3, 8, 30, tzinfo=UTC)
SYSTEM = Actor.system("test")
CLERK = Actor(
    kind=ActorKind.STAFF,
    account_id=new_id(),
    post_id=new_id(),
    organization_id=new_id(),
    division_code="430290",
    label="户籍窗口",
    organization_label="某市公安局",
    request_id="r-1",
)
BASIS = Basis(purpose="新生儿落户", legal_basis="户口登记条例 第七条", case_id=new_id(), item_code="birth")

pytestmark = pytest.mark.usefixtures("database")


class Closed(Refusal):
    code = "test.closed"


def rows(sql: str, params: list[object] | None = None, alias: str = "default") -> list[tuple[object, ...]]:
    with connections[alias].cursor() as cursor:
        cursor.execute(sql, params or [])
        return cursor.fetchall()


def entries(alias: str = "default") -> list[tuple[object, ...]]:
    return rows("SELECT name, outcome, code FROM audit_entry ORDER BY seq", alias=alias)


@command("test.put_file")
def put_file(*, digest: str, actor: Actor, now: datetime, basis: Basis | None = None, refuse: bool = False) -> str:
    """An act with an effect that can be counted."""
    current().object("file", digest)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO storage_file (digest, size, media_type, created_at) VALUES (%s, 1, 'text/plain', %s)",
            [digest, now],
        )
    if refuse:
        raise Closed
    return digest


@command("test.put_two")
def put_two(*, actor: Actor, now: datetime, refuse: bool = False, catch: bool = False) -> None:
    put_file(digest="a" * 64, actor=actor, now=now)
    try:
        put_file(digest="b" * 64, actor=actor, now=now, refuse=refuse)
    except Closed:
        if not catch:
            raise


@command("test.register", database="population")
def register(*, person_id: UUID, actor: Actor, now: datetime, basis: Basis) -> None:
    current().subject(person_id, fields=("name", "born_on"))
    current().detail(reason="birth", count=1)


def files() -> int:
    return int(str(rows("SELECT count(*) FROM storage_file")[0][0]))


def test_a_commands_entry_commits_with_it() -> None:
    assert put_file(digest="a" * 64, actor=CLERK, now=NOW, basis=BASIS) == "a" * 64
    [line] = list_entries()
    assert (line.name, line.outcome, line.object_kind, line.object_id) == ("test.put_file", "done", "file", "a" * 64)
    assert (line.post_id, line.organization_id, line.case_id) == (CLERK.post_id, CLERK.organization_id, BASIS.case_id)
    assert line.at == NOW


def test_an_outer_rollback_takes_the_entry_with_the_effect() -> None:
    with transaction.atomic():
        put_file(digest="a" * 64, actor=SYSTEM, now=NOW)
        transaction.set_rollback(True)
    assert (files(), entries()) == (0, [])


def test_a_fault_leaves_neither_effect_nor_entry() -> None:
    put_file(digest="a" * 64, actor=SYSTEM, now=NOW)
    with pytest.raises(DatabaseError):
        put_file(digest="a" * 64, actor=SYSTEM, now=NOW)
    assert (files(), len(entries())) == (1, 1)


def test_a_refusal_is_in_the_log_though_its_transaction_was_rolled_back() -> None:
    with pytest.raises(Closed):
        put_file(digest="a" * 64, actor=CLERK, now=NOW, refuse=True)
    assert files() == 0
    assert entries() == [("test.put_file", "refused", "test.closed")]


def test_a_refusal_inside_an_open_transaction_is_in_the_log_though_that_is_rolled_back_too() -> None:
    with transaction.atomic():
        with pytest.raises(Closed):
            put_file(digest="a" * 64, actor=CLERK, now=NOW, refuse=True)
        transaction.set_rollback(True)
    assert entries() == [("test.put_file", "refused", "test.closed")]


def test_a_refusal_in_a_command_of_a_command_is_recorded_once_and_undoes_both() -> None:
    with pytest.raises(Closed):
        put_two(actor=SYSTEM, now=NOW, refuse=True)
    assert files() == 0
    assert entries() == [("test.put_file", "refused", "test.closed")]


def test_a_command_that_goes_on_after_anothers_refusal_keeps_its_own_effects() -> None:
    put_two(actor=SYSTEM, now=NOW, refuse=True, catch=True)
    assert files() == 1
    assert sorted(entries()) == [
        ("test.put_file", "done", ""),
        ("test.put_file", "refused", "test.closed"),
        ("test.put_two", "done", ""),
    ]


def test_a_command_of_a_command_names_its_parent() -> None:
    put_two(actor=SYSTEM, now=NOW)
    found = rows(
        "SELECT c.name, p.name FROM audit_entry c LEFT JOIN audit_entry p ON p.id = c.parent_id ORDER BY c.seq"
    )
    assert found == [("test.put_file", "test.put_two"), ("test.put_file", "test.put_two"), ("test.put_two", None)]


def test_a_commands_entry_is_in_the_database_of_its_effects() -> None:
    register(person_id=new_id(), actor=CLERK, now=NOW, basis=BASIS)
    assert (entries(), entries("population")) == ([], [("test.register", "done", "")])


def test_the_person_sees_who_read_their_data_when_and_why_over_all_databases() -> None:
    mother, child = new_id(), new_id()
    register(person_id=child, actor=CLERK, now=NOW, basis=BASIS)
    later = NOW.replace(hour=9)
    record_read(
        actor=CLERK,
        basis=BASIS,
        what="population.get_person",
        subjects=[mother, child],
        fields=["name", "name"],
        now=later,
    )
    own = Actor(kind=ActorKind.RESIDENT, person_id=child, assurance=Assurance.VERIFIED, label="张三")
    record_read(
        actor=own, basis=Basis(purpose="本人查询"), what="cases.list", subjects=[child], fields=["state"],
        database="default", now=NOW.replace(hour=10),
    )  # fmt: skip
    mine, read_, registered = list_reads_of_person(person_id=child)
    assert (mine.by_self, mine.database, mine.post_label) == (True, "default", "")
    assert (read_.at, read_.action, read_.what, read_.fields) == (later, "read", "population.get_person", ("name",))
    assert (read_.organization_label, read_.post_label) == ("某市公安局", "户籍窗口")
    assert (read_.purpose, read_.legal_basis, read_.case_id) == (BASIS.purpose, BASIS.legal_basis, BASIS.case_id)
    assert (registered.action, registered.fields, registered.by_self) == ("command", ("born_on", "name"), False)
    assert len(list_reads_of_person(person_id=mother)) == 1
    assert [r.what for r in list_reads_of_person(person_id=child, before=later)] == ["test.register"]
    assert [r.what for r in list_reads_of_person(person_id=child, limit=1)] == ["cases.list"]


def test_reads_in_a_request_are_committed_together_before_the_answer_leaves() -> None:
    with reads_collected():
        for _ in range(3):
            record_read(actor=CLERK, basis=BASIS, what="test.read", subjects=[new_id()], fields=["name"], now=NOW)
        assert entries("population") == []
    assert len(entries("population")) == 3
    assert len(rows("SELECT DISTINCT xid FROM audit_entry", alias="population")) == 1


def test_reads_are_committed_also_when_the_page_breaks() -> None:
    def page() -> None:
        with reads_collected():
            record_read(actor=CLERK, basis=BASIS, what="test.read", subjects=[new_id()], fields=["name"], now=NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        page()
    assert len(entries("population")) == 1


def test_no_answer_leaves_when_the_reads_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    def page() -> str:
        with reads_collected():
            record_read(actor=CLERK, basis=BASIS, what="test.read", subjects=[new_id()], fields=["name"], now=NOW)
            return "the answer"

    assert page() == "the answer"
    monkeypatch.setattr(recording, "INSERT", recording.INSERT.replace("audit_entry", "nowhere"))
    with pytest.raises(DatabaseError):
        page()


def test_any_text_and_any_number_of_persons_come_back_as_they_were_given() -> None:
    odd, persons = 'a"b\\c,{NULL}\n「引」\'d\\"', [new_id(), new_id()]
    with reads_collected():
        for what, subjects in (("test.nobody", []), (odd, persons)):
            record_read(
                actor=CLERK,
                basis=Basis(purpose=odd, legal_basis="NULL"),
                what=what,
                subjects=subjects,
                fields=[odd, "name"],
                now=NOW,
                object=("", odd),
            )
    kept = rows(
        "SELECT e.name, e.object_id, e.case_id, d.content FROM audit_entry e JOIN audit_detail d ON d.entry_id = e.id "
        "ORDER BY e.seq",
        alias="population",
    )
    assert [one[:3] for one in kept] == [("test.nobody", odd, None), (odd, odd, None)]
    content = json.loads(str(kept[1][3]))
    assert (content["purpose"], content["legal_basis"]) == (odd, "NULL")
    named = rows("SELECT person_id, fields FROM audit_subject ORDER BY person_id", alias="population")
    assert named == [(person, sorted([odd, "name"])) for person in sorted(persons)]


def test_a_read_in_a_transaction_that_is_rolled_back_stays_in_the_log() -> None:
    with transaction.atomic(using="population"):
        record_read(actor=CLERK, basis=BASIS, what="test.read", subjects=[new_id()], fields=["name"], now=NOW)
        transaction.set_rollback(True, using="population")
    assert len(entries("population")) == 1


def test_flushing_twice_writes_once() -> None:
    with reads_collected():
        record_read(actor=CLERK, basis=BASIS, what="test.read", subjects=[], fields=["name"], now=NOW)
        flush_reads()
        flush_reads()
        assert len(entries("population")) == 1
    assert len(entries("population")) == 1


def test_a_refused_query_is_in_the_log() -> None:
    @read("test.get_person", database="population")
    def get_person(*, person_id: UUID, actor: Actor, basis: Basis, now: datetime) -> None:
        if not basis.is_stated:
            raise PurposeMissing

    with pytest.raises(PurposeMissing):
        get_person(person_id=new_id(), actor=CLERK, basis=Basis(purpose=" "), now=NOW)
    assert entries("population") == [("test.get_person", "refused", "access.purpose_missing")]
    get_person(person_id=new_id(), actor=CLERK, basis=BASIS, now=NOW)
    assert len(entries("population")) == 1


def test_a_pages_own_refusal_is_recorded_once() -> None:
    refusal = AccessRefused()
    record_refusal(actor=CLERK, what="page.case", refusal=refusal, now=NOW)
    record_refusal(actor=CLERK, what="page.case", refusal=refusal, now=NOW)
    assert entries() == [("page.case", "refused", "access.refused")]


def test_a_residents_name_in_the_label_stays_out() -> None:
    resident = Actor(kind=ActorKind.RESIDENT, account_id=new_id(), person_id=new_id(), label="张三")
    put_file(digest="a" * 64, actor=resident, now=NOW)
    [(content,)] = rows("SELECT content FROM audit_detail")
    assert "张三" not in str(content)
    assert json.loads(str(content))["actor_person_id"] == str(resident.person_id)


@pytest.mark.parametrize("table", ["audit_entry", "audit_detail", "audit_subject"])
@pytest.mark.parametrize("edit", ["UPDATE {} SET at = now()", "DELETE FROM {}", "TRUNCATE {}"])
def test_the_owner_of_the_tables_cannot_edit_them(table: str, edit: str) -> None:
    register(person_id=new_id(), actor=CLERK, now=NOW, basis=BASIS)
    sql = edit.format(table).replace("at = now()", "content = ''" if table == "audit_detail" else "at = now()")
    with pytest.raises(DatabaseError, match="insert-only"):
        rows(sql + " RETURNING 1" if "TRUNCATE" not in sql else sql, alias="population")
    assert len(entries("population")) == 1


def test_erasing_takes_detail_and_persons_and_leaves_the_entry_and_a_trace() -> None:
    person = new_id()
    register(person_id=person, actor=CLERK, now=NOW, basis=BASIS)
    [(entry_id,)] = rows("SELECT id FROM audit_entry", alias="population")
    erased = erase_details(
        entry_ids=[UUID(str(entry_id))],
        actor=SYSTEM,
        basis=Basis(purpose="court order"),
        now=NOW,
        database="population",
    )
    assert erased == 1
    assert list_reads_of_person(person_id=person) == []
    assert entries("population") == [("test.register", "done", ""), ("audit.erase_details", "done", "")]


def test_an_erasure_cannot_be_erased() -> None:
    register(person_id=new_id(), actor=CLERK, now=NOW, basis=BASIS)
    [(entry_id,)] = rows("SELECT id FROM audit_entry", alias="population")
    basis = Basis(purpose="court order")
    erase_details(entry_ids=[UUID(str(entry_id))], actor=SYSTEM, basis=basis, now=NOW, database="population")
    [(erasure,)] = rows("SELECT id FROM audit_entry WHERE name = 'audit.erase_details'", alias="population")
    with pytest.raises(AuditError):
        erase_details(entry_ids=[UUID(str(erasure))], actor=SYSTEM, basis=basis, now=NOW, database="population")


def test_a_function_that_could_not_be_audited_is_no_command() -> None:
    with pytest.raises(TypeError, match="actor"):

        @command("test.nobody")
        def nobody(*, now: datetime) -> None: ...

    with pytest.raises(TypeError, match="keywords"):

        @command("test.positional")
        def positional(actor: Actor, *, now: datetime) -> None: ...

    assert not {"test.nobody", "test.positional"} & COMMANDS.keys()


def test_two_commands_of_one_name_are_refused() -> None:
    with pytest.raises(AuditError):

        @command("test.put_file")
        def another(*, actor: Actor, now: datetime) -> None: ...


def test_outside_a_command_nothing_can_be_recorded_of_one() -> None:
    with pytest.raises(AuditError):
        current()


def test_a_command_without_actor_or_time_does_not_run() -> None:
    with pytest.raises(TypeError):
        put_file(digest="a" * 64, actor=None, now=NOW)  # type: ignore[arg-type]
    assert files() == 0


@pytest.fixture(autouse=True)
def _no_record_left_open() -> Iterator[None]:
    yield
    with pytest.raises(AuditError):
        current()
