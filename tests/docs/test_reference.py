"""The reference pages say what the code has: commands, variables, refusals, terms, addresses."""

from __future__ import annotations

import argparse
import ast
import re
from pathlib import Path
from uuid import UUID

import pytest
from django.urls import Resolver404, resolve

from furong.entrypoints import cli
from tests.docs import tables
from tests.docs.tables import LINK, ROOT, SOURCE

REFERENCE = ROOT / "docs" / "reference"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "deploy").iterdir()])


def _commands() -> dict[str, argparse.ArgumentParser]:
    parser = cli._parser()
    found = next(action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    return dict(found.choices)


def _options(parser: argparse.ArgumentParser) -> set[str]:
    """The options of a command and of its actions, where these have parsers of their own."""
    actions = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    own = {option for action in actions for one in action.choices.values() for option in _options(one)}
    return own | {
        word
        for action in parser._actions
        for word in action.option_strings
        if word.startswith("--") and action.help != argparse.SUPPRESS and word != "--help"
    }


def test_the_page_of_the_command_line_has_every_command_and_option() -> None:
    page = (REFERENCE / "cli.md").read_text()
    told = {}
    for part in re.split(r"^## ", page, flags=re.MULTILINE)[1:]:
        head, _, body = part.partition("\n")
        told[head.strip("`").split()[1]] = set(re.findall(r"^\| `(--[a-z-]+)` \|", body, re.MULTILINE))
    assert told == {name: _options(parser) for name, parser in _commands().items()}


def test_every_command_that_a_document_shows_can_be_given() -> None:
    commands, unknown = _commands(), []
    shown = re.compile(r"(?:^|`|\.venv/bin/)furong ([a-z][^`\n|;<]*)", re.MULTILINE)
    for page in PAGES:
        if page.is_dir() or page.name == "CHANGELOG.md":
            continue
        for line in shown.findall(page.read_text()):
            words = line.partition("  ")[0].split("#")[0].split()
            options = {word.partition("=")[0] for word in words if word.startswith("--")}
            if words[0] not in commands or options - _options(commands[words[0]]):
                unknown.append(f"{page.name}: furong {line}")
    assert not unknown, "\n".join(unknown)


def test_every_make_target_that_a_document_names_is_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {name for page in PAGES if page.is_file() for name in re.findall(r"`make ([a-z-]+)", page.read_text())}
    assert named
    assert named <= targets


def test_the_table_of_variables_is_what_the_source_reads() -> None:
    rows = dict(
        re.findall(r"^\| `(FURONG_[A-Z_]+)` \| (.*?) \|", (REFERENCE / "configuration.md").read_text(), re.MULTILINE)
    )
    assert set(rows) == tables.environment_variables()
    defaults = {}
    for node in ast.walk(ast.parse((SOURCE / "entrypoints" / "settings.py").read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"_setting", "_database"}:
            given = [getattr(word, "value", None) for word in node.args]
            if str(given[0]).startswith("FURONG_"):
                defaults[given[0]] = given[1] if len(given) > 1 else ""
    assert len(defaults) > 8
    for name, default in defaults.items():
        if isinstance(default, str):
            assert rows[name].strip("`") == default or (not default and "`" not in rows[name]), name


def test_no_document_names_a_variable_that_nothing_reads() -> None:
    known = tables.environment_variables()
    for page in PAGES:
        if page.is_file():
            assert set(re.findall(r"\bFURONG_[A-Z_]+\b", page.read_text())) <= known, page.name


def test_the_page_of_refusals_is_what_the_code_has() -> None:
    assert tables.ERRORS.read_text() == tables.errors_page(), "write it anew with python -m tests.docs.tables"


def test_every_code_name_of_the_glossary_is_in_the_source() -> None:
    source = "\n".join(
        path.read_text() for ending in ("*.py", "*.sql") for root in (SOURCE, LINK) for path in root.rglob(ending)
    )
    rows = re.findall(r"^\|([^|]+)\|([^|]+)\| `([^`]+)` \|", (REFERENCE / "glossary.md").read_text(), re.MULTILINE)
    assert len(rows) > 50
    words = set(re.findall(r"\w+", source))
    assert {name for _, _, name in rows} <= words


ADDRESS = re.compile(r"`(/(?:work|my|account|life|guide|verify|search|apply|healthz|metrics)\b[^`\s]*)`")


@pytest.mark.parametrize("page", [p for p in PAGES if p.suffix == ".md"], ids=lambda p: str(p.relative_to(ROOT)))
def test_every_address_that_a_document_names_is_a_route(page: Path) -> None:
    lost = []
    for address in ADDRESS.findall(page.read_text()):
        try:
            resolve(re.sub(r"\b[A-Z]{2,}\b", str(UUID(int=1)), address.partition("?")[0]))
        except Resolver404:
            lost.append(address)
    assert not lost


def test_every_file_of_the_source_that_a_document_names_is_there() -> None:
    lost = []
    for page in PAGES:
        if not page.is_file() or page.name == "CHANGELOG.md":
            continue
        for name in re.findall(r"`((?:src|tests|packs|deploy|docs|benchmarks)/[\w./-]+)`", page.read_text()):
            lost += [] if (ROOT / name).exists() else [f"{page.name}: {name}"]
    assert not lost
