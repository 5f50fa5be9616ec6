"""The tutorial's files and commands run as they stand on the page, and give what the page says."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.test import Client

from furong.entrypoints import cli
from tests.docs.tables import ROOT

PAGE = ROOT / "docs" / "tutorials" / "add-a-service-item.md"
_BLOCK = re.compile(r"(?:^\*\*([\w./-]+)\*\*\n\n)?^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# what a newcomer could mistype is not run by a shell here: only these programs are
_SHELL = {"cp", "sed"}


@dataclass(frozen=True)
class Step:
    """One thing that the page has a reader do: write a file, or give a command and see an answer."""

    file: str = ""
    text: str = ""
    command: str = ""
    answer: str = ""


def _steps(page: Path) -> Iterator[Step]:
    for file, language, body in _BLOCK.findall(page.read_text()):
        if file:
            yield Step(file=file, text=body)
        elif language == "console":
            for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
                command, _, answer = part.partition("\n")
                yield Step(command=command, answer=answer.strip())


def _run(command: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    words = command.split()
    if words[0] == "furong":
        capsys.readouterr()
        cli.main(words[1:])
        return capsys.readouterr().out.strip()
    assert words[0] in _SHELL
    done = subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True, check=True)  # noqa: S602
    return done.stdout.strip()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout as far as the tutorial needs one."""
    (tmp_path / "packs").symlink_to(ROOT / "packs")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _walk(steps: Iterable[Step], folder: Path, capsys: pytest.CaptureFixture[str], *, loads: bool) -> int:
    done = 0
    for step in steps:
        if step.file:
            place = folder / step.file
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(step.text)
        elif loads or not step.command.startswith("furong load"):
            assert _run(step.command, folder, capsys) == step.answer, step.command
        done += 1
    return done


def test_every_step_of_the_tutorial_gives_what_the_page_says(
    platform: dict[str, str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    steps = list(_steps(PAGE))
    last = max(n for n, step in enumerate(steps) if "--allow-older" in step.command)
    visitor = Client(headers={"host": "127.0.0.1"})
    assert _walk(steps[:last], folder, capsys, loads=True) >= 13
    guide = visitor.get("/guide/newborn_parcel")
    assert guide.status_code == 200
    assert "新生儿关爱包领取" in guide.content.decode()
    assert "新生儿关爱包领取" in visitor.get("/life/newborn").content.decode()
    assert cli.main(["load", "packs/hunan"]) == 1
    assert "earlier versions" in capsys.readouterr().err
    assert _walk(steps[last:], folder, capsys, loads=True) == 1
    assert visitor.get("/guide/newborn_parcel").status_code == 404
    assert "新生儿关爱包领取" not in visitor.get("/life/newborn").content.decode()


def test_the_tutorials_rules_decide_as_it_says(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from furong.domains.decisions.queries import parse_dmn

    _walk(_steps(PAGE), folder, capsys, loads=False)
    model = parse_dmn((folder / "my-pack/items/newborn_parcel/rules.dmn").read_bytes(), file="rules.dmn")
    for weight, kind in ((2499, "large"), (2500, "standard")):
        assert model.evaluate("kind", {"newborn": {"weight_g": weight}}).outputs == {"kind": kind}


def test_the_finding_on_the_page_is_that_of_asking_for_what_a_register_holds() -> None:
    (refused,) = [step for step in _steps(PAGE) if "1 errors" in step.answer]
    assert "ask_once.register" in refused.answer
    assert "mother.address" in refused.answer
    line = int(re.search(r"form\.yaml:(\d+):", refused.answer).group(1))  # type: ignore[union-attr]
    first = next(step for step in _steps(PAGE) if step.file.endswith("form.yaml"))
    assert "mother.address" in first.text.splitlines()[line - 1]


def test_the_console_snippet_of_the_guide_runs(platform: dict[str, str]) -> None:
    """Somebody who lost the phone is helped at the console."""
    from furong.foundation.identity.errors import SecondFactorMissing

    page = (ROOT / "docs" / "how-to" / "reset-a-second-factor.md").read_text()
    (reset,) = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert "first.administrator" in reset
    # nothing is set up yet, so the console says that there is nothing to remove
    with pytest.raises(SecondFactorMissing):
        exec(compile(reset.replace("first.administrator", "administrator"), "reset-a-second-factor.md", "exec"), {})  # noqa: S102 - the page's own lines


FIRST_CASE = ROOT / "docs" / "tutorials" / "first-case-in-15-minutes.md"


def test_the_words_that_a_newcomer_looks_for_are_on_the_pages() -> None:
    """What stands in Chinese brackets is a button, a heading or an option: a translation, or a text of the pack."""
    words = re.findall(r"「([^」]+)」", FIRST_CASE.read_text())
    assert len(words) > 10
    told = "\n".join(
        [
            *(path.read_text() for path in (ROOT / "src").rglob("*.po")),
            *(path.read_text() for path in (ROOT / "packs" / "hunan").rglob("*.yaml")),
            *(path.read_text() for path in (ROOT / "packs" / "hunan").rglob("*.bpmn")),
        ]
    )
    assert [word for word in words if f'"{word}"' not in told and f": {word}" not in told] == []


def test_the_accounts_of_the_first_case_are_those_of_the_demo() -> None:
    from furong.entrypoints.loading import demo_accounts

    named = set(
        re.findall(r"(?:as|- ) ?`([a-z]+)`|^`([a-z]+)` has|`(social)`|`(vaccination)`", FIRST_CASE.read_text(), re.M)
    )
    names = {word for group in named for word in group if word}
    assert names == {str(account["username"]) for account in demo_accounts(ROOT / "packs" / "hunan")}
