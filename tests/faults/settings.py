"""The platform's settings for a house of the tests: passwords are not made to be slow."""

from furong.entrypoints.settings import *  # noqa: F403 - settings are extended, not chosen from
from tests.hashing import HASHERS as PASSWORD_HASHERS  # noqa: F401 - a setting
