"""Refusals and faults of the exchange's centre."""

from __future__ import annotations

from furong.foundation.codes.errors import Fault, Refusal


class MemberNotFound(Refusal):
    """There is no such member."""

    code = "exchange.member_not_found"
    message = "There is no such member of the exchange."
    mend = "Open it from the list of members."


class MemberKnown(Refusal):
    """The organisation, or another under the same code, is a member already."""

    code = "exchange.member_known"
    message = "This organisation is a member already, or the code is taken."
    mend = "Open it from the list of members, or choose another code."


class CodeMalformed(Refusal):
    """Codes stand in keys, paths and log lines, so they have one plain form."""

    code = "exchange.code_not_valid"
    message = "A code has small letters, digits and hyphens, begins with a letter and has 24 characters at most."
    mend = "Correct the code."


class GatewayNotFound(Refusal):
    """There is no such gateway."""

    code = "exchange.gateway_not_found"
    message = "There is no such gateway."
    mend = "Open it from the list of gateways."


class GatewayMoved(Refusal):
    """The gateway does not stand so that this could be done."""

    code = "exchange.gateway_moved"
    message = "This cannot be done with the gateway as it stands now."
    mend = "Reload the page."


class FingerprintDiffers(Refusal):
    """What the member read out is not the fingerprint of the key that arrived here."""

    code = "exchange.fingerprint_not_valid"
    message = "This is not the fingerprint of the key that arrived here."
    mend = "Ask the member to read it out again. When it still differs, refuse the gateway: somebody else sent the key."


class EnrolmentRefused(Refusal):
    """The code is wrong, used or over, or the request is not sealed by it. One answer for all, so that nobody can try codes."""

    code = "exchange.enrolment_refused"
    message = "The code is not valid, was used, or does not fit the request."
    mend = "Ask the operator for a new code."


class HandoverRefused(Refusal):
    """The next key is not handed over by the one in force, or that one handed over before. One answer for every reason."""

    code = "exchange.handover_refused"
    message = "The gateway's next key is not handed over by its key in force."
    mend = "Look at the clock of the gateway's machine; a key hands over once. Else ask the operator for a new code."


class KeyNotFound(Refusal):
    """There is no such key."""

    code = "exchange.key_not_found"
    message = "There is no such key."
    mend = "Open it from the member's page."


class KeyKnown(Refusal):
    """A key is used in one place only, and its name is given once."""

    code = "exchange.key_known"
    message = "This key, or a key of this name, is registered already."
    mend = "Make a new key pair; never use one key for two systems."


class KeyUnreadable(Refusal):
    """What was entered is no public key of the profile."""

    code = "exchange.key_not_valid"
    message = "This is no public key of the exchange."
    mend = "Enter it as furong-gateway printed it: the algorithm, a colon, and the key in base64."


class ServiceNotFound(Refusal):
    """There is no such service."""

    code = "exchange.service_not_found"
    message = "There is no such service."
    mend = "Open it from the member's page."


class ServiceKnown(Refusal):
    """The code of a service is given once."""

    code = "exchange.service_known"
    message = "There is a service of this code already."
    mend = "Choose another code."


class ResourceWithoutRows(Refusal):
    """The platform holds no rows of the resource, so it cannot serve them."""

    code = "exchange.rows_missing"
    message = "The platform holds no rows of this resource."
    mend = "Let the member's own system answer, or bring the rows to the platform."


class RowsNotAllowed(Refusal):
    """Only the platform's gateway reads here, with its token, from its own machine."""

    code = "exchange.rows_refused"
    message = "Only the platform's own gateway reads here."


class CentreRefused(Refusal):
    """A gateway's request to the centre is not signed by a key that the centre knows for it."""

    code = "exchange.gateway_refused"
    message = "The request is not signed by the key of a live gateway."
    mend = "When the gateway was enrolled just now, the operator has yet to approve it."


class ReportMalformed(Refusal):
    """A gateway's report is not of the form."""

    code = "exchange.report_not_valid"
    message = "The report is not of the form that the centre reads."


class NoWayError(Fault):
    """The platform holds no service, grant or key for what it wants to ask over the exchange."""

    code = "exchange.no_way"
