"""Faults of keys."""

from __future__ import annotations

from furong.foundation.codes.errors import Fault


class KeyUnknownError(Fault):
    """A signature names a key that is not here."""

    code = "signing.key_unknown"


class KeyUnusableError(Fault):
    """A key's file is damaged, or others may read it."""

    code = "signing.key_unusable"
