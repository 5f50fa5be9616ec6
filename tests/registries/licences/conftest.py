"""A pack with Hunan's licence types and documents, and nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from furong.foundation.access.values import Actor
from furong.foundation.packs import commands as packs
from furong.foundation.packs import queries as packs_queries

PACK = Path(__file__).resolve().parents[3] / "packs" / "hunan"
NOW = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)


@pytest.fixture
def licence_types(database: dict[str, str], tmp_path: Path) -> Iterator[None]:
    """The licence types, documents and typst libraries of the Hunan pack, published."""
    root = tmp_path / "licences"
    root.mkdir()
    (root / "pack.toml").write_text(
        'code = "licences"\nlanguages = ["zh", "en"]\ntime_zone = "Asia/Shanghai"\nin_force_from = 2020-01-01\n'
        '[name]\nzh = "证照"\nen = "Licences"\n'
    )
    for folder in ("licence_types", "documents", "typst"):
        shutil.copytree(PACK / folder, root / folder)
    packs_queries.forget_cache()
    packs.import_pack(path=root, actor=Actor.system("tests"), now=NOW)
    yield
    packs_queries.forget_cache()
