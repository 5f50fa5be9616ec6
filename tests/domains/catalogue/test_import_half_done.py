"""An import that dies half way: nothing of it is published, what was published serves on, and the next import does all of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection

from furong.domains.catalogue import indexing, queries
from furong.domains.catalogue.views import Filter
from furong.foundation.packs.commands import import_pack
from tests.conftest import PACK
from tests.domains.catalogue.reading import NOW
from tests.domains.catalogue.test_queries import SYSTEM

pytestmark = pytest.mark.usefixtures("platform")

CHANGED, GONE, FRESH = "insured_persons", "medical_service_prices", "brand_new_resource"
TABLES = (
    *("pack_release", "pack_sync", "catalogue_resource", "catalogue_item", "catalogue_carried", "catalogue_hit"),
    *("catalogue_review", "access_shared_resource", "access_terms_change"),
)


class BrokenHalfWayError(Exception):
    """Stands for whatever may happen to a process."""


def everything() -> dict[str, str]:
    """The content of all that an import writes, as one digest a table."""
    found = {}
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(
                f"SELECT md5(coalesce(string_agg(one::text, '|' ORDER BY one::text), '')) FROM {table} AS one"
            )
            found[table] = str(cursor.fetchone()[0])
    return found


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """The pack with a resource changed, one withdrawn and one added."""
    folder = tmp_path / "hunan"
    shutil.copytree(PACK, folder, ignore=shutil.ignore_patterns("__pycache__"))
    here = folder / "resources" / "medical_insurance"
    file = here / f"{CHANGED}.yaml"
    text = file.read_text()
    assert "\nname: {zh: " in text
    file.write_text(text.replace("\nname: {zh: ", "\nname: {zh: 改名的", 1))
    gone = here / f"{GONE}.yaml"
    fresh = gone.read_text().replace(f"code: {GONE}", f"code: {FRESH}", 1)
    (here / f"{FRESH}.yaml").write_text(fresh)
    gone.unlink()
    return folder


def raises() -> None:
    raise BrokenHalfWayError


def loses_its_connection() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")


@pytest.mark.parametrize("step", ["remove", "compile_resources"])
@pytest.mark.parametrize(("how", "error"), [(raises, BrokenHalfWayError), (loses_its_connection, OperationalError)])
def test_nothing_of_an_import_that_dies_half_way_is_published(
    step: str, how: Callable[[], None], error: type[Exception], pack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, found = everything(), queries.list_resources(actor=SYSTEM)
    real = getattr(indexing, step)
    reached = []

    def half_way(*given: Any, **named: Any) -> Any:
        result = real(*given, **named)
        if step == "remove" or given[0]:
            reached.append(step)
            how()
        return result

    monkeypatch.setattr(indexing, step, half_way)
    with pytest.raises(error):
        import_pack(path=pack, actor=SYSTEM, now=NOW)
    connection.close()
    monkeypatch.undo()
    assert reached
    assert everything() == before
    after = queries.list_resources(actor=SYSTEM)
    assert (after.total, after.facets) == (found.total, found.facets)
    assert queries.list_resources(actor=SYSTEM, filter=Filter(text="改名的")).total == 0
    import_pack(path=pack, actor=SYSTEM, now=NOW)
    whole = queries.list_resources(actor=SYSTEM)
    assert whole.total == found.total  # one went, one came
    assert queries.get_resource(actor=SYSTEM, code=CHANGED).line.name["zh"].startswith("改名的")
    assert queries.get_resource(actor=SYSTEM, code=FRESH)
