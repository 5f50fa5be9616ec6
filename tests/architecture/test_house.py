"""What import-linter cannot see: whose tables a module touches, what rooms may be called, and what no file may hold.

A room's ``models`` and ``sql`` are its own. When another module reads them, the room can no longer change its tables, rights are
asked in two places, and the audit has a hole; so other modules come through ``commands``, ``queries``, ``values``, ``events`` and
``errors``.
"""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "furong"
FLOORS = ("foundation", "registries", "domains", "sites")
PRIVATE = {"models", "sql", "migrations"}
FORBIDDEN_NAMES = {"utils", "helpers", "common", "base", "misc"}
MAX_LINES = 600


def _tracked() -> list[Path]:
    out = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    return [ROOT / name for name in out.decode().split("\0") if name and (ROOT / name).is_file()]


def _modules() -> Iterator[Path]:
    for path in SOURCE.rglob("*.py"):
        if "migrations" not in path.parts and "vendor" not in path.parts:
            yield path


def _room_of(module: str) -> tuple[str, str] | None:
    parts = module.split(".")
    if len(parts) >= 3 and parts[0] == "furong" and parts[1] in FLOORS:
        return parts[1], parts[2]
    return None


def _imports(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"


def test_no_module_reaches_into_another_rooms_tables() -> None:
    found = []
    for path in _modules():
        mine = _room_of(".".join(path.relative_to(SOURCE.parent).with_suffix("").parts))
        for line, name in _imports(path):
            theirs = _room_of(name)
            if theirs and theirs != mine and set(name.split(".")[3:]) & PRIVATE:
                found.append(f"{path.relative_to(ROOT)}:{line} imports {name}")
    assert not found, "\n".join(found)


def _tables() -> dict[str, str]:
    from django.apps import apps

    return {
        model._meta.db_table: model._meta.app_label
        for model in apps.get_models(include_auto_created=True)
        if model.__module__.startswith("furong.")
    }


def test_no_sql_names_a_table_of_another_room() -> None:
    tables = _tables()
    pattern = re.compile(r"\b(" + "|".join(sorted(tables, key=len, reverse=True)) + r")\b")
    verb = re.compile(r"\b(FROM|JOIN|INTO|UPDATE|DELETE|COPY|TABLE)\b")
    found = []
    for path in [*_modules(), *SOURCE.rglob("*.sql")]:
        parts = path.relative_to(SOURCE).parts
        if parts[0] not in FLOORS:
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if not verb.search(line):
                continue
            found += [
                f"{path.relative_to(ROOT)}:{number} names {table} of {tables[table]}"
                for table in pattern.findall(line)
                if tables[table] != parts[1]
            ]
    assert not found, "\n".join(found)


def test_foreign_keys_stay_in_the_room_or_go_down_to_the_foundation() -> None:
    from django.apps import apps

    found = []
    for model in apps.get_models():
        if not model.__module__.startswith("furong."):
            continue
        for field in model._meta.get_fields():
            target = getattr(field, "remote_field", None) and getattr(field, "related_model", None)
            if not target or field.auto_created or not getattr(target, "__module__", "").startswith("furong."):
                continue
            if target._meta.app_label == model._meta.app_label:
                continue
            down = target.__module__.startswith("furong.foundation.")
            hidden = field.remote_field.related_name == "+"
            if not (down and hidden) or model._meta.app_label == "population":
                found.append(f"{model._meta.label}.{field.name} points at {target._meta.label}")
    assert not found, "\n".join(found)


def test_no_room_or_file_is_named_for_nothing() -> None:
    found = [
        str(path.relative_to(ROOT))
        for path in SOURCE.rglob("*")
        if path.stem in FORBIDDEN_NAMES and path.suffix in {"", ".py"} and "vendor" not in path.parts
    ]
    assert not found


def test_no_source_file_is_longer_than_a_newcomer_reads() -> None:
    long = {
        str(path.relative_to(ROOT)): count
        for path in [*_modules(), *SOURCE.rglob("*.jinja"), *SOURCE.rglob("*.html"), *SOURCE.rglob("*.css")]
        if "vendor" not in path.parts and (count := len(path.read_text().splitlines())) > MAX_LINES
    }
    assert not long


# Written in two halves, so that this file does not hold what it looks for.
REGISTRY_HOSTS = ("pypi" + ".org", "pythonhosted" + ".org", "registry.npmjs" + ".org", "deb.debian" + ".org")


def test_no_committed_file_names_a_registry_or_a_machine() -> None:
    found = []
    for path in _tracked():
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)} names {host}" for host in REGISTRY_HOSTS if host in text]
        if re.search(r"(?<![\w.])/(?:work|root|home/[a-z]+)/(?:main|shared|\.)", text):
            found.append(f"{path.relative_to(ROOT)} holds a path of one machine")
        if path.name == "uv.lock" or (path.name == "package-lock.json" and '"resolved"' in text):
            found.append(f"{path.relative_to(ROOT)} is a lock with addresses")
    assert not found, "\n".join(found)


def test_no_city_of_a_pack_is_named_in_the_code() -> None:
    cities = [
        "长沙",
        "株洲",
        "湘潭",
        "衡阳",
        "邵阳",
        "岳阳",
        "常德",
        "张家界",
        "益阳",
        "郴州",
        "永州",
        "怀化",
        "娄底",
        "湘西",
    ]
    cities += ["湖南", "Hunan", "Changsha", "Zhuzhou"]
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:60]}"
        for path in [*_modules(), *SOURCE.rglob("*.jinja"), *SOURCE.rglob("*.sql"), *SOURCE.rglob("*.typ")]
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if any(city in line for city in cities)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "name", ["LICENSE", "README.md", "CHANGELOG.md", "SECURITY.md", "CONTRIBUTING.md", "publiccode.yml"]
)
def test_the_files_a_visitor_looks_for_are_there(name: str) -> None:
    assert (ROOT / name).stat().st_size > 200
