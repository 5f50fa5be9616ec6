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


class OwnResource(Refusal):
    """A department needs no grant of what it provides itself."""

    code = "catalogue.own_resource"
    message = "Your organisation provides this resource itself."


class NotShared(Refusal):
    """What is asked for is not shared."""

    code = "catalogue.not_shared"
    message = "This is not shared: %(items)s."
    mend = "Leave it out, or ask the data authority for a ruling."


class RequestRefused(Refusal):
    """The request lacks something, or asks for what cannot be had."""

    code = "catalogue.request_refused"
    message = "The request cannot be made like this."
    mend = "Correct it and send it again."


class RequestOpen(Refusal):
    """The organisation has asked for this resource already, and the answer is not in."""

    code = "catalogue.request_open"
    message = "Your organisation has an open request for this resource: %(number)s."
    mend = "Go on with that one, or withdraw it first."


class RequestMissing(Refusal):
    """There is no such request or grant, or the actor has nothing to do with it: the answer is the same."""

    code = "catalogue.request_missing"
    message = "There is no such request."


class GrantTooWide(Refusal):
    """A grant cannot be wider than its request, nor passed on wider than it is."""

    code = "catalogue.grant_too_wide"
    message = "This goes beyond what was asked for or granted: %(beyond)s."
    mend = "Grant no more than was asked for; pass on no more than you hold."


class ResourceChanged(Refusal):
    """The resource changed since it was asked for, so that the request cannot be granted as it is."""

    code = "catalogue.resource_changed"
    message = "The resource changed since this request was made: %(changes)s."
    mend = "Send the request back to be adapted, or refuse it."


class AskedAlready(Refusal):
    """What is missing is asked for once (一次性告知)."""

    code = "catalogue.asked_already"
    message = "The requester was asked for additions already."
    mend = "Decide on the request as it is."


class DelegationRefused(Refusal):
    """A grant is passed on only if its terms say so, and only to an organisation below."""

    code = "catalogue.delegation_refused"
    message = "This grant cannot be passed on to that organisation."
    mend = "Pass on only a grant that allows it, to an organisation below your own."
