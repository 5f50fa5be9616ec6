"""A pack's folder: what does not belong in it is named, and nothing in it can stop the check."""

from __future__ import annotations

from pathlib import Path

import pytest

from furong.foundation.packs import queries
from furong.foundation.packs.values.source import MAX_BYTES
from tests.packs.planting import TINY, Planted, copy_of


@pytest.fixture
def tiny(tmp_path: Path) -> Planted:
    return copy_of(TINY, tmp_path)


def rules(pack: Planted) -> set[tuple[str, str]]:
    return {(str(Path(f.file).relative_to(pack.root)), f.rule) for f in pack.check()}


def test_a_folder_without_a_frame_says_so(tmp_path: Path) -> None:
    assert [f.rule for f in queries.check_pack(tmp_path)] == ["pack.no_frame"]


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ('code = "lakeland"', "code = 3", "schema.type"),
        ('languages = ["lkl", "en"]', 'languages = "lkl"', "schema.type"),
        ('time_zone = "Etc/GMT-2"', 'time_zone = "../../etc/passwd"', "schema.type"),
        ("in_force_from = 2026-01-01", 'in_force_from = "soon"', "schema.type"),
        ('code = "lakeland"', 'code = "lakeland"\ncolour = "blue"', "schema.unknown_key"),
        ('code = "lakeland"', 'code = "lakeland', "toml.syntax"),
        ('lkl = "Vesimaa", en', "en", "text.missing"),
    ],
)
def test_a_frame_that_is_wrong_is_named_with_its_line(tiny: Planted, old: str, new: str, rule: str) -> None:
    line = tiny.replace("pack.toml", old, new)
    found = [f for f in tiny.check() if f.file.endswith("pack.toml")]
    assert found
    assert found[0].rule == rule
    assert found[0].line in {line, line + 1}


def test_a_code_that_is_not_the_files_name_is_refused(tiny: Planted) -> None:
    tiny.replace("life_events/new_boat.yaml", "code: new_boat", "code: old_boat")
    assert ("life_events/new_boat.yaml", 1, "code", "pack.code") in tiny.errors()


def test_a_code_that_stands_twice_is_refused(tiny: Planted) -> None:
    text = (tiny.root / "life_events/new_boat.yaml").read_text()
    tiny.write("life_events/new_boat.yaml", text)
    tiny.write("items/boat_registration/extra.yaml", "x: 1\n")
    tiny.write("life_events/New Boat.yaml", text)
    assert ("items/boat_registration/extra.yaml", "pack.unknown_file") in rules(tiny)
    assert ("life_events/New Boat.yaml", "pack.code") in rules(tiny)


def test_links_are_not_followed_out_of_the_pack(tiny: Planted) -> None:
    (tiny.root / "life_events" / "secrets.yaml").symlink_to("/etc/passwd")
    (tiny.root / "life_events" / "folder").symlink_to("/etc")
    found = rules(tiny)
    assert ("life_events/secrets.yaml", "pack.link") in found
    assert ("life_events/folder", "pack.link") in found
    assert all("passwd" not in f.format() for f in tiny.check())


def test_a_huge_file_is_refused_unread(tiny: Planted) -> None:
    with (tiny.root / "life_events" / "huge.yaml").open("wb") as file:
        file.truncate(MAX_BYTES * 200)
    assert ("life_events/huge.yaml", "pack.too_large") in rules(tiny)


def test_a_file_nobody_reads_is_named(tiny: Planted) -> None:
    tiny.write("item/typo/item.yaml", "code: typo\n")
    assert ("item/typo/item.yaml", "pack.unknown_folder") in rules(tiny)


@pytest.mark.parametrize("name", ["process.bpmn", "rules.dmn"])
@pytest.mark.parametrize(
    "content",
    [
        "",
        "<not-xml",
        "<x/>",
        '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;">]><a>&c;</a>',
    ],
)
def test_a_broken_diagram_or_table_is_a_finding(tiny: Planted, name: str, content: str) -> None:
    tiny.write(f"items/boat_registration/{name}", content)
    assert [f for f, *_ in tiny.errors() if f == f"items/boat_registration/{name}"]


def test_findings_come_in_the_order_of_files_and_lines(tiny: Planted) -> None:
    tiny.replace("life_events/new_boat.yaml", "lead: harbour", "laed: harbour")
    tiny.replace("items/mooring_permit/item.yaml", "outputs: [mooring.place_number]", "outpust: []")
    places = [(f.file, f.line) for f in tiny.check()]
    assert places == sorted(places)
    assert len({f for f, _ in places}) > 1
