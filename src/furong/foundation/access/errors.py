"""Refusals of the decision point. None of them says whether the thing asked for exists."""

from __future__ import annotations

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
