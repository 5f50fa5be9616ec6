"""Files matched: who is found in spite of slips, who is not taken for another, and which files are refused. No database."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import pytest

from furong.foundation.codes.identity_numbers import make_identity_number
from furong.registries.population.errors import FileUnreadable, MappingInvalid
from furong.registries.population.linkage import Linked, LinkKind, Side, match_files

HEADER = "编号,姓名,出生日期,性别,住址,母亲,父亲,身份证号"
HOME = "湖南省衡阳市石鼓区青山街道松木社区"
NUMBER, OTHER_NUMBER = (make_identity_number("430491", date(1951, 12, 31), n) for n in (1, 3))
Rows = dict[tuple[str, str], dict[str, str]]


def write(path: Path, rows: str, *, header: str = HEADER, encoding: str = "utf-8") -> Side:
    path.write_text(f"{header}\n{rows.strip()}\n", encoding=encoding)
    return Side(path=path)


def run(tmp_path: Path, left: Side, right: Side | None, kind: LinkKind = LinkKind.LINK) -> tuple[Linked, Rows]:
    out = tmp_path / "pairs.csv"
    done = match_files(left=left, right=right, kind=kind, out=out, folder=tmp_path, threads=1)
    assert out.stat().st_mode & 0o077 == 0, "others may not read who was found"
    with out.open(encoding="utf-8") as file:
        return done, {(row["left"], row["right"]): row for row in csv.DictReader(file)}


def test_people_are_found_in_spite_of_slips_and_nobody_is_taken_for_another(tmp_path: Path) -> None:
    left = write(
        tmp_path / "left.csv",
        f"""
homophone,肖晓雅,1990-03-14,女,{HOME}1号楼2单元301室,,,
swapped,谭建国,1962-03-04,男,{HOME}7栋1-502,,,
moved,覃雪梅,1975年11月2日,女,常德市武陵区丹阳街道某某社区9号,,,
heard,刘娜,1988/05/17,女,{HOME}66号,,,
numbered,欧阳伟,1951-12-31,男,,,,{NUMBER.lower()}
brother,周子强,2010-06-01,男,{HOME}88号,吴敏,周涛,
twin,曾一凡,2015-02-03,男,{HOME}12号,许静,曾勇,
torn,龙飞,1999-09-09,男,,,,{OTHER_NUMBER}
nobody,无名氏,1900-01-01,,不详,,,
nobody2,石磊,1980-01-01,男,不详,无,无,
""",
    )
    right = write(
        tmp_path / "right.csv",
        f"""
homophone,萧小雅,1990-03-14,女,衡阳市石鼓区青山街道松木社区1-2-301,,,
swapped,谭建国,1962-04-03,男,{HOME}７号楼1单元502,,,
moved,覃雪梅,1975-11-02,2,{HOME}2号,,,
heard,牛娜,1988-05-17,女,{HOME}66号,,,
numbered,欧阳玮,1951-12-13,男,,,,{NUMBER}
brother,周子健,2012-09-21,男,{HOME}88号,吴敏,周涛,
twin,曾一诺,2015-02-03,男,{HOME}12号,许静,曾勇,
torn,杨秀英,1944-02-02,女,,,,{OTHER_NUMBER}
nobody,无名氏,1900-01-01,,不详,,,
other,谷兰,1980-01-01,女,不详,无,无,
""",
        encoding="gb18030",
    )
    done, pairs = run(tmp_path, left, right)

    found = {left for (left, right), row in pairs.items() if left == right and row["verdict"] == "match"}
    assert {"homophone", "swapped", "moved", "heard", "numbered"} <= found
    assert pairs["swapped", "swapped"]["birth"] == "day_and_month_swapped"
    assert pairs["homophone", "homophone"]["name"] == "sounds_equal"
    assert pairs["numbered", "numbered"]["found_by"] == "number"
    assert done.by_number == 1, "a number counts alone only where the name agrees"
    # Brothers share all that is the household's; a number shared by two who agree in nothing is somebody's mistake.
    assert ("brother", "brother") not in pairs
    assert pairs.get(("twin", "twin"), {"verdict": "review"})["verdict"] == "review"
    assert pairs.get(("torn", "torn"), {"verdict": "review"})["verdict"] == "review"
    assert not {pair for pair in pairs if pair[0].startswith("nobody")}
    assert (done.left_rows, done.right_rows) == (10, 10)


def test_a_file_is_searched_for_people_who_stand_in_it_twice(tmp_path: Path) -> None:
    one = write(
        tmp_path / "one.csv",
        f"""
a,邓小燕,1979-08-21,女,{HOME}5号,,,
b,邓晓燕,1979-08-21,女,{HOME}5号,,,
c,邓小艳,1979-12-08,女,{HOME}71号,,,
d,唐立,1930-01-30,男,{HOME}8号,,,
""",
    )
    done, pairs = run(tmp_path, one, None, LinkKind.DEDUPE)
    assert {pair for pair, row in pairs.items() if row["verdict"] == "match"} == {("a", "b")}
    assert done.right_rows == 0

    _, pairs = run(tmp_path, one, write(tmp_path / "two.csv", f"z,邓小燕,1979-08-21,女,{HOME}5号,,,"), LinkKind.BOTH)
    assert {frozenset(pair) for pair, row in pairs.items() if row["verdict"] == "match"} == {
        frozenset("ab"), frozenset("az"), frozenset("bz")
    }  # fmt: skip


def test_a_row_without_an_id_is_named_by_its_place_and_columns_by_who_brings_them(tmp_path: Path) -> None:
    header = "who,born"
    left = write(tmp_path / "l.csv", "贺龙庚,1966-06-06\n向晚,1999-01-02", header=header)
    right = write(tmp_path / "r.csv", "向晚,1999-01-02", header=header)
    sides = [Side(path=side.path, columns={"name": "who", "born_on": "born"}) for side in (left, right)]
    assert set(run(tmp_path, *sides)[1]) == {("2", "1")}


BROKEN = {
    "no such file": (None, FileUnreadable),
    "empty": (b"", FileUnreadable),
    "only a header": ("姓名,出生日期\n".encode(), FileUnreadable),
    "a line too long": ("姓名,出生日期\n陈秘密,1990-01-01\n陈秘密,1990-01-01,多,了\n".encode(), FileUnreadable),
    "a quotation mark left open": ('姓名,出生日期\n"陈秘密,1990-01-01\n陈秘密,1990-01-01\n'.encode(), FileUnreadable),
    "two columns of one name": ("姓名,姓名\n陈秘密,1990-01-01\n".encode(), MappingInvalid),
    "no text at all": (bytes(range(128, 256)) * 40, FileUnreadable),
    "nothing to know anybody by": ("姓名,职业\n陈秘密,工人\n".encode(), MappingInvalid),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_file_that_cannot_be_used_is_refused_with_the_reason_and_without_its_content(
    tmp_path: Path, what: str
) -> None:
    content, refusal = BROKEN[what]
    path = tmp_path / "bad.csv"
    if content is not None:
        path.write_bytes(content)
    good = write(tmp_path / "good.csv", "a,邓小燕,1979-08-21,女,,,,")
    with pytest.raises(refusal) as caught:
        match_files(left=good, right=Side(path=path), out=tmp_path / "pairs.csv", folder=tmp_path, threads=1)
    assert "bad.csv" in str(caught.value)
    assert caught.value.advice
    assert "秘密" not in str(caught.value)
    assert not (tmp_path / "pairs.csv").exists()
    assert {one.name for one in tmp_path.iterdir()} <= {"bad.csv", "good.csv"}, "nothing is left behind"


def test_a_column_that_is_not_there_is_named(tmp_path: Path) -> None:
    good = write(tmp_path / "good.csv", "a,邓小燕,1979-08-21,女,,,,")
    for columns in ({"name": "姓氏"}, {"shoe_size": "姓名"}):
        with pytest.raises(MappingInvalid, match=r"姓氏|shoe_size"):
            match_files(left=Side(path=good.path, columns=columns), right=good, out=tmp_path / "p.csv")
