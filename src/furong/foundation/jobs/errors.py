"""Faults of jobs."""

from __future__ import annotations

from furong.foundation.codes.errors import Fault


class JobUnknownError(Fault):
    """A job is registered twice, on a queue that nobody consumes, or not at all."""

    code = "jobs.unknown"
