"""The platform's settings with a failpoint in the web server, for houses that ask for it."""

from furong.entrypoints.settings import *  # noqa: F403 - settings are extended, not chosen from
from furong.entrypoints.settings import MIDDLEWARE as _MIDDLEWARE

MIDDLEWARE = [*_MIDDLEWARE, "tests.faults.failpoints.Failpoint"]
