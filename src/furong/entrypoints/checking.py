"""What `make check` asks of content and of the project: a pack before it is published, migrations, OpenAPI, messages."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

OPENAPI = Path("docs") / "reference" / "openapi.json"


def check_pack_folder(folder: Path) -> int:
    """Print what is wrong with a pack, a line for each finding: file, line, element, rule, message, mend."""
    from furong.foundation.packs.reading import check_pack

    if not folder.is_dir():
        print(f"furong check: {folder} is not a folder.", file=sys.stderr)
        return 2
    findings = check_pack(folder)
    for finding in findings:
        print(finding.format())
    errors = sum(finding.is_error for finding in findings)
    warnings = len(findings) - errors
    print(f"{folder}: {errors} errors, {warnings} warnings" if findings else f"{folder}: in order")
    return 1 if errors else 0


def check_project() -> int:
    """Say whether migrations, OpenAPI and messages match the code."""
    return max(check_migrations(), check_openapi(), check_messages())


def check_migrations() -> int:
    """Say whether every model has its migration. Reads no database."""
    from django.apps import apps
    from django.db.migrations.autodetector import MigrationAutodetector
    from django.db.migrations.loader import MigrationLoader
    from django.db.migrations.state import ProjectState
    from django.utils import translation

    loader = MigrationLoader(None)
    with translation.override(None):  # migrations hold the names of fields as they stand in the code
        found = MigrationAutodetector(loader.project_state(), ProjectState.from_apps(apps))
        changes = found.changes(graph=loader.graph)
    ours = {config.label for config in apps.get_app_configs() if config.name.startswith("furong.")}
    waiting = sorted(set(changes) & ours)
    for label in waiting:
        print(f"{label}: its models have changed; run furong manage makemigrations {label}")
    print("migrations: up to date" if not waiting else f"migrations: {len(waiting)} apps behind")
    return 1 if waiting else 0


def openapi() -> dict[str, Any]:
    """Give the API's description as it is now."""
    from furong.entrypoints.api import api

    described: dict[str, Any] = json.loads(json.dumps(api.get_openapi_schema(path_prefix="/api/"), default=str))
    return described


def _written() -> str:
    return json.dumps(openapi(), ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def check_openapi() -> int:
    """Say whether the committed description is that of the code."""
    if OPENAPI.exists() and OPENAPI.read_text() == _written():
        print("OpenAPI: unchanged")
        return 0
    print(f"OpenAPI: {OPENAPI} differs from the code; read the difference, then run furong openapi --write")
    return 1


def write_openapi() -> int:
    """Write the description anew."""
    OPENAPI.parent.mkdir(parents=True, exist_ok=True)
    OPENAPI.write_text(_written())
    print(f"written: {OPENAPI}")
    return 0


def check_messages() -> int:
    """Say which message ids lack a zh-CN text."""
    from furong.foundation.web.messages import check_messages as missing_messages

    missing = missing_messages()
    for one in missing:
        print(one)
    print("messages: each has a zh-CN text" if not missing else f"messages: {len(missing)} without a zh-CN text")
    return 1 if missing else 0
