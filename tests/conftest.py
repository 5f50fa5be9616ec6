"""The fixtures everyone shares. `database`: clean, migrated, real commits. `platform`: with the Hunan pack and demo people."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

from tests import cluster

os.environ["DJANGO_SETTINGS_MODULE"] = "furong.entrypoints.settings"
# A folder for each process of the run: keys, files and the heads that the sealer witnesses.
os.environ["FURONG_HOME"] = tempfile.mkdtemp(prefix="furong-home-")
os.environ.setdefault("FURONG_SECRET_KEY", "tests-only-" + "0" * 40)
cluster.start()
os.environ.update(cluster.environment(cluster.names()))

import django  # noqa: E402 - settings read the environment that was just made

django.setup()

from django.conf import settings as django_settings  # noqa: E402
from django.db import connections  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402

from tests.hashing import HASHERS  # noqa: E402

django_settings.PASSWORD_HASHERS = HASHERS
# A shared machine may be slow for a moment; that is no fault of what is tested.
settings.register_profile("furong", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("furong")

PACK = Path(__file__).resolve().parents[1] / "packs" / "hunan"
_template_of_worker: str | None = None


def pytest_unconfigure() -> None:
    for connection in connections.all(initialized_only=True):
        connection.close()
    cluster.stop()
    shutil.rmtree(os.environ["FURONG_HOME"], ignore_errors=True)


# Those that wait more than they work, or look at many pages one after another: begun first, they leave nobody waiting at the end.
_LONGEST = ("tests/entrypoints/test_demo.py", "tests/journeys/", "tests/faults/", "tests/registries/population/centres/",
            "tests/sites/portal/test_browser.py", "tests/sites/opendata/test_browser.py", "tests/docs/",
            "tests/domains/catalogue/")  # fmt: skip
# Files that share what takes long to make; any other file is run by one worker too, so that its fixtures are made once.
_TOGETHER = (
    ("tests/journeys/test_newborn.py", "tests/journeys/test_pages.py"),
    ("tests/registries/population/centres/",),
)


class _Files(LoadFileScheduling):  # type: ignore[misc]  # pytest-xdist has no types
    """Hands out whole files, and those of `_TOGETHER` as if they were one."""

    def _split_scope(self, nodeid: str) -> str:
        return next((group[0] for group in _TOGETHER if nodeid.startswith(group)), nodeid.split("::", 1)[0])


@pytest.hookimpl(optionalhook=True)
def pytest_make_scheduler(config: pytest.Config, log: Any) -> _Files | None:
    return _Files(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(
        key=lambda item: next((n for n, path in enumerate(_LONGEST) if item.nodeid.startswith(path)), len(_LONGEST))
    )


@contextmanager
def _only_one(name: str) -> Iterator[None]:
    """Let one worker at a time into a step that all of them want done once."""
    with (Path(os.environ["FURONG_TEST_CLUSTER"]) / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _use(databases: dict[str, str]) -> None:
    for alias, name in databases.items():
        connections[alias].close()
        connections[alias].settings_dict["NAME"] = name
    os.environ.update(cluster.environment(databases))


def _make_template(suffix: str, fill: object) -> dict[str, str]:
    """Make the template databases ``suffix`` once a run, filled by ``fill()`` while the connections point at them."""
    here = cluster.cluster()
    made = cluster.names(suffix)
    marker = Path(os.environ["FURONG_TEST_CLUSTER"]) / f"{suffix}.made"
    with _only_one(suffix):
        if not marker.exists():
            before = {alias: connections[alias].settings_dict["NAME"] for alias in made}
            for name in made.values():
                here.ensure_database(name)
            _use(made)
            try:
                fill()  # type: ignore[operator]
            finally:
                for alias in made:
                    connections[alias].close()
                _use(before)
            marker.touch()
    return made


def _migrate() -> None:
    from django.core.management import call_command

    for alias in ("default", "population"):
        call_command("migrate", database=alias, verbosity=0, interactive=False)


def _migrate_and_load() -> None:
    from furong.entrypoints.loading import load_everything

    _migrate()
    load_everything(pack=PACK, residents=200, seed=7)


def _clone(template: dict[str, str]) -> dict[str, str]:
    here = cluster.cluster()
    mine = cluster.names()
    for alias, name in mine.items():
        connections[alias].close()
        here.clone_database(template=template[alias], name=name)
    _use(mine)
    forget()
    return mine


def forget() -> None:
    """Forget what processes keep in memory of a database whose name now names another."""
    from furong.domains.catalogue import data
    from furong.domains.processes import definitions
    from furong.foundation.access import sharing, using
    from furong.foundation.packs.queries import forget_cache

    definitions.forget()
    forget_cache()
    sharing.BOOK.forget()
    using.forget()
    data.forget()


@pytest.fixture
def database() -> Iterator[dict[str, str]]:
    """Migrated, empty databases; what a test commits is gone after it. Yields the database name of each alias."""
    global _template_of_worker
    if _template_of_worker != "template":
        _clone(_make_template("template", _migrate))
        _template_of_worker = "template"
    yield cluster.names()
    # the heads that the sealer kept outside the databases would rightly call the clean-up below tampering
    shutil.rmtree(Path(os.environ["FURONG_HOME"]) / "audit", ignore_errors=True)
    for connection in connections.all():
        if connection.alias in cluster.TEMPLATES:
            connection.close()
            with connection.cursor() as cursor:
                cursor.execute(cluster.EMPTY_TABLES)
            connection.close()
    forget()


@pytest.fixture
def platform() -> Iterator[dict[str, str]]:
    """Databases with the Hunan pack, its demo accounts and 200 invented residents, fresh for each test."""
    global _template_of_worker
    made = _clone(_make_template("pack_template", _migrate_and_load))
    _template_of_worker = "pack"
    yield made
    for alias in made:
        connections[alias].close()


def make_index(of: str) -> None:
    """Let the search serve the index of the world ``of``, made once a worker: each world has offices of its own."""
    from django.utils import timezone

    from furong.domains.search import serving
    from furong.domains.search.following import rebuild

    django_settings.SEARCH_HOME = Path(os.environ["FURONG_HOME"]) / f"search-{of}"
    serving.forget()
    if serving.home().pointer_mark() == (0, 0):
        rebuild(place=serving.home(), now=timezone.now(), today=timezone.localdate())


@pytest.fixture
def indexed(platform: dict[str, str]) -> Iterator[None]:
    """The search index over the pack's content."""
    from furong.domains.search import counting, serving

    make_index("platform")
    yield
    serving.forget()
    counting.forget()


@pytest.fixture
def chromium() -> Iterator[Any]:
    """A real browser, Debian's Chromium; tests that want it carry ``tests.browsing.needs_chromium``."""
    from playwright.sync_api import sync_playwright

    from tests.browsing import CHROMIUM

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()
