"""The log finds what was done to it. Every test does it with a superuser's SQL, past the triggers."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from django.conf import settings
from django.db import connections, transaction

from furong.foundation.access.values import Actor, ActorKind, Basis
from furong.foundation.audit import sealer
from furong.foundation.audit.commands import command, current, erase_details, record_read
from furong.foundation.audit.errors import ExportDamagedError
from furong.foundation.audit.queries import count_unsealed, find_head, prove_inclusion, read_head
from furong.foundation.audit.recording import own_connection
from furong.foundation.audit.sealer import seal_once
from furong.foundation.audit.values import Verdict
from furong.foundation.audit.verification import export_log, verify_database, verify_file
from furong.foundation.codes.ids import new_id
from furong.foundation.signing import queries as signing
from furong.foundation.signing.keys import Ed25519PrivateKey
from furong.foundation.signing.values import PublicKey

NOW = datetime(2026, 11, 3, 8, 30, tzinfo=UTC)
SYSTEM = Actor.system("test")
CLERK = Actor(kind=ActorKind.STAFF, account_id=new_id(), post_id=new_id(), label="窗口")
BASIS = Basis(purpose="落户")

pytestmark = pytest.mark.usefixtures("database")


@command("test.note")
def note(*, actor: Actor, now: datetime, text: str = "") -> None:
    current().object("note", "n")
    current().detail(text=text)


FIRST, SECOND, THIRD = (f"(SELECT entry_id FROM audit_leaf WHERE index = {index})" for index in range(3))


def sql(text: str, params: list[object] | None = None) -> list[tuple[object, ...]]:
    with connections["default"].cursor() as cursor:
        cursor.execute(text, params or [])
        return cursor.fetchall() if cursor.description else []


def tamper(*statements: str) -> None:
    """Do what a superuser can: switch the triggers off and edit."""
    with transaction.atomic():
        sql("SET LOCAL session_replication_role = replica")
        for statement in statements:
            sql(statement)


def entries(count: int) -> None:
    for number in range(count):
        note(actor=CLERK, now=NOW + timedelta(seconds=number), text=f"t{number}")


def problems(verdict: Verdict | None = None) -> list[str]:
    return [finding.problem for finding in (verdict or verify_database()).findings]


def sealed(count: int = 5) -> None:
    """Two heads: one over ``count`` entries, one over one more."""
    entries(count)
    assert seal_once() == count
    note(actor=CLERK, now=NOW)
    assert seal_once() == 1


def test_a_sealed_log_is_sound() -> None:
    sealed()
    verdict = verify_database()
    assert verdict.is_sound
    assert (verdict.size, verdict.heads, verdict.unsealed) == (6, 2, 0)
    head = find_head()
    assert head == verdict.last_head
    assert signing.find_public_key(key_id=head.key_id) == signing.public_key(purpose="audit")  # type: ignore[union-attr]


def test_an_empty_log_is_sound_and_sealing_nothing_makes_no_head() -> None:
    assert seal_once() == 0
    assert verify_database().is_sound
    assert find_head() is None


def test_each_database_has_a_log_of_its_own() -> None:
    sealed()
    record_read(actor=CLERK, basis=BASIS, what="t", subjects=[new_id()], fields=["name"], now=NOW)
    assert seal_once("population") == 1
    mine, other = verify_database(), verify_database("population")
    assert other.is_sound
    assert (mine.size, other.size) == (6, 1)
    assert mine.log_id != other.log_id


EDITS: dict[str, tuple[list[str], str]] = {
    "an entry's column": (["UPDATE audit_entry SET name = 'x' WHERE id = " + THIRD],
                          "an entry was changed"),
    "an entry's time": (["UPDATE audit_entry SET at = now() WHERE id = " + THIRD], "an entry was changed"),
    "who did it": (["UPDATE audit_entry SET account_id = gen_random_uuid() WHERE id = " + THIRD], "an entry was changed"),
    "a refusal into a success": (["UPDATE audit_entry SET outcome = 'refused' WHERE id = " + THIRD], "an entry was changed"),
    "an entry deleted": (["DELETE FROM audit_entry WHERE id = " + THIRD], "an entry was deleted"),
    "a detail": (["UPDATE audit_detail SET content = replace(content, 't2', 't9')"], "the detail of an entry was changed"),
    "a detail deleted": (["DELETE FROM audit_detail WHERE content LIKE '%%t2%%'"],
                         "the detail of an entry was deleted without an erasure"),
    "the person hidden": (["DELETE FROM audit_subject"], "the persons concerned by an entry were changed"),
    "another person shown": (["UPDATE audit_subject SET person_id = gen_random_uuid()"],
                             "the persons concerned by an entry were changed"),
    "entry and leaf deleted": (["DELETE FROM audit_entry WHERE id = " + THIRD,
                                "DELETE FROM audit_leaf WHERE index = 2"], "leaves are missing or out of order"),
    "entry and leaf deleted, the rest moved up": (
        ["DELETE FROM audit_entry WHERE id = " + THIRD, "DELETE FROM audit_leaf WHERE index = 2",
         "UPDATE audit_leaf SET index = -index WHERE index > 2", "UPDATE audit_leaf SET index = -index - 1 WHERE index < 0"],
        "a head speaks of leaves that are not there"),
    "two leaves exchanged": (
        ["UPDATE audit_leaf SET index = 1000 WHERE index = 1", "UPDATE audit_leaf SET index = 1 WHERE index = 3",
         "UPDATE audit_leaf SET index = 3 WHERE index = 1000"],
        "leaves were changed, inserted, deleted or reordered before this head"),
    "a leaf's hash": (["UPDATE audit_leaf SET hash = sha256('x') WHERE index = 2"], "an entry was changed"),
    "the log cut off": (
        ["DELETE FROM audit_entry WHERE id = (SELECT entry_id FROM audit_leaf WHERE index = 6)",
         "DELETE FROM audit_detail WHERE entry_id = (SELECT entry_id FROM audit_leaf WHERE index = 6)",
         "DELETE FROM audit_leaf WHERE index = 6"], "a head speaks of leaves that are not there"),
    "the log rolled back to an earlier head": (
        ["DELETE FROM audit_entry WHERE id = (SELECT entry_id FROM audit_leaf WHERE index = 6)",
         "DELETE FROM audit_detail WHERE entry_id = (SELECT entry_id FROM audit_leaf WHERE index = 6)",
         "DELETE FROM audit_leaf WHERE index = 6", "DELETE FROM audit_head WHERE size = 7"],
        "the log was cut off or rolled back"),
    "the last head deleted": (["DELETE FROM audit_head WHERE size = 7"], "leaves follow the last head"),
    "a head's root": (["UPDATE audit_head SET root = sha256('x') WHERE size = 7"], "the signature of a head is wrong"),
    "a head's time": (["UPDATE audit_head SET at = at + interval '1 hour' WHERE size = 7"], "the signature of a head is wrong"),
    "a head's signature": (["UPDATE audit_head SET signature = decode(repeat('00', 64), 'hex')"],
                           "the signature of a head is wrong"),
    "a head's key": (["UPDATE audit_head SET key_id = 'ed25519:00'"], "a head is signed with a key that is not known"),
    "the log's identity": (["UPDATE audit_log SET log_id = gen_random_uuid()"], "the signature of a head is wrong"),
    "everything deleted": (
        ["TRUNCATE audit_entry, audit_detail, audit_subject, audit_leaf, audit_node, audit_head, audit_log"],
        "the log was cut off or rolled back"),
    "an entry put in behind the sealer": (
        ["INSERT INTO audit_entry SELECT gen_random_uuid(), at, kind, name, outcome, code, actor_kind, account_id, post_id,"
         " organization_id, division_code, assurance, request_id, object_kind, object_id, case_id, parent_id, detail_digest,"
         " xid, 1000 FROM audit_entry WHERE id = " + FIRST], "an entry was inserted behind the sealer"),
    "a detail without an entry": (
        ["INSERT INTO audit_detail SELECT gen_random_uuid(), salt, content FROM audit_detail LIMIT 1"],
        "a detail belongs to no entry"),
}  # fmt: skip


@pytest.mark.parametrize("edit", EDITS)
def test_what_was_done_to_the_log_is_found(edit: str) -> None:
    statements, problem = EDITS[edit]
    entries(5)
    record_read(actor=CLERK, basis=BASIS, what="t", subjects=[new_id()], fields=["name"], database="default", now=NOW)
    assert seal_once() == 6
    note(actor=CLERK, now=NOW)
    assert seal_once() == 1
    assert verify_database().is_sound
    tamper(*statements)
    assert problem in problems()


def test_the_finding_names_the_entry() -> None:
    sealed()
    [(entry_id,)] = sql("SELECT entry_id FROM audit_leaf WHERE index = 2")
    tamper("UPDATE audit_entry SET name = 'x' WHERE id = " + THIRD)
    [finding] = verify_database().findings
    assert (finding.index, finding.entry_id) == (2, entry_id)


def test_whoever_rewrites_everything_but_lacks_the_key_is_found_out() -> None:
    """The whole log computed anew by our own code, signed with another key under our key's name."""
    sealed()
    key_id = find_head().key_id  # type: ignore[union-attr]
    tamper(
        "UPDATE audit_entry SET name = 'x' WHERE id = " + SECOND,
        "TRUNCATE audit_leaf, audit_node, audit_head",
    )
    forger = Ed25519PrivateKey.generate()
    for path in (Path(settings.HOME) / "audit").iterdir():
        path.unlink()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            sealer.signing,
            "sign",
            lambda data, purpose: sealer.signing.Signature(algorithm="ed25519", key_id=key_id, value=forger.sign(data)),
        )
        assert seal_once() == 6
    assert (
        problems() == ["the signature of a head is wrong"] * 2
    )  # the witness that was kept of it, and the head itself


def test_a_log_rewritten_with_the_key_contradicts_the_head_kept_from_before(tmp_path: Path) -> None:
    sealed()
    kept = find_head()
    (tmp_path / "kept.json").write_text(json.dumps(kept.as_json()))  # type: ignore[union-attr]
    tamper(
        "UPDATE audit_entry SET name = 'x' WHERE id = " + SECOND,
        "TRUNCATE audit_leaf, audit_node, audit_head",
    )
    for path in (Path(settings.HOME) / "audit").iterdir():
        path.unlink()
    assert seal_once() == 6
    assert verify_database().is_sound  # nothing here can tell
    assert problems(verify_database(earlier=read_head(tmp_path / "kept.json"))) == [
        "the log contradicts the earlier head"
    ]


def test_a_rollback_is_kept_in_evidence_when_the_sealer_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    sealed()
    tamper(
        "DELETE FROM audit_detail WHERE entry_id = (SELECT entry_id FROM audit_leaf WHERE index = 5)",
        "DELETE FROM audit_entry WHERE id = (SELECT entry_id FROM audit_leaf WHERE index = 5)",
        "DELETE FROM audit_leaf WHERE index = 5",
        "DELETE FROM audit_head WHERE size = 6",
    )
    for _ in range(3):
        note(actor=CLERK, now=NOW)
    logger = sealer.logger
    logger.addHandler(caplog.handler)
    try:
        assert seal_once() == 3
    finally:
        logger.removeHandler(caplog.handler)
    assert "contradicts a head seen before" in caplog.text
    assert "the log contradicts the earlier head" in problems()
    note(actor=CLERK, now=NOW)
    assert seal_once() == 1
    assert "the log contradicts the earlier head" in problems()


def test_an_erased_detail_leaves_the_log_sound() -> None:
    sealed()
    record_read(actor=CLERK, basis=BASIS, what="t", subjects=[new_id()], fields=["name"], database="default", now=NOW)
    seal_once()
    [(entry_id,)] = sql("SELECT entry_id FROM audit_subject")
    erase_details(entry_ids=[UUID(str(entry_id))], actor=SYSTEM, basis=Basis(purpose="court order"), now=NOW)
    seal_once()
    verdict = verify_database()
    assert verdict.is_sound
    assert verdict.erased == 1


def test_an_entry_in_flight_is_sealed_once_it_commits_and_holds_nobody_up() -> None:
    entries(2)
    with own_connection("default", autocommit=False) as other:
        other.execute("INSERT INTO audit_entry SELECT * FROM audit_entry WHERE false")
        other.execute(
            """
            INSERT INTO audit_entry (id, at, kind, name, outcome, code, actor_kind, division_code, assurance, request_id,
                object_kind, object_id, detail_digest)
            VALUES (%s, now(), 'command', 'test.late', 'done', '', 'system', '', 0, '', '', '', '')
            """,
            [new_id()],
        )
        entries(3)  # later transactions, committed earlier
        assert seal_once() == 5
        assert seal_once() == 0
        assert count_unsealed() == 0
        other.commit()
    entries(1)
    assert seal_once() == 2
    late = "SELECT count(*) FROM audit_leaf l JOIN audit_entry e ON e.id = l.entry_id WHERE name = 'test.late'"
    assert sql(late) == [(1,)]


def test_a_rolled_back_transaction_leaves_no_gap() -> None:
    entries(1)
    with transaction.atomic():
        entries(2)
        transaction.set_rollback(True)
    entries(1)
    assert seal_once() == 2
    assert verify_database().is_sound


def test_a_sealer_in_small_steps_passes_nothing_over() -> None:
    with transaction.atomic():
        entries(7)  # one transaction, so that a step ends inside it
    entries(6)
    taken = []
    while count := seal_once(limit=3):
        taken.append(count)
    assert taken == [3, 3, 3, 3, 1]
    verdict = verify_database()
    assert verdict.is_sound
    assert (verdict.size, verdict.unsealed) == (13, 0)


def test_sealers_that_race_while_entries_come_make_one_sound_log() -> None:
    stop = threading.Event()
    total = [0, 0]

    def seal(place: int) -> None:
        while not stop.is_set():
            total[place] += seal_once()
        connections.close_all()

    def write() -> None:
        entries(60)
        connections.close_all()

    sealers = [threading.Thread(target=seal, args=(place,)) for place in range(2)]
    writers = [threading.Thread(target=write) for _ in range(3)]
    for thread in (*sealers, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    stop.set()
    for thread in sealers:
        thread.join()
    last = seal_once()
    assert sum(total) + last == 180
    verdict = verify_database()
    assert verdict.is_sound
    assert (verdict.size, verdict.unsealed) == (180, 0)


def test_a_database_restored_into_a_cluster_that_counts_lower_is_sealed_on() -> None:
    sealed()
    tamper(
        "UPDATE audit_entry SET xid = xid + 1000000000",
        "UPDATE audit_head SET settled_xid = settled_xid + 1000000000",
    )
    entries(4)
    assert seal_once(limit=3) == 3
    assert seal_once() == 1
    entries(2)
    assert seal_once() == 2
    verdict = verify_database()
    assert verdict.is_sound
    assert verdict.size == 12


KILLED = """
import django, os, signal
django.setup()
from datetime import UTC, datetime
from furong.foundation.access.values import Actor
from furong.foundation.audit import sealer
from furong.foundation.audit.commands import command

@command("test.killed")
def act(*, actor, now): ...

act(actor=Actor.system("t"), now=datetime.now(UTC))
append = sealer._append
def append_and_die(*args, **kwargs):
    append(*args, **kwargs)
    os.kill(os.getpid(), signal.SIGKILL)
sealer._append = append_and_die
sealer.seal_once()
"""


@pytest.mark.faults
def test_a_process_killed_while_it_seals_loses_nothing() -> None:
    sealed()
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(KILLED)], env=os.environ, check=False, capture_output=True
    )
    assert done.returncode == -9, done.stderr.decode()
    # the killed connection's lock goes with its transaction; the server may need a moment to notice
    assert wait_for(lambda: seal_once() == 1)
    verdict = verify_database()
    assert verdict.is_sound
    assert verdict.size == 7


def wait_for(condition: Callable[[], bool], seconds: float = 10) -> bool:
    import time

    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def test_a_receipt_proves_that_an_entry_is_in_the_log() -> None:
    with transaction.atomic():
        entries(700)
    seal_once()
    for index in (0, 255, 256, 511, 512, 699):
        [(entry_id,)] = sql("SELECT entry_id FROM audit_leaf WHERE index = %s", [index])
        proof = prove_inclusion(entry_id=UUID(str(entry_id)))
        assert proof is not None
        assert (proof.index, proof.holds) == (index, True)
    note(actor=CLERK, now=NOW)
    [(fresh,)] = sql("SELECT id FROM audit_entry ORDER BY seq DESC LIMIT 1")
    assert prove_inclusion(entry_id=UUID(str(fresh))) is None


# --- offline -------------------------------------------------------------------------------------------------


@pytest.fixture(params=["log.jsonl", "log.jsonl.gz"])
def exported(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    sealed()
    path = tmp_path / str(request.param)
    assert export_log(path) == 6
    return path


def lines_of(path: Path) -> list[dict[str, object]]:
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return [json.loads(line) for line in data.splitlines()]


def write(path: Path, lines: list[dict[str, object]]) -> None:
    data = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)


def test_an_export_verifies_with_the_file_and_the_public_key_alone(
    exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = signing.public_key(purpose="audit").as_text()
    monkeypatch.setattr(settings, "HOME", exported.parent / "nowhere")
    with connections["default"].execute_wrapper(_no_database):
        verdict = verify_file(exported, public_key=key)
    assert verdict.is_sound
    assert (verdict.size, verdict.heads) == (6, 2)


def _no_database(*_: object) -> None:
    raise AssertionError("a database was asked")


def test_an_export_holds_no_details_unless_they_are_asked_for(tmp_path: Path) -> None:
    entries(2)
    seal_once()
    export_log(tmp_path / "plain")
    export_log(tmp_path / "full", with_details=True)
    assert "t1" not in (tmp_path / "plain").read_text()
    assert "t1" in (tmp_path / "full").read_text()
    assert verify_file(tmp_path / "full").is_sound


def test_an_export_signed_by_another_key_does_not_verify(exported: Path) -> None:
    other = PublicKey(algorithm="ed25519", value=Ed25519PrivateKey.generate().public_key().public_bytes_raw())
    assert problems(verify_file(exported, public_key=other)) == ["a head is signed with a key that is not known"] * 2


def _edit(lines: list[dict[str, object]]) -> None:
    lines[3]["entry"]["name"] = "x"  # type: ignore[index]


def _edit_and_hash_again(lines: list[dict[str, object]]) -> None:
    from furong.foundation.audit.values import entry_digest, leaf_hash

    _edit(lines)
    lines[3]["hash"] = leaf_hash(entry_digest(lines[3]["entry"])).hex()  # type: ignore[arg-type]


def _delete(lines: list[dict[str, object]]) -> None:
    del lines[3]


def _delete_and_renumber(lines: list[dict[str, object]]) -> None:
    del lines[3]
    for number, line in enumerate(line for line in lines if "leaf" in line):
        line["leaf"] = number
    lines[-1]["end"] = {"leaves": 5, "heads": 2}


def _insert(lines: list[dict[str, object]]) -> None:
    lines.insert(3, lines[3])


def _reorder(lines: list[dict[str, object]]) -> None:
    lines[2], lines[3] = lines[3], lines[2]


def _reorder_and_renumber(lines: list[dict[str, object]]) -> None:
    _reorder(lines)
    lines[2]["leaf"], lines[3]["leaf"] = lines[3]["leaf"], lines[2]["leaf"]


def _truncate(lines: list[dict[str, object]]) -> None:
    del lines[7]  # the sixth leaf; its head stays
    lines[-1]["end"] = {"leaves": 5, "heads": 2}


def _drop_the_last_head(lines: list[dict[str, object]]) -> None:
    del lines[8]
    lines[-1]["end"] = {"leaves": 6, "heads": 1}


@pytest.mark.parametrize(
    "edit",
    [
        _edit, _edit_and_hash_again, _delete, _delete_and_renumber, _insert, _reorder, _reorder_and_renumber, _truncate,
        _drop_the_last_head,
    ],
)  # fmt: skip
def test_what_was_done_to_an_export_is_found(exported: Path, edit: Callable[[list[dict[str, object]]], None]) -> None:
    lines = lines_of(exported)
    edit(lines)
    write(exported, lines)
    assert not verify_file(exported).is_sound


def test_an_export_rolled_back_to_an_earlier_head_is_found_by_a_head_kept_from_before(exported: Path) -> None:
    kept = find_head()
    lines = lines_of(exported)
    del lines[7:9]
    lines[-1]["end"] = {"leaves": 5, "heads": 1}
    write(exported, lines)
    assert verify_file(exported).is_sound
    assert problems(verify_file(exported, earlier=kept)) == ["the log was cut off or rolled back"]


@pytest.mark.parametrize("keep", [0, 1, 40, 200, -2, -20])
def test_a_file_that_breaks_off_or_is_none_is_refused(exported: Path, keep: int) -> None:
    exported.write_bytes(exported.read_bytes()[:keep])
    with pytest.raises(ExportDamagedError):
        verify_file(exported)


def test_an_export_of_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_text('{"format": "something else"}\n')
    with pytest.raises(ExportDamagedError):
        verify_file(tmp_path / "x")
