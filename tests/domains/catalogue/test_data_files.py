"""Rows that a pack brings along are read within bounds, and checked against the items of their resource."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from furong.domains.catalogue.data_files import NotOfTypeError, parse_rows, typed
from furong.domains.catalogue.resources.values import ItemType
from furong.foundation.packs.queries import check_pack
from furong.foundation.packs.reading import FALLBACK

HEAD = "# source.zh: 试\n# as_of: 2026-01-01\n"


@given(st.binary(max_size=300))
def test_no_file_whatever_it_holds_breaks_the_reading(content: bytes) -> None:
    value, findings = parse_rows(HEAD.encode() + content, "x.csv", FALLBACK)
    assert (value is None) == bool(findings)


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"code\n1\n", "source"),
        (b"# source.zh: x\n# as_of: soon\ncode\n1\n", "source"),
        (HEAD.encode() + b"\xff\n", "encoding"),
        (HEAD.encode() + b"code,code\n1,2\n", "columns"),
        (HEAD.encode(), "columns"),
        (HEAD.encode() + b"code,name\n1\n", "shape"),
        (HEAD.encode() + b'code\n"open\n', "csv"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(content: bytes, rule: str) -> None:
    value, findings = parse_rows(content, "x.csv", FALLBACK)
    assert value is None
    assert [one.rule for one in findings] == [f"resource_data.{rule}"]


@pytest.mark.parametrize(
    ("text", "kind"),
    [("1.5", "I"), ("x", "N"), ("2026-13-01", "D"), ("2026-01-01T00:00", "T"), ("maybe", "L"), ("１", "I")],
)
def test_a_value_that_is_none_of_its_type_is_refused(text: str, kind: str) -> None:
    with pytest.raises(NotOfTypeError):
        typed(text, ItemType(kind))


def _pack(root: Path, rows: str, openness: str = "{type: open}") -> list[str]:
    folder = root / "resources" / "office"
    folder.mkdir(parents=True)
    (root / "pack.toml").write_text(
        'code = "t"\nname = { zh = "试" }\nlanguages = ["zh"]\ntime_zone = "Asia/Shanghai"\nin_force_from = 2026-01-01\n'
    )
    (folder / "things.yaml").write_text(
        f"""code: things
name: {{zh: 物}}
summary: {{zh: 物}}
class: {{kind: theme, item: health, group: "001", sequence: 1}}
provider: {{department: office, level: province}}
format: {{kind: spreadsheet, format: csv}}
cycle: yearly
sharing: {{type: unconditional, methods: [file]}}
openness: {openness}
items:
  - {{code: code, name: {{zh: 代码}}, type: C, length: 3, key: true}}
  - {{code: amount, name: {{zh: 数}}, type: I}}
"""
    )
    (folder / "things.csv").write_text(HEAD + rows)
    return [
        f"{one.rule.removeprefix('resource_data.')}:{one.line}"
        for one in check_pack(root)
        if one.rule.startswith("resource_data.")
    ]


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ("code,amount\na,1\nb,\n", []),
        ("code,amount\na,x\n", ["type:4"]),
        ("code,amount\nabcd,1\n", ["length:4"]),
        ("code,amount\n,1\n", ["empty:4"]),
        ("code,amount\na,1\na,2\n", ["key:5"]),
        ("code,secret\na,1\n", ["column:3"]),
        ("amount\n1\n", ["column_missing:3"]),
    ],
)
def test_each_cell_is_checked_on_its_line(tmp_path: Path, rows: str, found: list[str]) -> None:
    assert _pack(tmp_path, rows) == found
