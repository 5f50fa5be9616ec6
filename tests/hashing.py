"""Passwords of tests: scrypt as in the real settings, but not made to be slow (the real one takes a fifth of a second of CPU)."""

from __future__ import annotations

from django.contrib.auth.hashers import ScryptPasswordHasher


class QuickScrypt(ScryptPasswordHasher):
    """The platform's hash with the least work that scrypt takes."""

    work_factor = 2
    parallelism = 1


HASHERS = [f"{__name__}.{QuickScrypt.__name__}"]
