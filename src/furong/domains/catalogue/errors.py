"""Refusals of the catalogue."""

from __future__ import annotations

from collections.abc import Sequence

from furong.foundation.codes.errors import Refusal
from furong.foundation.packs.values import Finding


class ElementMissing(Refusal):
    """The dictionary has no such data element."""

    code = "catalogue.element_missing"
    message = "There is no data element “%(element)s”."
    mend = "Check the code in the dictionary of data elements."


class ResourceMissing(Refusal):
    """There is no such resource, or the actor must not know of it: the answer is the same."""

    code = "catalogue.resource_missing"
    message = "There is no such information resource."
    mend = "Search the catalogue for it."


class ActImpossible(Refusal):
    """The resource does not stand so that this could be done: somebody else was faster, or it is not published."""

    code = "catalogue.act_impossible"
    message = "This cannot be done with the resource as it stands now."
    mend = "Reload the page."


class ReasonNeeded(Refusal):
    """A refusal, an end or an extension is explained to those it touches (Order 809)."""

    code = "catalogue.reason_needed"
    message = "Give the reason."


class NothingChanged(Refusal):
    """The draft is the version in force, so there is nothing to review."""

    code = "catalogue.nothing_changed"
    message = "The draft is the version in force."
    mend = "Change it before you submit it."


class ChangedMeanwhile(Refusal):
    """Another version came into force since the change began."""

    code = "catalogue.changed_meanwhile"
    message = "Another version came into force since this change was begun."
    mend = "Begin the change anew from the version in force."


class DraftRefused(Refusal):
    """The draft does not pass the checks that every definition passes; ``findings`` say where and how to mend it."""

    code = "catalogue.draft_refused"
    message = "The draft has %(count)s errors; the first is: %(first)s"

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        errors = [one for one in findings if one.is_error]
        super().__init__(count=len(errors), first=errors[0].format() if errors else "–")
