"""Refusals of the catalogue."""

from __future__ import annotations

from furong.foundation.codes.errors import Refusal


class ElementMissing(Refusal):
    """The dictionary has no such data element."""

    code = "catalogue.element_missing"
    message = "There is no data element “%(element)s”."
    mend = "Check the code in the dictionary of data elements."
