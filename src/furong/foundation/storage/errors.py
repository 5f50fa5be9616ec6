"""Refusals and faults of files."""

from __future__ import annotations

from furong.foundation.codes.errors import Fault, Refusal


class TooLarge(Refusal):
    """The file is larger than allowed here."""

    code = "storage.too_large"
    message = "The file is larger than %(limit_mb)s MB."
    mend = "Choose a smaller file, or scan it at a lower resolution."


class NotWhatItSays(Refusal):
    """The file's content is of another kind than its name or the form says."""

    code = "storage.not_what_it_says"
    message = "The file is not what its name says: it should be %(expected)s, but it is %(found)s."
    mend = "Open the file to check it, save it in an accepted format, and choose it again."


class EmptyFile(Refusal):
    """The file has no content."""

    code = "storage.empty"
    message = "The file is empty."
    mend = "Choose the file again."


class FileMissingError(Fault):
    """No file has this digest."""

    code = "storage.missing"


class FileDamagedError(Fault):
    """A stored file's content does not match its digest."""

    code = "storage.damaged"
