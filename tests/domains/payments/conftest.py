"""The world of cases serves payments too."""

from tests.domains.cases.conftest import world

__all__ = ["world"]
