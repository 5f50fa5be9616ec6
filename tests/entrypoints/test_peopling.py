"""`furong population import`: what the operator reads, and where the refused rows are."""

from __future__ import annotations

import stat
from datetime import date
from pathlib import Path

import pytest

from furong.entrypoints.cli import main
from furong.foundation.codes.identity_numbers import make_identity_number
from furong.registries.population.models import Person

pytestmark = pytest.mark.usefixtures("database")
HEADER = "number,name,ethnicity,division_code,address,household,relation\n"
WHY = ["--purpose", "接收原有户籍登记", "--legal-basis", "户口登记条例 第三条"]


def line(sequence: int, household: str, name: str = "向若溪") -> str:
    number = make_identity_number("430292", date(1990, 4, 5), sequence)
    return f"{number},{name},汉族,430202001001,青石巷 7 号,{household},户主\n"


def test_an_operator_imports_a_file_corrects_what_was_refused_and_imports_that(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "people.csv"
    source.write_text(HEADER + line(2, "H1") + line(4, "H2", "?"), encoding="utf-8")
    assert main(["population", "import", str(source), "--invented", *WHY]) == 0
    told = capsys.readouterr().out
    assert "rows 2 · written 1 in 1 new households · unchanged 0 · refused 1" in told
    assert "name_invalid  姓名为空或含有不能登记的字符" in told
    rejects = tmp_path / "people.csv.rejects.csv"
    assert str(rejects) in told
    assert stat.S_IMODE(rejects.stat().st_mode) == 0o600
    assert main(["population", "import", str(source), "--invented", *WHY]) == 0
    assert "was imported before" in capsys.readouterr().out
    rejects.write_text(rejects.read_text(encoding="utf-8").replace(",?,", ",向小满,"), encoding="utf-8")
    assert main(["population", "import", str(rejects), "--invented", *WHY]) == 0
    assert "written 1 in 1 new households" in capsys.readouterr().out
    assert sorted(Person.objects.using("population").values_list("name", flat=True)) == ["向小满", "向若溪"]


def test_an_invented_province_is_drawn_and_taken_in_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "people"
    assert main(["population", "synthesize", str(folder), "--persons", "2000"]) == 0
    assert "invented people" in capsys.readouterr().out
    assert main(["population", "import", str(folder), "--invented", *WHY]) == 0
    told = capsys.readouterr().out
    assert told.count("refused 0") == len(list(folder.glob("*.parquet"))) == 14
    assert abs(Person.objects.using("population").count() - 2000) < 120


def test_an_import_without_its_reason_or_without_files_is_told_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["population", "import", str(tmp_path)]) == 2
    assert "--purpose" in capsys.readouterr().err
    assert main(["population", "import", str(tmp_path), *WHY]) == 1
    assert "holds no CSV or Parquet file" in capsys.readouterr().err


def test_what_cannot_be_imported_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["population", "import", str(tmp_path / "none.csv"), *WHY]) == 1
    told = capsys.readouterr().err.strip()
    assert told.startswith("furong: The file cannot be read: there is no such file.")
    assert "\n" not in told
