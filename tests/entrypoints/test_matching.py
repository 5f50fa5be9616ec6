"""`furong match`: what it prints, what it refuses, how it ends. No database, no settings."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from furong.entrypoints import cli

LEFT = "编号,姓名,生日,性别\n1,贺小梅,1971-02-03,女\n2,石大山,1950-10-11,男\n"
RIGHT = "number,name,born_on,sex\n,贺晓梅,1971-03-02,2\n"


def test_two_files_are_matched_without_a_database_and_misuse_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    left, right, out = tmp_path / "left.csv", tmp_path / "right.csv", tmp_path / "pairs.csv"
    left.write_text(LEFT, encoding="utf-8")
    right.write_text(RIGHT, encoding="utf-8")
    words = [
        "match",
        str(left),
        str(right),
        "--link-or-dedupe",
        "link",
        "--left-columns",
        "born_on=生日",
        "--out",
        str(out),
    ]
    ran = subprocess.run(
        [sys.executable, "-m", "furong.entrypoints.cli", *words],
        capture_output=True,
        text=True,
        timeout=60,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "there.is.none",
            "FURONG_DATABASE_URL": "postgresql://127.0.0.1:1/x",
        },
    )
    assert ran.returncode == 0, ran.stderr
    assert "1 matches, 0 of them by number" in ran.stdout
    assert out.read_text("utf-8").splitlines()[1].startswith("1,1,match,likeness")

    def refused(*more: str) -> tuple[int, str]:
        code = cli.main([*words, *more])
        return code, capsys.readouterr().err

    assert refused() == (1, f"furong match: {out} is there already; --again replaces it\n")
    assert refused("--link-or-dedupe", "dedupe") == (2, "furong match: dedupe takes one file, link and both take two\n")
    assert refused("--columns", "name")[0] == 2
    assert refused("--match-from", "1.5")[0] == 2
    assert refused("--out", str(tmp_path / "no" / "x.csv"))[0] == 2
    code, told = refused("--again", "--left-columns", "born_on=出生")
    assert code == 1
    assert "left.csv has no column '出生' (for born_on)" in told
    assert "--columns" in told
