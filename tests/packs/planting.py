"""Copies a pack, plants a violation in it, and says on which line it stands."""

from __future__ import annotations

import shutil
from contextlib import chdir
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest import mock

from furong.foundation.packs import reading
from furong.foundation.packs.queries import check_pack
from furong.foundation.packs.values import Finding

HERE = Path(__file__).resolve().parent
TINY = HERE / "tiny"
HUNAN = HERE.parents[1] / "packs" / "hunan"


@dataclass
class Planted:
    """A copy of a pack that tests may spoil."""

    root: Path

    def replace(self, file: str, old: str, new: str) -> int:
        """Replace the one occurrence of ``old``; gives the line on which ``new`` begins."""
        place = self.root / file
        text = place.read_text()
        assert text.count(old) == 1, f"{file} holds {old!r} {text.count(old)} times"
        place.write_text(text.replace(old, new))
        return text[: text.index(old)].count("\n") + 1 + (len(new) - len(new.lstrip("\n")))

    def append(self, file: str, text: str) -> int:
        """Append to a file; gives the line on which the text begins."""
        place = self.root / file
        before = place.read_text()
        place.write_text(before + text)
        return before.count("\n") + 1

    def write(self, file: str, text: str) -> None:
        place = self.root / file
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)

    def check(self) -> list[Finding]:
        """Check the pack; a file that has been read before in this process, at this place and as it is, is not read again."""
        with chdir(self.root.parent), mock.patch.object(reading, "parse_file", _parse_once):
            found = check_pack(self.root.name)
        return [replace(one, file=str(self.root.parent / one.file)) for one in found]

    def errors(self) -> list[tuple[str, int, str, str]]:
        """Give file, line, element and rule of each error."""
        return [
            (str(Path(f.file).relative_to(self.root)), f.line, f.element, f.rule) for f in self.check() if f.is_error
        ]


_parsed: dict[tuple[object, ...], tuple[Any, tuple[Finding, ...]]] = {}
_parse = reading.parse_file


def _parse_once(file: Any, kind: Any, frame: Any) -> None:
    key = (kind.name, file.shown, file.content, repr(frame))
    if key not in _parsed:
        _parse(file, kind, frame)
        _parsed[key] = file.value, tuple(file.findings)
    value, findings = _parsed[key]
    file.value, file.findings = value, list(findings)


def copy_of(pack: Path, into: Path) -> Planted:
    """Copy a pack's folder into a test's own."""
    shutil.copytree(pack, into / pack.name)
    return Planted(into / pack.name)
