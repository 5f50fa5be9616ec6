"""Refusals of harvesting, and what stops a harvest."""

from __future__ import annotations

from furong.foundation.codes.errors import Refusal


class SourceMissing(Refusal):
    """There is no such source."""

    code = "catalogue.harvest_source_missing"
    message = "There is no source “%(source)s” to harvest."
    mend = "List the sources: furong harvest list."


class SourceExists(Refusal):
    """The code is taken."""

    code = "catalogue.harvest_source_exists"
    message = "There is a source “%(source)s” already."
    mend = "Choose another code, or remove the source first."


class SourceRefused(Refusal):
    """The source's code, kind or address cannot be."""

    code = "catalogue.harvest_source_refused"
    message = "This cannot be a source: %(reason)s"
    mend = "Give a code of letters, digits and strokes, and an http or https address without user and password."


class HarvestStoppedError(Exception):
    """What stops a whole harvest. ``code`` is stable (see `values.STOPS`), ``detail`` never holds what the source sent."""

    def __init__(self, code: str, detail: str = "") -> None:
        self.code = code
        self.detail = detail
        super().__init__(f"{code} {detail}".strip())
