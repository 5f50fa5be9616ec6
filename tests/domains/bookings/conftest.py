"""The world of cases serves bookings too."""

from tests.domains.cases.conftest import world

__all__ = ["world"]
