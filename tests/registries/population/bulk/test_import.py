"""Importing people: what is taken, what is refused and why, and that a file cut off goes on where it stood."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from django.db import connections

from furong.foundation.access.errors import PurposeMissing
from furong.foundation.access.values import Basis
from furong.foundation.codes.identity_numbers import make_identity_number
from furong.registries.population import commands, queries
from furong.registries.population.bulk import importing
from furong.registries.population.errors import FileUnreadable, MappingInvalid
from furong.registries.population.models import Household, ImportRun, Person
from tests.registries.population.people import NOW, SYSTEM, WHY, couple

pytestmark = pytest.mark.usefixtures("database")
HEADER = ["number", "name", "sex", "ethnicity", "born_on", "division_code", "address", "household", "relation"]


def number(born_on: date, sequence: int) -> str:
    return make_identity_number("430292", born_on, sequence)


def row(**changes: str) -> dict[str, str]:
    """A woman of 1990, head of her household; every test changes what it is about."""
    born_on = date.fromisoformat(changes.get("born_on") or "1990-04-05")
    held = {
        "number": number(born_on, 22),
        "name": "向若溪",
        "sex": "女",
        "ethnicity": "土家族",
        "born_on": born_on.isoformat(),
        "division_code": "430202001001",
        "address": "青石巷 7 号",
        "household": "H1",
        "relation": "户主",
    }
    return held | changes


def write_csv(path: Path, rows: list[dict[str, str]], *, encoding: str = "utf-8") -> Path:
    with path.open("w", encoding=encoding, newline="") as out:
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def take(source: Path, mapping: Path | None = None, **more: Any) -> importing.Imported:
    folder = source.parent / "staged"
    return importing.import_people(
        source=source,
        mapping=mapping,
        folder=folder,
        rejects=source.parent / "rejects.csv",
        actor=SYSTEM,
        basis=more.pop("basis", WHY),
        now=lambda: NOW,
        allow_reserved=more.pop("allow_reserved", True),
        **more,
    )


def refused(tmp_path: Path) -> dict[int, str]:
    with (tmp_path / "rejects.csv").open(encoding="utf-8-sig", newline="") as file:
        return {int(one["line"]): one["reasons"] for one in csv.DictReader(file)}


def household_of_three() -> list[dict[str, str]]:
    father, child = date(1988, 1, 2), date(2015, 6, 7)
    return [
        row(),
        row(number=number(father, 31), name="任知远", sex="1", born_on="19880102", ethnicity="汉", relation="11"),
        row(number=number(child, 41), name="任安之", sex="", born_on="", ethnicity="01", relation="子"),
    ]


def test_a_household_is_taken_in_with_people_numbers_places_and_history(tmp_path: Path) -> None:
    done = take(write_csv(tmp_path / "people.csv", household_of_three()))
    assert (done.rows, done.written, done.rejected, done.households) == (3, 3, 0, 1)
    with connections["population"].cursor() as cursor:  # or every row's person would be looked for in a whole index
        cursor.execute("SELECT reltuples FROM pg_class WHERE oid = 'population_person'::regclass")
        assert cursor.fetchone() == (3,)
    child_id = queries.find_by_number(number=number(date(2015, 6, 7), 41), actor=SYSTEM, basis=WHY, now=NOW)
    assert child_id is not None
    child = queries.get_person(
        person_id=child_id,
        fields=("name", "sex", "born_on", "address", "household_number", "household_relation", "name_pinyin"),
        actor=SYSTEM,
        basis=WHY,
        now=NOW,
    )
    assert [child[name] for name in child] == [
        "任安之", "1", date(2015, 6, 7), "青石巷 7 号", "H1", "20", "ren2 an1 zhi1",
    ]  # fmt: skip
    (version,) = queries.list_history(person_id=child_id, actor=SYSTEM, basis=WHY, now=NOW)
    assert (version.kind, version.valid_from, version.facts["sex"]) == ("import", date(2015, 6, 7), "1")
    # An imported person lives on by the register's own commands.
    commands.record_death(person_id=child_id, died_on=date(2026, 3, 1), evidence="x", actor=SYSTEM, basis=WHY, now=NOW)
    assert not (tmp_path / "rejects.csv").exists()


BAD: list[tuple[dict[str, str], str]] = [
    ({"number": ""}, "number_missing"),
    ({"number": "4302921990040502"}, "number_form"),
    ({"number": number(date(1990, 4, 5), 22)[:17] + "0"}, "number_check"),
    ({"number": "43029219900231022X", "born_on": ""}, "number_date"),
    ({"number": number(date(2027, 1, 1), 22), "born_on": ""}, "number_date"),
    ({"name": "向<若>"}, "name_invalid"),
    ({"name": ""}, "name_invalid"),
    ({"born_on": "1990-04-06", "number": number(date(1990, 4, 5), 22)}, "born_on_invalid"),
    ({"born_on": "1990-13-06", "number": number(date(1990, 4, 5), 22)}, "born_on_invalid"),
    ({"sex": "男"}, "sex_invalid"),
    ({"sex": "?"}, "sex_invalid"),
    ({"ethnicity": "99"}, "ethnicity_invalid"),
    ({"relation": "邻居"}, "relation_invalid"),
    ({"division_code": "430202"}, "division_invalid"),
    ({"division_code": "990202001001"}, "division_invalid"),
    ({"address": ""}, "address_missing"),
    ({"household": ""}, "household_missing"),
    ({"relation": "配偶"}, "household_without_head"),
]


@pytest.mark.parametrize(("change", "reason"), BAD, ids=lambda one: one if isinstance(one, str) else "")
def test_a_bad_row_is_refused_with_its_reason_and_the_rest_goes_on(
    tmp_path: Path, change: dict[str, str], reason: str
) -> None:
    bad = {**row(household="H2"), **change}
    if "born_on" in change and not change["born_on"]:
        bad["sex"] = ""
    done = take(
        write_csv(tmp_path / "people.csv", [bad, *household_of_three()[1:], row(number=number(date(1990, 4, 5), 24))])
    )
    assert (done.written, done.rejected) == (3, 1)
    assert reason in refused(tmp_path)[2].split()
    assert reason in done.reasons


def test_a_number_given_twice_refuses_both_and_one_of_another_person_too(tmp_path: Path) -> None:
    held = couple()
    (taken,) = [
        queries.get_person(person_id=held.mother, fields=("number",), actor=SYSTEM, basis=WHY, now=NOW).text("number")
    ]
    rows = [
        row(),
        row(household="H2"),
        row(household="H3", number=taken, born_on="1992-08-09", name="别人"),
        row(household="H4", number=number(date(1990, 4, 5), 24)),
    ]
    done = take(write_csv(tmp_path / "people.csv", rows))
    assert refused(tmp_path) == {2: "number_twice", 3: "number_twice", 4: "number_of_another"}
    assert done.written == 1


def test_invented_numbers_are_refused_unless_asked_for(tmp_path: Path) -> None:
    done = take(write_csv(tmp_path / "people.csv", [row()]), allow_reserved=False)
    assert done.reasons == {"number_reserved": 1}


def test_two_heads_or_a_closed_household_refuse_the_whole_household(tmp_path: Path) -> None:
    held = couple()
    rows = [row(), row(number=number(date(1990, 4, 5), 24)), row(number=number(date(1990, 4, 5), 26), household="H2")]
    home = Household.objects.using("population").get(pk=held.household)
    Household.objects.using("population").filter(pk=home.pk).update(closed_on=NOW.date())
    rows.append(row(number=number(date(1990, 4, 5), 28), household=home.number))
    done = take(write_csv(tmp_path / "people.csv", rows))
    assert done.reasons == {"household_of_many_heads": 2, "household_closed": 1}
    assert done.written == 1


def test_the_same_file_again_changes_nothing_and_a_longer_one_takes_the_new_rows(tmp_path: Path) -> None:
    people = household_of_three()
    source = write_csv(tmp_path / "people.csv", people)
    first = take(source)
    again = take(source)
    assert again.was_done
    assert (again.written, again.import_id) == (first.written, first.import_id)
    more = [*people, row(number=number(date(1960, 4, 5), 22), born_on="1960-04-05", relation="岳母")]
    longer = take(write_csv(tmp_path / "more.csv", more))
    assert (longer.written, longer.unchanged, longer.rejected, longer.households) == (1, 3, 0, 0)
    assert Person.objects.using("population").count() == 4


def test_an_import_that_was_cut_off_goes_on_and_loses_no_reject(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [row(number=number(date(1990, 4, 5), 2 * n + 2), household=f"H{n:03d}") for n in range(60)]
    rows[7]["name"] = rows[55]["name"] = "?"
    source = write_csv(tmp_path / "people.csv", rows)
    write, done = importing.write, []

    def dies_on_the_third(*args: Any, **kwargs: Any) -> Any:
        done.append(1)
        if len(done) == 3:
            raise KeyboardInterrupt
        return write(*args, **kwargs)

    monkeypatch.setattr(importing, "write", dies_on_the_third)
    with pytest.raises(KeyboardInterrupt):
        take(source, batch_rows=10)
    held = ImportRun.objects.using("population").get()
    assert 0 < held.position < 60
    assert held.finished_at is None
    outcome = take(source, batch_rows=13)
    assert outcome.resumed
    assert (outcome.written, outcome.rejected, outcome.unchanged) == (58, 2, 0)
    assert refused(tmp_path) == {9: "name_invalid", 57: "name_invalid"}
    assert Person.objects.using("population").count() == 58
    assert list((tmp_path / "staged").iterdir()) == []


def test_batches_split_no_household(tmp_path: Path) -> None:
    for size in (1, 3, 5, 6, 100):
        rows = [
            row(
                number=number(date(1990, 4, 5), 2 * (home * 5 + member) + 2),
                household=f"H{size}-{home}",
                relation="户主" if member == 4 else "非亲属",
                born_on="",
                sex="",
            )
            for home in range(7)
            for member in range(5)
        ]
        for one in rows:
            one["number"] = number(date(1990, 4, 5 + (size % 7)), int(one["number"][14:17]))
        done = take(write_csv(tmp_path / f"{size}.csv", rows), batch_rows=size)
        assert (done.written, done.rejected) == (35, 0)


def test_a_mapping_names_columns_codes_and_encoding(tmp_path: Path) -> None:
    theirs = [
        {"公民身份号码": one["number"], "姓名": one["name"], "民族": one["ethnicity"], "区划": one["division_code"],
         "住址": one["address"], "户号": one["household"], "关系": {"户主": "主", "11": "夫", "子": "子"}[one["relation"]]}
        for one in household_of_three()
    ]  # fmt: skip
    source = write_csv(tmp_path / "people.csv", theirs, encoding="gb18030")
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(
        'encoding = "gb18030"\n[columns]\nnumber = "公民身份号码"\nname = "姓名"\nethnicity = "民族"\n'
        'division_code = "区划"\naddress = "住址"\nhousehold = "户号"\nrelation = "关系"\n'
        '[codes.relation]\n"主" = "02"\n"夫" = "11"\n',
        encoding="utf-8",
    )
    assert take(source, mapping).written == 3
    wrong = mapping.read_text(encoding="utf-8").replace('"住址"', '"地址"')
    mapping.write_text(wrong, encoding="utf-8")
    with pytest.raises(MappingInvalid, match="地址"):
        take(source, mapping)
    for bad in ("= =", "[columns]\nshoe_size = 'x'", "[codes]\nname = 1", "encoding = 'latin1'"):
        mapping.write_text(bad, encoding="utf-8")
        with pytest.raises(MappingInvalid):
            take(source, mapping)


def test_parquet_is_taken_like_csv_and_rubbish_is_refused_whole(tmp_path: Path) -> None:
    source = tmp_path / "people.parquet"
    pl.DataFrame(household_of_three()).write_parquet(source)
    assert take(source).written == 3
    for name, content in (("a.parquet", b"no parquet"), ("b.csv", b"\xff\xfe\x00rubbish"), ("c.csv", b"")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises((FileUnreadable, MappingInvalid)):
            take(tmp_path / name)
    with pytest.raises(FileUnreadable):
        take(tmp_path / "none.csv")
    ragged = write_csv(tmp_path / "ragged.csv", household_of_three())
    ragged.write_text(ragged.read_text(encoding="utf-8") + "one,two,three,4,5,6,7,8,9,10,11,12\n", encoding="utf-8")
    with pytest.raises(FileUnreadable):
        take(ragged)
    assert Person.objects.using("population").count() == 3


def test_an_import_needs_its_purpose(tmp_path: Path) -> None:
    with pytest.raises(PurposeMissing):
        take(write_csv(tmp_path / "people.csv", [row()]), basis=Basis(purpose=""))
    assert Person.objects.using("population").count() == 0
