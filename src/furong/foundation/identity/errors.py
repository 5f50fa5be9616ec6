"""Refusals of the room. None says whether an account or a person exists to somebody who may not know."""

from __future__ import annotations

from furong.foundation.codes.errors import Fault, Refusal


class WrongCredentials(Refusal):
    """Username and password do not belong together; which of them is wrong is not said."""

    code = "identity.wrong_credentials"
    message = "Username or password is not right."
    mend = "Check both, and whether capital letters are on."


class AccountDisabled(Refusal):
    """The account has been closed; said only after the right password."""

    code = "identity.account_disabled"
    message = "This account has been closed."
    mend = "Ask the administrator of your organisation, or the service hall."


class TooManyAttempts(Refusal):
    """Too many failures in a short time. ``minutes`` says how long to wait."""

    code = "identity.too_many_attempts"
    message = "Too many failed attempts. Try again in %(minutes)s minutes."
    mend = "If you forgot your password, the service hall or your administrator can set a new one."


class UsernameRefused(Refusal):
    """The username cannot be taken."""

    code = "identity.username_refused"
    message = (
        "A username has 3 to 64 letters, digits or Chinese characters, and is not an identity or telephone number."
    )
    mend = "Choose another username."


class AdministratorExists(Refusal):
    """Somebody administers accounts already; the console's way in is for the first one only."""

    code = "identity.administrator_exists"
    message = "There is an administrator already."
    mend = "Let an administrator make further accounts in the workbench."


class PostWithoutRight(Refusal):
    """The kind of post named for the first administrator does not carry the right to manage accounts."""

    code = "identity.post_without_right"
    message = "A post of the kind %(post)s does not administer accounts."
    mend = "Name a kind of post that carries accounts.manage."


class UsernameTaken(Refusal):
    """Somebody has the username."""

    code = "identity.username_taken"
    message = "This username is taken."
    mend = "Choose another username."


class PasswordRefused(Refusal):
    """The password is too easily guessed."""

    code = "identity.password_refused"
    message = "The password is too short, too common or too close to the username."
    mend = "Use at least ten characters that others do not guess."


class WrongPassword(Refusal):
    """The present password, asked for again, is not right."""

    code = "identity.wrong_password"
    message = "The present password is not right."


class RealNameMismatch(Refusal):
    """Number and name do not belong together, or nobody has them; which is not said."""

    code = "identity.real_name_mismatch"
    message = "Number and name do not match the register."
    mend = "Check both as they stand on the document. If they are right, the household registration office can help."


class RealNameUnavailable(Refusal):
    """The register cannot be asked at present."""

    code = "identity.real_name_unavailable"
    message = "Names cannot be checked at present."
    mend = "Try again in a few minutes. Your account is kept."


class PersonHasAccount(Refusal):
    """The person has another account already."""

    code = "identity.person_has_account"
    message = "There is an account for this person already."
    mend = "Sign in with it, or ask the service hall for help."


class AccountNotFound(Refusal):
    """No account has this identifier, or not for the one who asks."""

    code = "identity.account_not_found"
    message = "There is no such account."


class SecondFactorWrong(Refusal):
    """The six digits, or the recovery code, are not right."""

    code = "identity.second_factor_wrong"
    message = "This code is not right."
    mend = "Use the code that the app shows now, and check the clock of your phone."


class SecondFactorMissing(Refusal):
    """The account has no second factor."""

    code = "identity.second_factor_missing"
    message = "No second factor has been set up."


class SecondFactorExists(Refusal):
    """The account has a second factor already."""

    code = "identity.second_factor_exists"
    message = "A second factor has been set up already."


class SecondFactorNeeded(Refusal):
    """Staff may not do without a second factor here."""

    code = "identity.second_factor_needed"
    message = "Staff need a second factor here; it cannot be removed."


class DeviceNotFound(Refusal):
    """No session of the account has this identifier."""

    code = "identity.device_not_found"
    message = "This device is not signed in."


class NotYourPost(Refusal):
    """The account does not hold the post today."""

    code = "identity.not_your_post"
    message = "You do not hold this post."


class MandateNotFound(Refusal):
    """There is no such mandate, or it is not the actor's."""

    code = "identity.mandate_not_found"
    message = "There is no such mandate."


class MandateNotInForce(Refusal):
    """The mandate has ended, has been revoked, or has not begun."""

    code = "identity.mandate_not_in_force"
    message = "This mandate is not in force."
    mend = "Ask the person or enterprise to renew it."


class MandateExists(Refusal):
    """The agent has this mandate already."""

    code = "identity.mandate_exists"
    message = "This agent has such a mandate already."


class MandatePeriodRefused(Refusal):
    """A mandate ends after it begins, and lasts at most three years."""

    code = "identity.mandate_period_refused"
    message = "A mandate ends after it begins and lasts at most three years."


class MandateRefused(Refusal):
    """Only the person or the legal representative may give this mandate."""

    code = "identity.mandate_refused"
    message = "You cannot give this mandate."
    mend = "Only the person themself, or the legal representative of the enterprise, can."


class AgentUnknown(Refusal):
    """No verified account of that username and name can be an agent; which is wrong is not said."""

    code = "identity.agent_unknown"
    message = "There is no verified account with this username and name."
    mend = "Ask the agent for both, as their account shows them."


class ParenthoodStays(Refusal):
    """A parent's mandate for a minor follows from the register and cannot be given up here."""

    code = "identity.parenthood_stays"
    message = "A parent's mandate for a child follows from the register."


class NotTheRepresentative(Refusal):
    """The register names somebody else, or knows no such enterprise; which is not said."""

    code = "identity.not_the_representative"
    message = "The register does not name you as this enterprise's legal representative."
    mend = "Check the credit code. A new representative is registered with the market regulator first."


class PortNotBoundError(Fault):
    """A port of the room has no adapter: the wiring is incomplete."""

    code = "identity.port_not_bound"


class DemoRefusedError(Fault):
    """Demo accounts are not made in production."""

    code = "identity.demo_refused"
