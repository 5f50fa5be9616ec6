"""Refusals of the decision point. None of them says whether the thing asked for exists."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.utils import timezone

from furong.foundation.codes.errors import Fault, Refusal


class AccessRefused(Refusal):
    """The actor does not hold the right, or not for this organisation, division or person."""

    code = "access.refused"
    message = "You are not allowed to do this."
    mend = "Ask the administrator of your organisation, if your post should allow it."


class PurposeMissing(AccessRefused):
    """Staff asked for a person's data without saying why (个人信息保护法 第三十四条: within the duty, and no more)."""

    code = "access.purpose_missing"
    message = "State the purpose for which you need a person's data."
    mend = "Open the record from a case, or enter the purpose and its legal basis."


class AssuranceTooLow(Refusal):
    """The account is not bound to a person surely enough for this."""

    code = "access.assurance_too_low"
    message = "Confirm who you are before you do this."
    mend = "Verify your real name in your account, then try again."


class SignInNeeded(Refusal):
    """Nobody is signed in."""

    code = "access.sign_in_needed"
    message = "Sign in to go on."


class RightUnknownError(Fault):
    """A right was asked for or granted that no room registered: a mistake in code or pack."""

    code = "access.right_unknown"


class SharingRefused(AccessRefused):
    """Another organisation's data, and no grant that covers the reading. Each kind says which limit was met."""

    code = "access.sharing_refused"
    message = "Your organisation holds no grant for “%(resource)s”."
    mend = "Ask for it on the resource's page in the catalogue."


class GrantMissing(SharingRefused):
    """The organisation holds no grant of the resource that is in force."""

    code = "access.grant_missing"


class GrantNotInForce(SharingRefused):
    """The grant has not begun, or is over."""

    code = "access.grant_not_in_force"
    message = "The grant for “%(resource)s” is not in force today."
    mend = "Ask for a new one on the resource's page in the catalogue."


class ItemNotGranted(SharingRefused):
    """The reading asks for items that the grant does not name, or that are not published at all."""

    code = "access.item_not_granted"
    message = "The grant for “%(resource)s” does not cover: %(items)s."
    mend = "Ask only for the items that it covers, or request the others in the catalogue."


class RowNotGranted(SharingRefused):
    """The rows lie in divisions that the grant does not name."""

    code = "access.row_not_granted"
    message = "The grant for “%(resource)s” does not cover this division."
    mend = "Request the division in the catalogue."


class CaseNeeded(SharingRefused):
    """The grant is for one person at a time, in a case or a task."""

    code = "access.case_needed"
    message = "The grant for “%(resource)s” is for one person at a time, in a case."
    mend = "Open the record from the case that needs it."


class PurposeNotGranted(SharingRefused):
    """The grant is for other services, or for another way of passing."""

    code = "access.purpose_not_granted"
    message = "The grant for “%(resource)s” is not for this purpose."
    mend = "Request this purpose in the catalogue."


class TermsStricter(SharingRefused):
    """The resource is shared more narrowly now than when the grant was signed."""

    code = "access.terms_stricter"
    message = "“%(resource)s” is shared on stricter terms now than when your grant was signed."
    mend = "Renew the request on the resource's page in the catalogue."


class ResourceOffline(SharingRefused):
    """The resource was taken offline, or out of the catalogue."""

    code = "access.resource_offline"
    message = "“%(resource)s” is offline."
    mend = "Ask its provider in the catalogue."


class QuotaSpent(SharingRefused):
    """As many readings as a grant allows in a day were made."""

    code = "access.quota_spent"
    message = "Today's readings under the grant for “%(resource)s” are used up."
    mend = "Go on tomorrow, or request a higher number in the catalogue."


class TooManyAsked(Refusal):
    """An account asked the same thing more often than it may; says when it goes on."""

    code = "access.too_many_asked"
    message = "This may be asked %(most)s times a minute. It goes on at %(at)s."
    mend = "Wait until then, or ask for many people at once."
    goes_on_at: datetime | None = None

    @classmethod
    def within_a_minute(cls, *, most: int, goes_on_at: datetime) -> Self:
        """Give the refusal of a minute's number."""
        found = cls(most=most, at=f"{timezone.localtime(goes_on_at):%H:%M:%S}")
        found.goes_on_at = goes_on_at
        return found

    @classmethod
    def today(cls, *, most: int, goes_on_at: datetime) -> Self:
        """Give the refusal of a day's number."""
        found = cls(
            "This may be asked %(most)s times a day. It goes on tomorrow, %(at)s.",
            most=most,
            at=f"{timezone.localtime(goes_on_at):%Y-%m-%d}",
        )
        found.goes_on_at = goes_on_at
        return found
