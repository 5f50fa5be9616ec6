"""What is vendored is what came, under a licence that is named and shipped with it."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest
from django.conf import settings

VENDOR: Path = settings.SOURCE / "foundation/web/static/vendor"
MANIFEST = json.loads((VENDOR / "manifest.json").read_text())
ALLOWED = {"OFL-1.1", "0BSD", "MIT", "BSD-2-Clause", "Apache-2.0", "LicenseRef-bpmn.io"}


def test_every_folder_is_in_the_manifest_and_no_other() -> None:
    assert {entry["folder"] for entry in MANIFEST} == {p.name for p in VENDOR.iterdir() if p.is_dir()}


@pytest.mark.parametrize("entry", MANIFEST, ids=lambda e: e["folder"])
def test_files_are_unchanged_since_they_came(entry: dict[str, object]) -> None:
    folder = VENDOR / str(entry["folder"])
    found = {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.rglob("*") if p.is_file()
    }
    assert found == entry["files"]


@pytest.mark.parametrize("entry", MANIFEST, ids=lambda e: e["folder"])
def test_licence_is_free_named_and_shipped(entry: dict[str, str]) -> None:
    assert entry["licence"] in ALLOWED
    assert (VENDOR / entry["folder"] / entry["licence_file"]).stat().st_size > 300


def test_all_of_it_stays_small() -> None:
    assert sum(entry["bytes"] for entry in MANIFEST) < 6_000_000


def test_drawing_library_keeps_its_mark() -> None:
    script = (VENDOR / "bpmn-js-18.31.1/bpmn-navigated-viewer.production.min.js").read_text()
    assert "bjs-powered-by" in script
    for sheet in settings.SOURCE.glob("**/static/**/*.css"):
        if "vendor" not in sheet.parts:
            assert "bjs-powered-by" not in sheet.read_text(), sheet


def test_no_page_or_sheet_loads_from_another_host() -> None:
    files = [*settings.SOURCE.glob("**/*.jinja"), *settings.SOURCE.glob("**/static/**/*.css")]
    assert len(files) > 10
    for file in files:
        for address in re.findall(r"""(?:src|href|url)\s*[=(]\s*["']?((?:https?:)?//[^"')\s]+)""", file.read_text()):
            pytest.fail(f"{file.name} names {address}")
