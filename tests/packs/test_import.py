"""The Hunan pack and Lakeland run through the same code, from folder to life event."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from furong.domains.services import queries
from furong.foundation.access.values import Actor
from furong.foundation.packs import commands
from furong.foundation.packs.queries import forget_cache
from tests.packs.planting import HUNAN, TINY


@pytest.mark.parametrize(
    ("pack", "event", "items"), [(HUNAN, "newborn", 6), (TINY, "new_boat", 2)], ids=["hunan", "lakeland"]
)
@pytest.mark.usefixtures("database")
def test_a_pack_is_imported_whole_and_serves_its_life_event(pack: Path, event: str, items: int) -> None:
    forget_cache()
    now, on = datetime(2026, 11, 20, 2, tzinfo=UTC), date(2026, 11, 20)
    result = commands.import_pack(path=pack, actor=Actor.system("tests"), now=now)
    assert result.unchanged == 0
    again = commands.import_pack(path=pack, actor=Actor.system("tests"), now=now)
    assert (again.released, again.withdrawn) == ((), ())
    found = queries.get_life_event(code=event, on=on)
    assert len(found.items) == items
    assert queries.get_life_event_form(event=found).pages_for({})
    assert queries.get_pinned_life_event(digest=found.digest, on=on).order == found.order
