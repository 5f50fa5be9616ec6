"""Links between documents lead somewhere, and every document is found from the index."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.tables import ROOT

INDEX = ROOT / "docs" / "README.md"
DOCUMENTS = sorted(
    path
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "deploy").glob("*.md")]
    if path.name != "CHANGELOG.md"
)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)


def _prose(path: Path) -> str:
    return _FENCE.sub("", path.read_text())


def _anchors(path: Path) -> set[str]:
    heads = re.findall(r"^#+ (.+)$", _prose(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    broken = []
    for target in LINK.findall(_prose(document)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        place = (document.parent / name).resolve() if name else document
        if not place.exists() or (anchor and place.suffix == ".md" and anchor not in _anchors(place)):
            broken.append(target)
    assert not broken


def test_every_document_is_found_from_the_index() -> None:
    linked = {(INDEX.parent / target.partition("#")[0]).resolve() for target in LINK.findall(INDEX.read_text())}
    here = {path for path in (ROOT / "docs").rglob("*.md") if path != INDEX}
    assert {str(path.relative_to(ROOT)) for path in here - linked} == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_pictures_say_what_they_show_and_are_light(document: Path) -> None:
    for words, target in re.findall(r"!\[([^\]]*)\]\(([^)\s]+)\)", document.read_text()):
        assert len(words) > 8
        assert (document.parent / target).stat().st_size < 400_000
