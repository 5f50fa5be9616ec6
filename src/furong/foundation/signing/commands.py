"""Putting keys away."""

from __future__ import annotations

from furong.foundation.signing import keys


def retire(*, purpose: str) -> bool:
    """Destroy the private half of the key of ``purpose``, whose signatures are still checked by its public half.

    Gives False when there is none. Nothing may be signed for this purpose any more: it would get a new key.
    """
    return keys.retire(purpose)
