"""The page about testing a process: its files and commands run as they stand there, and give what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from furong.domains.processes.values.steps import EXPECTED, VERBS
from tests.docs.tables import ROOT
from tests.docs.test_tutorials import _run, _steps, folder

PAGE = ROOT / "docs" / "how-to" / "test-a-process.md"

__all__ = ["folder"]


def test_every_step_of_the_page_gives_what_it_says(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    commands = 0
    for step in _steps(PAGE):
        if step.file:
            (folder / step.file).write_text(step.text)
        else:
            assert _run(step.command, folder, capsys) == step.answer, step.command
            commands += 1
    assert commands == 4


def test_the_page_names_every_verb_and_everything_that_may_be_expected() -> None:
    text = PAGE.read_text()
    assert [verb for verb in VERBS if f"`{verb}: " not in text] == []
    assert [name for name in EXPECTED if f"`{name}: " not in text] == []
    assert [key for keys in VERBS.values() for key in keys if f"`{key}" not in text] == []
