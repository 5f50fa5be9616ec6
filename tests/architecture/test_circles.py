"""Modules of a room that grew by several hands import one another in one direction, also inside functions."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src"


def _imports(room: str) -> dict[str, set[str]]:
    modules = {}
    for path in (SOURCE / "furong" / room).rglob("*.py"):
        name = ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")
        if ".migrations" not in name:
            modules[name] = path
    found: dict[str, set[str]] = {name: set() for name in modules}
    for name, path in modules.items():
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.ImportFrom) or node.module is None:
                continue
            wanted = {f"{node.module}.{one.name}" for one in node.names} | {node.module}
            named = {one for one in wanted if one in modules} - {name}
            # ``from room.queries import reading`` names a module of the package, not what the package gathers.
            found[name] |= named - {node.module} or named
    return found


@pytest.mark.parametrize("room", ["domains/cases"])
def test_no_modules_of_the_room_import_each_other(room: str) -> None:
    graph = _imports(room)
    assert len(graph) > 20
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as circle:
        pytest.fail(" → ".join(circle.args[1]))
