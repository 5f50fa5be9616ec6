"""An index of its own for each test, followed on demand, fed by a source that the test holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from furong.domains.search import counting, serving, sources
from furong.domains.search.following import Follower
from tests.domains.search.feeding import HeldSource

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
TODAY = NOW.date()


@pytest.fixture
def index_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of an index that nobody has made yet."""
    monkeypatch.setattr("django.conf.settings.SEARCH_HOME", tmp_path / "search")
    serving.forget()
    counting.forget()
    yield tmp_path / "search"
    serving.forget()
    counting.forget()


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> HeldSource:
    """The one source of documents."""
    source = HeldSource()
    monkeypatch.setattr(sources, "_SOURCES", {source.prefix: source})
    return source


@pytest.fixture
def follow(index_home: Path) -> Iterator[Callable[[], None]]:
    """Bring the index up to date with the database, as the worker's loop does."""
    follower = Follower(serving.home())

    def up_to_date() -> None:
        for _ in range(20):
            if not follower.step(now=NOW, today=TODAY):
                return

    yield up_to_date
    follower.close()
