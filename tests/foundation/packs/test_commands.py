"""Importing, drift, export, withdrawal: what was published is never changed and never overwritten unseen."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.utils import DatabaseError

from furong.foundation.access.values import Actor
from furong.foundation.packs import commands, models, queries
from furong.foundation.packs.errors import (
    DefinitionMissing,
    KindUnknown,
    PackDrift,
    PackIsOlder,
    PackRefused,
)
from furong.foundation.packs.values import digest_of
from tests.packs.planting import TINY, Planted, copy_of

pytestmark = pytest.mark.usefixtures("database")

NOW = datetime(2026, 11, 20, 2, tzinfo=UTC)
TODAY = date(2026, 11, 20)
EDITOR = Actor.system("tests")
FORM = "items/mooring_permit/form.yaml"


@pytest.fixture
def tiny(tmp_path: Path) -> Planted:
    queries.forget_cache()
    return copy_of(TINY, tmp_path)


def load(pack: Planted, *, days: int = 0, allow_older: bool = False) -> tuple[str, ...]:
    return commands.import_pack(
        path=pack.root, actor=EDITOR, now=NOW + timedelta(days=days), allow_older=allow_older
    ).released


def edit_in_workbench(old: str, new: str) -> None:
    release = queries.current_release(kind="form", code="mooring_permit", on=TODAY)
    content = queries.get_definition(digest=release.digest).content
    assert content.count(old.encode()) == 1
    commands.publish_definition(
        kind="form",
        code="mooring_permit",
        content=content.replace(old.encode(), new.encode()),
        in_force_from=TODAY,
        actor=EDITOR,
        now=NOW,
    )


def test_an_import_releases_every_file_and_a_second_one_nothing(tiny: Planted) -> None:
    first = load(tiny)
    assert "item/mooring_permit" in first
    assert "pack/lakeland" in first
    release = queries.current_release(kind="form", code="mooring_permit", on=TODAY)
    assert release.digest == digest_of((tiny.root / FORM).read_bytes())
    assert (release.version, release.origin, release.path) == (1, "pack", FORM)
    before = models.Release.objects.count()
    assert load(tiny, days=1) == ()
    assert models.Release.objects.count() == before
    assert queries.get_frame().languages == ("lkl", "en")


def test_a_pack_with_an_error_changes_nothing(tiny: Planted) -> None:
    load(tiny)
    before = models.Release.objects.count()
    tiny.replace(FORM, "element: mooring.season", "element: mooring.seasom")
    with pytest.raises(PackRefused) as refused:
        load(tiny)
    assert refused.value.code == "packs.refused"
    assert {f.rule for f in refused.value.findings} >= {"element.unknown"}
    assert models.Release.objects.count() == before


def test_only_what_changed_gets_a_new_version(tiny: Planted) -> None:
    load(tiny)
    tiny.replace(FORM, "en: Season}", "en: The season}")
    assert load(tiny, days=1) == ("form/mooring_permit",)
    versions = queries.list_releases(kind="form", code="mooring_permit")
    assert [r.version for r in versions] == [2, 1]
    assert queries.get_definition(digest=versions[1].digest).content != (tiny.root / FORM).read_bytes()


def test_a_definition_comes_into_force_on_its_day(tiny: Planted) -> None:
    load(tiny)
    tiny.replace("items/mooring_permit/item.yaml", "in_force_from: 2026-01-01", "in_force_from: 2027-01-01")
    load(tiny)
    now = queries.current_release(kind="item", code="mooring_permit", on=date(2026, 12, 31))
    later = queries.current_release(kind="item", code="mooring_permit", on=date(2027, 1, 1))
    assert (now.version, later.version) == (1, 2)
    with pytest.raises(DefinitionMissing):
        queries.current_release(kind="item", code="mooring_permit", on=date(2025, 12, 31))


def test_an_edit_in_the_workbench_is_not_overwritten(tiny: Planted) -> None:
    load(tiny)
    edit_in_workbench("en: Season}", "en: Which season}")
    tiny.replace(FORM, "en: The berth}", "en: Your berth}")
    with pytest.raises(PackDrift) as drift:
        load(tiny, days=1)
    assert drift.value.names == ["form/mooring_permit"]
    tiny2 = queries.current_release(kind="form", code="mooring_permit", on=TODAY)
    assert b"Which season" in queries.get_definition(digest=tiny2.digest).content


def test_an_unchanged_file_does_not_undo_an_edit_either(tiny: Planted) -> None:
    load(tiny)
    edit_in_workbench("en: Season}", "en: Which season}")
    with pytest.raises(PackDrift):
        load(tiny, days=1)


def test_an_export_writes_the_edit_back_and_the_next_import_is_free(tiny: Planted) -> None:
    load(tiny)
    edit_in_workbench("en: Season}", "en: Which season}")
    assert commands.export_pack(path=tiny.root, actor=EDITOR, now=NOW) == (FORM,)
    assert "Which season" in (tiny.root / FORM).read_text()
    assert load(tiny, days=1) == ()
    tiny.replace(FORM, "en: Which season}", "en: What season}")
    assert load(tiny, days=2) == ("form/mooring_permit",)


def test_what_only_the_workbench_published_stays_and_is_exported(tiny: Planted, tmp_path: Path) -> None:
    load(tiny)
    commands.publish_definition(
        kind="implementation",
        code="great_lake",
        content=b"code: great_lake\nitem: mooring_permit\nwhere: {division: L1}\nset:\n  on_site_visits: 1\n",
        in_force_from=TODAY,
        actor=EDITOR,
        now=NOW,
    )
    tiny.replace(FORM, "en: The berth}", "en: Your berth}")
    assert load(tiny, days=1) == ("form/mooring_permit",)
    assert "great_lake" in queries.list_codes(kind="implementation", on=TODAY)
    commands.export_pack(path=tiny.root, actor=EDITOR, now=NOW)
    assert (tiny.root / "implementations/great_lake.yaml").is_file()
    assert load(tiny, days=2) == ()


def test_a_workbench_draft_passes_the_same_checks(tiny: Planted) -> None:
    load(tiny)
    with pytest.raises(PackRefused) as refused:
        edit_in_workbench("element: mooring.season", "element: boat.number")
    assert "ask_once.item" in {f.rule for f in refused.value.findings}
    with pytest.raises(KindUnknown):
        commands.publish_definition(kind="spell", code="x", content=b"", in_force_from=TODAY, actor=EDITOR, now=NOW)


def test_an_older_checkout_does_not_turn_back_the_clock(tiny: Planted, tmp_path: Path) -> None:
    load(tiny)
    older = copy_of(tiny.root, tmp_path / "older")
    tiny.replace(FORM, "en: The berth}", "en: Your berth}")
    load(tiny, days=1)
    with pytest.raises(PackIsOlder) as found:
        load(older, days=2)
    assert found.value.names == ["form/mooring_permit"]
    assert load(older, days=2, allow_older=True) == ("form/mooring_permit",)


def test_a_file_that_is_gone_withdraws_its_definition(tiny: Planted) -> None:
    load(tiny)
    (tiny.root / "implementations/north_shore.yaml").unlink()
    result = commands.import_pack(path=tiny.root, actor=EDITOR, now=NOW)
    assert result.withdrawn == ("implementation/north_shore",)
    assert queries.list_codes(kind="implementation", on=TODAY) == []
    first = queries.list_releases(kind="implementation", code="north_shore")[-1]
    assert queries.get_definition(digest=first.digest).content


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE pack_definition SET content = ''",
        "DELETE FROM pack_definition",
        "UPDATE pack_release SET digest = NULL",
        "DELETE FROM pack_release",
    ],
)
def test_what_was_published_cannot_be_changed(tiny: Planted, statement: str) -> None:
    load(tiny)
    with pytest.raises((IntegrityError, DatabaseError)), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_a_file_that_points_out_of_the_folder_is_not_written(tiny: Planted, tmp_path: Path) -> None:
    load(tiny)
    digest = queries.current_release(kind="form", code="mooring_permit", on=TODAY).digest
    models.Release.objects.create(
        kind="form",
        code="escape",
        version=1,
        digest_id=digest,
        in_force_from=TODAY,
        published_at=NOW,
        published_by="tests",
        origin="workbench",
        pack="lakeland",
        path="../escaped.yaml",
    )
    commands.export_pack(path=tiny.root, actor=EDITOR, now=NOW)
    assert not (tiny.root.parent / "escaped.yaml").exists()
