"""What is public is documented: every function that another room may call says what it does."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.docs.tables import ROOT, SOURCE

DOORS = {"commands", "queries"}


def _public_functions() -> Iterator[tuple[Path, ast.FunctionDef]]:
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        if (
            len(parts) < 3
            or parts[2] not in DOORS
            or any(part.startswith("_") and part != "__init__" for part in parts)
        ):
            continue
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                yield path, node


def test_every_public_command_and_query_says_what_it_does() -> None:
    silent = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path, node in _public_functions()
        if len((ast.get_docstring(node) or "").split()) < 3
    ]
    assert not silent, "\n".join(silent)


def test_there_are_commands_and_queries_to_look_at() -> None:
    assert len(list(_public_functions())) > 200


def test_every_room_says_what_it_is_for() -> None:
    silent = []
    for floor in ("foundation", "registries", "domains", "sites"):
        for room in sorted((SOURCE / floor).iterdir()):
            start = room / "__init__.py"
            if start.exists() and len((ast.get_docstring(ast.parse(start.read_text())) or "").split()) < 5:
                silent.append(str(start.relative_to(ROOT)))
    assert not silent, "\n".join(silent)
