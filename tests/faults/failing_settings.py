"""The settings of a house with a failpoint in the web server, for tests that ask for it."""

from tests.faults.settings import *  # noqa: F403 - settings are extended, not chosen from
from tests.faults.settings import MIDDLEWARE as _MIDDLEWARE  # type: ignore[attr-defined]  # comes with the star

MIDDLEWARE = [*_MIDDLEWARE, "tests.faults.failpoints.Failpoint"]
