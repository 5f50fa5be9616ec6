"""One house for the tests of a module that kill nothing; those that kill build their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.house import House


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    """A running platform with sixteen couples, a failpoint in its web server, its own cluster, web server and worker."""
    found = House()
    try:
        found.start(extra={"DJANGO_SETTINGS_MODULE": "tests.faults.failing_settings"})
        yield found
    finally:
        found.stop()
