"""A running platform and a real browser for stories told in a user's words."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.house import House


@pytest.fixture(scope="session")
def house() -> Iterator[House]:
    """Web server, worker and databases of their own, with couples who have a newborn."""
    found = House()
    try:
        found.start()
        yield found
    finally:
        found.stop()
