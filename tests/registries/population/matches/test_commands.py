"""A file compared with the register: what each row is answered, who learns of it, and what a killed worker leaves."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from django.db import connections

from furong.foundation.access.errors import AccessRefused, PurposeMissing, TooManyAsked
from furong.foundation.access.values import Basis
from furong.foundation.audit import queries as audit
from furong.foundation.audit import sealer
from furong.foundation.codes.ids import new_id
from furong.foundation.jobs import worker
from furong.foundation.storage import queries as stored
from furong.registries.population.errors import FieldUnknown, FileUnreadable, MappingInvalid
from furong.registries.population.matches import commands, queries, tasks
from furong.registries.population.matches.errors import MatchNotFound
from furong.registries.population.matches.models import Match
from furong.registries.population.matches.values import KEPT_FOR, MatchState
from tests.registries.population.people import NOW, SYSTEM, couple, household, person
from tests.registries.population.test_queries import get, officer, rows, trace_of

pytestmark = pytest.mark.usefixtures("database")
WHY = Basis(purpose="养老金领取资格核对", legal_basis="社会保险法 第七十四条")
FIELDS = ("number_masked", "sex", "status")


def ask(path: Path, actor, *, columns=None, fields=FIELDS, basis=WHY, **more):
    return commands.request_match(
        source=path,
        file_name=path.name,
        columns=columns or {},
        fields=fields,
        actor=actor,
        basis=basis,
        now=NOW,
        **more,
    )


def answers_of(match_id, actor):
    _, chunks = queries.open_result(match_id=match_id, actor=actor, now=NOW)
    text = b"".join(chunks).decode("utf-8-sig")
    return list(csv.DictReader(line for line in io.StringIO(text) if not line.startswith("#")))


@pytest.fixture
def file(tmp_path: Path):
    """A family of three, two of the same name and birth, one elsewhere, and a file that asks about all of them."""
    family = couple()
    home = household()
    for _ in range(2):
        person("罗一一", sex="2", born_on=date(1980, 2, 3), household=home)
    only = person("罗二二", sex="2", born_on=date(1981, 2, 3), household=home)
    far = couple(division="433101005201")
    lines = [
        (get(family.mother, SYSTEM, "number")["number"], "曾 晓雅", ""),
        (get(family.father, SYSTEM, "number")["number"].lower(), "别的人", ""),
        (get(far.mother, SYSTEM, "number")["number"], "", ""),
        ("430291199001010000", "无此人", ""),
        ("", "罗一一", "1980-02-03"),
        ("", "罗二二", "1981/02/03"),
        ("", "罗二二", ""),
    ]
    path = tmp_path / "asked.csv"
    with path.open("w", encoding="gb18030", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["身份证号", "姓名", "生日"])
        writer.writerows(lines)
    return path, family, only, far


SAID = {"columns": {"born_on": "生日"}, "encoding": "gb18030"}


def test_each_row_is_answered_in_its_order_masked_and_each_person_found_sees_it(file):
    path, family, only, far = file
    actor = officer("population.match")
    before = len(trace_of(far.mother))
    match_id = ask(path, actor, **SAID)
    assert queries.get_match(match_id=match_id, actor=actor).state is MatchState.WAITING
    tasks.start(match_id=match_id)
    tasks.start(match_id=match_id)

    worker.run_until_idle()

    found = answers_of(match_id, actor)
    assert [(int(one["row"]), one["answer"]) for one in found] == [
        (2, "match"), (3, "name_differs"), (4, "not_found"), (5, "not_found"), (6, "ambiguous"), (7, "match"), (8, "incomplete"),
    ]  # fmt: skip
    assert found[0]["number_masked"].startswith("430****")
    assert (found[0]["sex"], found[0]["status"], found[0]["结果"]) == ("2", "registered", "一致")
    assert found[1]["sex"] == found[4]["number_masked"] == ""
    record = queries.list_matches(actor=actor)[0]
    assert record.counts == {"match": 2, "name_differs": 1, "not_found": 2, "ambiguous": 1, "incomplete": 1}
    assert (record.share, record.rows) == (1.0, 7)
    for one in (family.mother, family.father, only):
        read = trace_of(one)[0]
        assert (read.what, read.purpose) == ("population.match_people", WHY.purpose)
        assert set(read.fields) == {"name", "number", "born_on", *FIELDS}
    assert len(trace_of(far.mother)) == before
    ((entries, persons),) = rows(
        "SELECT count(DISTINCT e.id), count(*) FROM audit_entry e JOIN audit_subject s ON s.entry_id = e.id "
        "WHERE e.object_id = %s",
        str(match_id),
    )
    assert (entries, persons) == (1, 5)
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT template, count(*) FROM notices_message WHERE account_id = %s GROUP BY 1", [actor.account_id]
        )
        assert cursor.fetchall() == [("population.match_done", 1)]


def test_the_log_verifies_with_the_many_and_tells_when_one_of_them_was_changed(file):
    actor = officer("population.match")
    match_id = ask(file[0], actor, **SAID)
    commands.carry_out(match_id=match_id, now=NOW)
    while sealer.seal_once("population"):
        pass
    assert audit.verify_database("population").is_sound
    with connections["population"].cursor() as cursor:
        cursor.execute("ALTER TABLE audit_subject DISABLE TRIGGER USER")
        cursor.execute(
            "DELETE FROM audit_subject WHERE person_id = %s AND 'born_on' = ANY(fields) AND 'sex' = ANY(fields)",
            [file[2]],
        )
        cursor.execute("ALTER TABLE audit_subject ENABLE TRIGGER USER")
    assert not audit.verify_database("population").is_sound


def test_a_worker_that_dies_before_the_end_leaves_nothing_and_the_next_one_finishes_once(file, monkeypatch):
    actor = officer("population.match")
    match_id = ask(file[0], actor, **SAID)

    def die(**_):
        raise MemoryError

    with monkeypatch.context() as dying:
        dying.setattr(commands, "record_many", die)
        with pytest.raises(MemoryError):
            commands.carry_out(match_id=match_id, now=NOW)
    record = queries.get_match(match_id=match_id, actor=actor)
    assert (record.state, record.position) == (MatchState.WAITING, 7)
    with pytest.raises(MatchNotFound):
        queries.open_result(match_id=match_id, actor=actor, now=NOW)

    tasks.tend(now=NOW + timedelta(hours=1))  # its job was lost with the machine
    worker.run_until_idle()
    commands.carry_out(match_id=match_id, now=NOW)

    assert len(answers_of(match_id, actor)) == 7
    assert rows("SELECT count(*) FROM audit_entry WHERE object_id = %s AND kind = 'read'", str(match_id)) == [(1,)]


def test_a_right_taken_away_meanwhile_ends_it_with_the_reason(file):
    from furong.foundation.access.commands import set_post_rights

    actor = officer("population.match")
    match_id = ask(file[0], actor, **SAID)
    row = Match.objects.get(pk=match_id)
    row.post_id = new_id()
    row.save()
    set_post_rights(post_id=row.post_id, rights=[], now=NOW)
    commands.carry_out(match_id=match_id, now=NOW)
    record = queries.get_match(match_id=match_id, actor=actor)
    assert (record.state, record.problem) == (MatchState.FAILED, AccessRefused.message)
    assert record.mend


def test_files_expire_and_nobody_else_ever_sees_them(file):
    actor = officer("population.match")
    match_id = ask(file[0], actor, **SAID)
    commands.carry_out(match_id=match_id, now=NOW)
    with pytest.raises(MatchNotFound):
        queries.get_match(match_id=match_id, actor=officer("population.match"))
    digests = Match.objects.values_list("given_digest", "result_digest").get(pk=match_id)
    assert all(stored.exists(one) for one in digests)
    with pytest.raises(MatchNotFound):
        queries.open_result(match_id=match_id, actor=actor, now=NOW + KEPT_FOR)

    tasks.tend(now=NOW + KEPT_FOR)

    assert not any(stored.exists(one) for one in digests)
    assert queries.get_match(match_id=match_id, actor=actor).state is MatchState.EXPIRED


def test_what_cannot_be_compared_is_refused_at_once(file, tmp_path):
    path, actor = file[0], officer("population.match")
    with pytest.raises(AccessRefused):
        ask(path, officer("population.search"), **SAID)
    with pytest.raises(AccessRefused):
        ask(path, SYSTEM, **SAID)
    with pytest.raises(PurposeMissing):
        ask(path, actor, basis=Basis(purpose="核对"), **SAID)
    with pytest.raises(FieldUnknown):
        ask(path, actor, fields=("address",), **SAID)
    with pytest.raises(MappingInvalid, match="no column '证号'"):
        ask(path, actor, columns={"number": "证号"}, encoding="gb18030")
    (tmp_path / "empty.csv").write_text("number,name\n")
    with pytest.raises(FileUnreadable, match="no rows"):
        ask(tmp_path / "empty.csv", actor)
    (tmp_path / "odd.csv").write_text("a,b\n1,2\n")
    with pytest.raises(MappingInvalid, match="neither a number"):
        ask(tmp_path / "odd.csv", actor)
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 nothing")
    with pytest.raises(FileUnreadable):
        ask(tmp_path / "bad.parquet", actor)


def test_a_parquet_file_is_answered_in_parquet_and_files_have_a_pace(file, tmp_path):
    family, actor = file[1], officer("population.match")
    path = tmp_path / "asked.parquet"
    pl.DataFrame({"number": [get(family.mother, SYSTEM, "number")["number"]]}).write_parquet(path)
    match_id = ask(path, actor, fields=("name_masked", "birth_year"))
    commands.carry_out(match_id=match_id, now=NOW)
    _, chunks = queries.open_result(match_id=match_id, actor=actor, now=NOW)
    found = pl.read_parquet(b"".join(chunks)).drop("match").rows()
    assert found == [(1, "match", "一致", "曾**", "1992")]
    for _ in range(3):
        ask(path, actor, fields=())
    with pytest.raises(TooManyAsked):
        ask(path, actor, fields=())
