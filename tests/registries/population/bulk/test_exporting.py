"""What is exported can be imported again, and is the same; an export that was cut off goes on."""

from __future__ import annotations

import stat
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from django.db import connections

from furong.entrypoints.demo import PACK
from furong.foundation.access.errors import AccessRefused, PurposeMissing
from furong.foundation.access.values import Actor, Basis
from furong.foundation.audit.queries import list_reads_of_person
from furong.registries.population import bulk
from furong.registries.population.bulk import exporting
from furong.registries.population.demo.content import read_content
from furong.registries.population.errors import FileUnreadable
from tests.registries.population.test_queries import officer, rows

pytestmark = pytest.mark.usefixtures("database")
SYSTEM = Actor.system("tests")
WHY = Basis(purpose="人口普查底册", legal_basis="全国人口普查条例 第十六条")
SORTED = ["household", "number"]


def now() -> datetime:
    return datetime(2026, 11, 23, tzinfo=UTC)


def take_in(source: Path, folder: Path) -> bulk.Imported:
    return bulk.import_people(
        source=source, mapping=None, folder=folder / "staged", rejects=folder / "rejects.csv", actor=SYSTEM, basis=WHY,
        now=now, allow_reserved=True,
    )  # fmt: skip


def give_out(target: Path, actor: Actor = SYSTEM, basis: Basis = WHY, **more) -> bulk.Exported:
    return bulk.export_people(target=target, actor=actor, basis=basis, now=now, **more)


def frame_of(path: Path) -> pl.DataFrame:
    read = pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path, infer_schema=False)
    return read.with_columns(pl.all().replace("", None)).sort(SORTED)


def empty_the_register() -> None:
    names = "household", "person", "person_version", "identity_number", "household_member", "residence", "import"
    with connections["population"].cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(f'population_{name}' for name in names)} CASCADE")


@pytest.fixture
def province(tmp_path: Path) -> int:
    drawn = bulk.synthesize(content=read_content(PACK), persons=400, folder=tmp_path / "p", today=date(2026, 11, 23))
    return sum(take_in(one, tmp_path).written for one in sorted((tmp_path / "p").iterdir())) and drawn.people


def test_import_export_import_gives_the_same_register_in_both_kinds_of_file(province: int, tmp_path: Path) -> None:
    first, again = tmp_path / "first.csv", tmp_path / "again.parquet"
    seen: list[tuple[str, float | None]] = []
    done = give_out(first, part_people=150, progress=lambda text, share: seen.append((text, share)))
    assert (done.people, done.resumed, done.was_done) == (province, False, False)
    assert [text for text, _ in seen].count("exporting") == province // 150 + 1
    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    assert not list(tmp_path.glob(".first*"))

    empty_the_register()
    taken = take_in(first, tmp_path)
    assert (taken.written, taken.rejected) == (province, 0)
    give_out(again)

    assert frame_of(again).drop("registered_on").equals(frame_of(first).drop("registered_on"))
    assert take_in(again, tmp_path).unchanged == province
    entries = rows("SELECT object_id FROM audit_entry WHERE name = 'population.finish_export' ORDER BY at, seq")
    assert entries[0] == (str(done.export_id),)
    assert len(entries) == 2
    # Each person sees who took their data along, why, and which of it.
    kept = rows("SELECT person_id FROM population_person WHERE status = 'registered' ORDER BY person_id LIMIT 1")[0][0]
    (told,) = [one for one in list_reads_of_person(person_id=kept) if one.what == "population.export_people"]
    assert (told.purpose, told.legal_basis) == (WHY.purpose, WHY.legal_basis)
    assert {"name", "number", "address", "household_relation", "native_place"} <= set(told.fields)
    counted = (
        "SELECT count(*), count(DISTINCT s.person_id) FROM audit_subject s JOIN audit_entry e ON e.id = s.entry_id"
    )
    by_export = f"{counted} WHERE e.name = 'population.export_people' AND e.object_id = %s"
    assert rows(by_export, str(done.export_id)) == [(province, province)]
    assert give_out(again).was_done
    assert give_out(again, again=True).people == province


def test_an_export_that_was_cut_off_goes_on_and_is_recorded_once(province: int, tmp_path: Path, monkeypatch) -> None:
    target, reads = tmp_path / "all.parquet", []

    def cut_off_at(last: int):
        read = exporting._read_part

        def reading(*given):
            reads.append(given)
            if len(reads) == last:
                raise KeyboardInterrupt
            return read(*given)

        return reading

    with monkeypatch.context() as cut:
        cut.setattr(exporting, "_read_part", cut_off_at(3))
        with pytest.raises(KeyboardInterrupt):
            give_out(target, part_people=100)
    assert not target.exists()
    assert rows("SELECT count(*) FROM audit_entry WHERE name = 'population.finish_export'") == [(0,)]
    with monkeypatch.context() as cut:
        cut.setattr(Path, "replace", _interrupted(Path.replace, target))
        with pytest.raises(KeyboardInterrupt):
            give_out(target, part_people=100)

    done = give_out(target, part_people=100)

    assert done.resumed
    counted = (
        "SELECT count(*), count(DISTINCT s.person_id) FROM audit_subject s JOIN audit_entry e ON e.id = s.entry_id"
    )
    assert rows(f"{counted} WHERE e.object_id = %s", str(done.export_id)) == [(province, province)]
    assert frame_of(target)["number"].n_unique() == done.people == province
    assert rows("SELECT count(*) FROM audit_entry WHERE name = 'population.finish_export'") == [(1,)]


def _interrupted(replace, target: Path):
    def moving(self: Path, other: Path) -> Path:
        if other == target:
            raise KeyboardInterrupt
        return replace(self, other)

    return moving


def test_an_export_keeps_to_the_division_the_right_and_the_mapping(province: int, tmp_path: Path) -> None:
    some = sorted({row[0][:4] for row in rows("SELECT division_code FROM population_person")})[0]
    mapping = tmp_path / "m.toml"
    mapping.write_text(
        '[columns]\nnumber = "号码"\nname = "姓名"\nethnicity = "民族"\ndivision_code = "区划"\naddress = "住址"\n'
        'household = "户号"\nrelation = "关系"\n',
        encoding="utf-8",
    )
    target = tmp_path / "city.csv"
    done = give_out(target, officer("population.export", prefix=some), division_prefix=some, mapping=mapping)
    found = pl.read_csv(target, infer_schema=False)
    assert found.columns == ["号码", "姓名", "民族", "区划", "住址", "户号", "关系"]
    assert 0 < done.people == found.height < province
    assert found["区划"].str.starts_with(some).all()
    refused = tmp_path / "no.csv"
    for actor, division in (
        (officer("population.search", prefix="43"), ""),
        (officer("population.export", prefix=some), "43"),
    ):
        with pytest.raises(AccessRefused):
            give_out(refused, actor, division_prefix=division)
    with pytest.raises(PurposeMissing):
        give_out(refused, basis=Basis(purpose="x"))
    with pytest.raises(FileUnreadable):
        give_out(tmp_path / "no.xlsx")
    assert not refused.exists()
